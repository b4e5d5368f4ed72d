use crate::plane::dot;

/// From voxel indices to millimetres in the patient: +x right, +y anterior, +z superior (RAS). Three rows of four.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine(pub [[f64; 4]; 3]);

impl Affine {
    /// Axes of these lengths in millimetres, in the directions of right, anterior and superior.
    pub fn scaling(zooms: [f64; 3]) -> Self {
        let mut rows = [[0.0; 4]; 3];
        for (axis, zoom) in zooms.into_iter().enumerate() {
            rows[axis][axis] = zoom;
        }
        Self(rows)
    }

    /// As NIfTI writes a rotation: the quaternion's last three parts, the voxels' lengths, the first voxel's place, and
    /// whether the third axis is turned round (`qfac` below 0). `None` where the parts are no rotation.
    pub fn of_quaternion(
        [b, c, d]: [f64; 3],
        zooms: [f64; 3],
        offset: [f64; 3],
        qfac: f64,
    ) -> Option<Self> {
        let rest = 1.0 - (b * b + c * c + d * d);
        // Single precision leaves a half turn a little beyond 1.
        if rest.is_nan() || rest < -1e-5 {
            return None;
        }
        let length = (b * b + c * c + d * d).sqrt();
        let (a, b, c, d) = match rest < 1e-7 {
            true => (0.0, b / length, c / length, d / length),
            false => (rest.sqrt(), b, c, d),
        };
        let rotation = [
            [
                a * a + b * b - c * c - d * d,
                2.0 * (b * c - a * d),
                2.0 * (b * d + a * c),
            ],
            [
                2.0 * (b * c + a * d),
                a * a + c * c - b * b - d * d,
                2.0 * (c * d - a * b),
            ],
            [
                2.0 * (b * d - a * c),
                2.0 * (c * d + a * b),
                a * a + d * d - b * b - c * c,
            ],
        ];
        let turned = if qfac < 0.0 { -1.0 } else { 1.0 };
        let lengths = [zooms[0], zooms[1], zooms[2] * turned];
        let mut rows = [[0.0; 4]; 3];
        for (row, (directions, offset)) in rows.iter_mut().zip(rotation.iter().zip(offset)) {
            for axis in 0..3 {
                row[axis] = directions[axis] * lengths[axis];
            }
            row[3] = offset;
        }
        Some(Self(rows))
    }

    /// As NIfTI writes a rotation: the quaternion's last three parts, and whether the third axis is turned round (-1) or not
    /// (1). `None` where axes are not at right angles.
    pub fn quaternion(&self) -> Option<([f64; 3], f64)> {
        let zooms = self.zooms();
        let unit = |axis: usize| self.step(axis).map(|part| part / zooms[axis]);
        let mut axes = [unit(0), unit(1), unit(2)];
        let slant = |a: usize, b: usize| dot(axes[a], axes[b]).abs();
        // Negated, so that what is no number is refused.
        if !(slant(0, 1) < SQUARE && slant(0, 2) < SQUARE && slant(1, 2) < SQUARE) {
            return None;
        }
        let qfac = if self.determinant() < 0.0 { -1.0 } else { 1.0 };
        axes[2] = axes[2].map(|part| part * qfac);
        // Row and column of the rotation's matrix.
        let r = |row: usize, column: usize| axes[column][row];
        let squares = [
            1.0 + r(0, 0) + r(1, 1) + r(2, 2),
            1.0 + r(0, 0) - r(1, 1) - r(2, 2),
            1.0 - r(0, 0) + r(1, 1) - r(2, 2),
            1.0 - r(0, 0) - r(1, 1) + r(2, 2),
        ];
        // From the largest part, which is never near 0.
        let (most, square) =
            (squares.into_iter().enumerate()).max_by(|a, b| a.1.total_cmp(&b.1))?;
        let double = square.sqrt();
        let [a, b, c, d] = match most {
            0 => [
                square,
                r(2, 1) - r(1, 2),
                r(0, 2) - r(2, 0),
                r(1, 0) - r(0, 1),
            ],
            1 => [
                r(2, 1) - r(1, 2),
                square,
                r(0, 1) + r(1, 0),
                r(0, 2) + r(2, 0),
            ],
            2 => [
                r(0, 2) - r(2, 0),
                r(0, 1) + r(1, 0),
                square,
                r(1, 2) + r(2, 1),
            ],
            _ => [
                r(1, 0) - r(0, 1),
                r(0, 2) + r(2, 0),
                r(1, 2) + r(2, 1),
                square,
            ],
        }
        .map(|part| part / (2.0 * double));
        // The first part is never below 0, since it is not written.
        let sign = if a < 0.0 { -1.0 } else { 1.0 };
        Some(([b, c, d].map(|part| part * sign), qfac))
    }

    /// Where a voxel's centre lies.
    pub fn place(&self, voxel: [f64; 3]) -> [f64; 3] {
        self.0.map(|row| {
            let along: f64 = row.iter().zip(voxel).map(|(a, v)| a * v).sum();
            along + row[3]
        })
    }

    /// The step from one voxel to the next along an axis.
    pub fn step(&self, axis: usize) -> [f64; 3] {
        self.0.map(|row| row[axis])
    }

    /// Lengths of the voxels' edges in millimetres.
    pub fn zooms(&self) -> [f64; 3] {
        [0, 1, 2].map(|axis| length(self.step(axis)))
    }

    /// Volume of a voxel in cubic millimetres; below 0 where the axes are left-handed.
    pub fn determinant(&self) -> f64 {
        let [a, b, c] = [0, 1, 2].map(|axis| self.step(axis));
        a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0])
            + a[2] * (b[0] * c[1] - b[1] * c[0])
    }

    /// What keeps it from placing voxels, for people.
    ///
    /// # Errors
    /// It holds numbers that are none, or presses voxels flat.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.0.iter().flatten().any(|value| !value.is_finite()) {
            return Err("holds values that are no numbers");
        }
        let zooms = self.zooms();
        if zooms.contains(&0.0) {
            return Err("gives an axis no length");
        }
        // Of a box, 1; the flatter the voxels are pressed, the nearer to 0.
        let fullness = self.determinant().abs() / zooms.iter().product::<f64>();
        match fullness < 1e-4 {
            true => Err("lays axes onto each other (it is singular)"),
            false => Ok(()),
        }
    }

    /// The largest distance in millimetres between where both place the corners of a box of this shape.
    pub fn apart(&self, other: &Self, shape: [usize; 3]) -> f64 {
        let ends = shape.map(|n| [0.0, n.saturating_sub(1) as f64]);
        let mut most = 0.0_f64;
        for corner in 0..8_usize {
            let voxel = [0, 1, 2].map(|axis| ends[axis][corner >> axis & 1]);
            let (a, b) = (self.place(voxel), other.place(voxel));
            most = most.max(length([a[0] - b[0], a[1] - b[1], a[2] - b[2]]));
        }
        most
    }
}

/// Cosines between axes below this are those of right angles.
const SQUARE: f64 = 1e-4;

fn length(v: [f64; 3]) -> f64 {
    dot(v, v).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rotation_leaves_axes_and_a_half_turn_about_x_turns_the_others() {
        let plain = Affine::of_quaternion([0.0; 3], [2.0, 3.0, 4.0], [5.0, 6.0, 7.0], 1.0);
        let mut expected = Affine::scaling([2.0, 3.0, 4.0]);
        for (row, offset) in expected.0.iter_mut().zip([5.0, 6.0, 7.0]) {
            row[3] = offset;
        }
        assert_eq!(plain, Some(expected));
        let turned = Affine::of_quaternion([1.0, 0.0, 0.0], [1.0; 3], [0.0; 3], -1.0);
        assert_eq!(turned.map(|a| a.step(1)), Some([0.0, -1.0, 0.0]));
        assert_eq!(turned.map(|a| a.step(2)), Some([0.0, 0.0, 1.0]));
        assert_eq!(
            Affine::of_quaternion([1.0, 1.0, 0.0], [1.0; 3], [0.0; 3], 1.0),
            None
        );
    }

    #[test]
    fn a_quaternion_there_and_back() {
        for parts in [
            [0.0; 3],
            [1.0, 0.0, 0.0],
            [0.0, 0.8, 0.6],
            [-0.3, 0.5, 0.1],
            [0.1, -0.7, -0.7],
        ] {
            for qfac in [1.0, -1.0] {
                let zooms = [0.5, 2.0, 3.0];
                let affine = Affine::of_quaternion(parts, zooms, [7.0, 8.0, 9.0], qfac);
                let again = affine.and_then(|affine| affine.quaternion());
                let back = again.and_then(|(parts, qfac)| {
                    Affine::of_quaternion(parts, zooms, [7.0, 8.0, 9.0], qfac)
                });
                let apart = affine.zip(back).map(|(a, b)| a.apart(&b, [100; 3]));
                assert!(
                    apart.is_some_and(|apart| apart < 1e-4),
                    "{parts:?} {qfac}: {apart:?}"
                );
            }
        }
        let mut sheared = Affine::scaling([1.0; 3]);
        sheared.0[1][2] = 0.3;
        assert_eq!(sheared.quaternion(), None);
    }

    #[test]
    fn what_places_no_voxels_is_named() {
        assert_eq!(Affine::scaling([1.0, 2.0, 0.5]).check(), Ok(()));
        assert!(Affine::scaling([1.0, 0.0, 1.0]).check().is_err());
        assert!(Affine::scaling([1.0, f64::NAN, 1.0]).check().is_err());
        let mut flat = Affine::scaling([1.0, 1.0, 1.0]);
        flat.0[2] = [0.0, 0.0, 0.0, 0.0];
        flat.0[1][2] = 1.0;
        assert!(flat.check().is_err());
    }
}
