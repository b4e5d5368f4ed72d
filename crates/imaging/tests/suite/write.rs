use seggpt_imaging::{
    BLACK, ImagingError, RgbImage,
    annotation::{Annotation, MaskMode},
    read,
    write::{self, MaskFormat},
};

const CLASSES: [(u16, [u8; 3]); 2] = [(1, [66, 135, 245]), (7, [240, 170, 40])];
const IDS: [u16; 6] = [0, 1, 1, 7, 0, 3];

fn raw(bytes: &[u8]) -> (png::ColorType, png::BitDepth, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
        .read_info()
        .unwrap();
    let mut data = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut data).unwrap();
    (frame.color_type, frame.bit_depth, data)
}

#[test]
fn a_palette_mask_holds_ids_and_shows_class_colours() {
    let bytes = write::mask_png(&IDS, (3, 2), &CLASSES, MaskFormat::Palette).unwrap();
    let (color, depth, data) = raw(&bytes);
    assert_eq!(
        (color, depth, &data[..]),
        (
            png::ColorType::Indexed,
            png::BitDepth::Eight,
            &[0, 1, 1, 7, 0, 3][..]
        )
    );
    let seen = read::decode(&bytes, "mask").unwrap();
    assert_eq!(seen.get_pixel(0, 0).0, BLACK);
    assert_eq!(seen.get_pixel(1, 0).0, CLASSES[0].1);
    assert_eq!(seen.get_pixel(0, 1).0, CLASSES[1].1);
}

#[test]
fn a_written_mask_can_be_a_prompt_again() {
    let bytes = write::mask_png(&[0, 1, 7, 7], (2, 2), &CLASSES, MaskFormat::Palette).unwrap();
    let mask = Annotation::decode(&bytes, "mask", MaskMode::Auto, None).unwrap();
    let found: Vec<_> = mask
        .classes
        .iter()
        .map(|class| (class.id, class.color))
        .collect();
    assert_eq!(found, CLASSES);
}

#[test]
fn grey_ids_are_the_ids() {
    let bytes = write::mask_png(&IDS, (3, 2), &CLASSES, MaskFormat::Ids).unwrap();
    assert_eq!(
        raw(&bytes),
        (
            png::ColorType::Grayscale,
            png::BitDepth::Eight,
            vec![0, 1, 1, 7, 0, 3]
        )
    );
}

#[test]
fn ids_beyond_255_take_16_bits_whether_they_occur_or_only_stand_in_the_table() {
    for (ids, classes) in [([1u16, 300], vec![]), ([1, 2], vec![(256, [1, 2, 3])])] {
        let bytes = write::mask_png(&ids, (2, 1), &classes, MaskFormat::Palette).unwrap();
        let (color, depth, data) = raw(&bytes);
        assert_eq!(
            (color, depth),
            (png::ColorType::Grayscale, png::BitDepth::Sixteen)
        );
        assert_eq!(data, ids.map(u16::to_be_bytes).concat());
    }
}

#[test]
fn instances_beyond_16_bits_are_an_error_and_not_wrapped_around() {
    assert!(write::instances_png(&[0, 65_535], (2, 1)).is_ok());
    let error = write::instances_png(&[0, 65_536], (2, 1)).unwrap_err();
    assert!(matches!(error, ImagingError::Classes { .. }), "{error}");
}

#[test]
fn pictures_and_planes_come_back_as_they_were() {
    let picture = RgbImage::from_fn(7, 5, |x, y| image::Rgb([x as u8 * 30, y as u8 * 50, 9]));
    assert!(read::decode(&write::rgb_png(&picture).unwrap(), "p").unwrap() == picture);
    let (_, _, plane) = raw(&write::grey_png(&[1, 2, 3, 255], (4, 1)).unwrap());
    assert_eq!(plane, [1, 2, 3, 255]);
    let lossy = read::decode(&write::rgb_jpeg(&picture, 100).unwrap(), "p").unwrap();
    assert_eq!(lossy.dimensions(), (7, 5));
}

#[test]
fn what_no_file_can_hold_is_an_error() {
    assert!(matches!(
        write::grey_png(&[0; 3], (2, 2)),
        Err(ImagingError::Size { .. })
    ));
    assert!(matches!(
        write::rgb_png(&RgbImage::new(0, 3)),
        Err(ImagingError::Encode { .. })
    ));
    assert!(matches!(
        write::rgb_jpeg(&RgbImage::new(70_000, 1), 90),
        Err(ImagingError::Encode { .. })
    ));
}
