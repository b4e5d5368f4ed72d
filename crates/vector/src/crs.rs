//! Coordinate systems, and the way from one to another.

use proj4rs::{Proj, transform::transform};

use crate::Ellipsoid;

/// Longitude and latitude as GPS and GeoJSON have them.
pub const WGS84: u32 = 4326;

/// Systems whose datum's shift to WGS 84 is exact because it is how the datum is defined: CH1903+ (swisstopo).
const DEFINED_BY_SHIFT: [u32; 2] = [2056, 4150];

/// A coordinate system of EPSG's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crs {
    code: u32,
    proj4: &'static str,
    wkt: &'static str,
}

/// Why coordinates cannot be brought from one system into another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CrsError {
    /// The code is not known.
    #[error(
        "EPSG:{0} is not a coordinate system that is known here; bring it into another one: ogr2ogr -t_srs EPSG:4326 OUT IN"
    )]
    Unknown(u32),
    /// It is known, but the way would be off by metres, or needs grids that are not here.
    #[error(
        "from EPSG:{from} ({name}) there is no exact way to EPSG:{to}{why}; bring it there with a tool that has one: ogr2ogr -t_srs EPSG:{to} OUT IN"
    )]
    Inexact {
        /// Where from.
        from: u32,
        /// What it is called.
        name: String,
        /// Where to.
        to: u32,
        /// Why not.
        why: String,
    },
}

impl Crs {
    /// The system of a code.
    ///
    /// # Errors
    /// The code is not known.
    pub fn of(code: u32) -> Result<Self, CrsError> {
        let known = u16::try_from(code)
            .ok()
            .and_then(crs_definitions::from_code);
        let def = known.ok_or(CrsError::Unknown(code))?;
        Ok(Self {
            code,
            proj4: def.proj4,
            wkt: def.wkt,
        })
    }

    /// Its number.
    #[must_use]
    pub fn code(&self) -> u32 {
        self.code
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.wkt.split('"').nth(1).unwrap_or_default()
    }

    /// How OGC's texts define it.
    #[must_use]
    pub fn wkt(&self) -> &'static str {
        self.wkt
    }

    /// Whether its coordinates are degrees.
    #[must_use]
    pub fn is_degrees(&self) -> bool {
        self.proj4.contains("+proj=longlat")
    }

    /// The shape of the earth that its degrees are measured on.
    #[must_use]
    pub fn ellipsoid(&self) -> Option<Ellipsoid> {
        let (_, spheroid) = self.wkt.split_once("SPHEROID[")?;
        let mut words = spheroid.split([',', ']']).skip(1);
        let (major, inverse): (f64, f64) =
            (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let flattening = if inverse == 0.0 { 0.0 } else { 1.0 / inverse };
        Some(Ellipsoid { major, flattening })
    }

    fn parameter(&self, name: &str) -> Option<&'static str> {
        self.proj4.split_whitespace().find_map(|word| {
            word.strip_prefix('+')?
                .strip_prefix(name)?
                .strip_prefix('=')
        })
    }

    /// What decides where on the earth its coordinates lie; `None` where that is WGS 84's to within what EPSG says of it.
    fn datum(&self) -> Option<String> {
        let is = |name: &str, wanted: &[&str]| {
            self.parameter(name)
                .is_some_and(|value| wanted.contains(&value))
        };
        let zero = |text: &str| text.split(',').all(|n| n.parse() == Ok(0.0));
        let is_earths = match (self.parameter("datum"), self.parameter("towgs84")) {
            (Some(datum), _) => ["WGS84", "NAD83"].contains(&datum),
            (None, Some(shift)) => zero(shift) || DEFINED_BY_SHIFT.contains(&self.code),
            (None, None) => is("nadgrids", &["@null"]) || is("ellps", &["GRS80", "WGS84"]),
        };
        let words = self.proj4.split_whitespace();
        let deciding = |word: &&str| {
            [
                "+datum=",
                "+ellps=",
                "+towgs84=",
                "+nadgrids=",
                "+a=",
                "+b=",
            ]
            .iter()
            .any(|start| word.starts_with(start))
        };
        (!is_earths).then(|| words.filter(deciding).collect::<Vec<_>>().join(" "))
    }
}

/// The way from one coordinate system into another.
#[derive(Debug)]
pub struct Transform {
    /// `None` where both are one.
    way: Option<(End, End)>,
}

#[derive(Debug)]
struct End {
    proj: Proj,
    is_degrees: bool,
}

impl Transform {
    /// Finds the way.
    ///
    /// # Errors
    /// A code is not known, or there is no exact way: datums differ that are tied to the earth by measurements (NAD27, OSGB36,
    /// DHDN, ...), or the projection is none of those that are computed.
    pub fn between(from: u32, to: u32) -> Result<Self, CrsError> {
        if from == to {
            return Ok(Self { way: None });
        }
        let (source, target) = (Crs::of(from)?, Crs::of(to)?);
        let inexact = |why: String| CrsError::Inexact {
            from,
            name: source.name().to_owned(),
            to,
            why,
        };
        let datums = (source.datum(), target.datum());
        if datums.0 != datums.1 {
            return Err(inexact(
                ", since what ties their datums together was measured".into(),
            ));
        }
        let end = |crs: Crs| {
            let proj = Proj::from_proj_string(crs.proj4);
            let proj = proj.map_err(|error| inexact(format!(" (EPSG:{}: {error})", crs.code)))?;
            Ok(End {
                proj,
                is_degrees: crs.is_degrees(),
            })
        };
        Ok(Self {
            way: Some((end(source)?, end(target)?)),
        })
    }

    /// Brings a point over: easting and northing, or longitude and latitude in degrees.
    ///
    /// # Errors
    /// It lies where the projection has no place.
    pub fn point(&self, [x, y]: [f64; 2]) -> Result<[f64; 2], String> {
        let Some((from, to)) = &self.way else {
            return Ok([x, y]);
        };
        let mut at = match from.is_degrees {
            true => (x.to_radians(), y.to_radians(), 0.0),
            false => (x, y, 0.0),
        };
        let outside = |why: String| format!("{x}, {y} lies outside its coordinate system{why}");
        transform(&from.proj, &to.proj, &mut at).map_err(|error| outside(format!(": {error}")))?;
        if !(at.0.is_finite() && at.1.is_finite()) {
            return Err(outside(String::new()));
        }
        Ok(match to.is_degrees {
            true => [at.0.to_degrees(), at.1.to_degrees()],
            false => [at.0, at.1],
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Points and what PROJ 9 makes of them.
    #[test]
    fn points_come_where_proj_brings_them() {
        let cases = [
            (32_633, [500_000.0, 5_000_000.0], [15.0, 45.153_477_183_4]),
            (
                25_832,
                [691_607.86, 5_335_760.0],
                [11.576_005_762_8, 48.146_206_374_4],
            ),
            (
                2056,
                [2_601_234.5, 1_198_765.25],
                [7.454_845_803_8, 46.939_974_959_5],
            ),
            (
                3857,
                [1_113_194.907_932_736, 5_621_521.486_192_066],
                [10.0, 45.0],
            ),
            (
                26_914,
                [620_000.0, 4_300_000.0],
                [-97.617_312_105_5, 38.840_634_030_5],
            ),
            (
                2263,
                [985_000.0, 200_000.0],
                [-73.997_294_526_7, 40.715_630_466_3],
            ),
            (
                2154,
                [652_000.0, 6_862_000.0],
                [2.345_811_958_7, 48.856_248_141_0],
            ),
        ];
        for (code, at, wanted) in cases {
            let there = Transform::between(code, WGS84).unwrap();
            let back = Transform::between(WGS84, code).unwrap();
            let found = there.point(at).unwrap();
            let again = back.point(found).unwrap();
            for n in 0..2 {
                assert!((found[n] - wanted[n]).abs() < 2e-8, "{code}: {found:?}");
                assert!((again[n] - at[n]).abs() < 2e-3, "{code}: {again:?}");
            }
        }
    }

    #[test]
    fn what_is_not_exact_is_refused_by_name() {
        for (code, name) in [(27_700, "OSGB"), (4267, "NAD27"), (31_467, "DHDN")] {
            let error = Transform::between(code, WGS84).unwrap_err().to_string();
            assert!(
                error.contains(name) && error.contains("ogr2ogr -t_srs"),
                "{error}"
            );
        }
        assert_eq!(
            Transform::between(1, 4326).unwrap_err(),
            CrsError::Unknown(1)
        );
        assert!(Transform::between(70_000, 4326).is_err());
        // One datum, whatever it is.
        assert!(Transform::between(31_466, 31_467).is_ok());
        assert!(Transform::between(27_700, 27_700).is_ok());
        assert_eq!(Crs::of(2056).unwrap().name(), "CH1903+ / LV95");
        assert_eq!(Crs::of(4326).unwrap().ellipsoid(), Some(Ellipsoid::WGS84));
    }
}
