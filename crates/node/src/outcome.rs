//! How a run reports its progress: log records with target [`TARGET`], one an item, written by sinks and read by `seggpt run`.
//! And how a node says that starting it again would not help: a record with target [`GAVE_UP`].

use eyre::Result;
use seggpt_contract::{Identity, Status};

/// The `target` of the record of a node that ends with an error of its own, such as a full disk: a process that merely died
/// leaves none, and is started again.
pub const GAVE_UP: &str = "seggpt::gave-up";

/// How the node's loop ended, for `main` to return: an error is logged, so that the run is stopped.
///
/// # Errors
/// That of `outcome`.
pub fn report_error(outcome: Result<()>) -> Result<()> {
    outcome.inspect_err(|error| tracing::error!(target: GAVE_UP, "{error:#}"))
}

/// The `target` of these records. Their fields, all strings: `item`, `status` (`done` or `failed`), `finished` (items so
/// far), `total` (empty where the source does not know), `error` (of failed items).
pub const TARGET: &str = "seggpt::outcome";

/// How the message ends of a node that gives up because another one did: it is no cause, and is reported after those that are.
pub const GONE: &str = "is gone";

/// Reports that an item is done with: its files are in place, or its failure is recorded.
pub fn report(identity: &Identity, status: Status, finished: u64, error: &str) {
    let total = identity.total.map(|n| n.to_string()).unwrap_or_default();
    tracing::info!(target: TARGET, item = %identity.item, status = status.name(), finished, total, error, "{} {}", identity.item, status.name());
}

/// Reports once more what a process that crashed may not have reported of an item: it is on record. `finished` as in [`report`].
pub fn report_again(item: &str, status: Status, finished: u64, error: &str) {
    tracing::info!(target: TARGET, item, status = status.name(), finished, again = "true", error, "{item} {}", status.name());
}

/// Reports where the page of the run stands.
pub fn report_page(path: &std::path::Path) {
    tracing::info!(target: TARGET, report = %path.display(), "report: {}", path.display());
}
