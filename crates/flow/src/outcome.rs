//! How a run ended, from what the engine and the sinks say: the exit code and the lines that explain it.

use std::collections::BTreeSet;

use dora_message::{
    common::{NodeError, NodeErrorCause},
    coordinator_to_cli::DataflowResult,
};

use seggpt_node::outcome::GONE;

use crate::{
    Exit,
    progress::{Tally, time},
    watch::LastLines,
};

/// Failed items that are listed; the report has them all.
const LISTED: usize = 20;

/// The end of a node that did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeFailure {
    node: String,
    cause: Cause,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Cause {
    /// It went by itself: how, and what it wrote to standard error.
    Own { how: String, stderr: String },
    /// Another node was first.
    Another,
    /// It did not end when asked to.
    Unresponsive,
}

impl NodeFailure {
    /// Whether the node gave up because another one had. Which of them ends first is chance.
    fn follows(&self, lines: &LastLines) -> bool {
        let Cause::Own { stderr, .. } = &self.cause else {
            return false;
        };
        let words = lines.of(&self.node);
        words.iter().any(|line| line.contains(GONE)) || (words.is_empty() && stderr.contains(GONE))
    }
}

/// What happened, apart from the items.
pub(crate) struct Events {
    pub interrupted: bool,
    /// `--stop-after` was given: then an early end is no loss.
    pub timed: bool,
    /// A node that ended with an error of its own, and what it said.
    pub gave_up: Option<(String, String)>,
    /// Nodes that died when nothing was left for them to do.
    pub late: BTreeSet<String>,
    /// The edge that nothing came through, which ended the run.
    pub silent: Option<String>,
    pub engine: Result<Vec<NodeFailure>, String>,
}

/// Exit code and summary.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub exit: Exit,
    pub summary: Vec<String>,
}

/// Nodes that did not end well, in the order in which they ended.
pub(crate) fn node_failures(result: &DataflowResult) -> Vec<NodeFailure> {
    let failed = result
        .node_results
        .iter()
        .filter_map(|(node, result)| Some((node, result.as_ref().err()?)));
    let mut failed: Vec<_> = failed.collect();
    failed.sort_by_key(|(_, error)| error.timestamp);
    failed
        .into_iter()
        .map(|(node, error)| NodeFailure {
            node: node.to_string(),
            cause: cause(error),
        })
        .collect()
}

fn cause(error: &NodeError) -> Cause {
    match &error.cause {
        NodeErrorCause::Cascading { .. } => Cause::Another,
        NodeErrorCause::GraceDuration => Cause::Unresponsive,
        NodeErrorCause::FailedToSpawn(reason) => Cause::Own {
            how: format!("could not be started: {reason}"),
            stderr: String::new(),
        },
        NodeErrorCause::Other { stderr } => {
            // dora appends the stderr to the sentence.
            let how = error.to_string();
            let how = how
                .split(" with stderr output:")
                .next()
                .unwrap_or_default()
                .to_owned();
            Cause::Own {
                how,
                stderr: stderr.clone(),
            }
        }
    }
}

/// dora's own words for messages that it dropped although their edge forbade it.
const LOST: &str = "queue_policy: backpressure were dropped";

pub(crate) fn conclude(events: &Events, tally: &Tally, lines: &LastLines) -> Outcome {
    let mut summary: Vec<String> = events.silent.iter().cloned().collect();
    let mut broken = !summary.is_empty();
    let gave_up = events.gave_up.as_ref().filter(|_| !events.interrupted);
    if let Some((node, error)) = gave_up {
        broken = true;
        summary.push(format!("node `{node}` gave up: {error}"));
    }
    match &events.engine {
        Err(error) if error.contains(LOST) && tally.is_complete() => {
            summary
                .push("messages were dropped on the way and sent again; nothing is missing".into());
        }
        Err(_) if events.interrupted => {}
        Err(error) if error.contains(LOST) && events.timed => {}
        Err(error) => {
            broken = true;
            let what = if error.contains(LOST) {
                "messages were lost"
            } else {
                "the engine failed"
            };
            summary.push(format!("{what}: {error}"));
        }
        Ok(failures) => {
            let mut in_order: Vec<&NodeFailure> = failures.iter().collect();
            in_order.sort_by_key(|failure| failure.follows(lines));
            for failure in in_order {
                // Reported already, or all is done and reported, and it had nothing left to do.
                let is_reported = gave_up.is_some_and(|(node, _)| *node == failure.node);
                let is_over = events.late.contains(&failure.node)
                    && tally.is_complete()
                    && !tally.reports.is_empty();
                if is_reported || is_over {
                    continue;
                }
                let described = describe(failure, events, lines, broken);
                broken |= !described.is_empty();
                summary.extend(described);
            }
            if !broken
                && failures
                    .iter()
                    .any(|failure| failure.cause == Cause::Another)
                && !events.interrupted
            {
                broken = true;
                summary.push("a node ended before it had joined the dataflow".into());
            }
        }
    }
    let progress = tally.progress();
    let missing = progress
        .total
        .map_or(0, |total| total.saturating_sub(progress.finished));
    if missing > 0 && !broken && !events.interrupted && !events.timed {
        broken = true;
        summary.push(format!(
            "{missing} of {} items never came back: their messages were lost",
            missing + progress.finished
        ));
    }

    let exit = if events.interrupted {
        Exit::Interrupted
    } else if broken {
        Exit::Engine
    } else if progress.failed > 0 {
        Exit::SomeFailed
    } else {
        Exit::Done
    };
    let mut all = items(tally);
    if exit == Exit::Done && all.is_empty() && !tally.reports.is_empty() {
        all.push("nothing was left to do: all items were done before".into());
    }
    all.append(&mut summary);
    if exit == Exit::Interrupted {
        all.push("interrupted".into());
    }
    Outcome { exit, summary: all }
}

/// The lines about one node; none if it only followed others. After the first failure, a line each is enough.
fn describe(
    failure: &NodeFailure,
    events: &Events,
    lines: &LastLines,
    briefly: bool,
) -> Vec<String> {
    let NodeFailure { node, cause } = failure;
    match cause {
        Cause::Another => Vec::new(),
        Cause::Unresponsive if events.interrupted || events.timed => Vec::new(),
        Cause::Own { .. } if events.interrupted => Vec::new(),
        Cause::Unresponsive => vec![format!(
            "node `{node}` did not end after its inputs had, and was killed"
        )],
        Cause::Own { how, stderr } => {
            let mut last = lines.of(node);
            if last.is_empty() {
                last = stderr.lines().map(str::to_owned).collect();
            }
            if briefly {
                let word = last
                    .last()
                    .map(|line| format!(": {}", line.trim()))
                    .unwrap_or_default();
                return vec![format!("then node `{node}` {how}{word}")];
            }
            let head = if last.is_empty() {
                format!("node `{node}` {how} and said nothing")
            } else {
                format!("node `{node}` {how}; its last lines:")
            };
            std::iter::once(head)
                .chain(last.into_iter().map(|line| format!("    {line}")))
                .collect()
        }
    }
}

/// How many items ended how, and those that failed.
fn items(tally: &Tally) -> Vec<String> {
    if tally.is_empty() {
        return Vec::new();
    }
    let progress = tally.progress();
    let of = progress
        .total
        .map(|total| format!(" of {total}"))
        .unwrap_or_default();
    let done = progress.finished.saturating_sub(progress.failed);
    let failed = if progress.failed > 0 {
        format!(", {} failed", progress.failed)
    } else {
        String::new()
    };
    let mut lines = vec![format!(
        "{done}{of} done{failed}, in {}",
        time(tally.elapsed())
    )];
    lines.extend(
        tally
            .failures
            .iter()
            .take(LISTED)
            .map(|(item, error)| format!("  {item}: {error}")),
    );
    if tally.failures.len() > LISTED {
        lines.push(format!(
            "  ... and {} more, see the report",
            tally.failures.len() - LISTED
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use seggpt_node::outcome::TARGET;

    use super::*;

    fn tally(total: u64, failed: &[&str], done: u64) -> Tally {
        let mut tally = Tally::new();
        let failed = failed.iter().map(|item| ((*item).to_owned(), "failed"));
        let items = failed.chain((0..done).map(|number| (format!("item {number}"), "done")));
        for (number, (item, status)) in items.enumerate() {
            let error = if status == "failed" { "no picture" } else { "" };
            let pairs = [
                ("item", item),
                ("status", status.into()),
                ("finished", (number + 1).to_string()),
                ("total", total.to_string()),
                ("error", error.into()),
            ];
            let fields = pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect();
            tally.take("sink", Some(TARGET), Some(&fields));
        }
        tally
    }

    fn outcome(engine: Result<Vec<NodeFailure>, String>, tally: &Tally) -> (u8, String) {
        let events = Events { engine, ..events() };
        concluded(&events, tally)
    }

    fn events() -> Events {
        Events {
            interrupted: false,
            timed: false,
            gave_up: None,
            late: BTreeSet::new(),
            silent: None,
            engine: Ok(vec![]),
        }
    }

    fn concluded(events: &Events, tally: &Tally) -> (u8, String) {
        let mut lines = LastLines::default();
        lines.keep("infer", "error", "out of memory");
        let outcome = conclude(events, tally, &lines);
        (outcome.exit.code(), outcome.summary.join("\n"))
    }

    fn died(node: &str, cause: Cause) -> NodeFailure {
        NodeFailure {
            node: node.into(),
            cause,
        }
    }

    fn own() -> Cause {
        Cause::Own {
            how: "exited with code 1".into(),
            stderr: "Error: oh".into(),
        }
    }

    #[test]
    fn all_done_is_0() {
        let (code, text) = outcome(Ok(vec![]), &tally(3, &[], 3));
        assert_eq!(code, 0);
        assert!(text.starts_with("3 of 3 done, in"), "{text}");
    }

    #[test]
    fn a_dataflow_without_our_sink_simply_ends() {
        assert_eq!(outcome(Ok(vec![]), &Tally::new()), (0, String::new()));
    }

    #[test]
    fn a_report_without_items_is_that_of_an_earlier_run() {
        let mut tally = Tally::new();
        let report = [("report".to_owned(), "/o/report.html".to_owned())].into();
        tally.take("sink", Some(TARGET), Some(&report));
        let (code, text) = outcome(Ok(vec![]), &tally);
        assert_eq!(code, 0);
        assert!(text.contains("done before"), "{text}");
    }

    #[test]
    fn failed_items_are_1_and_listed() {
        let (code, text) = outcome(Ok(vec![]), &tally(3, &["bad.png"], 2));
        assert_eq!(code, 1);
        assert!(
            text.contains("2 of 3 done, 1 failed") && text.contains("bad.png: no picture"),
            "{text}"
        );
    }

    #[test]
    fn a_long_list_is_cut() {
        let names: Vec<_> = (0..LISTED + 5)
            .map(|number| format!("bad {number}"))
            .collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let (_, text) = outcome(Ok(vec![]), &tally(names.len() as u64, &names, 0));
        assert!(text.ends_with("... and 5 more, see the report"), "{text}");
    }

    #[test]
    fn a_dead_node_is_3_with_its_name_and_last_lines() {
        let failures = vec![died("infer", own()), died("sink", Cause::Another)];
        let (code, text) = outcome(Ok(failures), &tally(3, &[], 1));
        assert_eq!(code, 3);
        assert!(
            text.contains("`infer` exited with code 1") && text.contains("error: out of memory"),
            "{text}"
        );
        assert!(
            !text.contains("sink") && !text.contains("never came back"),
            "{text}"
        );
        let (_, text) = outcome(Ok(vec![died("source", own())]), &Tally::new());
        assert!(
            text.contains("Error: oh"),
            "without lines of its own, its standard error: {text}"
        );
    }

    #[test]
    fn a_node_that_gave_up_is_3_with_its_words_also_where_it_was_started_again() {
        let gave_up = Some(("sink".to_owned(), "out/x.png: no space left".to_owned()));
        for failures in [vec![], vec![died("sink", own())]] {
            let events = Events {
                gave_up: gave_up.clone(),
                engine: Ok(failures),
                ..events()
            };
            let (code, text) = concluded(&events, &tally(3, &[], 1));
            assert_eq!(code, 3);
            assert!(
                text.ends_with("node `sink` gave up: out/x.png: no space left"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_failure_when_all_is_done_and_reported_and_the_inputs_are_closed_is_none() {
        let events = |late: &[&str]| Events {
            late: late.iter().map(|node| (*node).to_owned()).collect(),
            engine: Ok(vec![died("infer", own())]),
            ..events()
        };
        let report = [("report".to_owned(), "/o/report.html".to_owned())].into();
        let mut complete = tally(3, &[], 3);
        assert_eq!(
            concluded(&events(&["infer"]), &complete).0,
            3,
            "no report yet"
        );
        complete.take("sink", Some(TARGET), Some(&report));
        assert_eq!(concluded(&events(&["infer"]), &complete).0, 0);
        assert_eq!(concluded(&events(&[]), &complete).0, 3);
        let mut half = tally(3, &[], 2);
        half.take("sink", Some(TARGET), Some(&report));
        assert_eq!(concluded(&events(&["infer"]), &half).0, 3);
    }

    #[test]
    fn failures_that_follow_take_a_line() {
        let (_, text) = outcome(
            Ok(vec![died("infer", own()), died("source", own())]),
            &Tally::new(),
        );
        assert!(
            text.ends_with("then node `source` exited with code 1: Error: oh"),
            "{text}"
        );
    }

    #[test]
    fn napari_6044_who_gave_up_for_another_is_no_cause() {
        let gone = Cause::Own {
            how: "exited with code 1".into(),
            stderr: "Error: the acknowledgements ended after 0 of 3 pictures: the sink is gone"
                .into(),
        };
        let failures = vec![died("source", gone), died("prompts", own())];
        let (_, text) = outcome(Ok(failures), &Tally::new());
        assert!(text.starts_with("node `prompts` exited"), "{text}");
        assert!(text.contains("then node `source` exited"), "{text}");
    }

    #[test]
    fn items_that_never_came_back_are_3() {
        let (code, text) = outcome(Ok(vec![]), &tally(5, &["a"], 2));
        assert_eq!(code, 3);
        assert!(text.contains("2 of 5 items never came back"), "{text}");
    }

    #[test]
    fn dropped_messages_matter_only_if_something_is_missing() {
        let lost = || Err(format!("2 message(s) on inputs with {LOST}"));
        assert_eq!(outcome(lost(), &tally(3, &[], 3)).0, 0);
        assert_eq!(outcome(lost(), &tally(3, &[], 2)).0, 3);
        assert_eq!(outcome(lost(), &Tally::new()).0, 3);
    }

    #[test]
    fn an_interrupted_run_is_130_whatever_its_nodes_did() {
        let interrupted = |engine| {
            concluded(
                &Events {
                    interrupted: true,
                    engine,
                    ..events()
                },
                &tally(5, &["a"], 2),
            )
            .0
        };
        assert_eq!(
            interrupted(Ok(vec![died("infer", Cause::Unresponsive)])),
            130
        );
        assert_eq!(
            interrupted(Err("received second ctrl-c signal".into())),
            130
        );
    }

    #[test]
    fn a_run_that_was_to_stop_early_has_lost_nothing() {
        let events = Events {
            timed: true,
            engine: Ok(vec![died("camera", Cause::Unresponsive)]),
            ..events()
        };
        assert_eq!(concluded(&events, &tally(5, &[], 2)).0, 0);
        let events = Events {
            engine: Err(format!("8 message(s) with {LOST}")),
            ..events
        };
        assert_eq!(concluded(&events, &Tally::new()).0, 0);
    }

    #[test]
    fn a_silent_edge_is_3_and_told_first() {
        let events = Events {
            silent: Some("nothing comes through from `ensemble` to `infer`".into()),
            engine: Ok(vec![died("infer", Cause::Unresponsive)]),
            ..events()
        };
        let (code, text) = concluded(&events, &tally(3, &[], 1));
        assert_eq!(code, 3);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "nothing comes through from `ensemble` to `infer`");
        assert!(!text.contains("never came back"), "{text}");
    }

    #[test]
    fn an_unresponsive_node_is_3() {
        assert_eq!(
            outcome(Ok(vec![died("camera", Cause::Unresponsive)]), &Tally::new()).0,
            3
        );
    }
}
