//! The run key: the same for a repeated command, another if anything changes that decides the results.

use std::{
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use seggpt::Card;
use sha2::{Digest, Sha256};

use super::Plan;

/// Hashes model, examples and settings. Where results go and how fast they are made is no part of it.
pub(super) fn of(plan: &Plan, model_sha256: &str, card: Card) -> String {
    let args = &plan.args;
    let mut parts = vec![
        format!(
            "{} model {model_sha256} {card:?}",
            env!("CARGO_PKG_VERSION")
        ),
        format!("select {} {} {}", args.select.word(), plan.k, args.seed),
        format!(
            "ensemble {} {:?} {:?}",
            plan.ensemble.word(),
            args.seg_type,
            plan.classes
        ),
        format!(
            "infer {} {} {} {}",
            args.dtype,
            plan.refine.word(),
            args.upscaling.word(),
            args.instances
        ),
        format!(
            "sink {} {} {} {}",
            args.mask.word(),
            args.painted,
            args.no_overlay,
            args.no_confidence
        ),
    ];
    parts.extend(
        args.settings
            .iter()
            .map(|set| format!("set {}.{}={}", set.node, set.key, set.value)),
    );
    let mut files: Vec<_> = plan
        .prompts
        .pairs
        .iter()
        .flat_map(|(image, mask)| [image.clone(), mask.clone()])
        .collect();
    if let Some(library) = &plan.prompts.library {
        let folder = if library.is_dir() {
            Some(library.as_path())
        } else {
            library.parent()
        };
        files.extend(folder.map(all_below).unwrap_or_default());
    }
    parts.extend(files.iter().map(|file| stamp(file)));
    word(&parts)
}

/// A key of everything that these parts say: a word that no YAML reader takes for a number.
pub(crate) fn word(parts: &[String]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    let hex: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("run-{hex}")
}

/// A file's name, size and time of change.
pub(crate) fn stamp(file: &Path) -> String {
    let metadata = fs::metadata(file).ok();
    let size = metadata.as_ref().map_or(0, fs::Metadata::len);
    let time = metadata
        .and_then(|metadata| metadata.modified().ok())
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!(
        "{} {size} {}",
        file.display(),
        time.unwrap_or_default().as_nanos()
    )
}

/// All files of a folder and its folders, in order.
pub(crate) fn all_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => all_below(&entry.path()),
            _ => vec![entry.path()],
        })
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;

    use super::*;
    use crate::{
        args::{Cli, Command},
        segment::{inputs::Inputs, prompts::Prompts},
    };

    fn key(folder: &Path, words: &[&str]) -> String {
        let words = ["seggpt", "segment", "--prompts", "lib"]
            .iter()
            .chain(words)
            .chain(&["in"]);
        let Command::Segment(args) = Cli::parse_from(words).command else {
            panic!("segment was asked for")
        };
        let plan = Plan {
            out: args.out.clone(),
            flow: args.out.join("flow"),
            inputs: Inputs::default(),
            prompts: Prompts {
                library: Some(folder.to_owned()),
                pairs: vec![],
                count: None,
            },
            model: "model".into(),
            canvas: 64,
            refine: args.refine,
            ensemble: args.ensemble,
            k: args.k.unwrap_or(1),
            classes: args.classes.clone(),
            run_key: String::new(),
            args: *args,
        };
        let card = Card {
            trained: true,
            cut: None,
            refine: None,
            ensemble: None,
        };
        of(&plan, "abc", card)
    }

    #[test]
    fn a_repeated_command_has_the_same_key_and_a_changed_one_another() {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path();
        fs::create_dir(library.join("images")).unwrap();
        fs::write(library.join("images/a.png"), "a").unwrap();
        let first = key(library, &["--out", "x"]);
        assert!(first.starts_with("run-") && first.len() == 20, "{first}");
        assert_eq!(
            first,
            key(
                library,
                &[
                    "--out",
                    "elsewhere",
                    "--window",
                    "8",
                    "--no-report",
                    "--device",
                    "cpu",
                    "--threads",
                    "1",
                    "--at-once",
                    "2"
                ]
            )
        );
        for changed in [
            ["--k", "2"],
            ["--seed", "1"],
            ["--type", "semantic"],
            ["--mask", "ids"],
            ["--refine", "pixels"],
            ["--set", "infer.CUT=0.7"],
        ] {
            assert_ne!(
                first,
                key(library, &[&["--out", "x"], &changed[..]].concat()),
                "{changed:?}"
            );
        }
        fs::write(library.join("images/a.png"), "another").unwrap();
        assert_ne!(first, key(library, &["--out", "x"]), "a changed example");
    }
}
