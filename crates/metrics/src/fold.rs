use std::collections::BTreeMap;

use seggpt_imaging::{IGNORE, LabelPlane};

use crate::{
    Areas, MetricsError,
    error::same_size,
    number::{mean, ratio},
};

/// Few-shot segmentation as the literature counts it.
///
/// Equals HSNet's `Evaluator` and `AverageMeter`: every episode asks for one class; intersection and
/// union of foreground and background are added up per class over the episodes, and divided at the
/// end. A class of the fold without any episode counts with IoU 0, as there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoldAreas {
    classes: BTreeMap<u16, Episodes>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Episodes {
    count: u64,
    background: Overlap,
    foreground: Overlap,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Overlap {
    both: u64,
    either: u64,
}

/// What [`FoldAreas`] found; shares of 0.0..=1.0 (papers print them times 100).
#[derive(Debug, Clone, PartialEq)]
pub struct FoldReport {
    /// Mean over the fold's classes of the accumulated foreground IoU; `None` without classes.
    pub mean_iou: Option<f64>,
    /// Mean of the IoU of foreground and of background, each accumulated over all classes;
    /// `None` before the first episode.
    pub fb_iou: Option<f64>,
    /// Class id, its accumulated IoU (`None` if it was never seen nor answered), its episodes.
    pub classes: Vec<(u16, Option<f64>, u64)>,
}

impl FoldAreas {
    /// Counts episodes of these classes, which are those of the fold's test split.
    #[must_use]
    pub fn new(classes: impl IntoIterator<Item = u16>) -> Self {
        let none = Episodes::default();
        Self {
            classes: classes.into_iter().map(|class| (class, none)).collect(),
        }
    }

    /// Counts one episode that asked for `class`: in both planes, 0 is background and everything
    /// else the class, except [`IGNORE`] in the truth, which counts nowhere.
    ///
    /// # Errors
    /// [`MetricsError::UnknownClass`], [`MetricsError::SizesDiffer`].
    pub fn add(
        &mut self,
        class: u16,
        prediction: &LabelPlane,
        truth: &LabelPlane,
    ) -> Result<(), MetricsError> {
        same_size(prediction, truth)?;
        let mut pixels = [[0u64; 2]; 2];
        let pairs = prediction.values().iter().zip(truth.values());
        for (&predicted, &true_) in pairs.filter(|(_, true_)| **true_ != IGNORE) {
            pixels[usize::from(predicted != 0)][usize::from(true_ != 0)] += 1;
        }
        let areas = |of: usize| Areas {
            both: pixels[of][of],
            predicted: pixels[of][0] + pixels[of][1],
            true_: pixels[0][of] + pixels[1][of],
        };
        self.add_areas(class, areas(0), areas(1))
    }

    /// Counts one episode that asked for `class`, whose pixels were counted elsewhere.
    ///
    /// # Errors
    /// [`MetricsError::UnknownClass`].
    pub fn add_areas(
        &mut self,
        class: u16,
        background: Areas,
        foreground: Areas,
    ) -> Result<(), MetricsError> {
        let Some(episodes) = self.classes.get_mut(&class) else {
            return Err(MetricsError::UnknownClass {
                class: u32::from(class),
                known: self.classes.keys().copied().map(u32::from).collect(),
            });
        };
        episodes.count += 1;
        episodes.background.add(background);
        episodes.foreground.add(foreground);
        Ok(())
    }

    /// Adds what another accumulator of the same classes counted.
    ///
    /// # Errors
    /// [`MetricsError::Merge`] if the classes differ.
    pub fn merge(&mut self, other: &Self) -> Result<(), MetricsError> {
        if !self.classes.keys().eq(other.classes.keys()) {
            let (mine, theirs) = (self.classes.keys(), other.classes.keys());
            return Err(MetricsError::Merge {
                what: "folds",
                reason: format!("classes {mine:?} against {theirs:?}"),
            });
        }
        for (mine, theirs) in self.classes.values_mut().zip(other.classes.values()) {
            mine.count += theirs.count;
            mine.background.merge(theirs.background);
            mine.foreground.merge(theirs.foreground);
        }
        Ok(())
    }

    /// The scores of everything that was counted.
    #[must_use]
    pub fn finish(&self) -> FoldReport {
        let row = |(&class, seen): (&u16, &Episodes)| (class, seen.foreground.iou(), seen.count);
        let classes: Vec<_> = self.classes.iter().map(row).collect();
        let total = |of: fn(&Episodes) -> Overlap| {
            let mut sum = Overlap::default();
            self.classes.values().for_each(|class| sum.merge(of(class)));
            sum.iou()
        };
        let foreground = total(|class| class.foreground);
        let background = total(|class| class.background);
        FoldReport {
            mean_iou: mean(classes.iter().map(|(_, iou, _)| iou.unwrap_or(0.0))),
            fb_iou: foreground.zip(background).map(|(f, b)| (f + b) / 2.0),
            classes,
        }
    }
}

impl Overlap {
    fn add(&mut self, areas: Areas) {
        self.both += areas.both;
        self.either += areas.either();
    }

    fn merge(&mut self, other: Self) {
        self.both += other.both;
        self.either += other.either;
    }

    fn iou(self) -> Option<f64> {
        ratio(self.both, self.either)
    }
}
