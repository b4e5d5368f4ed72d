use std::fmt;

use crate::Affine;

/// Which way each voxel axis runs in the patient, nearest to right, anterior or superior: one of 48.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orientation {
    /// Of each voxel axis: the patient's axis (0 right, 1 anterior, 2 superior), and whether it runs that way, not against.
    pub axes: [(usize, bool); 3],
}

const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];

impl Orientation {
    /// Nearest to these axes: each voxel axis gets a patient's axis of its own, so that the cosines add up to the most.
    pub fn of(affine: &Affine) -> Self {
        let zooms = affine.zooms();
        let cosine = |axis: usize, world: usize| affine.0[world][axis] / zooms[axis];
        let mut best = (ORDERS[0], f64::NEG_INFINITY);
        for order in ORDERS {
            let sum = (0..3).map(|axis| cosine(axis, order[axis]).abs()).sum();
            // Within rounding, the first stands.
            if sum > best.1 + 1e-9 {
                best = (order, sum);
            }
        }
        Self {
            axes: [0, 1, 2].map(|axis| (best.0[axis], cosine(axis, best.0[axis]) > 0.0)),
        }
    }

    /// The voxel axis that runs along a patient's axis.
    pub fn along(&self, world: usize) -> usize {
        let axis = self.axes.iter().position(|(along, _)| *along == world);
        axis.expect("each of the patient's axes has one")
    }
}

/// As in `RAS`: where the indices grow to.
impl fmt::Display for Orientation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (world, forward) in self.axes {
            let letters = [["L", "R"], ["P", "A"], ["I", "S"]][world];
            f.write_str(letters[usize::from(forward)])?;
        }
        Ok(())
    }
}
