use std::{fmt, str::FromStr};

use crate::{Affine, Orientation};

/// The axis that slices are stacked along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Axis {
    /// The coarsest; of equally coarse ones, the one that runs from feet to head. An axis of one voxel comes first.
    #[default]
    Auto,
    /// Axial slices: along the axis nearest to the one from feet to head.
    Axial,
    /// Coronal slices: from back to front.
    Coronal,
    /// Sagittal slices: from left to right.
    Sagittal,
    /// The voxels' own first, second or third axis.
    Own(usize),
}

impl FromStr for Axis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "auto" => Self::Auto,
            "axial" => Self::Axial,
            "coronal" => Self::Coronal,
            "sagittal" => Self::Sagittal,
            "0" | "1" | "2" => Self::Own(usize::from(text.as_bytes()[0] - b'0')),
            _ => {
                return Err(format!(
                    "`{text}` is no axis: auto, axial, coronal, sagittal, or the voxels' own 0, 1 or 2"
                ));
            }
        })
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Axial => f.write_str("axial"),
            Self::Coronal => f.write_str("coronal"),
            Self::Sagittal => f.write_str("sagittal"),
            Self::Own(axis) => write!(f, "{axis}"),
        }
    }
}

/// Steps whose lengths differ by less than this share are equally coarse.
const SAME: f64 = 0.01;

impl Axis {
    /// The voxel axis that it means.
    pub fn of(self, affine: &Affine, shape: [usize; 3]) -> usize {
        let orientation = Orientation::of(affine);
        match self {
            Self::Own(axis) => axis,
            Self::Axial => orientation.along(2),
            Self::Coronal => orientation.along(1),
            Self::Sagittal => orientation.along(0),
            Self::Auto => {
                if let Some(flat) = (0..3).rev().find(|axis| shape[*axis] == 1) {
                    return flat;
                }
                let zooms = affine.zooms();
                let most = zooms.iter().copied().fold(0.0, f64::max);
                let coarse = |axis: &usize| zooms[*axis] >= most * (1.0 - SAME);
                let axes = [2, 1, 0].map(|world| orientation.along(world));
                axes.into_iter().find(coarse).unwrap_or(2)
            }
        }
    }
}

/// How the slices along one axis are shown: the patient's right at left and superior up, in axial slices anterior up, in
/// sagittal ones anterior at left. By permutation and flips alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The voxel axis that slices are stacked along.
    pub axis: usize,
    shape: [usize; 3],
    /// The voxel axis that runs along a picture's rows, and whether it runs from right to left.
    column: (usize, bool),
    /// The same of its columns, from bottom to top.
    row: (usize, bool),
}

impl View {
    /// Slices of a volume along one of its axes.
    pub fn new(orientation: &Orientation, shape: [usize; 3], axis: usize) -> Self {
        let others = [(axis + 1) % 3, (axis + 2) % 3];
        // On screen, right, anterior and superior are where columns and rows begin.
        let shown = |axis: usize| (axis, orientation.axes[axis].1);
        let world = |axis: usize| orientation.axes[axis].0;
        let [column, row] = match world(others[0]) < world(others[1]) {
            true => others,
            false => [others[1], others[0]],
        };
        Self {
            axis,
            shape,
            column: shown(column),
            row: shown(row),
        }
    }

    /// How many slices there are.
    pub fn count(&self) -> usize {
        self.shape[self.axis]
    }

    /// Width and height of a slice as it is shown.
    pub fn size(&self) -> (usize, usize) {
        (self.shape[self.column.0], self.shape[self.row.0])
    }

    /// Lengths in millimetres of a shown pixel's width and height, and from slice to slice.
    pub fn spacing(&self, affine: &Affine) -> [f64; 3] {
        let zooms = affine.zooms();
        [zooms[self.column.0], zooms[self.row.0], zooms[self.axis]]
    }

    /// A slice as [`Scratch`](crate::Scratch) holds it, as it is shown.
    ///
    /// # Panics
    /// If it has not one value a voxel.
    pub fn show<T: Copy>(&self, slice: &[T]) -> Vec<T> {
        let (width, height) = self.size();
        assert_eq!(slice.len(), width * height, "one value a voxel");
        let mut shown = Vec::with_capacity(slice.len());
        for row in 0..height {
            shown.extend((0..width).map(|column| slice[self.at(column, row)]));
        }
        shown
    }

    /// A shown slice as [`Scratch`](crate::Scratch) holds it.
    ///
    /// # Panics
    /// If it has not one value a pixel.
    pub fn unshow<T: Copy + Default>(&self, shown: &[T]) -> Vec<T> {
        let (width, height) = self.size();
        assert_eq!(shown.len(), width * height, "one value a pixel");
        let mut slice = vec![T::default(); shown.len()];
        for row in 0..height {
            for column in 0..width {
                slice[self.at(column, row)] = shown[row * width + column];
            }
        }
        slice
    }

    /// From (column, row, slice) to millimetres, of slices counted from the first or from the last.
    pub fn placing(&self, affine: &Affine, from_the_last: bool) -> Affine {
        let (width, height) = self.size();
        let own = [
            (self.column.0, self.column.1, width),
            (self.row.0, self.row.1, height),
            (self.axis, from_the_last, self.count()),
        ];
        let mut first = [0.0; 3];
        let mut rows = [[0.0; 4]; 3];
        for (at, (axis, flipped, count)) in own.into_iter().enumerate() {
            let sign = if flipped { -1.0 } else { 1.0 };
            let step = affine.step(axis);
            for world in 0..3 {
                rows[world][at] = sign * step[world];
            }
            if flipped {
                first[axis] = count as f64 - 1.0;
            }
        }
        let origin = affine.place(first);
        for world in 0..3 {
            rows[world][3] = origin[world];
        }
        Affine(rows)
    }

    /// Where the pixel of a shown slice stands in a slice as scratch files hold it: the later of both axes outside.
    fn at(&self, column: usize, row: usize) -> usize {
        let (width, height) = self.size();
        let across = if self.column.1 {
            width - 1 - column
        } else {
            column
        };
        let down = if self.row.1 { height - 1 - row } else { row };
        match self.column.0 < self.row.0 {
            true => down * width + across,
            false => across * height + down,
        }
    }
}
