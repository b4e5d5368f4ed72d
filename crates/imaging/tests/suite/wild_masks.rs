//! Masks as people have them.

use image::{
    DynamicImage, GrayAlphaImage, GrayImage, ImageBuffer, ImageEncoder, ImageFormat, Luma, LumaA,
    RgbImage, Rgba, RgbaImage,
};
use seggpt_imaging::{
    Rgb,
    annotation::{Annotation, Ids, MaskKind, MaskMode},
    read::{Exif, NoteKind, Reading},
};

const SIDE: u32 = 64;

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    encoded(picture, ImageFormat::Png)
}

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn auto(bytes: &[u8]) -> Annotation {
    Annotation::decode(bytes, "mask.png", MaskMode::Auto, None).unwrap()
}

/// How far inside a disc, in pixels.
fn depth(x: u32, y: u32) -> f64 {
    20.0 - (f64::from(x) - 32.0).hypot(f64::from(y) - 32.0)
}

fn inside(x: u32, y: u32) -> bool {
    depth(x, y) > 0.0
}

fn hard() -> GrayImage {
    GrayImage::from_fn(SIDE, SIDE, |x, y| {
        Luma([if inside(x, y) { 255 } else { 0 }])
    })
}

fn opacity(x: u32, y: u32) -> u8 {
    if inside(x, y) { 255 } else { 0 }
}

fn is_the_disc(mask: &Annotation) {
    assert_eq!(mask.classes.len(), 1);
    let marked = hard().pixels().filter(|pixel| pixel.0[0] > 0).count() as f64;
    let share = marked / f64::from(SIDE * SIDE);
    assert!(
        (mask.marked() - share).abs() < 0.02,
        "{} of {share}",
        mask.marked()
    );
}

#[test]
fn comfyui_2539_transparency_is_the_mask_in_every_form() {
    let white = RgbaImage::from_fn(SIDE, SIDE, |x, y| Rgba([255, 255, 255, opacity(x, y)]));
    let black = RgbaImage::from_fn(SIDE, SIDE, |x, y| Rgba([0, 0, 0, opacity(x, y)]));
    let half = RgbaImage::from_fn(SIDE, SIDE, |x, y| Rgba([255, 255, 255, opacity(x, y) / 2]));
    let grey = GrayAlphaImage::from_fn(SIDE, SIDE, |x, y| LumaA([255, opacity(x, y)]));
    let deep = ImageBuffer::<LumaA<u16>, _>::from_fn(SIDE, SIDE, |x, y| {
        LumaA([65_535, u16::from(opacity(x, y)) * 257])
    });
    let deep_color = ImageBuffer::<Rgba<u16>, _>::from_fn(SIDE, SIDE, |x, y| {
        Rgba([65_535, 65_535, 65_535, u16::from(opacity(x, y)) * 257])
    });
    for (name, bytes) in [
        ("white", png(white.clone())),
        ("black", png(black)),
        ("half", png(half)),
        ("grey", png(grey)),
        ("deep", png(deep)),
        ("deep colour", png(deep_color)),
        ("webp", encoded(white, ImageFormat::WebP)),
        (
            "palette",
            palette_png(&[[255; 3], [255; 3]], &[0, 255], |x, y| inside(x, y).into()),
        ),
        (
            "inverted palette",
            palette_png(&[[255; 3], [255; 3]], &[255, 0], |x, y| {
                (!inside(x, y)).into()
            }),
        ),
    ] {
        let mask = auto(&bytes);
        is_the_disc(&mask);
        // An index 0 that is transparent is background anyway.
        assert!(
            name == "palette"
                || mask
                    .notes
                    .iter()
                    .any(|note| note.kind == NoteKind::Transparency),
            "{name}: {:?}",
            mask.notes
        );
        let ids = Ids::decode(&bytes, "mask.png").unwrap().values;
        assert_eq!((ids[32 * 64 + 32], ids[0]), (1, 0), "{name}");
    }
}

#[test]
fn sd_scripts_1269_transparent_parts_of_coloured_masks_are_background() {
    let red = RgbaImage::from_fn(SIDE, SIDE, |x, y| match (inside(x, y), y) {
        (true, 0..32) => Rgba([255, 0, 0, 255]),
        (true, _) => Rgba([0, 0, 255, 255]),
        _ => Rgba([90, 200, 30, 0]),
    });
    let mask = auto(&png(red));
    let colors: Vec<Rgb> = mask.classes.iter().map(|class| class.color).collect();
    assert_eq!(colors.len(), 2);
    assert!(colors.contains(&[255, 0, 0]) && colors.contains(&[0, 0, 255]));
    assert_eq!(mask.painted.get_pixel(0, 0).0, [0; 3]);
    // A palette whose last entry is transparent.
    let palette = palette_png(
        &[[0; 3], [200, 0, 0], [0, 200, 0], [9, 9, 200]],
        &[255, 255, 255, 0],
        |x, y| match (inside(x, y), y) {
            (true, 0..32) => 1,
            (true, _) => 2,
            _ => 3,
        },
    );
    let mask = auto(&palette);
    let ids: Vec<u16> = mask.classes.iter().map(|class| class.id).collect();
    assert_eq!((mask.kind, ids), (MaskKind::Palette, vec![1, 2]));
}

#[test]
fn an_opaque_alpha_channel_says_nothing() {
    let plain = RgbaImage::from_fn(SIDE, SIDE, |x, y| {
        let value = opacity(x, y);
        Rgba([value, value, value, 255])
    });
    let mask = auto(&png(plain));
    is_the_disc(&mask);
    assert!(mask.notes.is_empty(), "{:?}", mask.notes);
}

fn palette_png(colors: &[Rgb], opacity: &[u8], index: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, SIDE, SIDE);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette(colors.concat());
    encoder.set_trns(opacity.to_vec());
    let mut writer = encoder.write_header().unwrap();
    let index = &index;
    let values: Vec<u8> = (0..SIDE)
        .flat_map(|y| (0..SIDE).map(move |x| index(x, y)))
        .collect();
    writer.write_image_data(&values).unwrap();
    writer.finish().unwrap();
    bytes
}

/// Thin lines, smoothed: most of their pixels are shades.
fn thin_lines(levels: f64) -> GrayImage {
    GrayImage::from_fn(160, 120, |x, y| {
        let (x, y) = (f64::from(x), f64::from(y));
        let near = [(0.31, 12.0), (-0.22, 90.0), (0.05, 60.0)]
            .map(|(slope, start)| (y - start - slope * x).abs())
            .into_iter()
            .fold(f64::INFINITY, f64::min);
        let shade = (1.3 - near).clamp(0.0, 1.0);
        Luma([((shade * levels).round() / levels * 240.0) as u8])
    })
}

#[test]
fn pranet_44_smoothed_thin_lines_are_one_class_and_it_is_said() {
    for levels in [4.0, 16.0, 240.0] {
        let mask = auto(&png(thin_lines(levels)));
        assert_eq!(
            (mask.kind, mask.classes.len()),
            (MaskKind::Binary, 1),
            "{levels}"
        );
        assert_eq!(mask.notes[0].kind, NoteKind::Meaning);
        assert!(
            mask.notes[0].text.contains("one class with soft edges"),
            "{}",
            mask.notes[0]
        );
    }
    let ids = Annotation::decode(&png(thin_lines(16.0)), "m.png", MaskMode::Ids, None).unwrap();
    assert!(ids.classes.len() > 8, "a mode that is named is not guessed");
}

#[test]
fn segtran_44_smoothed_masks_survive_jpeg_and_sixteen_bits() {
    let soft = GrayImage::from_fn(SIDE, SIDE, |x, y| {
        Luma([((depth(x, y) / 6.0 + 0.5).clamp(0.0, 1.0) * 255.0) as u8])
    });
    let deep = ImageBuffer::<Luma<u16>, _>::from_fn(SIDE, SIDE, |x, y| {
        Luma([u16::from(soft.get_pixel(x, y).0[0]) * 257])
    });
    let mut lossy = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut lossy, 30)
        .write_image(hard().as_raw(), SIDE, SIDE, image::ExtendedColorType::L8)
        .unwrap();
    for (name, bytes) in [("png", png(soft)), ("deep", png(deep)), ("jpeg", lossy)] {
        let mask = auto(&bytes);
        assert_eq!(mask.kind, MaskKind::Binary, "{name}");
        is_the_disc(&mask);
    }
}

#[test]
fn ids_in_areas_lines_and_dots_stay_ids() {
    // Ten tiles, one with a line of one pixel, one with dots.
    let ids = GrayImage::from_fn(100, 40, |x, y| {
        let tile = (x / 20 + y / 20 * 5) as u8;
        Luma([match (tile, x % 20, y % 20) {
            (9, 10, _) => 30,
            (8, x, y) if x % 5 == 2 && y % 5 == 2 => 31,
            (tile, ..) => tile * 3,
        }])
    });
    let mask = auto(&png(ids));
    assert_eq!(mask.kind, MaskKind::Ids);
    let found: Vec<u16> = mask.classes.iter().map(|class| class.id).collect();
    assert_eq!(found, [3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 31]);
    assert!(
        mask.notes[0]
            .text
            .contains("11 grey values are taken for class ids"),
        "{:?}",
        mask.notes
    );
}

#[test]
fn smoothed_coloured_masks_have_no_class_of_mixed_colours() {
    let disc = RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let share = ((depth(x, y) / 2.0 + 0.5).clamp(0.0, 1.0) * 4.0).round() / 4.0;
        image::Rgb([(share * 255.0) as u8, 0, (share * 100.0) as u8])
    });
    let mask = auto(&png(disc));
    let colors: Vec<Rgb> = mask.classes.iter().map(|class| class.color).collect();
    assert_eq!(colors, [[255, 0, 100]]);
}

/// A JPEG with an EXIF orientation.
fn turned_jpeg(orientation: u8, (width, height): (u32, u32)) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 9]));
    let plain = encoded(picture, ImageFormat::Jpeg);
    let mut exif =
        b"\xff\xe1\x00\x22Exif\0\0II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    [&plain[..2], &exif, &plain[2..]].concat()
}

fn followed(
    orientation: u8,
    of_picture: (u32, u32),
    of_mask: (u32, u32),
    exif: Exif,
) -> Annotation {
    let reading = Reading::decode(&turned_jpeg(orientation, of_picture), "a.jpg", exif).unwrap();
    let mask = GrayImage::from_fn(of_mask.0, of_mask.1, |x, y| {
        Luma([if x < 4 && y < 2 { 255 } else { 0 }])
    });
    let mut mask = auto(&png(mask));
    mask.follow(&reading);
    mask
}

#[test]
fn labelme_232_a_mask_of_the_stored_pixels_is_turned_along() {
    let mask = followed(6, (40, 30), (40, 30), Exif::Apply);
    assert_eq!(mask.painted.dimensions(), (30, 40));
    // Upper left before, upper right after 90 degrees clockwise.
    assert_eq!(
        (
            mask.painted.get_pixel(29, 0).0[0],
            mask.painted.get_pixel(0, 0).0[0]
        ),
        (255, 0)
    );
    assert!(mask.notes[0].text.contains("EXIF"), "{:?}", mask.notes);
    let upright = followed(6, (40, 30), (30, 40), Exif::Apply);
    assert_eq!(upright.painted.get_pixel(0, 0).0[0], 255);
}

#[test]
fn coco_annotator_557_where_sizes_do_not_tell_exif_is_named_with_the_way_out() {
    for (orientation, size) in [(3, (40, 30)), (6, (30, 30))] {
        let mask = followed(orientation, size, size, Exif::Apply);
        assert_eq!(mask.painted.get_pixel(0, 0).0[0], 255, "nothing is turned");
        let text = &mask.notes[0].text;
        assert!(
            text.contains("EXIF") && text.contains("--exif ignore"),
            "{text}"
        );
        assert!(
            followed(orientation, size, size, Exif::Ignore)
                .notes
                .is_empty()
        );
    }
    assert!(
        followed(1, (40, 30), (40, 30), Exif::Apply)
            .notes
            .is_empty()
    );
}
