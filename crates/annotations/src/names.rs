use std::{
    collections::{HashMap, HashSet},
    path::{Component, Path},
};

/// Names for files, no two alike: the file's name without its ending; where several are called so, with the folders in front
/// that are not theirs in common; where that is not enough, with the ending as well, and in the end with a number.
pub fn unique<P: AsRef<Path>>(files: &[P]) -> Vec<String> {
    let mut names: Vec<Option<String>> = vec![None; files.len()];
    let mut taken: HashSet<String> = HashSet::new();
    for form in [Form::Stem, Form::Folders, Form::Whole] {
        let open: Vec<usize> = (0..files.len()).filter(|&at| names[at].is_none()).collect();
        let forms = form.of(open.iter().map(|&at| files[at].as_ref()));
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for form in &forms {
            *counts.entry(form).or_default() += 1;
        }
        for (&at, form) in open.iter().zip(&forms) {
            if counts[form.as_str()] == 1 && taken.insert(form.clone()) {
                names[at] = Some(form.clone());
            }
        }
    }
    let open: Vec<usize> = (0..files.len()).filter(|&at| names[at].is_none()).collect();
    let forms = Form::Folders.of(open.iter().map(|&at| files[at].as_ref()));
    for (at, form) in open.into_iter().zip(forms) {
        let numbered = (2..).map(|number| format!("{form} ({number})"));
        let mut tries = std::iter::once(form.clone()).chain(numbered);
        names[at] = tries.find(|name| taken.insert(name.clone()));
    }
    names.into_iter().flatten().collect()
}

/// What of a path is its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Stem,
    Folders,
    Whole,
}

impl Form {
    fn of<'a>(self, files: impl Iterator<Item = &'a Path> + Clone) -> Vec<String> {
        let folder = |file: &'a Path| file.parent().unwrap_or(Path::new(""));
        let shared = files
            .clone()
            .map(folder)
            .reduce(shared)
            .unwrap_or(Path::new(""));
        let name = |file: &'a Path| {
            let file = match self {
                Self::Whole => file.to_owned(),
                Self::Stem | Self::Folders => file.with_extension(""),
            };
            let inside = match self {
                Self::Stem => file.file_name().map_or(file.as_path(), Path::new),
                Self::Folders | Self::Whole => file.strip_prefix(shared).unwrap_or(&file),
            };
            let parts = inside.components().filter_map(|part| match part {
                Component::Normal(part) => Some(part.to_string_lossy()),
                _ => None,
            });
            parts.collect::<Vec<_>>().join("/")
        };
        files.map(name).collect()
    }
}

/// The folders that two folders have in common.
fn shared<'a>(one: &'a Path, other: &Path) -> &'a Path {
    let mut all = one.ancestors();
    all.find(|folder| other.starts_with(folder))
        .unwrap_or(Path::new(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_stems_get_their_folders_and_then_their_endings() {
        let files = [
            "cam1/0001.png",
            "cam2/0001.png",
            "cam2/0002.png",
            "x/a.png",
            "x/a.jpg",
            "x/a.jpg",
        ];
        assert_eq!(
            unique(&files),
            ["cam1/0001", "cam2/0001", "0002", "a.png", "a", "a (2)"]
        );
        assert_eq!(unique(&["b/a.png", "a/b.png"]), ["a", "b"]);
        assert_eq!(unique(&["/x/y/1/a.png", "/x/y/2/a.png"]), ["1/a", "2/a"]);
        assert_eq!(unique(&["/x/y.z/a.png", "/x/y.z/a.png"]), ["a", "a (2)"]);
    }
}
