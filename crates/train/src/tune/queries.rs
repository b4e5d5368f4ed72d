//! What a prompt is tuned on: labelled pictures, cropped and flipped.

use std::sync::Arc;

use image::imageops;
use seggpt_imaging::resize;
use seggpt_random::Rng;
use seggpt_samples::{Example, RgbImage, Sample, SegType, Source};

/// The smallest share of a picture's area that a crop keeps.
const SMALLEST: f64 = 0.5;

/// Samples whose prompt is that which tuning began with.
#[derive(Clone)]
pub(super) struct Queries {
    pub(super) prompt: Example,
    pub(super) pictures: Arc<[Example]>,
    pub(super) kind: SegType,
    pub(super) size: u32,
    /// Probability of a crop and of a flip.
    pub(super) vary: f64,
}

impl Queries {
    /// A picture as it is.
    pub(super) fn whole(&self, index: usize) -> Sample {
        let Example { picture, mask } = &self.pictures[index];
        self.sample_of(
            resize::bicubic(picture, self.size, self.size),
            resize::nearest_rgb(mask, self.size, self.size),
        )
    }

    fn sample_of(&self, query: RgbImage, query_mask: RgbImage) -> Sample {
        Sample {
            prompts: vec![self.prompt.clone()],
            query,
            query_mask,
            valid: None,
            kind: self.kind,
            origin: String::new(),
        }
    }
}

impl Source for Queries {
    fn sample(&mut self, seed: u64, _prompts: usize) -> Sample {
        let mut rng = Rng::new(seed);
        let index = rng.below(self.pictures.len());
        let Example { picture, mask } = &self.pictures[index];
        let (width, height) = picture.dimensions();
        let side = if rng.unit_f64() < self.vary {
            (SMALLEST + (1.0 - SMALLEST) * rng.unit_f64()).sqrt()
        } else {
            1.0
        };
        let [w, h] = [width, height].map(|length| ((f64::from(length) * side) as u32).max(1));
        let [x, y] = [width - w, height - h].map(|room| rng.below(room as usize + 1) as u32);
        let flip = rng.unit_f64() < 0.5 * self.vary;
        let cut = |picture: &RgbImage| {
            let mut cut = imageops::crop_imm(picture, x, y, w, h).to_image();
            if flip {
                imageops::flip_horizontal_in_place(&mut cut);
            }
            cut
        };
        self.sample_of(
            resize::bicubic(&cut(picture), self.size, self.size),
            resize::nearest_rgb(&cut(mask), self.size, self.size),
        )
    }
}
