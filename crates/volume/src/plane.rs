use crate::Affine;

/// Where the pixels of one slice lie in the patient, in millimetres: right, anterior, superior.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plane {
    /// Columns and rows.
    pub size: [usize; 2],
    /// The centre of the first pixel.
    pub origin: [f64; 3],
    /// The step from column to column, and from row to row.
    pub steps: [[f64; 3]; 2],
}

/// Where the pixels of one plane lie in another that covers the same place, turned or mirrored perhaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    first: [i64; 2],
    steps: [[i64; 2]; 2],
}

/// How far pixels may lie apart, as a share of their edges.
const TOLERANCE: f64 = 0.05;
/// How far they may lie before or behind the plane, in millimetres.
const DEPTH: f64 = 0.05;

impl Plane {
    /// The planes of a volume's third axis.
    pub fn all(affine: &Affine, shape: [usize; 3]) -> Vec<Self> {
        let plane = |index: usize| Self {
            size: [shape[0], shape[1]],
            origin: affine.place([0.0, 0.0, index as f64]),
            steps: [affine.step(0), affine.step(1)],
        };
        (0..shape[2]).map(plane).collect()
    }

    /// The unit vector across it.
    pub fn normal(&self) -> [f64; 3] {
        let normal = cross(self.steps[0], self.steps[1]);
        let length = dot(normal, normal).sqrt();
        normal.map(|part| part / length)
    }

    /// Its middle.
    pub fn centre(&self) -> [f64; 3] {
        self.place(self.size.map(|count| (count as f64 - 1.0) / 2.0))
    }

    /// Where the pixels of another plane lie in this one; `None`: elsewhere, or they do not cover it one by one.
    pub fn turn(&self, other: &Self) -> Option<Turn> {
        let [columns, rows] = other.size.map(|count| count.saturating_sub(1) as f64);
        let first = self.pixel(other.origin)?;
        let across = self.pixel(other.place([columns, 0.0]))?;
        let down = self.pixel(other.place([0.0, rows]))?;
        let step = |end: [i64; 2], count: usize| {
            let way = [end[0] - first[0], end[1] - first[1]];
            let last = count.saturating_sub(1).max(1) as i64;
            (way[0] % last == 0 && way[1] % last == 0).then(|| way.map(|steps| steps / last))
        };
        let steps = [step(across, other.size[0])?, step(down, other.size[1])?];
        let turned = steps[0][0] == 0 && other.size[0] > 1 || steps[1][1] == 0 && other.size[1] > 1;
        let covered = match turned {
            true => [other.size[1], other.size[0]],
            false => other.size,
        };
        let is_unit = |step: [i64; 2], count| count == 1 || step[0].abs() + step[1].abs() == 1;
        let fits = covered == self.size
            && is_unit(steps[0], other.size[0])
            && is_unit(steps[1], other.size[1]);
        fits.then_some(Turn { first, steps })
    }

    fn place(&self, [column, row]: [f64; 2]) -> [f64; 3] {
        let [across, down] = self.steps;
        [0, 1, 2].map(|axis| self.origin[axis] + across[axis] * column + down[axis] * row)
    }

    /// The pixel of this plane that a point lies in.
    fn pixel(&self, point: [f64; 3]) -> Option<[i64; 2]> {
        let away = minus(point, self.origin);
        if dot(away, self.normal()).abs() > DEPTH {
            return None;
        }
        let along = self.steps.map(|step| dot(away, step) / dot(step, step));
        let whole = along.map(f64::round);
        let is_inside = (0..2).all(|axis| {
            (along[axis] - whole[axis]).abs() <= TOLERANCE
                && (0.0..self.size[axis] as f64).contains(&whole[axis])
        });
        is_inside.then(|| whole.map(|number| number as i64))
    }
}

impl Turn {
    /// The place of a pixel of the other plane, row by row, in this one of `columns` columns.
    pub fn at(&self, column: usize, row: usize, columns: usize) -> usize {
        let along = |axis: usize| {
            self.first[axis]
                + self.steps[0][axis] * column as i64
                + self.steps[1][axis] * row as i64
        };
        // Inside, as `Plane::turn` has seen to.
        (along(1) * columns as i64 + along(0)) as usize
    }
}

pub(crate) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(crate) fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(crate) fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane() -> Plane {
        Plane {
            size: [3, 2],
            origin: [10.0, 20.0, 30.0],
            steps: [[2.0, 0.0, 0.0], [0.0, 0.0, -1.0]],
        }
    }

    #[test]
    fn turned_and_mirrored_planes_lie_pixel_by_pixel() {
        let own = plane();
        let places = |turn: Option<Turn>, [columns, rows]: [usize; 2]| {
            turn.map(|turn| {
                let pixels =
                    (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
                pixels
                    .map(|(column, row)| turn.at(column, row, 3))
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(
            places(own.turn(&own), own.size),
            Some(vec![0, 1, 2, 3, 4, 5])
        );
        let mirrored = Plane {
            origin: [14.0, 20.0, 30.0],
            steps: [[-2.0, 0.0, 0.0], own.steps[1]],
            ..own
        };
        assert_eq!(
            places(own.turn(&mirrored), own.size),
            Some(vec![2, 1, 0, 5, 4, 3])
        );
        let turned = Plane {
            size: [2, 3],
            steps: [own.steps[1], own.steps[0]],
            ..own
        };
        assert_eq!(
            places(own.turn(&turned), turned.size),
            Some(vec![0, 3, 1, 4, 2, 5])
        );
    }

    #[test]
    fn planes_elsewhere_are_none() {
        let own = plane();
        let moved = |by: [f64; 3]| Plane {
            origin: [0, 1, 2].map(|axis| own.origin[axis] + by[axis]),
            ..own
        };
        for by in [[0.5, 0.0, 0.0], [0.0, 0.2, 0.0], [2.0, 0.0, 0.0]] {
            assert_eq!(own.turn(&moved(by)), None, "{by:?}");
        }
        let smaller = Plane {
            size: [2, 2],
            ..own
        };
        assert_eq!(own.turn(&smaller), None);
        let finer = Plane {
            steps: [[1.0, 0.0, 0.0], own.steps[1]],
            ..own
        };
        assert_eq!(own.turn(&finer), None);
    }
}
