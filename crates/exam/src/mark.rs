use seggpt_eval::{
    EvalError, LabelPlane,
    metrics::{Areas, ClassAreas, Tolerance, boundary, region},
};
use serde::{Deserialize, Serialize};

use crate::{
    Exam, ExamError, Kept, Kind, Question,
    segments::{self, SegmentMark},
};

/// What one answer is worth: pixels that are added up before anything is divided. A line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The question.
    pub item: String,
    /// The run that asked it; empty where nobody says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub run: String,
    /// Class id, pixels in both, in the answer, in the truth; 0 is background.
    pub areas: Vec<[u64; 4]>,
    /// In videos: what DAVIS measures of each object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<ObjectMark>,
    /// In panoptic sets, of the question that completes a picture: what panopticapi counts of each class.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentMark>,
    /// The prompts that guided the answer.
    #[serde(default)]
    pub prompts: Vec<String>,
    /// Who answered.
    #[serde(default)]
    pub maker: Maker,
    /// Milliseconds that the answer took the network.
    #[serde(default)]
    pub milliseconds: f64,
}

impl seggpt_store::Record for Mark {
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
pub struct ObjectMark {
    /// Its id.
    pub object: u16,
    /// Region similarity.
    pub j: f64,
    /// Boundary accuracy.
    pub f: f64,
}

/// Who answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// Name of the model or baseline.
    pub model: String,
    /// Whether its answers mean anything.
    pub trained: bool,
    /// How its prompts acted together; empty for baselines.
    pub ensemble: String,
    /// Where it was computed.
    pub device: String,
}

impl Maker {
    /// Whether somebody answered whose answers mean nothing. Nobody who never answered is untrained.
    #[must_use]
    pub fn is_untrained(&self) -> bool {
        !self.trained && !self.model.is_empty()
    }
}

impl Mark {
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

    /// The IoU of the classes other than background together: what single answers are compared by.
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

impl Exam {
    /// Compares an answer of the picture's size with the truth; `kept` has the answers that it builds on. Who answered is
    /// filled in by whoever asked.
    ///
    /// # Errors
    /// The truth cannot be read, or the answer is not as large as it.
    pub fn mark(
        &self,
        question: &Question,
        answer: &LabelPlane,
        kept: &Kept,
    ) -> Result<Mark, ExamError> {
        let truth = self.truth(question)?;
        if answer.size() != truth.size() {
            return Err(EvalError::SizesDiffer {
                prediction: answer.size(),
                truth: truth.size(),
            }
            .into());
        }
        let size = self.marked_at(question.paper, truth.size());
        self.compare(question, &answer.resized(size), &truth.resized(size), kept)
    }

    /// The truth of a question, with other classes than the asked one as background.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn truth(&self, question: &Question) -> Result<LabelPlane, ExamError> {
        let paper = &self.papers[question.paper];
        let labels = paper.dataset.truth(question.query)?.labels;
        let asked: &[u16] = match (&question.class, paper.kind) {
            (Some(class), _) => std::slice::from_ref(class),
            (None, Kind::Panoptic) => &question.wanted,
            (None, _) => return Ok(labels),
        };
        Ok(labels.map(|&id| match id {
            seggpt_eval::IGNORE => id,
            id if asked.contains(&id) => id,
            _ => 0,
        }))
    }

    /// Compares planes of one size: that of [`Exam::marked_at`].
    pub(crate) fn compare(
        &self,
        question: &Question,
        answer: &LabelPlane,
        truth: &LabelPlane,
        kept: &Kept,
    ) -> Result<Mark, ExamError> {
        let paper = &self.papers[question.paper];
        let classes: Vec<u16> = match (question.class, &question.wanted[..]) {
            (Some(class), _) => vec![0, class],
            (None, []) => std::iter::once(0)
                .chain(paper.classes.iter().map(|class| class.id))
                .collect(),
            (None, wanted) => std::iter::once(0).chain(wanted.iter().copied()).collect(),
        };
        let mut areas = ClassAreas::new(classes);
        areas.add(answer, truth)?;
        let rows = areas
            .areas()
            .map(|(class, areas)| [u64::from(class), areas.both, areas.predicted, areas.true_]);
        let objects = match paper.kind {
            Kind::Video => objects(&question.wanted, answer, truth)?,
            _ => Vec::new(),
        };
        let segments = match (paper.kind, question.after) {
            (Kind::Panoptic, Some(stuff)) => {
                let stuff = self.half(stuff, kept)?.resized(answer.size());
                segments::marks(paper, &stuff, answer, &paper.dataset.truth(question.query)?)?
            }
            _ => Vec::new(),
        };
        Ok(Mark {
            item: question.item.clone(),
            run: String::new(),
            // Of many classes, most are in neither plane.
            areas: rows
                .filter(|row| question.class.is_some() || row[2] + row[3] > 0)
                .collect(),
            objects,
            segments,
            prompts: Vec::new(),
            maker: Maker::default(),
            milliseconds: 0.0,
        })
    }
}

impl Exam {
    /// The answer to the first half of a panoptic picture.
    pub(crate) fn half(&self, question: usize, kept: &Kept) -> Result<LabelPlane, ExamError> {
        kept.recall(question)?.ok_or_else(|| ExamError::Unanswered {
            item: self.questions[question].item.clone(),
        })
    }
}

fn objects(
    ids: &[u16],
    answer: &LabelPlane,
    truth: &LabelPlane,
) -> Result<Vec<ObjectMark>, ExamError> {
    let one = |&object: &u16| {
        let (answer, truth) = (answer.mask(object), truth.mask(object));
        Ok(ObjectMark {
            object,
            j: region(&answer, &truth, None)?,
            f: boundary(&answer, &truth, None, Tolerance::default())?,
        })
    };
    ids.iter().map(one).collect()
}
