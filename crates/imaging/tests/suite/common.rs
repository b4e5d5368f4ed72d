use std::path::PathBuf;

use seggpt_imaging::RgbImage;

/// A file of `tests/fixtures`, which `make.py` made with Pillow.
pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

pub fn fixture_bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

/// The RGB pixels of a PNG fixture, read without the crate under test.
pub fn pixels(name: &str) -> RgbImage {
    image::open(fixture(name)).unwrap().into_rgb8()
}

/// The drawn pictures of the project.
pub fn ground(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/fixtures/ground")
        .join(name)
}
