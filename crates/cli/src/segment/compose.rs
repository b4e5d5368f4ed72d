use std::path::PathBuf;

use seggpt_flow::{
    compose::{Pools, env, fill, megabytes, resend_timeout, with_settings},
    shm,
};

use super::{inputs::Inputs, maps, prompts::Prompts, windows::Windows};
use crate::{
    args::SegmentArgs,
    values::{Ensemble, Refine},
};

/// Everything that a composed dataflow says. Paths are absolute.
#[derive(Clone, Debug)]
pub struct Plan {
    /// OUT.
    pub out: PathBuf,
    /// OUT/.seggpt/flow: where the dataflow stands.
    pub flow: PathBuf,
    /// Whether the inputs are maps, to be cut into tiles; else pictures.
    pub maps: bool,
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
    /// Examples that were cut out of maps, to be written beside the dataflow: paths and contents.
    pub files: Vec<(PathBuf, Vec<u8>)>,
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
        ("WINDOW", Windows::count(&args.windows).to_string()),
        ("WINDOW_MB", args.window_mb.to_string()),
        (
            "RESEND_S",
            resend_timeout(Windows::count(&args.windows), plan.k).to_string(),
        ),
    ];
    let mut prompts = plan.prompts.settings();
    prompts.extend([
        ("SELECT", args.select.name().to_owned()),
        ("K", plan.k.to_string()),
        ("SEED", args.seed.to_string()),
    ]);
    prompts.extend(args.seg_type.map(|kind| ("TYPE", kind.to_string())));
    let mask_mode = args.mask_mode.map(|mode| ("MASK_MODE", mode.to_string()));
    prompts.extend(mask_mode);
    let exif = args.exif.map(|exif| ("EXIF", exif.to_string()));
    prompts.extend(exif.clone());
    match plan.maps {
        true => source.extend(maps::source(args)),
        false => source.extend(exif),
    }
    prompts.extend(plan.classes.clone().map(|classes| ("CLASSES", classes)));
    let mut infer = vec![
        ("DEVICE", args.device.to_string()),
        ("DTYPE", args.dtype.to_string()),
        ("THREADS", args.threads.to_string()),
        ("BATCH", args.batch.to_string()),
        ("UPSCALING", args.upscaling.to_string()),
        ("REFINE", plan.refine.name().to_owned()),
        (
            "INSTANCES",
            match args.instances && !plan.maps {
                // Regions of a map end where its tiles do; the sink knows them whole.
                true => "components",
                false => "none",
            }
            .to_owned(),
        ),
    ];
    infer.extend(plan.maps.then(|| ("SHARES", "true".to_owned())));
    let sink = match plan.maps {
        true => std::iter::once(("OUT", plan.out.display().to_string()))
            .chain(maps::sink(args))
            .collect(),
        false => pictures_sink(plan),
    };
    let of = |node, variables: &[(&'static str, String)]| {
        env(6, &with_settings(node, variables, &args.settings))
    };
    let ensemble = plan.ensemble.env(&args.settings);
    let (sink_inputs, sink_types) = match plan.maps {
        true => (
            "      mask: { source: infer/mask, queue_size: 64 }",
            "{ mask: seggpt/flow/v1/Mask }",
        ),
        false => (
            "      mask: { source: infer/mask, queue_size: 64 }\n      prompted: { source: prompts/prompted, queue_size: 64 }",
            "{ mask: seggpt/flow/v1/Mask, prompted: seggpt/flow/v1/Prompted }",
        ),
    };
    let (source_node, sink_node) = match plan.maps {
        true => ("seggpt-source-geotiff", "seggpt-sink-geotiff"),
        false => ("seggpt-source-images", "seggpt-sink-files"),
    };
    let pools = Pools::of(plan.k, plan.canvas, shm::room());
    let file = plan.flow.join("dataflow.yml").display().to_string();
    fill(
        TEMPLATE,
        &[
            ("{file}", &file),
            ("{shared}", &env(2, &with_settings("", &shared, &[]))),
            ("{source_node}", source_node),
            ("{sink_node}", sink_node),
            ("{sink_inputs}", sink_inputs),
            ("{sink_types}", sink_types),
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

/// What the sink of pictures is told.
fn pictures_sink(plan: &Plan) -> Vec<(&'static str, String)> {
    let args = &plan.args;
    let mut sink = vec![
        ("OUT", plan.out.display().to_string()),
        ("MASK", args.mask.name().to_owned()),
        ("OVERLAY", (!args.no_overlay).to_string()),
        ("CONFIDENCE", (!args.no_confidence).to_string()),
        ("RAW", args.raw.to_string()),
        ("REPORT", (!args.no_report).to_string()),
    ];
    if !args.exports.is_empty() {
        let words: Vec<_> = args.exports.iter().map(|export| export.name()).collect();
        sink.push(("EXPORT", words.join(",")));
    }
    sink
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
            maps: false,
            inputs: Inputs {
                entries: vec!["/in/{pool}".into(), "/in/\"b\": #1".into()],
                lists: vec![],
            },
            prompts: Prompts {
                library: None,
                images: None,
                pairs: vec![("/a.png".into(), "/b.png".into())],
                count: Some(1),
            },
            model: "/models/tiny".into(),
            canvas: 64,
            refine: Refine::None,
            ensemble: args.ensemble,
            k: 1,
            files: vec![],
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
        seggpt_flow::compose::prepare(types.path()).unwrap();
        let mut registry = TypeRegistry::new();
        registry.load_from_dir(&types.path().join("types")).unwrap();
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
        let folder = include_str!("../../../../dataflows/folder.yml");
        let aerial = include_str!("../../../../dataflows/aerial.yml");
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
        for (maps, ready) in [(false, folder), (true, aerial)] {
            let plan = Plan { maps, ..plan(&[]) };
            assert_eq!(
                shape(&parsed(&plan)),
                shape(&Descriptor::parse(ready.into()).unwrap())
            );
        }
    }

    #[test]
    fn every_text_arrives_as_it_was() {
        let flow = parsed(&plan(&[
            "--raw",
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
        assert_eq!(value(&flow, "sink", "RAW"), "true");
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
    fn maps_are_cut_into_tiles_whose_shares_travel() {
        let words = [
            "--tile",
            "256",
            "--overlap",
            "0.1",
            "--bands",
            "3,2,1",
            "--nodata",
            "nan",
        ];
        let flow = parsed(&Plan {
            maps: true,
            ..plan(&words)
        });
        assert_eq!(value(&flow, "source", "TILE"), "256");
        assert_eq!(value(&flow, "source", "OVERLAP"), "0.1");
        assert_eq!(value(&flow, "source", "BANDS"), "3,2,1");
        // The engine makes numbers of what reads as one, and this is how it writes it.
        assert_eq!(value(&flow, "source", "NODATA"), "NaN");
        assert_eq!(value(&flow, "infer", "SHARES"), "true");
        assert_eq!(flow.nodes[0].path.as_deref(), Some("seggpt-source-geotiff"));
        assert_eq!(flow.nodes[4].path.as_deref(), Some("seggpt-sink-geotiff"));
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        let text = compose(&plan(&[]));
        assert!(
            !TEMPLATE.is_empty() && !text.contains("{s") && text.matches("{pool}").count() == 1,
            "{text}"
        );
    }
}
