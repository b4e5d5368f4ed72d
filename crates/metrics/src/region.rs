use seggpt_imaging::Mask;

use crate::{MetricsError, error::same_size, number::ratio};

/// Region similarity J of two masks: intersection over union, 1 where both are empty.
///
/// `void`, if given, marks pixels that count nowhere. Equals `db_eval_iou` of davis2017-evaluation.
///
/// # Errors
/// [`MetricsError::SizesDiffer`].
pub fn region(prediction: &Mask, truth: &Mask, void: Option<&Mask>) -> Result<f64, MetricsError> {
    same_size(prediction, truth)?;
    void.map_or(Ok(()), |void| same_size(void, truth))?;
    let counts = |at: usize| void.is_none_or(|void| !void.values()[at]);
    let (mut both, mut either) = (0u64, 0u64);
    let pairs = prediction.values().iter().zip(truth.values());
    for (_, (&p, &t)) in pairs.enumerate().filter(|&(at, _)| counts(at)) {
        both += u64::from(p && t);
        either += u64::from(p || t);
    }
    Ok(ratio(both, either).unwrap_or(1.0))
}
