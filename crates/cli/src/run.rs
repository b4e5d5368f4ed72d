//! `seggpt run`.

use std::path::Path;

use seggpt_flow::{Exit, Options, Setting};

use crate::{
    args::RunArgs,
    console::{Terminal, View},
    nodes,
};

/// `seggpt run`.
///
/// # Errors
/// The dataflow is flawed; nothing was started.
pub fn command(args: &RunArgs) -> miette::Result<Exit> {
    let options = Options {
        replace: args.replace,
        stop_after: args.stop_after,
    };
    dataflow(&args.flow, &args.settings, options, &args.view)
}

/// Loads a dataflow and runs it to its end, in the terminal.
///
/// # Errors
/// As [`command`].
pub(crate) fn dataflow(
    file: &Path,
    settings: &[Setting],
    options: Options,
    view: &View,
) -> miette::Result<Exit> {
    let flow = seggpt_flow::load(file, settings, &nodes::ours())?;
    Ok(seggpt_flow::run(flow, options, &mut Terminal::new(view))?)
}
