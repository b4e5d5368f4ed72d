//! What files are called in a run: as short as tells them apart.

use std::{
    collections::HashMap,
    path::{Component, Path},
};

use crate::found::Found;

/// Unique items: those that are not yet get one more parent folder in front, until they are.
pub(crate) fn items(files: &[Found]) -> Vec<String> {
    let parts: Vec<Vec<String>> = files.iter().map(|file| parts(&file.path)).collect();
    let mut depths: Vec<usize> = files.iter().map(|file| file.depth).collect();
    loop {
        let items: Vec<String> = parts
            .iter()
            .zip(&depths)
            .map(|(parts, depth)| parts[parts.len().saturating_sub(*depth)..].join("/"))
            .collect();
        let again = repeated(&items);
        let mut grown = false;
        for (i, depth) in depths.iter_mut().enumerate() {
            if again[i] && *depth < parts[i].len() {
                *depth += 1;
                grown = true;
            }
        }
        if !grown {
            return items;
        }
    }
}

/// The path below the root. Bytes that are no text are written out, so that different files stay different.
fn parts(path: &Path) -> Vec<String> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(part) => Some(match part.to_str() {
                Some(text) => text.to_owned(),
                None => format!("{part:?}").trim_matches('"').to_owned(),
            }),
            _ => None,
        })
        .collect()
}

/// Items without extension; those that would then be alike keep it.
pub(crate) fn names(items: &[String]) -> Vec<String> {
    let mut names: Vec<String> = items
        .iter()
        .map(|item| match item.rsplit_once('.') {
            Some((stem, kind))
                if !stem.is_empty() && !stem.ends_with('/') && !kind.contains('/') =>
            {
                stem.to_owned()
            }
            _ => item.clone(),
        })
        .collect();
    loop {
        let again = repeated(&names);
        let mut changed = false;
        for (i, item) in items.iter().enumerate() {
            if again[i] && names[i] != *item {
                names[i].clone_from(item);
                changed = true;
            }
        }
        if !changed {
            return names;
        }
    }
}

fn repeated(texts: &[String]) -> Vec<bool> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    texts.iter().map(|text| counts[text.as_str()] > 1).collect()
}
