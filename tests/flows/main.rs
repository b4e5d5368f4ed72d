//! Whole dataflows through the real engine, started the way users start them.
#![allow(clippy::unwrap_used)]

mod bundled;
mod demo;
mod docs;
mod endings;
mod ensembles;
mod eval;
mod examples;
mod golden;
mod hostile;
mod keys;
mod kills;
mod maps;
mod real;
mod resume;
mod silence;
mod stock;
mod training;
mod tuning;
mod video;
mod volumes;

use std::path::PathBuf;

use seggpt_tests::ground;

/// `--prompt image=mask` for pictures drawn for the project.
fn prompt(image: &str, mask: &str) -> [String; 2] {
    [
        "--prompt".into(),
        format!("{}={}", ground(image).display(), ground(mask).display()),
    ]
}

fn pebbles(numbers: &[u32]) -> Vec<String> {
    numbers
        .iter()
        .flat_map(|n| {
            prompt(
                &format!("ground_{n}.png"),
                &format!("ground_{n}_pebbles.png"),
            )
        })
        .collect()
}

fn text(path: PathBuf) -> String {
    path.to_str()
        .expect("the repository's path is UTF-8")
        .to_owned()
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}
