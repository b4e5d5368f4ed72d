//! Scores that equal the field's own tools, each of them a streaming accumulator: `add` one
//! prediction and its truth at a time, `merge` what other threads counted, `finish` at the end.
//!
//! Belongs here: whatever compares a prediction with the truth and returns numbers. Nothing in this crate reads files or
//! knows about data sets, networks or dataflows.
//!
//! | score | tool that it equals |
//! |---|---|
//! | [`ClassAreas`]: IoU, Dice, accuracy per class and their means | mmsegmentation's `IoUMetric`, as used for ADE20K |
//! | [`FoldAreas`]: mIoU and FB-IoU of few-shot episodes | HSNet's `Evaluator` and `AverageMeter` |
//! | [`region`], [`boundary`]: J and F of one mask | davis2017-evaluation's `db_eval_iou`, `db_eval_boundary` |
//! | [`Videos`]: J&F mean, recall and decay; seen and unseen means | davis2017-evaluation; YouTube-VOS |
//! | [`Panoptic`]: PQ, SQ, RQ of things, stuff and all | panopticapi's `pq_compute` |
//!
//! The fixtures under `tests/fixtures` were made by those tools (`tests/parity/metrics.py`).

mod areas;
mod boundary;
mod error;
mod fold;
mod number;
mod panoptic;
mod region;
mod video;

pub use areas::{Areas, ClassAreas, ClassScore, SemanticReport};
pub use boundary::{Tolerance, boundary};
pub use error::MetricsError;
pub use fold::{FoldAreas, FoldReport};
pub use number::mean;
pub use panoptic::{CategoryQuality, Matches, Panoptic, PanopticReport, Quality};
pub use region::region;
pub use video::{ObjectScore, SeenUnseen, Statistics, VideoReport, Videos};
