use std::path::Path;

use super::{
    dtype::Dtype,
    fields::{Endian, Fields},
};
use crate::{Affine, Grid, VolumeError};

/// Which form a header has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 348 bytes.
    One,
    /// 540 bytes.
    Two,
}

/// What a header says, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Its form.
    pub version: Version,
    /// How many voxels, and where they lie.
    pub grid: Grid,
    /// How many volumes there are, one a point of time.
    pub times: usize,
    /// The type of the voxels.
    pub dtype: Dtype,
    /// Slope and intercept of the voxels' values.
    pub scale: (f64, f64),
    /// Whether the header says where the patient lies, not only how large voxels are.
    pub is_placed: bool,
    /// What is to be said of it, a sentence each.
    pub notes: Vec<String>,
    /// Whether the voxels lie in a file of their own.
    pub(super) is_pair: bool,
    /// Where the voxels begin.
    pub(super) offset: u64,
    pub(super) fields: Fields,
}

/// Where the fields of a form stand.
pub(super) struct Places {
    pub bytes: usize,
    pub dims: usize,
    pub datatype: usize,
    pub bitpix: usize,
    pub pixdims: usize,
    pub offset: usize,
    pub slope: usize,
    pub intercept: usize,
    pub calibration: [usize; 2],
    pub description: usize,
    pub auxiliary: usize,
    pub qform_code: usize,
    pub sform_code: usize,
    pub quaternion: usize,
    pub qoffset: usize,
    pub sform: usize,
    pub intent_code: usize,
    pub intent_parameters: usize,
    pub intent_name: usize,
    pub magic: usize,
}

pub(super) const ONE: Places = Places {
    bytes: 348,
    dims: 40,
    datatype: 70,
    bitpix: 72,
    pixdims: 76,
    offset: 108,
    slope: 112,
    intercept: 116,
    calibration: [124, 128],
    description: 148,
    auxiliary: 228,
    qform_code: 252,
    sform_code: 254,
    quaternion: 256,
    qoffset: 268,
    sform: 280,
    intent_code: 68,
    intent_parameters: 56,
    intent_name: 328,
    magic: 344,
};

pub(super) const TWO: Places = Places {
    bytes: 540,
    dims: 16,
    datatype: 12,
    bitpix: 14,
    pixdims: 104,
    offset: 168,
    slope: 176,
    intercept: 184,
    calibration: [192, 200],
    description: 240,
    auxiliary: 320,
    qform_code: 344,
    sform_code: 348,
    quaternion: 352,
    qoffset: 376,
    sform: 400,
    intent_code: 504,
    intent_parameters: 80,
    intent_name: 508,
    magic: 4,
};

/// Of NIfTI-1: the units of lengths.
const UNITS: usize = 123;
const MILLIMETRES: u8 = 2;

/// The most voxels of a slice in file order that are worked on: 2^28, as the largest picture.
const MOST_IN_PLANE: u64 = 1 << 28;
/// The most voxels of a volume.
const MOST: u64 = 1 << 40;

impl Version {
    pub(super) fn places(self) -> &'static Places {
        match self {
            Self::One => &ONE,
            Self::Two => &TWO,
        }
    }
}

/// The form and byte order that the first bytes speak of.
pub(super) fn recognised(begin: &[u8]) -> Option<(Version, Endian)> {
    let first: [u8; 4] = begin.get(..4)?.try_into().ok()?;
    let sizes = [
        (i32::from_le_bytes(first), Endian::Little),
        (i32::from_be_bytes(first), Endian::Big),
    ];
    let of = |(size, endian)| {
        let (version, magics) = match size {
            348 => (Version::One, [b"n+1\0", b"ni1\0"]),
            540 => (Version::Two, [b"n+2\0", b"ni2\0"]),
            _ => return None,
        };
        let at = version.places().magic;
        let magic = begin.get(at..at + 4)?;
        magics
            .iter()
            .any(|known| *known == magic)
            .then_some((version, endian))
    };
    sizes.into_iter().find_map(of)
}

impl Header {
    /// Reads a header from the bytes with which its file begins.
    ///
    /// # Errors
    /// It is none, or says what cannot be used.
    pub(super) fn read(path: &Path, begin: &[u8]) -> Result<Self, VolumeError> {
        let refuse = |reason: String| VolumeError::new(path, reason);
        let stated = |size: usize| {
            let size = size as i32;
            begin.starts_with(&size.to_le_bytes()) || begin.starts_with(&size.to_be_bytes())
        };
        if [&ONE, &TWO]
            .iter()
            .any(|places| stated(places.bytes) && begin.len() < places.bytes)
        {
            return Err(refuse(format!(
                "its header is cut off after {} bytes",
                begin.len()
            )));
        }
        let Some((version, endian)) = recognised(begin) else {
            return Err(refuse(match stated(ONE.bytes) {
                true => "an ANALYZE header: it does not say which way up and round the patient lies; convert it to NIfTI with the tool that made it".into(),
                false => "it is no NIfTI file".into(),
            }));
        };
        let places = version.places();
        let fields = Fields::new(begin[..places.bytes].to_vec(), endian);
        let read = Read { version, fields };
        let (shape, times) = read.shape().map_err(refuse)?;
        let code = read.fields.i16(places.datatype);
        let dtype = Dtype::of(code).map_err(|what| {
            refuse(format!(
                "its voxels are {what} (type {code}), not grey values; convert it to whole or floating-point numbers"
            ))
        })?;
        let mut notes = Vec::new();
        let affine = read.affine(shape, &mut notes).map_err(refuse)?;
        let is_pair = read.fields.bytes()[places.magic + 1] == b'i';
        let offset = read.offset(is_pair).map_err(refuse)?;
        let scale = read.scale(&mut notes);
        let codes = [places.sform_code, places.qform_code].map(|place| read.code(place));
        Ok(Self {
            version,
            is_placed: codes.iter().any(|code| *code > 0),
            grid: Grid { shape, affine },
            times,
            dtype,
            scale,
            notes,
            is_pair,
            offset,
            fields: read.fields,
        })
    }

    /// That of a volume of bytes whose voxels lie so: in the sform and, where axes are at right angles, in the qform.
    ///
    /// # Errors
    /// The form has no room for so many voxels; for people.
    pub fn of(grid: &Grid) -> Result<Self, String> {
        let places = &ONE;
        let mut fields = Fields::new(vec![0; places.bytes], Endian::Little);
        fields.put(0, (places.bytes as i32).to_le_bytes());
        fields.put(places.dims, 3_i16.to_le_bytes());
        for axis in 0..7 {
            let count = grid.shape.get(axis).copied().unwrap_or(1);
            let count = i16::try_from(count)
                .map_err(|_| format!("{count} voxels along an axis are too many for NIfTI-1"))?;
            fields.put(places.dims + 2 * (axis + 1), count.to_le_bytes());
        }
        fields.put(places.datatype, 2_i16.to_le_bytes());
        fields.put(places.bitpix, 8_i16.to_le_bytes());
        let mut number = |place: usize, value: f64| fields.put(place, (value as f32).to_le_bytes());
        number(places.offset, places.bytes as f64 + 4.0);
        number(places.slope, 1.0);
        let quaternion = grid.affine.quaternion();
        let qfac = quaternion.map_or(1.0, |(_, qfac)| qfac);
        number(places.pixdims, qfac);
        for (axis, zoom) in grid.affine.zooms().into_iter().enumerate() {
            number(places.pixdims + 4 * (axis + 1), zoom);
            let row = grid.affine.0[axis];
            number(places.qoffset + 4 * axis, row[3]);
            for (column, value) in row.into_iter().enumerate() {
                number(places.sform + 16 * axis + 4 * column, value);
            }
            if let Some((parts, _)) = quaternion {
                number(places.quaternion + 4 * axis, parts[axis]);
            }
        }
        // Where the scanner says that the patient lies.
        fields.put(places.sform_code, 1_i16.to_le_bytes());
        fields.put(
            places.qform_code,
            i16::from(quaternion.is_some()).to_le_bytes(),
        );
        fields.put(UNITS, [MILLIMETRES]);
        fields.put_text(places.magic, 4, "n+1");
        let bytes = fields.bytes();
        Self::read(Path::new(""), bytes).map_err(|error| error.to_string())
    }

    /// Bytes of a volume.
    pub(super) fn volume_bytes(&self) -> u64 {
        let voxels: usize = self.grid.shape.iter().product();
        voxels as u64 * self.dtype.bytes() as u64
    }
}

/// A header's fields, by what they mean.
struct Read {
    version: Version,
    fields: Fields,
}

impl Read {
    fn number(&self, place: usize, index: usize) -> f64 {
        match self.version {
            Version::One => self.fields.f32(place + 4 * index),
            Version::Two => self.fields.f64(place + 8 * index),
        }
    }

    fn code(&self, place: usize) -> i32 {
        match self.version {
            Version::One => self.fields.i16(place).into(),
            Version::Two => self.fields.i32(place),
        }
    }

    fn shape(&self) -> Result<([usize; 3], usize), String> {
        let at = self.version.places().dims;
        let dims: Vec<i64> = (0..8)
            .map(|index| match self.version {
                Version::One => self.fields.i16(at + 2 * index).into(),
                Version::Two => self.fields.i64(at + 8 * index),
            })
            .collect();
        let count = usize::try_from(dims[0])
            .ok()
            .filter(|n| (1..=7).contains(n));
        let Some(count) = count else {
            return Err(format!("it says that it has {} dimensions", dims[0]));
        };
        let mut all = [1_u64; 7];
        for (dim, own) in all.iter_mut().zip(&dims[1..=count]) {
            *dim = u64::try_from(*own)
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| format!("it says that it has {own} voxels along an axis"))?;
        }
        if all[4..].iter().any(|n| *n > 1) {
            return Err(format!(
                "it has {count} dimensions; a volume has three, and time as a fourth"
            ));
        }
        let plane = all[0].checked_mul(all[1]).filter(|n| *n <= MOST_IN_PLANE);
        let voxels = plane.and_then(|n| n.checked_mul(all[2])?.checked_mul(all[3]));
        if voxels.is_none_or(|n| n > MOST) {
            return Err(format!(
                "it says that it has {} x {} x {} x {} voxels, which is beyond what is worked on",
                all[0], all[1], all[2], all[3]
            ));
        }
        Ok((
            [all[0], all[1], all[2]].map(|n| n as usize),
            all[3] as usize,
        ))
    }

    fn affine(&self, shape: [usize; 3], notes: &mut Vec<String>) -> Result<Affine, String> {
        let places = self.version.places();
        let (sform, qform) = (self.code(places.sform_code), self.code(places.qform_code));
        let of_sform = (sform > 0).then(|| self.sform());
        let of_qform = (qform > 0).then(|| self.qform());
        match (of_sform, of_qform) {
            (Some(Ok(affine)), other) => {
                if let Some(Ok(other)) = other {
                    let zooms = affine.zooms();
                    let least = zooms.into_iter().fold(f64::INFINITY, f64::min);
                    let apart = affine.apart(&other, shape);
                    if apart > least {
                        notes.push(format!(
                            "sform and qform place voxels up to {apart:.1} mm apart; the sform is used"
                        ));
                    }
                }
                Ok(affine)
            }
            (Some(Err(reason)), Some(Ok(affine))) => {
                notes.push(format!("the sform {reason}; the qform is used"));
                Ok(affine)
            }
            (None, Some(Ok(affine))) => Ok(affine),
            (Some(Err(reason)), _) => Err(format!(
                "the sform {reason}, so it is not known where voxels lie; give the header a valid one"
            )),
            (None, Some(Err(reason))) => Err(format!(
                "the qform {reason}, so it is not known where voxels lie; give the header a valid one"
            )),
            (None, None) => {
                notes.push("the header does not say which way up and round the patient lies: taken as most programs do, first axis to the left, second to the front, third to the head".into());
                // As nibabel: the first axis runs to the left, the middle voxel lies at 0.
                let mut zooms = self
                    .zooms()
                    .map_err(|reason| format!("the header {reason}"))?;
                zooms[0] = -zooms[0];
                let mut affine = Affine::scaling(zooms);
                for axis in 0..3 {
                    affine.0[axis][3] = -zooms[axis] * (shape[axis] as f64 - 1.0) / 2.0;
                }
                Ok(affine)
            }
        }
    }

    fn sform(&self) -> Result<Affine, &'static str> {
        let at = self.version.places().sform;
        let row = |row: usize| [0, 1, 2, 3].map(|column| self.number(at, 4 * row + column));
        let affine = Affine([row(0), row(1), row(2)]);
        affine.check().map(|()| affine)
    }

    fn qform(&self) -> Result<Affine, &'static str> {
        let places = self.version.places();
        let three = |at: usize| [0, 1, 2].map(|index| self.number(at, index));
        let qfac = self.number(places.pixdims, 0);
        let affine = Affine::of_quaternion(
            three(places.quaternion),
            self.zooms()?,
            three(places.qoffset),
            qfac,
        );
        let affine = affine.ok_or("holds a quaternion that is no rotation")?;
        affine.check().map(|()| affine)
    }

    fn zooms(&self) -> Result<[f64; 3], &'static str> {
        let at = self.version.places().pixdims;
        let zooms = [1, 2, 3].map(|index| self.number(at, index));
        match zooms.iter().all(|zoom| *zoom > 0.0 && zoom.is_finite()) {
            true => Ok(zooms),
            false => Err("has a voxel edge (pixdim) that is not above 0"),
        }
    }

    fn offset(&self, is_pair: bool) -> Result<u64, String> {
        let places = self.version.places();
        let offset = match self.version {
            Version::One => self.fields.f32(places.offset),
            Version::Two => self.fields.i64(places.offset) as f64,
        };
        let least = if is_pair { 0 } else { places.bytes as u64 + 4 };
        if offset == 0.0 {
            return Ok(least);
        }
        match offset.is_finite() && offset >= least as f64 && offset < 1e12 {
            true => Ok(offset as u64),
            false => Err(format!("it says that its voxels begin at byte {offset}")),
        }
    }

    fn scale(&self, notes: &mut Vec<String>) -> (f64, f64) {
        let places = self.version.places();
        let (slope, intercept) = (
            self.number(places.slope, 0),
            self.number(places.intercept, 0),
        );
        if slope == 0.0 || !slope.is_finite() {
            return (1.0, 0.0);
        }
        if !intercept.is_finite() {
            notes.push("the intercept of its values is no number: taken as 0".into());
            return (slope, 0.0);
        }
        (slope, intercept)
    }
}
