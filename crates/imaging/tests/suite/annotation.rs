use crate::common::{fixture, fixture_bytes, ground, pixels};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use seggpt_imaging::{
    BLACK, ImagingError, Rgb, RgbImage, WHITE,
    annotation::{Annotation, ClassEntry, MaskKind, MaskMode},
};

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn decode(bytes: &[u8], mode: MaskMode) -> Annotation {
    Annotation::decode(bytes, "mask", mode, None).unwrap()
}

/// A 32 x 32 grey mask: left half 0, then the values in vertical stripes.
fn stripes(values: &[u8]) -> GrayImage {
    GrayImage::from_fn(32, 32, |x, _| {
        let stripe = (x as usize).saturating_sub(16) * values.len() / 16;
        Luma([if x < 16 { 0 } else { values[stripe] }])
    })
}

fn auto(values: &[u8]) -> Annotation {
    decode(&encoded(stripes(values), ImageFormat::Png), MaskMode::Auto)
}

fn ids(annotation: &Annotation) -> Vec<u16> {
    annotation.classes.iter().map(|class| class.id).collect()
}

fn colors(annotation: &Annotation) -> Vec<Rgb> {
    annotation.classes.iter().map(|class| class.color).collect()
}

fn entry(id: u16, name: &str, color: Option<Rgb>) -> ClassEntry {
    ClassEntry {
        id,
        name: Some(name.to_owned()),
        color,
    }
}

#[test]
fn a_palette_mask_is_painted_as_pillow_converts_it() {
    for name in ["kind.palette.png", "kind.palette2bit.png"] {
        let mask = Annotation::open(fixture(name), MaskMode::Auto, None).unwrap();
        assert!(mask.painted == pixels("kind.palette.rgb.png"), "{name}");
        assert_eq!((mask.kind, ids(&mask)), (MaskKind::Palette, vec![1, 2]));
        assert_eq!(colors(&mask), [[66, 135, 245], [240, 170, 40]]);
    }
}

#[test]
fn the_drawn_class_masks_keep_ids_and_colours() {
    for picture in 1..=6 {
        let path = ground(&format!("ground_{picture}_classes.png"));
        let mask = Annotation::open(&path, MaskMode::Auto, None).unwrap();
        assert_eq!(ids(&mask), [1, 2]);
        assert!(mask.painted == image::open(&path).unwrap().into_rgb8());
    }
}

#[test]
fn the_drawn_binary_masks_are_one_white_class() {
    let path = ground("ground_3_pebbles.png");
    let mask = Annotation::open(&path, MaskMode::Auto, None).unwrap();
    assert_eq!((ids(&mask), colors(&mask)), (vec![1], vec![WHITE]));
    assert!(mask.painted == image::open(&path).unwrap().into_rgb8());
}

#[test]
fn black_and_white_in_any_scale_is_painted_white() {
    for values in [&[1][..], &[255]] {
        let mask = auto(values);
        assert_eq!((mask.kind, ids(&mask)), (MaskKind::Binary, vec![1]));
        assert_eq!(mask.painted.get_pixel(20, 3).0, WHITE);
        assert_eq!(mask.painted.get_pixel(3, 3).0, BLACK);
    }
    let onebit = decode(&fixture_bytes("kind.onebit.png"), MaskMode::Auto);
    assert_eq!((ids(&onebit), colors(&onebit)), (vec![1], vec![WHITE]));
}

#[test]
fn soft_edges_are_painted_as_they_are() {
    let soft = GrayImage::from_fn(64, 64, |x, y| {
        let inside = 20.0 - (f64::from(x) - 32.0).hypot(f64::from(y) - 32.0);
        Luma([((inside / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0) as u8])
    });
    let mask = decode(&encoded(soft.clone(), ImageFormat::Png), MaskMode::Auto);
    assert_eq!(mask.kind, MaskKind::Binary);
    assert!(mask.painted == DynamicImage::from(soft.clone()).into_rgb8());

    let lossy = encoded(DynamicImage::from(soft).into_rgb8(), ImageFormat::Jpeg);
    let mask = decode(&lossy, MaskMode::Auto);
    assert_eq!((mask.kind, ids(&mask)), (MaskKind::Binary, vec![1]));
}

#[test]
fn small_grey_values_are_ids_and_255_is_ignored() {
    let mask = auto(&[1, 2, 11, 255]);
    assert_eq!((mask.kind, ids(&mask)), (MaskKind::Ids, vec![1, 2, 11]));
    assert_eq!(mask.painted.get_pixel(31, 0).0, BLACK, "ignored");
    assert_eq!(mask.painted.get_pixel(17, 0).0, WHITE, "the first class");
    assert_eq!(
        mask.painted.get_pixel(25, 0).0,
        [0, 255, 0],
        "the third class"
    );
    assert_eq!(ids(&auto(&[1, 255])), [1]);
}

#[test]
fn many_classes_are_not_taken_for_shades() {
    let values: Vec<u8> = (1..=150).collect();
    let wide = GrayImage::from_fn(320, 32, |x, _| {
        Luma([values[x as usize * values.len() / 320]])
    });
    let mask = decode(&encoded(wide, ImageFormat::Png), MaskMode::Auto);
    assert_eq!(mask.classes.len(), 150);
}

#[test]
fn what_could_be_shades_or_ids_is_refused_with_the_setting_that_helps() {
    let bytes = encoded(stripes(&[127, 255]), ImageFormat::Png);
    let error = Annotation::decode(&bytes, "trimap.png", MaskMode::Auto, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "trimap.png: the grey values 127 beside white may be shades or class ids; say mask mode binary or ids"
    );
    assert_eq!(ids(&decode(&bytes, MaskMode::Ids)), [127]);
    assert_eq!(
        decode(&bytes, MaskMode::Binary).painted.get_pixel(18, 0).0,
        [127; 3]
    );

    let photo = GrayImage::from_fn(64, 64, |x, y| Luma([(x * 3 + y) as u8]));
    let error = Annotation::decode(
        &encoded(photo, ImageFormat::Png),
        "a.png",
        MaskMode::Auto,
        None,
    );
    assert!(error.unwrap_err().to_string().contains("grey levels"));
}

#[test]
fn sixteen_bit_masks_hold_ids_beyond_255() {
    let deep = image::ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(8, 1, |x, _| {
        Luma([[0, 0, 7, 255, 300, 1000, 65535, 65535][x as usize]])
    });
    let mask = decode(&encoded(deep, ImageFormat::Png), MaskMode::Auto);
    assert_eq!(ids(&mask), [7, 255, 300, 1000]);
    assert_eq!(mask.painted.get_pixel(7, 0).0, BLACK, "65535 is ignored");

    let binary = image::ImageBuffer::<Luma<u16>, Vec<u16>>::from_fn(8, 1, |x, _| {
        Luma([(x as u16 / 4) * 65535])
    });
    let mask = decode(&encoded(binary, ImageFormat::Png), MaskMode::Auto);
    assert_eq!((mask.kind, colors(&mask)), (MaskKind::Binary, vec![WHITE]));
}

/// Red fills the left, blue a smaller right part, with a mixed column between them.
fn two_colors() -> RgbImage {
    RgbImage::from_fn(40, 20, |x, y| {
        image::Rgb(match (x, y) {
            (_, 0..4) => BLACK,
            (0..20, _) => [255, 0, 0],
            (20, y) => [128, y as u8, 127],
            _ => [0, 0, 255],
        })
    })
}

#[test]
fn colours_are_classes_and_mixed_edges_are_not() {
    let mask = decode(&encoded(two_colors(), ImageFormat::Png), MaskMode::Auto);
    assert_eq!(mask.kind, MaskKind::Rgb);
    assert_eq!(colors(&mask), [[255, 0, 0], [0, 0, 255]]);
    assert!(mask.painted == two_colors());

    let lossy = decode(&encoded(two_colors(), ImageFormat::Jpeg), MaskMode::Auto);
    assert_eq!(lossy.classes.len(), 2, "{:?}", lossy.classes);
}

#[test]
fn a_class_table_names_recolours_and_limits() {
    let bytes = encoded(stripes(&[1, 2, 3]), ImageFormat::Png);
    let table = [entry(3, "leaf", Some([9, 90, 9])), entry(1, "pebble", None)];
    let mask = Annotation::decode(&bytes, "mask", MaskMode::Auto, Some(&table)).unwrap();
    assert_eq!(ids(&mask), [1, 3]);
    assert_eq!(mask.classes[1].name.as_deref(), Some("leaf"));
    assert_eq!(mask.painted.get_pixel(31, 0).0, [9, 90, 9]);
    assert_eq!(mask.unlisted, ["id 2"]);
    assert_eq!(mask.painted.get_pixel(23, 0).0, BLACK);
}

#[test]
fn in_a_mask_of_colours_the_table_goes_by_colour() {
    let bytes = encoded(two_colors(), ImageFormat::Png);
    let table = [entry(7, "water", Some([0, 0, 250]))];
    let mask = Annotation::decode(&bytes, "mask", MaskMode::Auto, Some(&table)).unwrap();
    assert_eq!(ids(&mask), [7]);
    assert_eq!(mask.unlisted, ["colour #ff0000"]);
    assert_eq!(mask.painted.get_pixel(3, 10).0, BLACK);
    assert_eq!(mask.painted.get_pixel(30, 10).0, [0, 0, 255]);
}

#[test]
fn a_binary_mask_takes_the_name_and_colour_of_its_only_class() {
    let bytes = encoded(stripes(&[255]), ImageFormat::Png);
    let table = [entry(4, "nucleus", Some([255, 0, 128]))];
    let mask = Annotation::decode(&bytes, "mask", MaskMode::Auto, Some(&table)).unwrap();
    assert_eq!(ids(&mask), [4]);
    assert_eq!(mask.painted.get_pixel(20, 0).0, [255, 0, 128]);
}

#[test]
fn a_mode_that_the_file_cannot_be_read_in_is_an_error() {
    let grey = encoded(stripes(&[1, 2]), ImageFormat::Png);
    let color = encoded(two_colors(), ImageFormat::Png);
    for (bytes, mode) in [
        (&grey, MaskMode::Palette),
        (&color, MaskMode::Palette),
        (&color, MaskMode::Ids),
    ] {
        let error = Annotation::decode(bytes, "m.png", mode, None).unwrap_err();
        assert!(matches!(error, ImagingError::Mask { .. }), "{error}");
    }
}

#[test]
fn a_palette_can_be_read_as_ids_colours_or_one_class() {
    let bytes = fixture_bytes("kind.palette.png");
    assert_eq!(colors(&decode(&bytes, MaskMode::Ids)), [WHITE, [255, 0, 0]]);
    assert_eq!(decode(&bytes, MaskMode::Rgb).classes.len(), 2);
    let binary = decode(&bytes, MaskMode::Binary);
    assert!(
        binary
            .painted
            .pixels()
            .all(|pixel| matches!(pixel.0, BLACK | WHITE))
    );
    assert_eq!(ids(&binary), [1]);
}

#[test]
fn a_mask_that_marks_nothing_has_no_classes() {
    assert!(auto(&[0]).classes.is_empty());
}

#[test]
fn a_mask_file_that_is_cut_short_is_an_error() {
    let bytes = fixture_bytes("kind.palette.png");
    for part in 1..10 {
        let cut = &bytes[..bytes.len() * part / 10];
        assert!(
            Annotation::decode(cut, "m.png", MaskMode::Auto, None).is_err(),
            "{part}"
        );
    }
}
