use crate::common::{fixture, fixture_bytes, ground, pixels};
use seggpt_imaging::{ImagingError, RgbImage, read, read::Limits};

#[test]
fn the_content_tells_the_format_and_not_the_name() {
    let wanted = pixels("kind.rgb.png");
    for ending in ["tif", "webp", "bmp", "rgb.png"] {
        let bytes = fixture_bytes(&format!("kind.{ending}"));
        assert!(
            read::decode(&bytes, "picture.jpg").unwrap() == wanted,
            "{ending}"
        );
    }
}

#[test]
fn palette_alpha_and_depth_become_rgb_as_in_pillow() {
    let read = |name: &str| read::open(fixture(name)).unwrap();
    assert!(read("kind.palette.png") == pixels("kind.palette.rgb.png"));
    assert!(read("kind.palette2bit.png") == pixels("kind.palette.rgb.png"));
    assert!(read("kind.rgba.png") == pixels("kind.rgba.rgb.png"));
    // ids 0, 1, 2 are 255, 30255, 60255 in the file: the high bytes are 0, 118, 235
    let deep: Vec<u8> = read("kind.grey16.png")
        .pixels()
        .map(|pixel| pixel.0[1])
        .collect();
    let ids: Vec<u8> = read("kind.grey.png")
        .pixels()
        .map(|pixel| pixel.0[1] / 100)
        .collect();
    assert_eq!(
        deep,
        ids.iter()
            .map(|id| [0, 118, 235][usize::from(*id)])
            .collect::<Vec<_>>()
    );
}

#[test]
fn an_exif_orientation_turns_the_picture_upright() {
    let plain = read::open(fixture("kind.plain.jpg")).unwrap();
    let turned = read::open(fixture("kind.turned.jpg")).unwrap();
    assert!(turned == image::imageops::rotate90(&plain));
    let announced = read::size(&fixture_bytes("kind.turned.jpg"), "turned").unwrap();
    assert_eq!(announced, turned.dimensions());
}

#[test]
fn an_empty_file_is_called_empty() {
    let error = read::decode(&[], "shots/a.png").unwrap_err();
    assert!(matches!(error, ImagingError::Empty { .. }));
    assert!(error.to_string().starts_with("shots/a.png: "), "{error}");
}

#[test]
fn a_text_file_named_png_is_called_text() {
    let error = read::decode(b"<html>404 not found</html>\n", "a.png").unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.png: not a PNG, JPEG, TIFF, WebP or BMP picture: it holds text"
    );
}

#[test]
fn a_picture_format_that_is_not_read_is_named() {
    let error = read::decode(b"GIF89a\x01\x00\x01\x00", "a.gif").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("it is a GIF picture; convert it to PNG"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_cut_short_is_an_error_and_never_half_a_picture() {
    for (name, bytes) in [
        (
            "ground_4.jpg",
            std::fs::read(ground("ground_4.jpg")).unwrap(),
        ),
        ("kind.turned.jpg", fixture_bytes("kind.turned.jpg")),
        ("photo.png", fixture_bytes("photo.png")),
        ("kind.palette.png", fixture_bytes("kind.palette.png")),
        ("kind.tif", fixture_bytes("kind.tif")),
        ("kind.webp", fixture_bytes("kind.webp")),
        ("kind.bmp", fixture_bytes("kind.bmp")),
    ] {
        assert!(read::decode(&bytes, name).is_ok(), "{name}");
        for part in [3, 5, 6, 7, 8, 9] {
            let cut = &bytes[..bytes.len() * part / 10];
            let got = read::decode(cut, name).map(|picture| picture.dimensions());
            assert!(
                got.is_err_and(|error| error.to_string().starts_with(name)),
                "{name}: {part}/10"
            );
        }
    }
}

#[test]
fn a_jpeg_with_bytes_that_no_encoder_writes_is_an_error() {
    let whole = std::fs::read(ground("ground_1.jpg")).unwrap();
    for part in [4, 2] {
        let mut bytes = whole.clone();
        let at = bytes.len() / part;
        bytes[at..at + 400].fill(0xff);
        let got = read::decode(&bytes, "a.jpg").map(|picture| picture.dimensions());
        assert!(
            matches!(got, Err(ImagingError::Damaged { format: "JPEG", .. })),
            "{got:?}"
        );
    }
}

#[test]
fn a_picture_beyond_the_limits_says_its_size() {
    let limits = Limits {
        pixels: 100,
        ..Limits::default()
    };
    let error = read::decode_within(&fixture_bytes("photo.png"), "a.png", limits).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("150 x 120 pixels (54000 bytes) are too large"),
        "{error}"
    );
}

#[test]
fn a_header_that_announces_more_than_there_can_be_is_refused_before_any_memory_is_taken() {
    let mut bytes = fixture_bytes("kind.bmp");
    bytes[18..22].copy_from_slice(&60_000i32.to_le_bytes());
    bytes[22..26].copy_from_slice(&60_000i32.to_le_bytes());
    let error = read::decode(&bytes, "a.bmp").unwrap_err();
    assert!(
        matches!(error, ImagingError::TooLarge { width: 60_000, .. }),
        "{error}"
    );
}

#[test]
fn a_picture_of_one_pixel_is_a_picture() {
    assert!(
        read::open(fixture("dot.png")).unwrap()
            == RgbImage::from_pixel(1, 1, image::Rgb([200, 30, 90]))
    );
}

#[test]
fn a_missing_file_is_named() {
    let error = read::open("nowhere/a.png").unwrap_err();
    assert_eq!(error.to_string(), "nowhere/a.png: cannot be read");
}
