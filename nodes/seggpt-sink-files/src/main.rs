//! See the library and the README.

use clap::Parser;
use seggpt_sink_files::{Settings, run};

fn main() -> eyre::Result<()> {
    let settings = Settings::parse_from(seggpt_node::renamed::command_line("seggpt-sink-files"));
    let (node, events) = seggpt_node::start()?;
    seggpt_node::outcome::report_error(run(node, events, settings))
}
