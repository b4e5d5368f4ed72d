use std::sync::Arc;

use arrow::{
    array::{ArrayRef, UInt8Array},
    buffer::{Buffer, ScalarBuffer},
};

use crate::{
    ContractError, Identity, Image, Mask, Parameter, Parameters, Payload, Picture, fields::Writer,
    identity::STAMP,
};

/// How [`mask_image`] writes a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageDialect {
    /// dora-hub: flat `UInt8`; metadata `width`, `height`, `encoding`, `primitive: image`.
    Hub,
    /// dora's `std/media/v1/Image`: a Struct of `width`, `height`, `encoding`, `data`.
    Dora,
    /// ROS 2's `sensor_msgs/Image`: a Struct of `header`, `height`, `width`, `encoding`, `is_bigendian`, `step`, `data`.
    /// Its header has the item's time and the `frame_id` that came along.
    Ros,
}

/// A mask's class ids as a picture, with the identity beside it: `mono8`, or `mono16` (little-endian) where an id is above
/// 255.
///
/// # Errors
/// A mask whose ids do not fit its size.
pub fn mask_image(
    identity: &Identity,
    mask: &Mask,
    dialect: ImageDialect,
) -> Result<(Parameters, ArrayRef), ContractError> {
    let (encoding, data) = mask.ids.picture();
    let picture = Picture::new(mask.width, mask.height, encoding, data)?;
    let mut parameters = identity.to_parameters();
    let array = match dialect {
        ImageDialect::Hub => Image(picture).write(&mut parameters)?,
        ImageDialect::Dora => Writer::default()
            .u32("width", picture.width())
            .u32("height", picture.height())
            .text("encoding", &encoding.to_string())
            .bytes("data", picture.buffer())
            .finish(),
        ImageDialect::Ros => ros(identity, &picture),
    };
    Ok((parameters, array))
}

fn ros(identity: &Identity, picture: &Picture) -> ArrayRef {
    let encoding = picture.encoding();
    Writer::default()
        .row("header", header(identity))
        .u32("height", picture.height())
        .u32("width", picture.width())
        .text("encoding", &encoding.to_string())
        .u8("is_bigendian", 0)
        .u32("step", encoding.row_len(picture.width()) as u32)
        .list("data", bytes(picture.buffer()))
        .finish()
}

fn header(identity: &Identity) -> Writer {
    let stamped = match identity.extra.get(STAMP) {
        Some(Parameter::Timestamp(stamp)) => Some(*stamp),
        _ => None,
    };
    let time = identity.time.or(stamped).unwrap_or_default();
    let frame_id = match identity.extra.get("frame_id") {
        Some(Parameter::String(frame_id)) => frame_id,
        _ => "",
    };
    // ROS counts seconds in 32 bits: a time beyond them is no time.
    let stamp = Writer::default()
        .i32("sec", time.timestamp().try_into().unwrap_or_default())
        .u32("nanosec", time.timestamp_subsec_nanos());
    Writer::default()
        .row("stamp", stamp)
        .text("frame_id", frame_id)
}

fn bytes(data: Buffer) -> ArrayRef {
    Arc::new(UInt8Array::new(ScalarBuffer::from(data), None))
}
