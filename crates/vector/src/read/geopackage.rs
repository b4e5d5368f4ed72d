//! GeoPackage: a database of SQLite with layers of features.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, types::ValueRef};

use super::{Feature, wkb};
use crate::VectorError;

/// Where the features are, and in which coordinates.
struct Table {
    name: String,
    column: String,
    organization: String,
    code: i64,
}

pub(super) fn read(path: &Path, field: &str) -> Result<(u32, Vec<Feature>), VectorError> {
    let database = |error| VectorError::Database {
        path: path.to_owned(),
        error,
    };
    let content = |reason: String| VectorError::Content {
        path: path.to_owned(),
        reason,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = Connection::open_with_flags(path, flags).map_err(database)?;
    let tables = tables(&open).map_err(database)?;
    let table = match &tables[..] {
        [] => Err(content("holds no layer of features".to_owned())),
        [_, _, ..] => Err(content(
            "holds several layers; take one out: ogr2ogr ONE.gpkg IN.gpkg LAYER".to_owned(),
        )),
        [one] => match (one.organization.eq_ignore_ascii_case("EPSG"), one.code) {
            (true, code @ 1..) => Ok((one, code)),
            _ => Err(content(
                "its layer is in no coordinate system of EPSG's; say which it is: ogr2ogr -a_srs EPSG:CODE OUT.gpkg IN.gpkg"
                    .to_owned(),
            )),
        },
    };
    let (table, code) = table?;
    let crs = u32::try_from(code).map_err(|_| content(format!("EPSG:{code} is no code")))?;
    let raw = features(&open, table, field).map_err(database)?;
    let raw = raw.into_iter().zip(1..).map(|((geometry, class), number)| {
        let polygons = wkb::polygons(&geometry)
            .map_err(|reason| content(format!("feature {number} {reason}")))?;
        Ok(Feature { class, polygons })
    });
    Ok((crs, raw.collect::<Result<_, VectorError>>()?))
}

fn tables(open: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut query = open.prepare(
        "SELECT c.table_name, g.column_name, s.organization, s.organization_coordsys_id \
         FROM gpkg_contents c JOIN gpkg_geometry_columns g ON g.table_name = c.table_name \
         JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id WHERE c.data_type = 'features' ORDER BY 1",
    )?;
    let rows = query.query_map([], |row| {
        Ok(Table {
            name: row.get(0)?,
            column: row.get(1)?,
            organization: row.get(2)?,
            code: row.get(3)?,
        })
    })?;
    rows.collect()
}

/// A geometry, and the class of it.
type Row = (Vec<u8>, Option<String>);

fn features(open: &Connection, table: &Table, field: &str) -> rusqlite::Result<Vec<Row>> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let (name, column) = (quoted(&table.name), quoted(&table.column));
    let mut query = open.prepare(&format!(
        "SELECT * FROM {name} WHERE {column} IS NOT NULL ORDER BY rowid"
    ))?;
    let names: Vec<String> = query.column_names().map(str::to_owned).collect();
    let at = |wanted: &str| names.iter().position(|name| name == wanted);
    let (geometry, class) = (at(&table.column).unwrap_or(0), at(field));
    let rows = query.query_map([], |row| {
        let class = match class.map(|class| row.get_ref(class)).transpose()? {
            Some(ValueRef::Text(text)) => Some(String::from_utf8_lossy(text).into_owned()),
            Some(ValueRef::Integer(number)) => Some(number.to_string()),
            Some(ValueRef::Real(number)) => Some(number.to_string()),
            Some(ValueRef::Null | ValueRef::Blob(_)) | None => None,
        };
        Ok((row.get(geometry)?, class))
    })?;
    rows.collect()
}
