use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
    sync::Arc,
};

use rayon::prelude::*;
use seggpt_contract::{Class, SegType};
use seggpt_datasets::Dataset;
use seggpt_imaging::palette;
use seggpt_prompt_library::memory::Policy;

use crate::{
    BenchmarkError, Kind, Protocol, Source,
    opened::{self, Opened},
    queries::{self, SplitDraft},
};

/// A picture, the prompts that may go with it, and what is to be found in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Its name: unique in the benchmark, and the same whenever the benchmark is opened again.
    pub item: String,
    /// Its place in [`Benchmark::splits`].
    pub split: usize,
    /// The class to be found; `None`: several at once.
    pub class: Option<u16>,
    /// The classes to be found at once: the objects that a video has shown, the stuff or the things of a panoptic set;
    /// empty: all classes of the split.
    pub classes: Arc<[u16]>,
    /// The sample whose mask is to be predicted.
    pub sample: usize,
    /// The samples to choose prompts from, the best first.
    pub pool: Arc<[usize]>,
    /// What a colour stands for.
    pub seg_type: SegType,
    /// The query whose prediction this one builds on, by its place in the benchmark.
    pub after: Option<usize>,
}

/// The queries of one set, or of one fold of it.
pub struct Split {
    /// What tables call it.
    pub name: String,
    /// What is query.
    pub kind: Kind,
    /// Pictures and truth.
    pub dataset: Arc<dyn Dataset>,
    /// The classes to be found, in the colours of the prompts' masks where all are to be found at once.
    pub classes: Vec<Class>,
    /// Those classes that are countable things, where the set says so.
    pub things: BTreeSet<u16>,
    /// Its queries in [`Benchmark::queries`].
    pub queries: Range<usize>,
    /// In videos: which objects a sample shows as a prompt, those that appear in it first.
    pub introduced: BTreeMap<usize, Vec<u16>>,
    /// In videos: the objects, as video and id, of categories that a training set has, where that is known.
    pub seen: Option<BTreeSet<(String, u16)>>,
}

impl Split {
    /// What a class is called.
    #[must_use]
    pub fn name_of(&self, class: u16) -> String {
        let known = self.classes.iter().find(|known| known.id == class);
        known.map_or_else(|| format!("class {class}"), |class| class.name.clone())
    }
}

/// All queries of all sets.
pub struct Benchmark {
    /// One a set or fold.
    pub splits: Vec<Split>,
    /// All queries, split by split; those with the same prompts stand together.
    pub queries: Vec<Query>,
    /// How they were chosen.
    pub protocol: Protocol,
    /// How many prompts a query gets, where the pool has more.
    pub shots: usize,
    /// Whether earlier frames of a video and the predictions for them are prompts, too.
    pub memory: bool,
    /// Which of them, beside those that are prompts anyway.
    pub policy: Policy,
    /// What people should know about the sets.
    pub notes: Vec<String>,
    /// Which query builds on the prediction for which.
    followers: HashMap<usize, usize>,
}

impl Benchmark {
    /// Opens sets and lists their queries; `shots`: how many prompts a query gets.
    ///
    /// # Errors
    /// A set that cannot be read or recognised, whose layout has not what the protocol needs, or a truth that is not as large
    /// as its picture.
    pub fn open(
        sources: &[Source],
        protocol: &Protocol,
        shots: usize,
    ) -> Result<Self, BenchmarkError> {
        let mut benchmark = Self {
            splits: Vec::new(),
            queries: Vec::new(),
            protocol: protocol.clone(),
            shots: shots.max(1),
            memory: false,
            policy: Policy::None,
            notes: Vec::new(),
            followers: HashMap::new(),
        };
        for source in sources {
            let opened = opened::open(source, protocol.kind)?;
            benchmark.add(&opened)?;
        }
        benchmark
            .splits
            .iter()
            .try_for_each(|split| sizes(&benchmark, split))?;
        Ok(benchmark)
    }

    /// Makes earlier frames and the predictions for them prompts of later ones: of each query those that are prompts anyway,
    /// and of those before it at most [`Benchmark::shots`], which `policy` chooses.
    ///
    /// # Errors
    /// As [`Benchmark::check_memory`].
    pub fn enable_memory(&mut self, policy: Policy) -> Result<(), BenchmarkError> {
        self.check_memory()?;
        for at in 1..self.queries.len() {
            let [before, own] = [at - 1, at].map(|at| self.video(&self.queries[at]));
            if own? == before? {
                self.link(at - 1, at);
            }
        }
        (self.memory, self.policy) = (true, policy);
        Ok(())
    }

    /// Whether memory can be used.
    ///
    /// # Errors
    /// A set whose protocol is not that of videos.
    pub fn check_memory(&self) -> Result<(), BenchmarkError> {
        match self.splits.iter().find(|split| split.kind != Kind::Video) {
            None => Ok(()),
            Some(split) => Err(BenchmarkError::Protocol {
                set: split.name.clone(),
                reason: format!(
                    "`memory` is for videos, and this set has protocol `{}`; measure it by a command of its own",
                    split.kind
                ),
            }),
        }
    }

    /// Split and video of a query.
    fn video(&self, query: &Query) -> Result<(usize, Option<&str>), BenchmarkError> {
        let sample = self.splits[query.split].dataset.sample(query.sample)?;
        let video = sample.frame.as_ref().map(|frame| frame.video.as_str());
        Ok((query.split, video))
    }

    /// The query that builds on the prediction for this one.
    #[must_use]
    pub fn follower(&self, at: usize) -> Option<usize> {
        self.followers.get(&at).copied()
    }

    /// The queries that this one builds on, the last first.
    pub(crate) fn before(&self, query: &Query) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(query.after, |&at| self.queries[at].after)
    }

    /// All queries that build on each other, this one among them, in their order.
    pub(crate) fn chain(&self, at: usize) -> Vec<usize> {
        let mut chain: Vec<usize> = self.before(&self.queries[at]).collect();
        chain.reverse();
        chain.extend(std::iter::successors(Some(at), |&at| self.follower(at)));
        chain
    }

    /// The size (width, height) at which predictions for a picture of this size are compared with the truth.
    #[must_use]
    pub fn eval_size(&self, split: usize, size: (usize, usize)) -> (usize, usize) {
        let side = self
            .protocol
            .eval_size
            .or(self.splits[split].kind.eval_size());
        match side {
            None | Some(0) => size,
            Some(side) => crate::episodes::long_side(size, side),
        }
    }

    fn add(&mut self, opened: &Opened) -> Result<(), BenchmarkError> {
        let drafts = queries::of(opened, &self.protocol, self.shots)?;
        self.notes.extend(opened.notes.iter().cloned());
        self.notes.extend(drafts.notes);
        for draft in drafts.drafts {
            self.add_split(opened, draft);
        }
        Ok(())
    }

    /// Adds a split under a name that no other has.
    fn add_split(&mut self, opened: &Opened, draft: SplitDraft) {
        let taken = |name: &str| self.splits.iter().any(|split| split.name == name);
        let name = draft.name;
        let name = match taken(&name) {
            false => name,
            true => (2..)
                .map(|number| format!("{name} ({number})"))
                .find(|name| !taken(name))
                .unwrap_or(name),
        };
        let first = self.queries.len();
        let split = self.splits.len();
        for query in draft.queries {
            self.queries.push(Query {
                item: format!("{name}/{}", query.name),
                split,
                class: query.class,
                classes: query.classes,
                sample: query.sample,
                pool: query.pool,
                seg_type: query.seg_type,
                after: None,
            });
            if let Some(before) = query.after {
                self.link(first + before, self.queries.len() - 1);
            }
        }
        let classes = opened.dataset.classes().iter();
        let only = draft.only.as_ref();
        let wanted = classes.filter(|class| only.is_none_or(|only| only.contains(&class.id)));
        let wanted: Vec<_> = wanted.collect();
        let things = wanted.iter().filter(|class| class.thing == Some(true));
        let things = things.map(|class| class.id).collect();
        let colors = palette::distinct(wanted.len());
        let classes = wanted.into_iter().zip(colors).map(|(class, color)| Class {
            id: class.id,
            name: class.name.clone(),
            color,
        });
        self.splits.push(Split {
            name,
            kind: draft.kind,
            dataset: Arc::clone(&opened.dataset),
            classes: classes.collect(),
            things,
            queries: first..self.queries.len(),
            introduced: draft.introduced,
            seen: opened.seen.clone(),
        });
    }

    fn link(&mut self, first: usize, then: usize) {
        self.queries[then].after = Some(first);
        self.followers.insert(first, then);
    }
}

/// Refuses truths that are not as large as their pictures, prompts' and queries'.
fn sizes(benchmark: &Benchmark, split: &Split) -> Result<(), BenchmarkError> {
    let queries = benchmark.queries[split.queries.clone()].iter();
    let pools: BTreeSet<&Arc<[usize]>> = queries.clone().map(|query| &query.pool).collect();
    let shown = pools.into_iter().flat_map(|pool| pool.iter().copied());
    let samples: BTreeSet<usize> = queries.map(|query| query.sample).chain(shown).collect();
    let samples: Vec<usize> = samples.into_iter().collect();
    let odd = |&sample: &usize| {
        let set = &*split.dataset;
        let Some(truth) = set.truth_size(sample)? else {
            return Ok(None);
        };
        // A picture that cannot be read fails alone, when it is query.
        let Ok(picture) = set.picture_size(sample) else {
            return Ok(None);
        };
        let text = || -> Result<String, BenchmarkError> {
            let name = &set.sample(sample)?.name;
            let ((w, h), (pw, ph)) = (truth, picture);
            Ok(format!(
                "`{name}` has a truth of {w} x {h} pixels, but a picture of {pw} x {ph}"
            ))
        };
        (truth != picture).then(text).transpose()
    };
    let odd: Vec<Option<String>> = samples
        .par_iter()
        .map(odd)
        .collect::<Result<_, BenchmarkError>>()?;
    let truths: Vec<String> = odd.into_iter().flatten().collect();
    match truths.is_empty() {
        true => Ok(()),
        false => Err(BenchmarkError::TruthSizes {
            set: split.name.clone(),
            truths,
        }),
    }
}
