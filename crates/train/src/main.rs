//! Trains without the rest of the project: one file to copy to a machine with a GPU.

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use clap::Parser;
use seggpt_train::{
    INTERRUPTED, Limit, Progress, Score, Settings, TrainError, Watch, interruption, run, samples,
};

/// Trains a network as a settings file says, or resumes.
#[derive(Parser)]
struct Arguments {
    /// The settings, such as `configs/train/small.yml`.
    settings: PathBuf,
    /// The run's folder; a run that is there is resumed.
    #[arg(long, default_value = "out/train")]
    out: PathBuf,
    /// Stop after so many steps in all.
    #[arg(long)]
    steps: Option<u64>,
    /// Stop after so many minutes.
    #[arg(long)]
    minutes: Option<f64>,
    /// `cpu`, `cuda`, `cuda:1`, `metal` or `auto`.
    #[arg(long, default_value = "auto")]
    device: String,
}

/// What a run says, line by line, and whether the user stops it.
struct Lines(Arc<AtomicBool>);

#[allow(clippy::print_stdout)] // a command line program
impl Watch for Lines {
    fn progress(&mut self, progress: &Progress) {
        let Progress {
            step,
            steps,
            loss,
            gradient,
            learning_rate,
            rate,
            waiting,
            left,
        } = progress;
        let (hours, minutes) = (left.as_secs() / 3600, left.as_secs() / 60 % 60);
        println!(
            "step {step}/{steps}  loss {loss:.4}  gradient {gradient:.3}  lr {learning_rate:.2e}  {rate:.1} samples/s \
             (waiting {:.0} %)  {hours}:{minutes:02} left",
            100.0 * waiting
        );
    }

    fn score(&mut self, step: u64, score: &Score) {
        println!(
            "step {step}  IoU {:.4} at cut {:.1}  validation loss {:.4}",
            score.iou, score.cut, score.loss
        );
    }

    fn note(&mut self, text: &str) {
        println!("{text}");
    }

    fn stop(&mut self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether all steps are done that were asked for.
fn train(arguments: &Arguments) -> Result<bool, TrainError> {
    let settings = Settings::read(&arguments.settings)?;
    let device = seggpt::device(&arguments.device)?;
    let limit = Limit::new(arguments.steps, arguments.minutes);
    let sources = samples(&settings.data)?;
    let mut lines = Lines(interruption());
    let outcome = run(
        &settings,
        &arguments.out,
        limit,
        &device,
        &sources,
        &mut lines,
    )?;
    let broken_off = lines.stop() && !outcome.complete;
    if broken_off {
        lines.note(&format!(
            "stopped after step {}; the same command goes on from there",
            outcome.step
        ));
    }
    Ok(!broken_off)
}

#[allow(clippy::print_stderr)] // a command line program
fn main() -> ExitCode {
    match train(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => INTERRUPTED.into(),
        Err(error) => {
            eprintln!("seggpt-train: {error}");
            ExitCode::FAILURE
        }
    }
}
