//! `seggpt train`: a training with a progress bar, and what comes before it.

use std::{fs, path::Path};

use seggpt_flow::{Diagnostic, Exit};
use seggpt_samples::{Data, pack::Packing, preview};
use seggpt_train::{Limit, Settings, TrainError, Watch, pack, run, samples};

use crate::{
    args::{PackArgs, PreviewArgs, TrainArgs, TrainCommand},
    console,
    show::Show,
};

/// Trains, or resumes what was begun in the folder; shows or packs the samples.
///
/// # Errors
/// What is wrong with the settings, the folder, the data or the device.
pub fn command(args: &TrainArgs) -> miette::Result<Exit> {
    let done = match (&args.command, &args.settings) {
        (Some(TrainCommand::Preview(args)), _) => show(args).map_err(diagnostic),
        (Some(TrainCommand::Pack(args)), _) => packed(args).map_err(diagnostic),
        (None, Some(settings)) => train(args, settings),
        (None, None) => return Err(Diagnostic::new("name the settings file").into()),
    };
    Ok(done?)
}

fn diagnostic(error: impl std::error::Error) -> Diagnostic {
    Diagnostic::new(error.to_string())
}

fn train(args: &TrainArgs, settings: &Path) -> Result<Exit, Diagnostic> {
    let settings = Settings::read(settings).map_err(diagnostic)?;
    let device = args.device.open().map_err(diagnostic)?;
    let limit = Limit::new(args.steps, args.minutes);
    let sources = samples(&settings.data).map_err(diagnostic)?;
    let mut show = Show::new(settings.steps());
    show.note(&format!(
        "{} shows how it goes",
        args.out.join("index.html").display()
    ));
    let outcome = run(&settings, &args.out, limit, &device, &sources, &mut show)
        .map_err(|error| show.judge(diagnostic(error)))?;
    let exit = show.end();
    console::result(&format!(
        "{} of {} steps; the weights are {}",
        outcome.step,
        settings.steps(),
        args.out.join("best.safetensors").display()
    ));
    Ok(exit)
}

fn show(args: &PreviewArgs) -> Result<Exit, TrainError> {
    let settings = Settings::read(&args.settings)?;
    let size = args.size.unwrap_or(settings.validation_size());
    let data = Data::open(&settings.data)?;
    let page = preview::page(&data, size, settings.prompts(), args.count)?;
    fs::write(&args.out, page).map_err(|source| TrainError::Io {
        action: "write",
        path: args.out.clone(),
        source,
    })?;
    console::result(&args.out.display().to_string());
    Ok(Exit::Done)
}

fn packed(args: &PackArgs) -> Result<Exit, TrainError> {
    let settings = Settings::read(&args.settings)?;
    let how = Packing {
        longest_side: args.longest_side,
        without: args.without.clone(),
        ..Packing::default()
    };
    for path in pack(&settings, &args.out, &how)? {
        console::result(&path.display().to_string());
    }
    Ok(Exit::Done)
}
