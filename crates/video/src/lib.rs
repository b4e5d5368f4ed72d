//! Frames in and out, without dora.
//!
//! * [`Clip`] – a folder of frames, numbered pictures or a glob: in order, with the gaps in their numbers;
//! * [`Span`] – which of a clip's frames are taken, and when each was captured;
//! * [`Credits`] – how many frames of a live source are under way, and what became of the others;
//! * [`Film`] – where frames are written; [`Pictures`] writes them as files, all of them or the last ones.

mod clip;
mod credits;
mod error;
mod film;
mod span;

pub use clip::{Clip, ClipFrame};
pub use credits::{Counts, Credits};
pub use error::VideoError;
pub use film::{Film, Kind, Pictures};
pub use span::Span;
