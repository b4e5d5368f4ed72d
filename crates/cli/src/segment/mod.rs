//! `seggpt segment`: checks what was asked for, writes the dataflow that does it, and runs that.

pub(crate) mod compose;
mod cut;
mod inputs;
pub(crate) mod kind;
mod labels;
pub(crate) mod map_args;
mod maps;
pub(crate) mod prompts;
pub(crate) mod volumes;
pub(crate) mod windows;

use std::path::{Path, PathBuf};

pub use compose::{Plan, compose};
pub use kind::Kind;
pub use volumes::VolumeArgs;
pub use windows::Windows;

use seggpt_flow::{
    Diagnostic, Exit, Options,
    compose::{create, prepare, put},
};
use seggpt_imaging::annotation::MaskMode;

use crate::{args::SegmentArgs, console, run};

/// `seggpt segment`.
///
/// # Errors
/// Something that was named is missing or cannot be used; nothing was started.
pub fn command(args: SegmentArgs) -> miette::Result<Exit> {
    let kind = kind::settled(args.kind, &args.inputs)?;
    maps::check(&args, kind)?;
    let (yaml, flow, lists, examples) = match kind {
        Kind::Pictures | Kind::Map => {
            args.volumes.refuse_for(kind, &args.windows)?;
            let plan = plan(&args, kind)?;
            (compose(&plan), plan.flow, plan.inputs.lists, plan.files)
        }
        Kind::Volume => {
            let plan = volumes::plan(&args)?;
            (
                volumes::compose(&plan),
                plan.flow,
                plan.inputs.lists,
                Vec::new(),
            )
        }
    };
    let lists = lists
        .into_iter()
        .map(|(path, text)| (path, text.into_bytes()));
    let files: Vec<Beside> = lists.chain(examples).collect();
    if args.print_dataflow {
        write_files(&files)?;
        console::result(yaml.trim_end());
        return Ok(Exit::Done);
    }
    let file = write(&flow, &files, &yaml)?;
    let options = Options {
        replace: args.replace,
        stop_after: None,
    };
    run::dataflow(&file, &args.settings, options, &args.view)
}

/// Turns arguments into what the dataflow says: paths absolute, everything that can be checked checked.
fn plan(args: &SegmentArgs, kind: Kind) -> Result<Plan, Diagnostic> {
    let (out, flow) = folders(&args.out)?;
    let inputs = inputs::check(&args.inputs, &out, &flow)?;
    let mut prompts = prompts::check(args)?;
    let mut classes = args.classes.as_deref().map(prompts::classes).transpose()?;
    let mut args = args.clone();
    let mut files = vec![];
    maps::check_labels(&prompts, kind)?;
    if kind == Kind::Map {
        maps::check_places(&args, &inputs)?;
        args.maps.area = args.maps.area.as_deref().map(absolute).transpose()?;
        let cut = cut::examples(&args, &inputs, &flow, &mut prompts)?;
        args.maps.stretch = cut.stretch.or(args.maps.stretch);
        classes = classes.or(cut.classes);
        if cut.any {
            args.mask_mode = Some(MaskMode::Ids);
        }
        files = cut.files;
    }

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
        maps: kind == Kind::Map,
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

/// OUT, and where the dataflow stands in it.
pub(crate) fn folders(named: &Path) -> Result<(PathBuf, PathBuf), Diagnostic> {
    let out = absolute(named)?;
    if out.exists() && !out.is_dir() {
        return Err(
            Diagnostic::new(format!("--out {} is a file", named.display()))
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

/// A file that stands beside the dataflow, a list that inputs became or an example: path and contents.
type Beside = (PathBuf, Vec<u8>);

/// Writes the dataflow and its types under OUT/.seggpt/flow.
fn write(flow: &Path, files: &[Beside], yaml: &str) -> Result<PathBuf, Diagnostic> {
    prepare(flow)?;
    let file = flow.join("dataflow.yml");
    put(&file, yaml)?;
    write_files(files)?;
    Ok(file)
}

/// Writes what stands beside the dataflow.
fn write_files(files: &[Beside]) -> Result<(), Diagnostic> {
    files.iter().try_for_each(|(path, contents)| {
        path.parent().map_or(Ok(()), create)?;
        put(path, contents)
    })
}
