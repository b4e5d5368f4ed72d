//! Earlier frames of a video as prompts: what was predicted for them is their mask.

use std::collections::HashMap;

use seggpt_imaging::{LabelPlane, descriptor::descriptor};
use seggpt_prompt_library::memory::{Memory, Moment, Policy, Rules};

use crate::{Benchmark, BenchmarkError, Query, Stored};

/// The selection that [`Benchmark::enable_memory`] is for; no strategy of a library, since it needs predictions.
pub const MEMORY: &str = "memory";

/// The memory that a selection means: `memory`, a queue as the original has it, or `memory:POLICY`. `None`: no memory.
#[must_use]
pub fn remembered(select: &str) -> Option<Policy> {
    match select.strip_prefix(MEMORY)? {
        "" => Some(Policy::Fifo),
        policy => policy.strip_prefix(':')?.parse().ok(),
    }
}

/// The descriptors of frames, by query: of the same frame for many queries.
pub(super) type Descriptors = HashMap<usize, Vec<f32>>;

/// The frames that were predicted before a query and that it may need, as samples with their predictions, the last first:
/// those that are prompts anyway, and [`Benchmark::shots`] others at most, which the policy chooses.
pub(super) fn predictions(
    benchmark: &Benchmark,
    query: &Query,
    stored: &Stored,
    descriptors: &mut Descriptors,
) -> Result<Vec<(usize, LabelPlane)>, BenchmarkError> {
    let mut before: Vec<usize> = benchmark.before(query).collect();
    let is_prompt = |at: &usize| query.pool.contains(&benchmark.queries[*at].sample);
    let mut memory = Memory::new(Rules::new(benchmark.policy, benchmark.shots));
    // One that failed guides nothing.
    let others = before
        .iter()
        .rev()
        .filter(|at| !is_prompt(at) && stored.has(**at));
    for (&at, place) in others.zip(0..) {
        memory.offer(Moment {
            frame: place,
            classes: stored.shown(at)?,
            descriptor: match benchmark.policy {
                Policy::Gated => described(benchmark, at, descriptors)?,
                _ => Vec::new(),
            },
            what: at,
        });
    }
    let chosen: Vec<usize> = memory.kept().map(|moment| moment.what).collect();
    before.retain(|at| is_prompt(at) || chosen.contains(at));
    let mut predictions = Vec::new();
    for at in before {
        if let Some(labels) = stored.load(at)? {
            predictions.push((benchmark.queries[at].sample, labels));
        }
    }
    Ok(predictions)
}

fn described(
    benchmark: &Benchmark,
    at: usize,
    descriptors: &mut Descriptors,
) -> Result<Vec<f32>, BenchmarkError> {
    if let Some(known) = descriptors.get(&at) {
        return Ok(known.clone());
    }
    let query = &benchmark.queries[at];
    let picture = benchmark.splits[query.split]
        .dataset
        .picture(query.sample)?;
    let made = descriptor(&picture);
    descriptors.insert(at, made.clone());
    Ok(made)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_names_its_memory() {
        assert_eq!(remembered("memory"), Some(Policy::Fifo));
        assert_eq!(remembered("memory:gated"), Some(Policy::Gated));
        for other in ["fixed", "memory:", "memory:x", "memoryfifo"] {
            assert_eq!(remembered(other), None, "{other}");
        }
    }
}
