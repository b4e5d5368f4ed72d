use crate::Layout;

/// Samples in the narrowest type that holds them as they are.
#[derive(Clone, Debug, PartialEq)]
pub enum Samples {
    /// Up to 8 bits, unsigned.
    Bytes(Vec<u8>),
    /// 9 to 16 bits, unsigned.
    Words(Vec<u16>),
    /// Everything else.
    Wide(Vec<f64>),
}

impl Samples {
    /// Takes the machine's bytes apart.
    pub(crate) fn of(bytes: &[u8], layout: &Layout) -> Self {
        match (layout.format, layout.bytes_of_sample()) {
            (1, 1) => Self::Bytes(bytes.to_vec()),
            (1, 2) => Self::Words(each(bytes, u16::from_ne_bytes)),
            (1, 4) => Self::Wide(each(bytes, |b| u32::from_ne_bytes(b).into())),
            (1, _) => Self::Wide(each(bytes, |b| u64::from_ne_bytes(b) as f64)),
            (2, 1) => Self::Wide(each(bytes, |b| i8::from_ne_bytes(b).into())),
            (2, 2) => Self::Wide(each(bytes, |b| i16::from_ne_bytes(b).into())),
            (2, 4) => Self::Wide(each(bytes, |b| i32::from_ne_bytes(b).into())),
            (2, _) => Self::Wide(each(bytes, |b| i64::from_ne_bytes(b) as f64)),
            (_, 4) => Self::Wide(each(bytes, |b| f32::from_ne_bytes(b).into())),
            _ => Self::Wide(each(bytes, f64::from_ne_bytes)),
        }
    }

    /// The given channels of every pixel.
    #[must_use]
    pub fn pick(self, of: usize, channels: &[usize]) -> Self {
        match self {
            Self::Bytes(values) => Self::Bytes(picked(values, of, channels)),
            Self::Words(values) => Self::Words(picked(values, of, channels)),
            Self::Wide(values) => Self::Wide(picked(values, of, channels)),
        }
    }

    /// Zero becomes the largest value of so many bits, and the other way round; wide values stay.
    pub fn invert(&mut self, bits: u16) {
        match self {
            Self::Bytes(values) => {
                let most = largest(bits) as u8;
                values
                    .iter_mut()
                    .for_each(|value| *value = most.saturating_sub(*value));
            }
            Self::Words(values) => {
                let most = largest(bits);
                values
                    .iter_mut()
                    .for_each(|value| *value = most.saturating_sub(*value));
            }
            Self::Wide(_) => {}
        }
    }
}

/// The largest value of up to 16 bits.
#[must_use]
pub fn largest(bits: u16) -> u16 {
    ((1u32 << bits.min(16)) - 1) as u16
}

fn picked<T: Copy>(values: Vec<T>, of: usize, channels: &[usize]) -> Vec<T> {
    if channels.len() == of {
        return values;
    }
    let pixels = values.chunks_exact(of);
    pixels
        .flat_map(|pixel| channels.iter().map(|&channel| pixel[channel]))
        .collect()
}

fn each<T, const N: usize>(bytes: &[u8], value: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes
        .as_chunks::<N>()
        .0
        .iter()
        .map(|bytes| value(*bytes))
        .collect()
}
