//! The command line of `seggpt video`.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use seggpt_contract::SegType;
use seggpt_flow::Setting;
use seggpt_imaging::{annotation::MaskMode, decode::Upscaling, read::Exif};
use seggpt_prompt_library::memory::Policy;

use crate::{
    console::View,
    values::{Ensemble, Refine, Select, duration},
};

/// `seggpt video`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  seggpt video --prompt-frame 0=first_mask.png --out out frames/
  seggpt video --prompt cup.png=cup_mask.png --memory gated --out out 'frames/%06d.png'
  seggpt video --prompts library/ --camera opencv-video-capture --set camera.CAPTURE_PATH=0 --out out
  seggpt video --prompts library/ --camera /dev/video0 --for 60s --out out

CLIP is a folder of frames, numbered pictures (`frames/%06d.png`) or a pattern (`frames/left_*.jpg`); a video file becomes one by \
`ffmpeg -i clip.mp4 frames/%06d.png`. No frame is lost, and a repeated command goes on where the last one stopped. \
--camera answers the newest frame instead, as far as the network keeps up, and ends with Ctrl-C or --for.")]
pub struct VideoArgs {
    /// The frames of a clip.
    #[arg(
        value_name = "CLIP",
        required_unless_present = "camera",
        conflicts_with = "camera"
    )]
    pub clip: Option<String>,
    /// A camera instead: a dora node that sends pictures on its output `image`, by name or path; or what
    /// `opencv-video-capture` opens: a number, a device, or a URL.
    #[arg(long, value_name = "NODE|DEVICE|URL")]
    pub camera: Option<String>,
    /// Where masks, overlays, report and journal go.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// An example: a picture and its mask; may be repeated.
    #[arg(
        long = "prompt",
        value_name = "IMG=MASK",
        required_unless_present_any = ["prompts", "frames"],
        conflicts_with = "prompts",
        help_heading = "Examples to learn from"
    )]
    pub pairs: Vec<String>,
    /// A frame of the clip as an example: its number from 0, and its mask; may be repeated.
    #[arg(
        long = "prompt-frame",
        value_name = "N=MASK",
        conflicts_with_all = ["prompts", "camera"],
        help_heading = "Examples to learn from"
    )]
    pub frames: Vec<String>,
    /// A prompt library: a folder with `prompts.yml`, or that file; or what CVAT, labelme, Label Studio or COCO's tools export.
    #[arg(long, value_name = "DIR|FILE", help_heading = "Examples to learn from")]
    pub prompts: Option<PathBuf>,
    /// The pictures that a labelling tool's file speaks of (default: those that lie where the tool puts them).
    #[arg(
        long,
        value_name = "DIR",
        requires = "prompts",
        help_heading = "Examples to learn from"
    )]
    pub images: Option<PathBuf>,
    /// How examples are chosen for each frame.
    #[arg(
        long,
        value_enum,
        default_value_t,
        help_heading = "Examples to learn from"
    )]
    pub select: Select,
    /// How many examples guide each frame (default: every --prompt and --prompt-frame, or 1 of a library).
    #[arg(short, long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Examples to learn from")]
    pub k: Option<u32>,
    /// How several examples act together.
    #[arg(
        long,
        value_enum,
        default_value_t,
        help_heading = "Examples to learn from"
    )]
    pub ensemble: Ensemble,
    /// What a colour stands for: semantic (everything of its class) or instance (one object) (default: the library's setting,
    /// else semantic).
    #[arg(long = "type", value_name = "semantic|instance", value_parser = str::parse::<SegType>, help_heading = "Examples to learn from")]
    pub seg_type: Option<SegType>,
    /// The classes in the masks, as ID:NAME:#RRGGBB with commas between (default: read from the masks).
    #[arg(long, value_name = "CLASSES", help_heading = "Examples to learn from")]
    pub classes: Option<String>,
    /// How the masks are read: auto, binary, palette, rgb or ids (default: the library's setting, else auto).
    #[arg(long, value_name = "MODE", value_parser = str::parse::<MaskMode>, help_heading = "Examples to learn from")]
    pub mask_mode: Option<MaskMode>,
    /// Cameras' EXIF orientation: apply turns frames and examples upright, ignore takes them as they are stored (default:
    /// apply).
    #[arg(long, value_name = "apply|ignore", value_parser = str::parse::<Exif>, help_heading = "Examples to learn from")]
    pub exif: Option<Exif>,

    /// Which earlier frames guide a frame beside the examples: none, fifo (the last), every (of each n-th), or gated (those whose
    /// answer was sure, half of them the last and half those least alike).
    #[arg(long, value_name = "MEMORY", default_value = "none", value_parser = str::parse::<Policy>, help_heading = "Memory")]
    pub memory: Policy,
    /// How many earlier frames guide a frame at most.
    #[arg(long, value_name = "K", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64), help_heading = "Memory")]
    pub memory_k: u32,

    /// A model file, a transformers folder, or the name of a bundled model.
    #[arg(
        long,
        value_name = "PATH|NAME",
        default_value = "default",
        help_heading = "The network"
    )]
    pub model: String,
    /// Where to compute: auto, cpu, cuda, cuda:INDEX or metal.
    #[arg(long, default_value = "auto", value_parser = str::parse::<seggpt::DeviceChoice>, help_heading = "The network")]
    pub device: seggpt::DeviceChoice,
    /// Number type to compute with: auto, f32, bf16, f16 (on GPUs) or int8 (on the CPU).
    #[arg(long, default_value = "auto", value_parser = str::parse::<seggpt::DTypeChoice>, help_heading = "The network")]
    pub dtype: seggpt::DTypeChoice,
    /// CPU threads of the network; 0: one per core.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        help_heading = "The network"
    )]
    pub threads: usize,
    /// How the prediction comes to the frame's size: smooth (interpolated, then classes are decided) or nearest (as the
    /// original code does).
    #[arg(long, value_name = "smooth|nearest", default_value = "smooth", value_parser = str::parse::<Upscaling>, help_heading = "The network")]
    pub upscaling: Upscaling,
    /// What refines the prediction.
    #[arg(long, value_enum, default_value_t, help_heading = "The network")]
    pub refine: Refine,

    /// The first frame of the clip, from 0.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        help_heading = "The dataflow"
    )]
    pub from: u64,
    /// The last frame of the clip (default: its last).
    #[arg(long, value_name = "N", help_heading = "The dataflow")]
    pub to: Option<u64>,
    /// Take every N-th frame of the clip.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..), help_heading = "The dataflow")]
    pub every: u32,
    /// End a camera's flow after a time such as 60s or 5m.
    #[arg(long = "for", value_name = "TIME", requires = "camera", value_parser = duration, help_heading = "The dataflow")]
    pub stop_after: Option<Duration>,
    /// Of a camera: how many frames stay on disk, with their masks and overlays.
    #[arg(long, value_name = "N", default_value_t = 300, requires = "camera", value_parser = clap::value_parser!(u32).range(1..), help_heading = "The dataflow")]
    pub keep: u32,
    /// Set an environment variable of a node; may be repeated.
    #[arg(
        long = "set",
        value_name = "NODE.KEY=VALUE",
        help_heading = "The dataflow"
    )]
    pub settings: Vec<Setting>,
    /// Move results of other settings in --out to .seggpt/replaced/ and start anew.
    #[arg(long, help_heading = "The dataflow")]
    pub replace: bool,
    /// Print the dataflow and stop.
    #[arg(long, help_heading = "The dataflow")]
    pub print_dataflow: bool,
    /// How the run shows itself.
    #[command(flatten)]
    pub view: View,
}
