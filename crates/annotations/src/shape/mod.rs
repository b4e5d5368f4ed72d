//! Shapes to pixels, each as the tool that drew it counts them.

mod pillow;
pub(crate) mod polygon;
mod rle;

pub use pillow::Pillow;
pub use rle::{Rle, RleError};

/// What a person drew.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Closed polygons that belong together, each x, y, x, y, ... of three corners or more; pixel 0 reaches from 0 to 1.
    /// Filled as pycocotools does it.
    Polygons(Vec<Vec<f64>>),
    /// Run lengths.
    Runs(Rle),
    /// What labelme fills with Pillow.
    Pillow(Pillow),
}

impl Shape {
    /// The polygons of an upright or turned rectangle: left, top, right, bottom, turned clockwise by so many degrees around
    /// its centre.
    pub(crate) fn rectangle([left, top, right, bottom]: [f64; 4], degrees: f64) -> Self {
        let centre = [(left + right) / 2.0, (top + bottom) / 2.0];
        let corners = [[left, top], [right, top], [right, bottom], [left, bottom]];
        Self::Polygons(vec![turned(&corners, centre, degrees)])
    }

    /// An ellipse as a polygon whose corners are about a pixel apart.
    pub(crate) fn ellipse(centre: [f64; 2], radii: [f64; 2], degrees: f64) -> Self {
        let around = std::f64::consts::TAU * radii[0].max(radii[1]);
        let count = (around.clamp(24.0, 4096.0)) as usize;
        let corner = |index: usize| {
            let angle = std::f64::consts::TAU * index as f64 / count as f64;
            [
                centre[0] + radii[0] * angle.cos(),
                centre[1] + radii[1] * angle.sin(),
            ]
        };
        let corners: Vec<_> = (0..count).map(corner).collect();
        Self::Polygons(vec![turned(&corners, centre, degrees)])
    }

    /// Sets the pixels that it covers in a plane of `size` = (width, height), row by row. What lies outside is cut off.
    pub fn fill(&self, size: (usize, usize), values: &mut [bool]) {
        match self {
            Self::Polygons(parts) => {
                for part in parts {
                    polygon::rasterise(part, size).fill(values);
                }
            }
            Self::Runs(runs) => runs.fill(values),
            Self::Pillow(drawn) => drawn.fill(size, values),
        }
    }
}

fn turned(corners: &[[f64; 2]], [cx, cy]: [f64; 2], degrees: f64) -> Vec<f64> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let turn = |[x, y]: &[f64; 2]| {
        let (dx, dy) = (x - cx, y - cy);
        [cx + dx * cos - dy * sin, cy + dx * sin + dy * cos]
    };
    corners.iter().flat_map(turn).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plane(size: (usize, usize), shape: &Shape) -> Vec<bool> {
        let mut values = vec![false; size.0 * size.1];
        shape.fill(size, &mut values);
        values
    }

    fn area(shape: &Shape) -> usize {
        plane((40, 40), shape).iter().filter(|&&set| set).count()
    }

    #[test]
    fn a_quarter_turn_of_a_rectangle_changes_its_sides() {
        let upright = Shape::rectangle([10.0, 15.0, 30.0, 25.0], 0.0);
        assert_eq!(area(&upright), 200);
        let turned = plane((40, 40), &Shape::rectangle([10.0, 15.0, 30.0, 25.0], 90.0));
        assert!(turned[11 * 40 + 20] && !turned[20 * 40 + 11]);
    }

    #[test]
    fn an_ellipse_has_the_area_of_one() {
        let area = area(&Shape::ellipse([20.0, 20.0], [15.0, 8.0], 30.0)) as f64;
        assert!((area - 377.0).abs() < 12.0, "{area}");
    }

    proptest! {
        #[test]
        fn runs_are_the_plane_that_they_were_made_of(
            width in 1usize..9,
            values in proptest::collection::vec(any::<bool>(), 1..80),
        ) {
            let height = values.len() / width;
            prop_assume!(height > 0);
            let values = &values[..width * height];
            let runs = Rle::of((width, height), values);
            prop_assert_eq!(runs.values(), values);
            let again = Rle::decompress((width, height), &runs.compressed());
            prop_assert_eq!(again.ok(), Some(runs));
        }
    }
}
