//! `seggpt train`: a run of `seggpt-train` with a progress bar.

use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use seggpt_samples::{Mix, Source};
use seggpt_train::{Limit, Progress, Score, Settings, TrainError, Watch, run};

use crate::{Exit, args::TrainArgs, console, run::Flaw};

/// Trains, or resumes what was begun in the folder.
///
/// # Errors
/// What is wrong with the settings, the folder, the data or the device.
pub fn command(args: &TrainArgs) -> miette::Result<Exit> {
    Ok(train(args).map_err(|error| Flaw::new(error.to_string()))?)
}

fn train(args: &TrainArgs) -> Result<Exit, TrainError> {
    let settings = Settings::read(&args.settings)?;
    let device = args.device.open()?;
    let limit = Limit {
        steps: args.steps,
        time: args
            .minutes
            .map(|minutes| Duration::from_secs_f64(60.0 * minutes.max(0.0))),
    };
    let sources = |size| {
        let source = Mix::new(&seggpt_samples::Settings {
            size,
            ..settings.data.clone()
        })?;
        Ok(Box::new(source) as Box<dyn Source>)
    };
    let interrupted = interruption();
    let mut show = Show {
        bar: bar(settings.steps()),
        interrupted: interrupted.clone(),
    };
    show.note(&format!(
        "{} shows how it goes",
        args.out.join("index.html").display()
    ));
    let outcome = run(&settings, &args.out, limit, &device, &sources, &mut show)?;
    if let Some(bar) = &show.bar {
        bar.abandon();
    }
    console::result(&format!(
        "{} of {} steps; the weights are {}",
        outcome.step,
        settings.steps(),
        args.out.join("best.safetensors").display()
    ));
    Ok(if interrupted.load(Ordering::Relaxed) {
        Exit::Interrupted
    } else {
        Exit::Done
    })
}

/// Becomes true when the user presses Ctrl-C; a second time ends the program, which loses nothing but the steps since the
/// last checkpoint.
fn interruption() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = flag.clone();
    // Without the thread, Ctrl-C ends the program at once, which is no harm either.
    let _ = thread::Builder::new().name("ctrl-c".into()).spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
        else {
            return;
        };
        while runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            if raised.swap(true, Ordering::Relaxed) {
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
        }
    });
    flag
}

fn bar(steps: u64) -> Option<ProgressBar> {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}\n{msg}").ok()?;
    let is_terminal = std::io::stderr().is_terminal();
    is_terminal.then(|| ProgressBar::new(steps).with_style(style))
}

/// A bar where standard error is a terminal, lines elsewhere.
struct Show {
    bar: Option<ProgressBar>,
    interrupted: Arc<AtomicBool>,
}

impl Watch for Show {
    fn progress(&mut self, progress: &Progress) {
        let minutes = progress.left.as_secs() / 60;
        let text = format!(
            "loss {:.4}, learning rate {:.1e}, {:.1} samples/s ({:.0} % of the time waiting for them), {} h {:02} min left",
            progress.loss,
            progress.learning_rate,
            progress.rate,
            100.0 * progress.waiting,
            minutes / 60,
            minutes % 60
        );
        match &self.bar {
            Some(bar) => {
                bar.set_position(progress.step);
                bar.set_message(text);
            }
            None => console::result(&format!(
                "step {} of {}: {text}",
                progress.step, progress.steps
            )),
        }
    }

    fn score(&mut self, step: u64, score: &Score) {
        self.note(&format!(
            "step {step}: IoU {:.4} at cut {:.1}, validation loss {:.4}",
            score.iou, score.cut, score.loss
        ));
    }

    fn note(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => console::result(text),
        }
    }

    fn stop(&mut self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}
