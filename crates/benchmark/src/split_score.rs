use std::collections::BTreeMap;

use seggpt_metrics::{ClassAreas, FoldAreas, Panoptic, Quality, VideoReport, Videos, mean};
use serde::{Deserialize, Serialize};

use crate::{Benchmark, BenchmarkError, Kind, QueryScore, Split, segment_score};

/// What the predictions for a split are worth. Shares of 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SplitScore {
    /// The set, or a fold of it.
    pub set: String,
    /// Which protocol.
    pub kind: Kind,
    /// What the number that it is ranked by is called.
    #[serde(default)]
    pub measure: String,
    /// The number that it is ranked by; `None` where there is no prediction.
    pub score: Option<f64>,
    /// Further numbers, by name.
    pub measures: Vec<(String, f64)>,
    /// Classes, tasks or objects, in their order.
    pub parts: Vec<Part>,
    /// Queries that there are.
    #[serde(alias = "asked")]
    pub queries: usize,
    /// Queries with a prediction.
    #[serde(alias = "answered")]
    pub scored: usize,
}

/// A class, a class in a video, or an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its score; `None` where truth and predictions never have it.
    pub score: Option<f64>,
}

/// Adds scores up.
pub struct ScoreSum<'a> {
    benchmark: &'a Benchmark,
    sums: Vec<Sum>,
    queries: BTreeMap<&'a str, usize>,
}

struct Sum {
    scored: usize,
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

impl<'a> ScoreSum<'a> {
    /// Nothing is counted yet.
    #[must_use]
    pub fn new(benchmark: &'a Benchmark) -> Self {
        let sums = benchmark.splits.iter().map(|split| {
            let ids = || split.classes.iter().map(|class| class.id);
            let counts = match split.kind {
                Kind::Classes => Counts::Classes(BTreeMap::new()),
                Kind::Semantic => Counts::Semantic(ClassAreas::new(ids())),
                Kind::Panoptic => Counts::Panoptic(segment_score::panoptic(split)),
                Kind::Episodes => Counts::Episodes(FoldAreas::new(ids())),
                Kind::Video => Counts::Video(Videos::default()),
            };
            Sum { scored: 0, counts }
        });
        let queries = benchmark.queries.iter().enumerate();
        Self {
            benchmark,
            sums: sums.collect(),
            queries: queries
                .map(|(at, query)| (query.item.as_str(), at))
                .collect(),
        }
    }

    /// Counts one score; one of a query that the benchmark does not have changes nothing.
    ///
    /// # Errors
    /// A score that does not fit its query, as after an edit of the journal.
    pub fn add(&mut self, score: &QueryScore) -> Result<(), BenchmarkError> {
        let Some(&at) = self.queries.get(score.item.as_str()) else {
            return Ok(());
        };
        let query = &self.benchmark.queries[at];
        let split = &self.benchmark.splits[query.split];
        let frame = split.dataset.sample(query.sample)?.frame.as_ref();
        let video = frame.map(|frame| frame.video.clone());
        let sum = &mut self.sums[query.split];
        sum.scored += 1;
        let wanted = query.class.unwrap_or_default();
        match &mut sum.counts {
            Counts::Classes(tasks) => tasks
                .entry((video, wanted))
                .or_insert_with(|| ClassAreas::new([wanted]))
                .add_areas(wanted, score.of(wanted).unwrap_or_default()),
            Counts::Semantic(areas) => score
                .classes()
                .for_each(|(class, found)| areas.add_areas(class, found)),
            Counts::Panoptic(panoptic) => {
                for found in &score.segments {
                    panoptic.add_matches(u32::from(found.class), found.matches())?;
                }
            }
            Counts::Episodes(fold) => fold.add_areas(
                wanted,
                score.of(0).unwrap_or_default(),
                score.of(wanted).unwrap_or_default(),
            )?,
            Counts::Video(videos) => {
                let index = frame.map_or(0, |frame| frame.index);
                for object in &score.objects {
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

    /// The score of every split.
    #[must_use]
    pub fn finish(&self) -> Vec<SplitScore> {
        let splits = self.benchmark.splits.iter().zip(&self.sums);
        splits
            .map(|(split, sum)| {
                let (score, measures, parts) = sum.counts.finish(split);
                let measure = match split.seen {
                    Some(_) => "G",
                    None => split.kind.measure(),
                };
                SplitScore {
                    set: split.name.clone(),
                    kind: split.kind,
                    measure: measure.to_owned(),
                    score,
                    measures,
                    parts,
                    queries: split.queries.len(),
                    scored: sum.scored,
                }
            })
            .collect()
    }
}

type Finished = (Option<f64>, Vec<(String, f64)>, Vec<Part>);

impl Counts {
    fn finish(&self, split: &Split) -> Finished {
        let name = |class: u16| split.name_of(class);
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
                let counted = report.classes.iter().any(|(_, _, episodes)| *episodes > 0);
                let parts = report.classes.iter().map(|(class, iou, _)| Part {
                    name: name(*class),
                    score: *iou,
                });
                let score = report.mean_iou.filter(|_| counted);
                (score, there([("FB-IoU", report.fb_iou)]), parts.collect())
            }
            Self::Video(videos) => {
                let Some(report) = videos.finish() else {
                    return (None, vec![], vec![]);
                };
                let (score, groups) = seen_unseen(&report, split);
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
fn seen_unseen(report: &VideoReport, split: &Split) -> (Option<f64>, Vec<(String, f64)>) {
    let Some(seen) = &split.seen else {
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
