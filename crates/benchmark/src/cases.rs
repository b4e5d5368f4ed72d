use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use seggpt_imaging::{
    IGNORE, LabelPlane, RgbImage,
    overlay::{Style, overlay, thumbnail},
    palette, resize,
    write::rgb_jpeg,
};
use serde::{Deserialize, Serialize};

use crate::{
    Benchmark, BenchmarkError, Kind, Query, QueryScore, disk::put, prompt_labels::prompt_labels,
};

const FOLDER: &str = "cases";
/// Cases that are kept of each class (or object, or set where all classes are to be found at once).
const LIMIT: usize = 4;
/// Longest side of a picture.
const SIDE: u32 = 192;
const QUALITY: u8 = 66;

/// A bad prediction as pictures (data URIs).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Case {
    pub item: String,
    /// Place of the query in the benchmark.
    number: usize,
    pub set: String,
    /// The class to be found, or the video.
    pub part: String,
    pub iou: f64,
    /// Pixels that are wrong, as a share of all.
    pub wrong: f64,
    /// The prompt that guided it most, and its mask.
    pub prompt: String,
    pub query: String,
    pub truth: String,
    pub prediction: String,
}

/// The worst predictions of a row, a file each.
#[derive(Debug)]
pub(crate) struct Cases {
    folder: PathBuf,
    worst: BTreeMap<(String, String), Vec<Rank>>,
}

/// How bad a case is: the lower IoU first, then the more wrong pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rank {
    iou: f64,
    wrong: f64,
    number: usize,
}

impl Rank {
    fn order(&self, other: &Self) -> std::cmp::Ordering {
        let worse = self.iou.total_cmp(&other.iou);
        worse
            .then(other.wrong.total_cmp(&self.wrong))
            .then(self.number.cmp(&other.number))
    }
}

impl Cases {
    /// Takes up what an earlier run has left in a row's folder.
    pub fn open(row: &Path) -> Result<Self, BenchmarkError> {
        let mut cases = Self {
            folder: row.join(FOLDER),
            worst: BTreeMap::new(),
        };
        for case in cases.all() {
            let rank = Rank {
                iou: case.iou,
                wrong: case.wrong,
                number: case.number,
            };
            cases
                .worst
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
            number: case.number,
        };
        cases.sort_by(|a, b| rank(a).order(&rank(b)));
        cases
    }

    /// Keeps a prediction if it is among the worst of its class. Queries that do not show the class are none: there is
    /// nothing to see in them.
    pub fn consider(
        &mut self,
        benchmark: &Benchmark,
        at: usize,
        score: &QueryScore,
        prediction: &LabelPlane,
    ) -> Result<(), BenchmarkError> {
        let query = &benchmark.queries[at];
        let shown = score
            .classes()
            .any(|(class, areas)| class != 0 && areas.true_ > 0);
        let Some(iou) = score.iou().filter(|iou| shown && *iou < 1.0) else {
            return Ok(());
        };
        let rank = Rank {
            iou,
            wrong: wrong(score),
            number: at,
        };
        let key = (
            benchmark.splits[query.split].name.clone(),
            part(benchmark, query)?,
        );
        let worst = self.worst.entry(key.clone()).or_default();
        worst.retain(|other| other.number != at); // of a process that did not live to put the score on record
        worst.push(rank);
        worst.sort_by(Rank::order);
        let dropped = (worst.len() > LIMIT).then(|| worst.pop()).flatten();
        if dropped == Some(rank) {
            return Ok(());
        }
        let case = Pictures::of(benchmark, query, score, prediction)?.case(key, rank, score);
        let failed = |error: std::io::Error| BenchmarkError::results(&self.folder, error);
        fs::create_dir_all(&self.folder).map_err(failed)?;
        let text = serde_json::to_vec(&case).expect("numbers and texts serialise");
        put(&self.file(at), &text)?;
        if let Some(dropped) = dropped {
            let _ = fs::remove_file(self.file(dropped.number));
        }
        Ok(())
    }

    fn file(&self, number: usize) -> PathBuf {
        self.folder.join(format!("{number}.json"))
    }
}

/// The share of pixels that are background in one plane and not in the other.
fn wrong(score: &QueryScore) -> f64 {
    let ground = score.of(0).unwrap_or_default();
    let all: u64 = score.classes().map(|(_, areas)| areas.true_).sum();
    (ground.either() - ground.both) as f64 / all.max(1) as f64
}

/// What cases are sorted by: video, class, or half of a panoptic picture.
fn part(benchmark: &Benchmark, query: &Query) -> Result<String, BenchmarkError> {
    let split = &benchmark.splits[query.split];
    let frame = split.dataset.sample(query.sample)?.frame.as_ref();
    let video = frame.map(|frame| frame.video.clone());
    let class = query.class.map(|id| split.name_of(id));
    let half = (split.kind == Kind::Panoptic).then(|| match query.after {
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
    prediction: String,
}

impl Pictures {
    fn of(
        benchmark: &Benchmark,
        query: &Query,
        score: &QueryScore,
        prediction: &LabelPlane,
    ) -> Result<Self, BenchmarkError> {
        let split = &benchmark.splits[query.split];
        let named = |&sample: &usize| {
            let known = split.dataset.sample(sample);
            known.is_ok_and(|known| Some(&known.name) == score.prompts.first())
        };
        let prompt = query.pool.iter().copied().find(named);
        let prompt = match prompt {
            None => String::new(),
            Some(sample) => {
                let picture = split.dataset.picture(sample)?;
                drawn(&picture, &prompt_labels(split, query, sample)?)?
            }
        };
        let picture = split.dataset.picture(query.sample)?;
        Ok(Self {
            prompt,
            query: jpeg(&thumbnail(&picture, SIDE))?,
            truth: drawn(&picture, &benchmark.truth(query)?)?,
            prediction: drawn(&picture, prediction)?,
        })
    }

    fn case(self, (set, part): (String, String), rank: Rank, score: &QueryScore) -> Case {
        Case {
            item: score.item.clone(),
            number: rank.number,
            set,
            part,
            iou: rank.iou,
            wrong: rank.wrong,
            prompt: self.prompt,
            query: self.query,
            truth: self.truth,
            prediction: self.prediction,
        }
    }
}

/// A picture with labels over it, small.
fn drawn(picture: &RgbImage, labels: &LabelPlane) -> Result<String, BenchmarkError> {
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

fn jpeg(picture: &RgbImage) -> Result<String, BenchmarkError> {
    let bytes = rgb_jpeg(picture, QUALITY)?;
    Ok(format!("data:image/jpeg;base64,{}", STANDARD.encode(bytes)))
}
