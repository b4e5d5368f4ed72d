//! Batch flows are loops: acknowledgements go back to the source. A node on a loop that is dead for good stalls all
//! others on it without ending them, so the run is stopped. A node beside it, such as a viewer, may die alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use dora_core::{config::InputMapping, descriptor::Descriptor};
use dora_message::common::{LogLevel, LogLevelOrStdout, LogMessage};

/// The engine says at once whether it starts a node again; and what was said last should be heard.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The beginnings of what the daemon says of a node that did not end well: dora's `NodeError` as text.
const NODE_FAILURES: [&str; 5] = [
    "exited ",
    "node was killed by dora",
    "I/O error while reading exit status",
    "unknown exit status",
    "failed to spawn node",
];
const RESTART: &str = "node will be restarted";
const TOO_LATE: [&str; 2] = [
    "not restarting node because all inputs are already closed",
    "restart cancelled: inputs closed before respawn",
];

/// Listens for node failures that stall the dataflow.
#[derive(Debug)]
pub(crate) struct Stall {
    looped: BTreeSet<String>,
    dead: Option<(String, Instant)>,
}

impl Stall {
    pub(crate) fn new(descriptor: &Descriptor) -> Self {
        let edges = descriptor.nodes.iter().map(|node| {
            let sources = node
                .inputs
                .values()
                .filter_map(|input| match &input.mapping {
                    InputMapping::User(from) => Some(from.source.to_string()),
                    _ => None,
                });
            (node.id.to_string(), sources.collect())
        });
        Self {
            looped: on_loops(&edges.collect()),
            dead: None,
        }
    }

    /// The nodes that lie on loops.
    pub(crate) fn looped(&self) -> &BTreeSet<String> {
        &self.looped
    }

    /// Takes in what the engine says of a node.
    pub(crate) fn observe(&mut self, node: &str, record: &LogMessage, now: Instant) {
        self.observe_text(
            node,
            record.level == LogLevelOrStdout::LogLevel(LogLevel::Error),
            &record.message,
            now,
        );
    }

    fn observe_text(&mut self, node: &str, is_error: bool, message: &str, now: Instant) {
        if is_error
            && NODE_FAILURES.iter().any(|death| message.starts_with(death))
            && self.looped.contains(node)
        {
            self.dead.get_or_insert((node.to_owned(), now));
        } else if is_restart(message) && self.dead.as_ref().is_some_and(|(dead, _)| dead == node) {
            self.dead = None;
        }
    }

    /// The node for whose sake the run is to be stopped; it is told once.
    pub(crate) fn due(&mut self, now: Instant) -> Option<String> {
        let (node, _) = self
            .dead
            .take_if(|(_, since)| now.duration_since(*since) >= TIMEOUT)?;
        self.looped.clear();
        Some(node)
    }
}

/// Whether this is the daemon's word that it starts a node again.
pub(crate) fn is_restart(message: &str) -> bool {
    message.starts_with(RESTART)
}

/// Whether this is the daemon's word that a node died when its inputs had ended, and is not started again.
pub(super) fn is_too_late(message: &str) -> bool {
    TOO_LATE.iter().any(|begin| message.starts_with(begin))
}

/// Whether this is the daemon's word that a node has ended well.
pub(crate) fn is_end(message: &str) -> bool {
    message.ends_with(" finished successfully")
}

/// Nodes that can be reached from themselves; `sources` are the nodes whose outputs each node reads.
fn on_loops(sources: &BTreeMap<String, Vec<String>>) -> BTreeSet<String> {
    let upstream = |start: &String| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<_> = sources.get(start).into_iter().flatten().collect();
        while let Some(node) = open.pop() {
            if seen.insert(node) {
                open.extend(sources.get(node).into_iter().flatten());
            }
        }
        seen.contains(start)
    };
    sources
        .keys()
        .filter(|node| upstream(node))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dora_core::descriptor::DescriptorExt;

    use super::*;

    /// source -> work -> sink -> source, and a viewer at work.
    fn stall() -> Stall {
        let yaml = "nodes:
  - {id: source, path: x, outputs: [image], inputs: {ack: sink/ack, tick: dora/timer/hz/1}}
  - {id: work, path: x, outputs: [mask], inputs: {image: source/image}}
  - {id: sink, path: x, outputs: [ack], inputs: {mask: work/mask}}
  - {id: viewer, path: x, inputs: {mask: work/mask}}
";
        Stall::new(&Descriptor::parse(yaml.into()).unwrap())
    }

    #[test]
    fn a_node_failure_on_the_loop_stops_the_run_once() {
        let (mut stall, now) = (stall(), Instant::now());
        stall.observe_text("work", true, "exited because of signal SIGKILL", now);
        assert_eq!(stall.due(now), None);
        assert_eq!(stall.due(now + TIMEOUT).as_deref(), Some("work"));
        stall.observe_text("sink", true, "exited with code 1", now);
        assert_eq!(stall.due(now + 2 * TIMEOUT), None);
    }

    #[test]
    fn a_viewer_may_die_alone() {
        let (mut stall, now) = (stall(), Instant::now());
        stall.observe_text("viewer", true, "exited with code 134", now);
        assert_eq!(stall.due(now + TIMEOUT), None);
    }

    #[test]
    fn a_node_that_is_started_again_is_not_dead() {
        let (mut stall, now) = (stall(), Instant::now());
        stall.observe_text(
            "work",
            true,
            "exited with code 1 with stderr output:\n...",
            now,
        );
        stall.observe_text("work", false, "node will be restarted (attempt 1)", now);
        assert_eq!(stall.due(now + TIMEOUT), None);
    }

    #[test]
    fn a_good_end_is_no_failure() {
        let (mut stall, now) = (stall(), Instant::now());
        stall.observe_text("source", false, "source finished successfully", now);
        stall.observe_text("work", true, "Could not write log to file: disk full", now);
        assert_eq!(stall.due(now + TIMEOUT), None);
    }

    #[test]
    fn the_node_failures_are_what_dora_writes() {
        use dora_message::{
            common::{NodeError, NodeErrorCause, NodeExitStatus},
            uhlc::HLC,
        };
        for (cause, exit_status) in [
            (
                NodeErrorCause::Other {
                    stderr: "oh".into(),
                },
                NodeExitStatus::ExitCode(1),
            ),
            (
                NodeErrorCause::Other {
                    stderr: String::new(),
                },
                NodeExitStatus::Signal(9),
            ),
            (NodeErrorCause::GraceDuration, NodeExitStatus::Signal(9)),
            (
                NodeErrorCause::FailedToSpawn("no".into()),
                NodeExitStatus::Unknown,
            ),
            (
                NodeErrorCause::Other {
                    stderr: String::new(),
                },
                NodeExitStatus::IoError("no".into()),
            ),
        ] {
            let text = NodeError {
                timestamp: HLC::default().new_timestamp(),
                cause,
                exit_status,
            }
            .to_string();
            assert!(
                NODE_FAILURES.iter().any(|death| text.starts_with(death)),
                "{text}"
            );
        }
    }
}
