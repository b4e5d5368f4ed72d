//! Regions as files, feature by feature.

mod geojson;
mod geopackage;

pub use geojson::GeoJson;
pub use geopackage::GeoPackage;

use crate::{Affine, Polygon, signed_area, trace::Region};

/// A region as files have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape<'a> {
    /// Its number, from 1.
    pub number: u32,
    /// Its class's id.
    pub class_id: u16,
    /// Its class's name.
    pub class: &'a str,
    /// Square metres.
    pub area: f64,
    /// Mean confidence of its pixels, 0 to 1.
    pub confidence: f64,
    /// In the map's coordinates; the outline goes anticlockwise, holes go clockwise.
    pub polygon: Polygon,
}

/// The polygon of a region, in the map's coordinates.
#[must_use]
pub fn polygon(region: &Region, grid: &Affine) -> Polygon {
    let ring = |corners: &Vec<[u32; 2]>| -> Vec<_> {
        let on_map = corners.iter().map(|corner| grid.at(corner.map(f64::from)));
        on_map.collect()
    };
    turned(region.rings.iter().map(ring).collect())
}

/// With the outline anticlockwise and the holes clockwise.
fn turned(mut rings: Vec<Vec<[f64; 2]>>) -> Polygon {
    for (at, ring) in rings.iter_mut().enumerate() {
        if (signed_area(ring) > 0.0) != (at == 0) {
            ring.reverse();
        }
    }
    Polygon { rings }
}
