//! Where a map's pixels lie, understood: for polygons, which need coordinates.

use std::{fs, path::Path};

use seggpt_tiff::Tag;
use seggpt_vector::{Affine, Crs, Ellipsoid, Ground};

use crate::geo::{self, Key};

const SCALE: u16 = 33_550;
const TIE_POINTS: u16 = 33_922;
const MATRIX: u16 = 34_264;
/// Coordinates are those of pixels' centres.
const PIXEL_IS_POINT: u16 = 2;

/// Where a map lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// From pixels to coordinates.
    pub grid: Affine,
    /// EPSG's number of the coordinate system, where the file names one.
    pub crs: Option<u32>,
    /// Metres of a unit; `None`: degrees.
    metres: Option<f64>,
}

impl Place {
    /// What a map's tags say, or a world file beside it where they do not say where pixels lie.
    ///
    /// # Errors
    /// Nothing says it, or not with a scale or a matrix; the reason says what to do.
    pub fn of(tags: &[Tag], map: &Path) -> Result<Self, String> {
        let scale = geo::doubles(tags, SCALE);
        let ties = geo::doubles(tags, TIE_POINTS);
        let grid = match (&geo::doubles(tags, MATRIX)[..], &scale[..], &ties[..]) {
            ([a, b, _, c, d, e, _, f, ..], ..) => Some(Affine {
                x: [*c, *a, *b],
                y: [*f, *d, *e],
            }),
            (_, [width, height, ..], [column, row, _, x, y, _]) => Some(Affine::north_up(
                x - column * width,
                y + row * height,
                *width,
                *height,
            )),
            _ => None,
        };
        let grid = match (grid, geo::key(tags, Key::RasterType)) {
            (Some(grid), Some(PIXEL_IS_POINT)) => Some(from_centres(grid)),
            (grid, _) => grid.or_else(|| world_file(map)),
        };
        let is_placed = |grid: &Affine| grid.inverse().is_some();
        let grid = grid.filter(is_placed).ok_or_else(|| match ties.len() {
            0..=6 => "nothing says where it lies, so polygons cannot; give it a place: gdal_translate -a_srs EPSG:CODE -a_ullr ...".to_owned(),
            _ => "only ground control points say where it lies, and polygons need a grid; make one: gdalwarp IN OUT".to_owned(),
        })?;
        Ok(Self {
            grid,
            crs: geo::epsg(tags),
            metres: geo::metres_of_unit(tags),
        })
    }

    /// How much ground its pixels cover.
    ///
    /// # Errors
    /// It is in degrees and turned.
    pub fn ground(&self) -> Result<Ground, String> {
        match self.metres {
            Some(metres) => Ok(Ground::metres(&self.grid, metres)),
            None => {
                let known = self.crs.and_then(|code| Crs::of(code).ok());
                let ellipsoid = known.and_then(|crs| crs.ellipsoid());
                Ground::degrees(&self.grid, ellipsoid.unwrap_or(Ellipsoid::WGS84)).ok_or_else(|| {
                    "it lies in degrees and is turned, so areas are not known; turn it: gdalwarp IN OUT"
                        .to_owned()
                })
            }
        }
    }

    /// The coordinate system, which polygons of others are brought into.
    ///
    /// # Errors
    /// The file does not name it.
    pub fn named_crs(&self) -> Result<u32, String> {
        self.crs.ok_or_else(|| {
            "names no coordinate system of EPSG's, so polygons cannot be laid on it; name it: gdal_edit.py -a_srs EPSG:CODE FILE".to_owned()
        })
    }
}

/// Half a pixel further up and left.
fn from_centres(grid: Affine) -> Affine {
    let [x, y] = grid.at([-0.5, -0.5]);
    Affine {
        x: [x, grid.x[1], grid.x[2]],
        y: [y, grid.y[1], grid.y[2]],
    }
}

/// The six lines of a world file, which speak of pixels' centres.
fn world_file(map: &Path) -> Option<Affine> {
    let (file, _) = geo::sidecars(map, map).into_iter().find(|(file, _)| {
        file.extension()
            .is_some_and(|kind| !kind.eq_ignore_ascii_case("prj"))
    })?;
    let text = fs::read_to_string(file).ok()?;
    let numbers: Vec<f64> = text
        .split_whitespace()
        .map_while(|n| n.parse().ok())
        .collect();
    let [a, d, b, e, c, f] = numbers[..] else {
        return None;
    };
    Some(from_centres(Affine {
        x: [c, a, b],
        y: [f, d, e],
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn doubles(code: u16, values: &[f64]) -> Tag {
        Tag {
            code,
            kind: 12,
            data: values.iter().flat_map(|n| n.to_le_bytes()).collect(),
        }
    }

    fn keys(entries: &[[u16; 2]]) -> Tag {
        let head = [1, 1, 0, entries.len() as u16];
        let all = entries.iter().flat_map(|[key, value]| [*key, 0, 1, *value]);
        Tag {
            code: 34_735,
            kind: 3,
            data: head
                .into_iter()
                .chain(all)
                .flat_map(u16::to_le_bytes)
                .collect(),
        }
    }

    #[test]
    fn every_way_of_saying_it_is_understood() {
        let nowhere = Path::new("/none.tif");
        let scale = doubles(SCALE, &[0.5, 0.25, 0.0]);
        let tie = doubles(TIE_POINTS, &[10.0, 20.0, 0.0, 1000.0, 2000.0, 0.0]);
        let area = [
            scale.clone(),
            tie.clone(),
            keys(&[[1024, 1], [3072, 32_633]]),
        ];
        let place = Place::of(&area, nowhere).unwrap();
        assert_eq!(
            (place.grid.at([10.0, 20.0]), place.crs),
            ([1000.0, 2000.0], Some(32_633))
        );
        assert_eq!(place.grid.at([11.0, 21.0]), [1000.5, 1999.75]);
        assert_eq!(place.ground().unwrap(), Ground::Flat(0.125));
        let points = [scale, tie, keys(&[[1025, 2]])];
        let place = Place::of(&points, nowhere).unwrap();
        assert_eq!(place.grid.at([10.5, 20.5]), [1000.0, 2000.0]);
        assert!(place.named_crs().unwrap_err().contains("-a_srs"));
        let mut matrix = [0.0; 16];
        (matrix[0], matrix[1], matrix[3]) = (0.0, 2.0, 100.0);
        (matrix[4], matrix[5], matrix[7]) = (3.0, 0.0, 200.0);
        let turned = [doubles(MATRIX, &matrix), keys(&[[1024, 2], [2048, 4326]])];
        let place = Place::of(&turned, nowhere).unwrap();
        assert_eq!(place.grid.at([1.0, 1.0]), [102.0, 203.0]);
        assert!(place.ground().unwrap_err().contains("gdalwarp"));
        assert!(
            Place::of(&[], nowhere)
                .unwrap_err()
                .contains("nothing says")
        );
        let points = [doubles(TIE_POINTS, &[1.0; 24])];
        assert!(
            Place::of(&points, nowhere)
                .unwrap_err()
                .contains("ground control")
        );

        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.tfw"), "2\n0\n0\n-2\n101\n199\n").unwrap();
        let place = Place::of(&[], &folder.path().join("a.tif")).unwrap();
        assert_eq!(place.grid, Affine::north_up(100.0, 200.0, 2.0, 2.0));
    }
}
