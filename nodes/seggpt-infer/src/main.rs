//! See the library of the same name.

use clap::Parser;
use seggpt_infer::{Settings, run};

fn main() -> eyre::Result<()> {
    let settings = Settings::parse_from(seggpt_node::renamed::command_line("seggpt-infer"));
    let (node, events) = seggpt_node::start()?;
    seggpt_node::outcome::report_error(run(node, events, settings))
}
