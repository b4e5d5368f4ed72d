//! Polygons of coordinates.

/// A closed way: the first point is not repeated at its end.
pub type Ring = Vec<[f64; 2]>;

/// What a ring encloses, without what its holes do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Polygon {
    /// The outline, then the holes.
    pub rings: Vec<Ring>,
}

impl Polygon {
    /// Least and greatest coordinates: left, bottom, right, top.
    #[must_use]
    pub fn bounds(&self) -> [f64; 4] {
        let empty = [
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        ];
        self.rings.iter().flatten().fold(empty, |of, [x, y]| {
            [of[0].min(*x), of[1].min(*y), of[2].max(*x), of[3].max(*y)]
        })
    }
}

/// The area of a ring: above 0 where it goes anticlockwise, with y upwards.
#[must_use]
pub fn signed_area(ring: &[[f64; 2]]) -> f64 {
    let Some([left, bottom]) = ring.first() else {
        return 0.0;
    };
    // From a corner of its own, so that large coordinates cost nothing.
    let after = ring.iter().cycle().skip(1);
    let twice: f64 = ring
        .iter()
        .zip(after)
        .map(|(a, b)| (a[0] - left) * (b[1] - bottom) - (b[0] - left) * (a[1] - bottom))
        .sum();
    twice / 2.0
}
