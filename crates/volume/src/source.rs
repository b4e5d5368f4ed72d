use std::{fs, path::Path, sync::Arc};

use crate::{
    Grid, Plane, VolumeError,
    dicom::{self, Series},
    nifti::{self, Header, NiftiFile},
    window::Hints,
};

/// The scan that a file or the files of a series hold, whatever their format; only headers are read.
#[derive(Clone, Debug)]
pub enum Source {
    /// A NIfTI file.
    Nifti(Box<NiftiFile>),
    /// Slices of a DICOM series.
    Dicom(Arc<Series>),
}

impl Source {
    /// The one scan that a path means: a NIfTI file, or the DICOM series in a file or in a folder and below.
    ///
    /// # Errors
    /// There is none, there are several, or it cannot be used.
    pub fn open(path: &Path) -> Result<Self, VolumeError> {
        let is_dicom = path.is_dir() || dicom::is_dicom(path).unwrap_or(false);
        if !is_dicom {
            return NiftiFile::open(path).map(Box::new).map(Self::Nifti);
        }
        let files = dicom::files(path).map_err(VolumeError::io(path, "cannot be listed"))?;
        let mut gathered = dicom::gather(&files);
        let count = gathered.series.len();
        match gathered.series.pop() {
            Some(series) if count == 1 => Ok(Self::Dicom(Arc::new(series?))),
            Some(last) => {
                let series = gathered.series.iter().chain([&last]);
                let named = series.map(|series| match series {
                    Ok(series) => format!("{} in {}", series.name, series.place().display()),
                    Err(error) => error.to_string(),
                });
                let named: Vec<String> = named.collect();
                Err(VolumeError::new(
                    path,
                    format!(
                        "it holds {count} series, where one is meant: give the folder or file of one of them ({})",
                        named.join("; ")
                    ),
                ))
            }
            None => {
                let broken = gathered.broken.iter().map(VolumeError::to_string);
                let others = gathered.others.iter();
                let others = others.map(|(file, what)| format!("{} is {what}", file.display()));
                let reason = broken.chain(others).next().map_or_else(
                    || "there is no DICOM file in it or below".to_owned(),
                    |reason| format!("there is no scan in it: {reason}"),
                );
                Err(VolumeError::new(path, reason))
            }
        }
    }

    /// How many voxels, and where they lie.
    pub fn grid(&self) -> &Grid {
        match self {
            Self::Nifti(file) => &file.header.grid,
            Self::Dicom(series) => &series.grid,
        }
    }

    /// Whether the grid places every voxel, as it does but for slices at irregular distances.
    pub fn is_regular(&self) -> bool {
        match self {
            Self::Nifti(_) => true,
            Self::Dicom(series) => series.is_regular,
        }
    }

    /// How many volumes there are over the same places, such as points of time or echoes.
    pub fn times(&self) -> usize {
        match self {
            Self::Nifti(file) => file.header.times,
            Self::Dicom(series) => series.times(),
        }
    }

    /// What is to be said of it, a sentence each.
    pub fn notes(&self) -> &[String] {
        match self {
            Self::Nifti(file) => &file.header.notes,
            Self::Dicom(series) => &series.notes,
        }
    }

    /// The files that it consists of.
    pub fn files(&self) -> Vec<&Path> {
        match self {
            Self::Nifti(file) => file.files(),
            Self::Dicom(series) => series.files(),
        }
    }

    /// The file or folder by which people know it.
    pub fn place(&self) -> &Path {
        match self {
            Self::Nifti(file) => file.files()[0],
            Self::Dicom(series) => series.place(),
        }
    }

    /// Whether both are the same scan, by whatever path each is reached.
    pub fn is(&self, other: &Self) -> bool {
        let real = |file: &NiftiFile| fs::canonicalize(file.files()[0]).ok();
        match (self, other) {
            (Self::Nifti(own), Self::Nifti(other)) => {
                real(own).is_some_and(|own| real(other) == Some(own))
            }
            (Self::Dicom(own), Self::Dicom(other)) => own.is(other),
            _ => false,
        }
    }

    /// What tells it from all others: the same wherever it is read from.
    pub fn identity(&self) -> String {
        match self {
            Self::Nifti(file) => file.files()[0].display().to_string(),
            Self::Dicom(series) => series.identity(),
        }
    }

    /// Where the planes of its third axis lie.
    pub fn planes(&self) -> Vec<Plane> {
        match self {
            Self::Nifti(file) => Plane::all(&file.header.grid.affine, file.header.grid.shape),
            Self::Dicom(series) => series.planes(),
        }
    }

    /// The NIfTI header that label volumes of it have; `None` where none can place its slices.
    pub fn header(&self) -> Option<Header> {
        match self {
            Self::Nifti(file) => Some(file.header.clone()),
            Self::Dicom(series) if series.is_regular => Header::of(&series.grid).ok(),
            Self::Dicom(_) => None,
        }
    }

    pub(crate) fn coding(&self) -> Coding {
        match self {
            Self::Nifti(file) => Coding::Header(Box::new(file.header.clone())),
            Self::Dicom(_) => Coding::Single,
        }
    }

    pub(crate) fn voxels(&self, time: usize) -> Result<Voxels, VolumeError> {
        match self {
            Self::Nifti(file) => file.voxels(time).map(Box::new).map(Voxels::Nifti),
            Self::Dicom(series) => Ok(Voxels::Dicom(Box::new(series.voxels(time)))),
        }
    }

    pub(crate) fn hints(&self, time: usize) -> Hints {
        match self {
            Self::Nifti(_) => Hints::default(),
            Self::Dicom(series) => series.hints(time),
        }
    }
}

/// The voxels of a volume, in file order.
pub(crate) enum Voxels {
    Nifti(Box<nifti::Voxels>),
    Dicom(Box<dicom::Voxels>),
}

impl Voxels {
    /// The next whole planes, as [`Coding`] says.
    pub(crate) fn fill(&mut self, slab: &mut [u8]) -> Result<(), VolumeError> {
        match self {
            Self::Nifti(voxels) => voxels.fill(slab),
            Self::Dicom(voxels) => voxels.fill(slab),
        }
    }
}

/// How voxels stand in a scratch file.
#[derive(Debug)]
pub(crate) enum Coding {
    /// As in the file that has this header.
    Header(Box<Header>),
    /// In single precision, the lowest byte first.
    Single,
}

impl Coding {
    /// Bytes of a voxel.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Header(header) => header.dtype.bytes(),
            Self::Single => size_of::<f32>(),
        }
    }

    /// Voxels as numbers.
    pub(crate) fn decode(&self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::Header(header) => header.decode(bytes),
            Self::Single => {
                let voxels = bytes.as_chunks::<4>().0.iter();
                voxels.map(|voxel| f32::from_le_bytes(*voxel)).collect()
            }
        }
    }
}
