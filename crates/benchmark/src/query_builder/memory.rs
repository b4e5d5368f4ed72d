//! Earlier frames of a video as prompts: what was predicted for them is their mask.

use seggpt_imaging::LabelPlane;

use crate::{Benchmark, BenchmarkError, Query, Stored};

/// The frames that were predicted before a query and that it may need, as samples with their predictions, the last first:
/// the last [`Benchmark::shots`] beside those that are prompts anyway.
pub(super) fn predictions(
    benchmark: &Benchmark,
    query: &Query,
    stored: &Stored,
) -> Result<Vec<(usize, LabelPlane)>, BenchmarkError> {
    let mut predictions = Vec::new();
    let mut others = 0;
    for at in benchmark.before(query) {
        let frame = benchmark.queries[at].sample;
        let is_prompt = query.pool.contains(&frame);
        if !is_prompt && others == benchmark.shots {
            continue;
        }
        // One that failed guides nothing.
        if let Some(labels) = stored.load(at)? {
            predictions.push((frame, labels));
            others += usize::from(!is_prompt);
        }
    }
    Ok(predictions)
}

/// The mask of a frame in which objects appear for the first time, filled up with what was predicted for the others.
pub(super) fn completed(
    mut labels: LabelPlane,
    prediction: Option<&(usize, LabelPlane)>,
) -> LabelPlane {
    let fitting = prediction.filter(|(_, predicted)| predicted.size() == labels.size());
    if let Some((_, predicted)) = fitting {
        let pixels = labels.values_mut().iter_mut().zip(predicted.values());
        for (pixel, &id) in pixels.filter(|(pixel, _)| **pixel == 0) {
            *pixel = id;
        }
    }
    labels
}
