//! One class table for all masks of a library.

use std::collections::BTreeMap;

use seggpt_contract::Class;
use seggpt_imaging::{
    BLACK, Rgb,
    annotation::{AnnotatedClass, ClassEntry, MaskKind},
    color::hex,
    palette,
};

use crate::{ClassSetting, LibraryError};

/// What one mask turned out to show.
pub(crate) struct Seen<'a> {
    pub(crate) prompt: &'a str,
    pub(crate) kind: MaskKind,
    pub(crate) classes: &'a [AnnotatedClass],
}

/// What is wrong with a class table that contradicts itself.
pub(crate) fn check(settings: &[ClassSetting]) -> Result<(), String> {
    for (at, class) in settings.iter().enumerate() {
        let id = class.id;
        if class.color == Some(BLACK) {
            return Err(format!(
                "class {id} is black, which is the background; choose another colour"
            ));
        }
        for before in &settings[..at] {
            if before.id == id {
                return Err(format!("class {id} stands there twice"));
            }
            if class.color.is_some() && before.color == class.color {
                return Err(format!(
                    "classes {} and {id} have the same colour",
                    before.id
                ));
            }
        }
    }
    Ok(())
}

/// The table to read masks with when the user gave one.
pub(crate) fn entries(settings: &[ClassSetting]) -> Vec<ClassEntry> {
    let entry = |class: &ClassSetting| ClassEntry {
        id: class.id.get(),
        name: class.name.clone(),
        color: class.color,
    };
    settings.iter().map(entry).collect()
}

/// The classes of all masks together: every id has one colour, every colour one id.
///
/// Colours that are given decide (by the user's table, by black and white, by palettes), then colour
/// masks find the id of their colour or get the next one free, then ids without a colour get one that
/// stays apart from all others.
pub(crate) fn settle(seen: &[Seen], settings: &[ClassSetting]) -> Result<Vec<Class>, LibraryError> {
    let mut settled: BTreeMap<u16, (Class, &str)> = BTreeMap::new();
    let each = || {
        seen.iter()
            .flat_map(|mask| mask.classes.iter().map(move |class| (mask, class)))
    };
    let in_table = |id: u16| {
        settings
            .iter()
            .any(|class| class.id.get() == id && class.color.is_some())
    };
    let given = |mask: &Seen, class: &AnnotatedClass| {
        matches!(mask.kind, MaskKind::Binary | MaskKind::Palette) || in_table(class.id)
    };
    for (mask, class) in each().filter(|(mask, class)| given(mask, class)) {
        let (before, first) = settled
            .entry(class.id)
            .or_insert_with(|| (named(class, class.id), mask.prompt));
        if before.color != class.color {
            let (one, other) = (hex(before.color), hex(class.color));
            let reason = format!(
                "class {} is {one} in one and {other} in the other",
                class.id
            );
            return Err(clash(first, mask.prompt, reason));
        }
    }
    for (mask, class) in each().filter(|(mask, _)| mask.kind == MaskKind::Rgb) {
        // In one mask, colours that differ are different classes; between masks, a codec may differ.
        let same = |(before, prompt): &(Class, &str)| {
            before.color == class.color
                || (*prompt != mask.prompt && near(before.color, class.color))
        };
        if !settled.values().any(same) {
            let id = settled
                .last_key_value()
                .map_or(1, |(id, _)| id.saturating_add(1));
            settled.insert(id, (named(class, id), mask.prompt));
        }
    }
    let open: BTreeMap<u16, (&AnnotatedClass, &str)> = each()
        .filter(|(mask, class)| mask.kind == MaskKind::Ids && !settled.contains_key(&class.id))
        .map(|(mask, class)| (class.id, (class, mask.prompt)))
        .collect();
    let taken: Vec<Rgb> = settled.values().map(|(class, _)| class.color).collect();
    let mut spare = palette::distinct(open.len() + 8 * taken.len())
        .into_iter()
        .filter(|color| !taken.iter().any(|other| near(*other, *color)));
    for (id, (class, prompt)) in open {
        let mut class = named(class, id);
        class.color = spare.next().unwrap_or(class.color);
        settled.insert(id, (class, prompt));
    }
    for (at, (class, prompt)) in settled.values().enumerate() {
        for (before, first) in settled.values().take(at) {
            if before.color == class.color {
                let reason = format!(
                    "classes {} and {} are both {}",
                    before.id,
                    class.id,
                    hex(class.color)
                );
                return Err(clash(first, prompt, reason));
            }
        }
    }
    Ok(settled.into_values().map(|(class, _)| class).collect())
}

fn named(class: &AnnotatedClass, id: u16) -> Class {
    let name = class.name.clone().unwrap_or_else(|| format!("class {id}"));
    Class {
        id,
        name,
        color: class.color,
    }
}

/// Within what a lossy file makes of one colour.
pub(crate) fn near(a: Rgb, b: Rgb) -> bool {
    let squared: u32 = a
        .iter()
        .zip(&b)
        .map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2))
        .sum();
    squared <= 48 * 48
}

fn clash(first: &str, second: &str, reason: String) -> LibraryError {
    LibraryError::Clash {
        first: first.to_owned(),
        second: second.to_owned(),
        reason,
    }
}
