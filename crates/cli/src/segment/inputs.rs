//! INPUT arguments: checked early, made absolute, and put into list files where they would not fit a variable.

use std::path::{Path, PathBuf};

use seggpt_files::text;
use seggpt_source_images::inputs::{Entry, expand};

use super::absolute;
use seggpt_flow::Diagnostic;

/// What the source node is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Inputs {
    /// One a line: absolute files, folders, globs and @lists.
    pub entries: Vec<String>,
    /// Lists to be written: path and text.
    pub lists: Vec<(PathBuf, String)>,
}

impl Inputs {
    /// The files that the source will find.
    ///
    /// # Errors
    /// As the source's: an input that means nothing.
    pub(super) fn files(&self) -> eyre::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in &self.entries {
            // Lists that are still to be written.
            let list = entry.strip_prefix('@').map(Path::new);
            match self
                .lists
                .iter()
                .find(|(path, _)| Some(path.as_path()) == list)
            {
                Some((_, text)) => entries.extend(text.lines().map(str::to_owned)),
                None => entries.push(entry.clone()),
            }
        }
        expand(&entries, true)
    }
}

/// Linux takes no environment variable beyond 128 KiB.
const ROOM: usize = 64 << 10;

const WILD: [char; 3] = ['*', '?', '['];

/// Checks every input and names all that mean nothing. `flow` is where lists go.
pub(super) fn check(inputs: &[String], out: &Path, flow: &Path) -> Result<Inputs, Diagnostic> {
    let mut found = Inputs::default();
    let mut diagnostics = Vec::new();
    for input in inputs {
        if let Err(diagnostic) = one(input, out, flow, &mut found) {
            diagnostics.push(diagnostic);
        }
    }
    match Diagnostic::all(
        |count| format!("{count} inputs cannot be used"),
        diagnostics,
    ) {
        Some(diagnostic) => Err(diagnostic),
        None => Ok(fit(found, flow)),
    }
}

fn one(input: &str, out: &Path, flow: &Path, found: &mut Inputs) -> Result<(), Diagnostic> {
    if let Some(list) = input.strip_prefix('@') {
        let text = text::open(list).map_err(|error| {
            Diagnostic::new(format!("the list {list} cannot be read: {error}"))
                .help("it must be a text file with one path a line")
        })?;
        // The source would take relative lines from the dataflow's folder, which is not where the user stands.
        let lines: Vec<String> = text::lines(&text)
            .map(|line| Ok(shown(&absolute(Path::new(line))?)))
            .collect::<Result<_, Diagnostic>>()?;
        if lines.is_empty() {
            return Err(Diagnostic::new(format!("the list {list} names no file")));
        }
        push_list(lines, flow, found);
        return Ok(());
    }
    let path = absolute(Path::new(input))?;
    if path.is_dir() {
        if out.starts_with(&path) {
            return Err(Diagnostic::new(format!(
                "--out {} lies in the input folder {input}",
                out.display()
            ))
            .help("choose another folder: the next run would take masks for pictures"));
        }
    } else if path.is_file() {
        if path.parent() == Some(out) {
            return Err(
                Diagnostic::new(format!("--out is the folder of the input {input}"))
                    .help("choose another folder, so that results and pictures stay apart"),
            );
        }
    } else if input.contains(WILD) {
        let mut matches = glob::glob(&shown(&path)).map_err(|error| {
            Diagnostic::new(format!(
                "`{input}` is not a pattern: {} at character {}",
                error.msg,
                error.pos + 1
            ))
        })?;
        if matches.next().is_none() {
            return Err(
                Diagnostic::new(format!("the pattern {input} matches nothing"))
                    .help("put it in quotes, so that the shell leaves it alone"),
            );
        }
    } else {
        return Err(Diagnostic::new(format!(
            "there is no file or folder {input}"
        )));
    }
    found.entries.push(shown(&path));
    Ok(())
}

/// Moves single files into a list where there are too many for a variable.
fn fit(found: Inputs, flow: &Path) -> Inputs {
    if found
        .entries
        .iter()
        .map(|entry| entry.len() + 1)
        .sum::<usize>()
        <= ROOM
    {
        return found;
    }
    let mut fitted = Inputs {
        entries: Vec::new(),
        lists: found.lists,
    };
    let mut files = Vec::new();
    for entry in found.entries {
        if Path::new(&entry).is_file() {
            files.push(entry);
        } else {
            push_list(std::mem::take(&mut files), flow, &mut fitted);
            fitted.entries.push(entry);
        }
    }
    push_list(files, flow, &mut fitted);
    fitted
}

fn push_list(lines: Vec<String>, flow: &Path, found: &mut Inputs) {
    if lines.is_empty() {
        return;
    }
    let path = flow.join(format!("inputs-{}.txt", found.lists.len() + 1));
    found.entries.push(format!("@{}", path.display()));
    found.lists.push((path, lines.join("\n") + "\n"));
}

/// `absolute` has made sure that it is UTF-8.
fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A folder `in` with two pictures.
    fn pictures() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("in");
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(inside.join("a.png"), "").unwrap();
        std::fs::write(inside.join("b.png"), "").unwrap();
        (folder, inside)
    }

    fn checked(inputs: &[String], out: &Path) -> Result<Inputs, String> {
        check(inputs, out, Path::new("/flow"))
            .map_err(|diagnostic| format!("{:?}", miette::Report::new(diagnostic)))
    }

    #[test]
    fn files_folders_and_globs_pass_as_absolute_paths() {
        let (_folder, inside) = pictures();
        let inputs = [
            shown(&inside),
            shown(&inside.join("*.png")),
            shown(&inside.join("a.png")),
        ];
        assert_eq!(checked(&inputs, Path::new("/out")).unwrap().entries, inputs);
    }

    #[test]
    fn everything_that_means_nothing_is_named_at_once() {
        let (_folder, inside) = pictures();
        let inputs = [
            shown(&inside.join("none.png")),
            shown(&inside.join("*.tif")),
            "@/no/list.txt".into(),
        ];
        let error = checked(&inputs, Path::new("/out")).unwrap_err();
        for part in ["3 inputs", "none.png", "*.tif", "list.txt"] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn results_are_kept_apart_from_pictures() {
        let (_folder, inside) = pictures();
        assert!(
            checked(&[shown(&inside)], &inside.join("out"))
                .unwrap_err()
                .contains("--out")
        );
        assert!(checked(&[shown(&inside)], &inside).is_err());
        assert!(checked(&[shown(&inside.join("a.png"))], &inside).is_err());
        assert!(checked(&[shown(&inside.join("a.png"))], &inside.join("out")).is_ok());
    }

    #[test]
    fn lists_become_absolute_ones() {
        let (folder, _) = pictures();
        let list = folder.path().join("list.txt");
        std::fs::write(&list, "\u{feff}rel/a.png\n\n/abs/b.png\n").unwrap();
        let found = checked(&[format!("@{}", list.display())], Path::new("/out")).unwrap();
        assert_eq!(found.entries, ["@/flow/inputs-1.txt"]);
        let lines: Vec<_> = found.lists[0].1.lines().collect();
        assert!(
            lines[0].ends_with("/rel/a.png") && lines[0].starts_with('/'),
            "{lines:?}"
        );
        assert_eq!(lines[1], "/abs/b.png");
    }

    #[test]
    fn ten_thousand_files_fit() {
        let (_folder, inside) = pictures();
        let inputs: Vec<_> = (0..10_000)
            .map(|_| shown(&inside.join("a.png")))
            .chain([shown(&inside)])
            .collect();
        let found = checked(&inputs, Path::new("/out")).unwrap();
        assert_eq!(
            found.entries,
            ["@/flow/inputs-1.txt".to_owned(), shown(&inside)]
        );
        assert_eq!(found.lists[0].1.lines().count(), 10_000);
    }
}
