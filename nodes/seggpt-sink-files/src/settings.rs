use std::path::PathBuf;

use clap::{ArgAction, Parser, ValueEnum, value_parser};
use seggpt_node::node_spec::{PLACES, RESULTS, SPEED};
use serde::Serialize;

/// Writes masks, overlays and a report page into a folder, and acknowledges each item once its files are in place
///
/// For an item called NAME: `NAME.mask.png`; `NAME.overlay.jpg`; `NAME.confidence.png` (0 two classes equally near, 255
/// certain); `NAME.raw.png` (the network's raw output); `NAME.instances.png` (16 bit, 0 is none) and
/// `NAME.instances.json` where the network node was asked for instances. For the run: `run.json` (every outcome, timings,
/// versions, settings of all nodes) and `report.html`, which refreshes itself while the run lasts. `.seggpt/` holds the journal and is not to be
/// touched. The folder belongs to one run at a time and to one RUN_KEY.
/// A mask whose picture does not come, because input `prompted` is not wired, gets no overlay.
#[derive(Clone, Debug, Parser, Serialize)]
#[command(name = "seggpt-sink-files", version)]
pub struct Settings {
    /// The folder for all results; made where it is missing. Relative to the folder of the dataflow
    #[arg(long, env = "OUT", help_heading = PLACES)]
    pub out: PathBuf,

    /// Names what the results depend on (model, prompts, settings). Results in OUT of the same key are kept, another
    /// key is refused. Without a key, results of another run are refused
    #[arg(long, env = "RUN_KEY", help_heading = PLACES, default_value = "")]
    pub run_key: String,

    /// Pixels of mask files: class ids with the classes' colours as palette, or class ids as plain grey. Beyond id 255
    /// always grey, of 16 bit
    #[arg(long, env = "MASK", help_heading = RESULTS, value_enum, default_value_t)]
    pub mask: MaskKind,

    /// Whether overlays are written: JPEG, or PNG for sides beyond 65535 pixels
    #[arg(long, env = "OVERLAY", help_heading = RESULTS, default_value_t = true, action = ArgAction::Set)]
    pub overlay: bool,

    /// JPEG quality of overlays, 1 to 100
    #[arg(long, env = "QUALITY", help_heading = RESULTS, default_value_t = 90, value_parser = value_parser!(u8).range(1..=100))]
    pub quality: u8,

    /// Whether confidence pictures are written
    #[arg(long, env = "CONFIDENCE", help_heading = RESULTS, default_value_t = true, action = ArgAction::Set)]
    pub confidence: bool,

    /// Whether the network's raw output is written, at its own resolution and in its own colours
    #[arg(long, env = "RAW", help_heading = RESULTS, default_value_t = false, action = ArgAction::Set)]
    pub raw: bool,

    /// Whether the report page is written
    #[arg(long, env = "REPORT", help_heading = SPEED, default_value_t = true, action = ArgAction::Set)]
    pub report: bool,

    /// How many items the report shows with pictures (about 50 kB each); the others are listed
    #[arg(long, env = "REPORT_MAX", help_heading = SPEED, default_value_t = 500)]
    pub report_max: u32,

    /// Which labelling tools' forms all masks are written in when the run ends, with commas between: `coco` (`coco.json`),
    /// `labelme` (`labelme/NAME.json`, one that is newer than its mask is kept), `label-studio` (`label-studio.json` and the
    /// labelling configuration `label-studio.xml`)
    #[arg(long, env = "EXPORT", help_heading = SPEED, value_enum, value_delimiter = ',')]
    pub export: Vec<Export>,

    /// In endless runs: how many items stay, those of earlier runs into OUT included; when another is done, the oldest is
    /// forgotten, and its files go. 0: all stay. The report shows the items that are there when it is written: turn it off
    #[arg(long, env = "KEEP", help_heading = SPEED, default_value_t = 0)]
    pub keep: u32,

    /// How many pictures wait for their masks at most, 1 or more; not less than the source's WINDOW. Where masks are
    /// dropped on purpose, as in live flows, the oldest picture gives way
    #[arg(long, env = "WAITING", help_heading = SPEED, default_value_t = 64, value_parser = value_parser!(u16).range(1..))]
    pub waiting: u16,
}

/// What the pixels of a mask file mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum MaskKind {
    /// Class ids, shown in the classes' colours.
    #[default]
    Palette,
    /// Class ids as grey values.
    Ids,
}

/// A form that labelling tools import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Export {
    /// COCO objects: polygons, or run lengths where there are holes.
    Coco,
    /// labelme: a file a picture, with polygons, or masks where there are holes.
    Labelme,
    /// Label Studio: tasks with predictions, as polygons, or brush where there are holes.
    LabelStudio,
}
