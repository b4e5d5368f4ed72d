//! `make soak`: what takes too long for `make test`. Each part prints a table of what it did and what came of it, and the
//! command fails where anything was lost, doubled, falsely failed, or hung.
//!
//! ```text
//! soak matrix [ITEMS [PROGRAM]]  every node x every moment x 1 to 4 deaths; the whole run killed; poison among the healthy
//! soak starts [COUNT [SECONDS]]  small flows beside busy processes, their nodes stopped and continued
//! soak long [ITEMS]              one run of many tiny pictures: memory and time by tenth of the run
//! soak                           all three, at full size
//! ```
#![allow(clippy::print_stdout)]

mod long;
mod matrix;
mod starts;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |word: &str| word.parse::<usize>().ok().filter(|number| *number > 0);
    let good = match words[..] {
        [] => {
            let matrix = matrix::run(200, None);
            let starts = starts::run(1000, usize::MAX);
            matrix & starts & long::run(100_000)
        }
        ["matrix"] => matrix::run(200, None),
        ["starts"] => starts::run(1000, usize::MAX),
        ["long"] => long::run(100_000),
        [part, size] => match (part, number(size)) {
            ("matrix", Some(items)) => matrix::run(items.max(60), None),
            ("starts", Some(count)) => starts::run(count, usize::MAX),
            ("long", Some(items)) => long::run(items),
            _ => return usage(),
        },
        ["matrix", items, program] => match number(items) {
            Some(items) => matrix::run(items.max(60), Some(program)),
            None => return usage(),
        },
        ["starts", count, seconds] => match (number(count), number(seconds)) {
            (Some(count), Some(seconds)) => starts::run(count, seconds),
            _ => return usage(),
        },
        _ => return usage(),
    };
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn usage() -> ExitCode {
    println!("soak [matrix [ITEMS [PROGRAM]] | starts [COUNT [SECONDS]] | long [ITEMS]]");
    ExitCode::from(2)
}
