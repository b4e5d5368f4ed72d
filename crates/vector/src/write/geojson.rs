//! GeoJSON as RFC 7946 has it: longitude and latitude in WGS 84.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use geojson::{Feature, Geometry, GeometryValue, JsonObject, Position, feature::Id};

use super::{Shape, turned};
use crate::{Affine, Transform, VectorError, WGS84};

/// A file that is written.
#[derive(Debug)]
pub struct GeoJson {
    path: PathBuf,
    out: BufWriter<File>,
    transform: Transform,
    is_first: bool,
}

impl GeoJson {
    /// Says whether polygons of a map of so many columns and rows can be written.
    ///
    /// # Errors
    /// There is no exact way from its coordinates to WGS 84, or it reaches beyond the 180th meridian: what to do.
    pub fn check(crs: u32, grid: &Affine, [width, height]: [u32; 2]) -> Result<(), String> {
        let transform = Transform::between(crs, WGS84).map_err(|error| error.to_string())?;
        let (width, height) = (f64::from(width), f64::from(height));
        let mut ring = Vec::new();
        for n in 0..=EDGE {
            let way = f64::from(n) / f64::from(EDGE);
            let corners = [[way, 0.0], [way, 1.0], [0.0, way], [1.0, way]];
            for [x, y] in corners {
                ring.push(transform.point(grid.at([x * width, y * height]))?);
            }
        }
        match is_across(&ring) {
            true => Err(ACROSS.to_owned()),
            false => Ok(()),
        }
    }

    /// Begins a file of polygons in these coordinates.
    ///
    /// # Errors
    /// There is no exact way from them to WGS 84; the file cannot be written.
    pub fn create(path: &Path, crs: u32) -> Result<Self, VectorError> {
        let transform = Transform::between(crs, WGS84).map_err(|error| VectorError::Crs {
            path: path.to_owned(),
            error,
        })?;
        let io = |error| VectorError::Io {
            path: path.to_owned(),
            error,
        };
        let mut out = BufWriter::new(File::create(path).map_err(io)?);
        let head = b"{\"type\":\"FeatureCollection\",\"features\":[";
        out.write_all(head).map_err(io)?;
        Ok(Self {
            path: path.to_owned(),
            out,
            transform,
            is_first: true,
        })
    }

    fn io(&self, error: io::Error) -> VectorError {
        VectorError::Io {
            path: self.path.clone(),
            error,
        }
    }

    fn content(&self, reason: String) -> VectorError {
        VectorError::Content {
            path: self.path.clone(),
            reason,
        }
    }

    /// Adds a region.
    ///
    /// # Errors
    /// It has no place in WGS 84, or lies across the 180th meridian; the disk refuses.
    pub fn add(&mut self, shape: &Shape) -> Result<(), VectorError> {
        let mut rings = Vec::new();
        for ring in &shape.polygon.rings {
            let points = ring.iter().map(|at| self.transform.point(*at));
            let points: Result<Vec<_>, _> = points.collect();
            rings.push(points.map_err(|reason| self.content(reason))?);
        }
        if is_across(rings.iter().flatten()) {
            return Err(self.content(ACROSS.to_owned()));
        }
        let position = |[x, y]: &[f64; 2]| Position::from([rounded(*x), rounded(*y)]);
        let ring = |ring: &Vec<[f64; 2]>| -> Vec<Position> {
            ring.iter().chain(ring.first()).map(position).collect()
        };
        let coordinates = turned(rings).rings.iter().map(ring).collect();
        let mut properties = JsonObject::new();
        properties.insert("class_id".into(), shape.class_id.into());
        properties.insert("class".into(), shape.class.into());
        properties.insert("area_m2".into(), shape.area.into());
        properties.insert("confidence".into(), shape.confidence.into());
        let feature = Feature {
            bbox: None,
            geometry: Some(Geometry::new(GeometryValue::Polygon { coordinates })),
            id: Some(Id::Number(shape.number.into())),
            properties: Some(properties),
            foreign_members: None,
        };
        let start: &[u8] = if self.is_first { b"\n" } else { b",\n" };
        self.is_first = false;
        let written = self.out.write_all(start);
        written.map_err(|error| self.io(error))?;
        serde_json::to_writer(&mut self.out, &feature).map_err(|error| self.io(error.into()))
    }

    /// Ends the file; when this returns, it is on disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn finish(mut self) -> Result<(), VectorError> {
        let written = self
            .out
            .write_all(b"\n]}\n")
            .and_then(|()| self.out.flush())
            .and_then(|()| self.out.get_ref().sync_all());
        written.map_err(|error| self.io(error))
    }
}

/// Points of a map's edge that are looked at.
const EDGE: u32 = 16;
const ACROSS: &str = "it lies across the 180th meridian, where GeoJSON cuts polygons in two; write a GeoPackage instead";

fn is_across<'a>(points: impl IntoIterator<Item = &'a [f64; 2]>) -> bool {
    let points = points.into_iter();
    let (west, east) = points.fold((f64::INFINITY, f64::NEG_INFINITY), |(west, east), at| {
        (west.min(at[0]), east.max(at[0]))
    });
    west < -180.0 || east > 180.0 || east - west > 180.0
}

/// A tenth of a millimetre on the ground.
fn rounded(degrees: f64) -> f64 {
    (degrees * 1e9).round() / 1e9
}
