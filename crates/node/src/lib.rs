//! What every node shares. A node is a library with `run(node, events, settings)` and a `main` of ten lines:
//!
//! ```no_run
//! use seggpt_contract::{Canvases, Identity, Prompted};
//!
//! fn main() -> eyre::Result<()> {
//!     let (node, events) = seggpt_node::start()?;
//!     seggpt_node::transform(node, events, "prompted", "canvases", lay_out)
//! }
//!
//! fn lay_out(_: &Identity, prompted: Prompted) -> eyre::Result<Canvases> {
//! #   eyre::bail!("{}", prompted.selection)
//! }
//! ```
//!
//! [`transform`] is the loop of a node with one input and one output; [`Io`] and [`guarded`] are what it is made of, for nodes
//! with more; [`source`] is that of nodes that begin a flow.
//! Both pass failed items on, count what the engine dropped and drain until the stream ends.

pub mod colors;
mod crash_guard;
pub mod edges;
pub mod guarded;
mod io;
pub mod join;
pub mod link;
pub mod live;
mod logging;
pub mod memory;
pub mod node_spec;
pub mod outcome;
pub mod renamed;
pub mod source;
pub mod testing;
mod transform;
pub mod window;

pub use crash_guard::{CrashGuard, CrashLog};
pub use io::{Arrival, Io};
pub use link::{CRASHES_NODES, Link, Step, TARGET as LINK_TARGET};
pub use logging::init_logging;
pub use node_spec::{NodeSpec, Port, Values};
pub use source::{Ready, Sender, Supply};
pub use transform::{Made, one_by_one, transform, transform_several};
pub use window::{Overdue, Window};

use dora_node_api::{DoraNode, EventStream};
use eyre::{Result, WrapErr};

/// Connects to the dataflow that started this process, with logging.
///
/// # Errors
/// The process was not started by a dataflow.
pub fn start() -> Result<(DoraNode, EventStream)> {
    init_logging();
    let started = DoraNode::init_from_env().wrap_err("this is a dora node: name it as `path:` in a dataflow and start that with `seggpt run` or `dora run`")?;
    edges::begin_pulse();
    Ok(started)
}
