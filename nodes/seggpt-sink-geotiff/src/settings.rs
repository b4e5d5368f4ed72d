use std::path::PathBuf;

use clap::{ArgAction, Parser};
use seggpt_node::node_spec::{PLACES, RESULTS};

use crate::regions::PolygonFile;

/// Blends the answers to a map's tiles and writes masks that lie on the map, and acknowledges each tile once its answer is on
/// disk
///
/// For a map called NAME: `NAME.mask.tif` (class ids with the classes' colours; 255, or 65535 beyond id 254, where the map
/// holds nothing; tiles of 512, Deflate, overviews in which most pixels win), `NAME.confidence.tif` (0 two classes equally
/// near, 255 certain), the classes' names as `NAME.mask.tif.aux.xml` for GDAL and `NAME.mask.qml` for QGIS. All that says where
/// the map lies is taken over as it stands, files beside it (`.tfw`, `.prj`) included. For the run: `run.json`. `.work/` holds
/// the answers to the tiles of unfinished rows: after an interruption the run goes on there, and its files are the same to the
/// byte. `.seggpt/` holds the journal. The folder belongs to one run at a time and to one RUN_KEY.
/// Needs `SHARES: true` at the network's node.
#[derive(Clone, Debug, Parser)]
#[command(name = "seggpt-sink-geotiff", version)]
pub struct Settings {
    /// The folder for all results; made where it is missing. Relative to the folder of the dataflow
    #[arg(long, env = "OUT", help_heading = PLACES)]
    pub out: PathBuf,

    /// Names what the results depend on (model, prompts, settings). Results in OUT of the same key are kept, another
    /// key is refused. Without a key, results of another run are refused
    #[arg(long, env = "RUN_KEY", help_heading = PLACES, default_value = "")]
    pub run_key: String,

    /// Whether confidence is written
    #[arg(long, env = "CONFIDENCE", help_heading = RESULTS, default_value_t = true, action = ArgAction::Set)]
    pub confidence: bool,

    /// Also write a mask's regions as polygons, with commas between: `gpkg` (NAME.polygons.gpkg, in the map's coordinates), `geojson`
    /// (NAME.polygons.geojson, in longitude and latitude of WGS 84; refused where there is no exact way there)
    #[arg(long, env = "POLYGONS", help_heading = RESULTS, value_enum, value_delimiter = ',')]
    pub polygons: Vec<PolygonFile>,

    /// Square metres below which regions get no polygon and no number, and holes are filled
    #[arg(long, env = "MIN_AREA", help_heading = RESULTS, default_value_t = 0.0, value_parser = measure)]
    pub min_area: f64,

    /// Pixels by which polygons' outlines may be off, to have fewer corners; neighbours keep their edge in common. 0: they run along
    /// pixels' edges
    #[arg(long, env = "SIMPLIFY", help_heading = RESULTS, default_value_t = 0.0, value_parser = measure)]
    pub simplify: f64,

    /// Also write which region each pixel belongs to, as `NAME.instances.tif`: the polygons' numbers, 0 where there is none
    #[arg(long, env = "INSTANCES", help_heading = RESULTS, default_value_t = false, action = ArgAction::Set)]
    pub instances: bool,
}

fn measure(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(measure) if (0.0..1e12).contains(&measure) => Ok(measure),
        _ => Err("a number, 0 or more".into()),
    }
}
