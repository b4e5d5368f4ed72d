//! See the library and the README.

use clap::Parser;
use seggpt_examiner::{Settings, run};

fn main() -> eyre::Result<()> {
    let settings = Settings::parse();
    let (node, events) = seggpt_node::start()?;
    run(node, events, settings)
}
