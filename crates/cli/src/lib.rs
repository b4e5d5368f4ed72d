//! The `seggpt` command: runs dataflows on dora's own daemon, composes the common one, looks after models and machine.
//!
//! | command | module |
//! |---|---|
//! | `seggpt run FLOW.yml` | [`run`] |
//! | `seggpt segment ...` | [`segment`]: writes a dataflow and runs it |
//! | `seggpt video ...` | [`video`]: the same for a clip or a camera |
//! | `seggpt eval ...` | [`eval`]: writes a dataflow for each row of a table and runs them |
//! | `seggpt demo` | [`demo`]: draws pictures and hands them to [`segment`] |
//! | `seggpt doctor` | [`doctor`] |
//! | `seggpt model inspect, convert, verify` | [`model`] |
//! | `seggpt train CONFIG.yml`, `preview`, `pack` | [`mod@train`] |
//! | `seggpt tune` | [`tune`] |
//! | `seggpt node NAME` | [`node`]: what runs started, and links named as the nodes are |
//! | `seggpt link` | [`link`]: makes such links |
//!
//! What is printed, [`console`] prints; dataflows are run by `seggpt-flow`; which exit code means what, [`Exit`] says.

pub mod args;
mod bundled;
pub mod console;
pub mod demo;
pub mod doctor;
mod ensemble;
pub mod eval;
pub mod link;
pub mod model;
pub mod node;
pub mod nodes;
mod refine;
mod renamed;
pub mod run;
pub mod segment;
mod show;
pub mod train;
pub mod tune;
pub mod values;
mod version;
pub mod video;

use std::ffi::OsString;

use args::{Cli, Command};
use clap::Parser;
use seggpt_flow::{Diagnostic, Exit};

/// Reads the command line of this process; says what is called otherwise now. Ends the process where it is wrong, or asks for
/// help.
pub fn parse(called: impl IntoIterator<Item = OsString>) -> Cli {
    let (words, warnings) = renamed::translated(node::words(called));
    for warning in warnings {
        console::note(&format!("warning: {warning}"));
    }
    Cli::parse_from(words)
}

/// Does what the command line asks for. Errors are reported here, before returning.
pub fn execute(cli: Cli) -> Exit {
    seggpt::bundle(bundled::MODELS);
    let outcome = match cli.command {
        Command::Run(args) => run::command(&args),
        Command::Segment(args) => segment::command(*args),
        Command::Video(args) => video::command(*args),
        Command::Eval(args) => eval::command(&args),
        Command::Demo(args) => demo::command(&args),
        Command::Doctor => Ok(doctor::command()),
        Command::Model(command) => model::command(&command),
        Command::Train(args) => train::command(&args),
        Command::Tune(args) => tune::command(&args),
        Command::Link(args) => link::command(&args),
        // Engines read a node's last words and its exit code, as those of any program.
        Command::Node(node) => {
            let error = match node::run(node) {
                Ok(()) => return Exit::Done,
                Err(error) => error,
            };
            console::note(&format!("Error: {error:?}"));
            return Exit::SomeFailed;
        }
    };
    outcome.unwrap_or_else(|report| {
        console::report(&report);
        report
            .downcast_ref::<Diagnostic>()
            .map_or(Exit::Usage, Diagnostic::exit)
    })
}
