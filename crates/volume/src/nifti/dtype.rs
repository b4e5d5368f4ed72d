use super::fields::Endian;

/// The number type of voxels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// 8 bits, without sign.
    U8,
    /// 8 bits.
    I8,
    /// 16 bits, without sign.
    U16,
    /// 16 bits.
    I16,
    /// 32 bits, without sign.
    U32,
    /// 32 bits.
    I32,
    /// 64 bits, without sign.
    U64,
    /// 64 bits.
    I64,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

impl Dtype {
    /// By its number in a header.
    ///
    /// # Errors
    /// What those voxels are instead of grey values, for people.
    pub fn of(code: i16) -> Result<Self, &'static str> {
        Ok(match code {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            1024 => Self::I64,
            1280 => Self::U64,
            128 | 2304 => return Err("colours (RGB)"),
            32 | 1792 | 2048 => return Err("complex numbers"),
            1536 => return Err("numbers of 128 bits"),
            1 => return Err("single bits"),
            0 => return Err("of no stated type"),
            _ => return Err("of a type that the standard does not know"),
        })
    }

    /// Bytes of a voxel.
    pub fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Voxels as numbers: `slope * stored + intercept`.
    pub(super) fn decode(self, endian: Endian, bytes: &[u8], scale: (f64, f64)) -> Vec<f32> {
        macro_rules! numbers {
            ($number:ty) => {{
                let (voxels, _) = bytes.as_chunks::<{ size_of::<$number>() }>();
                let read = match endian {
                    Endian::Little => <$number>::from_le_bytes,
                    Endian::Big => <$number>::from_be_bytes,
                };
                let scaled = |value: $number| match scale {
                    (1.0, 0.0) => value as f32,
                    (slope, intercept) => (value as f64 * slope + intercept) as f32,
                };
                voxels.iter().map(|voxel| scaled(read(*voxel))).collect()
            }};
        }
        match self {
            Self::U8 => numbers!(u8),
            Self::I8 => numbers!(i8),
            Self::U16 => numbers!(u16),
            Self::I16 => numbers!(i16),
            Self::U32 => numbers!(u32),
            Self::I32 => numbers!(i32),
            Self::U64 => numbers!(u64),
            Self::I64 => numbers!(i64),
            Self::F32 => numbers!(f32),
            Self::F64 => numbers!(f64),
        }
    }
}
