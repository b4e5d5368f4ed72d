use std::path::PathBuf;

use clap::{ArgAction, Parser, value_parser};
use seggpt_node::node_spec::{PLACES, RESULTS, SPEED};
use seggpt_raster::{Bands, Nodata, Stretch};

/// Cuts maps into tiles, sends them one by one, and repeats each until the sink acknowledges it
///
/// Reads GeoTIFF and any other TIFF or BigTIFF file window by window: memory follows the tile and the file's blocks, not the
/// map. Tiles overlap and are evenly spread; a map up to one and a half tiles wide and high is one tile. Pixels that hold
/// nothing (the declared nodata value, else the file's mask, else an alpha band of two values) are shown as the tile's median
/// colour and come out as nothing; tiles without any other are not shown to the network. A tile that cannot be read goes out
/// as a failed item.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-source-geotiff")]
pub struct Settings {
    /// The maps, one entry a line: files, folders, globs (`flight/*.tif`) and `@list.txt` files of one path a line. Relative
    /// to the folder of the dataflow. Of folders, only TIFF files are taken
    #[arg(long, env = "INPUTS", help_heading = PLACES, value_delimiter = '\n', required = true)]
    pub inputs: Vec<String>,

    /// Whether folders are searched to any depth
    #[arg(long, env = "RECURSIVE", help_heading = PLACES, default_value_t = true, action = ArgAction::Set)]
    pub recursive: bool,

    /// Side of a tile in pixels, as the network is shown it
    #[arg(long, env = "TILE", help_heading = RESULTS, default_value_t = 448, value_parser = value_parser!(u32).range(16..=8192))]
    pub tile: u32,

    /// What neighbouring tiles share at least, of a side: 0 to 0.5
    #[arg(long, env = "OVERLAP", help_heading = RESULTS, default_value_t = 0.25, value_parser = overlap)]
    pub overlap: f32,

    /// Metres of a pixel that the network is shown: maps of finer pixels are shown smaller, from their overviews; coarser ones
    /// as they are. Without it, every map is shown pixel by pixel
    #[arg(long, env = "GSD", help_heading = RESULTS, value_parser = metres)]
    pub gsd: Option<f64>,

    /// Which bands are red, green and blue, counted from 1: `4,1,2`; one for grey; a fourth is 0 where pixels hold nothing.
    /// Without it, those that the file calls so, else its first three, or its only one
    #[arg(long, env = "BANDS", help_heading = RESULTS)]
    pub bands: Option<Bands>,

    /// What becomes of bands of more than 8 bits: `LO:HI` to 0 to 255, once or for red, green and blue; `file` for the 2nd and
    /// 98th percentile of each band in each map; `auto` for those over all maps together. Maps of 8 bits are stretched only
    /// where numbers are given
    #[arg(long, env = "STRETCH", help_heading = RESULTS, default_value = "auto", value_parser = stretch)]
    pub stretch: Stretching,

    /// The value of pixels that hold nothing, whatever the file says; `nan` is one, `none` says that all hold something
    #[arg(long, env = "NODATA", help_heading = RESULTS, value_parser = nodata)]
    pub nodata: Option<Nodata>,

    /// Polygons that the work is limited to: a GeoJSON or GeoPackage file. Tiles outside are not shown to the network, and pixels
    /// outside come out as nothing. Relative to the folder of the dataflow
    #[arg(long, env = "AREA", help_heading = RESULTS)]
    pub area: Option<PathBuf>,

    /// The most tiles that are under way at a time, 1 to 64; queues along the way must hold as many
    #[arg(long, env = "WINDOW", help_heading = SPEED, default_value_t = 8, value_parser = value_parser!(u8).range(1..=64))]
    pub window: u8,

    /// The most megabytes of pixels that are under way at a time; 0: a sixteenth of the machine's memory, at most 4096
    #[arg(long, env = "WINDOW_MB", help_heading = SPEED, default_value_t = 0)]
    pub window_mb: u32,

    /// Seconds without acknowledgement after which a tile is sent again; more than the window times the slowest tile takes
    #[arg(long, env = "RESEND_S", help_heading = SPEED, default_value_t = 600, value_parser = value_parser!(u32).range(1..))]
    pub resend_s: u32,

    /// How often a tile is sent before it is given up and reported as failed
    #[arg(long, env = "MAX_TRIES", help_heading = SPEED, default_value_t = 3, value_parser = value_parser!(u32).range(1..))]
    pub max_tries: u32,

    /// The sink's OUT: maps and tiles that were done there under the same RUN_KEY are skipped, as long as the map's file has
    /// not changed since
    #[arg(long, env = "RESULTS", help_heading = PLACES)]
    pub results: Option<PathBuf>,

    /// Names what the results depend on (model, prompts, settings); see RESULTS. Without it, nothing is skipped
    #[arg(long, env = "RUN_KEY", help_heading = PLACES, default_value = "")]
    pub run_key: String,
}

/// What becomes of deep bands.
#[derive(Clone, Debug, PartialEq)]
pub enum Stretching {
    /// One stretch for all maps, found in them.
    Auto,
    /// This one.
    As(Stretch),
}

fn stretch(text: &str) -> Result<Stretching, String> {
    match text {
        "auto" => Ok(Stretching::Auto),
        text => text.parse().map(Stretching::As),
    }
}

fn overlap(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(overlap) if (0.0..0.5).contains(&overlap) => Ok(overlap),
        _ => Err("a number from 0 to below 0.5; 0.25 is usual".into()),
    }
}

fn metres(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(metres) if metres > 0.0 && f64::is_finite(metres) => Ok(metres),
        _ => Err("metres of a pixel, more than 0".into()),
    }
}

fn nodata(text: &str) -> Result<Nodata, String> {
    match (text, text.parse()) {
        ("none", _) => Ok(Nodata::None),
        (_, Ok(value)) => Ok(Nodata::Value(value)),
        _ => Err("a number, `nan`, or `none`".into()),
    }
}
