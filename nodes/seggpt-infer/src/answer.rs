use std::borrow::Cow;

use eyre::{Result, ensure, eyre};
use seggpt::Card;
use seggpt_contract::{
    Canvases, ClassIds, ClassResult, Instance, Instances, Mask, Provenance, Shares, Square,
};
use seggpt_imaging::{
    Rgb,
    components::components,
    decode::{Labels, Threshold, Upscaling, classify, decide, from_shares, memberships, to_shares},
};

use crate::{
    Output, RawOutput, Settings, prompt_set,
    refine::{self, PixelPrediction},
    settings,
};

/// How the network's output becomes classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decoding {
    /// How the output gets to the source's size.
    pub upscaling: Upscaling,
    /// Where background ends and a class begins.
    pub threshold: Threshold,
    /// The smallest instance in pixels, where instances are wanted.
    pub instances: Option<u64>,
    /// Whether the mask carries the shares that decided it.
    pub shares: bool,
}

impl Decoding {
    /// What UPSCALING, THRESHOLD, INSTANCES, MIN_AREA and SHARES say, and the model's card where they do not.
    ///
    /// # Errors
    /// THRESHOLD is not between 0 and 1.
    pub fn of(settings: &Settings, card: Card) -> Result<Self> {
        let threshold = settings
            .threshold
            .or(card.threshold)
            .unwrap_or(Threshold::NEAREST.value());
        Ok(Self {
            upscaling: settings.upscaling,
            threshold: Threshold::new(threshold)
                .ok_or_else(|| eyre!("THRESHOLD is {threshold}; it must lie between 0 and 1"))?,
            instances: match settings.instances {
                settings::Instances::None => None,
                settings::Instances::Components => Some(settings.min_area),
            },
            shares: settings.shares,
        })
    }

    /// Reads the network's output as the classes that `canvases` names, at `source` = (width, height) in pixels. `pixels`, where
    /// there are any, are what a [`crate::Refiner`] predicts for the query.
    ///
    /// # Errors
    /// No class to read it as, or more instances than a mask can hold.
    pub fn read(
        &self,
        source: (u32, u32),
        canvases: &Canvases,
        raw: &RawOutput,
        pixels: Option<&PixelPrediction>,
        provenance: Provenance,
    ) -> Result<Mask> {
        let palette = palette(canvases)?;
        let target = (source.0 as usize, source.1 as usize);
        let (labels, shares) = self.labels(target, canvases, raw, pixels, &palette)?;
        let id_of = |label: u16| match label {
            0 => 0,
            label => canvases.classes[usize::from(label) - 1].id,
        };
        Ok(Mask {
            width: source.0,
            height: source.1,
            classes: class_results(canvases, &labels),
            instances: match self.instances {
                None => None,
                Some(min_area) => Some(regions(&labels, min_area, id_of)?),
            },
            ids: ClassIds::from_ids(labels.labels.iter().map(|&label| id_of(label)).collect()),
            confidence: labels.confidence.into(),
            shares,
            painted: Square::new(raw.size, painted(&raw.output, &palette))?,
            provenance,
        })
    }

    /// The class of each pixel, and the shares that decided it, where they are wanted.
    fn labels(
        &self,
        target: (usize, usize),
        canvases: &Canvases,
        raw: &RawOutput,
        pixels: Option<&PixelPrediction>,
        palette: &[Rgb],
    ) -> Result<(Labels, Option<Shares>)> {
        let side = raw.size as usize;
        let (size, count) = ((side, side), palette.len());
        let memberships = match &raw.output {
            Output::Colours(answers) => {
                if let ([answer], None, false) = (&answers[..], pixels, self.shares) {
                    let (upscaling, threshold) = (self.upscaling, self.threshold);
                    let labels = classify(answer, size, target, palette, upscaling, threshold)?;
                    return Ok((labels, None));
                }
                let answers: Vec<_> = answers.iter().map(Vec::as_slice).collect();
                Cow::Owned(memberships(&answers, size, palette)?)
            }
            Output::Memberships(memberships) => Cow::Borrowed(&memberships[..]),
        };
        let (memberships, side, threshold) = match pixels {
            None => (memberships, side, self.threshold),
            Some(pixels) => {
                let canvas = canvases.query.size() as usize;
                let both =
                    refine::combine(&memberships, side, self.threshold, pixels, canvas, count)?;
                (Cow::Owned(both), canvas, Threshold::NEAREST)
            }
        };
        let size = (side, side);
        let decided = |memberships: &[f32]| {
            decide(memberships, count, size, target, self.upscaling, threshold)
        };
        if !self.shares {
            return Ok((decided(&memberships)?, None));
        }
        let planes = to_shares(&memberships, count)?;
        let labels = decided(&from_shares(&planes, count, size)?)?;
        Ok((
            labels,
            Some(Shares::new(side as u32, planes, threshold.value())?),
        ))
    }
}

/// Background and the classes' colours.
///
/// # Errors
/// There is no class.
pub fn palette(canvases: &Canvases) -> Result<Vec<Rgb>> {
    ensure!(!canvases.classes.is_empty(), "the prompts name no class");
    Ok(prompt_set::palette(canvases))
}

/// Pixels and mean confidence of each class.
fn class_results(canvases: &Canvases, labels: &Labels) -> Vec<ClassResult> {
    let mut tallies = vec![Tally::default(); canvases.classes.len() + 1];
    for (&label, &sure) in labels.labels.iter().zip(&labels.confidence) {
        tallies[usize::from(label)].add(sure);
    }
    let classes = canvases.classes.iter().zip(&tallies[1..]);
    classes
        .map(|(class, tally)| ClassResult {
            class: class.clone(),
            pixels: tally.pixels,
            confidence: tally.mean(),
        })
        .collect()
}

fn regions(labels: &Labels, min_area: u64, id_of: impl Fn(u16) -> u16) -> Result<Instances> {
    let found = components(&labels.labels, labels.size, min_area)?;
    ensure!(
        found.table.len() <= usize::from(u16::MAX),
        "{} instances, and a mask holds {}: raise MIN_AREA",
        found.table.len(),
        u16::MAX
    );
    let mut tallies = vec![Tally::default(); found.table.len() + 1];
    for (&id, &sure) in found.ids.iter().zip(&labels.confidence) {
        tallies[id as usize].add(sure);
    }
    Ok(Instances {
        table: found
            .table
            .iter()
            .map(|region| Instance {
                class: id_of(region.class),
                bbox: region.bbox,
                pixels: region.pixels,
                confidence: tallies[region.id as usize].mean(),
            })
            .collect(),
        map: found.ids.into_iter().map(|id| id as u16).collect(),
    })
}

/// The answer in whole levels; the mean of several.
fn painted(answer: &Output, palette: &[Rgb]) -> Vec<u8> {
    match answer {
        Output::Colours(answers) => {
            let share = 1.0 / answers.len() as f32;
            (0..answers[0].len())
                .map(|at| {
                    let sum: f32 = answers.iter().map(|answer| answer[at]).sum();
                    (sum * share).round() as u8
                })
                .collect()
        }
        Output::Memberships(memberships) => {
            let pixels = memberships.chunks_exact(palette.len());
            let level = |pixel: &[f32], channel: usize| {
                let colours = palette.iter().map(|color| f32::from(color[channel]));
                let sum: f32 = pixel.iter().zip(colours).map(|(share, c)| share * c).sum();
                sum.round() as u8
            };
            pixels
                .flat_map(|pixel| (0..3).map(move |channel| level(pixel, channel)))
                .collect()
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Tally {
    pixels: u64,
    sure: u64,
}

impl Tally {
    fn add(&mut self, sure: u8) {
        self.pixels += 1;
        self.sure += u64::from(sure);
    }

    /// 0 to 1; 0 of nothing.
    fn mean(self) -> f32 {
        match self.pixels {
            0 => 0.0,
            pixels => (self.sure as f64 / pixels as f64 / 255.0) as f32,
        }
    }
}
