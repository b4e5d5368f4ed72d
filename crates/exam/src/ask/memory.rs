//! Earlier frames of a video as prompts: what was answered for them is their mask.

use seggpt_eval::LabelPlane;

use crate::{Exam, ExamError, Kept, Question};

/// The frames that were answered before a question and that it may need, as samples with their answers, the last first: the
/// last [`Exam::shots`] beside those that are shown anyway.
pub(super) fn answers(
    exam: &Exam,
    question: &Question,
    kept: &Kept,
) -> Result<Vec<(usize, LabelPlane)>, ExamError> {
    let mut answers = Vec::new();
    let mut unshown = 0;
    for at in exam.before(question) {
        let frame = exam.questions[at].query;
        let is_shown = question.pool.contains(&frame);
        if !is_shown && unshown == exam.shots {
            continue;
        }
        // One that failed guides nothing.
        if let Some(labels) = kept.recall(at)? {
            answers.push((frame, labels));
            unshown += usize::from(!is_shown);
        }
    }
    Ok(answers)
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
