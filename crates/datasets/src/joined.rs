use std::sync::Arc;

use seggpt_imaging::RgbImage;

use crate::{Class, Dataset, DatasetError, Role, Sample, Truth};

/// Prompts from one set and queries from another of the same classes, such as the training and validation parts of ADE20K.
#[derive(Clone)]
pub struct Joined {
    name: String,
    samples: Vec<Sample>,
    prompts: Arc<dyn Dataset>,
    queries: Arc<dyn Dataset>,
    notes: Vec<String>,
}

impl Joined {
    /// Joins two sets; classes are those of `queries`. Names of prompts get `prompts/` in front, so that all stay unique.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        prompts: Arc<dyn Dataset>,
        queries: Arc<dyn Dataset>,
    ) -> Self {
        let prompt = |sample: &Sample| Sample {
            name: format!("prompts/{}", sample.name),
            role: Some(Role::Prompt),
            ..sample.clone()
        };
        let query = |sample: &Sample| Sample {
            role: Some(Role::Query),
            ..sample.clone()
        };
        let samples = prompts.samples().iter().map(prompt);
        Self {
            name: name.into(),
            notes: [prompts.notes(), queries.notes()].concat(),
            samples: samples.chain(queries.samples().iter().map(query)).collect(),
            prompts,
            queries,
        }
    }
}

impl Dataset for Joined {
    fn name(&self) -> &str {
        &self.name
    }

    fn classes(&self) -> &[Class] {
        self.queries.classes()
    }

    fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn picture(&self, index: usize) -> Result<RgbImage, DatasetError> {
        self.sample(index)?;
        match index.checked_sub(self.prompts.len()) {
            None => self.prompts.picture(index),
            Some(index) => self.queries.picture(index),
        }
    }

    fn picture_size(&self, index: usize) -> Result<(usize, usize), DatasetError> {
        self.sample(index)?;
        match index.checked_sub(self.prompts.len()) {
            None => self.prompts.picture_size(index),
            Some(index) => self.queries.picture_size(index),
        }
    }

    fn truth_size(&self, index: usize) -> Result<Option<(usize, usize)>, DatasetError> {
        self.sample(index)?;
        match index.checked_sub(self.prompts.len()) {
            None => self.prompts.truth_size(index),
            Some(index) => self.queries.truth_size(index),
        }
    }

    fn truth(&self, index: usize) -> Result<Truth, DatasetError> {
        self.sample(index)?;
        match index.checked_sub(self.prompts.len()) {
            None => self.prompts.truth(index),
            Some(index) => self.queries.truth(index),
        }
    }
}
