//! `seggpt segment`: checks what was asked for, writes the dataflow that does it, and runs that.

pub(crate) mod compose;
mod cut;
mod inputs;
mod kind;
mod maps;
pub(crate) mod prompts;

use std::path::{Path, PathBuf};

pub use compose::{Plan, compose};
pub use kind::Kind;

use seggpt_flow::{
    Exit, Flaw, Options,
    compose::{create, prepare, put},
};
use seggpt_imaging::annotation::MaskMode;

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
    let plan = plan(&args)?;
    let yaml = compose(&plan);
    if args.print_dataflow {
        write_lists(&plan)?;
        console::result(yaml.trim_end());
        return Ok(Exit::Done);
    }
    let file = write(&plan, &yaml)?;
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
fn plan(args: &SegmentArgs) -> Result<Plan, Flaw> {
    let out = absolute(&args.out)?;
    if out.exists() && !out.is_dir() {
        return Err(Flaw::new(format!("--out {} is a file", args.out.display()))
            .help("name a folder; it is made where it is missing"));
    }
    let flow = out.join(seggpt_store::OWN).join("flow");
    let inputs = inputs::check(&args.inputs, &out, &flow)?;
    let kind = match args.kind {
        Some(kind) => kind,
        None => kind::of(&inputs)?,
    };
    maps::check(args, kind)?;
    let mut prompts = prompts::check(args)?;
    let mut classes = args.classes.as_deref().map(prompts::classes).transpose()?;
    let mut args = args.clone();
    let mut files = vec![];
    if kind == Kind::Map {
        let cut = cut::examples(&args, &inputs, &flow, &mut prompts)?;
        args.maps.stretch = cut.stretch.or(args.maps.stretch);
        classes = classes.or(cut.classes);
        if cut.any {
            args.mask_mode = Some(MaskMode::Ids);
        }
        files = cut.files;
    }

    let model = model(&args.model)?;
    let inspection =
        seggpt::inspect(&model).map_err(|error| Flaw::new(error.to_string()).help(MODEL_HELP))?;

    let k = args.k.unwrap_or(prompts.count.unwrap_or(1));
    if let Some(count) = prompts.count.filter(|count| k > *count) {
        return Err(
            Flaw::new(format!("--k {k}, but there are {count} examples"))
                .help("give more --prompt IMG=MASK, or a smaller --k"),
        );
    }
    let card = seggpt::Card::beside(&inspection.path);
    let refine = args.refine.settled(card);
    let ensemble = args.ensemble.settled(card);
    Ok(Plan {
        flow,
        out,
        kind,
        inputs,
        prompts,
        model,
        canvas: refine.canvas(inspection.architecture.image_size()),
        refine,
        ensemble,
        k,
        classes,
        files,
        args,
    })
}

pub(crate) const MODEL_HELP: &str =
    "`seggpt doctor` lists the models that are there; `seggpt model inspect FILE` looks into one";

/// Where a model is, as a dataflow names it.
pub(crate) fn model(name: &str) -> Result<PathBuf, Flaw> {
    let found =
        seggpt::find_model(name).map_err(|error| Flaw::new(error.to_string()).help(MODEL_HELP))?;
    match seggpt::builtin_name(&found) {
        Some(_) => Ok(found),
        None => absolute(&found),
    }
}

pub(crate) fn absolute(path: &Path) -> Result<PathBuf, Flaw> {
    let absolute = std::path::absolute(path)
        .map_err(|error| Flaw::new(format!("{}: {error}", path.display())))?;
    match absolute.to_str() {
        Some(text) if !text.contains('\n') => Ok(absolute),
        _ => Err(Flaw::new(format!(
            "the path {} cannot stand in a dataflow",
            path.display()
        ))
        .help("rename it: UTF-8, no line breaks")),
    }
}

/// Writes the dataflow and its types under OUT/.seggpt/flow.
fn write(plan: &Plan, yaml: &str) -> Result<PathBuf, Flaw> {
    prepare(&plan.flow)?;
    let file = plan.flow.join("dataflow.yml");
    put(&file, yaml)?;
    write_lists(plan)?;
    Ok(file)
}

/// Writes the lists that inputs became.
fn write_lists(plan: &Plan) -> Result<(), Flaw> {
    if !plan.inputs.lists.is_empty() {
        create(&plan.flow)?;
    }
    for (path, bytes) in &plan.files {
        create(path.parent().unwrap_or(&plan.flow))?;
        put(path, bytes)?;
    }
    plan.inputs
        .lists
        .iter()
        .try_for_each(|(path, text)| put(path, text))
}
