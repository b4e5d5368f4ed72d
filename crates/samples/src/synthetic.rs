//! Drawn scenes: tasks without end that need no files and belong to nobody.
//!
//! Each family first draws what the pictures of a task have in common (surfaces, forms, the rule that
//! says which things are of a kind), then each picture with a layout, light and details of its own.

mod aerial;
mod canvas;
mod cells;
mod form;
mod lines;
pub(crate) mod mosaic;
mod parts;
mod plants;
mod shapes;
mod street;
pub(crate) mod texture;
mod tissue;

use crate::{
    Augmentation, Sample, SamplesError, SegType, Settings, Source,
    picture::{Group, Picture},
    rng::Rng,
    task::{self, Ask, Task},
};

/// Drawn scenes as they are, without augmentation. [`Mix`](crate::Mix) adds it.
#[derive(Debug)]
pub struct Synthetic {
    size: usize,
}

impl Synthetic {
    /// Samples of `size` x `size` pixels.
    ///
    /// # Errors
    /// [`SamplesError::Settings`] for a size that is odd or not between 16 and 1024.
    pub fn new(size: u32) -> Result<Self, SamplesError> {
        Settings::synthetic(size).check()?;
        Ok(Self {
            size: size as usize,
        })
    }
}

impl Source for Synthetic {
    fn sample(&mut self, seed: u64, prompts: usize) -> Sample {
        task::sample(
            &mut Scenes,
            &mut Scenes,
            &Augmentation::none(),
            self.size,
            prompts,
            Rng::new(seed),
        )
    }
}

type Family = fn(usize, usize, &mut Rng) -> Group;

/// Every family and how often it is drawn.
const FAMILIES: [(f32, Family); 9] = [
    (0.17, mosaic::draw),
    (0.19, shapes::draw),
    (0.11, parts::draw),
    (0.12, lines::draw),
    (0.13, cells::draw),
    (0.05, tissue::draw),
    (0.09, aerial::draw),
    (0.07, plants::draw),
    (0.07, street::draw),
];

/// All families.
pub(crate) struct Scenes;

impl Task for Scenes {
    fn another(&self) -> Box<dyn Task> {
        Box::new(Self)
    }

    fn group(&mut self, ask: Ask, rng: &mut Rng) -> Option<Group> {
        let family = rng.weighted(&FAMILIES.map(|(weight, _)| weight));
        Some(FAMILIES[family].1(ask.count, ask.size, rng))
    }
}

/// Pictures of one kind of scene.
fn group(origin: String, colour_matters: bool, pictures: Vec<Picture>) -> Group {
    Group {
        pictures,
        kind: SegType::Semantic,
        origin: format!("drawn {origin}"),
        colour_matters,
    }
}
