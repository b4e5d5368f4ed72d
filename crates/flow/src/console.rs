use crate::{Exit, Progress};

/// Where a run shows what it does.
pub trait Console {
    /// How much of what nodes say is wanted: 0 warnings and errors, 1 their information and output, 2 the engine's log too.
    fn verbosity(&self) -> u8;
    /// A line about the run.
    fn note(&self, text: &str);
    /// What a node says; `level` is empty for its plain output.
    fn log(&self, node: &str, level: &str, text: &str);
    /// The end of an item; `error` is empty where it is done.
    fn item(&self, item: &str, status: &str, error: &str, progress: &Progress);
    /// How far the run has come.
    fn progress(&mut self, progress: &Progress);
    /// How the run ended: what to say, and the paths of reports.
    fn end(&mut self, exit: Exit, summary: &[String], reports: &[String], progress: &Progress);
}
