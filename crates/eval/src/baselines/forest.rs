use seggpt_forest::{Classifier, Forest, Labelled};
use seggpt_imaging::RgbImage;

use super::{Baseline, Example, Fitted, check, plane};
use crate::{EvalError, IGNORE, LabelPlane};

impl Baseline for Forest {
    fn name(&self) -> &'static str {
        "forest"
    }

    fn fit(&self, prompts: &[Example]) -> Result<Box<dyn Fitted>, EvalError> {
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
    fn answer(&self, picture: &RgbImage) -> LabelPlane {
        plane(picture, Classifier::answer(self, picture))
    }
}
