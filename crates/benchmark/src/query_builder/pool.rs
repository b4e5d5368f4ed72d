//! The samples of a data set as prompts to choose from.

use seggpt_datasets::Dataset;
use seggpt_imaging::RgbImage;
use seggpt_prompt_library::{LibraryError, Pool};

/// Samples in the order of their set, and in the order of what they show.
pub(super) struct SamplePool<'a> {
    dataset: &'a dyn Dataset,
    /// In the order of the set.
    samples: Vec<usize>,
    /// Those that show most first.
    ranked: &'a [usize],
}

impl<'a> SamplePool<'a> {
    /// `ranked`: the samples, those that show most first.
    pub fn new(dataset: &'a dyn Dataset, ranked: &'a [usize]) -> Self {
        let mut samples = ranked.to_vec();
        samples.sort_unstable();
        Self {
            dataset,
            samples,
            ranked,
        }
    }

    /// The sample at a place.
    pub fn sample(&self, place: usize) -> usize {
        self.samples[place]
    }
}

impl Pool for SamplePool<'_> {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn name(&self, index: usize) -> &str {
        let sample = self.dataset.sample(self.samples[index]);
        sample.map_or("", |sample| &sample.name)
    }

    fn picture(&self, index: usize) -> Result<RgbImage, LibraryError> {
        let picture = self.dataset.picture(self.samples[index]);
        picture.map_err(|error| LibraryError::Unreadable {
            name: self.name(index).to_owned(),
            source: Box::new(error),
        })
    }

    fn by_coverage(&self) -> Result<Vec<usize>, LibraryError> {
        let place = |sample| self.samples.binary_search(sample).ok();
        Ok(self.ranked.iter().filter_map(place).collect())
    }
}
