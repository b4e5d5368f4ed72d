//! `seggpt segment`: checks what was asked for, writes the dataflow that does it, and runs that.

pub(crate) mod compose;
mod inputs;
mod kind;
pub(crate) mod prompts;
mod volumes;
mod windows;

use std::path::{Path, PathBuf};

pub use compose::{Plan, compose};
pub use kind::Kind;
pub use volumes::VolumeArgs;
pub use windows::Windows;

use seggpt_flow::{
    Diagnostic, Exit, Options,
    compose::{create, prepare, put},
};

use crate::{
    args::SegmentArgs,
    console::{self, Terminal},
    nodes,
};

/// `seggpt segment`.
///
/// # Errors
/// Something that was named is missing or cannot be used; nothing was started.
pub fn command(args: SegmentArgs) -> miette::Result<Exit> {
    let (yaml, flow, lists) = match kind::settled(args.kind, &args.inputs)? {
        Kind::Pictures => {
            args.volumes.refuse_for_pictures(&args.windows)?;
            let plan = plan(&args)?;
            (compose(&plan), plan.flow, plan.inputs.lists)
        }
        Kind::Volume => {
            let plan = volumes::plan(&args)?;
            (volumes::compose(&plan), plan.flow, plan.inputs.lists)
        }
    };
    if args.print_dataflow {
        write_lists(&flow, &lists)?;
        console::result(yaml.trim_end());
        return Ok(Exit::Done);
    }
    let file = write(&flow, &lists, &yaml)?;
    let flow = seggpt_flow::load(&file, &args.settings, &nodes::ours())?;
    let options = Options {
        replace: args.replace,
        stop_after: None,
    };
    Ok(seggpt_flow::run(
        flow,
        options,
        &mut Terminal::new(&args.view),
    )?)
}

/// Turns arguments into what the dataflow says: paths absolute, everything that can be checked checked.
fn plan(args: &SegmentArgs) -> Result<Plan, Diagnostic> {
    let (out, flow) = folders(args)?;
    let inputs = inputs::check(&args.inputs, &out, &flow)?;
    let prompts = prompts::check(args)?;
    let classes = args.classes.as_deref().map(prompts::classes).transpose()?;

    let model = model(&args.model)?;
    let inspection = seggpt::inspect(&model)
        .map_err(|error| Diagnostic::new(error.to_string()).help(MODEL_HELP))?;

    let k = args.k.unwrap_or(prompts.count.unwrap_or(1));
    if let Some(count) = prompts.count.filter(|count| k > *count) {
        return Err(
            Diagnostic::new(format!("--k {k}, but there are {count} examples"))
                .help("give more --prompt IMG=MASK, or a smaller --k"),
        );
    }
    let card = seggpt::Card::beside(&inspection.path);
    let refine = args.refine.resolved(card);
    let ensemble = args.ensemble.resolved(card);
    Ok(Plan {
        flow,
        out,
        inputs,
        prompts,
        model,
        canvas: refine.canvas(inspection.architecture.image_size()),
        refine,
        ensemble,
        k,
        classes,
        args: args.clone(),
    })
}

/// OUT, and where the dataflow stands in it.
fn folders(args: &SegmentArgs) -> Result<(PathBuf, PathBuf), Diagnostic> {
    let out = absolute(&args.out)?;
    if out.exists() && !out.is_dir() {
        return Err(
            Diagnostic::new(format!("--out {} is a file", args.out.display()))
                .help("name a folder; it is made where it is missing"),
        );
    }
    let flow = out.join(seggpt_store::OWN).join("flow");
    Ok((out, flow))
}

pub(crate) const MODEL_HELP: &str =
    "`seggpt doctor` lists the models that are there; `seggpt model inspect FILE` looks into one";

/// Where a model is, as a dataflow names it.
pub(crate) fn model(name: &str) -> Result<PathBuf, Diagnostic> {
    let found = seggpt::find_model(name)
        .map_err(|error| Diagnostic::new(error.to_string()).help(MODEL_HELP))?;
    match seggpt::builtin_name(&found) {
        Some(_) => Ok(found),
        None => absolute(&found),
    }
}

pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Diagnostic> {
    let absolute = std::path::absolute(path)
        .map_err(|error| Diagnostic::new(format!("{}: {error}", path.display())))?;
    match absolute.to_str() {
        Some(text) if !text.contains('\n') => Ok(absolute),
        _ => Err(Diagnostic::new(format!(
            "the path {} cannot stand in a dataflow",
            path.display()
        ))
        .help("rename it: UTF-8, no line breaks")),
    }
}

/// A list that inputs became: path and text.
type List = (PathBuf, String);

/// Writes the dataflow and its types under OUT/.seggpt/flow.
fn write(flow: &Path, lists: &[List], yaml: &str) -> Result<PathBuf, Diagnostic> {
    prepare(flow)?;
    let file = flow.join("dataflow.yml");
    put(&file, yaml)?;
    write_lists(flow, lists)?;
    Ok(file)
}

/// Writes the lists that inputs became.
fn write_lists(flow: &Path, lists: &[List]) -> Result<(), Diagnostic> {
    if !lists.is_empty() {
        create(flow)?;
    }
    lists.iter().try_for_each(|(path, text)| put(path, text))
}
