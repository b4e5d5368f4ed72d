//! See the library of the same name.

use clap::Parser;
use seggpt_overlay::{Settings, run};

fn main() -> eyre::Result<()> {
    let settings = Settings::parse();
    let (node, events) = seggpt_node::start()?;
    seggpt_node::outcome::report_error(run(node, events, settings))
}
