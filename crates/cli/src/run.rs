//! `seggpt run`.

use seggpt_flow::{Exit, Options};

use crate::{args::RunArgs, console::Terminal, nodes};

/// `seggpt run`.
///
/// # Errors
/// The dataflow is flawed; nothing was started.
pub fn command(args: &RunArgs) -> miette::Result<Exit> {
    let flow = seggpt_flow::load(&args.flow, &args.settings, &nodes::ours())?;
    let options = Options {
        replace: args.replace,
        stop_after: args.stop_after,
    };
    Ok(seggpt_flow::run(
        flow,
        options,
        &mut Terminal::new(&args.view),
    )?)
}
