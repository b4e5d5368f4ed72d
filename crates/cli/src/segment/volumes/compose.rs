use std::path::PathBuf;

use seggpt_flow::{
    compose::{Pools, env, fill, megabytes, resend_timeout, with_settings},
    shm,
};

use crate::{
    args::SegmentArgs,
    segment::{inputs::Inputs, windows::Windows},
    values::{Ensemble, Refine},
};

/// Everything that a composed dataflow says. Paths are absolute.
#[derive(Clone, Debug)]
pub(in crate::segment) struct Plan {
    /// OUT.
    pub out: PathBuf,
    /// OUT/.seggpt/flow: where the dataflow stands.
    pub flow: PathBuf,
    pub inputs: Inputs,
    /// Scans and their label volumes.
    pub pairs: Vec<(PathBuf, PathBuf)>,
    pub truth: Option<PathBuf>,
    /// The model file or folder.
    pub model: PathBuf,
    /// Side of the canvases in pixels.
    pub canvas: usize,
    /// Never [`Refine::Auto`].
    pub refine: Refine,
    /// Never [`Ensemble::Auto`].
    pub ensemble: Ensemble,
    /// The class table, checked.
    pub classes: Option<String>,
    /// What was asked for.
    pub args: SegmentArgs,
}

const TEMPLATE: &str = include_str!("template.yml");

/// Labelled slices next to the one that is asked.
const BESIDE: u32 = 2;

/// The dataflow as YAML. The same plan gives the same text.
pub(in crate::segment) fn compose(plan: &Plan) -> String {
    let args = &plan.args;
    let own = &args.volumes;
    let k = args.k.unwrap_or(1);
    let memory = own.memory.unwrap_or(0);
    let prompts = BESIDE + k + memory;
    let window = Windows::count(&args.windows);
    let shared = [
        ("CANVAS_SIZE", plan.canvas.to_string()),
        ("MODEL", plan.model.display().to_string()),
    ];
    let pairs = plan.pairs.iter();
    let pairs = pairs.map(|(scan, labels)| format!("{}={}", scan.display(), labels.display()));
    let mut volumes = vec![
        ("INPUTS", plan.inputs.entries.join("\n")),
        ("PROMPT_PAIRS", pairs.collect::<Vec<_>>().join("\n")),
        ("OUT", plan.out.display().to_string()),
        ("SELECT", args.select.name().to_owned()),
        ("K", k.to_string()),
        ("SEED", args.seed.to_string()),
        ("MEMORY", memory.to_string()),
        ("REPORT", (!args.no_report).to_string()),
        ("WINDOW", window.to_string()),
        ("WINDOW_MB", args.window_mb.to_string()),
        ("RESEND_S", resend_timeout(window, prompts).to_string()),
    ];
    let some = |name, value: Option<String>| value.map(|value| (name, value));
    let truth = plan.truth.as_ref().map(|truth| truth.display().to_string());
    let optional = [
        some("TRUTH", truth),
        some("AXIS", own.axis.map(|axis| axis.to_string())),
        some("TIME", own.time.map(|time| time.to_string())),
        some("GAP", own.gap.map(|gap| gap.to_string())),
        some(
            "GREY",
            Windows::grey(&args.windows).map(|grey| grey.to_string()),
        ),
        some("EMPTY_FRAMES", own.empty_frames.then(|| "true".into())),
        some("TYPE", args.seg_type.map(|kind| kind.to_string())),
        some("CLASSES", plan.classes.clone()),
    ];
    volumes.extend(optional.into_iter().flatten());
    let infer = [
        ("DEVICE", args.device.to_string()),
        ("DTYPE", args.dtype.to_string()),
        ("THREADS", args.threads.to_string()),
        ("BATCH", args.batch.to_string()),
        ("UPSCALING", args.upscaling.to_string()),
        ("REFINE", plan.refine.name().to_owned()),
    ];
    let of = |node, variables: &[(&'static str, String)]| {
        env(6, &with_settings(node, variables, &args.settings))
    };
    let ensemble = plan.ensemble.env(&args.settings);
    let pools = Pools::of(prompts, plan.canvas, shm::room());
    let file = plan.flow.join("dataflow.yml").display().to_string();
    fill(
        TEMPLATE,
        &[
            ("{file}", &file),
            ("{shared}", &env(2, &with_settings("", &shared, &[]))),
            ("{volumes}", &of("volumes", &volumes)),
            ("{ensemble}", plan.ensemble.node()),
            ("{ensemble_env}", &ensemble),
            ("{infer}", &of("infer", &infer)),
            ("{pool}", &megabytes(pools.pictures)),
            ("{canvas_pool}", &megabytes(pools.canvases)),
        ],
    )
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
        let words = ["seggpt", "segment", "--out", "/o", "--prompt", "a=b"]
            .iter()
            .chain(words)
            .chain(&["in"]);
        let Command::Segment(args) = Cli::parse_from(words).command else {
            panic!("segment was asked for")
        };
        Plan {
            out: "/o".into(),
            flow: "/o/flow".into(),
            inputs: Inputs {
                entries: vec!["/in/{pool}".into(), "/in/\"b\": #1".into()],
                lists: vec![],
            },
            pairs: vec![("/ct.nii".into(), "/two.nii".into())],
            truth: Some("/truth".into()),
            model: "/models/tiny".into(),
            canvas: 64,
            refine: Refine::None,
            ensemble: args.ensemble,
            classes: Some("1:liver:#ff0000".into()),
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
    fn the_composed_dataflow_is_wired_typed_and_says_what_was_asked() {
        let types = tempfile::tempdir().unwrap();
        seggpt_flow::compose::prepare(types.path()).unwrap();
        let mut registry = TypeRegistry::new();
        registry.load_from_dir(&types.path().join("types")).unwrap();
        let flow = parsed(&plan(&[
            "--axis",
            "coronal",
            "--memory",
            "3",
            "--gap",
            "meet",
            "--time",
            "all",
            "--window",
            "-600:1500",
            "--window",
            "8",
            "--empty-frames",
            "--ensemble",
            "joint",
        ]));
        validate::check_dataflow_static(&flow).unwrap();
        let warnings = validate::check_type_annotations_full(&flow, &registry, true).warnings;
        assert!(warnings.is_empty(), "{warnings:?}");
        for (key, expected) in [
            ("INPUTS", "/in/{pool}\n/in/\"b\": #1"),
            ("PROMPT_PAIRS", "/ct.nii=/two.nii"),
            ("TRUTH", "/truth"),
            ("AXIS", "coronal"),
            ("MEMORY", "3"),
            ("GAP", "meet"),
            ("TIME", "all"),
            ("GREY", "-600:1500"),
            ("EMPTY_FRAMES", "true"),
            ("WINDOW", "8"),
            ("CLASSES", "1:liver:#ff0000"),
        ] {
            assert_eq!(value(&flow, "volumes", key), expected);
        }
        assert_eq!(value(&flow, "ensemble", "MERGE"), "joint");
    }

    #[test]
    fn it_has_the_shape_of_the_ready_made_one() {
        let ready = include_str!("../../../../../dataflows/volumes.yml");
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
                )
            });
            nodes.collect::<Vec<_>>()
        };
        let composed = parsed(&plan(&["--ensemble", "feature"]));
        assert_eq!(
            shape(&composed),
            shape(&Descriptor::parse(ready.into()).unwrap())
        );
    }
}
