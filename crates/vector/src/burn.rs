//! Polygons to labels of pixels.

use crate::{Affine, Polygon};

/// A part of a grid of pixels, and in how many pixels it is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// First column and row.
    pub at: [u32; 2],
    /// Columns and rows.
    pub size: [u32; 2],
    /// Pixels across and down that it is seen in.
    pub seen: [u32; 2],
}

impl Part {
    /// A part that is seen as it is.
    #[must_use]
    pub fn whole(at: [u32; 2], size: [u32; 2]) -> Self {
        let seen = size;
        Self { at, size, seen }
    }

    /// How many pixels of the grid one that is seen covers, across or down.
    fn scale(&self, n: usize) -> f64 {
        f64::from(self.size[n]) / f64::from(self.seen[n])
    }
}

/// Polygons as they lie on a grid, with the label of each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Burnable {
    polygons: Vec<(u16, Polygon)>,
    /// What each touches: left, top, right, bottom.
    bounds: Vec<[f64; 4]>,
}

impl Burnable {
    /// Polygons in the map's coordinates, with their labels; `None` where the grid has no area.
    #[must_use]
    pub fn new<'a>(
        polygons: impl Iterator<Item = (u16, &'a Polygon)>,
        grid: &Affine,
    ) -> Option<Self> {
        let inverse = grid.inverse()?;
        let polygons: Vec<_> = polygons
            .map(|(label, polygon)| {
                let on_grid =
                    |ring: &Vec<[f64; 2]>| ring.iter().map(|at| inverse.at(*at)).collect();
                let rings = polygon.rings.iter().map(on_grid).collect();
                (label, Polygon { rings })
            })
            .collect();
        let bounds = polygons
            .iter()
            .map(|(_, polygon)| polygon.bounds())
            .collect();
        Some(Self { polygons, bounds })
    }

    /// Whether any of them reaches into a part.
    #[must_use]
    pub fn touches(&self, part: Part) -> bool {
        self.within(part).next().is_some()
    }

    fn within(&self, part: Part) -> impl Iterator<Item = &(u16, Polygon)> {
        let [left, top] = part.at.map(f64::from);
        let [width, height] = part.size.map(f64::from);
        let polygons = self.polygons.iter().zip(&self.bounds);
        polygons
            .filter(move |(_, of)| {
                of[0] < left + width && of[2] > left && of[1] < top + height && of[3] > top
            })
            .map(|(polygon, _)| polygon)
    }

    /// Gives the pixels of a part whose centre lies in a polygon its label; a later one overrules an earlier one. A centre on
    /// an edge belongs to the polygon at its left or above it, as GDAL has it. `labels`: row by row, as the part is seen.
    ///
    /// # Panics
    /// `labels` is of another size than the part is seen in.
    pub fn burn(&self, part: Part, labels: &mut [u16]) {
        let [width, height] = part.seen.map(|n| n as usize);
        assert_eq!(labels.len(), width * height);
        let ([left, top], [across, down]) = (part.at.map(f64::from), [0, 1].map(|n| part.scale(n)));
        let mut crossings = Vec::new();
        for (label, polygon) in self.within(part) {
            for (row, line) in labels.chunks_exact_mut(width.max(1)).enumerate() {
                let y = top + (row as f64 + 0.5) * down;
                crossings.clear();
                for ring in &polygon.rings {
                    let after = ring.iter().cycle().skip(1);
                    crossings.extend(
                        ring.iter()
                            .zip(after)
                            .filter_map(|(a, b)| crossing(*a, *b, y)),
                    );
                }
                crossings.sort_by(f64::total_cmp);
                for [from, to] in crossings.as_chunks::<2>().0 {
                    let column = |x: f64| {
                        let own = ((x - left) / across + 0.5).floor();
                        own.clamp(0.0, width as f64) as usize
                    };
                    line[column(*from)..column(*to)].fill(*label);
                }
            }
        }
    }
}

/// Where an edge crosses a height; one of its ends belongs to it.
fn crossing(a: [f64; 2], b: [f64; 2], y: f64) -> Option<f64> {
    let (upper, lower) = if a[1] < b[1] { (a, b) } else { (b, a) };
    (upper[1] <= y && y < lower[1])
        .then(|| upper[0] + (y - upper[1]) * (lower[0] - upper[0]) / (lower[1] - upper[1]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn centres_decide_holes_stay_and_the_last_one_wins() {
        let square = |left: f64, top: f64, side: f64| {
            vec![
                [left, top],
                [left + side, top],
                [left + side, top - side],
                [left, top - side],
            ]
        };
        let ring = Polygon {
            rings: vec![square(1.0, 9.0, 6.0), square(3.0, 7.0, 2.0)],
        };
        let over = Polygon {
            rings: vec![square(0.4, 9.4, 1.2)],
        };
        let grid = Affine::north_up(0.0, 10.0, 1.0, 1.0);
        let all = Burnable::new([(2, &ring), (3, &over)].into_iter(), &grid).unwrap();
        let part = Part::whole([1, 0], [5, 5]);
        let mut labels = vec![0; 25];
        all.burn(part, &mut labels);
        let wanted = [
            [0, 0, 0, 0, 0],
            [3, 2, 2, 2, 2],
            [2, 2, 2, 2, 2],
            [2, 2, 0, 0, 2],
            [2, 2, 0, 0, 2],
        ];
        assert_eq!(labels, wanted.concat());
        assert!(!all.touches(Part::whole([7, 0], [5, 5])) && all.touches(part));
        let half = Part {
            at: [1, 1],
            size: [6, 6],
            seen: [3, 3],
        };
        let mut labels = vec![0; 9];
        all.burn(half, &mut labels);
        assert_eq!(labels, [2, 2, 2, 2, 0, 2, 2, 2, 2]);
    }
}
