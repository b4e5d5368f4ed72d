//! Endless in-context tasks to train on: prompt pictures with their masks, a query picture with the
//! mask that is to be painted.
//!
//! | source | what it makes | needs files |
//! |---|---|---|
//! | [`Synthetic`] | drawn scenes: mosaics of textures, shapes, parts, vessels, roads, cells, fields, plants, streets | no |
//! | [`Cutouts`] | objects composed over photographs and textures | `objects/`, `backgrounds/` |
//! | [`Labelled`] | crops of labelled pictures | `labelled/` |
//! | [`Mix`] only | mosaics of photographed materials; several views of one photograph | `backgrounds/` |
//! | [`Mix`] only | pairs of pictures of data sets in their own formats ([`Format`]) | `datasets` |
//! | [`Mix`] | all of them in proportion, augmented and stitched | as its [`Settings`] say |
//!
//! A source first makes pictures whose pixels play *roles* ("stripes", "nucleus", "the left wing"), with
//! the same meaning in every picture of the task. Only then is it decided which of the roles the prompts
//! show, and in which random colours they are painted: any role may be asked for, so only the prompts
//! can tell what is to be painted (SegGPT, section 3.1, "in-context coloring").
//!
//! Everything follows from the seed: the same seed, settings and files give the same bytes.

mod augment;
mod backgrounds;
mod cutouts;
mod datasets;
mod error;
mod files;
mod labelled;
mod materials;
mod mix;
pub mod pack;
mod paint;
mod part;
mod picture;
pub mod preview;
mod rng;
mod segments;
mod settings;
mod synthetic;
mod task;

pub use cutouts::Cutouts;
pub use datasets::{DatasetSettings, Format};
pub use error::SamplesError;
pub use image::{GrayImage, RgbImage};
pub use labelled::Labelled;
pub use mix::{Data, Mix};
pub use part::Part;
pub use seggpt_types::SegType;
pub use settings::{Augmentation, Settings, Weights};
pub use synthetic::Synthetic;

/// A picture and its mask, of one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The picture.
    pub picture: RgbImage,
    /// Its classes in their colours over black.
    pub mask: RgbImage,
}

/// One task. All pictures have the same width and height.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The examples: together they show 1 to 3 classes, in random colours.
    pub prompts: Vec<Example>,
    /// The picture that is asked about.
    pub query: RgbImage,
    /// The answer, in the prompts' colours over black. It is all black where the query shows none of their classes.
    pub query_mask: RgbImage,
    /// Where the answer is known: 255 counts, 0 is to be left out of the loss. `None`: everywhere.
    pub valid: Option<GrayImage>,
    /// Whether the classes are kinds or single things.
    pub kind: SegType,
    /// Which source and which task made it, for people.
    pub origin: String,
}

/// Makes samples, as many as there are seeds.
pub trait Source: Send {
    /// The sample of a seed with so many prompts, at least one: always the same one, whatever was sampled before.
    fn sample(&mut self, seed: u64, prompts: usize) -> Sample;
}
