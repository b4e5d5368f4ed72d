mod memory;
mod pool;

pub use memory::{MEMORY, remembered};

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use seggpt_contract::{Class, Encoding, Example, Picture, Prompted, RAW_PICTURE_LIMIT, SegType};
use seggpt_imaging::{BLACK, LabelPlane, Rgb, RgbImage, WHITE, palette, write};
use seggpt_prompt_library::{self as prompts, Choice, MaskPixels, Strategy, strategy};

use crate::{Benchmark, BenchmarkError, Kind, Query, Split, Stored, prompt_labels::prompt_labels};
use pool::SamplePool;

/// Turns queries into messages. Prompts that stay the same from query to query are prepared once.
pub struct QueryBuilder {
    benchmark: Arc<Benchmark>,
    canvas: u32,
    select: String,
    kind: Option<SegType>,
    stored: Stored,
    prompts: Option<PromptSet>,
    descriptors: memory::Descriptors,
}

/// The prompts that a series of queries chooses from.
struct PromptSet {
    split: usize,
    class: Option<u16>,
    classes: Arc<[u16]>,
    pool: Arc<[usize]>,
    strategy: Box<dyn Strategy>,
    prepared: HashMap<usize, Prepared>,
}

#[derive(Clone)]
struct Prepared {
    example: Example,
    /// The classes that its mask shows.
    classes: Vec<u16>,
}

impl QueryBuilder {
    /// `canvas`: side of the network's input; `select`: which prompts of the pool (a strategy of
    /// [`seggpt_prompt_library`], or [`MEMORY`] of a benchmark that has memory, alone or as `memory:POLICY`); `kind`: the type
    /// token, if not that of the protocol; `stored`: the predictions that queries build on.
    ///
    /// # Errors
    /// A strategy that does not exist.
    pub fn new(
        benchmark: Arc<Benchmark>,
        canvas: u32,
        select: &str,
        kind: Option<SegType>,
        stored: Stored,
    ) -> Result<Self, BenchmarkError> {
        selection(&benchmark, select)?;
        Ok(Self {
            benchmark,
            canvas,
            select: select.to_owned(),
            kind,
            stored,
            prompts: None,
            descriptors: memory::Descriptors::new(),
        })
    }

    /// The picture of a query with its examples, the best first.
    ///
    /// # Errors
    /// A picture or mask that cannot be read or contradicts the other; a prediction that it builds on is missing.
    pub fn build(&mut self, query: &Query) -> Result<Prompted, BenchmarkError> {
        let benchmark = Arc::clone(&self.benchmark);
        let split = &benchmark.splits[query.split];
        if let (Kind::Panoptic, Some(half)) = (split.kind, query.after) {
            benchmark.half(half, &self.stored)?;
        }
        let picture = split.dataset.picture(query.sample)?;
        let mut set = match self.prompts.take() {
            Some(set) if set.serves(query) => set,
            _ => self.prompt_set(query)?,
        };
        let predictions = match benchmark.memory {
            true => memory::predictions(&benchmark, query, &self.stored, &mut self.descriptors)?,
            false => Vec::new(),
        };
        let mut prompts = set.choose(&benchmark, query, &picture, self.canvas, &predictions)?;
        self.prompts = Some(set);
        let more = predictions
            .iter()
            .filter(|(frame, _)| !query.pool.contains(frame));
        for (frame, labels) in more {
            prompts.push(prepare(split, query, *frame, labels, self.canvas)?);
        }
        let shown = |class: &&Class| prompts.iter().any(|p| p.classes.contains(&class.id));
        let all = class_table(split, query);
        let classes: Vec<_> = all.iter().filter(shown).cloned().collect();
        Ok(Prompted {
            image: message_picture(picture)?,
            examples: prompts.into_iter().map(|p| p.example).collect(),
            // Examples of nothing: whatever is predicted all the same has a name.
            classes: if classes.is_empty() { all } else { classes },
            kind: self.kind.unwrap_or(query.seg_type),
            selection: self.select.clone(),
            warnings: Vec::new(),
        })
    }

    fn prompt_set(&self, query: &Query) -> Result<PromptSet, BenchmarkError> {
        Ok(PromptSet {
            split: query.split,
            class: query.class,
            classes: Arc::clone(&query.classes),
            pool: Arc::clone(&query.pool),
            strategy: selection(&self.benchmark, &self.select)?,
            prepared: HashMap::new(),
        })
    }
}

fn selection(benchmark: &Benchmark, select: &str) -> Result<Box<dyn Strategy>, BenchmarkError> {
    let seed = benchmark.protocol.seed;
    // The prompts of the set come first, earlier frames after them.
    let select = match benchmark.memory && remembered(select).is_some() {
        true => "fixed",
        false => select,
    };
    Ok(strategy(select, &Choice { seed })?)
}

impl PromptSet {
    fn serves(&self, query: &Query) -> bool {
        (self.split, self.class) == (query.split, query.class)
            && self.classes == query.classes
            && self.pool == query.pool
    }

    fn choose(
        &mut self,
        benchmark: &Benchmark,
        query: &Query,
        picture: &RgbImage,
        canvas: u32,
        predictions: &[(usize, LabelPlane)],
    ) -> Result<Vec<Prepared>, BenchmarkError> {
        let split = &benchmark.splits[query.split];
        let subject = prompts::Query {
            item: &query.item,
            picture: &|| Ok(Cow::Borrowed(picture)),
        };
        let pool = SamplePool::new(&*split.dataset, &self.pool);
        // What a video has shown so far belongs together.
        let count = match split.introduced.is_empty() {
            true => benchmark.shots,
            false => self.pool.len(),
        };
        let selected = self.strategy.select(&subject, &pool, count)?;
        let mut chosen = Vec::with_capacity(selected.len());
        for selected in selected {
            let sample = pool.sample(selected.index);
            let mut prepared = match self.prepared.get(&sample) {
                Some(prepared) => prepared.clone(),
                None => {
                    let labels = memory::completed(
                        prompt_labels(split, query, sample)?,
                        predictions.iter().find(|(frame, _)| *frame == sample),
                    );
                    let prepared = prepare(split, query, sample, &labels, canvas)?;
                    self.prepared.insert(sample, prepared.clone());
                    prepared
                }
            };
            prepared.example.score = selected.score;
            chosen.push(prepared);
        }
        Ok(chosen)
    }
}

/// A sample with these labels as the network takes it.
fn prepare(
    split: &Split,
    query: &Query,
    sample: usize,
    labels: &LabelPlane,
    canvas: u32,
) -> Result<Prepared, BenchmarkError> {
    let picture = split.dataset.picture(sample)?;
    let sizes = (
        (picture.width() as usize, picture.height() as usize),
        labels.size(),
    );
    let name = &split.dataset.sample(sample)?.name;
    if sizes.0 != sizes.1 {
        return Err(BenchmarkError::SizesDiffer {
            sample: name.clone(),
            picture: sizes.0,
            mask: sizes.1,
        });
    }
    let mask = colored(labels, &class_table(split, query));
    Ok(Prepared {
        example: prompts::prepare(name, &picture, MaskPixels::Colors(&mask), canvas)?,
        classes: labels.classes(),
    })
}

fn colored(labels: &LabelPlane, classes: &[Class]) -> RgbImage {
    let colors: HashMap<u16, Rgb> = classes
        .iter()
        .map(|class| (class.id, class.color))
        .collect();
    let (width, height) = labels.size();
    let pixels = labels
        .values()
        .iter()
        .flat_map(|id| colors.get(id).copied().unwrap_or(BLACK))
        .collect();
    RgbImage::from_raw(width as u32, height as u32, pixels).expect("three bytes a label")
}

/// The classes of a query: a single one in white, as the only class of a mask is; of several, as few colours as there are
/// classes to be found.
fn class_table(split: &Split, query: &Query) -> Vec<Class> {
    let named = |id: u16, color: Rgb| Class {
        id,
        name: split.name_of(id),
        color,
    };
    match query.class {
        Some(id) => vec![named(id, WHITE)],
        None if query.classes.is_empty() => split.classes.clone(),
        None => {
            let colors = palette::distinct(query.classes.len());
            let classes = query.classes.iter().zip(colors);
            classes.map(|(&id, color)| named(id, color)).collect()
        }
    }
}

fn message_picture(picture: RgbImage) -> Result<Picture, BenchmarkError> {
    if picture.as_raw().len() <= RAW_PICTURE_LIMIT {
        return Ok(Picture::from_rgb(picture));
    }
    let (width, height) = picture.dimensions();
    let png = write::rgb_png(&picture)?;
    Ok(Picture::new(width, height, Encoding::Png, png)?)
}
