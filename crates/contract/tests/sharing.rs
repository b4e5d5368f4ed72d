//! Pixels are not copied between a node's memory and the payload.
#![allow(clippy::unwrap_used)]

mod common;

use arrow::{array::AsArray, buffer::Buffer, datatypes::UInt8Type};
use common::samples::{binary, mask};
use seggpt_contract::{
    ClassIds, Example, Identity, Image, Mask, Message, Picture, Prompted, SegType, Square,
};

fn is_inside(part: &[u8], whole: &Buffer) -> bool {
    let (part, whole) = (part.as_ptr_range(), whole.as_slice().as_ptr_range());
    whole.start <= part.start && part.end <= whole.end
}

#[test]
fn writing_and_reading_an_image_copies_no_pixel() {
    let picture = Picture::from_rgb(image::RgbImage::new(64, 64));
    let sent_from = picture.bytes().as_ptr();
    let message = Message::Item(Identity::new("a", 0, (64, 64)), Image(picture));
    let (parameters, array) = message.encode().unwrap();
    let payload = array.as_primitive::<UInt8Type>().values().inner().clone();
    assert_eq!(payload.as_ptr(), sent_from);
    let Message::Item(_, Image(read)) = Message::decode(&array, &parameters, 0).unwrap() else {
        panic!("it did not fail")
    };
    assert_eq!(read.bytes().as_ptr(), payload.as_ptr());
}

#[test]
fn reading_a_mask_copies_no_plane() {
    let sent = mask(40, 30, ClassIds::U16(vec![300; 1200].into()));
    let (parameters, array) = Message::Item(Identity::new("a", 0, (40, 30)), sent)
        .encode()
        .unwrap();
    let row = array.as_struct();
    let Message::Item(_, read) = Message::<Mask>::decode(&array, &parameters, 0).unwrap() else {
        panic!("it did not fail")
    };
    let ClassIds::U16(ids) = &read.ids else {
        panic!("16 bit")
    };
    assert!(is_inside(ids.inner(), &binary(row, "mask")));
    assert!(is_inside(&read.confidence, &binary(row, "confidence")));
}

#[test]
fn reading_examples_copies_no_picture() {
    let square = || Square::new(4, vec![9_u8; 48]).unwrap();
    let example = || Example {
        name: "e".into(),
        image: square(),
        mask: square(),
        score: 1.0,
    };
    let sent = Prompted {
        image: Picture::from_rgb(image::RgbImage::new(8, 8)),
        examples: vec![example(), example()],
        classes: vec![],
        kind: SegType::Instance,
        selection: "fixed".into(),
        warnings: vec![],
    };
    let (parameters, array) = Message::Item(Identity::new("a", 0, (8, 8)), sent)
        .encode()
        .unwrap();
    let row = array.as_struct();
    let Message::Item(_, read) = Message::<Prompted>::decode(&array, &parameters, 0).unwrap()
    else {
        panic!("it did not fail")
    };
    assert!(is_inside(read.image.bytes(), &binary(row, "data")));
    assert!(
        read.examples
            .iter()
            .all(|e| is_inside(e.image.bytes(), &binary(row, "example_images")))
    );
    assert!(
        read.examples
            .iter()
            .all(|e| is_inside(e.mask.bytes(), &binary(row, "example_masks")))
    );
}
