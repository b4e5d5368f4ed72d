//! --prompt, --prompts and --classes, checked early.

use std::path::{Path, PathBuf};

use super::absolute;
use seggpt_flow::Flaw;

use crate::args::SegmentArgs;

/// The examples, as the prompts node is told of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Prompts {
    /// A folder with `prompts.yml`, or that file.
    pub library: Option<PathBuf>,
    /// Pictures and their masks.
    pub pairs: Vec<(PathBuf, PathBuf)>,
    /// How many there are; not known of a library.
    pub count: Option<u32>,
}

impl Prompts {
    /// The variable of the prompts node.
    pub(super) fn setting(&self) -> (&'static str, String) {
        match &self.library {
            Some(library) => ("PROMPTS", library.display().to_string()),
            None => {
                let lines = self
                    .pairs
                    .iter()
                    .map(|(image, mask)| format!("{}={}", image.display(), mask.display()));
                ("PROMPT_PAIRS", lines.collect::<Vec<_>>().join("\n"))
            }
        }
    }
}

pub(super) fn check(args: &SegmentArgs) -> Result<Prompts, Flaw> {
    if let Some(library) = &args.prompts {
        return Ok(Prompts {
            library: Some(check_library(library)?),
            pairs: Vec::new(),
            count: None,
        });
    }
    let mut pairs = Vec::new();
    let mut flaws = Vec::new();
    for text in &args.pairs {
        match pair(text) {
            Ok(pair) => pairs.push(pair),
            Err(flaw) => flaws.push(flaw),
        }
    }
    if let Some(flaw) = Flaw::all(|count| format!("{count} examples cannot be used"), flaws) {
        return Err(flaw);
    }
    let count = u32::try_from(pairs.len()).ok();
    Ok(Prompts {
        library: None,
        pairs,
        count,
    })
}

fn check_library(library: &Path) -> Result<PathBuf, Flaw> {
    let file = if library.is_dir() {
        library.join("prompts.yml")
    } else {
        library.to_owned()
    };
    if !file.is_file() {
        return Err(Flaw::new(format!("--prompts {}: there is no file {}", library.display(), file.display()))
            .help("a prompt library is a folder with `prompts.yml`; for single examples use --prompt IMG=MASK"));
    }
    absolute(library)
}

/// Splits at the `=` that leaves two files; file names may contain some themselves.
pub(crate) fn pair(text: &str) -> Result<(PathBuf, PathBuf), Flaw> {
    let splits: Vec<_> = text
        .match_indices('=')
        .map(|(at, _)| (Path::new(&text[..at]), Path::new(&text[at + 1..])))
        .collect();
    if let Some((image, mask)) = splits
        .iter()
        .find(|(image, mask)| image.is_file() && mask.is_file())
    {
        return Ok((absolute(image)?, absolute(mask)?));
    }
    let flaw = match splits.first() {
        None => format!("--prompt {text}: no `=` between picture and mask"),
        Some((image, _)) if !image.is_file() => {
            format!("--prompt {text}: there is no picture {}", image.display())
        }
        Some((_, mask)) => format!("--prompt {text}: there is no mask {}", mask.display()),
    };
    Err(Flaw::new(flaw)
        .help("an example is a picture and its mask: --prompt cell.png=cell_mask.png"))
}

/// Checks `ID:NAME:#RRGGBB,...` and returns it as it was.
pub(super) fn classes(text: &str) -> Result<String, Flaw> {
    let mut ids = std::collections::BTreeSet::new();
    for class in text.split(',') {
        let wrong = |reason: &str| {
            Flaw::new(format!("--classes: `{class}` {reason}"))
                .help("classes look like 1:cell:#ff0000,2:nucleus:#00ff00")
        };
        let parts: Vec<_> = class.split(':').map(str::trim).collect();
        let [id, name, color] = parts[..] else {
            return Err(wrong("is not ID:NAME:#RRGGBB"));
        };
        let id: u16 = id
            .parse()
            .map_err(|_| wrong("has no id between 1 and 65535"))?;
        if id == 0 {
            return Err(wrong("has id 0, which is the background"));
        }
        if name.is_empty() {
            return Err(wrong("has no name"));
        }
        let is_color = color
            .strip_prefix('#')
            .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        if !is_color {
            return Err(wrong("has no colour such as #ff0000"));
        }
        if !ids.insert(id) {
            return Err(wrong("has an id that another class has as well"));
        }
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_pair_splits_where_both_files_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            std::fs::write(folder.path().join(name), "").unwrap();
            folder.path().join(name)
        };
        let (image, mask) = (file("a=1.png"), file("mask.png"));
        assert_eq!(
            pair(&format!("{}={}", image.display(), mask.display())).unwrap(),
            (image.clone(), mask)
        );
        let error = pair(&format!("{}=/none.png", file("b.png").display())).unwrap_err();
        assert!(
            error.to_string().ends_with("there is no mask /none.png"),
            "{error}"
        );
        assert!(
            pair("none.png=/none.png")
                .unwrap_err()
                .to_string()
                .contains("no picture none.png")
        );
        assert!(pair("only.png").unwrap_err().to_string().contains("no `=`"));
    }

    #[test]
    fn a_library_has_its_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            check_library(folder.path())
                .unwrap_err()
                .to_string()
                .contains("prompts.yml")
        );
        std::fs::write(folder.path().join("prompts.yml"), "").unwrap();
        assert_eq!(check_library(folder.path()).unwrap(), folder.path());
    }

    #[test]
    fn class_tables_are_checked() {
        assert!(classes("1:cell:#ff0000,2:wall:#00FF00").is_ok());
        for (text, reason) in [
            ("cell", "ID:NAME"),
            ("0:cell:#ff0000", "background"),
            ("70000:cell:#ff0000", "between 1 and"),
            ("1::#ff0000", "no name"),
            ("1:cell:red", "no colour"),
            ("1:a:#ff0000,1:b:#00ff00", "another class"),
        ] {
            assert!(
                classes(text).unwrap_err().to_string().contains(reason),
                "{text}"
            );
        }
    }
}
