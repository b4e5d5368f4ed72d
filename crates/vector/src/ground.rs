//! How much ground a pixel covers.

use crate::Affine;

/// The ground beneath a map's pixels.
#[derive(Clone, Debug, PartialEq)]
pub enum Ground {
    /// Every pixel covers so many square metres, as the map's projection has it.
    Flat(f64),
    /// Rows follow parallels, and a pixel covers what it does on the ellipsoid.
    Curved(Parallels),
}

/// Rows along parallels of an ellipsoid.
#[derive(Clone, Debug, PartialEq)]
pub struct Parallels {
    /// Latitude of the upper edge of row 0, and of a row's height, in radians.
    top: f64,
    height: f64,
    /// Of a pixel, in radians.
    width: f64,
    ellipsoid: Ellipsoid,
}

/// A reference ellipsoid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ellipsoid {
    /// Half its longest diameter, in metres.
    pub major: f64,
    /// How much shorter the shortest is, as a share of it.
    pub flattening: f64,
}

impl Ellipsoid {
    /// That of WGS 84; GRS 80's differs by a tenth of a millimetre.
    pub const WGS84: Self = Self {
        major: 6_378_137.0,
        flattening: 1.0 / 298.257_223_563,
    };

    /// Square metres between the equator and a latitude, of a radian of longitude (Snyder 1987, equation 3-12).
    fn to_equator(self, latitude: f64) -> f64 {
        let squared = self.flattening * (2.0 - self.flattening);
        let (excentric, sine) = (squared.sqrt(), latitude.sin());
        let minor = self.major * (1.0 - self.flattening);
        let curved = match excentric > 0.0 {
            true => (excentric * sine).atanh() / excentric,
            false => sine,
        };
        minor * minor / 2.0 * (sine / (1.0 - squared * sine * sine) + curved)
    }
}

impl Ground {
    /// Of a map in degrees; `None` where it is turned, so that rows do not follow parallels.
    #[must_use]
    pub fn degrees(affine: &Affine, ellipsoid: Ellipsoid) -> Option<Self> {
        affine.is_straight().then(|| {
            Self::Curved(Parallels {
                top: affine.y[0].to_radians(),
                height: affine.y[2].to_radians(),
                width: affine.x[1].abs().to_radians(),
                ellipsoid,
            })
        })
    }

    /// Of a map whose unit is so many metres.
    #[must_use]
    pub fn metres(affine: &Affine, of_unit: f64) -> Self {
        Self::Flat(affine.area().abs() * of_unit * of_unit)
    }

    /// Square metres of a column above the upper edge of a row.
    #[must_use]
    pub fn above(&self, row: u32) -> f64 {
        match self {
            Self::Flat(area) => area * f64::from(row),
            Self::Curved(of) => {
                let latitude = of.top + of.height * f64::from(row);
                let between = of.ellipsoid.to_equator(of.top) - of.ellipsoid.to_equator(latitude);
                of.width * between.abs()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earth_is_as_large_as_it_is() {
        let half = Affine::north_up(-180.0, 90.0, 360.0, 90.0);
        let ground = Ground::degrees(&half, Ellipsoid::WGS84);
        // Its surface as GeographicLib has it.
        let whole = ground.map_or(0.0, |ground| ground.above(2));
        assert!(
            (whole / 510_065_621_724_088.4 - 1.0).abs() < 1e-12,
            "{whole}"
        );
    }
}
