//! Files of polygons.

mod geojson;
mod geopackage;
mod wkb;

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::{Polygon, Transform, VectorError, check};

/// The attribute that names the class, where nothing else is said.
pub const CLASS_FIELD: &str = "class";
/// What a database of SQLite begins with.
const SQLITE: &[u8; 16] = b"SQLite format 3\0";

/// Polygons, and what they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Their file.
    pub path: PathBuf,
    /// EPSG's number of their coordinate system.
    pub crs: u32,
    /// In the order of the file.
    pub features: Vec<Feature>,
}

/// One feature of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Its class, where the file tells classes apart.
    pub class: Option<String>,
    /// One, or several of a multipolygon.
    pub polygons: Vec<Polygon>,
}

/// Reads a GeoJSON or a GeoPackage file, whatever it is called. `class_field`: the attribute that names the class; without it,
/// [`CLASS_FIELD`] where the file has one, else all polygons are of one class.
///
/// # Errors
/// The file cannot be read, holds no polygon or something else, a polygon is damaged or crosses itself, a feature has no
/// such attribute.
pub fn read(path: &Path, class_field: Option<&str>) -> Result<Layer, VectorError> {
    let field = class_field.unwrap_or(CLASS_FIELD);
    let layer = load(path, field)?;
    let tells = layer.features.iter().any(|feature| feature.class.is_some());
    let untold = layer
        .features
        .iter()
        .position(|feature| feature.class.is_none());
    match (untold, tells || class_field.is_some()) {
        (Some(at), true) => Err(VectorError::Content {
            path: path.to_owned(),
            reason: format!(
                "feature {} has no attribute `{field}`; --class-field names the one that every polygon has",
                at + 1
            ),
        }),
        _ => Ok(layer),
    }
}

/// Reads polygons of whatever class.
///
/// # Errors
/// As [`read`].
pub fn outlines(path: &Path) -> Result<Layer, VectorError> {
    load(path, CLASS_FIELD)
}

fn load(path: &Path, field: &str) -> Result<Layer, VectorError> {
    let content = |reason: String| VectorError::Content {
        path: path.to_owned(),
        reason,
    };
    let (crs, features) = match is_database(path).map_err(|error| VectorError::Io {
        path: path.to_owned(),
        error,
    })? {
        true => geopackage::read(path, field)?,
        false => geojson::read(path, field)?,
    };
    if features.is_empty() {
        return Err(content("holds no polygon".to_owned()));
    }
    for (number, feature) in (1..).zip(&features) {
        if let Some(fault) = feature.polygons.iter().find_map(check::fault) {
            return Err(content(format!("feature {number}: {fault}")));
        }
    }
    Ok(Layer {
        path: path.to_owned(),
        crs,
        features,
    })
}

/// Whether a file holds polygons, by its name: `.geojson`, `.json` or `.gpkg`.
#[must_use]
pub fn is_named_so(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| {
        ["geojson", "json", "gpkg"]
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}

fn is_database(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(16).read_to_end(&mut start)?;
    Ok(start == SQLITE)
}

impl Layer {
    /// All polygons.
    pub fn polygons(&self) -> impl Iterator<Item = &Polygon> {
        self.features.iter().flat_map(|feature| &feature.polygons)
    }

    /// In another coordinate system.
    ///
    /// # Errors
    /// There is no exact way there, or a point lies where it has none.
    pub fn to(mut self, crs: u32) -> Result<Self, VectorError> {
        let transform = Transform::between(self.crs, crs).map_err(|error| VectorError::Crs {
            path: self.path.clone(),
            error,
        })?;
        let points = self
            .features
            .iter_mut()
            .flat_map(|feature| &mut feature.polygons)
            .flat_map(|polygon| &mut polygon.rings)
            .flatten();
        for point in points {
            *point = transform
                .point(*point)
                .map_err(|reason| VectorError::Content {
                    path: self.path.clone(),
                    reason,
                })?;
        }
        self.crs = crs;
        Ok(self)
    }
}

/// A ring as files have it, its first point repeated at its end.
fn opened(mut ring: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    if ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    ring
}
