//! Dataflows of dora, run in this process: read and checked, fingerprinted, started, watched, and their outcome told.
//!
//! | step | module |
//! |---|---|
//! | write one | [`compose`] |
//! | read and check it, before anything starts | [`load()`] |
//! | say what decides its results | `fingerprint` |
//! | claim the folders of results, start it, watch it | [`run()`] |
//! | tell how it ended | `outcome`, [`Exit`] |
//!
//! What is shown, a [`Console`] shows; which nodes are ours, and what their settings are, [`Nodes`] says.

mod check;
mod clock;
pub mod compose;
mod console;
mod diagnostic;
mod engine;
mod environment;
mod executables;
mod exit;
mod fingerprint;
mod load;
mod nodes;
mod outcome;
mod progress;
mod renamed;
mod resources;
mod run;
mod seconds;
mod settings;
mod setup;
pub mod shm;
mod silence;
mod stall;
mod transport;
mod types;
mod watch;
mod wiring;
mod written;

pub use console::Console;
pub use diagnostic::Diagnostic;
pub use exit::Exit;
pub use load::{Flow, load};
pub use nodes::{Nodes, PREFIX};
pub use progress::Progress;
pub use resources::Resources;
pub use run::{Options, run};
pub use settings::Setting;
