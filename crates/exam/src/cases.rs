use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use seggpt_eval::{IGNORE, LabelPlane};
use seggpt_imaging::{
    RgbImage,
    overlay::{Style, overlay, thumbnail},
    palette, resize,
    write::rgb_jpeg,
};
use serde::{Deserialize, Serialize};

use crate::{Exam, ExamError, Kind, Mark, Question, ask::prompt_labels, row::put};

const FOLDER: &str = "cases";
/// Cases that are kept of each class (or object, or set where all classes are asked for at once).
const KEPT: usize = 4;
/// Longest side of a picture.
const SIDE: u32 = 192;
const QUALITY: u8 = 66;

/// A bad answer as pictures (data URIs).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Case {
    pub item: String,
    /// Place of the question in the exam.
    question: usize,
    pub set: String,
    /// The class that was asked for, or the video.
    pub part: String,
    pub iou: f64,
    /// Pixels that are wrong, as a share of all.
    pub wrong: f64,
    /// The prompt that guided it most, and its mask.
    pub prompt: String,
    pub query: String,
    pub truth: String,
    pub answer: String,
}

/// The worst answers of a row, a file each.
#[derive(Debug)]
pub(crate) struct Cases {
    folder: PathBuf,
    kept: BTreeMap<(String, String), Vec<Rank>>,
}

/// How bad a case is: the lower IoU first, then the more wrong pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rank {
    iou: f64,
    wrong: f64,
    question: usize,
}

impl Rank {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let worse = self.iou.total_cmp(&other.iou);
        worse
            .then(other.wrong.total_cmp(&self.wrong))
            .then(self.question.cmp(&other.question))
    }
}

impl Cases {
    /// Takes up what an earlier run has left in a row's folder.
    pub fn open(row: &Path) -> Result<Self, ExamError> {
        let mut cases = Self {
            folder: row.join(FOLDER),
            kept: BTreeMap::new(),
        };
        for case in cases.all() {
            let rank = Rank {
                iou: case.iou,
                wrong: case.wrong,
                question: case.question,
            };
            cases
                .kept
                .entry((case.set, case.part))
                .or_default()
                .push(rank);
        }
        Ok(cases)
    }

    /// Removes what an earlier run has left.
    pub fn clear(row: &Path) {
        // What cannot be removed is overwritten or, at worst, shown.
        let _ = fs::remove_dir_all(row.join(FOLDER));
    }

    /// All cases, the worst first. Files that are none, such as half-written ones, are passed over.
    pub fn all(&self) -> Vec<Case> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let files = paths.filter(|path| path.extension().is_some_and(|e| e == "json"));
        let mut cases: Vec<Case> = files
            .filter_map(|path| serde_json::from_slice(&fs::read(path).ok()?).ok())
            .collect();
        let rank = |case: &Case| Rank {
            iou: case.iou,
            wrong: case.wrong,
            question: case.question,
        };
        cases.sort_by(|a, b| rank(a).order(&rank(b)));
        cases
    }

    /// Keeps an answer if it is among the worst of its class. Queries that do not show the class are none: there is
    /// nothing to see in them.
    pub fn consider(
        &mut self,
        exam: &Exam,
        at: usize,
        mark: &Mark,
        answer: &LabelPlane,
    ) -> Result<(), ExamError> {
        let question = &exam.questions[at];
        let shown = mark
            .classes()
            .any(|(class, areas)| class != 0 && areas.true_ > 0);
        let Some(iou) = mark.iou().filter(|iou| shown && *iou < 1.0) else {
            return Ok(());
        };
        let rank = Rank {
            iou,
            wrong: wrong(mark),
            question: at,
        };
        let key = (
            exam.papers[question.paper].name.clone(),
            part(exam, question)?,
        );
        let kept = self.kept.entry(key.clone()).or_default();
        kept.retain(|other| other.question != at); // of a process that did not live to put the mark on record
        kept.push(rank);
        kept.sort_by(Rank::order);
        let dropped = (kept.len() > KEPT).then(|| kept.pop()).flatten();
        if dropped == Some(rank) {
            return Ok(());
        }
        let case = Pictures::of(exam, question, mark, answer)?.case(key, rank, mark);
        let failed = |error: std::io::Error| ExamError::results(&self.folder, error);
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let text = serde_json::to_vec(&case).expect("numbers and texts serialise");
        put(&self.file(at), &text)?;
        if let Some(dropped) = dropped {
            let _ = fs::remove_file(self.file(dropped.question));
        }
        Ok(())
    }

    fn file(&self, question: usize) -> PathBuf {
        self.folder.join(format!("{question}.json"))
    }
}

/// The share of pixels that are background in one plane and not in the other.
fn wrong(mark: &Mark) -> f64 {
    let ground = mark.of(0).unwrap_or_default();
    let all: u64 = mark.classes().map(|(_, areas)| areas.true_).sum();
    (ground.either() - ground.both) as f64 / all.max(1) as f64
}

/// What cases are sorted by: video, class, or half of a panoptic picture.
fn part(exam: &Exam, question: &Question) -> Result<String, ExamError> {
    let paper = &exam.papers[question.paper];
    let frame = paper.dataset.sample(question.query)?.frame.as_ref();
    let video = frame.map(|frame| frame.video.clone());
    let class = question.class.map(|id| paper.name_of(id));
    let half = (paper.kind == Kind::Panoptic).then(|| match question.after {
        None => "stuff".to_owned(),
        Some(_) => "things".to_owned(),
    });
    let parts: Vec<_> = [video, class, half].into_iter().flatten().collect();
    Ok(parts.join(", "))
}

struct Pictures {
    prompt: String,
    query: String,
    truth: String,
    answer: String,
}

impl Pictures {
    fn of(
        exam: &Exam,
        question: &Question,
        mark: &Mark,
        answer: &LabelPlane,
    ) -> Result<Self, ExamError> {
        let paper = &exam.papers[question.paper];
        let named = |&sample: &usize| {
            let known = paper.dataset.sample(sample);
            known.is_ok_and(|known| Some(&known.name) == mark.prompts.first())
        };
        let prompt = question.pool.iter().copied().find(named);
        let prompt = match prompt {
            None => String::new(),
            Some(sample) => {
                let picture = paper.dataset.picture(sample)?;
                drawn(&picture, &prompt_labels(paper, question, sample)?)?
            }
        };
        let picture = paper.dataset.picture(question.query)?;
        Ok(Self {
            prompt,
            query: jpeg(&thumbnail(&picture, SIDE))?,
            truth: drawn(&picture, &exam.truth(question)?)?,
            answer: drawn(&picture, answer)?,
        })
    }

    fn case(self, (set, part): (String, String), rank: Rank, mark: &Mark) -> Case {
        Case {
            item: mark.item.clone(),
            question: rank.question,
            set,
            part,
            iou: rank.iou,
            wrong: rank.wrong,
            prompt: self.prompt,
            query: self.query,
            truth: self.truth,
            answer: self.answer,
        }
    }
}

/// A picture with labels over it, small.
fn drawn(picture: &RgbImage, labels: &LabelPlane) -> Result<String, ExamError> {
    let small = thumbnail(picture, SIDE);
    let size = (small.width() as usize, small.height() as usize);
    let shown = resize::nearest(labels.values(), labels.size(), size);
    let shown: Vec<u16> = shown
        .into_iter()
        .map(|id| if id == IGNORE { 0 } else { id })
        .collect();
    let highest = shown.iter().copied().max().unwrap_or(0);
    let colors: Vec<_> = (0..=usize::from(highest)).map(palette::display).collect();
    let style = Style {
        contour: Some(1),
        ..Style::default()
    };
    jpeg(&overlay(&small, &shown, &colors, style)?)
}

fn jpeg(picture: &RgbImage) -> Result<String, ExamError> {
    let bytes = rgb_jpeg(picture, QUALITY)?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes)))
}
