//! See the library of this package.

use std::process::ExitCode;

use clap::Parser;
use seggpt_cli::{args::Cli, execute};

fn main() -> ExitCode {
    execute(Cli::parse()).into()
}
