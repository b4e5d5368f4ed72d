//! What a user gets without any network: the baselines that an honest table has beside it.
//!
//! | baseline | what it knows of the prompt |
//! |---|---|
//! | [`CopiedMask`] | where things were |
//! | [`ColorNeighbours`] | which colours they had |
//! | [`Forest`] | which colours and textures at several scales, as interactive pixel classifiers |

mod color;
mod copied;
mod forest;

use seggpt_imaging::{IGNORE, LabelPlane, RgbImage};

pub use color::ColorNeighbours;
pub use copied::CopiedMask;
pub use seggpt_forest::Forest;

use crate::BenchmarkError;

/// A prompt: a picture and its labels, of the same size.
#[derive(Debug, Clone)]
pub struct Example {
    /// The picture.
    pub picture: RgbImage,
    /// Its labels; pixels with [`IGNORE`] teach nothing.
    pub labels: LabelPlane,
}

/// A way to learn from prompts.
pub trait Baseline: Send + Sync {
    /// What tables call it.
    fn name(&self) -> &'static str;

    /// Learns from prompts.
    ///
    /// # Errors
    /// [`BenchmarkError::Fit`] without a labelled pixel, or if a prompt's labels are not as large as its
    /// picture.
    fn fit(&self, prompts: &[Example]) -> Result<Box<dyn Fitted>, BenchmarkError>;
}

/// What was learnt.
pub trait Fitted: Send + Sync {
    /// The labels of another picture, at its size. All of them occur in the prompts.
    fn predict(&self, picture: &RgbImage) -> LabelPlane;
}

/// Refuses prompts without labelled pixels.
fn check(baseline: &'static str, prompts: &[Example]) -> Result<(), BenchmarkError> {
    let refuse = |reason: &str| {
        let reason = reason.to_owned();
        Err(BenchmarkError::Fit { baseline, reason })
    };
    let size = |picture: &RgbImage| (picture.width() as usize, picture.height() as usize);
    if prompts
        .iter()
        .any(|prompt| size(&prompt.picture) != prompt.labels.size())
    {
        return refuse("a prompt's labels are not as large as its picture; resize one of them");
    }
    let labelled = |prompt: &Example| prompt.labels.values().iter().any(|&label| label != IGNORE);
    if !prompts.iter().any(labelled) {
        return refuse("no pixel of any prompt is labelled");
    }
    Ok(())
}

/// A plane as large as a picture.
fn plane(picture: &RgbImage, labels: Vec<u16>) -> LabelPlane {
    let size = (picture.width() as usize, picture.height() as usize);
    LabelPlane::new(size, labels).expect("one label per pixel")
}
