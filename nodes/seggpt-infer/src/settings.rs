use clap::{ArgAction, Parser, ValueEnum, builder::RangedU64ValueParser};
use seggpt::{DTypeChoice, DeviceChoice};
use seggpt_imaging::decode::Upscaling;
use seggpt_node::node_spec::{PLACES, RESULTS, SPEED};

/// The network: canvases in, class masks at the source's size out.
///
/// Shows the network each picture together with its prompts, reads the predicted colours back into classes, and says how sure
/// it is of each pixel. Prompts that stay the same from picture to picture are prepared once.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-infer", version)]
pub struct Settings {
    /// A checkpoint file, a folder with `model.safetensors`, or the name of a bundled model.
    #[arg(long, env = "MODEL", help_heading = PLACES, default_value = "default")]
    pub model: String,

    /// Where to compute: `cpu`, `cuda`, `cuda:INDEX`, `metal`, or `auto` for the best there is.
    #[arg(long, env = "DEVICE", help_heading = SPEED, default_value = "auto")]
    pub device: DeviceChoice,

    /// Number type to compute with: `f32`, `bf16`, `f16` (CUDA and Metal), `int8` (CPU: a quarter of the memory, colours
    /// within a few levels of 255), or `auto` (f32 on the CPU, bf16 on CUDA, f16 on Metal).
    #[arg(long, env = "DTYPE", help_heading = RESULTS, default_value = "auto")]
    pub dtype: DTypeChoice,

    /// How the prediction gets to the source's size: `smooth` (interpolated, then classes are decided) or `nearest` (as the
    /// original code does: blocky).
    #[arg(long, env = "UPSCALING", help_heading = RESULTS, default_value = "smooth")]
    pub upscaling: Upscaling,

    /// Activation from which a pixel counts as a class, as a share of the way from black to the class colour: between 0 and 1.
    /// 0.5 is the plain nearest colour; higher gives fewer, surer pixels. Without it, what the model's card says, else 0.5.
    #[arg(long, env = "THRESHOLD", help_heading = RESULTS, value_parser = share)]
    pub threshold: Option<f32>,

    /// What refines the prediction.
    #[arg(long, env = "REFINE", help_heading = RESULTS, default_value = "none")]
    pub refine: Refine,

    /// How classes are taken apart into instances.
    #[arg(long, env = "INSTANCES", help_heading = RESULTS, default_value = "none")]
    pub instances: Instances,

    /// Whether masks carry, beside what was decided, how much of each pixel every class has, for those who mix answers to
    /// parts of a whole: maps and volumes. Ids are decided from the same bytes then.
    #[arg(long, env = "SHARES", help_heading = RESULTS, default_value_t = false, action = ArgAction::Set)]
    pub shares: bool,

    /// The smallest instance, in pixels of the source picture.
    #[arg(long, env = "MIN_AREA", help_heading = RESULTS, default_value_t = 16)]
    pub min_area: u64,

    /// How the output `mask_image` is written.
    #[arg(long, env = "MASK_IMAGE", help_heading = RESULTS, default_value = "hub")]
    pub mask_image: MaskImage,

    /// CPU threads; 0: one per core.
    #[arg(long, env = "THREADS", help_heading = SPEED, default_value_t = 0)]
    pub threads: usize,

    /// Pictures that are worked on at once, where so many are waiting, each with its share of the threads: more pictures a
    /// second on many cores, a longer wait for each, and memory for each. On a GPU, those with the same prompts go through the
    /// network together.
    #[arg(long, env = "BATCH", help_heading = SPEED, default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..=64))]
    pub batch: usize,
}

/// What refines the prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Refine {
    /// Nothing: the network sees canvases as they come.
    None,
    /// A random forest on pixels that learns the prompts' colours and textures from canvases larger than the network's input
    /// (CANVAS_SIZE), which the network itself sees at its own size. How much each counts the model's card says.
    Forest,
    /// The same, and how much each counts for a class is fitted on the prompts' own masks: both predict pieces of them that
    /// they were not given. Costs some seconds whenever prompts change.
    Fitted,
}

/// How classes are taken apart into instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Instances {
    /// Not at all.
    None,
    /// Each connected region of a class is one.
    Components,
}

/// Whose picture messages `mask_image` speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MaskImage {
    /// dora-hub's: flat bytes, with `width`, `height` and `encoding` in the metadata.
    Hub,
    /// dora's `std/media/v1/Image`.
    Dora,
    /// ROS 2's `sensor_msgs/Image`, as dora's bridge takes it.
    Ros,
}

impl From<MaskImage> for seggpt_contract::ImageDialect {
    fn from(dialect: MaskImage) -> Self {
        match dialect {
            MaskImage::Hub => Self::Hub,
            MaskImage::Dora => Self::Dora,
            MaskImage::Ros => Self::Ros,
        }
    }
}

fn share(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("a number between 0 and 1, both excluded".into()),
    }
}
