use seggpt_imaging::{LabelPlane, RgbImage};

use super::{Baseline, Example, Fitted, check};
use crate::BenchmarkError;

/// The first prompt's labels, resized to the query (nearest).
#[derive(Debug, Clone, Copy, Default)]
pub struct CopiedMask;

impl Baseline for CopiedMask {
    fn name(&self) -> &'static str {
        "copied mask"
    }

    fn fit(&self, prompts: &[Example]) -> Result<Box<dyn Fitted>, BenchmarkError> {
        check(self.name(), prompts)?;
        Ok(Box::new(Copied(prompts[0].labels.clone())))
    }
}

struct Copied(LabelPlane);

impl Fitted for Copied {
    fn predict(&self, picture: &RgbImage) -> LabelPlane {
        self.0
            .resized((picture.width() as usize, picture.height() as usize))
    }
}
