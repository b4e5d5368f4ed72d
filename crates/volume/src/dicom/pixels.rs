use std::panic::{AssertUnwindSafe, catch_unwind};

use dicom_core::{PrimitiveValue, value::Value};
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject as Set};
use dicom_pixeldata::PixelDecoder;

use super::{
    attributes::{number, numbers, whole},
    file::chain,
    frame::Frame,
    other,
};

/// How the stored numbers of a file are to be read.
struct Stored {
    bytes: usize,
    /// Where the highest bit of a number stands, and how many there are below.
    high: u32,
    bits: u32,
    is_signed: bool,
    padding: Option<(f64, f64)>,
}

impl Stored {
    fn of(object: &DefaultDicomObject) -> Result<Self, String> {
        let number = |tag| whole(object, tag).and_then(|n| u32::try_from(n).ok());
        let allocated = number(tags::BITS_ALLOCATED).unwrap_or(0);
        if ![8, 16, 32].contains(&allocated) {
            return Err(format!(
                "its pixels have {allocated} bits; 8, 16 and 32 are read"
            ));
        }
        let bits = number(tags::BITS_STORED).unwrap_or(allocated);
        let high = number(tags::HIGH_BIT).unwrap_or(bits.saturating_sub(1));
        if bits == 0 || high >= allocated || high + 1 < bits {
            return Err(format!(
                "it says that its pixels have {bits} of {allocated} bits, up to number {high}"
            ));
        }
        let is_signed = whole(object, tags::PIXEL_REPRESENTATION) == Some(1);
        // Some files write padding without the sign that their pixels have.
        let signed = |value: f64| match is_signed && value >= 2_f64.powi(allocated as i32 - 1) {
            true => value - 2_f64.powi(allocated as i32),
            false => value,
        };
        Ok(Self {
            bytes: allocated as usize / 8,
            high,
            bits,
            is_signed,
            padding: padding(object).map(|(low, high)| (signed(low), signed(high))),
        })
    }

    /// Stored numbers as values; what stands for no measurement is no number.
    fn values(&self, bytes: &[u8], (slope, intercept): (f64, f64)) -> Vec<f32> {
        let value = |stored: u32| {
            // The number's own bits to the top, and down again with or without its sign.
            let top = stored << (31 - self.high);
            let down = 32 - self.bits;
            let number = match self.is_signed {
                true => f64::from(top.cast_signed() >> down),
                false => f64::from(top >> down),
            };
            match self.padding {
                Some((low, high)) if (low..=high).contains(&number) => f32::NAN,
                _ => (number * slope + intercept) as f32,
            }
        };
        match self.bytes {
            1 => bytes.iter().map(|byte| value((*byte).into())).collect(),
            2 => {
                let words = bytes.as_chunks::<2>().0.iter();
                words
                    .map(|word| value(u16::from_le_bytes(*word).into()))
                    .collect()
            }
            _ => {
                let words = bytes.as_chunks::<4>().0.iter();
                words.map(|word| value(u32::from_le_bytes(*word))).collect()
            }
        }
    }
}

/// The values of a slice, row by row, with the slope and intercept of its own.
pub(super) fn values(object: &DefaultDicomObject, frame: &Frame) -> Result<Vec<f32>, String> {
    let stored = Stored::of(object)?;
    let pixels = frame.plane.size[0] * frame.plane.size[1];
    let bytes = bytes(object, frame.number, pixels * stored.bytes)?;
    Ok(stored.values(&bytes, frame.scale))
}

/// The bytes of a frame, decompressed, the lowest of a number first.
pub(super) fn bytes(
    object: &DefaultDicomObject,
    frame: usize,
    count: usize,
) -> Result<Vec<u8>, String> {
    let Some(element) = object.get(tags::PIXEL_DATA) else {
        return Err("it has no pixel data".into());
    };
    let begin = frame * count;
    let end = begin + count;
    let part = match element.value() {
        Value::Primitive(PrimitiveValue::U8(all)) => all.get(begin..end).map(<[u8]>::to_vec),
        Value::Primitive(PrimitiveValue::U16(all)) if count.is_multiple_of(2) => {
            let part = all.get(begin / 2..end / 2);
            part.map(|words| words.iter().flat_map(|word| word.to_le_bytes()).collect())
        }
        Value::Primitive(other) => other.to_bytes().get(begin..end).map(<[u8]>::to_vec),
        Value::PixelSequence(_) => return decompressed(object, frame, count),
        Value::Sequence(_) => return Err("its pixel data are a sequence".into()),
    };
    part.ok_or_else(|| "its pixel data end too early: it is cut off; copy it again".into())
}

fn decompressed(
    object: &DefaultDicomObject,
    frame: usize,
    count: usize,
) -> Result<Vec<u8>, String> {
    let syntax = object.meta().transfer_syntax();
    let failed = |what: String| {
        format!(
            "its pixels cannot be decoded ({what}); {}",
            other::advice(syntax)
        )
    };
    let number = u32::try_from(frame).map_err(|error| error.to_string())?;
    // Decoders of damaged data may lose their way.
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        let decoded = object.decode_pixel_data_frame(number);
        decoded
            .map(|pixels| pixels.data().to_vec())
            .map_err(|error| chain(&error))
    }));
    let bytes = decoded
        .unwrap_or_else(|_| Err("the decoder broke off".into()))
        .map_err(failed)?;
    match bytes.len() == count {
        true => Ok(bytes),
        false => Err(failed(format!(
            "{} bytes came out, where {count} are needed",
            bytes.len()
        ))),
    }
}

/// The values that stand for no measurement: lowest and highest.
fn padding(set: &Set) -> Option<(f64, f64)> {
    let value = numbers(set, tags::PIXEL_PADDING_VALUE).first().copied()?;
    let limit = number(set, tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(value);
    Some((value.min(limit), value.max(limit)))
}
