use std::path::PathBuf;

use clap::Parser;
use seggpt_contract::SegType;
use seggpt_imaging::{annotation::MaskMode, read::Exif};

use crate::Pairs;
use seggpt_node::node_spec::{PLACES, RESULTS};
use seggpt_prompt_library::{
    ClassTable, STRATEGIES,
    memory::{Policy, Rules},
};

/// Prompt selection: adds to each picture the K examples that are to guide it.
///
/// The examples come from a prompt library, a folder with a `prompts.yml` that names images, masks and classes, from what a
/// labelling tool exported, or from pairs of files. They are resized to the network's input once: images bicubic as Pillow does it, masks nearest. Prompts
/// that cannot be used are named in a warning, and the others go on.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-prompts", version)]
pub struct Settings {
    /// The prompt library: a folder with a `prompts.yml`, or that file; or what CVAT, labelme, Label Studio or COCO's tools
    /// export, a file or a folder.
    #[arg(long, env = "PROMPTS", help_heading = PLACES)]
    pub prompts: Option<PathBuf>,

    /// The folder of the pictures that a labelling tool's file speaks of; without, they are looked for where tools put them.
    #[arg(long, env = "IMAGES", help_heading = PLACES)]
    pub images: Option<PathBuf>,

    /// Examples without a library: one `image=mask` a line.
    #[arg(long, env = "PROMPT_PAIRS", help_heading = PLACES)]
    pub prompt_pairs: Option<Pairs>,

    /// Side of the network's input in pixels: a multiple of its patch, best what the model was made for.
    #[arg(long, env = "CANVAS_SIZE", help_heading = RESULTS, default_value_t = 448, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub canvas_size: u32,

    /// Which examples: `fixed` takes the first, `coverage` those whose masks show most, `random` draws for each picture, `nearest`
    /// takes the most alike.
    #[arg(long, env = "SELECT", help_heading = RESULTS, default_value = "fixed", value_parser = STRATEGIES)]
    pub select: String,

    /// How many examples guide a picture.
    #[arg(long, env = "K", help_heading = RESULTS, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub k: u32,

    /// For `random`: another seed draws other examples.
    #[arg(long, env = "SEED", help_heading = RESULTS, default_value_t = 0)]
    pub seed: u64,

    /// What a colour stands for: `instance` (this very thing) or `semantic` (all of a kind). Overrides the library's.
    #[arg(long, env = "TYPE", help_heading = RESULTS)]
    pub r#type: Option<SegType>,

    /// The wanted classes, as `id:name:#rrggbb,...` (`1:pebble:#ffffff,2:leaf`; colours are optional). Overrides the
    /// library's.
    #[arg(long, env = "CLASSES", help_heading = RESULTS)]
    pub classes: Option<ClassTable>,

    /// How mask files are read: `auto`, `binary`, `palette`, `rgb` or `ids`. Overrides the library's.
    #[arg(long, env = "MASK_MODE", help_heading = RESULTS)]
    pub mask_mode: Option<MaskMode>,

    /// Whether the orientation that cameras write (EXIF) turns the examples upright: `apply`, or `ignore` where the masks were
    /// drawn on pictures as they are stored. Overrides the library's.
    #[arg(long, env = "EXIF", help_heading = RESULTS)]
    pub exif: Option<Exif>,

    /// In videos: which earlier frames guide a frame beside the examples, with what was answered for them. `none`; `fifo`, the
    /// last; `every`, the last of each n-th; `gated`, those whose answer was sure for every class, half of them the last and
    /// half those least like each other. Wants input `mask`, and the sink behind output `mask`
    #[arg(long, env = "MEMORY", help_heading = RESULTS, default_value = "none", value_parser = str::parse::<Policy>)]
    pub memory: Policy,

    /// How many earlier frames guide a frame at most
    #[arg(long, env = "MEMORY_K", help_heading = RESULTS, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub memory_k: u32,

    /// For MEMORY `every`: n
    #[arg(long, env = "MEMORY_EVERY", help_heading = RESULTS, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub memory_every: u32,

    /// For MEMORY `gated`: the mean confidence that every class of an answer has to exceed, 0 to 1
    #[arg(long, env = "MEMORY_MIN", help_heading = RESULTS, default_value_t = 0.5, value_parser = share)]
    pub memory_min: f32,

    /// Where memory lies, so that a run that is cut off goes on with it; without, it is gone with the process. Relative to the
    /// folder of the dataflow
    #[arg(long, env = "MEMORY_DIR", help_heading = PLACES)]
    pub memory_dir: Option<PathBuf>,

    /// Seconds that a frame waits at most for the answer to the frame before it; 0, as in live flows: it does not wait, and is
    /// guided by what has been answered
    #[arg(long, env = "MEMORY_WAIT_S", help_heading = RESULTS, default_value_t = 600)]
    pub memory_wait_s: u32,

    /// Names what the results depend on: memory of another key is not gone on with
    #[arg(long, env = "RUN_KEY", help_heading = PLACES, default_value = "")]
    pub run_key: String,
}

impl Settings {
    /// What is remembered.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            policy: self.memory,
            k: self.memory_k as usize,
            every: self.memory_every.into(),
            min: self.memory_min,
        }
    }
}

fn share(text: &str) -> Result<f32, String> {
    let share: Result<f32, _> = text.parse();
    let share = share.ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("{text} is not between 0 and 1"))
}
