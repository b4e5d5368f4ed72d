//! The weights in an ONNX file: the initialisers of its graph, without the graph.
//!
//! The file is a message of Protocol Buffers (`onnx.proto3`): fields, each a key of number and kind, and a value. What is
//! not known is passed over.

use std::path::Path;

use crate::Error;

/// `TensorProto.DataType.FLOAT`.
const FLOAT: u64 = 1;

/// An f32 tensor, in the order of the file.
pub(super) struct Initialiser {
    pub(super) name: String,
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

/// All f32 initialisers of a file.
///
/// # Errors
/// [`Error::Encoder`] where the bytes are no such message.
pub(super) fn initialisers(path: &Path, bytes: &[u8]) -> Result<Vec<Initialiser>, Error> {
    let refuse = |reason: &str| Error::encoder(path, reason);
    let mut found = Vec::new();
    let mut graphs = 0;
    for field in Fields(bytes) {
        // ModelProto.graph
        let (7, Value::Bytes(graph)) = field.map_err(&refuse)? else {
            continue;
        };
        graphs += 1;
        for field in Fields(graph) {
            // GraphProto.initializer
            if let (5, Value::Bytes(tensor)) = field.map_err(&refuse)? {
                found.extend(initialiser(tensor).map_err(|reason| refuse(&reason))?);
            }
        }
    }
    match graphs {
        0 => Err(refuse("it is no ONNX model: it has no graph")),
        _ => Ok(found),
    }
}

/// None for other number types than f32.
fn initialiser(bytes: &[u8]) -> Result<Option<Initialiser>, String> {
    let (mut name, mut shape, mut kind) = (String::new(), Vec::new(), 0);
    let (mut raw, mut values): (Option<&[u8]>, Vec<f32>) = (None, Vec::new());
    for field in Fields(bytes) {
        match field? {
            (1, Value::Number(side)) => shape.push(side),
            (1, Value::Bytes(mut packed)) => {
                while !packed.is_empty() {
                    shape.push(varint(&mut packed)?);
                }
            }
            (2, Value::Number(number)) => kind = number,
            (4, Value::Bytes(packed)) => values.extend(floats(packed)?),
            (4, Value::Word(word)) => values.push(f32::from_le_bytes(word)),
            (8, Value::Bytes(text)) => name = String::from_utf8_lossy(text).into_owned(),
            (9, Value::Bytes(bytes)) => raw = Some(bytes),
            (13 | 14, Value::Bytes(_)) | (14, Value::Number(1..)) => {
                return Err(format!(
                    "tensor `{name}` is in a file of its own; save the model as one file"
                ));
            }
            _ => {}
        }
    }
    if kind != FLOAT {
        return Ok(None);
    }
    if let Some(raw) = raw {
        values = floats(raw)?.collect();
    }
    let shape: Vec<usize> = shape
        .into_iter()
        .map(|side| usize::try_from(side).unwrap_or(usize::MAX))
        .collect();
    let count = shape
        .iter()
        .try_fold(1usize, |count, side| count.checked_mul(*side));
    if count != Some(values.len()) {
        return Err(format!(
            "tensor `{name}` has {} numbers for the shape {shape:?}",
            values.len()
        ));
    }
    Ok(Some(Initialiser {
        name,
        shape,
        values,
    }))
}

fn floats(bytes: &[u8]) -> Result<impl Iterator<Item = f32>, String> {
    let (words, rest) = bytes.as_chunks::<4>();
    if rest.is_empty() {
        Ok(words.iter().map(|word| f32::from_le_bytes(*word)))
    } else {
        Err("a tensor's f32 numbers are cut off".into())
    }
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Word([u8; 4]),
    /// Eight bytes, of which nothing here is made.
    Wide,
}

/// The fields of a message: number and value each. Ends after the first that cannot be read.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), &'static str>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

const CUT_OFF: &str = "it is cut off, or no ONNX model";

impl<'a> Fields<'a> {
    fn field(&mut self) -> Result<(u64, Value<'a>), &'static str> {
        let key = varint(&mut self.0)?;
        let value = match key & 7 {
            0 => Value::Number(varint(&mut self.0)?),
            1 => {
                self.take(8)?;
                Value::Wide
            }
            2 => {
                let length = varint(&mut self.0)?;
                Value::Bytes(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            5 => Value::Word(*self.take(4)?.first_chunk().ok_or(CUT_OFF)?),
            _ => return Err("it is no ONNX model"),
        };
        Ok((key >> 3, value))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CUT_OFF)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// Seven bits a byte, the lowest first; the last byte has no eighth.
fn varint(bytes: &mut &[u8]) -> Result<u64, &'static str> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(CUT_OFF)?;
        *bytes = rest;
        number |= u64::from(byte & 127) << shift;
        if byte & 128 == 0 {
            return Ok(number);
        }
    }
    Err("it is no ONNX model: a number has more than ten bytes")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<Initialiser>, Error> {
        initialisers(Path::new("file.onnx"), bytes)
    }

    /// A field of bytes.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
    }

    #[test]
    fn numbers_are_read_raw_packed_and_one_by_one() {
        let half = 0.5f32.to_le_bytes();
        let tensor = |dims: &[u8], numbers: &[u8]| {
            let all = [dims, &[2 << 3, 1], &field(8, b"w"), numbers].concat();
            field(7, &field(5, &all))
        };
        let (one_by_one, packed) = ([1 << 3, 1, 1 << 3, 1], field(1, &[1, 1]));
        for bytes in [
            tensor(&one_by_one, &field(9, &half)),
            tensor(&packed, &field(4, &half)),
            tensor(&packed, &[&[4 << 3 | 5][..], &half].concat()),
        ] {
            let found = read(&bytes).unwrap();
            assert_eq!((&*found[0].name, &*found[0].shape), ("w", &[1, 1][..]));
            assert_eq!(found[0].values, [0.5]);
            // Cut anywhere, it is an error or has less in it.
            for end in 0..bytes.len() {
                assert!(read(&bytes[..end]).is_err(), "{end}");
            }
        }
    }

    #[test]
    fn a_shape_that_does_not_fit_is_refused() {
        let tensor = [&[1 << 3, 3, 2 << 3, 1][..], &field(9, &[0; 8])].concat();
        let error = read(&field(7, &field(5, &tensor))).err().unwrap();
        assert!(
            error.to_string().contains("2 numbers for the shape [3]"),
            "{error}"
        );
    }
}
