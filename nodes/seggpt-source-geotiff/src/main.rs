//! See the library and the README.

use clap::Parser;
use seggpt_source_geotiff::{Settings, run};

fn main() -> eyre::Result<()> {
    let settings = Settings::parse();
    let (node, events) = seggpt_node::start()?;
    seggpt_node::outcome::report_error(run(node, events, settings))
}
