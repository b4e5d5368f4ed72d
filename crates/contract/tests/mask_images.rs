//! A mask as a picture that other people's nodes take.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use chrono::DateTime;
use common::samples::mask;
use seggpt_contract::{ClassIds, Encoding, Identity, ImageDialect, Parameter, Picture, mask_image};

const ALL: [ImageDialect; 3] = [ImageDialect::Hub, ImageDialect::Dora, ImageDialect::Ros];

#[test]
fn a_mask_reads_as_a_picture_in_every_dialect() {
    for dialect in ALL {
        for (ids, encoding, bytes) in [
            (
                ClassIds::U8(vec![7_u8, 0].into()),
                Encoding::Mono8,
                vec![7, 0],
            ),
            (
                ClassIds::U16(vec![300_u16, 1].into()),
                Encoding::Mono16,
                vec![44, 1, 1, 0],
            ),
        ] {
            let mut identity = Identity::new("a", 0, (2, 1));
            identity.extra.insert("gain".into(), Parameter::Integer(3));
            let (mut parameters, array) = mask_image(&identity, &mask(2, 1, ids), dialect).unwrap();
            assert_eq!(parameters["gain"], Parameter::Integer(3));
            let picture = Picture::from_arrow(&array, &mut parameters).unwrap();
            assert_eq!((picture.width(), picture.height()), (2, 1), "{dialect:?}");
            assert_eq!(picture.encoding(), encoding, "{dialect:?}");
            assert_eq!(picture.bytes(), bytes, "{dialect:?}");
            let read = Identity::from_parameters(&parameters, 0, None).unwrap();
            assert_eq!(read.item, "a");
        }
    }
}

#[test]
fn a_ros_header_has_the_time_and_frame_of_the_item() {
    let taken = DateTime::from_timestamp(1_700_000_000, 250).unwrap();
    let mut identity = Identity::new("a", 0, (1, 1));
    identity.time = Some(taken);
    let frame = Parameter::String("camera".into());
    identity.extra.insert("frame_id".into(), frame.clone());
    let ids = ClassIds::U8(vec![1_u8].into());
    let (_, array) = mask_image(&identity, &mask(1, 1, ids), ImageDialect::Ros).unwrap();
    let mut header = Default::default();
    Picture::from_arrow(&array, &mut header).unwrap();
    assert_eq!(header["stamp"], Parameter::Timestamp(taken));
    assert_eq!(header["frame_id"], frame);
}
