//! A picture file as a payload: raw, as its own bytes, or encoded anew; and named errors for all that is no picture.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use image::{ImageEncoder, RgbImage, codecs::jpeg::JpegEncoder};
use seggpt_contract::{Encoding, Parameter, Picture, RAW_PICTURE_LIMIT};
use seggpt_imaging::read::Exif;
use seggpt_node::source::{FILE_LIMIT, Sendable};
use seggpt_source_images::{
    inputs::expand,
    load::{self, Item},
};
use tempfile::TempDir;

fn picture(path: &Path, raw_limit: usize, file_limit: usize) -> eyre::Result<Picture> {
    Ok(load::picture(path, None, Exif::Apply, raw_limit, file_limit)?.0)
}

struct Scratch(TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn picture(&self, name: &str, picture: &RgbImage) -> PathBuf {
        let path = self.0.path().join(name);
        picture.save(&path).unwrap();
        path
    }
}

/// Noise: it does not compress.
fn noise(width: u32, height: u32) -> RgbImage {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    RgbImage::from_fn(width, height, |_, _| image::Rgb([next(), next(), next()]))
}

fn refused(path: PathBuf) -> String {
    let error = format!(
        "{:#}",
        picture(&path, RAW_PICTURE_LIMIT, FILE_LIMIT).unwrap_err()
    );
    assert!(error.starts_with(&path.display().to_string()), "{error}");
    error
}

#[test]
fn a_small_picture_goes_raw() {
    let scratch = Scratch::new();
    let pixels = noise(20, 10);
    for name in ["a.png", "a.bmp", "a.webp"] {
        let sent = picture(
            &scratch.picture(name, &pixels),
            RAW_PICTURE_LIMIT,
            FILE_LIMIT,
        )
        .unwrap();
        assert_eq!(sent.encoding(), Encoding::Rgb8, "{name}");
        assert_eq!(sent.bytes(), pixels.as_raw().as_slice(), "{name}");
    }
}

#[test]
fn beyond_the_raw_limit_a_png_jpeg_or_webp_goes_as_it_is() {
    let scratch = Scratch::new();
    for (name, encoding) in [
        ("a.png", Encoding::Png),
        ("a.jpg", Encoding::Jpeg),
        ("a.webp", Encoding::Webp),
    ] {
        let path = scratch.picture(name, &noise(20, 10));
        let sent = picture(&path, 599, FILE_LIMIT).unwrap();
        assert_eq!(
            (sent.encoding(), sent.width(), sent.height()),
            (encoding, 20, 10)
        );
        assert_eq!(sent.bytes(), fs::read(path).unwrap());
        assert_eq!(sent.to_rgb().unwrap().dimensions(), (20, 10));
    }
}

#[test]
fn beyond_the_raw_limit_other_formats_go_as_png_without_loss() {
    let scratch = Scratch::new();
    let pixels = noise(20, 10);
    let sent = picture(&scratch.picture("a.bmp", &pixels), 599, FILE_LIMIT).unwrap();
    assert_eq!(sent.encoding(), Encoding::Png);
    assert_eq!(sent.to_rgb().unwrap(), pixels);
}

#[test]
fn what_is_too_large_as_png_goes_as_jpeg_and_beyond_that_is_refused() {
    let scratch = Scratch::new();
    let path = scratch.picture("a.bmp", &noise(64, 64));
    let png = picture(&path, 1, FILE_LIMIT).unwrap().bytes().len();
    let sent = picture(&path, 1, png - 1).unwrap();
    assert_eq!(
        (sent.encoding(), sent.width(), sent.height()),
        (Encoding::Jpeg, 64, 64)
    );
    let error = format!("{:#}", picture(&path, 1, 100).unwrap_err());
    assert!(
        error.contains("a.bmp: 64 x 64 pixels are too large for one message, even as JPEG"),
        "{error}"
    );
}

/// A JPEG with an EXIF block that says "turn it by 90 degrees".
fn turned(pixels: &RgbImage) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, 95);
    let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    encoder.set_exif_metadata(exif).unwrap();
    encoder.encode_image(pixels).unwrap();
    jpeg
}

#[test]
fn a_turned_jpeg_is_sent_upright_raw_or_not() {
    let scratch = Scratch::new();
    let path = scratch.file("turned.jpg", turned(&noise(20, 10)));
    let raw = picture(&path, RAW_PICTURE_LIMIT, FILE_LIMIT).unwrap();
    let file = picture(&path, 1, FILE_LIMIT).unwrap();
    assert_eq!((raw.width(), raw.height()), (10, 20));
    assert_eq!((file.width(), file.height()), (10, 20));
    assert_eq!(file.encoding(), Encoding::Jpeg);
    assert_eq!(file.to_rgb().unwrap(), raw.to_rgb().unwrap());
}

#[test]
fn what_is_no_picture_is_refused_by_name() {
    let scratch = Scratch::new();
    let whole = fs::read(scratch.picture("whole.jpg", &noise(64, 64))).unwrap();
    assert!(refused(scratch.file("empty.png", "")).contains("empty"));
    assert!(refused(scratch.file("text.png", "not a picture at all")).contains("text"));
    refused(scratch.file("half.jpg", &whole[..whole.len() / 2]));
    refused(scratch.0.path().join("gone.png"));
    assert!(refused(scratch.0.path().to_owned()).contains("not a file"));
}

/// The file's own bytes are only sent when they decode.
#[test]
fn a_damaged_file_beyond_the_raw_limit_is_refused_here() {
    let scratch = Scratch::new();
    let whole = fs::read(scratch.picture("whole.png", &noise(64, 64))).unwrap();
    let path = scratch.file("half.png", &whole[..whole.len() / 2]);
    assert!(picture(&path, 1, FILE_LIMIT).is_err());
}

#[test]
fn an_identity_tells_where_the_picture_is_from_and_when_it_changed() {
    let scratch = Scratch::new();
    scratch.picture("1.png", &noise(3, 2));
    scratch.file("2.png", "");
    let entries = expand(&[scratch.0.path().display().to_string()], true).unwrap();
    let stamp = entries[0].stamp.unwrap();
    let items = Item::number(entries, Exif::Apply);
    let identity = items[0].identity((3, 2), &[]);
    assert_eq!(
        (identity.item.as_str(), identity.name.as_str()),
        ("1.png", "1")
    );
    assert_eq!(
        (
            identity.index,
            identity.total,
            identity.width,
            identity.height
        ),
        (0, Some(2), 3, 2)
    );
    assert_eq!(
        identity.source,
        scratch.0.path().join("1.png").display().to_string()
    );
    assert_eq!(
        identity.extra["file_size"],
        Parameter::Integer(stamp.size as i64)
    );
    assert_eq!(
        identity.extra["file_mtime"],
        Parameter::Integer(stamp.mtime)
    );
    assert!(items[0].read().is_ok());
    assert!(items[1].read().unwrap_err().contains("2.png"));
}
