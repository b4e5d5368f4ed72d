//! What the samples look like, for people.

use std::{fmt::Write as _, io::Cursor};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::{GenericImage as _, ImageFormat, RgbImage, imageops};

use crate::{Sample, SegType, Source};

/// A page in one file that shows the samples of the seeds: prompt, its mask, query, its mask, and
/// where they come from.
#[must_use]
pub fn page(source: &mut dyn Source, seeds: impl IntoIterator<Item = u64>) -> String {
    const HEAD: &str = "<!doctype html><meta charset=utf-8><title>Training samples</title><style>\
        body{font:14px sans-serif;margin:2em;background:#f6f6f6}main{display:flex;flex-wrap:wrap;gap:1em}\
        figure{margin:0;background:#fff;padding:.6em;width:26em}img{width:100%;image-rendering:pixelated}\
        figcaption{color:#444}</style><h1>Training samples</h1>\
        <p>From left to right: the prompt picture, the prompt mask, the query picture, and the mask that is to \
        be painted. Grey pixels in the last are not counted.</p><main>";
    let mut html = HEAD.to_owned();
    for seed in seeds {
        let sample = source.sample(seed);
        let mut png = Cursor::new(Vec::new());
        strip(&sample)
            .write_to(&mut png, ImageFormat::Png)
            .expect("PNG of 8-bit RGB can be written to memory");
        let kind = match sample.kind {
            SegType::Semantic => "kinds",
            SegType::Instance => "single things",
        };
        let origin = sample.origin.replace('&', "&amp;").replace('<', "&lt;");
        let data = STANDARD.encode(png.into_inner());
        // Writing to a string cannot fail.
        let _ = write!(
            html,
            "<figure><img src=\"data:image/png;base64,{data}\" alt=\"\"><figcaption>{seed}: {origin} ({kind})</figcaption></figure>"
        );
    }
    html.push_str("</main>\n");
    html
}

/// All samples in one picture, `columns` of them side by side.
#[must_use]
pub fn sheet(samples: &[Sample], columns: u32) -> RgbImage {
    const GAP: u32 = 6;
    let columns = columns.max(1);
    let strips: Vec<RgbImage> = samples.iter().map(strip).collect();
    let Some(first) = strips.first() else {
        return RgbImage::new(0, 0);
    };
    let (width, height) = (first.width() + 2 * GAP, first.height() + GAP);
    let rows = (strips.len() as u32).div_ceil(columns);
    let mut sheet = RgbImage::from_pixel(columns * width, rows * height, image::Rgb([90, 90, 110]));
    for (index, strip) in (0..).zip(&strips) {
        let (x, y) = (
            index % columns * width + GAP,
            index / columns * height + GAP / 2,
        );
        imageops::replace(&mut sheet, strip, i64::from(x), i64::from(y));
    }
    sheet
}

/// Prompt, its mask, query, its mask, from left to right; grey where the answer does not count.
fn strip(sample: &Sample) -> RgbImage {
    let mut answer = sample.query_mask.clone();
    if let Some(valid) = &sample.valid {
        for (pixel, valid) in answer.pixels_mut().zip(valid.pixels()) {
            if valid.0[0] == 0 {
                pixel.0 = [110; 3];
            }
        }
    }
    let pictures = [&sample.prompt, &sample.prompt_mask, &sample.query, &answer];
    let (width, height) = sample.prompt.dimensions();
    let mut strip = RgbImage::from_pixel(4 * width + 3, height, image::Rgb([90, 90, 110]));
    for (index, picture) in (0..).zip(pictures) {
        strip
            .copy_from(picture, index * (width + 1), 0)
            .expect("a strip has room for four pictures of one size");
    }
    strip
}
