//! What README and docs tell people to type is understood, and the files and targets that they name are there.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;
use seggpt_cli::args::Cli;

/// The commands in the shell blocks of a page, as words.
fn commands(page: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    for block in page.split("\n```").skip(1).step_by(2) {
        let Some((language, text)) = block.split_once('\n') else {
            continue;
        };
        if !["bash", "sh"].contains(&language.trim()) {
            continue;
        }
        for line in text.replace("\\\n", " ").lines() {
            let words = shlex::split(line).unwrap_or_else(|| panic!("no shell line: {line}"));
            let parts = words.split(|word| ["&&", "|", ">", ";"].contains(&word.as_str()));
            commands.extend(parts.filter(|part| !part.is_empty()).map(<[_]>::to_vec));
        }
    }
    commands
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).unwrap();
    let docs = docs.map(|entry| entry.unwrap().path());
    docs.filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .chain([root().join("README.md")])
        .collect()
}

#[test]
fn every_command_that_the_docs_name_is_understood() {
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let mut understood = 0;
    for page in pages() {
        for words in commands(&fs::read_to_string(&page).unwrap()) {
            let said = format!("{}: {}", page.display(), words.join(" "));
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let arguments = match words[..] {
                ["cargo", "run", "--bin", "seggpt", "--", ref rest @ ..] => rest,
                ["make", target, ..] => {
                    assert!(makefile.contains(&format!("\n{target}:")), "{said}");
                    continue;
                }
                ["seggpt", ref rest @ ..] => rest,
                _ => continue,
            };
            let parsed = Cli::try_parse_from([&["seggpt"], arguments].concat());
            assert!(parsed.is_ok(), "{said}\n{}", parsed.unwrap_err());
            let ours =
                |word: &&&str| word.starts_with("dataflows/") || word.starts_with("configs/");
            for file in arguments.iter().filter(ours) {
                assert!(root().join(file).is_file(), "{said}: there is no {file}");
            }
            understood += 1;
        }
    }
    assert!(understood > 15, "{understood} commands were found");
}
