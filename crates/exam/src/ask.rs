mod memory;

pub use memory::{MEMORY, remembered};

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use seggpt_contract::{Class, Encoding, Example, Picture, Prompted, SegType, Square};
use seggpt_eval::{IGNORE, LabelPlane, data::Dataset};
use seggpt_imaging::{BLACK, Rgb, RgbImage, WHITE, resize, write};
use seggpt_prompt_library::{Choice, LibraryError, Pool, Query, Registry, Strategy};

use crate::{Exam, ExamError, Kept, Kind, Paper, Question};

/// Up to this many bytes a picture travels raw, beyond as PNG: dora refuses messages of 64 MiB.
const RAW_LIMIT: usize = 24 << 20;

/// Turns questions into messages. Prompts that stay the same from question to question are prepared once.
pub struct Asker {
    exam: Arc<Exam>,
    canvas: u32,
    select: String,
    kind: Option<SegType>,
    kept: Kept,
    table: Option<Table>,
    descriptors: memory::Descriptors,
}

/// The prompts that a run of questions chooses from.
struct Table {
    paper: usize,
    class: Option<u16>,
    wanted: Arc<[u16]>,
    pool: Arc<[usize]>,
    strategy: Box<dyn Strategy>,
    examples: HashMap<usize, Prepared>,
}

#[derive(Clone)]
struct Prepared {
    example: Example,
    /// The classes that its mask shows.
    classes: Vec<u16>,
}

impl Asker {
    /// `canvas`: side of the network's input; `select`: which prompts of the pool (`fixed`, `random`, `nearest`, or
    /// [`MEMORY`] of an exam that remembers, alone or as `memory:POLICY`); `kind`: the type token, if not that of the protocol; `kept`: the answers that
    /// questions build on.
    ///
    /// # Errors
    /// A strategy that does not exist.
    pub fn new(
        exam: Arc<Exam>,
        canvas: u32,
        select: &str,
        kind: Option<SegType>,
        kept: Kept,
    ) -> Result<Self, ExamError> {
        strategy(&exam, select)?;
        Ok(Self {
            exam,
            canvas,
            select: select.to_owned(),
            kind,
            kept,
            table: None,
            descriptors: memory::Descriptors::new(),
        })
    }

    /// The picture of a question with its examples, the best first.
    ///
    /// # Errors
    /// A picture or mask that cannot be read or contradicts the other; an answer that it cannot do without is missing.
    pub fn ask(&mut self, question: &Question) -> Result<Prompted, ExamError> {
        let exam = Arc::clone(&self.exam);
        let paper = &exam.papers[question.paper];
        if let (Kind::Panoptic, Some(half)) = (paper.kind, question.after) {
            exam.half(half, &self.kept)?;
        }
        let picture = paper.dataset.picture(question.query)?;
        let mut table = match self.table.take() {
            Some(table) if table.serves(question) => table,
            _ => self.table(question)?,
        };
        let answers = match exam.memory {
            true => memory::answers(&exam, question, &self.kept, &mut self.descriptors)?,
            false => Vec::new(),
        };
        let mut prompts = table.choose(&exam, question, &picture, self.canvas, &answers)?;
        self.table = Some(table);
        let unshown = answers
            .iter()
            .filter(|(frame, _)| !question.pool.contains(frame));
        for (frame, labels) in unshown {
            prompts.push(prepare(paper, question, *frame, labels, self.canvas)?);
        }
        let shown = |class: &&Class| prompts.iter().any(|p| p.classes.contains(&class.id));
        let all = match question.class {
            Some(_) => vec![asked_class(paper, question)],
            None => wanted_classes(paper, question),
        };
        let classes: Vec<_> = all.iter().filter(shown).cloned().collect();
        Ok(Prompted {
            image: message_picture(picture)?,
            examples: prompts.into_iter().map(|p| p.example).collect(),
            // Examples of nothing: whatever is painted all the same has a name.
            classes: if classes.is_empty() { all } else { classes },
            kind: self.kind.unwrap_or(question.seg_type),
            selection: self.select.clone(),
            warnings: Vec::new(),
        })
    }

    fn table(&self, question: &Question) -> Result<Table, ExamError> {
        Ok(Table {
            paper: question.paper,
            class: question.class,
            wanted: Arc::clone(&question.wanted),
            pool: Arc::clone(&question.pool),
            strategy: strategy(&self.exam, &self.select)?,
            examples: HashMap::new(),
        })
    }
}

fn strategy(exam: &Exam, select: &str) -> Result<Box<dyn Strategy>, LibraryError> {
    let seed = exam.protocol.seed;
    // What was shown comes first, memory after it.
    let select = match exam.memory && remembered(select).is_some() {
        true => "fixed",
        false => select,
    };
    Registry::default().make(select, &Choice { seed })
}

impl Table {
    fn serves(&self, question: &Question) -> bool {
        (self.paper, self.class) == (question.paper, question.class)
            && self.wanted == question.wanted
            && self.pool == question.pool
    }

    fn choose(
        &mut self,
        exam: &Exam,
        question: &Question,
        picture: &RgbImage,
        canvas: u32,
        answers: &[(usize, LabelPlane)],
    ) -> Result<Vec<Prepared>, ExamError> {
        let paper = &exam.papers[question.paper];
        let query = Query {
            item: &question.item,
            picture: &|| Ok(Cow::Borrowed(picture)),
        };
        let shown = Shown {
            dataset: &*paper.dataset,
            pool: &self.pool,
        };
        // What a video has shown so far belongs together.
        let count = match paper.introduced.is_empty() {
            true => exam.shots,
            false => self.pool.len(),
        };
        let selected = self.strategy.select(&query, &shown, count)?;
        let mut chosen = Vec::with_capacity(selected.len());
        for selected in selected {
            let sample = self.pool[selected.index];
            let mut prepared = match self.examples.get(&sample) {
                Some(prepared) => prepared.clone(),
                None => {
                    let labels = memory::completed(
                        prompt_labels(paper, question, sample)?,
                        answers.iter().find(|(frame, _)| *frame == sample),
                    );
                    let prepared = prepare(paper, question, sample, &labels, canvas)?;
                    self.examples.insert(sample, prepared.clone());
                    prepared
                }
            };
            prepared.example.score = selected.score;
            chosen.push(prepared);
        }
        Ok(chosen)
    }
}

/// The samples that a strategy picks from.
struct Shown<'a> {
    dataset: &'a dyn Dataset,
    pool: &'a [usize],
}

impl Pool for Shown<'_> {
    fn len(&self) -> usize {
        self.pool.len()
    }

    fn name(&self, index: usize) -> &str {
        let sample = self.dataset.sample(self.pool[index]);
        sample.map_or("", |sample| &sample.name)
    }

    fn picture(&self, index: usize) -> Result<RgbImage, LibraryError> {
        self.dataset
            .picture(self.pool[index])
            .map_err(|error| LibraryError::Unreadable {
                name: self.name(index).to_owned(),
                source: Box::new(error),
            })
    }
}

/// A sample with these labels as the network takes it: as `seggpt-prompts` prepares files, painted at its own size and then
/// reduced.
fn prepare(
    paper: &Paper,
    question: &Question,
    sample: usize,
    labels: &LabelPlane,
    canvas: u32,
) -> Result<Prepared, ExamError> {
    let picture = paper.dataset.picture(sample)?;
    let sizes = (
        (picture.width() as usize, picture.height() as usize),
        labels.size(),
    );
    let name = &paper.dataset.sample(sample)?.name;
    if sizes.0 != sizes.1 {
        return Err(ExamError::SizesDiffer {
            sample: name.clone(),
            picture: sizes.0,
            mask: sizes.1,
        });
    }
    let colors: HashMap<u16, Rgb> = match question.class {
        Some(class) => HashMap::from([(class, WHITE)]),
        None => wanted_classes(paper, question)
            .iter()
            .map(|class| (class.id, class.color))
            .collect(),
    };
    Ok(Prepared {
        example: Example {
            name: name.clone(),
            image: Square::from_rgb(resize::bicubic(&picture, canvas, canvas))?,
            mask: Square::from_rgb(resize::nearest_rgb(
                &painted(labels, &colors),
                canvas,
                canvas,
            ))?,
            score: 0.0,
        },
        classes: labels.classes(),
    })
}

/// The labels that a sample shows as a prompt.
pub(crate) fn prompt_labels(
    paper: &Paper,
    question: &Question,
    sample: usize,
) -> Result<LabelPlane, ExamError> {
    let labels = paper.dataset.truth(sample)?.labels;
    Ok(match (question.class, paper.introduced.get(&sample)) {
        (Some(class), _) => labels.map(|&id| if id == class { class } else { 0 }),
        (None, Some(new)) => labels.map(|id| if new.contains(id) { *id } else { 0 }),
        (None, None) if question.wanted.is_empty() => labels,
        (None, None) => labels.map(|id| match *id {
            IGNORE => IGNORE,
            id if question.wanted.contains(&id) => id,
            _ => 0,
        }),
    })
}

fn painted(labels: &LabelPlane, colors: &HashMap<u16, Rgb>) -> RgbImage {
    let (width, height) = labels.size();
    let pixels = labels
        .values()
        .iter()
        .flat_map(|id| colors.get(id).copied().unwrap_or(BLACK))
        .collect();
    RgbImage::from_raw(width as u32, height as u32, pixels).expect("three bytes a label")
}

/// The class that is asked for, white as the only one of a mask is.
fn asked_class(paper: &Paper, question: &Question) -> Class {
    let id = question.class.unwrap_or_default();
    Class {
        id,
        name: paper.name_of(id),
        color: WHITE,
    }
}

/// The classes of a question that asks for several: as few colours as are wanted.
fn wanted_classes(paper: &Paper, question: &Question) -> Vec<Class> {
    if question.wanted.is_empty() {
        return paper.classes.clone();
    }
    let colors = seggpt_imaging::palette::distinct(question.wanted.len());
    let wanted = question.wanted.iter().zip(colors);
    wanted
        .map(|(&id, color)| Class {
            id,
            name: paper.name_of(id),
            color,
        })
        .collect()
}

fn message_picture(picture: RgbImage) -> Result<Picture, ExamError> {
    if picture.as_raw().len() <= RAW_LIMIT {
        return Ok(Picture::from_rgb(picture));
    }
    let (width, height) = picture.dimensions();
    let png = write::rgb_png(&picture)?;
    Ok(Picture::new(width, height, Encoding::Png, png)?)
}
