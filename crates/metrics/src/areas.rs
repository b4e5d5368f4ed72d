use std::collections::BTreeMap;

use seggpt_imaging::{IGNORE, LabelPlane};

use crate::{
    MetricsError,
    error::same_size,
    number::{mean, ratio},
};

/// Pixels of each class, counted over any number of pictures.
///
/// Equals mmsegmentation's `IoUMetric` (`mIoU`, `mDice`): areas are added up over all pictures
/// before anything is divided, pixels with [`IGNORE`] in the truth count nowhere, and a class that
/// neither truth nor prediction ever has is left out of the means. Background is a class like
/// others: list 0 or leave it out. Without it, [`SemanticReport::mean_iou`] is what this project's
/// tables call "mean over classes of the IoU accumulated over all queries".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassAreas {
    classes: BTreeMap<u16, Areas>,
}

/// The pixels of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Areas {
    /// In prediction and truth.
    pub both: u64,
    /// In the prediction.
    pub predicted: u64,
    /// In the truth.
    pub true_: u64,
}

impl Areas {
    /// Intersection over union; `None` where the class is in neither.
    #[must_use]
    pub fn iou(self) -> Option<f64> {
        ratio(self.both, self.either())
    }

    /// The pixels in prediction or truth.
    #[must_use]
    pub fn either(self) -> u64 {
        self.predicted + self.true_ - self.both
    }
}

/// What [`ClassAreas`] found; shares of 0.0..=1.0, `None` where there was nothing to divide by.
#[derive(Debug, Clone, PartialEq)]
pub struct SemanticReport {
    /// One score per class, by ascending id.
    pub classes: Vec<ClassScore>,
    /// Mean of the classes' IoU.
    pub mean_iou: Option<f64>,
    /// Mean of the classes' Dice.
    pub mean_dice: Option<f64>,
    /// Mean of the classes' accuracy.
    pub mean_accuracy: Option<f64>,
    /// Share of the pixels of all listed classes that were named rightly.
    pub pixel_accuracy: Option<f64>,
}

/// One class of a [`SemanticReport`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScore {
    /// The class id.
    pub class: u16,
    /// Pixels of the class in the truth.
    pub pixels: u64,
    /// Intersection over union.
    pub iou: Option<f64>,
    /// Twice the intersection over the sum of both areas.
    pub dice: Option<f64>,
    /// Share of the class's true pixels that were found.
    pub accuracy: Option<f64>,
}

impl ClassAreas {
    /// Counts these class ids; other ids in a prediction are wrong answers, in the truth background.
    #[must_use]
    pub fn new(classes: impl IntoIterator<Item = u16>) -> Self {
        let classes = classes.into_iter().filter(|&class| class != IGNORE);
        Self {
            classes: classes.map(|class| (class, Areas::default())).collect(),
        }
    }

    /// Counts one picture.
    ///
    /// # Errors
    /// [`MetricsError::SizesDiffer`].
    pub fn add(&mut self, prediction: &LabelPlane, truth: &LabelPlane) -> Result<(), MetricsError> {
        same_size(prediction, truth)?;
        // Runs of equal labels are long, so that the map is asked seldom.
        let mut run = ((IGNORE, IGNORE), 0);
        for pair in prediction
            .values()
            .iter()
            .copied()
            .zip(truth.values().iter().copied())
        {
            if pair == run.0 {
                run.1 += 1;
            } else {
                self.count(run.0, run.1);
                run = (pair, 1);
            }
        }
        self.count(run.0, run.1);
        Ok(())
    }

    fn count(&mut self, (predicted, true_): (u16, u16), pixels: u64) {
        if true_ == IGNORE {
            return;
        }
        if let Some(areas) = self.classes.get_mut(&true_) {
            areas.true_ += pixels;
            areas.both += if predicted == true_ { pixels } else { 0 };
        }
        if let Some(areas) = self.classes.get_mut(&predicted) {
            areas.predicted += pixels;
        }
    }

    /// Adds pixels of one class that were counted elsewhere; those of a class that is not counted here change nothing.
    pub fn add_areas(&mut self, class: u16, areas: Areas) {
        if let Some(sum) = self.classes.get_mut(&class) {
            sum.both += areas.both;
            sum.predicted += areas.predicted;
            sum.true_ += areas.true_;
        }
    }

    /// What was counted so far, by ascending class id.
    pub fn areas(&self) -> impl Iterator<Item = (u16, Areas)> + '_ {
        self.classes.iter().map(|(&class, &areas)| (class, areas))
    }

    /// Adds what another accumulator of the same classes counted.
    ///
    /// # Errors
    /// [`MetricsError::Merge`] if the classes differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), MetricsError> {
        if !self.classes.keys().eq(other.classes.keys()) {
            let (mine, theirs) = (self.classes.keys(), other.classes.keys());
            return Err(MetricsError::Merge {
                what: "class areas",
                reason: format!("classes {mine:?} against {theirs:?}"),
            });
        }
        for (class, areas) in other.areas() {
            self.add_areas(class, areas);
        }
        Ok(())
    }

    /// The scores of everything that was counted.
    #[must_use]
    pub fn finish(&self) -> SemanticReport {
        let score = |(&class, areas): (&u16, &Areas)| ClassScore {
            class,
            pixels: areas.true_,
            iou: areas.iou(),
            dice: ratio(2 * areas.both, areas.predicted + areas.true_),
            accuracy: ratio(areas.both, areas.true_),
        };
        let classes: Vec<ClassScore> = self.classes.iter().map(score).collect();
        let total = |of: fn(&Areas) -> u64| self.classes.values().map(of).sum();
        SemanticReport {
            mean_iou: mean(classes.iter().filter_map(|class| class.iou)),
            mean_dice: mean(classes.iter().filter_map(|class| class.dice)),
            mean_accuracy: mean(classes.iter().filter_map(|class| class.accuracy)),
            pixel_accuracy: ratio(total(|areas| areas.both), total(|areas| areas.true_)),
            classes,
        }
    }
}
