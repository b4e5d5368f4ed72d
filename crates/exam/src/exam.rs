use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use seggpt_contract::Class;
use seggpt_eval::{
    data::{Dataset, Role},
    episodes::{Episodes, FOLDS, Shots, class_tasks},
    metrics::Videos,
};
use seggpt_imaging::palette;

use crate::{
    ExamError, Kind, Protocol, Source,
    open::{self, Draw, Found},
};

/// A picture, the prompts that may go with it, and what is to be found in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Its name: unique in the exam, and the same whenever the exam is opened again.
    pub item: String,
    /// Its place in [`Exam::papers`].
    pub paper: usize,
    /// The class that is asked for; `None`: all that the prompts show.
    pub class: Option<u16>,
    /// The sample to be answered.
    pub query: usize,
    /// The samples to choose prompts from, the best first.
    pub pool: Arc<[usize]>,
    /// In videos: the objects that are looked for.
    pub objects: Arc<[u16]>,
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
    /// Its questions in [`Exam::questions`].
    pub questions: Range<usize>,
    /// In videos: which objects a sample shows as a prompt, those that appear in it first.
    pub introduced: BTreeMap<usize, Vec<u16>>,
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
}

impl Exam {
    /// Opens sets and lists their questions; `shots`: how many prompts a question gets.
    ///
    /// # Errors
    /// A set that cannot be read or recognised, or whose layout has not what the protocol needs.
    pub fn open(sources: &[Source], protocol: &Protocol, shots: usize) -> Result<Self, ExamError> {
        let mut exam = Self {
            papers: Vec::new(),
            questions: Vec::new(),
            protocol: protocol.clone(),
            shots: shots.max(1),
        };
        for source in sources {
            let found = open::open(source)?;
            exam.add(&found)?;
        }
        Ok(exam)
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
        let kind = self.protocol.kind.unwrap_or(found.kind);
        let name = found.dataset.name().to_owned();
        match kind {
            Kind::Classes => {
                let asked = class_questions(found, &self.protocol)?;
                self.paper(found, kind, name, None, BTreeMap::new(), asked);
            }
            Kind::Semantic => {
                let asked = semantic_questions(found, &self.protocol)?;
                self.paper(found, kind, name, None, BTreeMap::new(), asked);
            }
            Kind::Video => {
                let (introduced, asked) = video_questions(found, &self.protocol)?;
                self.paper(found, kind, name, None, introduced, asked);
            }
            Kind::Episodes => self.add_folds(found, &name)?,
        }
        Ok(())
    }

    fn add_folds(&mut self, found: &Found, name: &str) -> Result<(), ExamError> {
        let Some(classes_of) = found.folds else {
            let all: Vec<u16> = found.dataset.classes().iter().map(|c| c.id).collect();
            let asked = episode_questions(found, &all, &self.protocol, self.shots)?;
            self.paper(
                found,
                Kind::Episodes,
                name.to_owned(),
                Some(&all),
                BTreeMap::new(),
                asked,
            );
            return Ok(());
        };
        let folds = match &self.protocol.folds[..] {
            [] => (0..FOLDS).collect(),
            folds => folds.to_vec(),
        };
        for fold in folds {
            let classes = classes_of(fold).ok_or_else(|| ExamError::Protocol {
                set: name.to_owned(),
                reason: format!("there is no fold {fold}; the folds are 0 to {}", FOLDS - 1),
            })?;
            let asked = episode_questions(found, &classes, &self.protocol, self.shots)?;
            let name = format!("{name} fold {fold}");
            self.paper(
                found,
                Kind::Episodes,
                name,
                Some(&classes),
                BTreeMap::new(),
                asked,
            );
        }
        Ok(())
    }

    /// Adds a paper under a name that no other has.
    fn paper(
        &mut self,
        found: &Found,
        kind: Kind,
        name: String,
        only: Option<&[u16]>,
        introduced: BTreeMap<usize, Vec<u16>>,
        asked: Vec<Asked>,
    ) {
        let taken = |name: &str| self.papers.iter().any(|paper| paper.name == name);
        let name = match taken(&name) {
            false => name,
            true => (2..)
                .map(|number| format!("{name} ({number})"))
                .find(|name| !taken(name))
                .unwrap_or(name),
        };
        let first = self.questions.len();
        let paper = self.papers.len();
        self.questions
            .extend(asked.into_iter().map(|asked| Question {
                item: format!("{name}/{}", asked.name),
                paper,
                class: asked.class,
                query: asked.query,
                pool: asked.pool,
                objects: asked.objects,
            }));
        let classes = found.dataset.classes().iter();
        let wanted = classes.filter(|class| only.is_none_or(|only| only.contains(&class.id)));
        let wanted: Vec<_> = wanted.collect();
        let colors = palette::distinct(wanted.len());
        let classes = wanted.into_iter().zip(colors).map(|(class, color)| Class {
            id: class.id,
            name: class.name.clone(),
            color,
        });
        self.papers.push(Paper {
            name,
            kind,
            dataset: Arc::clone(&found.dataset),
            classes: classes.collect(),
            questions: first..self.questions.len(),
            introduced,
        });
    }
}

/// A question before it has its place.
struct Asked {
    name: String,
    class: Option<u16>,
    query: usize,
    pool: Arc<[usize]>,
    objects: Arc<[u16]>,
}

/// The side at which prompts are compared by how much of a class they show.
const PROMPT_SIDE: usize = 448;

fn class_questions(found: &Found, protocol: &Protocol) -> Result<Vec<Asked>, ExamError> {
    let set = &*found.dataset;
    let tasks = class_tasks(set, usize::MAX, PROMPT_SIDE, protocol.every)?;
    let mut asked = Vec::new();
    for task in tasks {
        let pool: Arc<[usize]> = task.prompts.into();
        let class = class_name(set, task.class);
        for query in task.queries {
            asked.push(Asked {
                name: format!("{class}/{}", set.sample(query)?.name),
                class: Some(task.class),
                query,
                pool: Arc::clone(&pool),
                objects: Arc::new([]),
            });
        }
    }
    Ok(asked)
}

fn semantic_questions(found: &Found, protocol: &Protocol) -> Result<Vec<Asked>, ExamError> {
    let set = &*found.dataset;
    let with = |role: Role| {
        let samples = set.samples().iter().enumerate();
        samples
            .filter(move |(_, sample)| sample.role == Some(role))
            .map(|(index, _)| index)
    };
    let pool: Arc<[usize]> = with(Role::Prompt).collect();
    if pool.is_empty() {
        return Err(ExamError::Protocol {
            set: set.name().to_owned(),
            reason:
                "no sample is a prompt; protocol `semantic` needs a set with prompts of its own"
                    .to_owned(),
        });
    }
    let queries = with(Role::Query).step_by(protocol.every.max(1));
    queries
        .map(|query| {
            Ok(Asked {
                name: set.sample(query)?.name.clone(),
                class: None,
                query,
                pool: Arc::clone(&pool),
                objects: Arc::new([]),
            })
        })
        .collect()
}

fn episode_questions(
    found: &Found,
    classes: &[u16],
    protocol: &Protocol,
    shots: usize,
) -> Result<Vec<Asked>, ExamError> {
    let set = &*found.dataset;
    let pixels = protocol.min_pixels.unwrap_or(found.min_pixels);
    let episodes = Episodes::new(set, classes, Shots::Of(shots), pixels, protocol.seed)?;
    let draw = match (protocol.episodes, found.draw) {
        (Some(count), Draw::Even(_) | Draw::Once) => Draw::Even(count),
        (Some(count), Draw::Round(_)) => Draw::Round(count),
        (None, usual) => usual,
    };
    let drawn: Vec<_> = match draw {
        Draw::Even(count) => episodes.even(count).collect(),
        Draw::Round(count) => episodes.every_query().cycle().take(count).collect(),
        Draw::Once => episodes.every_query().collect(),
    };
    let drawn = drawn.into_iter().enumerate().step_by(protocol.every.max(1));
    drawn
        .map(|(number, episode)| {
            let (class, query) = (
                class_name(set, episode.class),
                &set.sample(episode.query)?.name,
            );
            Ok(Asked {
                name: format!("{number:05}/{class}/{query}"),
                class: Some(episode.class),
                query: episode.query,
                pool: episode.prompts.into(),
                objects: Arc::new([]),
            })
        })
        .collect()
}

type Introduced = BTreeMap<usize, Vec<u16>>;

fn video_questions(
    found: &Found,
    protocol: &Protocol,
) -> Result<(Introduced, Vec<Asked>), ExamError> {
    let set = &*found.dataset;
    let mut videos: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, sample) in set.samples().iter().enumerate() {
        if let Some(frame) = &sample.frame {
            videos.entry(&frame.video).or_default().push(index);
        }
    }
    if videos.is_empty() {
        return Err(ExamError::Protocol {
            set: set.name().to_owned(),
            reason: "it has no videos; leave the protocol out, or name another set".to_owned(),
        });
    }
    let mut introduced = BTreeMap::new();
    let mut asked = Vec::new();
    for frames in videos.values() {
        asked.extend(one_video(found, frames, protocol, &mut introduced)?);
    }
    if asked.is_empty() {
        return Err(ExamError::Protocol {
            set: set.name().to_owned(),
            reason: "no frame after the first has a mask, so there is nothing to compare with"
                .to_owned(),
        });
    }
    Ok((introduced, asked))
}

/// The questions of one video: its frames, in their order, after the one in which the first object appears.
fn one_video(
    found: &Found,
    frames: &[usize],
    protocol: &Protocol,
    introduced: &mut Introduced,
) -> Result<Vec<Asked>, ExamError> {
    let set = &*found.dataset;
    // DAVIS leaves out the last frame.
    let last = if found.late {
        frames.len()
    } else {
        Videos::counted(frames.len()).end
    };
    let (mut pool, mut known, mut asked) = (Vec::new(), BTreeSet::new(), Vec::new());
    for &frame in frames.get(..last).unwrap_or_default() {
        if !set.sample(frame)?.annotated {
            continue;
        }
        if !pool.is_empty() {
            asked.push(Asked {
                name: set.sample(frame)?.name.clone(),
                class: None,
                query: frame,
                pool: pool.clone().into(),
                objects: known.iter().copied().collect(),
            });
        }
        if pool.is_empty() || found.late {
            let shown = set.truth(frame)?.labels.classes();
            let new: Vec<u16> = shown.into_iter().filter(|id| known.insert(*id)).collect();
            if !new.is_empty() {
                pool.push(frame);
                introduced.insert(frame, new);
            }
        }
    }
    Ok(asked.into_iter().step_by(protocol.every.max(1)).collect())
}

fn class_name(set: &dyn Dataset, class: u16) -> String {
    let named = set.classes().iter().find(|known| known.id == class);
    named.map_or_else(|| format!("class {class}"), |class| class.name.clone())
}
