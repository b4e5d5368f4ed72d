//! `--prompt-frame`: frames of the clip as examples.

use std::path::Path;

use seggpt_flow::Diagnostic;
use seggpt_video::Clip;

/// Each `N=MASK` as `PICTURE=MASK`.
pub(super) fn pairs(frames: &[String], clip: &Clip) -> Result<Vec<String>, Diagnostic> {
    let mut pairs = Vec::new();
    let mut diagnostics = Vec::new();
    for text in frames {
        match pair(text, clip) {
            Ok(pair) => pairs.push(pair),
            Err(diagnostic) => diagnostics
                .push(Diagnostic::new(format!("--prompt-frame {text}: {diagnostic}")).help(HELP)),
        }
    }
    let diagnostic = Diagnostic::all(
        |count| format!("{count} frames cannot be examples"),
        diagnostics,
    );
    diagnostic.map_or(Ok(pairs), Err)
}

const HELP: &str =
    "an example is a frame's number from 0 and its mask: --prompt-frame 0=first_mask.png";

fn pair(text: &str, clip: &Clip) -> Result<String, String> {
    let (number, mask) = text
        .split_once('=')
        .ok_or("no `=` between number and mask")?;
    let number: u64 = number
        .trim()
        .parse()
        .map_err(|_| format!("`{number}` is no number of a frame"))?;
    let frame = clip.frame(number).ok_or_else(|| {
        let last = clip.len() - 1;
        format!("the clip has frames 0 to {last}")
    })?;
    if !Path::new(mask).is_file() {
        return Err(format!("there is no mask {mask}"));
    }
    Ok(format!("{}={mask}", frame.path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn frames_are_named_by_their_number_and_what_is_wrong_is_said() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["walk_1.png", "walk_2.png", "mask.png"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let clip = Clip::open("walk_*.png", dir.path()).unwrap();
        let mask = dir.path().join("mask.png").display().to_string();
        let pairs = pairs(&[format!("1={mask}")], &clip).unwrap();
        assert!(
            pairs[0].ends_with(&format!("walk_2.png={mask}")),
            "{pairs:?}"
        );
        for (text, reason) in [
            ("mask.png", "no `=`"),
            ("first=mask.png", "no number"),
            ("2=mask.png", "frames 0 to 1"),
            ("0=/none.png", "there is no mask /none.png"),
        ] {
            let error = pair(text, &clip).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
