//! GeoPackage 1.3, in the map's coordinates.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, params};

use super::Shape;
use crate::{Crs, Polygon, VectorError};

/// Coordinates of which nothing is known but that they are no degrees.
const UNKNOWN: i64 = -1;

const TABLES: &str = "
PRAGMA application_id = 0x47504B47;
PRAGMA user_version = 10300;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL, min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE,
  srs_id INTEGER, CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name), CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
CREATE TABLE regions (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, geom POLYGON, class_id MEDIUMINT, class TEXT, area_m2 DOUBLE,
  confidence DOUBLE);
INSERT INTO gpkg_spatial_ref_sys VALUES ('Undefined cartesian SRS', -1, 'NONE', -1, 'undefined', NULL);
INSERT INTO gpkg_spatial_ref_sys VALUES ('Undefined geographic SRS', 0, 'NONE', 0, 'undefined', NULL);
BEGIN;
";

/// A file that is written.
#[derive(Debug)]
pub struct GeoPackage {
    path: PathBuf,
    open: Connection,
    srs: i64,
    bounds: Option<[f64; 4]>,
}

impl GeoPackage {
    /// Begins a file of polygons in these coordinates; `None`: in ones that EPSG has no number for.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: &Path, crs: Option<u32>) -> Result<Self, VectorError> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(VectorError::Io {
                    path: path.to_owned(),
                    error,
                });
            }
            _ => {}
        }
        let srs = crs.map_or(UNKNOWN, i64::from);
        Self::begin(path, srs, crs).map_err(|error| VectorError::Database {
            path: path.to_owned(),
            error,
        })
    }

    fn begin(path: &Path, srs: i64, crs: Option<u32>) -> rusqlite::Result<Self> {
        let open = Connection::open(path)?;
        open.execute_batch(TABLES)?;
        let wgs84 = (crs != Some(crate::WGS84)).then_some(crate::WGS84);
        for code in crs.into_iter().chain(wgs84) {
            let known = Crs::of(code).ok();
            // Readers take what the number stands for.
            let wkt = known.map_or("undefined", |known| known.wkt());
            let name =
                known.map_or_else(|| format!("EPSG:{code}"), |known| known.name().to_owned());
            open.execute(
                "INSERT INTO gpkg_spatial_ref_sys VALUES (?, ?, 'EPSG', ?, ?, NULL)",
                params![name, code, code, wkt],
            )?;
        }
        Ok(Self {
            path: path.to_owned(),
            open,
            srs,
            bounds: None,
        })
    }

    fn database(&self, error: rusqlite::Error) -> VectorError {
        VectorError::Database {
            path: self.path.clone(),
            error,
        }
    }

    /// Adds a region.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn add(&mut self, shape: &Shape) -> Result<(), VectorError> {
        let [left, bottom, right, top] = shape.polygon.bounds();
        self.bounds = Some(self.bounds.map_or([left, bottom, right, top], |of| {
            [
                of[0].min(left),
                of[1].min(bottom),
                of[2].max(right),
                of[3].max(top),
            ]
        }));
        let geometry = self.geometry(&shape.polygon);
        let mut insert = self
            .open
            .prepare_cached("INSERT INTO regions VALUES (?, ?, ?, ?, ?, ?)")
            .map_err(|error| self.database(error))?;
        let values = params![
            shape.number,
            geometry,
            shape.class_id,
            shape.class,
            shape.area,
            shape.confidence
        ];
        let added = insert.execute(values);
        added.map(|_| ()).map_err(|error| self.database(error))
    }

    /// GeoPackage's header with the bounds, then well-known binary, little-endian.
    fn geometry(&self, polygon: &Polygon) -> Vec<u8> {
        let [left, bottom, right, top] = polygon.bounds();
        let mut blob = b"GP\0\x03".to_vec();
        blob.extend((self.srs as i32).to_le_bytes());
        blob.extend(
            [left, right, bottom, top]
                .map(f64::to_le_bytes)
                .as_flattened(),
        );
        blob.extend([1, 3, 0, 0, 0]);
        blob.extend((polygon.rings.len() as u32).to_le_bytes());
        for ring in &polygon.rings {
            blob.extend((ring.len() as u32 + 1).to_le_bytes());
            for point in ring.iter().chain(ring.first()) {
                blob.extend(point.map(f64::to_le_bytes).as_flattened());
            }
        }
        blob
    }

    /// Ends the file; when this returns, it is on disk. `changed`: the time that it tells, RFC 3339 in UTC.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn finish(self, changed: &str) -> Result<(), VectorError> {
        let written = self.describe(changed);
        written.map_err(|error| self.database(error))?;
        let Self { path, open, .. } = self;
        let io = |path: &Path, error| VectorError::Io {
            path: path.to_owned(),
            error,
        };
        open.close().map_err(|(_, error)| VectorError::Database {
            path: path.clone(),
            error,
        })?;
        let file = File::open(&path).and_then(|file| file.sync_all());
        file.map_err(|error| io(&path, error))
    }

    fn describe(&self, changed: &str) -> rusqlite::Result<()> {
        let [left, bottom, right, top] = self.bounds.map_or([None; 4], |of| of.map(Some));
        self.open.execute(
            "INSERT INTO gpkg_contents VALUES ('regions', 'features', 'regions', '', ?, ?, ?, ?, ?, ?)",
            params![changed, left, bottom, right, top, self.srs],
        )?;
        self.open.execute(
            "INSERT INTO gpkg_geometry_columns VALUES ('regions', 'geom', 'POLYGON', ?, 0, 0)",
            params![self.srs],
        )?;
        self.open.execute_batch("COMMIT")
    }
}
