use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::{Grid, Placed, Scratch, Source, VolumeError, dicom::Segmentation, nifti::NiftiFile};

/// What a label volume marks, before its slices are at hand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// The slices that mark something, and how many voxels each.
    pub areas: BTreeMap<usize, usize>,
    /// Every id that is there; 0 is background and not among them.
    pub ids: BTreeSet<u16>,
    /// What they are called, as far as the file says.
    pub names: BTreeMap<u16, String>,
    /// What is to be said of them, a sentence each.
    pub notes: Vec<String>,
}

/// A label volume at hand, by the slices of the scan that it belongs to.
#[derive(Debug)]
pub struct LabelVolume {
    /// What it marks.
    pub labels: Labels,
    placed: Placed,
    path: PathBuf,
    scratch: Scratch,
}

/// How far a stored label may be from a whole number: scaled files are not exact.
const ROUNDING: f32 = 1e-3;
/// The largest id.
const MOST: f32 = 65_534.0;

impl LabelVolume {
    /// How the slices of a label file stand to those of the scan along `axis`. Turned ones are turned back; one that does
    /// not say where it lies lies where the scan does.
    ///
    /// # Errors
    /// Its voxels lie elsewhere, or there are several points of time.
    pub fn place(file: &NiftiFile, scan: &Grid, axis: usize) -> Result<Placed, VolumeError> {
        let path = file.files()[0];
        if file.header.times > 1 {
            let times = file.header.times;
            return Err(VolumeError::new(
                path,
                format!("labels of {times} points of time: give those of one"),
            ));
        }
        let mut grid = file.header.grid;
        if !file.header.is_placed && grid.shape == scan.shape {
            grid.affine = scan.affine;
        }
        let not_here = |reason| VolumeError::new(path, format!("not on the scan's grid: {reason}"));
        scan.place(axis, &grid).map_err(not_here)
    }

    /// Reads a label file once, into a scratch file at `scratch`. `scan`, `axis`: what it belongs to.
    ///
    /// # Errors
    /// As [`LabelVolume::place`]; a value is no class id; the file is damaged, or the scratch file cannot be written.
    pub fn open(
        file: &NiftiFile,
        scan: &Grid,
        axis: usize,
        scratch: &Path,
    ) -> Result<Self, VolumeError> {
        let placed = Self::place(file, scan, axis)?;
        let unwritable = || VolumeError::io(scratch, "a scratch file cannot be written");
        let shape = file.header.grid.shape;
        let own = placed.view.axis;
        let mut slices = Scratch::create(scratch, shape, own, 2).map_err(unwritable())?;
        let mut voxels = file.voxels(0)?;
        let mut labels = Labels::default();
        let planes = slices.planes();
        let mut slab = vec![0; planes * shape[0] * shape[1] * file.header.dtype.bytes()];
        for first in (0..shape[2]).step_by(planes) {
            let count = planes.min(shape[2] - first);
            slab.truncate(count * shape[0] * shape[1] * file.header.dtype.bytes());
            voxels.fill(&mut slab)?;
            let mut ids = Vec::with_capacity(slab.len());
            for (at, value) in file.header.decode(&slab).into_iter().enumerate() {
                let id = id(value).ok_or_else(|| {
                    VolumeError::new(
                        file.files()[0],
                        format!("it holds the value {value}, which is no class id (whole numbers from 0 to 65534): is it a scan?"),
                    )
                })?;
                if id != 0 {
                    let voxel = [
                        at % shape[0],
                        at / shape[0] % shape[1],
                        first + at / (shape[0] * shape[1]),
                    ];
                    *labels.areas.entry(placed.slice(voxel[own])).or_default() += 1;
                    labels.ids.insert(id);
                }
                ids.extend(id.to_le_bytes());
            }
            slices.write_slab(first, &ids).map_err(unwritable())?;
        }
        Ok(Self {
            labels,
            placed,
            path: scratch.to_owned(),
            scratch: slices,
        })
    }

    /// Reads a segmentation once, into a scratch file at `scratch`. `scan`, `axis`: what it belongs to. Slices without a frame
    /// mark nothing.
    pub(crate) fn of_segmentation(
        segmentation: &Segmentation,
        scan: &Source,
        axis: usize,
        scratch: &Path,
    ) -> Result<Self, VolumeError> {
        let unwritable = || VolumeError::io(scratch, "a scratch file cannot be written");
        let grid = scan.grid();
        let shape = grid.shape;
        let mut slices = Scratch::create(scratch, shape, axis, 2).map_err(unwritable())?;
        let mut labels = Labels {
            names: segmentation.names.clone(),
            ..Labels::default()
        };
        let several = segmentation.read(&scan.planes(), |plane, ids| {
            for (at, id) in ids.iter().enumerate().filter(|(_, id)| **id != 0) {
                let voxel = [at % shape[0], at / shape[0], plane];
                *labels.areas.entry(voxel[axis]).or_default() += 1;
                labels.ids.insert(*id);
            }
            let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
            slices.write_slab(plane, &bytes).map_err(unwritable())
        })?;
        if several > 0 {
            labels.notes.push(format!(
                "{several} voxels are in several segments at once: the highest number is taken"
            ));
        }
        Ok(Self {
            labels,
            placed: Placed::itself(grid.view(axis)),
            path: scratch.to_owned(),
            scratch: slices,
        })
    }

    /// The labels of a slice of the scan, as it is shown: row by row.
    ///
    /// # Errors
    /// The scratch file cannot be read.
    pub fn slice(&self, index: usize) -> Result<Vec<u16>, VolumeError> {
        let stored = self.scratch.read_slice(self.placed.slice(index));
        let stored = stored.map_err(VolumeError::io(&self.path, "a slice cannot be read"))?;
        let ids = stored.as_chunks::<2>().0.iter();
        let ids: Vec<u16> = ids.map(|id| u16::from_le_bytes(*id)).collect();
        Ok(self.placed.view.show(&ids))
    }
}

fn id(value: f32) -> Option<u16> {
    let whole = value.round();
    let is_id = (value - whole).abs() <= ROUNDING && (0.0..=MOST).contains(&whole);
    is_id.then_some(whole as u16)
}
