use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

/// Names for files, no two alike: the file's name without its ending; where several are called so, with the folders in
/// front; where that is not enough, with the ending as well, and in the end with a number.
pub fn unique<P: AsRef<Path>>(files: &[P]) -> Vec<String> {
    let forms: [fn(&Path) -> String; 3] = [stem, without_ending, whole];
    let mut names: Vec<Option<String>> = vec![None; files.len()];
    let mut taken: HashSet<String> = HashSet::new();
    for form in forms {
        let open = || names.iter().zip(files).filter(|(name, _)| name.is_none());
        let mut counts: HashMap<String, usize> = HashMap::new();
        for (_, file) in open() {
            *counts.entry(form(file.as_ref())).or_default() += 1;
        }
        let alone: Vec<Option<String>> = names
            .iter()
            .zip(files)
            .map(|(name, file)| {
                let form = form(file.as_ref());
                let is_free = name.is_none() && counts[&form] == 1 && !taken.contains(&form);
                is_free.then_some(form)
            })
            .collect::<Vec<_>>();
        for (name, alone) in names.iter_mut().zip(alone) {
            if let Some(alone) = alone {
                taken.insert(alone.clone());
                *name = Some(alone);
            }
        }
    }
    let numbered = names.into_iter().zip(files).map(|(name, file)| {
        name.unwrap_or_else(|| {
            let whole = whole(file.as_ref());
            let mut tries = std::iter::once(whole.clone())
                .chain((2..).map(|number| format!("{whole} ({number})")));
            let free = tries.find(|name| !taken.contains(name)).unwrap_or(whole);
            taken.insert(free.clone());
            free
        })
    });
    numbered.collect()
}

fn stem(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or(file.as_os_str());
    stem.to_string_lossy().into_owned()
}

fn without_ending(file: &Path) -> String {
    whole(&file.with_extension(""))
}

fn whole(file: &Path) -> String {
    let parts: Vec<_> = file
        .components()
        .filter_map(|part| match part {
            std::path::Component::Normal(part) => Some(part.to_string_lossy()),
            _ => None,
        })
        .collect();
    parts.join("/")
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
            [
                "cam1/0001",
                "cam2/0001",
                "0002",
                "x/a.png",
                "x/a.jpg",
                "x/a.jpg (2)"
            ]
        );
        assert_eq!(unique(&["b/a.png", "a/b.png"]), ["a", "b"]);
    }
}
