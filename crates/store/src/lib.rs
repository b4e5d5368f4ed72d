//! Results have an owner: a folder of results belongs to one run at a time and to one set of settings.
//!
//! Everything of the store's own lies below `OUT/.seggpt/`.
//!
//! * [`spec`] – what decides a run's results, and the key made of it;
//! * [`claim`] – who runs into a folder now, and whether what lies there belongs to the same settings;
//! * [`header`] – the first line of a journal; [`record`] – the others;
//! * [`store`] – files and records, on disk before anybody says so;
//! * [`names`] – which names results may have;
//! * [`setup`] – what a run was started with;
//! * [`listing`] – what a run has listed, so that the rest is known to be stale.

pub mod claim;
pub mod header;
pub mod listing;
pub mod lock;
pub mod names;
pub mod record;
pub mod refusal;
mod ring;
pub mod setup;
pub mod spec;
pub mod store;

mod disk;
mod replace;

pub use claim::Claim;
pub use disk::part_of;
pub use record::{Record, sized};
pub use refusal::Refusal;
pub use setup::Setup;
pub use spec::{Change, Spec, run_key};
pub use store::Store;

use std::path::{Path, PathBuf};

/// The folder of the store's own, in the folder of results. No item may be called so.
pub const OWN: &str = ".seggpt";

/// The variable that tells a run's nodes the process that holds the claim.
pub const RUN_PID: &str = "SEGGPT_RUN_PID";

/// The journal of a folder of results.
#[must_use]
pub fn journal_path(root: &Path) -> PathBuf {
    root.join(OWN).join("journal.jsonl")
}

/// Writes a file beside its place and moves it there; when this returns, it is on disk. Its folder has to be there.
///
/// # Errors
/// The disk refuses it.
pub fn put(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    disk::put(&disk::Real, path, bytes)
}
