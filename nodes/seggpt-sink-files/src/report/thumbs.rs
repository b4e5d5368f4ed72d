//! Small pictures as data URIs.

use base64::{Engine, engine::general_purpose::STANDARD};
use eyre::Result;
use image::RgbImage;
use seggpt_contract::{Class, Mask};
use seggpt_imaging::{
    overlay::{Style, heat, overlay, thumbnail},
    resize::{nearest, nearest_rgb},
    write::{MaskFormat, mask_png, rgb_jpeg, rgb_png},
};
use seggpt_node::colors;
use serde::{Deserialize, Serialize};

use crate::report::THUMBNAIL;

const QUALITY: u8 = 70;

/// Longest side of the examples' pictures.
const EXAMPLE: u32 = 200;

/// The pictures of an item; empty where there are none.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Thumbs {
    pub image: String,
    /// The overlay, or the mask alone where there is no image.
    pub answer: String,
    pub confidence: String,
}

/// A prompt of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Example {
    pub name: String,
    pub image: String,
    pub mask: String,
}

impl Thumbs {
    pub fn of(mask: &Mask, picture: Option<&RgbImage>) -> Result<Self> {
        let from = (mask.width as usize, mask.height as usize);
        let small = picture.map(|picture| thumbnail(picture, THUMBNAIL));
        let (width, height) = match &small {
            Some(small) => small.dimensions(),
            None => reduced(mask.width, mask.height),
        };
        let to = (width as usize, height as usize);
        let ids = nearest(&mask.ids.to_vec(), from, to);
        let classes = || mask.classes.iter().map(|result| &result.class);
        let table = colors::by_id(classes(), &ids);
        let answer = match &small {
            Some(small) => {
                let style = Style {
                    contour: Some(1),
                    ..Style::default()
                };
                jpeg(&overlay(small, &ids, &table, style)?)?
            }
            None => {
                let colors: Vec<_> = (1..).zip(table.iter().skip(1).copied()).collect();
                png(&mask_png(&ids, to, &colors, MaskFormat::Palette)?)
            }
        };
        Ok(Self {
            image: small.as_ref().map(jpeg).transpose()?.unwrap_or_default(),
            answer,
            confidence: jpeg(&heat(&nearest(&mask.confidence, from, to), to)?)?,
        })
    }
}

impl Example {
    pub fn of(example: &seggpt_contract::Example, classes: &[Class]) -> Result<Self> {
        let (width, height) = (
            example.mask.size().min(EXAMPLE),
            example.mask.size().min(EXAMPLE),
        );
        let mut mask = nearest_rgb(&example.mask.to_rgb(), width, height);
        let shown = colors::shown(classes);
        for pixel in mask.pixels_mut() {
            if let Some(at) = classes.iter().position(|class| class.color == pixel.0) {
                pixel.0 = shown[at];
            }
        }
        Ok(Self {
            name: example.name.clone(),
            image: jpeg(&thumbnail(&example.image.to_rgb(), EXAMPLE))?,
            mask: png(&rgb_png(&mask)?),
        })
    }
}

/// The size of a thumbnail.
fn reduced(width: u32, height: u32) -> (u32, u32) {
    let longest = u64::from(width.max(height));
    let side = |side: u32| {
        let reduced = u64::from(side) * u64::from(THUMBNAIL) / longest.max(u64::from(THUMBNAIL));
        (reduced as u32).max(1)
    };
    (side(width), side(height))
}

fn jpeg(picture: &RgbImage) -> Result<String> {
    Ok(uri("jpeg", &rgb_jpeg(picture, QUALITY)?))
}

fn png(bytes: &[u8]) -> String {
    uri("png", bytes)
}

fn uri(kind: &str, bytes: &[u8]) -> String {
    format!("data:image/{kind};base64,{}", STANDARD.encode(bytes))
}
