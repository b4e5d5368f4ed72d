//! What the samples look like, for people.

use std::{fmt::Write as _, io::Cursor};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::{GenericImage as _, ImageFormat, RgbImage};

use crate::{Data, Sample, SamplesError, SegType, Source};

const HEAD: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Training samples</title><style>\
    body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:84rem;padding:0 1rem;color:#222;background:#fff}\
    h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}\
    main{display:grid;grid-template-columns:repeat(auto-fill,minmax(24rem,1fr));gap:1rem}\
    figure{margin:0}img{width:100%;image-rendering:pixelated;display:block}\
    figcaption{color:#666;font-size:.85rem}</style>\n<h1>Training samples</h1>\n\
    <p>From left to right: each prompt's picture and its mask, the query picture, and the mask that is to \
    be painted. Grey pixels in the last are not counted.</p>\n";

/// A page in one file, nothing loaded from elsewhere, that shows `count` samples of each source that is on, as training
/// at this size with so many prompts would see them.
///
/// # Errors
/// As [`Mix::new`](crate::Mix::new).
pub fn page(data: &Data, size: u32, prompts: usize, count: u64) -> Result<String, SamplesError> {
    let weights = &data.settings().weights;
    let sum: f32 = weights.named().iter().map(|(_, weight)| weight).sum();
    let mut html = HEAD.to_owned();
    for (name, alone) in weights.each() {
        let weight = weights
            .named()
            .into_iter()
            .find(|(other, _)| *other == name);
        let share = 100.0 * weight.map_or(0.0, |(_, weight)| weight) / sum;
        // Writing to a string cannot fail.
        let _ = write!(html, "<h2>{name}: {share:.0} % of the samples</h2>\n<main>");
        let mut mix = data.mix_of(size, &alone)?;
        for seed in 0..count {
            html.push_str(&figure(&mix.sample(seed, prompts)));
        }
        html.push_str("</main>\n");
    }
    html.push_str("</html>\n");
    Ok(html)
}

fn figure(sample: &Sample) -> String {
    let mut png = Cursor::new(Vec::new());
    strip(sample)
        .write_to(&mut png, ImageFormat::Png)
        .expect("PNG of 8-bit RGB can be written to memory");
    let kind = match sample.kind {
        SegType::Semantic => "kinds",
        SegType::Instance => "single things",
    };
    let origin = sample.origin.replace('&', "&amp;").replace('<', "&lt;");
    let data = STANDARD.encode(png.into_inner());
    format!(
        "<figure><img src=\"data:image/png;base64,{data}\" alt=\"\"><figcaption>{origin} ({kind})</figcaption></figure>\n"
    )
}

/// Each prompt and its mask, query and its mask, from left to right; grey where the answer does not count.
fn strip(sample: &Sample) -> RgbImage {
    let mut answer = sample.query_mask.clone();
    if let Some(valid) = &sample.valid {
        for (pixel, valid) in answer.pixels_mut().zip(valid.pixels()) {
            if valid.0[0] == 0 {
                pixel.0 = [110; 3];
            }
        }
    }
    let prompts = sample.prompts.iter();
    let mut pictures: Vec<_> = prompts.flat_map(|p| [&p.picture, &p.mask]).collect();
    pictures.extend([&sample.query, &answer]);
    let ((width, height), count) = (sample.query.dimensions(), pictures.len() as u32);
    let mut strip =
        RgbImage::from_pixel(count * (width + 1) - 1, height, image::Rgb([90, 90, 110]));
    for (index, picture) in (0..).zip(pictures) {
        strip
            .copy_from(picture, index * (width + 1), 0)
            .expect("a strip has room for its pictures of one size");
    }
    strip
}
