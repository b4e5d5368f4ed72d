//! What is asked of maps.

use seggpt_flow::Diagnostic;

use super::kind::Kind;
use crate::args::SegmentArgs;

/// What the node that cuts maps is told.
pub(super) fn source(args: &SegmentArgs) -> Vec<(&'static str, String)> {
    let maps = &args.maps;
    let text = |value: &dyn ToString| value.to_string();
    let given = [
        ("TILE", maps.tile.as_ref().map(|value| text(value))),
        ("OVERLAP", maps.overlap.as_ref().map(|value| text(value))),
        ("GSD", maps.gsd.as_ref().map(|value| text(value))),
        ("BANDS", maps.bands.clone()),
        ("STRETCH", maps.stretch.clone()),
        ("NODATA", maps.nodata.clone()),
    ];
    given
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Refuses what is asked of another kind of input.
///
/// # Errors
/// Names the options.
pub(super) fn check(args: &SegmentArgs, kind: Kind) -> Result<(), Diagnostic> {
    let clash = |options: Vec<&str>, of: &str, are: &str| {
        Err(Diagnostic::new(format!(
            "{} {of}, and the inputs are {are}",
            options.join(", ")
        ))
        .help(
            "leave it out; `--as map` and `--as pictures` overrule what the inputs are taken for",
        ))
    };
    match kind {
        Kind::Pictures | Kind::Volume => match source(args) {
            given if given.is_empty() => Ok(()),
            given => {
                let options: Vec<String> = given
                    .iter()
                    .map(|(name, _)| format!("--{}", name.to_lowercase()))
                    .collect();
                clash(
                    options.iter().map(String::as_str).collect(),
                    "is for maps",
                    &kind.to_string(),
                )
            }
        },
        Kind::Map => {
            let asked = [
                ("--raw", args.raw),
                ("--instances", args.instances),
                ("--export", !args.exports.is_empty()),
                ("--exif", args.exif.is_some()),
            ];
            let asked: Vec<&str> = asked
                .into_iter()
                .filter(|(_, asked)| *asked)
                .map(|(name, _)| name)
                .collect();
            match asked.is_empty() {
                true => Ok(()),
                false => clash(asked, "is for pictures", "maps"),
            }
        }
    }
}
