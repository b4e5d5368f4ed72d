use std::path::PathBuf;

use super::{inputs::Inputs, prompts::Prompts};
use crate::{
    args::{Ensemble, Refine, SegmentArgs},
    run::{settings::Setting, shm},
};

/// Everything that a composed dataflow says. Paths are absolute.
#[derive(Clone, Debug)]
pub struct Plan {
    /// OUT.
    pub out: PathBuf,
    /// OUT/.seggpt/flow: where the dataflow stands.
    pub flow: PathBuf,
    pub(super) inputs: Inputs,
    pub(super) prompts: Prompts,
    /// The model file or folder.
    pub model: PathBuf,
    /// Side of the canvases in pixels: that of the network's input, or larger where its answer is refined.
    pub canvas: usize,
    /// What refines the answer; never [`Refine::Auto`].
    pub refine: Refine,
    /// How several examples act together; never [`Ensemble::Auto`].
    pub ensemble: Ensemble,
    /// Examples that guide each picture.
    pub k: u32,
    /// The class table, checked.
    pub classes: Option<String>,
    /// What was asked for.
    pub args: SegmentArgs,
}

const TEMPLATE: &str = include_str!("template.yml");

/// The dataflow as YAML. The same plan gives the same text.
pub fn compose(plan: &Plan) -> String {
    let args = &plan.args;
    let shared = [
        ("CANVAS_SIZE", plan.canvas.to_string()),
        ("MODEL", plan.model.display().to_string()),
    ];
    let mut source = vec![
        ("INPUTS", plan.inputs.entries.join("\n")),
        ("RESULTS", plan.out.display().to_string()),
        ("WINDOW", args.window.to_string()),
        ("RESEND_S", patience(args.window, plan.k).to_string()),
    ];
    let mut prompts = vec![
        plan.prompts.setting(),
        ("SELECT", args.select.word().to_owned()),
        ("K", plan.k.to_string()),
        ("SEED", args.seed.to_string()),
    ];
    prompts.extend(args.seg_type.map(|kind| ("TYPE", kind.word().to_owned())));
    let mask_mode = args.mask_mode.map(|mode| ("MASK_MODE", mode.to_string()));
    prompts.extend(mask_mode);
    let exif = args.exif.map(|exif| ("EXIF", exif.to_string()));
    prompts.extend(exif.clone());
    source.extend(exif);
    prompts.extend(plan.classes.clone().map(|classes| ("CLASSES", classes)));
    let infer = [
        ("DEVICE", args.device.to_string()),
        ("DTYPE", args.dtype.to_string()),
        ("THREADS", args.threads.to_string()),
        ("AT_ONCE", args.at_once.to_string()),
        ("UPSCALING", args.upscaling.word().to_owned()),
        ("REFINE", plan.refine.word().to_owned()),
        (
            "INSTANCES",
            if args.instances { "components" } else { "none" }.to_owned(),
        ),
    ];
    let sink = [
        ("OUT", plan.out.display().to_string()),
        ("MASK", args.mask.word().to_owned()),
        ("OVERLAY", (!args.no_overlay).to_string()),
        ("CONFIDENCE", (!args.no_confidence).to_string()),
        ("PAINTED", args.painted.to_string()),
        ("REPORT", (!args.no_report).to_string()),
    ];
    let of = |node, variables: &[(&'static str, String)]| {
        env(6, &with_settings(node, variables, &args.settings))
    };
    let ensemble = match of("ensemble", &plan.ensemble.settings()) {
        lines if lines.is_empty() => String::new(),
        lines => format!("\n    env:\n{lines}"),
    };
    let pools = Pools::of(plan.k, plan.canvas, shm::room());
    let file = plan.flow.join("dataflow.yml").display().to_string();
    fill(
        TEMPLATE,
        &[
            ("{file}", &file),
            ("{shared}", &env(2, &with_settings("", &shared, &[]))),
            ("{source}", &of("source", &source)),
            ("{prompts}", &of("prompts", &prompts)),
            ("{ensemble}", plan.ensemble.node()),
            ("{ensemble_env}", &ensemble),
            ("{infer}", &of("infer", &infer)),
            ("{sink}", &of("sink", &sink)),
            ("{pool}", &megabytes(pools.pictures)),
            ("{canvas_pool}", &megabytes(pools.canvases)),
        ],
    )
}

/// A node's variables, with those of `--set` in their place or behind.
pub(crate) fn with_settings<'a>(
    node: &str,
    variables: &'a [(&'static str, String)],
    settings: &'a [Setting],
) -> Vec<(&'a str, &'a str)> {
    let mut all: Vec<_> = variables
        .iter()
        .map(|(key, value)| (*key, value.as_str()))
        .collect();
    for set in settings.iter().filter(|set| set.node == node) {
        match all.iter_mut().find(|(key, _)| *key == set.key) {
            Some((_, value)) => *value = &set.value,
            None => all.push((&set.key, &set.value)),
        }
    }
    all
}

/// Replaces markers in one pass, so that a path that looks like a marker stays a path.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match values.iter().find(|(marker, _)| rest.starts_with(marker)) {
            Some((marker, value)) => {
                out.push_str(value);
                rest = &rest[marker.len()..];
            }
            None => {
                out.push('{');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

/// The lines of an `env:` block.
pub(crate) fn env(indent: usize, variables: &[(&str, &str)]) -> String {
    let lines = variables
        .iter()
        .map(|(key, value)| format!("{:indent$}{}: {}", "", scalar(key), scalar(value)));
    lines.collect::<Vec<_>>().join("\n")
}

/// A YAML scalar that dora reads as exactly this text: plain where that is safe, else quoted; `$` would be expanded.
fn scalar(value: &str) -> String {
    let is_plain = value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if is_plain {
        value.to_owned()
    } else {
        serde_json::Value::from(value.replace('$', "$$")).to_string()
    }
}

/// Seconds after which a picture is sent again: a published-size network on a slow CPU takes about a minute an example,
/// and the last picture of the window waits for all before it.
pub(crate) fn patience(window: u32, k: u32) -> u32 {
    (60 * window * k).max(600)
}

/// Bytes of shared memory for a node that sends whole pictures, and for the one that sends canvases.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pools {
    pub pictures: u64,
    pub canvases: u64,
}

/// A large picture, or a mask with its confidence: planes beyond 16 MiB travel encoded, and Arrow adds an eighth.
const PICTURE: u64 = 40 << 20;
const SMALLEST: u64 = shm::DEFAULT_POOL;

impl Pools {
    /// Room for a message that is read, one that waits and one that is written, within `room` bytes for all.
    pub fn of(k: u32, canvas: usize, room: Option<u64>) -> Self {
        let square = (canvas * canvas * 3) as u64;
        // Prompts and their masks, the query, and the eighth.
        let canvases = square * (2 * u64::from(k) + 1) * 9 / 8;
        let wanted = Self {
            pictures: 3 * (PICTURE + canvases),
            canvases: (3 * canvases).max(SMALLEST),
        };
        // Three nodes send pictures, one canvases; the sink has the default.
        let total = 3 * wanted.pictures + wanted.canvases;
        let budget = room.map_or(total, |bytes| bytes.saturating_sub(shm::DEFAULT_POOL));
        if total <= budget {
            return wanted;
        }
        let share = u128::from(wanted.canvases) * u128::from(budget) / u128::from(total);
        let canvases = (share as u64).max(SMALLEST);
        let pictures = (budget.saturating_sub(canvases) / 3).max(SMALLEST);
        Self { pictures, canvases }
    }
}

pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{}MB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::Parser;
    use dora_core::{
        descriptor::{Descriptor, DescriptorExt, validate},
        types::TypeRegistry,
    };

    use super::*;
    use crate::args::{Cli, Command};

    fn plan(words: &[&str]) -> Plan {
        let words = ["seggpt", "segment", "--out", "/o u't/$x", "--prompt", "a=b"]
            .iter()
            .chain(words)
            .chain(&["in"]);
        let Command::Segment(args) = Cli::parse_from(words).command else {
            panic!("segment was asked for")
        };
        Plan {
            out: "/o u't/$x".into(),
            flow: "/o u't/$x/flow".into(),
            inputs: Inputs {
                entries: vec!["/in/{pool}".into(), "/in/\"b\": #1".into()],
                lists: vec![],
            },
            prompts: Prompts {
                library: None,
                pairs: vec![("/a.png".into(), "/b.png".into())],
                count: Some(1),
            },
            model: "/models/tiny".into(),
            canvas: 64,
            refine: Refine::None,
            ensemble: args.ensemble,
            k: 1,
            classes: Some("1:cell:#ff0000".into()),
            args: *args,
        }
    }

    fn parsed(plan: &Plan) -> Descriptor {
        Descriptor::parse(compose(plan).into_bytes()).unwrap()
    }

    fn value(flow: &Descriptor, node: &str, key: &str) -> String {
        let node = flow.nodes.iter().find(|n| n.id.as_ref() == node).unwrap();
        node.env.as_ref().unwrap()[key].to_string()
    }

    #[test]
    fn the_composed_dataflow_is_wired_and_typed() {
        let types = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(types.path().join("seggpt/flow")).unwrap();
        std::fs::write(
            types.path().join("seggpt/flow/v1.yml"),
            crate::run::types::TYPES,
        )
        .unwrap();
        let mut registry = TypeRegistry::new();
        registry.load_from_dir(types.path()).unwrap();
        for (ensemble, node) in [
            ("feature", "seggpt-ensemble-feature"),
            ("joint", "seggpt-ensemble-feature"),
            ("spatial", "seggpt-ensemble-spatial"),
            ("vote", "seggpt-ensemble-vote"),
        ] {
            let flow = parsed(&plan(&["--ensemble", ensemble]));
            validate::check_dataflow_static(&flow).unwrap();
            let warnings = validate::check_type_annotations_full(&flow, &registry, true).warnings;
            assert!(warnings.is_empty(), "{warnings:?}");
            assert_eq!(flow.nodes[2].path.as_deref(), Some(node));
            if ensemble == "joint" {
                assert_eq!(value(&flow, "ensemble", "MERGE"), "joint");
            }
        }
    }

    #[test]
    fn it_has_the_shape_of_the_ready_made_one() {
        let ready = include_str!("../../../../dataflows/folder.yml");
        let shape = |flow: &Descriptor| {
            let nodes = flow.nodes.iter().map(|node| {
                let edges = serde_json::to_value((
                    &node.inputs,
                    &node.outputs,
                    &node.input_types,
                    &node.output_types,
                ));
                (
                    node.id.to_string(),
                    node.path.clone(),
                    edges.unwrap().to_string(),
                    node.finish_grace_secs,
                )
            });
            (flow.strict_types, nodes.collect::<Vec<_>>())
        };
        assert_eq!(
            shape(&parsed(&plan(&[]))),
            shape(&Descriptor::parse(ready.into()).unwrap())
        );
    }

    #[test]
    fn every_text_arrives_as_it_was() {
        let flow = parsed(&plan(&[
            "--painted",
            "--no-report",
            "--type",
            "semantic",
            "--seed",
            "7",
        ]));
        assert_eq!(
            value(&flow, "source", "INPUTS"),
            "/in/{pool}\n/in/\"b\": #1"
        );
        assert_eq!(value(&flow, "source", "RESULTS"), "/o u't/$x");
        assert_eq!(value(&flow, "prompts", "PROMPT_PAIRS"), "/a.png=/b.png");
        assert_eq!(value(&flow, "prompts", "CLASSES"), "1:cell:#ff0000");
        assert_eq!(value(&flow, "prompts", "TYPE"), "semantic");
        assert_eq!(value(&flow, "prompts", "SEED"), "7");
        assert_eq!(value(&flow, "sink", "PAINTED"), "true");
        assert_eq!(value(&flow, "sink", "REPORT"), "false");
    }

    #[test]
    fn settings_are_part_of_the_dataflow() {
        let flow = parsed(&plan(&[
            "--set",
            "infer.DEVICE=cuda:1",
            "--set",
            "infer.THREADS=2",
            "--set",
            "ensemble.GRID=$3",
        ]));
        assert_eq!(value(&flow, "infer", "DEVICE"), "cuda:1");
        assert_eq!(value(&flow, "infer", "THREADS"), "2");
        assert_eq!(value(&flow, "ensemble", "GRID"), "$3");
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        let text = compose(&plan(&[]));
        assert!(
            !TEMPLATE.is_empty() && !text.contains("{s") && text.matches("{pool}").count() == 1,
            "{text}"
        );
    }

    #[test]
    fn pools_hold_three_messages_and_shrink_to_the_room_there_is() {
        let pools = |room| Pools::of(1, 64, room);
        let roomy = pools(None);
        assert!(roomy.pictures >= 3 * PICTURE);
        assert_eq!(roomy.canvases, SMALLEST);
        assert!(pools(Some(250 << 20)).pictures < roomy.pictures);
        assert_eq!(
            pools(Some(16 << 20)),
            Pools {
                pictures: SMALLEST,
                canvases: SMALLEST
            }
        );
    }

    #[test]
    fn pools_with_the_sinks_own_fit_the_room() {
        for (k, canvas) in [(1, 64), (4, 448), (16, 896)] {
            for room in [64, 100, 250, 400, 4000].map(|megabytes| megabytes << 20) {
                let pools = Pools::of(k, canvas, Some(room));
                let sum = 3 * pools.pictures + pools.canvases + shm::DEFAULT_POOL;
                assert!(sum <= room, "{k} of {canvas} in {room}: {pools:?}");
            }
        }
    }

    #[test]
    fn patience_grows_with_the_work() {
        assert_eq!(patience(4, 1), 600);
        assert_eq!(patience(4, 9), 2160);
    }
}
