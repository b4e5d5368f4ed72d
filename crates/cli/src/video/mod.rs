//! `seggpt video`: checks what was asked for, writes the dataflow of a clip or a camera, and runs it.

pub mod args;
pub mod camera;
mod compose;
mod frames;

use std::path::Path;

pub use compose::{Plan, Source, compose};

use seggpt_flow::{
    Diagnostic, Exit, Options,
    compose::{prepare, put},
};
use seggpt_video::Clip;

use self::args::VideoArgs;
use crate::{
    console, run,
    segment::{MODEL_HELP, absolute, folders, model, prompts},
};

/// `seggpt video`.
///
/// # Errors
/// Something that was named is missing or cannot be used; nothing was started.
pub fn command(args: VideoArgs) -> miette::Result<Exit> {
    let plan = plan(&args)?;
    let yaml = compose(&plan);
    if args.print_dataflow {
        console::result(yaml.trim_end());
        return Ok(Exit::Done);
    }
    prepare(&plan.flow)?;
    let file = plan.flow.join("dataflow.yml");
    put(&file, &yaml)?;
    let options = Options {
        replace: args.replace,
        stop_after: args.stop_after,
    };
    run::dataflow(&file, &args.settings, options, &args.view)
}

/// Turns arguments into what the dataflow says: paths absolute, everything that can be checked checked.
fn plan(args: &VideoArgs) -> Result<Plan, Diagnostic> {
    let (out, flow) = folders(&args.out)?;
    let mut pairs = args.pairs.clone();
    let source = match (&args.clip, &args.camera) {
        (Some(clip), _) => {
            let opened = Clip::open(clip, Path::new("")).map_err(|error| {
                Diagnostic::new(error.to_string())
                    .help("a clip is a folder of frames, numbered pictures (frames/%06d.png) or a pattern (frames/*.jpg)")
            })?;
            if out.starts_with(opened.place()) {
                return Err(Diagnostic::new(format!(
                    "--out {} lies in the clip's folder",
                    args.out.display()
                ))
                .help("name a folder beside it"));
            }
            pairs.extend(frames::pairs(&args.frames, &opened)?);
            let clip = absolute(Path::new(clip))?;
            Source::Clip(clip.display().to_string())
        }
        (None, Some(camera)) => Source::Camera(match camera.parse() {
            Ok(camera) => camera,
            Err(error) => match error {},
        }),
        (None, None) => return Err(Diagnostic::new("no clip and no --camera".to_owned())),
    };
    let prompts = prompts::of(args.prompts.as_deref(), args.images.as_deref(), &pairs)?;
    args.classes.as_deref().map(prompts::classes).transpose()?;
    let model = model(&args.model)?;
    let inspection = seggpt::inspect(&model)
        .map_err(|error| Diagnostic::new(error.to_string()).help(MODEL_HELP))?;
    let k = args.k.unwrap_or(prompts.count.unwrap_or(1));
    if let Some(count) = prompts.count.filter(|count| k > *count) {
        return Err(
            Diagnostic::new(format!("--k {k}, but there are {count} examples"))
                .help("give more --prompt IMG=MASK or --prompt-frame N=MASK, or a smaller --k"),
        );
    }
    let card = seggpt::Card::beside(&inspection.path);
    let refine = args.refine.resolved(card);
    Ok(Plan {
        flow,
        out,
        source,
        prompts: prompts.settings(),
        model,
        canvas: refine.canvas(inspection.architecture.image_size()),
        refine,
        ensemble: args.ensemble.resolved(card),
        k,
        args: args.clone(),
    })
}
