//! What a sample shows as a prompt.

use seggpt_imaging::{IGNORE, LabelPlane};

use crate::{BenchmarkError, Query, Split};

/// The labels that a sample shows as a prompt of a query: those of the classes to be found.
pub(crate) fn prompt_labels(
    split: &Split,
    query: &Query,
    sample: usize,
) -> Result<LabelPlane, BenchmarkError> {
    let labels = split.dataset.truth(sample)?.labels;
    Ok(match (query.class, split.introduced.get(&sample)) {
        (Some(class), _) => labels.map(|&id| if id == class { class } else { 0 }),
        (None, Some(new)) => labels.map(|id| if new.contains(id) { *id } else { 0 }),
        (None, None) if query.classes.is_empty() => labels,
        (None, None) => labels.map(|id| match *id {
            IGNORE => IGNORE,
            id if query.classes.contains(&id) => id,
            _ => 0,
        }),
    })
}
