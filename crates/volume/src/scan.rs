use std::path::{Path, PathBuf};

use crate::{
    Levels, Sample, Scratch, View, VolumeError, Window,
    nifti::{Header, NiftiFile},
};

/// A scan at hand: its slices along one axis, as they are shown, in one window.
#[derive(Debug)]
pub struct Scan {
    /// What its header says.
    pub header: Header,
    /// How its slices are shown.
    pub view: View,
    /// Which grey values are shown.
    pub levels: Levels,
    path: PathBuf,
    scratch: Scratch,
}

impl Scan {
    /// Reads the volume at a point of time once, into a scratch file at `scratch`. `axis`: the voxel axis that slices are
    /// stacked along.
    ///
    /// # Errors
    /// The file is damaged or cut off; the scratch file cannot be written.
    pub fn open(
        file: &NiftiFile,
        time: usize,
        axis: usize,
        window: Window,
        scratch: &Path,
    ) -> Result<Self, VolumeError> {
        let header = &file.header;
        let shape = header.grid.shape;
        let unwritable = || VolumeError::io(scratch, "a scratch file cannot be written");
        let mut voxels = file.voxels(time)?;
        let mut slices =
            Scratch::create(scratch, shape, axis, header.dtype.bytes()).map_err(unwritable())?;
        let mut sample = Sample::of(shape.iter().product());
        let planes = slices.planes();
        let mut slab = vec![0; planes * slices.plane_bytes()];
        for first in (0..shape[2]).step_by(planes) {
            slab.truncate(planes.min(shape[2] - first) * slices.plane_bytes());
            voxels.fill(&mut slab)?;
            sample.add(&header.decode(&slab));
            slices.write_slab(first, &slab).map_err(unwritable())?;
        }
        Ok(Self {
            header: header.clone(),
            view: header.grid.view(axis),
            levels: sample.levels(window),
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
        let values = self.header.decode(&stored);
        Ok(self.view.show(&self.levels.render(&values)))
    }
}
