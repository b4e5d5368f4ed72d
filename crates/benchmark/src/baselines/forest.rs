use seggpt_forest::{Classifier, Forest, Labelled};
use seggpt_imaging::{IGNORE, LabelPlane, RgbImage};

use super::{Baseline, Example, Fitted, check, plane};
use crate::BenchmarkError;

impl Baseline for Forest {
    fn name(&self) -> &'static str {
        "forest"
    }

    fn fit(&self, prompts: &[Example]) -> Result<Box<dyn Fitted>, BenchmarkError> {
        check(self.name(), prompts)?;
        let examples: Vec<Labelled> = prompts
            .iter()
            .map(|prompt| Labelled {
                picture: &prompt.picture,
                labels: prompt.labels.values(),
            })
            .collect();
        let classifier = self.learn(&examples, IGNORE).expect("a pixel is labelled");
        Ok(Box::new(classifier))
    }
}

impl Fitted for Classifier {
    fn predict(&self, picture: &RgbImage) -> LabelPlane {
        plane(picture, Classifier::predict(self, picture))
    }
}
