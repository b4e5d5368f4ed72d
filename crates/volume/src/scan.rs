use std::path::{Path, PathBuf};

use crate::{Grid, Levels, Sample, Scratch, Source, View, VolumeError, Window, source::Coding};

/// A scan at hand: its slices along one axis, as they are shown, in one window.
#[derive(Debug)]
pub struct Scan {
    /// How many voxels, and where they lie.
    pub grid: Grid,
    /// How its slices are shown.
    pub view: View,
    /// Which grey values are shown.
    pub levels: Levels,
    coding: Coding,
    path: PathBuf,
    scratch: Scratch,
}

impl Scan {
    /// Reads the volume at a point of time once, into a scratch file at `scratch`. `axis`: the voxel axis that slices are
    /// stacked along.
    ///
    /// # Errors
    /// A file is damaged or cut off; the scratch file cannot be written.
    pub fn open(
        source: &Source,
        time: usize,
        axis: usize,
        window: Window,
        scratch: &Path,
    ) -> Result<Self, VolumeError> {
        let grid = *source.grid();
        let coding = source.coding();
        let unwritable = || VolumeError::io(scratch, "a scratch file cannot be written");
        let mut voxels = source.voxels(time)?;
        let mut slices =
            Scratch::create(scratch, grid.shape, axis, coding.bytes()).map_err(unwritable())?;
        let mut sample = Sample::of(grid.shape.iter().product());
        let planes = slices.planes();
        let mut slab = vec![0; planes * slices.plane_bytes()];
        for first in (0..grid.shape[2]).step_by(planes) {
            slab.truncate(planes.min(grid.shape[2] - first) * slices.plane_bytes());
            voxels.fill(&mut slab)?;
            sample.add(&coding.decode(&slab));
            slices.write_slab(first, &slab).map_err(unwritable())?;
        }
        Ok(Self {
            grid,
            view: grid.view(axis),
            levels: sample.levels(window, source.hints(time)),
            coding,
            path: scratch.to_owned(),
            scratch: slices,
        })
    }

    /// A slice as it is shown: grey, row by row.
    ///
    /// # Errors
    /// The scratch file cannot be read.
    pub fn slice(&self, index: usize) -> Result<Vec<u8>, VolumeError> {
        let stored = self.scratch.read_slice(index);
        let stored = stored.map_err(VolumeError::io(&self.path, "a slice cannot be read"))?;
        let values = self.coding.decode(&stored);
        Ok(self.view.show(&self.levels.render(&values)))
    }
}
