use std::path::{Path, PathBuf};

use dicom_object::DefaultDicomObject;

use super::{file, frame::Frame, other, pixels, stack::Stack};
use crate::{Grid, Plane, VolumeError, window::Hints};

/// Slices of a DICOM series that make a volume, in the order in which they lie.
///
/// Voxels count along a slice's columns, its rows, and from slice to slice along the normal of columns and rows.
#[derive(Clone, Debug)]
pub struct Series {
    /// Number and description of the series, of letters that files may be called by; nothing of the patient's.
    pub name: String,
    /// How many voxels, and where they lie; of an irregular series with its mean step.
    pub grid: Grid,
    /// Whether the grid places every slice: all steps are alike.
    pub is_regular: bool,
    /// What is to be said of it, a sentence each.
    pub notes: Vec<String>,
    /// One list a pass over the same places.
    passes: Vec<Vec<Frame>>,
}

/// The voxels of a series, slice by slice.
pub(crate) struct Voxels {
    frames: Vec<Frame>,
    next: usize,
    /// The file that was read last: several frames may follow.
    open: Option<(PathBuf, DefaultDicomObject)>,
}

impl Series {
    pub(super) fn new(stack: Stack) -> Result<Self, VolumeError> {
        let Stack {
            passes,
            affine,
            is_regular,
            notes,
        } = stack;
        let first = &passes[0][0];
        let path = &first.instance.path;
        let frames = passes.iter().flatten();
        for frame in frames {
            if let Some(reason) = other::undecoded(&frame.instance.syntax) {
                return Err(VolumeError::new(&frame.instance.path, reason));
            }
        }
        affine
            .check()
            .map_err(|reason| VolumeError::new(path, format!("where its slices lie {reason}")))?;
        let [columns, rows] = first.plane.size;
        Ok(Self {
            name: first.instance.name.clone(),
            grid: Grid {
                shape: [columns, rows, passes[0].len()],
                affine,
            },
            is_regular,
            notes,
            passes,
        })
    }

    /// How many passes over the same places there are, such as echoes or points of time.
    pub fn times(&self) -> usize {
        self.passes.len()
    }

    /// The series' own identifier.
    pub fn series_uid(&self) -> &str {
        &self.first().instance.series
    }

    /// What tells it from other slices of the same series.
    pub fn identity(&self) -> String {
        let first = self.first();
        format!(
            "{} {} {}",
            self.series_uid(),
            first.instance.uid,
            first.number
        )
    }

    /// All its files, each once.
    pub fn files(&self) -> Vec<&Path> {
        let frames = self.passes.iter().flatten();
        let mut files: Vec<&Path> = frames.map(|frame| frame.instance.path.as_path()).collect();
        files.sort_unstable();
        files.dedup();
        files
    }

    /// The folder of its first slice; of a series in one file, that file.
    pub fn place(&self) -> &Path {
        let instance = &self.first().instance;
        match instance.frames > 1 {
            true => &instance.path,
            false => instance.path.parent().unwrap_or(&instance.path),
        }
    }

    /// Where its slices lie.
    pub fn planes(&self) -> Vec<Plane> {
        self.passes[0].iter().map(|frame| frame.plane).collect()
    }

    /// Whether both are the same slices.
    pub fn is(&self, other: &Self) -> bool {
        self.identity() == other.identity() && self.grid == other.grid
    }

    fn first(&self) -> &Frame {
        &self.passes[0][0]
    }

    /// The slices of a pass.
    pub(super) fn frames(&self, time: usize) -> &[Frame] {
        &self.passes[time]
    }

    pub(crate) fn voxels(&self, time: usize) -> Voxels {
        Voxels {
            frames: self.passes[time].clone(),
            next: 0,
            open: None,
        }
    }

    /// What it says of how it is to be shown: the first window of its middle slice.
    pub(crate) fn hints(&self, time: usize) -> Hints {
        let pass = &self.passes[time];
        let middle = &pass[pass.len() / 2];
        Hints {
            window: middle.window,
            is_ct: Some(middle.instance.modality == "CT"),
            is_inverted: middle.instance.inverted,
        }
    }
}

impl Voxels {
    /// The next whole slices, four bytes a voxel: single precision, the lowest byte first.
    pub(crate) fn fill(&mut self, slab: &mut [u8]) -> Result<(), VolumeError> {
        let [columns, rows] = self.frames[0].plane.size;
        let slices = slab.chunks_exact_mut(4 * columns * rows);
        for (slice, frame) in slices.zip(&self.frames[self.next..]) {
            let path = &frame.instance.path;
            drop(self.open.take_if(|(open, _)| open != path));
            let (_, object) = match &mut self.open {
                Some(open) => open,
                none => none.insert((path.clone(), file::whole(path)?)),
            };
            let values = pixels::values(object, frame);
            let values = values.map_err(|reason| VolumeError::new(path, reason))?;
            let voxels = slice.as_chunks_mut::<4>().0.iter_mut();
            voxels
                .zip(values)
                .for_each(|(voxel, value)| *voxel = value.to_le_bytes());
            self.next += 1;
        }
        Ok(())
    }
}
