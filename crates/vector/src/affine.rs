//! Where pixels lie on a map.

/// From pixels to the map's coordinates: a pixel's corner (column, row) lies at `x[0] + x[1] * column + x[2] * row`, and `y` alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// Easting or longitude.
    pub x: [f64; 3],
    /// Northing or latitude.
    pub y: [f64; 3],
}

impl Affine {
    /// A grid with its upper left corner at `left`, `top`, north up.
    #[must_use]
    pub fn north_up(left: f64, top: f64, width: f64, height: f64) -> Self {
        Self {
            x: [left, width, 0.0],
            y: [top, 0.0, -height],
        }
    }

    /// Where a point of the grid lies.
    #[must_use]
    pub fn at(&self, [column, row]: [f64; 2]) -> [f64; 2] {
        let of = |c: &[f64; 3]| c[0] + c[1] * column + c[2] * row;
        [of(&self.x), of(&self.y)]
    }

    /// The area of a pixel in units of the map; below 0 where north is up.
    #[must_use]
    pub fn area(&self) -> f64 {
        self.x[1] * self.y[2] - self.x[2] * self.y[1]
    }

    /// Whether rows run from west to east or back, and columns from north to south or back.
    #[must_use]
    pub fn is_straight(&self) -> bool {
        self.x[2] == 0.0 && self.y[1] == 0.0
    }

    /// From the map's coordinates to pixels; `None` where pixels have no area.
    #[must_use]
    pub fn inverse(&self) -> Option<Self> {
        let area = self.area();
        if area == 0.0 || !area.is_finite() {
            return None;
        }
        let inverse = [
            [self.y[2] / area, -self.x[2] / area],
            [-self.y[1] / area, self.x[1] / area],
        ];
        let row = |[a, b]: [f64; 2]| [-(a * self.x[0] + b * self.y[0]), a, b];
        Some(Self {
            x: row(inverse[0]),
            y: row(inverse[1]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let turned = Affine {
            x: [600_000.0, 0.3, 0.1],
            y: [5_000_000.0, 0.2, -0.4],
        };
        let back = turned
            .inverse()
            .map(|inverse| inverse.at(turned.at([12.0, 7.5])));
        let [column, row] = back.unwrap_or_default();
        assert!((column - 12.0).abs() < 1e-6 && (row - 7.5).abs() < 1e-6);
        assert!(!turned.is_straight() && turned.area() < 0.0);
        assert_eq!(Affine::north_up(0.0, 0.0, 1.0, 0.0).inverse(), None);
    }
}
