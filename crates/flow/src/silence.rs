//! The first edge of a loop that nothing comes through, found by what nodes say of the greetings that they hear and pass on.
//!
//! A node that works or loads does not listen, and says so: it is not taken for silent. Of nodes that say nothing, such as
//! other people's, only those behind them tell.
//!
//! What is wrong with such an edge, a new process at its end has not: links of its own take the place of those that were lost while
//! a process or the engine was held up.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use dora_core::{config::InputMapping, descriptor::Descriptor};
use seggpt_node::edges::{BUSY, GREETING, HEARD, PASSED, PROCESS, PULSE};

/// How long a greeting may be on an edge before that is said.
const SILENT: Duration = Duration::from_secs(20);
/// How long before the node at its end is started again, and how often that is tried.
const HELD_UP: Duration = Duration::from_secs(45);
const RESTARTS: u32 = 2;
/// How long before the run ends for it: on a machine that is overloaded, a healthy node may be slow to listen.
const LOST: Duration = Duration::from_secs(90);
/// How long ago a node said last that it works, if it still does.
const WORKS: Duration = PULSE.saturating_mul(2);
/// How long a node that says nothing of itself may take to load or to work.
const SILENT_NODE: Duration = Duration::from_secs(300);

/// Listens for edges that nothing comes through.
#[derive(Debug, Default)]
pub(crate) struct Silence {
    edges: Vec<Edge>,
    /// Nodes that say of themselves what they hear and pass on.
    speaking: BTreeSet<String>,
    /// When a node said last that it is at work.
    busy: BTreeMap<String, Instant>,
    /// Processes of nodes that speak.
    processes: BTreeMap<String, u32>,
    /// How often nodes were started again for an edge.
    restarts: BTreeMap<String, u32>,
    named: bool,
    over: bool,
}

#[derive(Debug)]
struct Edge {
    from: String,
    output: String,
    to: String,
    input: String,
    /// The last greeting that came through.
    heard: u64,
    /// Greetings that `from` passed on, and when.
    passed: BTreeMap<u64, Instant>,
    /// Greetings that were passed on to nodes before `from`, which say nothing themselves.
    before: BTreeMap<u64, Instant>,
}

/// What is to be done about an edge that nothing comes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Silent {
    /// Say so; it may yet come.
    Name(String),
    /// Kill the process of the node at its end, which is then started again.
    Restart {
        /// The edge.
        edge: String,
        /// The node.
        node: String,
        /// Its process.
        process: u32,
    },
    /// End the run for it.
    End(String),
}

impl Silence {
    /// `looped`: the nodes that lie on loops.
    pub fn new(descriptor: &Descriptor, looped: &BTreeSet<String>) -> Self {
        let edges = descriptor.nodes.iter().flat_map(|node| {
            node.inputs.iter().filter_map(|(input, wire)| {
                let InputMapping::User(from) = &wire.mapping else {
                    return None;
                };
                Some(Edge {
                    from: from.source.to_string(),
                    output: from.output.to_string(),
                    to: node.id.to_string(),
                    input: input.to_string(),
                    heard: 0,
                    passed: BTreeMap::new(),
                    before: BTreeMap::new(),
                })
            })
        });
        let on_loops = |edge: &Edge| looped.contains(&edge.from) && looped.contains(&edge.to);
        Self {
            edges: edges.filter(on_loops).collect(),
            ..Self::default()
        }
    }

    /// Takes in what a node says of its edges.
    pub fn observe(&mut self, node: &str, fields: &BTreeMap<String, String>, now: Instant) {
        self.speaking.insert(node.to_owned());
        if fields.contains_key(BUSY) {
            self.busy.insert(node.to_owned(), now);
            let process = fields.get(PROCESS).and_then(|number| number.parse().ok());
            if let Some(process) = process {
                self.processes.insert(node.to_owned(), process);
            }
            return;
        }
        // Nodes that were started again greet by themselves, with 0.
        let number = fields.get(GREETING).and_then(|number| number.parse().ok());
        let Some(number) = number.filter(|number| *number > 0) else {
            return;
        };
        if let Some(input) = fields.get(HEARD) {
            let came = |edge: &&mut Edge| edge.to == node && edge.input == *input;
            for edge in self.edges.iter_mut().filter(came) {
                edge.heard = edge.heard.max(number);
                edge.passed = edge.passed.split_off(&(number + 1));
                edge.before = edge.before.split_off(&(number + 1));
            }
        } else if let Some(output) = fields.get(PASSED) {
            let goes = |edge: &&mut Edge| edge.from == node && edge.output == *output;
            let mut behind = Vec::new();
            for edge in self.edges.iter_mut().filter(goes) {
                behind.push(edge.to.clone());
                if number > edge.heard {
                    edge.passed.entry(number).or_insert(now);
                }
            }
            self.expect_behind(behind, number, now);
        }
    }

    /// Behind nodes that say nothing, greetings are expected all the same.
    fn expect_behind(&mut self, mut open: Vec<String>, number: u64, now: Instant) {
        let mut seen = BTreeSet::new();
        while let Some(node) = open.pop() {
            if self.speaking.contains(&node) || !seen.insert(node.clone()) {
                continue;
            }
            for edge in self.edges.iter_mut().filter(|edge| edge.from == node) {
                open.push(edge.to.clone());
                if number > edge.heard {
                    edge.before.entry(number).or_insert(now);
                }
            }
        }
    }

    /// A node is started again: greetings of before say nothing any more.
    pub fn forget(&mut self, node: &str) {
        self.processes.remove(node);
        for edge in &mut self.edges {
            edge.heard = 0;
            edge.passed.clear();
            edge.before.clear();
        }
    }

    /// A node has ended: nothing is expected of it.
    pub fn ended(&mut self, node: &str) {
        self.edges
            .retain(|edge| edge.from != node && edge.to != node);
    }

    /// Nothing is expected any more.
    pub fn stop(&mut self) {
        self.over = true;
    }

    /// What is to be done about an edge that nothing comes through, if there is one: first it is named, then the node at its
    /// end is started again, at last the run ends.
    pub fn due(&mut self, now: Instant) -> Option<Silent> {
        let silent = |edge: &&Edge| self.since(edge, now).is_some();
        let (since, edge) = self
            .edges
            .iter()
            .filter(silent)
            .filter_map(|edge| Some((self.since(edge, now)?, edge)))
            .min_by_key(|(since, _)| *since)
            .filter(|_| !self.over)?;
        let Edge { from, to, .. } = edge;
        let text = format!("nothing comes through from `{from}` to `{to}`");
        let (limit, why) = match self.speaking.contains(from) {
            true => (LOST, ""),
            false => (
                SILENT_NODE,
                ": it loads, it works, or it does not pass greetings on (docs/lossless.md)",
            ),
        };
        let tried = self.restarts.get(to).copied().unwrap_or(0);
        if now.duration_since(since) >= HELD_UP
            && tried < RESTARTS
            && let Some(process) = self.processes.remove(to)
        {
            let (edge, node) = (text, to.clone());
            self.restarts.insert(node.clone(), tried + 1);
            return Some(Silent::Restart {
                edge,
                node,
                process,
            });
        }
        if now.duration_since(since) < limit {
            return (!std::mem::replace(&mut self.named, true))
                .then(|| Silent::Name(format!("{text} yet{why}")));
        }
        self.over = true;
        Some(Silent::End(text))
    }

    /// Since when an edge is silent, if it is.
    fn since(&self, edge: &Edge, now: Instant) -> Option<Instant> {
        let works = |node: &String| {
            let last = self.busy.get(node);
            last.is_some_and(|last| now.duration_since(*last) < WORKS)
        };
        if !self.speaking.contains(&edge.to) || works(&edge.to) {
            return None;
        }
        let expected = match self.speaking.contains(&edge.from) {
            true => &edge.passed,
            false => &edge.before,
        };
        let first = expected.values().min().copied();
        first.filter(|first| now.duration_since(*first) >= SILENT)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dora_core::descriptor::DescriptorExt;

    use super::*;

    struct Run {
        silence: Silence,
        start: Instant,
    }

    impl Run {
        /// source -> prompts -> ensemble -> infer -> sink -> source, and prompts -> sink.
        fn new() -> Self {
            let yaml = "nodes:
  - {id: source, path: x, outputs: [image], inputs: {ack: sink/ack}}
  - {id: prompts, path: x, outputs: [prompted], inputs: {image: source/image}}
  - {id: ensemble, path: x, outputs: [canvases], inputs: {prompted: prompts/prompted}}
  - {id: infer, path: x, outputs: [mask], inputs: {canvases: ensemble/canvases}}
  - {id: sink, path: x, outputs: [ack], inputs: {mask: infer/mask, prompted: prompts/prompted}}
  - {id: viewer, path: x, inputs: {mask: infer/mask}}
";
            let nodes = ["source", "prompts", "ensemble", "infer", "sink"];
            let looped = nodes.map(str::to_owned).into();
            let descriptor = Descriptor::parse(yaml.into()).unwrap();
            Self {
                silence: Silence::new(&descriptor, &looped),
                start: Instant::now(),
            }
        }

        fn at(&self, second: u64) -> Instant {
            self.start + Duration::from_secs(second)
        }

        fn says(&mut self, second: u64, node: &str, fields: &[(&str, &str)]) {
            let fields = fields.iter().map(|(k, v)| ((*k).into(), (*v).into()));
            let now = self.at(second);
            self.silence.observe(node, &fields.collect(), now);
        }

        fn starts(&mut self, nodes: &[&str]) {
            for node in nodes {
                self.says(0, node, &[(BUSY, "0")]);
            }
        }

        fn passes(&mut self, second: u64, node: &str, output: &str, number: &str) {
            self.says(second, node, &[(PASSED, output), (GREETING, number)]);
        }

        fn hears(&mut self, second: u64, node: &str, input: &str, number: &str) {
            self.says(second, node, &[(HEARD, input), (GREETING, number)]);
        }

        fn due(&mut self, second: u64) -> Option<Silent> {
            self.silence.due(self.at(second))
        }
    }

    const ALL: [&str; 5] = ["source", "prompts", "ensemble", "infer", "sink"];

    #[test]
    fn the_first_edge_that_did_not_hear_is_named_within_30_seconds_and_once() {
        let mut run = Run::new();
        run.starts(&ALL);
        for (second, number) in [(1, "1"), (3, "2"), (5, "3")] {
            run.passes(second, "source", "image", number);
            run.hears(second, "prompts", "image", number);
            run.passes(second, "prompts", "prompted", number);
            run.hears(second, "sink", "prompted", number);
            run.hears(second, "ensemble", "prompted", number);
            run.passes(second, "ensemble", "canvases", number);
        }
        assert_eq!(run.due(20), None);
        let text = "nothing comes through from `ensemble` to `infer`";
        assert_eq!(run.due(21), Some(Silent::Name(format!("{text} yet"))));
        assert_eq!(run.due(90), None);
        assert_eq!(run.due(91), Some(Silent::End(text.into())));
        assert_eq!(run.due(92), None);
    }

    #[test]
    fn the_node_behind_a_silent_edge_is_started_again_twice_before_the_run_ends() {
        let mut run = Run::new();
        run.starts(&ALL);
        let begin = |run: &mut Run, second, process| {
            run.says(second, "infer", &[(BUSY, "0"), (PROCESS, process)]);
            run.passes(second, "ensemble", "canvases", "1");
        };
        let restart = |process| Silent::Restart {
            edge: "nothing comes through from `ensemble` to `infer`".into(),
            node: "infer".into(),
            process,
        };
        begin(&mut run, 0, "70");
        assert!(matches!(run.due(20), Some(Silent::Name(_))));
        assert_eq!(run.due(44), None);
        assert_eq!(run.due(45), Some(restart(70)));
        assert_eq!(run.due(46), None, "it is on its way");
        run.silence.forget("infer");
        begin(&mut run, 50, "71");
        assert_eq!(run.due(95), Some(restart(71)));
        run.silence.forget("infer");
        begin(&mut run, 100, "72");
        assert_eq!(run.due(189), None);
        assert!(matches!(run.due(190), Some(Silent::End(_))));
    }

    #[test]
    fn a_node_that_loads_or_works_for_minutes_is_not_silent() {
        let mut run = Run::new();
        run.starts(&ALL);
        run.passes(1, "ensemble", "canvases", "1");
        for second in (5..600).step_by(5) {
            run.says(second, "infer", &[(BUSY, "5")]);
            assert_eq!(run.due(second + 4), None);
        }
        run.hears(600, "infer", "canvases", "1");
        assert_eq!(run.due(10_000), None);
    }

    #[test]
    fn what_is_heard_later_or_before_it_was_told_is_not_missing() {
        let mut run = Run::new();
        run.starts(&ALL);
        run.passes(1, "infer", "mask", "1");
        run.passes(3, "infer", "mask", "2");
        run.hears(4, "sink", "mask", "2");
        run.hears(5, "sink", "mask", "3");
        run.passes(5, "infer", "mask", "3");
        assert_eq!(run.due(1000), None);
    }

    #[test]
    fn behind_a_node_that_says_nothing_the_edge_is_named_early_and_ends_the_run_late() {
        let mut run = Run::new();
        run.starts(&["source", "prompts", "infer", "sink"]);
        run.passes(1, "prompts", "prompted", "1");
        run.hears(1, "sink", "prompted", "1");
        assert_eq!(run.due(20), None);
        let Some(Silent::Name(text)) = run.due(21) else {
            panic!("it is not named")
        };
        assert!(text.contains("from `ensemble` to `infer` yet"), "{text}");
        assert_eq!(run.due(22), None);
        assert_eq!(run.due(300), None);
        assert!(matches!(run.due(301), Some(Silent::End(_))));
    }

    #[test]
    fn nodes_that_ended_or_were_started_again_are_not_waited_for() {
        let mut run = Run::new();
        run.starts(&ALL);
        run.passes(1, "sink", "ack", "9");
        run.silence.ended("source");
        assert_eq!(run.due(100), None);
        run.passes(100, "infer", "mask", "9");
        run.silence.forget("sink");
        assert_eq!(run.due(200), None);
        run.passes(200, "infer", "mask", "1");
        run.silence.stop();
        assert_eq!(run.due(300), None);
    }
}
