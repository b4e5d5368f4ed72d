use std::{fmt, path::PathBuf, str::FromStr};

use clap::{ArgAction, Parser, value_parser};
use seggpt_contract::SegType;
use seggpt_node::node_spec::{PLACES, RESULTS, SPEED};
use seggpt_prompt_library::ClassTable;
use seggpt_prompts::Pairs;
use seggpt_volume::{Axis, Gap, Window};

/// Asks the slices of scans one after another, and writes the answers as label volumes that lie on the scans
///
/// Stands where source, prompts and sink stand otherwise, since asking a slice needs the answers to its neighbours. A scan is a
/// NIfTI file (`.nii`, `.nii.gz`, `.hdr` with `.img`; NIfTI-1 or -2) or a DICOM series. Labelled slices of a scan are given as a
/// label volume of its grid or as a DICOM segmentation; from them the slices are asked outwards, in both directions, each with the nearest labelled slices, K of all
/// labelled slices, and the last MEMORY answers of its chain as examples. A scan without labelled slices begins at the slice
/// most like the examples. Under OUT: `NAME.labels.nii.gz` with the scan's own geometry, for a DICOM series also `NAME.seg.dcm`
/// (a series at irregular distances has that alone), `run.json`, `report.html`, and with
/// TRUTH `dice.tsv`. Answers stay in `.seggpt/work` until their volume is whole, so that an interrupted run goes on. The folder
/// belongs to one run at a time and to one RUN_KEY.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-volumes", version)]
pub struct Settings {
    /// Scans: files, folders (with all below), globs or `@list` files, one a line. In folders, NIfTI and DICOM files are told by
    /// their content; label volumes of PROMPT_PAIRS and TRUTH are left out
    #[arg(long, env = "INPUTS", help_heading = PLACES, required = true, value_delimiter = '\n')]
    pub inputs: Vec<String>,

    /// The examples: one `scan=labels` a line; of a DICOM series, its folder. Every slice with a label is an example; the other slices are not taken for empty
    #[arg(long, env = "PROMPT_PAIRS", help_heading = PLACES, required = true)]
    pub prompt_pairs: Pairs,

    /// The true label volumes, for Dice: a folder of files called as the scans are, or one file for one scan
    #[arg(long, env = "TRUTH", help_heading = PLACES)]
    pub truth: Option<PathBuf>,

    /// The folder for all results; made where it is missing. Relative to the folder of the dataflow
    #[arg(long, env = "OUT", help_heading = PLACES)]
    pub out: PathBuf,

    /// Names what the results depend on (model, examples, settings). Results in OUT of the same key are kept, another
    /// key is refused
    #[arg(long, env = "RUN_KEY", help_heading = PLACES, default_value = "")]
    pub run_key: String,

    /// Which slices are asked: `auto` takes those along the coarsest axis, and of equally coarse ones `axial`; or `axial`,
    /// `coronal`, `sagittal`, or the file's own axis `0`, `1` or `2`. An example's slices lie as the scan's do
    #[arg(long, env = "AXIS", help_heading = RESULTS, default_value_t)]
    pub axis: Axis,

    /// Which grey values are shown, one choice for all slices of a volume: `CENTRE:WIDTH`, `soft` (40:400), `lung`
    /// (-600:1500), `bone` (400:1800), `brain` (40:80), or `auto`: the first window of a DICOM series; of CT, and of NIfTI that
    /// looks like it (a twentieth and more at or below -900), 40:400; else from the 0.5 to the 99.5 percentile of what is not zero
    #[arg(long, env = "GREY", help_heading = RESULTS, default_value_t, allow_hyphen_values = true)]
    pub grey: Window,

    /// Of scans with several points of time (in DICOM: several passes over the same places, such as echoes), which: a number from 0, or `all`, each as a volume of its own
    #[arg(long, env = "TIME", help_heading = RESULTS)]
    pub time: Option<Time>,

    /// How many of the last answers of a chain are examples for its next slice, 0 to 16. With the bundled model, answers drift
    /// the more the more are remembered
    #[arg(long, env = "MEMORY", help_heading = RESULTS, default_value_t = 0, value_parser = value_parser!(u32).range(0..=16))]
    pub memory: u32,

    /// Slices between two labelled ones: chains from `both` sides go through all of them, and both answers are mixed by
    /// distance; or the chains `meet` halfway, which is half the work
    #[arg(long, env = "GAP", help_heading = RESULTS, default_value_t = Gap::Both)]
    pub gap: Gap,

    /// How many labelled slices of all examples guide an answer, beside the nearest of the scan's own
    #[arg(long, env = "K", help_heading = RESULTS, default_value_t = 1, value_parser = value_parser!(u32).range(1..))]
    pub k: u32,

    /// Which labelled slices: `fixed` takes those that show most, `random` draws for each slice, `nearest` takes the most
    /// alike
    #[arg(long, env = "SELECT", help_heading = RESULTS, default_value = "fixed", value_parser = ["fixed", "random", "nearest"])]
    pub select: String,

    /// For `random`: another seed draws other slices
    #[arg(long, env = "SEED", help_heading = RESULTS, default_value_t = 0)]
    pub seed: u64,

    /// Whether DICOM segmentations have a frame for every slice, also where a class is not
    #[arg(long, env = "EMPTY_FRAMES", help_heading = RESULTS, default_value_t = false, action = ArgAction::Set)]
    pub empty_frames: bool,

    /// What a colour stands for: `instance` (this very thing) or `semantic` (all of a kind)
    #[arg(long, env = "TYPE", help_heading = RESULTS, default_value_t)]
    pub r#type: SegType,

    /// The wanted classes, as `id:name:#rrggbb,...`; colours are optional. By default every id of the label volumes
    #[arg(long, env = "CLASSES", help_heading = RESULTS)]
    pub classes: Option<ClassTable>,

    /// Side of the network's input in pixels
    #[arg(long, env = "CANVAS_SIZE", help_heading = RESULTS, default_value_t = 448, value_parser = value_parser!(u32).range(1..=4096))]
    pub canvas_size: u32,

    /// Whether the report page is written
    #[arg(long, env = "REPORT", help_heading = SPEED, default_value_t = true, action = ArgAction::Set)]
    pub report: bool,

    /// The most slices that are under way at a time, one of each chain, 1 to 64
    #[arg(long, env = "WINDOW", help_heading = SPEED, default_value_t = 4, value_parser = value_parser!(u8).range(1..=64))]
    pub window: u8,

    /// The most megabytes of pixels that are under way at a time; 0: a sixteenth of the machine's memory, at most 4096
    #[arg(long, env = "WINDOW_MB", help_heading = SPEED, default_value_t = 0)]
    pub window_mb: u32,

    /// Seconds without answer after which a slice is asked again; more than the window times the slowest answer takes
    #[arg(long, env = "RESEND_S", help_heading = SPEED, default_value_t = 600, value_parser = value_parser!(u32).range(1..))]
    pub resend_s: u32,

    /// How often a slice is asked before it is given up and reported as failed
    #[arg(long, env = "MAX_TRIES", help_heading = SPEED, default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    pub max_tries: u32,
}

impl Settings {
    /// The examples as (scan, labels).
    pub fn pairs(&self) -> &[(PathBuf, PathBuf)] {
        &self.prompt_pairs.0
    }
}

/// Points of time of a scan that has several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// This one, from 0.
    At(usize),
    /// Each by itself.
    All,
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "all" => Ok(Self::All),
            number => number
                .parse()
                .map(Self::At)
                .map_err(|_| format!("`{text}` is no point of time: a number from 0, or `all`")),
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(time) => write!(f, "{time}"),
            Self::All => f.write_str("all"),
        }
    }
}
