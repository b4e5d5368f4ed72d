use std::sync::Arc;

use crate::{
    Augmentation, Part, Sample, SamplesError, Settings, Source, Weights, cutouts,
    datasets::Sets,
    files::Files,
    labelled, materials,
    rng::Rng,
    segments, synthetic,
    task::{Task, sample},
};

/// A weighted mixture of all sources, augmented, and now and then stitched to 2 x 2 grids.
pub struct Mix {
    size: usize,
    augmentation: Augmentation,
    tasks: Vec<Box<dyn Task>>,
    weights: Vec<f32>,
}

impl Mix {
    /// Finds all files of the sources whose weight is above 0, none held out; pictures are decoded when they are needed.
    ///
    /// # Errors
    /// [`SamplesError::Settings`], and [`SamplesError::NoFolder`], [`SamplesError::EmptyFolder`],
    /// [`SamplesError::Disk`] or [`SamplesError::Content`] where a source lacks what it needs.
    pub fn new(settings: &Settings) -> Result<Self, SamplesError> {
        Data::open(settings)?.mix_of(settings.size, &settings.weights)
    }
}

/// What the sources of some settings read, listed once: for mixtures of several sizes.
pub struct Data {
    settings: Settings,
    files: Option<Arc<Files>>,
    sets: Option<Sets>,
}

impl Data {
    /// Lists the files, and reads which classes the data sets' pictures show.
    ///
    /// # Errors
    /// As [`Mix::new`].
    pub fn open(settings: &Settings) -> Result<Self, SamplesError> {
        settings.check()?;
        let Weights {
            cutouts,
            materials,
            labelled,
            segments,
            datasets,
            ..
        } = settings.weights;
        let files = match &settings.root {
            Some(root) if cutouts + materials + labelled + segments > 0.0 => {
                Some(Arc::new(Files::open(root)?))
            }
            _ => None,
        };
        let sets = match datasets > 0.0 {
            true => Some(Sets::open(&settings.datasets)?),
            false => None,
        };
        Ok(Self {
            settings: settings.clone(),
            files,
            sets,
        })
    }

    /// The mixture of a part of the files at a size, whatever [`Settings::size`] is.
    ///
    /// Sources that have too few files to hold any out take no part in validation. Where that is all of them, validation
    /// draws from the files that are trained on, and the log says so.
    ///
    /// # Errors
    /// As [`Mix::new`].
    pub fn mix(&self, size: u32, part: Part) -> Result<Mix, SamplesError> {
        let share = self.settings.held_out;
        let of_part = Self {
            settings: self.settings.clone(),
            files: self
                .files
                .as_ref()
                .map(|files| Arc::new(files.part(part, share))),
            sets: self.sets.as_ref().and_then(|sets| sets.part(part, share)),
        };
        if part == Part::Training {
            return of_part.mix_of(size, &self.settings.weights);
        }
        let sources = self.settings.weights.each().into_iter();
        let mut weights = self.settings.weights.clone();
        for (name, alone) in sources {
            match of_part.mix_of(size, &alone) {
                Ok(mix) if !mix.tasks.is_empty() => {}
                Ok(_) | Err(SamplesError::NoFolder { .. } | SamplesError::EmptyFolder { .. }) => {
                    weights.turn_off(name);
                }
                Err(error) => return Err(error),
            }
        }
        if weights == Weights::NONE {
            tracing::warn!(
                "too few files to hold any out: validation is on those that are trained on"
            );
            return self.mix_of(size, &self.settings.weights);
        }
        of_part.mix_of(size, &weights)
    }

    /// The settings that it was opened with.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A mixture of some of the sources that are on.
    pub(crate) fn mix_of(&self, size: u32, weights: &Weights) -> Result<Mix, SamplesError> {
        let settings = Settings {
            size,
            ..self.settings.clone()
        };
        settings.check()?;
        let scale = settings.scale();
        let mut tasks: Vec<Box<dyn Task>> = Vec::new();
        let mut shares = Vec::new();
        let mut add = |share: f32, task: Box<dyn Task>| {
            tasks.push(task);
            shares.push(share);
        };
        if weights.synthetic > 0.0 {
            add(weights.synthetic, Box::new(synthetic::Scenes));
        }
        if let Some(files) = &self.files {
            if weights.cutouts > 0.0 {
                let scenes = cutouts::Scenes::open(files, scale)?;
                add(weights.cutouts, Box::new(scenes));
            }
            if weights.materials > 0.0 {
                let mosaics = materials::Mosaics::open(files, scale)?;
                add(weights.materials, Box::new(mosaics));
            }
            if weights.labelled > 0.0 {
                let crops = labelled::Crops::open(files, scale)?;
                add(weights.labelled, Box::new(crops));
            }
            if weights.segments > 0.0 {
                let photographs = segments::Photographs::open(files, scale)?;
                add(weights.segments, Box::new(photographs));
            }
        }
        if let Some(sets) = &self.sets
            && weights.datasets > 0.0
        {
            add(weights.datasets, Box::new(sets.pairs(scale)));
        }
        Ok(Mix {
            size: size as usize,
            augmentation: settings.augmentation,
            tasks,
            weights: shares,
        })
    }
}

/// For another thread. Files and decoded pictures are shared.
impl Clone for Mix {
    fn clone(&self) -> Self {
        Self {
            size: self.size,
            augmentation: self.augmentation.clone(),
            tasks: self.tasks.iter().map(|task| task.another()).collect(),
            weights: self.weights.clone(),
        }
    }
}

impl Source for Mix {
    fn sample(&mut self, seed: u64, prompts: usize) -> Sample {
        let mut rng = Rng::new(seed);
        let chosen = rng.weighted(&self.weights);
        sample(
            self.tasks[chosen].as_mut(),
            &mut synthetic::Scenes,
            &self.augmentation,
            self.size,
            prompts,
            rng,
        )
    }
}
