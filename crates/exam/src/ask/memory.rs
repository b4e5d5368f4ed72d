//! Earlier frames of a video as prompts: what was answered for them is their mask.

use std::collections::HashMap;

use seggpt_eval::LabelPlane;
use seggpt_imaging::descriptor::descriptor;
use seggpt_prompt_library::memory::{Memory, Moment, Policy, Rules};

use crate::{Exam, ExamError, Kept, Question};

/// What [`Asker`](super::Asker) calls memory.
pub const MEMORY: &str = "memory";

/// The memory that a selection means: `memory`, a queue as the original has it, or `memory:POLICY`. `None`: no memory.
#[must_use]
pub fn remembered(select: &str) -> Option<Policy> {
    match select.strip_prefix(MEMORY)? {
        "" => Some(Policy::Fifo),
        policy => policy.strip_prefix(':')?.parse().ok(),
    }
}

/// The descriptors of frames, by question: of the same frame for many questions.
pub(super) type Descriptors = HashMap<usize, Vec<f32>>;

/// The frames that were answered before a question and that it may need, as samples with their answers, the last first:
/// those that are shown anyway, and [`Exam::shots`] others at most, which the policy chooses.
pub(super) fn answers(
    exam: &Exam,
    question: &Question,
    kept: &Kept,
    descriptors: &mut Descriptors,
) -> Result<Vec<(usize, LabelPlane)>, ExamError> {
    let mut before: Vec<usize> = exam.before(question).collect();
    let is_shown = |at: &usize| question.pool.contains(&exam.questions[*at].query);
    let mut memory = Memory::new(Rules::new(exam.policy, exam.shots));
    // One that failed guides nothing.
    let unshown = before
        .iter()
        .rev()
        .filter(|at| !is_shown(at) && kept.has(**at));
    for (&at, place) in unshown.zip(0..) {
        memory.offer(Moment {
            frame: place,
            classes: kept.shown(at)?,
            descriptor: match exam.policy {
                Policy::Gated => described(exam, at, descriptors)?,
                _ => Vec::new(),
            },
            what: at,
        });
    }
    let chosen: Vec<usize> = memory.kept().map(|moment| moment.what).collect();
    before.retain(|at| is_shown(at) || chosen.contains(at));
    let mut answers = Vec::new();
    for at in before {
        if let Some(labels) = kept.recall(at)? {
            answers.push((exam.questions[at].query, labels));
        }
    }
    Ok(answers)
}

fn described(exam: &Exam, at: usize, descriptors: &mut Descriptors) -> Result<Vec<f32>, ExamError> {
    if let Some(known) = descriptors.get(&at) {
        return Ok(known.clone());
    }
    let question = &exam.questions[at];
    let picture = exam.papers[question.paper]
        .dataset
        .picture(question.query)?;
    let made = descriptor(&picture);
    descriptors.insert(at, made.clone());
    Ok(made)
}

/// A frame in which objects are shown for the first time has been asked for the others: their answer fills it up.
pub(super) fn completed(mut shown: LabelPlane, answer: Option<&(usize, LabelPlane)>) -> LabelPlane {
    if let Some((_, answer)) = answer.filter(|(_, answer)| answer.size() == shown.size()) {
        let pixels = shown.values_mut().iter_mut().zip(answer.values());
        for (pixel, &answered) in pixels.filter(|(pixel, _)| **pixel == 0) {
            *pixel = answered;
        }
    }
    shown
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
