//! Pictures of other people's nodes, in every dialect.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryArray, BooleanArray, Int32Array, LargeBinaryArray, ListArray, StringArray,
        StructArray, UInt8Array, UInt32Array,
    },
    buffer::OffsetBuffer,
    datatypes::{DataType, Field},
};
use image::{ImageFormat, RgbImage};
use seggpt_contract::{ContractError, Encoding, Image, Message, Parameter, Parameters, Picture};

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

fn bytes(bytes: &[u8]) -> ArrayRef {
    Arc::new(UInt8Array::from(bytes.to_vec()))
}

fn hub(width: i64, height: i64, encoding: &str) -> Parameters {
    Parameters::from([
        ("width".into(), Parameter::Integer(width)),
        ("height".into(), Parameter::Integer(height)),
        ("encoding".into(), Parameter::String(encoding.into())),
        ("primitive".into(), Parameter::String("image".into())),
    ])
}

fn row(fields: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let fields = fields.into_iter().map(|(name, column)| {
        (
            Arc::new(Field::new(name, column.data_type().clone(), true)),
            column,
        )
    });
    Arc::new(StructArray::from(fields.collect::<Vec<_>>()))
}

fn n(value: u32) -> ArrayRef {
    Arc::new(UInt32Array::from(vec![value]))
}

fn word(text: &str) -> ArrayRef {
    Arc::new(StringArray::from(vec![text]))
}

fn blob(data: &[u8]) -> ArrayRef {
    Arc::new(LargeBinaryArray::from_vec(vec![data]))
}

fn list(data: &[u8]) -> ArrayRef {
    let field = Arc::new(Field::new("item", DataType::UInt8, true));
    let offsets = OffsetBuffer::from_lengths([data.len()]);
    Arc::new(ListArray::new(field, offsets, bytes(data), None))
}

fn read(array: &ArrayRef, mut parameters: Parameters) -> Result<Picture, ContractError> {
    Picture::from_arrow(array, &mut parameters)
}

fn pixels(array: &ArrayRef, parameters: Parameters) -> Vec<[u8; 3]> {
    let rgb = read(array, parameters).unwrap().to_rgb().unwrap();
    rgb.pixels().map(|pixel| pixel.0).collect()
}

#[test]
fn the_raw_encodings_of_dora_hub() {
    let cases: [(&str, &[u8]); 8] = [
        ("rgb8", &[255, 0, 0, 0, 0, 255]),
        ("RGB8", &[255, 0, 0, 0, 0, 255]),
        ("bgr8", &[0, 0, 255, 255, 0, 0]),
        ("8UC3", &[0, 0, 255, 255, 0, 0]),
        ("rgba8", &[255, 0, 0, 9, 0, 0, 255, 9]),
        ("bgra8", &[0, 0, 255, 9, 255, 0, 0, 9]),
        ("RGBA", &[255, 0, 0, 9, 0, 0, 255, 9]),
        ("8uc4", &[0, 0, 255, 9, 255, 0, 0, 9]),
    ];
    for (encoding, data) in cases {
        assert_eq!(
            pixels(&bytes(data), hub(2, 1, encoding)),
            [RED, BLUE],
            "{encoding}"
        );
    }
    assert_eq!(
        pixels(&bytes(&[0, 200]), hub(2, 1, "mono8")),
        [[0; 3], [200; 3]]
    );
    // Little-endian: the second byte is the high one.
    assert_eq!(
        pixels(&bytes(&[9, 0, 9, 200]), hub(2, 1, "mono16")),
        [[0; 3], [200; 3]]
    );
}

/// Red and blue after BT.601: Y, U, V = 82, 90, 240 and 41, 240, 110 (full-range red gives back 255, 1, 0 or so).
#[test]
fn the_yuv_encodings_of_cameras() {
    let near = |found: Vec<[u8; 3]>, expected: &[[u8; 3]], what: &str| {
        for (f, e) in found.iter().flatten().zip(expected.iter().flatten()) {
            assert!(f.abs_diff(*e) <= 2, "{what}: {found:?}");
        }
        assert_eq!(found.len(), expected.len(), "{what}");
    };
    let four = [RED, RED, RED, RED];
    near(
        pixels(&bytes(&[82, 82, 82, 82, 90, 240]), hub(2, 2, "yuv420")),
        &four,
        "yuv420",
    );
    near(
        pixels(&bytes(&[82, 82, 82, 82, 90, 240]), hub(2, 2, "nv12")),
        &four,
        "nv12",
    );
    near(
        pixels(&bytes(&[82, 90, 82, 240]), hub(2, 1, "yuyv")),
        &four[..2],
        "yuyv",
    );
    near(
        pixels(&bytes(&[82, 90, 82, 240]), hub(2, 1, "YUV422_YUY2")),
        &four[..2],
        "yuv422_yuy2",
    );
    near(
        pixels(&bytes(&[90, 82, 240, 82]), hub(2, 1, "uyvy")),
        &four[..2],
        "uyvy",
    );
    // Odd sides: chroma is rounded up.
    let luma = [82, 82, 41, 82, 82, 41, 82, 82, 41];
    let odd = |chroma: &[u8]| [luma.as_slice(), chroma].concat();
    let expected = [RED, RED, BLUE, RED, RED, BLUE, RED, RED, BLUE];
    let planes = odd(&[90, 240, 90, 240, 240, 110, 240, 110]);
    near(
        pixels(&bytes(&planes), hub(3, 3, "i420")),
        &expected,
        "i420",
    );
    let pairs = odd(&[90, 240, 240, 110, 90, 240, 240, 110]);
    near(
        pixels(&bytes(&pairs), hub(3, 3, "nv12")),
        &expected,
        "nv12, odd",
    );
    let packed = [82, 90, 82, 240, 41, 240, 41, 110];
    near(
        pixels(&bytes(&packed), hub(3, 1, "yuyv")),
        &expected[..3],
        "yuyv, odd",
    );
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut picture = RgbImage::from_pixel(16, 16, image::Rgb(RED));
    (0..16).for_each(|y| (8..16).for_each(|x| picture.put_pixel(x, y, image::Rgb(BLUE))));
    if format == ImageFormat::Tiff {
        return tiff(&picture);
    }
    let mut file = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// An uncompressed TIFF of 8-bit RGB in one strip.
fn tiff(picture: &RgbImage) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let tags: [(u16, u16, u32); 8] = [
        (256, 4, width),
        (257, 4, height),
        (258, 3, 8),
        (262, 3, 2),
        (273, 4, 8),
        (277, 3, 3),
        (278, 4, height),
        (279, 4, width * height * 3),
    ];
    let mut file = b"II\x2a\0".to_vec();
    file.extend((8 + width * height * 3).to_le_bytes());
    file.extend(picture.as_raw());
    file.extend((tags.len() as u16).to_le_bytes());
    for (code, kind, value) in tags {
        file.extend([code.to_le_bytes(), kind.to_le_bytes(), [1, 0], [0, 0]].concat());
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    file
}

#[test]
fn encoded_files_with_and_without_their_size() {
    let cases = [
        ("jpeg", ImageFormat::Jpeg),
        ("MJPG", ImageFormat::Jpeg),
        ("png", ImageFormat::Png),
        ("webp", ImageFormat::WebP),
        ("bmp", ImageFormat::Bmp),
        ("tiff", ImageFormat::Tiff),
    ];
    for (name, format) in cases {
        let file = encoded(format);
        let named = Parameters::from([("encoding".into(), Parameter::String(name.into()))]);
        let no_size = read(&bytes(&file), named).unwrap();
        assert_eq!((no_size.width(), no_size.height()), (16, 16), "{name}");
        for picture in [no_size, read(&bytes(&file), hub(16, 16, name)).unwrap()] {
            assert!(picture.encoding().is_file());
            assert_eq!(picture.bytes(), file);
            let rgb = picture.to_rgb().unwrap();
            let (left, right) = (rgb.get_pixel(1, 1).0, rgb.get_pixel(14, 14).0);
            assert!(
                left[0] > 240 && left[2] < 15 && right[2] > 240 && right[0] < 15,
                "{name}"
            );
        }
    }
}

#[test]
fn a_compressed_file_as_one_binary_value_tells_its_format_itself() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let file = encoded(format);
        let narrow: ArrayRef = Arc::new(BinaryArray::from_vec(vec![&file]));
        for array in [narrow, blob(&file)] {
            let picture = read(&array, Parameters::new()).unwrap();
            assert_eq!((picture.width(), picture.height()), (16, 16));
            assert_eq!(picture.to_rgb().unwrap().dimensions(), (16, 16));
        }
    }
    let error = read(&blob(b"hello"), Parameters::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "picture cannot be decoded: the bytes start like no picture format"
    );
}

#[test]
fn doras_own_struct() {
    for data in [blob(&[0, 0, 255, 255, 0, 0]), list(&[0, 0, 255, 255, 0, 0])] {
        let fields = vec![
            ("width", n(2)),
            ("height", n(1)),
            ("encoding", word("bgr8")),
            ("data", data),
        ];
        assert_eq!(pixels(&row(fields), Parameters::new()), [RED, BLUE]);
    }
}

#[test]
fn kornias_struct() {
    let picture = |channels, data: &[u8]| {
        row(vec![
            ("width", n(2)),
            ("height", n(1)),
            ("channels", n(channels)),
            ("data", list(data)),
        ])
    };
    assert_eq!(
        pixels(&picture(1, &[0, 7]), Parameters::new()),
        [[0; 3], [7; 3]]
    );
    assert_eq!(
        pixels(&picture(3, &[255, 0, 0, 0, 0, 255]), Parameters::new()),
        [RED, BLUE]
    );
    assert_eq!(
        pixels(
            &picture(4, &[255, 0, 0, 1, 0, 0, 255, 1]),
            Parameters::new()
        ),
        [RED, BLUE]
    );
    let error = read(&picture(2, &[0; 4]), Parameters::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Image: `channels` is 2; expected 1, 3 or 4"
    );
}

fn ros(
    size: (u32, u32),
    encoding: &str,
    big_endian: ArrayRef,
    step: u32,
    data: ArrayRef,
) -> ArrayRef {
    row(vec![
        ("header", header()),
        ("height", n(size.1)),
        ("width", n(size.0)),
        ("encoding", word(encoding)),
        ("is_bigendian", big_endian),
        ("step", n(step)),
        ("data", data),
    ])
}

fn header() -> ArrayRef {
    let stamp = row(vec![
        ("sec", Arc::new(Int32Array::from(vec![1_700_000_000]))),
        ("nanosec", n(250)),
    ]);
    row(vec![("stamp", stamp), ("frame_id", word("camera"))])
}

fn little() -> ArrayRef {
    bytes(&[0])
}

#[test]
fn ros_pictures_with_and_without_padding() {
    let tight = list(&[255, 0, 0, 0, 0, 255]);
    assert_eq!(
        pixels(&ros((1, 2), "rgb8", little(), 3, tight), Parameters::new()),
        [RED, BLUE]
    );
    let padded = list(&[255, 0, 0, 99, 99, 0, 0, 255, 99, 99]);
    assert_eq!(
        pixels(&ros((1, 2), "rgb8", little(), 5, padded), Parameters::new()),
        [RED, BLUE]
    );
}

#[test]
fn ros_pictures_of_big_endian_samples() {
    let samples = list(&[200, 9, 0, 9]);
    for flag in [
        bytes(&[1]),
        Arc::new(BooleanArray::from(vec![true])) as ArrayRef,
    ] {
        let array = ros((2, 1), "mono16", flag, 4, samples.clone());
        assert_eq!(pixels(&array, Parameters::new()), [[200; 3], [0; 3]]);
    }
    // Padded as well: the padding goes first.
    let array = ros(
        (1, 2),
        "16UC1",
        bytes(&[1]),
        3,
        list(&[200, 9, 77, 0, 9, 77]),
    );
    assert_eq!(pixels(&array, Parameters::new()), [[200; 3], [0; 3]]);
}

#[test]
fn the_header_of_a_ros_picture_is_kept() {
    let array = ros((1, 1), "rgb8", little(), 3, list(&[1, 2, 3]));
    let Message::Item(identity, Image(_)) = Message::decode(&array, &Parameters::new(), 0).unwrap()
    else {
        panic!("it did not fail")
    };
    let time = chrono::DateTime::from_timestamp(1_700_000_000, 250).unwrap();
    assert_eq!(identity.time, Some(time));
    assert_eq!(
        identity.extra["frame_id"],
        Parameter::String("camera".into())
    );
    // The sender's own word comes first.
    let mut said = Parameters::from([("frame_id".into(), Parameter::String("mine".into()))]);
    Picture::from_arrow(&array, &mut said).unwrap();
    assert_eq!(said["frame_id"], Parameter::String("mine".into()));
}

#[test]
fn compressed_ros_pictures_are_read_and_depth_is_named() {
    let png = seggpt_imaging::write::rgb_png(&RgbImage::from_pixel(2, 1, image::Rgb([9; 3])));
    let compressed = |format: &str, data: &[u8]| {
        row(vec![
            ("header", header()),
            ("format", word(format)),
            ("data", list(data)),
        ])
    };
    let array = compressed("bgr8; png compressed bgr8", &png.unwrap());
    assert_eq!(pixels(&array, Parameters::new()), [[9; 3]; 2]);
    let depth = compressed("16UC1; compressedDepth png", &[0; 40]);
    let error = read(&depth, Parameters::new()).unwrap_err().to_string();
    assert!(error.contains("16UC1; compressedDepth png"), "{error}");
}

/// Four by four samples: the first of each 2 x 2 is lit.
const MOSAIC: [u8; 16] = [
    255, 0, 255, 0, //
    0, 0, 0, 0, //
    255, 0, 255, 0, //
    0, 0, 0, 0,
];

#[test]
fn image_transport_56_bayer_mosaics_become_colours() {
    for (encoding, color) in [
        ("bayer_rggb8", RED),
        ("bayer_bggr8", BLUE),
        ("BayerRG8", RED),
    ] {
        let array = ros((4, 4), encoding, little(), 4, list(&MOSAIC));
        assert_eq!(pixels(&array, Parameters::new()), [color; 16], "{encoding}");
    }
    let green: Vec<u8> = (0..16)
        .map(|at| if (at % 4 + at / 4) % 2 == 0 { 255 } else { 0 })
        .collect();
    for encoding in ["bayer_gbrg8", "bayer_grbg8"] {
        let array = ros((4, 4), encoding, little(), 4, list(&green));
        assert_eq!(
            pixels(&array, Parameters::new()),
            [[0, 255, 0]; 16],
            "{encoding}"
        );
    }
    let padded: Vec<u8> = MOSAIC
        .chunks(4)
        .flat_map(|row| [row, &[9, 9]].concat())
        .collect();
    let array = ros((4, 4), "bayer_rggb8", little(), 6, list(&padded));
    assert_eq!(pixels(&array, Parameters::new()), [RED; 16]);
}

#[test]
fn image_transport_56_sixteen_bits_a_channel_are_read_in_either_order() {
    let little_endian = list(&[0, 255, 0, 0, 0, 0]);
    let array = ros((1, 1), "rgb16", little(), 6, little_endian.clone());
    assert_eq!(pixels(&array, Parameters::new()), [RED]);
    let array = ros((1, 1), "bgr16", little(), 6, little_endian);
    assert_eq!(pixels(&array, Parameters::new()), [BLUE]);
    let array = ros((1, 1), "rgb16", bytes(&[1]), 6, list(&[255, 0, 0, 0, 0, 0]));
    assert_eq!(pixels(&array, Parameters::new()), [RED]);
    assert_eq!(
        pixels(&bytes(&[0, 255, 0, 0, 0, 0]), hub(1, 1, "rgb16")),
        [RED]
    );
}

#[test]
fn image_transport_56_depth_images_are_named() {
    for encoding in ["32FC1", "64FC1", "16SC1"] {
        let array = ros((1, 1), encoding, little(), 4, list(&[0; 4]));
        let error = read(&array, Parameters::new()).unwrap_err().to_string();
        assert!(
            error.contains(encoding) && error.contains("depth image"),
            "{error}"
        );
    }
    // Thermal cameras send this one, too: read, and noted.
    let array = ros((1, 1), "16UC1", little(), 2, list(&[0, 255]));
    let Message::Item(identity, Image(_)) = Message::decode(&array, &Parameters::new(), 0).unwrap()
    else {
        panic!("it did not fail")
    };
    assert!(
        identity.notes[0].contains("depth cameras"),
        "{:?}",
        identity.notes
    );
    assert!(identity.extra.keys().all(|key| !key.contains("note")));
}

#[test]
fn ros_pictures_whose_rows_do_not_add_up_are_refused() {
    for (step, len) in [(2, 6), (5, 6), (4, 7), (u32::MAX, 6)] {
        let error = read(
            &ros((1, 2), "rgb8", little(), step, list(&vec![0; len])),
            Parameters::new(),
        );
        let error = error.unwrap_err();
        assert!(
            matches!(error, ContractError::SizeMismatch { .. }),
            "{error}"
        );
        assert!(error.to_string().contains("1 x 2 rgb8 picture"), "{error}");
    }
    let planes = ros((2, 2), "nv12", little(), 4, list(&[0; 12]));
    assert!(matches!(
        read(&planes, Parameters::new()),
        Err(ContractError::SizeMismatch { .. })
    ));
}

#[test]
fn reading_shares_the_payload_in_every_dialect_without_padding() {
    let data = [255, 0, 0, 0, 0, 255];
    let arrays = [
        (bytes(&data), hub(2, 1, "rgb8")),
        (
            row(vec![
                ("width", n(2)),
                ("height", n(1)),
                ("encoding", word("rgb8")),
                ("data", blob(&data)),
            ]),
            Parameters::new(),
        ),
        (
            row(vec![
                ("width", n(2)),
                ("height", n(1)),
                ("channels", n(3)),
                ("data", list(&data)),
            ]),
            Parameters::new(),
        ),
        (
            ros((2, 1), "rgb8", little(), 6, list(&data)),
            Parameters::new(),
        ),
    ];
    for (array, parameters) in arrays {
        let data = array.to_data();
        let picture = read(&array, parameters).unwrap();
        let at = picture.bytes().as_ptr() as usize;
        let mut buffers = Vec::new();
        fn collect(data: &arrow::array::ArrayData, out: &mut Vec<(usize, usize)>) {
            out.extend(
                data.buffers()
                    .iter()
                    .map(|b| (b.as_ptr() as usize, b.len())),
            );
            data.child_data()
                .iter()
                .for_each(|child| collect(child, out));
        }
        collect(&data, &mut buffers);
        assert!(
            buffers
                .iter()
                .any(|&(from, len)| from <= at && at + 6 <= from + len),
            "{}",
            array.data_type()
        );
    }
}

#[test]
fn what_is_wrong_is_named() {
    let message = |array: &ArrayRef, parameters| read(array, parameters).unwrap_err().to_string();
    let without = |key: &str| {
        let mut parameters = hub(2, 1, "rgb8");
        parameters.remove(key);
        parameters
    };
    let six = bytes(&[0; 6]);
    assert_eq!(
        message(&six, without("width")),
        "Image: no `width` in the metadata"
    );
    assert_eq!(
        message(&six, without("height")),
        "Image: no `height` in the metadata"
    );
    assert_eq!(
        message(&six, without("encoding")),
        "Image: no `encoding` in the metadata"
    );
    assert_eq!(
        message(&six, hub(2, 2, "rgb8")),
        "Image: a 2 x 2 rgb8 picture holds 6 bytes; 12 expected"
    );
    assert_eq!(
        message(&six, hub(0, 1, "rgb8")),
        "Image: `width` is Integer(0); expected a number of pixels >= 1"
    );
    assert!(
        message(&six, hub(2, 1, "z16"))
            .starts_with("picture encoding `z16` is not known; send rgb8, ")
    );
    let holes: ArrayRef = Arc::new(UInt8Array::from(vec![Some(1), None]));
    assert!(message(&holes, hub(2, 1, "mono8")).contains("UInt8 with nulls"));
    assert!(
        message(&n(1), hub(1, 1, "mono8")).contains("Arrow type UInt32; expected UInt8 (dora-hub)")
    );
    let struct_without_data = row(vec![
        ("width", n(1)),
        ("height", n(1)),
        ("encoding", word("mono8")),
    ]);
    assert_eq!(
        message(&struct_without_data, Parameters::new()),
        "Image: no `data` among the struct's fields"
    );
    let two_rows: ArrayRef = row(vec![(
        "width",
        Arc::new(UInt32Array::from(vec![1, 2])) as ArrayRef,
    )]);
    assert!(message(&two_rows, Parameters::new()).contains("Struct of 2 rows"));
}

#[test]
fn an_encoded_file_must_be_what_it_claims() {
    let png = bytes(&encoded(ImageFormat::Png));
    let other_size = read(&png, hub(16, 17, "png"))
        .unwrap()
        .to_rgb()
        .unwrap_err();
    assert_eq!(
        other_size.to_string(),
        "Image: `width x height` is 16 x 17; expected 16 x 16, as the png bytes decode"
    );
    let text = read(&bytes(b"no picture"), hub(1, 1, "png"))
        .unwrap()
        .to_rgb()
        .unwrap_err();
    assert!(matches!(text, ContractError::Undecodable(_)), "{text}");
    let half = &encoded(ImageFormat::Jpeg)[..300];
    let half = read(&bytes(half), hub(16, 16, "jpeg"))
        .unwrap()
        .to_rgb()
        .unwrap_err();
    assert!(matches!(half, ContractError::Undecodable(_)), "{half}");
}

#[test]
fn every_encoding_reads_its_own_name() {
    for encoding in Encoding::ALL {
        assert_eq!(encoding.name().parse::<Encoding>().unwrap(), encoding);
        assert_eq!(
            encoding.name().to_uppercase().parse::<Encoding>().unwrap(),
            encoding
        );
    }
}
