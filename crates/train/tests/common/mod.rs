//! A drawn task for toy networks: pictures of a dark and a bright half, one of which is marked.
#![allow(dead_code)] // each test uses a part of it

use seggpt_random::Rng;
use seggpt_samples::{Example, Part, RgbImage, Sample, SamplesError, SegType, Source};
use seggpt_train::{Progress, Score, Watch};

/// Two halves of two greys; the prompts' colour marks the one half in all pictures.
pub struct Halves(pub u32);

impl Source for Halves {
    fn sample(&mut self, seed: u64, prompts: usize) -> Sample {
        let mut rng = Rng::new(seed);
        let size = self.0;
        let colour = [0; 3].map(|_| 60 + rng.below(196) as u8);
        let bright = rng.unit_f64() < 0.5;
        let mut example = || {
            let split = 2 + rng.below(size as usize - 4) as u32;
            Example {
                picture: picture(size, split),
                mask: mask(size, split, bright, colour),
            }
        };
        let (prompts, query) = ((0..prompts).map(|_| example()).collect(), example());
        Sample {
            prompts,
            query: query.picture,
            query_mask: query.mask,
            valid: None,
            kind: SegType::Semantic,
            origin: "halves".into(),
        }
    }
}

/// Dark up to `split`, bright from there on.
pub fn picture(size: u32, split: u32) -> RgbImage {
    RgbImage::from_fn(size, size, |x, _| {
        image::Rgb([if x < split { 40 } else { 210 }; 3])
    })
}

/// The dark half in a colour; or the bright one, if `dark` is not meant.
pub fn mask(size: u32, split: u32, dark: bool, colour: [u8; 3]) -> RgbImage {
    RgbImage::from_fn(size, size, |x, _| {
        image::Rgb(if (x < split) == dark { colour } else { [0; 3] })
    })
}

pub fn halves(size: u32, _: Part) -> Result<Box<dyn Source>, SamplesError> {
    Ok(Box::new(Halves(size)))
}

/// Nothing is of interest.
pub struct Quiet;

impl Watch for Quiet {
    fn progress(&mut self, _: &Progress) {}

    fn score(&mut self, _: u64, _: &Score) {}

    fn note(&mut self, _: &str) {}
}
