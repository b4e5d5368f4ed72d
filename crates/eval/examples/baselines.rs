//! Measures the baselines on folders in the layout of `seggpt_eval::data::Folder`.
//!
//!     cargo run -p seggpt-eval --example baselines -- FOLDER... [--every N] [--shots K] [--side PIXELS] [--only BASELINE] [--k NEIGHBOURS]
//!
//! Without `--every 1` only each eighth query is answered, which takes seconds per folder.
#![allow(clippy::print_stdout)]

use std::{error::Error, path::PathBuf, time::Instant};

use rayon::prelude::*;
use seggpt_eval::{
    EvalError, LabelPlane,
    baselines::{Baseline, ColorNeighbours, CopiedMask, Example, Forest},
    data::{Dataset, Folder},
    episodes::{ClassTask, class_tasks, long_side},
    metrics::ClassAreas,
};
use seggpt_imaging::{RgbImage, resize};

fn main() -> Result<(), Box<dyn Error>> {
    let (mut every, mut shots, mut side, mut only) = (8, 1, 448, None);
    let mut neighbours = ColorNeighbours::default();
    let mut folders: Vec<PathBuf> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--every" => every = value()?.parse()?,
            "--shots" => shots = value()?.parse()?,
            "--side" => side = value()?.parse()?,
            "--k" => neighbours.k = value()?.parse()?,
            "--only" => only = Some(value()?),
            folder => folders.push(folder.into()),
        }
    }
    if folders.is_empty() {
        return Err(
            "name one or more folders with images/, masks/, classes.tsv and split.tsv".into(),
        );
    }
    let all: [&dyn Baseline; 3] = [&CopiedMask, &neighbours, &Forest::default()];
    let wanted =
        |baseline: &&dyn Baseline| only.as_deref().is_none_or(|name| name == baseline.name());
    let baselines: Vec<&dyn Baseline> = all.into_iter().filter(wanted).collect();

    let names: Vec<&str> = baselines.iter().map(|baseline| baseline.name()).collect();
    println!("| set | {} | seconds |", names.join(" | "));
    println!("|---|{}---|", "---|".repeat(baselines.len()));
    for folder in folders {
        let start = Instant::now();
        let set = Folder::open(&folder)?;
        let tasks = class_tasks(&set, shots, side, every)?;
        let scores = baselines
            .iter()
            .map(|baseline| score(&set, &tasks, *baseline, side));
        let cells = scores.map(|score| Ok(format!("{:.1}", 100.0 * score?)));
        let cells: Vec<String> = cells.collect::<Result<_, EvalError>>()?;
        let seconds = start.elapsed().as_secs_f32();
        println!("| {} | {} | {seconds:.0} |", set.name(), cells.join(" | "));
    }
    Ok(())
}

/// The mean over the tasks of the IoU accumulated over their queries.
fn score(
    set: &Folder,
    tasks: &[ClassTask],
    baseline: &dyn Baseline,
    side: usize,
) -> Result<f64, EvalError> {
    let mut found = Vec::new();
    for task in tasks {
        let example = |&index: &usize| {
            let (picture, labels) = scaled(set, index, side)?;
            let labels = labels.only(task.class);
            Ok(Example { picture, labels })
        };
        let prompts = task
            .prompts
            .iter()
            .map(example)
            .collect::<Result<Vec<_>, EvalError>>()?;
        let fitted = baseline.fit(&prompts)?;
        let counted = task.queries.par_iter().map(|&index| {
            let (picture, labels) = scaled(set, index, side)?;
            let mut areas = ClassAreas::new([1]);
            areas.add(&fitted.answer(&picture), &labels.only(task.class))?;
            Ok(areas)
        });
        let mut areas = ClassAreas::new([1]);
        for one in counted.collect::<Result<Vec<_>, EvalError>>()? {
            areas.merge(&one)?;
        }
        found.extend(areas.finish().mean_iou);
    }
    Ok(found.iter().sum::<f64>() / found.len().max(1) as f64)
}

fn scaled(set: &Folder, index: usize, side: usize) -> Result<(RgbImage, LabelPlane), EvalError> {
    let labels = set.truth(index)?.labels;
    let size = long_side(labels.size(), side);
    let picture = resize::bicubic(&set.picture(index)?, size.0 as u32, size.1 as u32);
    Ok((picture, labels.resized(size)))
}
