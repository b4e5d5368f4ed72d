//! `seggpt segment` of volumes.

pub(crate) mod args;
mod compose;

use std::path::PathBuf;

pub use args::VolumeArgs;
pub(super) use compose::{Plan, compose};
use seggpt_flow::Diagnostic;

use super::{MODEL_HELP, absolute, folders, inputs, model, prompts};
use crate::{args::SegmentArgs, values::MaskFile};

/// Turns arguments into what the dataflow says: paths absolute, everything that can be checked checked.
pub(super) fn plan(args: &SegmentArgs) -> Result<Plan, Diagnostic> {
    let said = [
        ("--prompts", args.prompts.is_some()),
        ("--images", args.images.is_some()),
        ("--mask-mode", args.mask_mode.is_some()),
        ("--exif", args.exif.is_some()),
        ("--instances", args.instances),
        ("--mask", args.mask != MaskFile::default()),
        ("--raw", args.raw),
        ("--no-overlay", args.no_overlay),
        ("--no-confidence", args.no_confidence),
        ("--export", !args.exports.is_empty()),
    ];
    args::refuse(
        &said,
        "the inputs are volumes, and these options are for pictures",
        "leave them out; examples of volumes are --prompt SCAN=LABELS; --as pictures, if the inputs are pictures all the same",
    )?;
    let (out, flow) = folders(&args.out)?;
    let inputs = inputs::check(&args.inputs, &out, &flow)?;
    let mut pairs: Vec<(PathBuf, PathBuf)> = Vec::new();
    for text in &args.pairs {
        pairs.push(prompts::scan_pair(text)?);
    }
    let truth = args.volumes.truth.as_deref().map(absolute).transpose()?;
    if let Some(truth) = truth.as_ref().filter(|truth| !truth.exists()) {
        return Err(Diagnostic::new(format!(
            "--truth: there is no file or folder {}",
            truth.display()
        ))
        .help("it is a folder of label volumes called as the scans are, or one file"));
    }
    let classes = args.classes.as_deref().map(prompts::classes).transpose()?;
    let model = model(&args.model)?;
    let inspection = seggpt::inspect(&model)
        .map_err(|error| Diagnostic::new(error.to_string()).help(MODEL_HELP))?;
    let card = seggpt::Card::beside(&inspection.path);
    let refine = args.refine.resolved(card);
    Ok(Plan {
        out,
        flow,
        inputs,
        pairs,
        truth,
        model,
        canvas: refine.canvas(inspection.architecture.image_size()),
        refine,
        ensemble: args.ensemble.resolved(card),
        classes,
        args: args.clone(),
    })
}
