//! Exams: questions whose answers are known, and what the answers are worth.
//!
//! Belongs here: everything that `seggpt eval` needs and that is neither a metric or reader (`seggpt-eval`) nor a
//! dataflow. A question is a picture, the prompts that go with it and the class that is asked for; who answers it, a
//! dataflow or a baseline, is not known here.
//!
//! | | |
//! |---|---|
//! | [`Protocol`], [`Exam`] | which questions sets ask |
//! | [`Order`], [`Kept`] | which questions wait for which answers, and those answers |
//! | [`Asker`] | a question as the message that ensembles take |
//! | [`Mark`] | what one answer is worth |
//! | [`SetScore`] | what all answers of a set are worth |
//! | [`Row`] | the marks of one way to answer, on disk; an interrupted row goes on |
//! | [`baseline`] | rows without a network |
//! | [`table`], [`report`] | rows beside each other, in Markdown and as a page |

mod ask;
pub mod baseline;
mod cases;
mod error;
mod exam;
mod kept;
mod mark;
mod open;
mod order;
mod protocol;
mod questions;
pub mod report;
mod row;
mod score;
mod segments;
pub mod table;

pub use ask::{Asker, MEMORY, remembered};
pub use error::ExamError;
pub use exam::{Exam, Paper, Question};
pub use kept::Kept;
pub use mark::{Maker, Mark, ObjectMark};
pub use open::Source;
pub use order::Order;
pub use protocol::{Kind, Protocol};
pub use row::{Row, RowScores};
pub use score::{Part, Scores, SetScore};
pub use segments::SegmentMark;
