use seggpt_imaging::{IGNORE, LabelPlane};
use seggpt_metrics::{Areas, ClassAreas, MetricsError, Tolerance, boundary, region};
use serde::{Deserialize, Serialize};

use crate::{
    Benchmark, BenchmarkError, Kind, Query, Stored,
    segment_score::{self, SegmentScore},
};

/// What one prediction is worth: pixels that are added up before anything is divided. A line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryScore {
    /// The query.
    pub item: String,
    /// The run that it is of; empty where nobody says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// Class id, pixels in both, in the prediction, in the truth; 0 is background.
    pub areas: Vec<[u64; 4]>,
    /// In videos: what DAVIS measures of each object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectScore>,
    /// In panoptic sets, of the query that completes a picture: what panopticapi counts of each class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentScore>,
    /// The prompts that guided the prediction.
    #[serde(default)]
    pub prompts: Vec<String>,
    /// What predicted.
    #[serde(default, alias = "maker")]
    pub predictor: Predictor,
    /// Milliseconds that the prediction took the network.
    #[serde(default)]
    pub milliseconds: f64,
}

impl seggpt_store::Record for QueryScore {
    type Brief = ();

    fn item(&self) -> &str {
        &self.item
    }

    fn run(&self) -> &str {
        &self.run
    }

    fn files(&self) -> Vec<(&str, u64)> {
        vec![]
    }

    fn brief(&self) {}
}

/// J and F of an object in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObjectScore {
    /// Its id.
    pub object: u16,
    /// Region similarity.
    pub j: f64,
    /// Boundary accuracy.
    pub f: f64,
}

/// A network or a baseline, with how it was run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predictor {
    /// Name of the model or baseline.
    pub model: String,
    /// Whether its predictions mean anything.
    pub trained: bool,
    /// How its prompts acted together; empty for baselines.
    pub ensemble: String,
    /// Where it was computed.
    pub device: String,
}

impl Predictor {
    /// Whether its predictions mean nothing. One without a name never predicted, and is not untrained.
    #[must_use]
    pub fn is_untrained(&self) -> bool {
        !self.trained && !self.model.is_empty()
    }
}

impl QueryScore {
    /// The areas of a class.
    #[must_use]
    pub fn of(&self, class: u16) -> Option<Areas> {
        let found = self.areas.iter().find(|row| row[0] == u64::from(class));
        found.map(|&[_, both, predicted, true_]| Areas {
            both,
            predicted,
            true_,
        })
    }

    /// All classes with their areas.
    pub fn classes(&self) -> impl Iterator<Item = (u16, Areas)> + '_ {
        self.areas
            .iter()
            .filter_map(|row| u16::try_from(row[0]).ok())
            .filter_map(|class| Some((class, self.of(class)?)))
    }

    /// The IoU of the classes other than background together: what single predictions are compared by.
    #[must_use]
    pub fn iou(&self) -> Option<f64> {
        let mut sum = Areas::default();
        for (_, areas) in self.classes().filter(|(class, _)| *class != 0) {
            sum.both += areas.both;
            sum.predicted += areas.predicted;
            sum.true_ += areas.true_;
        }
        sum.iou()
    }
}

impl Benchmark {
    /// Compares a prediction of the picture's size with the truth; `stored` has the predictions that it builds on. The
    /// caller fills in what predicted.
    ///
    /// # Errors
    /// The truth cannot be read, or the prediction is not as large as it.
    pub fn score(
        &self,
        query: &Query,
        prediction: &LabelPlane,
        stored: &Stored,
    ) -> Result<QueryScore, BenchmarkError> {
        let truth = self.truth(query)?;
        if prediction.size() != truth.size() {
            return Err(MetricsError::SizesDiffer {
                prediction: prediction.size(),
                truth: truth.size(),
            }
            .into());
        }
        let size = self.eval_size(query.split, truth.size());
        self.compare(
            query,
            &prediction.resized(size),
            &truth.resized(size),
            stored,
        )
    }

    /// The truth of a query, with other classes than those to be found as background.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn truth(&self, query: &Query) -> Result<LabelPlane, BenchmarkError> {
        let split = &self.splits[query.split];
        let labels = split.dataset.truth(query.sample)?.labels;
        let wanted: &[u16] = match (&query.class, split.kind) {
            (Some(class), _) => std::slice::from_ref(class),
            (None, Kind::Panoptic) => &query.classes,
            (None, _) => return Ok(labels),
        };
        Ok(labels.map(|&id| match id {
            IGNORE => id,
            id if wanted.contains(&id) => id,
            _ => 0,
        }))
    }

    /// Compares planes of one size: that of [`Benchmark::eval_size`].
    pub(crate) fn compare(
        &self,
        query: &Query,
        prediction: &LabelPlane,
        truth: &LabelPlane,
        stored: &Stored,
    ) -> Result<QueryScore, BenchmarkError> {
        let split = &self.splits[query.split];
        let classes: Vec<u16> = match (query.class, &query.classes[..]) {
            (Some(class), _) => vec![0, class],
            (None, []) => std::iter::once(0)
                .chain(split.classes.iter().map(|class| class.id))
                .collect(),
            (None, wanted) => std::iter::once(0).chain(wanted.iter().copied()).collect(),
        };
        let mut areas = ClassAreas::new(classes);
        areas.add(prediction, truth)?;
        let rows = areas
            .areas()
            .map(|(class, areas)| [u64::from(class), areas.both, areas.predicted, areas.true_]);
        let objects = match split.kind {
            Kind::Video => objects(&query.classes, prediction, truth)?,
            _ => Vec::new(),
        };
        let segments = match (split.kind, query.after) {
            (Kind::Panoptic, Some(stuff)) => {
                let stuff = self.half(stuff, stored)?.resized(prediction.size());
                segment_score::scores(
                    split,
                    &stuff,
                    prediction,
                    &split.dataset.truth(query.sample)?,
                )?
            }
            _ => Vec::new(),
        };
        Ok(QueryScore {
            item: query.item.clone(),
            run: String::new(),
            // Of many classes, most are in neither plane.
            areas: rows
                .filter(|row| query.class.is_some() || row[2] + row[3] > 0)
                .collect(),
            objects,
            segments,
            prompts: Vec::new(),
            predictor: Predictor::default(),
            milliseconds: 0.0,
        })
    }
}

impl Benchmark {
    /// The prediction for the first half of a panoptic picture.
    pub(crate) fn half(&self, query: usize, stored: &Stored) -> Result<LabelPlane, BenchmarkError> {
        stored
            .load(query)?
            .ok_or_else(|| BenchmarkError::NoPrediction {
                item: self.queries[query].item.clone(),
            })
    }
}

fn objects(
    ids: &[u16],
    prediction: &LabelPlane,
    truth: &LabelPlane,
) -> Result<Vec<ObjectScore>, BenchmarkError> {
    let one = |&object: &u16| {
        let (prediction, truth) = (prediction.mask(object), truth.mask(object));
        Ok(ObjectScore {
            object,
            j: region(&prediction, &truth, None)?,
            f: boundary(&prediction, &truth, None, Tolerance::default())?,
        })
    };
    ids.iter().map(one).collect()
}
