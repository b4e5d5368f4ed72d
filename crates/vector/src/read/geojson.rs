//! GeoJSON, as RFC 7946 has it, and as it was before, with a coordinate system of its own.

use std::{fs, path::Path};

use geojson::{GeoJson, GeometryValue, JsonObject, JsonValue, Position};

use super::{Feature, opened};
use crate::{Polygon, VectorError, WGS84};

pub(super) fn read(path: &Path, field: &str) -> Result<(u32, Vec<Feature>), VectorError> {
    let text = fs::read_to_string(path).map_err(|error| VectorError::Io {
        path: path.to_owned(),
        error,
    })?;
    let content = |reason: String| VectorError::Content {
        path: path.to_owned(),
        reason,
    };
    let parsed: GeoJson = text.parse().map_err(|error: geojson::Error| {
        content(format!(
            "is neither GeoJSON nor a GeoPackage ({error}); make one of it: ogr2ogr OUT.gpkg IN"
        ))
    })?;
    let (members, features) = match parsed {
        GeoJson::FeatureCollection(all) => (all.foreign_members, all.features),
        GeoJson::Feature(mut feature) => (feature.foreign_members.take(), vec![feature]),
        GeoJson::Geometry(geometry) => (None, vec![geojson::Feature::from(geometry)]),
    };
    let crs = crs(members.as_ref()).map_err(content)?;
    let mut found = Vec::new();
    for (number, feature) in (1..).zip(features) {
        let class = feature
            .properties
            .as_ref()
            .and_then(|all| class(all, field));
        let Some(geometry) = feature.geometry else {
            continue;
        };
        let polygons = polygons(geometry.value)
            .map_err(|reason| content(format!("feature {number} {reason}")))?;
        found.push(Feature { class, polygons });
    }
    let is_far = |[x, y]: &[f64; 2]| x.abs() > 360.0 || y.abs() > 90.0;
    let mut points = found
        .iter()
        .flat_map(|feature| &feature.polygons)
        .flat_map(|polygon| polygon.rings.iter().flatten());
    match (crs, points.find(|at| is_far(at))) {
        (WGS84, Some([x, y])) => Err(content(format!(
            "{x}, {y} is no longitude and latitude, and the file names no other coordinate system; write it anew: ogr2ogr -t_srs EPSG:4326 OUT.geojson IN"
        ))),
        _ => Ok((crs, found)),
    }
}

/// The number of the file's coordinate system; WGS 84 where it says nothing.
fn crs(members: Option<&JsonObject>) -> Result<u32, String> {
    let Some(crs) = members
        .and_then(|members| members.get("crs"))
        .filter(|crs| !crs.is_null())
    else {
        return Ok(WGS84);
    };
    let name = crs.pointer("/properties/name").and_then(JsonValue::as_str);
    let name = name.unwrap_or_default();
    if name.ends_with("CRS84") {
        return Ok(WGS84);
    }
    let is_epsg = name.to_ascii_uppercase().contains("EPSG");
    let code = name.rsplit(':').next().and_then(|code| code.parse().ok());
    code.filter(|_| is_epsg).ok_or_else(|| {
        format!("names a coordinate system that is not EPSG's (`{crs}`); write it anew: ogr2ogr -t_srs EPSG:4326 OUT.geojson IN")
    })
}

fn class(properties: &JsonObject, field: &str) -> Option<String> {
    match properties.get(field)? {
        JsonValue::String(text) => Some(text.clone()),
        JsonValue::Number(number) => Some(number.to_string()),
        JsonValue::Bool(is) => Some(is.to_string()),
        JsonValue::Null | JsonValue::Array(_) | JsonValue::Object(_) => None,
    }
}

fn polygons(value: GeometryValue) -> Result<Vec<Polygon>, String> {
    match value {
        GeometryValue::Polygon { coordinates } => Ok(vec![polygon(coordinates)?]),
        GeometryValue::MultiPolygon { coordinates } => {
            coordinates.into_iter().map(polygon).collect()
        }
        other => Err(format!(
            "is a {}; only polygons and multipolygons label an area",
            other.type_name()
        )),
    }
}

fn polygon(rings: Vec<Vec<Position>>) -> Result<Polygon, String> {
    if rings.is_empty() {
        return Err("is empty".to_owned());
    }
    let point = |at: &Position| match at.as_slice() {
        [x, y, ..] => Ok([*x, *y]),
        _ => Err("has a position of less than two numbers".to_owned()),
    };
    let ring = |ring: Vec<Position>| {
        let points: Result<_, String> = ring.iter().map(point).collect();
        points.map(opened)
    };
    let rings = rings.into_iter().map(ring).collect::<Result<_, _>>()?;
    Ok(Polygon { rings })
}
