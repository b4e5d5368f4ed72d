use std::collections::BTreeMap;

use seggpt_eval::metrics::{ClassAreas, FoldAreas, Panoptic, Quality, VideoReport, Videos};
use serde::{Deserialize, Serialize};

use crate::{Exam, ExamError, Kind, Mark, Paper, segments};

/// What the answers to a paper are worth. Shares of 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetScore {
    /// The set, or a fold of it.
    pub set: String,
    /// What was asked.
    pub kind: Kind,
    /// What the number that it is ranked by is called.
    #[serde(default)]
    pub measure: String,
    /// The number that it is ranked by; `None` where nothing was answered.
    pub score: Option<f64>,
    /// Further numbers, by name.
    pub measures: Vec<(String, f64)>,
    /// Classes, tasks or objects, in their order.
    pub parts: Vec<Part>,
    /// Questions that there are.
    pub asked: usize,
    /// Questions that were answered.
    pub answered: usize,
}

/// A class, a class in a video, or an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its score; `None` where truth and answers never have it.
    pub score: Option<f64>,
}

/// Adds marks up.
pub struct Scores<'a> {
    exam: &'a Exam,
    sums: Vec<Sum>,
    papers: BTreeMap<&'a str, usize>,
}

struct Sum {
    answered: usize,
    counts: Counts,
}

/// The accumulators of each protocol.
enum Counts {
    /// By video and class.
    Classes(BTreeMap<(Option<String>, u16), ClassAreas>),
    Semantic(ClassAreas),
    Panoptic(Panoptic),
    Episodes(FoldAreas),
    Video(Videos),
}

impl<'a> Scores<'a> {
    /// Nothing is counted yet.
    #[must_use]
    pub fn new(exam: &'a Exam) -> Self {
        let sums = exam.papers.iter().map(|paper| {
            let ids = || paper.classes.iter().map(|class| class.id);
            let counts = match paper.kind {
                Kind::Classes => Counts::Classes(BTreeMap::new()),
                Kind::Semantic => Counts::Semantic(ClassAreas::new(ids())),
                Kind::Panoptic => Counts::Panoptic(segments::panoptic(paper)),
                Kind::Episodes => Counts::Episodes(FoldAreas::new(ids())),
                Kind::Video => Counts::Video(Videos::default()),
            };
            Sum {
                answered: 0,
                counts,
            }
        });
        let questions = exam.questions.iter().enumerate();
        Self {
            exam,
            sums: sums.collect(),
            papers: questions
                .map(|(at, question)| (question.item.as_str(), at))
                .collect(),
        }
    }

    /// Counts one mark; one of a question that the exam does not have changes nothing.
    ///
    /// # Errors
    /// A mark that does not fit its question, as after an edit of the journal.
    pub fn add(&mut self, mark: &Mark) -> Result<(), ExamError> {
        let Some(&at) = self.papers.get(mark.item.as_str()) else {
            return Ok(());
        };
        let question = &self.exam.questions[at];
        let paper = &self.exam.papers[question.paper];
        let frame = paper.dataset.sample(question.query)?.frame.as_ref();
        let video = frame.map(|frame| frame.video.clone());
        let sum = &mut self.sums[question.paper];
        sum.answered += 1;
        let asked = question.class.unwrap_or_default();
        match &mut sum.counts {
            Counts::Classes(tasks) => tasks
                .entry((video, asked))
                .or_insert_with(|| ClassAreas::new([asked]))
                .add_areas(asked, mark.of(asked).unwrap_or_default()),
            Counts::Semantic(areas) => mark
                .classes()
                .for_each(|(class, found)| areas.add_areas(class, found)),
            Counts::Panoptic(panoptic) => {
                for found in &mark.segments {
                    panoptic.add_matches(u32::from(found.class), found.matches())?;
                }
            }
            Counts::Episodes(fold) => fold.add_areas(
                asked,
                mark.of(0).unwrap_or_default(),
                mark.of(asked).unwrap_or_default(),
            )?,
            Counts::Video(videos) => {
                let index = frame.map_or(0, |frame| frame.index);
                for object in &mark.objects {
                    let score = (object.j, object.f);
                    videos.insert(
                        video.clone().unwrap_or_default(),
                        object.object,
                        index,
                        score,
                    )?;
                }
            }
        }
        Ok(())
    }

    /// The score of every paper.
    #[must_use]
    pub fn finish(&self) -> Vec<SetScore> {
        let papers = self.exam.papers.iter().zip(&self.sums);
        papers
            .map(|(paper, sum)| {
                let (score, measures, parts) = sum.counts.finish(paper);
                let measure = match paper.seen {
                    Some(_) => "G",
                    None => paper.kind.measure(),
                };
                SetScore {
                    set: paper.name.clone(),
                    kind: paper.kind,
                    measure: measure.to_owned(),
                    score,
                    measures,
                    parts,
                    asked: paper.questions.len(),
                    answered: sum.answered,
                }
            })
            .collect()
    }
}

type Finished = (Option<f64>, Vec<(String, f64)>, Vec<Part>);

impl Counts {
    fn finish(&self, paper: &Paper) -> Finished {
        let name = |class: u16| paper.name_of(class);
        match self {
            Self::Classes(tasks) => {
                let part = |((video, class), areas): (&(Option<String>, u16), &ClassAreas)| Part {
                    name: match video {
                        Some(video) => format!("{video}, {}", name(*class)),
                        None => name(*class),
                    },
                    score: areas.finish().mean_iou,
                };
                let parts: Vec<Part> = tasks.iter().map(part).collect();
                (
                    mean(parts.iter().filter_map(|part| part.score)),
                    vec![],
                    parts,
                )
            }
            Self::Semantic(areas) => {
                let report = areas.finish();
                let measures = [
                    ("mean accuracy", report.mean_accuracy),
                    ("pixel accuracy", report.pixel_accuracy),
                    ("mDice", report.mean_dice),
                ];
                let classes = report.classes.iter();
                let parts = classes.map(|class| Part {
                    name: name(class.class),
                    score: class.iou,
                });
                (report.mean_iou, there(measures), parts.collect())
            }
            Self::Panoptic(panoptic) => {
                let report = panoptic.finish();
                let groups = [
                    ("", report.all),
                    (" things", report.things),
                    (" stuff", report.stuff),
                ];
                let measures = groups
                    .iter()
                    .flat_map(|(group, quality)| qualities(group, *quality));
                let occurred = report
                    .categories
                    .iter()
                    .filter_map(|row| Some((u16::try_from(row.category).ok()?, row.quality?)));
                let parts = occurred.map(|(class, quality)| Part {
                    name: name(class),
                    score: Some(quality.pq),
                });
                // The first is the score itself.
                (
                    report.all.map(|all| all.pq),
                    measures.skip(1).collect(),
                    parts.collect(),
                )
            }
            Self::Episodes(fold) => {
                let report = fold.finish();
                let asked = report.classes.iter().any(|(_, _, episodes)| *episodes > 0);
                let parts = report.classes.iter().map(|(class, iou, _)| Part {
                    name: name(*class),
                    score: *iou,
                });
                let score = report.mean_iou.filter(|_| asked);
                (score, there([("FB-IoU", report.fb_iou)]), parts.collect())
            }
            Self::Video(videos) => {
                let Some(report) = videos.finish() else {
                    return (None, vec![], vec![]);
                };
                let (score, groups) = seen_unseen(&report, paper);
                let measures = [
                    ("J", Some(report.j.mean)),
                    ("J recall", Some(report.j.recall)),
                    ("J decay", Some(report.j.decay)),
                    ("F", Some(report.f.mean)),
                    ("F recall", Some(report.f.recall)),
                    ("F decay", Some(report.f.decay)),
                ];
                let parts = report.objects.iter().map(|object| Part {
                    name: format!("{}, object {}", object.video, object.object),
                    score: Some((object.j.mean + object.f.mean) / 2.0),
                });
                let measures = [groups, there(measures)].concat();
                (score, measures, parts.collect())
            }
        }
    }
}

fn qualities(group: &str, quality: Option<Quality>) -> Vec<(String, f64)> {
    let all = quality.map(|of| [("PQ", of.pq), ("SQ", of.sq), ("RQ", of.rq)]);
    let named = all.into_iter().flatten();
    named
        .map(|(name, value)| (format!("{name}{group}"), value))
        .collect()
}

/// G and what it is the mean of where seen categories are known, else J&F.
fn seen_unseen(report: &VideoReport, paper: &Paper) -> (Option<f64>, Vec<(String, f64)>) {
    let Some(seen) = &paper.seen else {
        return (Some(report.j_and_f), Vec::new());
    };
    let groups = report.seen_unseen(|video, object| seen.contains(&(video.to_owned(), object)));
    let measures = [
        ("J seen", groups.j_seen),
        ("J unseen", groups.j_unseen),
        ("F seen", groups.f_seen),
        ("F unseen", groups.f_unseen),
        ("J&F", Some(report.j_and_f)),
    ];
    (groups.overall, there(measures))
}

fn there<const N: usize>(measures: [(&str, Option<f64>); N]) -> Vec<(String, f64)> {
    let named = measures.into_iter();
    named
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// The mean, or `None` of nothing.
pub(crate) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values
        .into_iter()
        .fold((0.0, 0usize), |(sum, count), value| {
            (sum + value, count + 1)
        });
    (count > 0).then(|| sum / count as f64)
}
