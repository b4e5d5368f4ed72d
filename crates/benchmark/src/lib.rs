//! Benchmarks: queries whose truth is known, and the scores of predictions for them.
//!
//! Belongs here: everything that `seggpt eval` needs and that is neither a reader (`seggpt-datasets`), nor a metric
//! (`seggpt-metrics`), nor a dataflow. A query is a picture, the prompts that go with it and the classes to be found; which
//! network or baseline predicts is not known here.
//!
//! | | |
//! |---|---|
//! | [`Protocol`], [`Benchmark`] | which queries the sets give |
//! | [`episodes`] | which prompts go with which query: PASCAL-5i, COCO-20i, FSS-1000, K shots, seeds |
//! | [`QueryBuilder`] | a query as the message that ensembles take |
//! | [`Schedule`], [`Stored`] | which queries wait for the predictions of others, and those predictions |
//! | [`QueryScore`] | what one prediction is worth |
//! | [`SplitScore`] | what all predictions for a split are worth |
//! | [`Row`] | the scores of one configuration, on disk; an interrupted row goes on |
//! | [`baselines`], [`baseline`] | what a user gets without a network, and rows of it |
//! | [`table`], [`report`] | rows beside each other, in Markdown and as a page |

pub mod baseline;
pub mod baselines;
mod benchmark;
mod cases;
mod disk;
pub mod episodes;
mod error;
mod opened;
mod prompt_labels;
mod protocol;
mod queries;
mod query_builder;
mod query_score;
pub mod report;
mod row;
mod schedule;
mod segment_score;
mod split_score;
mod stored;
pub mod table;

pub use benchmark::{Benchmark, Query, Split};
pub use error::BenchmarkError;
pub use opened::Source;
pub use protocol::{Kind, Protocol};
pub use query_builder::{MEMORY, QueryBuilder, remembered};
pub use query_score::{ObjectScore, Predictor, QueryScore};
pub use row::{Row, RowScores};
pub use schedule::Schedule;
pub use segment_score::SegmentScore;
pub use split_score::{Part, ScoreSum, SplitScore};
pub use stored::Stored;
