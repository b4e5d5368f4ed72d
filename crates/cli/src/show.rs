//! How trainings and tunings show themselves, and how they are stopped.

use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use indicatif::{ProgressBar, ProgressStyle};
use seggpt_train::{Progress, Score, Watch, interruption};

use seggpt_flow::{Diagnostic, Exit};

use crate::console;

fn bar(steps: u64) -> Option<ProgressBar> {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}\n{msg}").ok()?;
    let is_terminal = std::io::stderr().is_terminal();
    is_terminal.then(|| ProgressBar::new(steps).with_style(style))
}

/// A bar where standard error is a terminal, lines elsewhere.
pub(crate) struct Show {
    bar: Option<ProgressBar>,
    interrupted: Arc<AtomicBool>,
    begun: bool,
}

impl Show {
    /// For a run of so many steps; Ctrl-C stops it after the step it is at.
    pub(crate) fn new(steps: u64) -> Self {
        Self {
            bar: bar(steps),
            interrupted: interruption(),
            begun: false,
        }
    }

    /// What an error means for the command: before the first step the settings are wrong, later the run broke.
    pub(crate) fn judge(&self, diagnostic: Diagnostic) -> Diagnostic {
        if self.begun {
            diagnostic.after_start()
        } else {
            diagnostic
        }
    }

    /// Leaves the bar where it is. Whether the user stopped the run.
    pub(crate) fn end(self) -> Exit {
        if let Some(bar) = &self.bar {
            bar.abandon();
        }
        match self.interrupted.load(Ordering::Relaxed) {
            true => Exit::Interrupted,
            false => Exit::Done,
        }
    }
}

impl Watch for Show {
    fn progress(&mut self, progress: &Progress) {
        self.begun = true;
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
            "step {step}: IoU {:.4} at threshold {:.1}, validation loss {:.4}",
            score.iou, score.threshold, score.loss
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
