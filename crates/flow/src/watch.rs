//! What becomes of log records: progress is counted, complaints are shown, the last lines of each node are kept.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Instant,
};

use dora_core::descriptor::Descriptor;
use dora_message::common::{LogLevel, LogLevelOrStdout, LogMessage};
use seggpt_node::{edges, live, outcome::GAVE_UP};

use crate::{
    Console,
    clock::Clock,
    engine::{Control, Event},
    progress::Tally,
    seconds,
    silence::{Silence, Silent},
    stall::{self, Stall},
};

/// Lines that are kept of each node, to be shown if it dies.
const LAST_LINES: usize = 15;

/// What dora's node API says at each start and helps nobody: a diagnosis of its Python side, nine times, and that types of
/// our own are not checked in the node as well (they were checked before the start).
const KNOWN_NOISE: [&str; 2] = ["dora-rs/dora#2742", "skipping type check"];

/// The watcher of one run.
pub(crate) struct Watch<'a> {
    pub console: &'a mut dyn Console,
    pub tally: Tally,
    pub last_lines: LastLines,
    /// Names the folder with the nodes' log files.
    pub run_id: Option<String>,
    /// Whether a node found that shared memory loses messages.
    pub lost_in_shared_memory: bool,
    /// The first node that ended with an error of its own, and what it said.
    pub gave_up: Option<(String, String)>,
    /// Nodes that died when nothing was left for them to do.
    pub late: BTreeSet<String>,
    is_stopping: bool,
    /// The edge for which the run was ended.
    pub silent: Option<String>,
    stall: Stall,
    silence: Silence,
    /// By which silence is measured.
    clock: Clock,
}

impl<'a> Watch<'a> {
    pub fn new(console: &'a mut dyn Console, descriptor: &Descriptor) -> Self {
        let stall = Stall::new(descriptor);
        Self {
            silence: Silence::new(descriptor, stall.looped()),
            silent: None,
            console,
            tally: Tally::new(),
            last_lines: LastLines::default(),
            run_id: None,
            lost_in_shared_memory: false,
            gave_up: None,
            late: BTreeSet::new(),
            is_stopping: false,
            stall,
            clock: Clock::new(Instant::now()),
        }
    }

    pub fn take(&mut self, event: Event) -> Control {
        match event {
            Event::Record(record) => self.record(&record),
            Event::Interrupt(count) => {
                self.silence.stop();
                self.console.note(match count {
                    1 => "stopping; once more to kill",
                    _ => "killing the nodes",
                });
            }
            Event::Tick if !self.tally.is_empty() => self.console.progress(&self.tally.progress()),
            Event::Tick => {}
        }
        if self.is_stopping {
            return Control::Continue;
        }
        let now = Instant::now();
        let dead = self.stall.due(now);
        let reason = match (&self.gave_up, dead) {
            (Some((node, _)), _) => format!("node `{node}` gave up: stopping"),
            (None, Some(node)) => {
                format!("node `{node}` is dead, and the others wait for it: stopping")
            }
            (None, None) => match self.silence.due(self.clock.at(now)) {
                Some(Silent::End(edge)) => {
                    self.silent = Some(edge.clone());
                    format!("{edge}: stopping")
                }
                Some(Silent::Name(edge)) => {
                    self.console.note(&edge);
                    return Control::Continue;
                }
                Some(Silent::Restart {
                    edge,
                    node,
                    process,
                }) => {
                    self.console
                        .note(&format!("{edge}: `{node}` is started again"));
                    kill(process);
                    return Control::Continue;
                }
                None => return Control::Continue,
            },
        };
        self.is_stopping = true;
        self.silence.stop();
        self.console.note(&reason);
        Control::Stop
    }

    fn record(&mut self, record: &LogMessage) {
        if self.run_id.is_none() {
            self.run_id = record.dataflow_id.map(|id| id.to_string());
        }
        self.lost_in_shared_memory |= record.target.as_deref() == Some(seggpt_node::LINK_TARGET);
        let node = record.node_id.as_ref().map_or("dora", |id| id.as_ref());
        if record.target.as_deref() == Some(GAVE_UP) {
            let error = || (node.to_owned(), record.message.clone());
            self.gave_up.get_or_insert_with(error);
            return;
        }
        if let (Some(edges::TARGET), Some(fields)) = (record.target.as_deref(), &record.fields) {
            let now = self.clock.at(Instant::now());
            return self.silence.observe(node, fields, now);
        }
        if let (Some(live::TARGET), Some(fields)) = (record.target.as_deref(), &record.fields) {
            return self.console.note(&seconds::line(node, fields));
        }
        let (is_progress, ended) =
            self.tally
                .take(node, record.target.as_deref(), record.fields.as_ref());
        if let Some(ended) = ended {
            let progress = self.tally.progress();
            self.console
                .item(&ended.item, &ended.status, &ended.error, &progress);
            self.console.progress(&progress);
        }
        if is_progress
            || KNOWN_NOISE
                .iter()
                .any(|chatter| record.message.contains(chatter))
        {
            return;
        }
        let (level, needed) = level(&record.level);
        let is_engine = is_engine(record);
        if is_engine {
            self.stall.observe(node, record, Instant::now());
            if stall::is_restart(&record.message) {
                self.last_lines.forget(node);
                self.silence.forget(node);
            }
            if stall::is_end(&record.message) {
                self.silence.ended(node);
            }
            if stall::is_too_late(&record.message) {
                self.late.insert(node.to_owned());
            }
        }
        if !is_engine {
            self.last_lines.keep(node, level, &record.message);
        }
        // What the engine says of its nodes stands in the summary, and better.
        let needed = if is_engine { 2 } else { needed };
        if self.console.verbosity() >= needed {
            self.console.log(node, level, &record.message);
        }
    }
}

/// Ends a node's process, as a crash would; the engine starts it again.
#[cfg(unix)]
fn kill(process: u32) {
    use nix::{
        sys::signal::{Signal, kill},
        unistd::Pid,
    };
    let process = i32::try_from(process).map(Pid::from_raw);
    // One that is gone already needs no signal.
    let _ = process.map(|process| kill(process, Signal::SIGKILL));
}

/// There is no way to: the run ends when the edge stays silent.
#[cfg(not(unix))]
fn kill(_: u32) {}

/// Whether the daemon speaks, about a node or itself, or the transport, which complains when its peers go home.
fn is_engine(record: &LogMessage) -> bool {
    let is_daemon = |target: &str| {
        target == "spawner" || target.contains("daemon") || target.starts_with("zenoh")
    };
    record.node_id.is_none()
        || record.level != LogLevelOrStdout::Stdout
            && record.target.as_deref().is_none_or(is_daemon)
}

/// The level's name, and how often `-v` must be given to see it.
fn level(level: &LogLevelOrStdout) -> (&'static str, u8) {
    match level {
        LogLevelOrStdout::Stdout => ("", 1),
        LogLevelOrStdout::LogLevel(LogLevel::Error) => ("error", 0),
        LogLevelOrStdout::LogLevel(LogLevel::Warn) => ("warning", 0),
        LogLevelOrStdout::LogLevel(LogLevel::Info) => ("info", 1),
        LogLevelOrStdout::LogLevel(_) => ("debug", 2),
    }
}

/// The last lines of every node.
#[derive(Debug, Default)]
pub(crate) struct LastLines(BTreeMap<String, Lines>);

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<String>,
    aside: bool,
}

impl LastLines {
    pub(crate) fn keep(&mut self, node: &str, level: &str, message: &str) {
        let kept = self.0.entry(node.to_owned()).or_default();
        let prefix = if matches!(level, "error" | "warning") {
            format!("{level}: ")
        } else {
            String::new()
        };
        for line in message.lines().filter(|line| !line.trim().is_empty()) {
            // Backtraces would push the error itself out; the log file has them.
            kept.aside = is_aside(line) || (kept.aside && line.starts_with(' '));
            if kept.aside {
                continue;
            }
            if kept.lines.len() == LAST_LINES {
                kept.lines.pop_front();
            }
            kept.lines.push_back(format!("{prefix}{line}"));
        }
    }

    /// A new start, a clean slate.
    fn forget(&mut self, node: &str) {
        self.0.remove(node);
    }

    /// Those of one node, oldest first.
    pub(crate) fn of(&self, node: &str) -> Vec<String> {
        self.0
            .get(node)
            .map(|kept| kept.lines.iter().cloned().collect())
            .unwrap_or_default()
    }
}

/// Where a place in the source or a backtrace begins.
fn is_aside(line: &str) -> bool {
    ["location:", "stack backtrace:"].contains(&line.trim().to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_of_each_node_are_kept_apart() {
        let mut lines = LastLines::default();
        for number in 0..40 {
            lines.keep("infer", "", &format!("line {number}"));
        }
        lines.keep("sink", "error", "disk full\n\nat once");
        assert_eq!(lines.of("infer").len(), LAST_LINES);
        assert_eq!(
            lines.of("infer").last().map(String::as_str),
            Some("line 39")
        );
        assert_eq!(lines.of("sink"), ["error: disk full", "error: at once"]);
        assert!(lines.of("source").is_empty());
    }

    #[test]
    fn backtraces_do_not_push_the_error_out() {
        let mut lines = LastLines::default();
        let error = "Error: no such file\n\nCaused by:\n    0: cannot open\n\nLocation:\n    src/main.rs:3:4\n\nStack backtrace:\n";
        let frames: String = (0..30)
            .map(|frame| format!("  {frame}: main\n             at ./src/main.rs:{frame}\n"))
            .collect();
        lines.keep("source", "", &format!("{error}{frames}"));
        lines.keep("source", "", "note: that is all");
        assert_eq!(
            lines.of("source"),
            [
                "Error: no such file",
                "Caused by:",
                "    0: cannot open",
                "note: that is all"
            ]
        );
    }
}
