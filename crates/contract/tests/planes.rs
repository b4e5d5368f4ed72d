//! A mask's planes: raw, as PNG, or refused.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use arrow::{
    array::{AsArray, LargeBinaryArray, StringArray, UInt32Array},
    buffer::{Buffer, OffsetBuffer, ScalarBuffer},
};
use common::samples::{binary, mask, with_field};
use seggpt_contract::{ClassIds, ContractError, Identity, Mask, Message, RAW_PLANE_LIMIT};

#[test]
fn a_mask_beyond_the_raw_limit_travels_as_png_far_below_what_dora_refuses() {
    let (width, height) = (4100, 4100);
    assert!(width * height > RAW_PLANE_LIMIT);
    let stripes: Vec<u8> = (0..width * height)
        .map(|i| (i % width / 1000) as u8)
        .collect();
    for ids in [
        ClassIds::U8(stripes.clone().into()),
        ClassIds::U16(stripes.iter().map(|&id| u16::from(id) * 1000).collect()),
    ] {
        let message = Message::Item(
            Identity::new("large", 0, (width as u32, height as u32)),
            mask(width as u32, height as u32, ids),
        );
        let (parameters, array) = message.encode().unwrap();
        let row = array.as_struct();
        assert!(binary(row, "mask").starts_with(b"\x89PNG"));
        assert!(binary(row, "confidence").starts_with(b"\x89PNG"));
        assert!(
            array.get_array_memory_size() < 4 << 20,
            "{} bytes",
            array.get_array_memory_size()
        );
        assert!(Message::decode(&array, &parameters, 0).unwrap() == message);
    }
}

#[test]
fn a_mask_whose_planes_do_not_fit_its_size_is_not_sent() {
    for side in [2, 5000] {
        let misfit = mask(
            side,
            side,
            ClassIds::U8(vec![0_u8; (side * side - 1) as usize].into()),
        );
        let error = Message::Item(Identity::new("a", 0, (side, side)), misfit)
            .encode()
            .unwrap_err();
        assert!(
            matches!(error, ContractError::SizeMismatch { .. }),
            "{error}"
        );
    }
}

#[test]
fn misaligned_16_bit_ids_are_read_all_the_same() {
    let sent = mask(2, 2, ClassIds::U16(vec![1, 256, 65_535, 0].into()));
    let message = Message::Item(Identity::new("a", 0, (2, 2)), sent);
    let (parameters, array) = message.encode().unwrap();
    let aligned = binary(array.as_struct(), "mask");
    let shifted = Buffer::from_vec([&[0], aligned.as_slice()].concat()).slice(1);
    let offsets = OffsetBuffer::from_lengths([8]);
    let column = Arc::new(LargeBinaryArray::new(offsets, shifted, None));
    let array = with_field(&array, "mask", column);
    assert_eq!(Message::decode(&array, &parameters, 0).unwrap(), message);
}

#[test]
fn ids_take_the_narrowest_layout() {
    assert_eq!(
        ClassIds::from_ids(vec![0, 255]),
        ClassIds::U8(vec![0_u8, 255].into())
    );
    assert_eq!(
        ClassIds::from_ids(vec![256]),
        ClassIds::U16(ScalarBuffer::from(vec![256]))
    );
}

#[test]
fn a_png_plane_of_another_size_or_that_claims_the_impossible_is_refused() {
    let png = |width: u32, height: u32, color| {
        let mut out = Vec::new();
        let mut encoder = png_header(&mut out, width, height, color);
        encoder.write_all(&[0; 16]);
        out
    };
    let decode = |bytes: Vec<u8>, side: u32| {
        let (parameters, array) = Message::Item(
            Identity::new("a", 0, (side, side)),
            mask(2, 2, ClassIds::U8(vec![0_u8; 4].into())),
        )
        .encode()
        .unwrap();
        let array = with_field(
            &array,
            "mask",
            Arc::new(LargeBinaryArray::from_vec(vec![&bytes])),
        );
        let array = with_field(
            &array,
            "mask_encoding",
            Arc::new(StringArray::from(vec!["png8"])),
        );
        let array = with_field(&array, "width", Arc::new(UInt32Array::from(vec![side])));
        let array = with_field(&array, "height", Arc::new(UInt32Array::from(vec![side])));
        Message::<Mask>::decode(&array, &parameters, 0).unwrap_err()
    };
    let huge = 0x7fff_ffff;
    assert!(matches!(
        decode(png(huge, huge, 0), huge),
        ContractError::Undecodable(_)
    ));
    assert!(matches!(
        decode(png(3, 2, 0), 2),
        ContractError::WrongValue { .. }
    ));
    assert!(matches!(
        decode(png(2, 2, 2), 2),
        ContractError::WrongValue { .. }
    ));
    assert!(matches!(
        decode(b"no PNG".to_vec(), 2),
        ContractError::Undecodable(_)
    ));
}

/// A PNG that has nothing but a header and data that end early.
fn png_header(out: &mut Vec<u8>, width: u32, height: u32, color: u8) -> PngChunks<'_> {
    let mut chunks = PngChunks(out);
    chunks.0.extend(b"\x89PNG\r\n\x1a\n");
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([8, color, 0, 0, 0]);
    chunks.chunk(b"IHDR", &header);
    chunks
}

struct PngChunks<'a>(&'a mut Vec<u8>);

impl PngChunks<'_> {
    fn write_all(&mut self, data: &[u8]) {
        self.chunk(b"IDAT", data);
        self.chunk(b"IEND", &[]);
    }

    fn chunk(&mut self, kind: &[u8; 4], data: &[u8]) {
        let body = [kind.as_slice(), data].concat();
        self.0.extend((data.len() as u32).to_be_bytes());
        self.0.extend(&body);
        self.0.extend(crc32(&body).to_be_bytes());
    }
}

/// As PNG's specification has it, annex D.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| {
            if c & 1 == 1 {
                0xedb8_8320 ^ (c >> 1)
            } else {
                c >> 1
            }
        })
    })
}
