//! What the masks of a set hold, before anything is made of it.

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use seggpt_imaging::{IGNORE, LabelPlane};

use crate::{DatasetError, Truth, files};

/// The values of a mask.
#[derive(Debug, Clone)]
pub(crate) struct MaskValues {
    /// Ids other than background and what is ignored, ascending.
    pub classes: Vec<u16>,
    /// Whether there are pixels of 255, which mean "ignore" in a mask of ids and the class in one of black and white.
    pub ignored: bool,
    /// Whether there are others.
    pub counted: bool,
}

/// How masks mark their classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MaskKind {
    /// By their ids; 255 is ignored.
    Ids,
    /// 255 is this class, all else background.
    White(u16),
}

/// Reads every mask once.
pub(crate) fn read(masks: &[PathBuf]) -> Result<Vec<MaskValues>, DatasetError> {
    let values = |mask: &PathBuf| {
        let labels = LabelPlane::open(mask)?;
        let ids = labels.values();
        Ok(MaskValues {
            classes: labels.classes(),
            ignored: ids.contains(&IGNORE),
            counted: ids.iter().any(|id| *id != IGNORE),
        })
    };
    masks.par_iter().map(values).collect()
}

/// Whether these masks are black and white: there is white, and none has an id.
pub(crate) fn are_white<'a>(values: impl Iterator<Item = &'a MaskValues> + Clone) -> bool {
    let mut all = values.clone();
    all.all(|values| values.classes.is_empty()) && values.clone().any(|values| values.ignored)
}

impl MaskKind {
    /// The classes of a mask.
    pub fn classes(self, values: &MaskValues) -> Vec<u16> {
        match self {
            Self::Ids => values.classes.clone(),
            Self::White(class) if values.ignored => vec![class],
            Self::White(_) => Vec::new(),
        }
    }

    /// Refuses a mask of which nothing counts.
    pub fn check(self, mask: &Path, values: &MaskValues) -> Result<(), DatasetError> {
        match self == Self::Ids && !values.counted {
            false => Ok(()),
            true => Err(files::wrong(
                mask,
                "every pixel is 255, which means that nothing is said of it, so nothing of this mask counts; write class \
                 ids, and 255 where people did not look",
            )),
        }
    }

    /// The truth of a mask.
    pub fn truth(self, mask: &Path) -> Result<Truth, DatasetError> {
        let labels = LabelPlane::open(mask)?;
        Ok(Truth::of_labels(match self {
            Self::Ids => labels,
            Self::White(class) => labels.map(|&id| if id == IGNORE { class } else { 0 }),
        }))
    }
}

/// Refuses truths that show none of the classes: every score would be empty.
pub(crate) fn check_shown<'a>(
    classes: &[u16],
    truths: impl Iterator<Item = (&'a Path, &'a MaskValues, MaskKind)> + Clone,
) -> Result<(), DatasetError> {
    let shown = |(_, values, kind): (&Path, &MaskValues, MaskKind)| {
        kind.classes(values)
            .iter()
            .any(|class| classes.contains(class))
    };
    let Some((first, values, _)) = truths.clone().next() else {
        return Ok(());
    };
    if truths.clone().any(shown) {
        return Ok(());
    }
    let listed = |ids: &[u16]| {
        let ids: Vec<String> = ids.iter().take(8).map(u16::to_string).collect();
        ids.join(", ")
    };
    let holds = match (&values.classes[..], values.ignored) {
        ([], true) => "0 and 255, which means that nothing is said of a pixel".to_owned(),
        ([], false) => "0 alone, which is background".to_owned(),
        (ids, _) => format!("the ids {}", listed(ids)),
    };
    let count = truths.count();
    Err(files::wrong(
        first,
        format!(
            "none of the {count} truths shows what is asked for (class {}), so there is nothing to count; this one holds {holds}; \
             write the classes' ids into it",
            listed(classes)
        ),
    ))
}
