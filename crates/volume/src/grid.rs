use crate::{Affine, Orientation, View};

/// A volume's voxels: how many, and where they lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Voxels along each axis.
    pub shape: [usize; 3],
    /// Where they lie.
    pub affine: Affine,
}

/// Another volume whose voxels lie where this one's do, turned perhaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// How its slices are shown: pixel by pixel as this one's.
    pub view: View,
    reversed: bool,
}

/// How far voxels may lie apart, as a share of their shortest edge: files hold single precision.
const TOLERANCE: f64 = 0.05;

impl Grid {
    /// Which way its axes run.
    pub fn orientation(&self) -> Orientation {
        Orientation::of(&self.affine)
    }

    /// Its slices along one of its axes.
    pub fn view(&self, axis: usize) -> View {
        View::new(&self.orientation(), self.shape, axis)
    }

    /// How the slices of `other` stand to those of this volume along `axis`.
    ///
    /// # Errors
    /// Its voxels lie elsewhere, however it is turned: for people.
    pub fn place(&self, axis: usize, other: &Self) -> Result<Placed, String> {
        let own = self.view(axis);
        let world = self.orientation().axes[axis].0;
        let view = other.view(other.orientation().along(world));
        let voxels = |grid: &Self| grid.shape.map(|n| n.to_string()).join(" x ");
        if (view.size(), view.count()) != (own.size(), own.count()) {
            return Err(format!(
                "it has {} voxels ({}), where {} ({}) are expected",
                voxels(other),
                other.orientation(),
                voxels(self),
                self.orientation()
            ));
        }
        let shape = [own.size().0, own.size().1, own.count()];
        let expected = own.placing(&self.affine, false);
        let apart = [false, true].map(|reversed| {
            let placing = view.placing(&other.affine, reversed);
            expected.apart(&placing, shape)
        });
        let reversed = apart[1] < apart[0];
        let apart = apart[usize::from(reversed)];
        let zooms = self.affine.zooms();
        let least = zooms.into_iter().fold(f64::INFINITY, f64::min);
        if apart > TOLERANCE * least {
            return Err(format!(
                "its voxels lie up to {apart:.3} mm from where they are expected; resample it onto the scan's grid with the tool that made it"
            ));
        }
        Ok(Placed { view, reversed })
    }
}

impl Placed {
    /// Of the volume itself.
    pub(crate) fn itself(view: View) -> Self {
        Self {
            view,
            reversed: false,
        }
    }

    /// The slice of the other volume that lies where slice `index` of this one does.
    pub fn slice(&self, index: usize) -> usize {
        match self.reversed {
            true => self.view.count() - 1 - index,
            false => index,
        }
    }
}
