//! Reading a picture from every Arrow dialect in use.
//!
//! | who | payload | metadata |
//! |---|---|---|
//! | dora-hub nodes, kornia's dora nodes | flat `UInt8` | `width`, `height`, `encoding` |
//! | dora `std/media/v1/Image` | Struct `width, height, encoding, data` | |
//! | kornia-image | Struct `width, height, channels, data` | |
//! | ROS 2 bridge (`sensor_msgs/Image`) | Struct `header, height, width, encoding, is_bigendian, step, data` | |
//! | ROS 2 bridge (`sensor_msgs/CompressedImage`) | Struct `header, format, data` | |
//! | dora `std/media/v1/CompressedImage` | `Binary`, `LargeBinary` | `encoding`, optional |
//!
//! Which dialect a struct is in, its fields say. Samples of 16 bits and Bayer mosaics become `rgb8`; depth images are
//! refused by name, but `16UC1`, which thermal cameras send as well: it is read as grey, with a note.

use arrow::{array::ArrayRef, buffer::Buffer, datatypes::DataType};
use chrono::DateTime;

use super::{
    Encoding, MESSAGE, Picture,
    layout::{Layout, without_padding},
    sensor::Sensor,
};
use crate::{
    ContractError, Parameter, Parameters,
    fields::{Reader, byte_buffer},
    identity::{NOTE, STAMP},
    parameters::{take_side, take_text},
};

impl Picture {
    /// Reads a picture from any dialect, without copying its bytes (a ROS image with padded rows or big-endian
    /// samples excepted). Takes the keys it uses out of the metadata, and puts the `stamp` and `frame_id` of a ROS header in.
    ///
    /// # Errors
    /// Named: wrong type, missing key, unknown encoding, size mismatch.
    pub fn from_arrow(
        array: &ArrayRef,
        parameters: &mut Parameters,
    ) -> Result<Self, ContractError> {
        match array.data_type() {
            DataType::UInt8 => flat(array, parameters),
            DataType::Binary | DataType::LargeBinary if array.len() == 1 => {
                compressed(array, parameters)
            }
            DataType::Struct(_) => {
                let row = Reader::new(MESSAGE, array)?;
                keep_header(&row, parameters);
                if row.has("step") {
                    ros(&row, parameters)
                } else if row.has("format") {
                    ros_compressed(&row)
                } else if row.has("channels") {
                    kornia(&row)
                } else {
                    standard(&row)
                }
            }
            other => Err(ContractError::WrongType {
                message: MESSAGE,
                found: other.to_string(),
                expected: "UInt8 (dora-hub), Struct (dora std, kornia, ROS) or Binary (a compressed file)",
            }),
        }
    }
}

fn missing(key: &str) -> ContractError {
    ContractError::MissingKey {
        message: MESSAGE,
        key: key.into(),
        place: "in the metadata",
    }
}

fn flat(array: &ArrayRef, parameters: &mut Parameters) -> Result<Picture, ContractError> {
    if array.null_count() > 0 {
        return Err(ContractError::WrongType {
            message: MESSAGE,
            found: "UInt8 with nulls".into(),
            expected: "UInt8 without nulls",
        });
    }
    let data = byte_buffer(array).ok_or_else(|| missing("data"))?;
    let name = take_text(parameters, MESSAGE, "encoding")?.ok_or_else(|| missing("encoding"))?;
    take_text(parameters, MESSAGE, "primitive")?;
    let width = take_side(parameters, MESSAGE, "width")?;
    let height = take_side(parameters, MESSAGE, "height")?;
    if let Some(sensor) = Sensor::named(&name)? {
        let width = width.ok_or_else(|| missing("width"))?;
        let height = height.ok_or_else(|| missing("height"))?;
        return sensor.picture(&name, packed(width, height), data);
    }
    let encoding: Encoding = name.parse()?;
    match (width, height) {
        (Some(width), Some(height)) => Picture::new(width, height, encoding, data),
        _ if encoding.is_file() => sized(encoding, data),
        (None, _) => Err(missing("width")),
        (_, None) => Err(missing("height")),
    }
}

fn compressed(array: &ArrayRef, parameters: &mut Parameters) -> Result<Picture, ContractError> {
    let data = byte_buffer(array).ok_or_else(|| missing("data"))?;
    let encoding = match take_text(parameters, MESSAGE, "encoding")? {
        Some(name) => name.parse()?,
        None => by_signature(&data)?,
    };
    sized(encoding, data)
}

fn by_signature(data: &[u8]) -> Result<Encoding, ContractError> {
    match image::guess_format(data) {
        Ok(image::ImageFormat::Jpeg) => Ok(Encoding::Jpeg),
        Ok(image::ImageFormat::Png) => Ok(Encoding::Png),
        Ok(image::ImageFormat::WebP) => Ok(Encoding::Webp),
        Ok(image::ImageFormat::Bmp) => Ok(Encoding::Bmp),
        Ok(image::ImageFormat::Tiff) => Ok(Encoding::Tiff),
        Ok(other) => Err(ContractError::UnknownEncoding(format!("{other:?}"))),
        Err(_) => Err(ContractError::Undecodable(
            "the bytes start like no picture format".into(),
        )),
    }
}

fn sized(encoding: Encoding, data: Buffer) -> Result<Picture, ContractError> {
    let (width, height) = seggpt_imaging::read::size(&data, &format!("a {encoding} picture"))
        .map_err(|error| ContractError::Undecodable(error.to_string()))?;
    Picture::new(width, height, encoding, data)
}

/// Without padding, in this machine's order.
fn packed(width: u32, height: u32) -> Layout {
    Layout {
        width,
        height,
        step: None,
        big_endian: cfg!(target_endian = "big"),
    }
}

fn standard(row: &Reader) -> Result<Picture, ContractError> {
    let (width, height, name) = (
        row.side("width")?,
        row.side("height")?,
        row.text("encoding")?,
    );
    let data = row.bytes("data")?;
    match Sensor::named(name)? {
        Some(sensor) => sensor.picture(name, packed(width, height), data),
        None => Picture::new(width, height, name.parse()?, data),
    }
}

fn kornia(row: &Reader) -> Result<Picture, ContractError> {
    let encoding = match row.u32("channels")? {
        1 => Encoding::Mono8,
        3 => Encoding::Rgb8,
        4 => Encoding::Rgba8,
        other => {
            return Err(ContractError::WrongValue {
                message: MESSAGE,
                key: "channels".into(),
                found: other.to_string(),
                expected: "1, 3 or 4".into(),
            });
        }
    };
    Picture::new(
        row.side("width")?,
        row.side("height")?,
        encoding,
        row.bytes("data")?,
    )
}

fn ros(row: &Reader, parameters: &mut Parameters) -> Result<Picture, ContractError> {
    let name = row.text("encoding")?;
    let layout = Layout {
        width: row.side("width")?,
        height: row.side("height")?,
        step: Some(row.u32("step")? as usize),
        // Senders of 8-bit samples leave it out.
        big_endian: row.has("is_bigendian") && row.flag("is_bigendian")?,
    };
    let data = row.bytes("data")?;
    if let Some(sensor) = Sensor::named(name)? {
        return sensor.picture(name, layout, data);
    }
    if name.eq_ignore_ascii_case("16UC1") {
        let note =
            "encoding 16UC1, which depth cameras send: taken for grey, and scaled as grey is";
        parameters.insert(NOTE.into(), Parameter::String(note.into()));
    }
    let encoding: Encoding = name.parse()?;
    let data = if encoding.is_file() {
        data
    } else if matches!(encoding, Encoding::Yuv420 | Encoding::Nv12) {
        planar(encoding, layout, data)?
    } else {
        without_padding(name, layout, encoding.row_len(layout.width), data)?
    };
    let big_endian = encoding == Encoding::Mono16 && layout.big_endian;
    Picture::new(
        layout.width,
        layout.height,
        encoding,
        if big_endian { swapped(&data) } else { data },
    )
}

fn ros_compressed(row: &Reader) -> Result<Picture, ContractError> {
    let data = row.bytes("data")?;
    if let Ok(format) = row.text("format")
        && format.contains("compressedDepth")
    {
        return Err(ContractError::Measured(format.to_owned()));
    }
    // The format names how the pixels were encoded before, too: `bgr8; jpeg compressed bgr8`. The bytes say it plainly.
    let encoding = by_signature(&data).map_err(|error| {
        let format = row.text("format").unwrap_or_default();
        ContractError::Undecodable(format!("a CompressedImage of format `{format}`: {error}"))
    })?;
    sized(encoding, data)
}

/// What a ROS header says goes on in the metadata, unless the sender's own says it already.
fn keep_header(row: &Reader, parameters: &mut Parameters) {
    let Some(header) = row.row("header") else {
        return;
    };
    if let Ok(frame_id) = header.text("frame_id") {
        let frame_id = Parameter::String(frame_id.to_owned());
        parameters.entry("frame_id".into()).or_insert(frame_id);
    }
    let stamp = header.row("stamp").and_then(|stamp| {
        let (seconds, nanoseconds) = (stamp.u32("sec").ok()?, stamp.u32("nanosec").ok()?);
        DateTime::from_timestamp(seconds.into(), nanoseconds)
    });
    if let Some(stamp) = stamp {
        let stamp = Parameter::Timestamp(stamp);
        parameters.entry(STAMP.into()).or_insert(stamp);
    }
}

/// Planes cannot be told apart where their rows are padded.
fn planar(encoding: Encoding, layout: Layout, data: Buffer) -> Result<Buffer, ContractError> {
    let (width, height) = (layout.width, layout.height);
    match layout.step {
        Some(step) if step != encoding.row_len(width) => Err(ContractError::SizeMismatch {
            message: MESSAGE,
            what: format!("a {width} x {height} {encoding} picture in rows of {step} bytes"),
            found: data.len(),
            expected: encoding.raw_len(width, height).unwrap_or_default(),
        }),
        _ => Ok(data),
    }
}

fn swapped(data: &[u8]) -> Buffer {
    data.chunks_exact(2)
        .flat_map(|p| [p[1], p[0]])
        .collect::<Vec<u8>>()
        .into()
}
