//! The dataflow of a clip or a camera.

use std::path::PathBuf;

use seggpt_flow::{
    compose::{Pools, env, fill, megabytes, resend_timeout, with_settings},
    shm,
};
use seggpt_prompt_library::memory::Policy;

use super::{args::VideoArgs, camera::Camera};
use crate::values::{Ensemble, Refine};

/// Everything that a composed dataflow says. Paths are absolute.
#[derive(Clone, Debug)]
pub struct Plan {
    /// OUT.
    pub out: PathBuf,
    /// OUT/.seggpt/flow: where the dataflow stands.
    pub flow: PathBuf,
    /// Where frames come from.
    pub source: Source,
    /// What the prompts node is told of the examples.
    pub prompts: Vec<(&'static str, String)>,
    /// The model file or folder.
    pub model: PathBuf,
    /// Side of the canvases in pixels.
    pub canvas: usize,
    /// What refines the answer; never [`Refine::Auto`].
    pub refine: Refine,
    /// How several examples act together; never [`Ensemble::Auto`].
    pub ensemble: Ensemble,
    /// Examples that guide each frame.
    pub k: u32,
    /// What was asked for.
    pub args: VideoArgs,
}

/// Where frames come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A clip, as the source node is told of it.
    Clip(String),
    /// A camera node.
    Camera(Camera),
}

const CLIP: &str = include_str!("clip.yml");
const CAMERA: &str = include_str!("camera.yml");
const MIDDLE: &str = include_str!("middle.yml");

/// With memory, answers come back to the prompts node before the sink has them.
const REMEMBERING: &str = "      mask: { source: infer/mask, queue_size: 64 }
    outputs: [prompted, mask]
    input_types: { image: seggpt/flow/v1/Image, mask: seggpt/flow/v1/Mask }
    output_types: { prompted: seggpt/flow/v1/Prompted, mask: seggpt/flow/v1/Mask }";
const FORGETTING: &str = "    outputs: [prompted]
    input_types: { image: seggpt/flow/v1/Image }
    output_types: { prompted: seggpt/flow/v1/Prompted }";

/// The dataflow as YAML. The same plan gives the same text.
pub fn compose(plan: &Plan) -> String {
    let args = &plan.args;
    let remembers = args.memory != Policy::None;
    let (wires, masks) = match remembers {
        true => (REMEMBERING, "prompts/mask"),
        false => (FORGETTING, "infer/mask"),
    };
    let of = |node, variables: &[(&'static str, String)]| {
        env(6, &with_settings(node, variables, &args.settings))
    };
    let shared = [
        ("CANVAS_SIZE", plan.canvas.to_string()),
        ("MODEL", plan.model.display().to_string()),
    ];
    let ensemble = plan.ensemble.env(&args.settings);
    let guides = plan.k + if remembers { args.memory_k } else { 0 };
    let pools = Pools::of(guides, plan.canvas, shm::room());
    let pool = megabytes(pools.pictures);
    let middle = fill(
        MIDDLE.trim_end(),
        &[
            ("{ensemble}", plan.ensemble.node()),
            ("{ensemble_env}", &ensemble),
            ("{infer}", &of("infer", &infer(plan))),
            ("{pool}", &pool),
            ("{canvas_pool}", &megabytes(pools.canvases)),
        ],
    );
    let (template, source, camera) = match &plan.source {
        Source::Clip(clip) => (CLIP, of("source", &clip_source(plan, clip, guides)), None),
        Source::Camera(camera) => {
            let settings = camera.settings();
            (CAMERA, of("camera", &settings), Some(camera))
        }
    };
    let gate = [("NAME", "camera".to_owned())];
    let file = plan.flow.join("dataflow.yml").display().to_string();
    let path = camera.map_or_else(String::new, Camera::path);
    fill(
        template,
        &[
            ("{file}", &file),
            ("{shared}", &env(2, &with_settings("", &shared, &[]))),
            ("{source}", &source),
            ("{camera}", &path),
            ("{camera_env}", &source),
            ("{gate}", &of("gate", &gate)),
            ("{prompts}", &of("prompts", &prompts(plan))),
            ("{prompts_wires}", wires),
            ("{masks}", masks),
            ("{middle}", &middle),
            ("{sink}", &of("sink", &sink(plan))),
            ("{pool}", &pool),
        ],
    )
}

fn clip_source(plan: &Plan, clip: &str, guides: u32) -> Vec<(&'static str, String)> {
    let args = &plan.args;
    // A frame that is guided by the one before waits for its answer.
    let window = match args.memory {
        Policy::None => 4,
        _ => 1,
    };
    let mut source = vec![
        ("SOURCE", clip.to_owned()),
        ("FROM", args.from.to_string()),
        ("EVERY", args.every.to_string()),
        ("RESULTS", plan.out.display().to_string()),
        ("WINDOW", window.to_string()),
        ("RESEND_S", resend_timeout(window, guides).to_string()),
    ];
    source.extend(args.to.map(|to| ("TO", to.to_string())));
    source.extend(args.exif.map(|exif| ("EXIF", exif.to_string())));
    source
}

fn prompts(plan: &Plan) -> Vec<(&'static str, String)> {
    let args = &plan.args;
    let mut prompts = plan.prompts.clone();
    prompts.extend([
        ("SELECT", args.select.name().to_owned()),
        ("K", plan.k.to_string()),
    ]);
    prompts.extend(args.seg_type.map(|kind| ("TYPE", kind.to_string())));
    prompts.extend(args.mask_mode.map(|mode| ("MASK_MODE", mode.to_string())));
    prompts.extend(args.exif.map(|exif| ("EXIF", exif.to_string())));
    prompts.extend(args.classes.clone().map(|classes| ("CLASSES", classes)));
    if args.memory != Policy::None {
        let dir = plan.out.join(seggpt_store::OWN).join("memory");
        prompts.extend([
            ("MEMORY", args.memory.to_string()),
            ("MEMORY_K", args.memory_k.to_string()),
            ("MEMORY_DIR", dir.display().to_string()),
        ]);
        if matches!(plan.source, Source::Camera(_)) {
            prompts.push(("MEMORY_WAIT_S", "0".into()));
        }
    }
    prompts
}

fn infer(plan: &Plan) -> Vec<(&'static str, String)> {
    let args = &plan.args;
    vec![
        ("DEVICE", args.device.to_string()),
        ("DTYPE", args.dtype.to_string()),
        ("THREADS", args.threads.to_string()),
        ("UPSCALING", args.upscaling.to_string()),
        ("REFINE", plan.refine.name().to_owned()),
    ]
}

fn sink(plan: &Plan) -> Vec<(&'static str, String)> {
    let mut sink = vec![("OUT", plan.out.display().to_string())];
    if matches!(plan.source, Source::Camera(_)) {
        sink.extend([
            ("KEEP", plan.args.keep.to_string()),
            ("REPORT", "false".to_owned()),
        ]);
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
        let words = ["seggpt", "video", "--out", "/o u't/$x", "--prompt", "a=b"]
            .iter()
            .chain(words);
        let Command::Video(args) = Cli::parse_from(words).command else {
            panic!("video was asked for")
        };
        Plan {
            out: "/o u't/$x".into(),
            flow: "/o u't/$x/flow".into(),
            source: match &args.camera {
                Some(camera) => Source::Camera(camera.parse().unwrap()),
                None => Source::Clip("/in/{pool}".into()),
            },
            prompts: vec![("PROMPT_PAIRS", "/a.png=/b.png".into())],
            model: "/models/tiny".into(),
            canvas: 64,
            refine: Refine::None,
            ensemble: Ensemble::Feature,
            k: 1,
            args: *args,
        }
    }

    fn checked(words: &[&str]) -> Descriptor {
        let types = tempfile::tempdir().unwrap();
        seggpt_flow::compose::prepare(types.path()).unwrap();
        let mut registry = TypeRegistry::new();
        registry.load_from_dir(&types.path().join("types")).unwrap();
        let flow = Descriptor::parse(compose(&plan(words)).into_bytes()).unwrap();
        validate::check_dataflow_static(&flow).unwrap();
        let warnings = validate::check_type_annotations_full(&flow, &registry, true).warnings;
        let ours = warnings.iter().filter(|warning| {
            // A camera of other people says nothing of types.
            let id: &str = warning.node_id.as_ref();
            id != "camera" && id != "gate"
        });
        assert_eq!(ours.count(), 0, "{warnings:?}");
        flow
    }

    fn value(flow: &Descriptor, node: &str, key: &str) -> Option<String> {
        let node = flow.nodes.iter().find(|n| n.id.as_ref() == node).unwrap();
        Some(node.env.as_ref()?.get(key)?.to_string())
    }

    fn wire(flow: &Descriptor, node: &str, input: &str) -> String {
        let node = flow.nodes.iter().find(|n| n.id.as_ref() == node).unwrap();
        let wires = node.inputs.iter().find(|(id, _)| id.as_str() == input);
        wires.unwrap().1.mapping.to_string()
    }

    #[test]
    fn a_clip_without_memory_is_a_batch_of_several_under_way() {
        let flow = checked(&["in"]);
        assert_eq!(value(&flow, "source", "WINDOW").unwrap(), "4");
        assert_eq!(value(&flow, "source", "SOURCE").unwrap(), "/in/{pool}");
        assert_eq!(value(&flow, "prompts", "MEMORY"), None);
        assert_eq!(wire(&flow, "sink", "mask"), "infer/mask");
    }

    #[test]
    fn with_memory_answers_go_through_the_prompts_node_one_at_a_time() {
        let flow = checked(&["--memory", "gated", "in"]);
        assert_eq!(value(&flow, "source", "WINDOW").unwrap(), "1");
        assert_eq!(value(&flow, "prompts", "MEMORY").unwrap(), "gated");
        assert_eq!(value(&flow, "prompts", "MEMORY_WAIT_S"), None);
        assert_eq!(wire(&flow, "prompts", "mask"), "infer/mask");
        assert_eq!(wire(&flow, "sink", "mask"), "prompts/mask");
    }

    #[test]
    fn a_camera_goes_through_the_gate_and_keeps_a_ring() {
        let flow = checked(&["--camera", "/dev/video0", "--memory", "fifo"]);
        assert_eq!(
            value(&flow, "camera", "CAPTURE_PATH").unwrap(),
            "/dev/video0"
        );
        assert_eq!(value(&flow, "sink", "KEEP").unwrap(), "300");
        assert_eq!(value(&flow, "prompts", "MEMORY_WAIT_S").unwrap(), "0");
        assert_eq!(wire(&flow, "gate", "image"), "camera/image");
        assert_eq!(wire(&flow, "gate", "ack"), "sink/ack");
        assert_eq!(wire(&flow, "overlay", "mask"), "prompts/mask");
    }
}
