//! Options for maps alone: GeoTIFF files, cut into tiles and put together again.

use std::path::PathBuf;

use clap::Args;
use seggpt_sink_geotiff::PolygonFile;

/// What is said of maps alone.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Maps")]
pub struct MapArgs {
    /// Side of a tile in pixels, as the network is shown it (default: 448).
    #[arg(long, value_name = "PX", value_parser = clap::value_parser!(u32).range(16..=8192))]
    pub tile: Option<u32>,
    /// What neighbouring tiles share at least, of a side: 0 to below 0.5 (default: 0.25).
    #[arg(long, value_name = "SHARE")]
    pub overlap: Option<f32>,
    /// Metres of a pixel that the network is shown; finer maps are shown smaller (default: every map pixel by pixel).
    #[arg(long, value_name = "METRES")]
    pub gsd: Option<f64>,
    /// Which bands are red, green and blue, counted from 1, as in 4,1,2 (default: those that the file calls so).
    #[arg(long, value_name = "BANDS")]
    pub bands: Option<String>,
    /// What becomes of bands of more than 8 bits: LO:HI, once or for red, green and blue; file; or auto (default).
    #[arg(long, value_name = "STRETCH")]
    pub stretch: Option<String>,
    /// The value of pixels that hold nothing, or none (default: what the file says).
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub nodata: Option<String>,
    /// Polygons that the work is limited to: a GeoJSON or GeoPackage file; what lies outside comes out as nothing.
    #[arg(long, value_name = "FILE")]
    pub area: Option<PathBuf>,
    /// The attribute that names the class of labels that are polygons (default: class, where there is one, else all are of one
    /// class).
    #[arg(long, value_name = "NAME")]
    pub class_field: Option<String>,
    /// Also write regions as polygons, with commas between: gpkg (in the map's coordinates), geojson (in longitude and latitude).
    #[arg(long, value_enum, value_name = "FORMAT", value_delimiter = ',')]
    pub polygons: Vec<PolygonFile>,
    /// Square metres below which regions are left out of polygons and instances, and holes filled.
    #[arg(long, value_name = "M2")]
    pub min_area: Option<f64>,
    /// Pixels by which polygons' outlines may be off, to have fewer corners (default: 0, along pixels' edges).
    #[arg(long, value_name = "PX")]
    pub simplify: Option<f64>,
}

impl MapArgs {
    /// Whether regions are asked for, whose map has to lie somewhere.
    pub(crate) fn needs_place(&self) -> bool {
        !self.polygons.is_empty() || self.min_area.is_some() || self.area.is_some()
    }
}
