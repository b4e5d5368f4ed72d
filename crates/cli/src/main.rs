//! See the library of this package.

use std::process::ExitCode;

use seggpt_cli::{execute, parse};

fn main() -> ExitCode {
    execute(parse(std::env::args_os())).into()
}
