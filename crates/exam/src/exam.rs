use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
    sync::Arc,
};

use rayon::prelude::*;
use seggpt_contract::{Class, SegType};
use seggpt_eval::data::Dataset;
use seggpt_imaging::palette;
use seggpt_prompt_library::memory::Policy;

use crate::{
    ExamError, Kind, Protocol, Source,
    open::{self, Found},
    questions::{self, Draft},
};

/// A picture, the prompts that may go with it, and what is to be found in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Its name: unique in the exam, and the same whenever the exam is opened again.
    pub item: String,
    /// Its place in [`Exam::papers`].
    pub paper: usize,
    /// The class that is asked for; `None`: several at once.
    pub class: Option<u16>,
    /// What is asked for at once: the objects that a video has shown, the stuff or the things of a panoptic set; empty:
    /// all classes of the paper.
    pub wanted: Arc<[u16]>,
    /// The sample to be answered.
    pub query: usize,
    /// The samples to choose prompts from, the best first.
    pub pool: Arc<[usize]>,
    /// What a colour stands for.
    pub seg_type: SegType,
    /// The question whose answer this one builds on, by its place in the exam.
    pub after: Option<usize>,
}

/// The questions of one set, or of one fold of it.
pub struct Paper {
    /// What tables call it.
    pub name: String,
    /// What is asked.
    pub kind: Kind,
    /// Pictures and truth.
    pub dataset: Arc<dyn Dataset>,
    /// The classes that are asked for, in the colours that prompts paint them in when all are asked for at once.
    pub classes: Vec<Class>,
    /// Those classes that are countable things, where the set says so.
    pub things: BTreeSet<u16>,
    /// Its questions in [`Exam::questions`].
    pub questions: Range<usize>,
    /// In videos: which objects a sample shows as a prompt, those that appear in it first.
    pub introduced: BTreeMap<usize, Vec<u16>>,
    /// In videos: the objects, as video and id, of categories that a training set has, where that is known.
    pub seen: Option<BTreeSet<(String, u16)>>,
}

impl Paper {
    /// What a class is called.
    #[must_use]
    pub fn name_of(&self, class: u16) -> String {
        let known = self.classes.iter().find(|known| known.id == class);
        known.map_or_else(|| format!("class {class}"), |class| class.name.clone())
    }
}

/// All questions of all sets.
pub struct Exam {
    /// One a set or fold.
    pub papers: Vec<Paper>,
    /// All questions, paper by paper; those with the same prompts stand together.
    pub questions: Vec<Question>,
    /// How they were chosen.
    pub protocol: Protocol,
    /// How many prompts a question gets, where the pool has more.
    pub shots: usize,
    /// Whether earlier frames of a video and the answers to them are prompts, too.
    pub memory: bool,
    /// Which of them, beside those that are shown anyway.
    pub policy: Policy,
    /// What people should know about the sets.
    pub notes: Vec<String>,
    /// Which question builds on the answer to which.
    followers: HashMap<usize, usize>,
}

impl Exam {
    /// Opens sets and lists their questions; `shots`: how many prompts a question gets.
    ///
    /// # Errors
    /// A set that cannot be read or recognised, whose layout has not what the protocol needs, or a truth that is not as large
    /// as its picture.
    pub fn open(sources: &[Source], protocol: &Protocol, shots: usize) -> Result<Self, ExamError> {
        let mut exam = Self {
            papers: Vec::new(),
            questions: Vec::new(),
            protocol: protocol.clone(),
            shots: shots.max(1),
            memory: false,
            policy: Policy::None,
            notes: Vec::new(),
            followers: HashMap::new(),
        };
        for source in sources {
            let found = open::open(source, protocol.kind)?;
            exam.add(&found)?;
        }
        exam.papers
            .iter()
            .try_for_each(|paper| sizes(&exam, paper))?;
        Ok(exam)
    }

    /// Makes earlier frames and the answers to them prompts of later ones: of each question those that are shown anyway,
    /// and of those that were asked before it at most [`Exam::shots`], which `policy` chooses.
    ///
    /// # Errors
    /// As [`Exam::check_memory`].
    pub fn remember(&mut self, policy: Policy) -> Result<(), ExamError> {
        self.check_memory()?;
        for at in 1..self.questions.len() {
            let [before, own] = [at - 1, at].map(|at| self.video(&self.questions[at]));
            if own? == before? {
                self.link(at - 1, at);
            }
        }
        (self.memory, self.policy) = (true, policy);
        Ok(())
    }

    /// Whether there is anything to remember.
    ///
    /// # Errors
    /// A set that is not asked as videos.
    pub fn check_memory(&self) -> Result<(), ExamError> {
        match self.papers.iter().find(|paper| paper.kind != Kind::Video) {
            None => Ok(()),
            Some(paper) => Err(ExamError::Protocol {
                set: paper.name.clone(),
                reason: format!(
                    "`memory` is for videos, and this set is asked by protocol `{}`; measure it by a command of its own",
                    paper.kind
                ),
            }),
        }
    }

    /// Paper and video of a question.
    fn video(&self, question: &Question) -> Result<(usize, Option<&str>), ExamError> {
        let sample = self.papers[question.paper].dataset.sample(question.query)?;
        let video = sample.frame.as_ref().map(|frame| frame.video.as_str());
        Ok((question.paper, video))
    }

    /// The question that builds on the answer to this one.
    #[must_use]
    pub fn follower(&self, at: usize) -> Option<usize> {
        self.followers.get(&at).copied()
    }

    /// The questions that this one builds on, the last first.
    pub(crate) fn before(&self, question: &Question) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(question.after, |&at| self.questions[at].after)
    }

    /// All questions that build on each other, this one among them, in their order.
    pub(crate) fn chain(&self, at: usize) -> Vec<usize> {
        let mut chain: Vec<usize> = self.before(&self.questions[at]).collect();
        chain.reverse();
        chain.extend(std::iter::successors(Some(at), |&at| self.follower(at)));
        chain
    }

    /// The size (width, height) at which answers of a paper to a picture of this size are compared with the truth.
    #[must_use]
    pub fn marked_at(&self, paper: usize, size: (usize, usize)) -> (usize, usize) {
        let side = self.protocol.side.or(self.papers[paper].kind.side());
        match side {
            None | Some(0) => size,
            Some(side) => seggpt_eval::episodes::long_side(size, side),
        }
    }

    fn add(&mut self, found: &Found) -> Result<(), ExamError> {
        let drafts = questions::of(found, &self.protocol, self.shots)?;
        self.notes.extend(found.notes.iter().cloned());
        self.notes.extend(drafts.notes);
        for draft in drafts.drafts {
            self.paper(found, draft);
        }
        Ok(())
    }

    /// Adds a paper under a name that no other has.
    fn paper(&mut self, found: &Found, draft: Draft) {
        let taken = |name: &str| self.papers.iter().any(|paper| paper.name == name);
        let name = draft.name;
        let name = match taken(&name) {
            false => name,
            true => (2..)
                .map(|number| format!("{name} ({number})"))
                .find(|name| !taken(name))
                .unwrap_or(name),
        };
        let first = self.questions.len();
        let paper = self.papers.len();
        for asked in draft.asked {
            self.questions.push(Question {
                item: format!("{name}/{}", asked.name),
                paper,
                class: asked.class,
                wanted: asked.wanted,
                query: asked.query,
                pool: asked.pool,
                seg_type: asked.seg_type,
                after: None,
            });
            if let Some(before) = asked.after {
                self.link(first + before, self.questions.len() - 1);
            }
        }
        let classes = found.dataset.classes().iter();
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
        self.papers.push(Paper {
            name,
            kind: draft.kind,
            dataset: Arc::clone(&found.dataset),
            classes: classes.collect(),
            things,
            questions: first..self.questions.len(),
            introduced: draft.introduced,
            seen: found.seen.clone(),
        });
    }

    fn link(&mut self, first: usize, then: usize) {
        self.questions[then].after = Some(first);
        self.followers.insert(first, then);
    }
}

/// Refuses truths that are not as large as their pictures, prompts' and queries'.
fn sizes(exam: &Exam, paper: &Paper) -> Result<(), ExamError> {
    let questions = exam.questions[paper.questions.clone()].iter();
    let pools: BTreeSet<&Arc<[usize]>> = questions.clone().map(|question| &question.pool).collect();
    let shown = pools.into_iter().flat_map(|pool| pool.iter().copied());
    let samples: BTreeSet<usize> = questions
        .map(|question| question.query)
        .chain(shown)
        .collect();
    let samples: Vec<usize> = samples.into_iter().collect();
    let odd = |&sample: &usize| {
        let set = &*paper.dataset;
        let Some(truth) = set.truth_size(sample)? else {
            return Ok(None);
        };
        // A picture that cannot be read fails alone, when it is asked.
        let Ok(picture) = set.picture_size(sample) else {
            return Ok(None);
        };
        let text = || -> Result<String, ExamError> {
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
        .collect::<Result<_, ExamError>>()?;
    let truths: Vec<String> = odd.into_iter().flatten().collect();
    match truths.is_empty() {
        true => Ok(()),
        false => Err(ExamError::TruthSizes {
            set: paper.name.clone(),
            truths,
        }),
    }
}
