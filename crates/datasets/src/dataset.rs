use seggpt_imaging::{RgbImage, read};

use crate::{Class, DatasetError, Sample, Truth, files};

/// Pictures with their truth.
pub trait Dataset: Send + Sync {
    /// What messages and tables call the set.
    fn name(&self) -> &str;

    /// The classes, without background, by ascending id.
    fn classes(&self) -> &[Class];

    /// All samples, in a fixed order.
    fn samples(&self) -> &[Sample];

    /// What was left out when the set was opened, and what else people should know, a sentence each.
    fn notes(&self) -> &[String] {
        &[]
    }

    /// The size (width, height) of a sample's truth, from lists and headers alone; `None` where these do not say it.
    ///
    /// # Errors
    /// [`DatasetError::OutOfRange`]; [`DatasetError::File`] if the truth has no readable header.
    fn truth_size(&self, index: usize) -> Result<Option<(usize, usize)>, DatasetError> {
        self.sample(index).map(|_| None)
    }

    /// The size (width, height) of a sample's picture, from its header.
    ///
    /// # Errors
    /// [`DatasetError::OutOfRange`]; [`DatasetError::File`] if it has no readable header.
    fn picture_size(&self, index: usize) -> Result<(usize, usize), DatasetError> {
        files::size(&self.sample(index)?.image)
    }

    /// Decodes the truth of one sample.
    ///
    /// # Errors
    /// [`DatasetError::OutOfRange`]; [`DatasetError::File`] if the files are
    /// unreadable or contradict each other.
    fn truth(&self, index: usize) -> Result<Truth, DatasetError>;

    /// Number of samples.
    fn len(&self) -> usize {
        self.samples().len()
    }

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.samples().is_empty()
    }

    /// One sample, nothing decoded.
    ///
    /// # Errors
    /// [`DatasetError::OutOfRange`].
    fn sample(&self, index: usize) -> Result<&Sample, DatasetError> {
        self.samples()
            .get(index)
            .ok_or_else(|| DatasetError::OutOfRange {
                dataset: self.name().to_owned(),
                index,
                len: self.len(),
            })
    }

    /// Decodes the picture of one sample.
    ///
    /// # Errors
    /// [`DatasetError::OutOfRange`], [`DatasetError::File`].
    fn picture(&self, index: usize) -> Result<RgbImage, DatasetError> {
        Ok(read::open(&self.sample(index)?.image)?)
    }

    /// The classes that occur in one sample, ascending; decodes the truth where the set's lists do
    /// not say it.
    ///
    /// # Errors
    /// As [`Dataset::truth`].
    fn classes_in(&self, index: usize) -> Result<Vec<u16>, DatasetError> {
        match &self.sample(index)?.classes {
            Some(classes) => Ok(classes.clone()),
            None => Ok(self.truth(index)?.labels.classes()),
        }
    }
}
