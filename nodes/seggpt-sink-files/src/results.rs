//! The files of an item: from a mask and its picture to encoded bytes.

use eyre::{Result, ensure};
use image::RgbImage;
use rayon::prelude::*;
use seggpt_contract::{Identity, Mask};
use seggpt_imaging::{
    overlay::{Style, overlay},
    write::{self, MaskFormat},
};
use seggpt_node::colors;

use crate::{MaskKind, Settings};

/// The longest side of a JPEG.
const JPEG_SIDE: u32 = 65_535;

/// A file that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// `mask`, `overlay`, ...
    pub kind: &'static str,
    /// Where, relative to the folder of results.
    pub file: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Whether a mask is one of the item's picture.
///
/// # Errors
/// It has another size.
pub fn check(identity: &Identity, mask: &Mask) -> Result<()> {
    let (width, height) = (identity.width, identity.height);
    ensure!(
        (mask.width, mask.height) == (width, height),
        "the mask has {} x {} pixels, its picture {width} x {height}: the network node must answer at the picture's size",
        mask.width,
        mask.height,
    );
    let pixels = width as usize * height as usize;
    ensure!(
        mask.ids.len() == pixels && mask.confidence.len() == pixels,
        "the mask holds {} class ids and {} confidences for {pixels} pixels",
        mask.ids.len(),
        mask.confidence.len(),
    );
    Ok(())
}

/// All files that the settings ask for. `picture`: the source picture, of the mask's size, where there is one.
///
/// # Errors
/// A picture that does not encode.
pub fn make(
    name: &str,
    mask: &Mask,
    picture: Option<&RgbImage>,
    settings: &Settings,
) -> Result<Vec<Made>> {
    let size = (mask.width as usize, mask.height as usize);
    let ids = mask.ids.to_vec();
    let classes: Vec<_> = mask
        .classes
        .iter()
        .map(|c| (c.class.id, c.class.color))
        .collect();
    let format = match settings.mask {
        MaskKind::Palette => MaskFormat::Palette,
        MaskKind::Ids => MaskFormat::Ids,
    };
    let mut jobs = vec![job("mask", "mask.png", || {
        Ok(write::mask_png(&ids, size, &classes, format)?)
    })];
    if let Some(picture) = picture.filter(|_| settings.overlay) {
        let draw = || {
            let table = colors::by_id(mask.classes.iter().map(|c| &c.class), &ids);
            overlay(picture, &ids, &table, Style::default())
        };
        jobs.push(if mask.width.max(mask.height) <= JPEG_SIDE {
            job("overlay", "overlay.jpg", move || {
                Ok(write::rgb_jpeg(&draw()?, settings.quality)?)
            })
        } else {
            job("overlay", "overlay.png", move || {
                Ok(write::rgb_png(&draw()?)?)
            })
        });
    }
    if settings.confidence {
        jobs.push(job("confidence", "confidence.png", || {
            Ok(write::grey_png(&mask.confidence, size)?)
        }));
    }
    if settings.raw {
        jobs.push(job("raw", "raw.png", || {
            Ok(write::rgb_png(&mask.painted.to_rgb())?)
        }));
    }
    if let Some(instances) = &mask.instances {
        jobs.push(job("instances", "instances.png", || {
            Ok(write::ids_png16(&instances.map, size)?)
        }));
        jobs.push(job("instance_table", "instances.json", || {
            Ok(serde_json::to_vec(&instances.table)?)
        }));
    }
    let made = jobs.into_par_iter().map(|job| {
        Ok(Made {
            kind: job.kind,
            file: format!("{name}.{}", job.ending),
            bytes: (job.make)()?,
        })
    });
    made.collect()
}

/// A file to make; those of an item are made side by side.
struct Job<'a> {
    kind: &'static str,
    ending: &'static str,
    make: Box<dyn Fn() -> Result<Vec<u8>> + Send + Sync + 'a>,
}

fn job<'a>(
    kind: &'static str,
    ending: &'static str,
    make: impl Fn() -> Result<Vec<u8>> + Send + Sync + 'a,
) -> Job<'a> {
    Job {
        kind,
        ending,
        make: Box::new(make),
    }
}

/// Mean confidence over all pixels, 0 to 1.
pub fn mean_confidence(mask: &Mask) -> f32 {
    let sum: u64 = mask.confidence.iter().map(|&c| u64::from(c)).sum();
    (sum as f64 / 255.0 / mask.confidence.len().max(1) as f64) as f32
}
