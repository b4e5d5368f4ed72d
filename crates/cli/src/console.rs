//! The one place that prints. Results go to standard output, everything else to standard error.

use std::{
    io::{IsTerminal, Write},
    time::{Duration, Instant},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use seggpt_flow::{Console, Exit, Progress};
use serde_json::{Value, json};

/// How a run shows itself.
#[derive(Args, Clone, Debug, Default)]
pub struct View {
    /// Show what the nodes say: once for their information and output, twice for the engine's own log as
    /// well.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Write one JSON object a line to standard output: records of type `item`, `log`, `report` and `end`.
    #[arg(long)]
    pub json: bool,
}

// A closed pipe (`seggpt ... | head`) is no reason to panic, so what cannot be written is not.

/// `1234567` as `1 234 567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    out
}

/// Prints a result.
pub fn result(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a diagnostic.
pub fn report(report: &miette::Report) {
    note(&format!("{report:?}"));
}

/// Prints a line about what goes on, to standard error.
pub fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A plain line is due after this long, if anything changed...
const PLAIN_PAUSE: Duration = Duration::from_secs(10);
/// ...or after this share of the whole, though never twice within [`PLAIN_LEAST`].
const PLAIN_STEP: f64 = 0.1;
const PLAIN_LEAST: Duration = Duration::from_secs(1);

enum Style {
    /// A bar on a terminal.
    Bar(ProgressBar),
    /// Lines in a log file, with what was shown last.
    Plain { at: Instant, shown: u64 },
    /// JSON for programs.
    Json,
}

/// What a run shows while it goes on.
pub struct Terminal {
    style: Style,
    verbose: u8,
}

impl Terminal {
    /// A bar where standard error is a terminal, plain lines elsewhere, JSON where asked for.
    pub fn new(view: &View) -> Self {
        let style = if view.json {
            Style::Json
        } else if std::io::stderr().is_terminal() {
            Style::Bar(bar())
        } else {
            Style::Plain {
                at: Instant::now(),
                shown: 0,
            }
        };
        Self {
            style,
            verbose: view.verbose,
        }
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        if let Style::Bar(bar) = &self.style {
            bar.finish_and_clear();
        }
    }
}

impl Console for Terminal {
    fn verbosity(&self) -> u8 {
        self.verbose
    }

    fn note(&self, text: &str) {
        match &self.style {
            Style::Bar(bar) => bar.suspend(|| note(text)),
            Style::Plain { .. } | Style::Json => note(text),
        }
    }

    fn log(&self, node: &str, level: &str, text: &str) {
        match &self.style {
            Style::Json => {
                record(&json!({ "type": "log", "node": node, "level": level, "message": text }))
            }
            _ => self.note(&labelled(node, level, text)),
        }
    }

    fn item(&self, item: &str, status: &str, error: &str, progress: &Progress) {
        match &self.style {
            Style::Json => record(&json!({
                "type": "item", "item": item, "status": status, "error": error,
                "finished": progress.finished, "total": progress.total,
            })),
            _ if !error.is_empty() => self.note(&format!("failed: {item}: {error}")),
            _ => {}
        }
    }

    fn progress(&mut self, progress: &Progress) {
        match &mut self.style {
            Style::Json => {}
            Style::Bar(bar) => {
                if let (Some(total), None) = (progress.total, bar.length()) {
                    bar.set_length(total);
                    bar.set_style(with_length());
                }
                bar.set_position(progress.finished);
                bar.set_message(progress.rest());
            }
            Style::Plain { at, shown } => {
                let since = at.elapsed();
                let step = progress.total.is_some_and(|total| {
                    (progress.finished - (*shown).min(progress.finished)) as f64
                        >= total as f64 * PLAIN_STEP
                });
                let is_first = *shown == 0;
                let is_last = progress.total == Some(progress.finished);
                if progress.finished > *shown
                    && (is_first
                        || is_last
                        || since >= PLAIN_PAUSE
                        || (step && since >= PLAIN_LEAST))
                {
                    note(&progress.line());
                    (*at, *shown) = (Instant::now(), progress.finished);
                }
            }
        }
    }

    fn end(&mut self, exit: Exit, summary: &[String], reports: &[String], progress: &Progress) {
        match &self.style {
            Style::Json => record(&json!({
                "type": "end", "exit": exit.code(), "finished": progress.finished, "total": progress.total,
                "failed": progress.failed, "reports": reports, "summary": summary,
            })),
            Style::Bar(bar) => {
                bar.finish_and_clear();
                print_end(exit, summary, reports);
            }
            Style::Plain { .. } => print_end(exit, summary, reports),
        }
    }
}

fn print_end(exit: Exit, summary: &[String], reports: &[String]) {
    for line in summary {
        match exit {
            Exit::Done => result(line),
            _ => note(line),
        }
    }
    for report in reports {
        result(&format!("report: {report}"));
    }
}

fn record(value: &Value) {
    result(&value.to_string());
}

/// `node level: text`, further lines set in.
fn labelled(node: &str, level: &str, text: &str) -> String {
    let text = text.trim_end().replace('\n', "\n    ");
    if level.is_empty() {
        format!("{node}: {text}")
    } else {
        format!("{node} {level}: {text}")
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(
        ProgressStyle::with_template("{spinner} {pos} {msg}").expect("the template is well-formed"),
    );
    bar.set_message("starting");
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

fn with_length() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} [{bar:32}] {pos}/{len} {msg}")
        .expect("the template is well-formed")
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1234), "1 234");
        assert_eq!(grouped(370_723_203), "370 723 203");
    }

    #[test]
    fn further_lines_of_a_node_are_set_in() {
        assert_eq!(
            labelled("infer", "error", "one\ntwo\n"),
            "infer error: one\n    two"
        );
        assert_eq!(labelled("python", "", "plain"), "python: plain");
    }

    #[test]
    fn the_bars_are_well_formed() {
        bar().set_style(with_length());
    }
}
