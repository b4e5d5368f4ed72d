//! See the library of this package.

use std::process::ExitCode;

use clap::Parser;
use seggpt_cli::{args::Cli, execute, node};

fn main() -> ExitCode {
    execute(Cli::parse_from(node::words(std::env::args_os()))).into()
}
