//! What files are called in a run: as short as tells them apart.

use std::{
    collections::HashMap,
    path::{Component, Path},
};

/// Unique items for files, each with how many parts of its path it has at least: those that are not yet unique get one more
/// parent folder in front, until they are.
pub fn items<'a>(files: impl IntoIterator<Item = (&'a Path, usize)>) -> Vec<String> {
    let (parts, mut depths): (Vec<_>, Vec<_>) = files
        .into_iter()
        .map(|(path, depth)| (parts(path), depth))
        .unzip();
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

/// Which texts are there more than once.
pub fn repeated(texts: &[String]) -> Vec<bool> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    texts.iter().map(|text| counts[text.as_str()] > 1).collect()
}
