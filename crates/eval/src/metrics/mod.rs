//! Scores that equal the field's own tools, each of them a streaming accumulator: `add` one
//! prediction and its truth at a time, `merge` what other threads counted, `finish` at the end.
//!
//! | score | tool that it equals |
//! |---|---|
//! | [`ClassAreas`]: IoU, Dice, accuracy per class and their means | mmsegmentation's `IoUMetric`, as used for ADE20K |
//! | [`FoldAreas`]: mIoU and FB-IoU of few-shot episodes | HSNet's `Evaluator` and `AverageMeter` |
//! | [`region`], [`boundary`]: J and F of one mask | davis2017-evaluation's `db_eval_iou`, `db_eval_boundary` |
//! | [`Videos`]: J&F mean, recall and decay; seen and unseen means | davis2017-evaluation; YouTube-VOS |
//! | [`Panoptic`]: PQ, SQ, RQ of things, stuff and all | panopticapi's `pq_compute` |
//!
//! The fixtures under `tests/fixtures/metrics` were made by those tools (`tests/parity/eval_metrics.py`).

mod areas;
mod boundary;
mod fold;
mod panoptic;
mod region;
mod video;

pub use areas::{Areas, ClassAreas, ClassScore, SemanticReport};
pub use boundary::{Tolerance, boundary};
pub use fold::{FoldAreas, FoldReport};
pub use panoptic::{
    CategoryQuality, Matches, Panoptic, PanopticMap, PanopticReport, Quality, Segment,
};
pub use region::region;
pub use video::{ObjectScore, SeenUnseen, Statistics, VideoReport, Videos};

/// The mean, or `None` of nothing.
fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values
        .into_iter()
        .fold((0.0, 0usize), |(sum, count), value| {
            (sum + value, count + 1)
        });
    (count > 0).then(|| sum / count as f64)
}

/// `None` for 0 / 0, as the tools write `nan` and leave it out of means.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
