//! In-context tuning (SegGPT, section 3.4): the network is frozen, and the prompt learns.
//!
//! The prompt's picture and its painted mask are variables between black and white, and begin as a real prompt. Adam
//! moves them so that the masks of labelled pictures come out right, by the loss of training with the query hidden. What
//! is kept is what an 8-bit picture file can hold: validation is always on the rounded prompt, the best rounded prompt is
//! the result, and what rounding costs is reported ([`Tuned::exact`]).

mod prompt;
mod queries;
mod state;

use std::{fs, path::Path, sync::Arc, thread, time::Instant};

use seggpt::{Tensor, Trainable};
use seggpt_imaging::resize;
use seggpt_samples::{Example, SegType, Source};

use crate::{
    Batch, Limit, Masking, Score, Task, TrainError, Watch,
    loader::{Loader, Order},
    loss::smooth_l1,
    memory,
    meter::{Meter, Step},
    page,
    store::replace,
    validation::{self, Measure, Picture},
};
use queries::Queries;
use state::{Best, State};

/// How a prompt is tuned.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    /// Decides all that is random.
    pub seed: u64,
    /// Edge of the prompt and of the queries in pixels: a multiple of the patch, best what the network was trained at.
    pub size: u32,
    /// Steps of the whole tuning.
    pub steps: u64,
    /// Queries a step.
    pub batch: usize,
    /// How far a pixel moves in a step at most, as a share of the way from black to white; it falls to 0 along a cosine.
    pub learning_rate: f64,
    /// Of the smooth L1 loss.
    pub beta: f64,
    /// Whether the painted mask learns, too.
    pub mask: bool,
    /// Probability that a query is cropped; half of it that it is flipped.
    pub vary: f64,
    /// Steps between two validations, each of which is a checkpoint.
    pub every: u64,
    /// Threads that prepare queries.
    pub workers: usize,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            seed: 1,
            size: 448,
            steps: 400,
            batch: 4,
            learning_rate: 0.01,
            beta: 0.05,
            mask: true,
            vary: 0.5,
            every: 40,
            workers: 1,
        }
    }
}

/// What is tuned, on what.
pub struct Job<'a> {
    /// The network.
    pub network: Trainable,
    /// What all this is called: another subject is not resumed.
    pub subject: &'a str,
    /// The prompt to begin with.
    pub prompt: Example,
    /// Whose masks are to come out right.
    pub training: Vec<Example>,
    /// What the prompt is judged by.
    pub validation: Vec<Example>,
    /// The classes' colours.
    pub colours: &'a [[u8; 3]],
    /// What they stand for.
    pub kind: SegType,
}

/// The result.
#[derive(Clone, Debug)]
pub struct Tuned {
    /// The best prompt by validation, as 8-bit pictures of [`Tuning::size`]; the mask has shades.
    pub prompt: Example,
    /// The step that it is of; 0: none was better than the prompt that tuning began with.
    pub from: u64,
    /// Steps done.
    pub step: u64,
    /// The score of the prompt that tuning began with.
    pub first: Score,
    /// The score of the result.
    pub best: Score,
    /// The validation loss that the result had before it was rounded to 8 bits.
    pub exact: f64,
}

/// Answers on the page.
const PICTURES: usize = 8;
/// Steps in a row without a finite gradient that end a tuning.
const PATIENCE: u32 = 20;

/// Tunes a prompt, or resumes what was begun in `folder`; `index.html` there shows how it goes.
///
/// # Errors
/// [`TrainError::Setting`], a folder that cannot be used or holds a tuning of something else, or the computation.
pub fn tune(
    job: Job,
    settings: &Tuning,
    folder: &Path,
    limit: Limit,
    watch: &mut dyn Watch,
) -> Result<Tuned, TrainError> {
    check(settings, &job)?;
    memory::keep_freed();
    fs::create_dir_all(folder).map_err(TrainError::io("create", folder))?;
    let network = job.network.frozen();
    let square = |example: &Example| Example {
        picture: resize::bicubic(&example.picture, settings.size, settings.size),
        mask: resize::nearest_rgb(&example.mask, settings.size, settings.size),
    };
    let prompt = square(&job.prompt);
    let queries = |pictures: Vec<Example>| Queries {
        prompt: prompt.clone(),
        pictures: pictures.into(),
        kind: job.kind,
        size: settings.size,
        vary: settings.vary,
    };
    let (training, validation) = (queries(job.training), queries(job.validation));
    let patch = network.config().patch_size;
    let tasks = (0..validation.pictures.len()).map(|i| Task::ask(validation.whole(i), patch));
    let state = match State::load(folder, job.subject, settings, network.device())? {
        Some(state) => {
            watch.note(&format!("resumed after step {}", state.about.step));
            state
        }
        None => State::begin(&prompt, job.subject, settings, network.device())?,
    };
    let mut session = Session {
        tasks: tasks.collect(),
        network,
        colours: job.colours,
        prompt,
        settings,
        folder,
        state,
        pictures: Vec::new(),
        meter: Meter::default(),
        spoiled: 0,
    };
    session.run(training, limit, watch)?;
    session.result()
}

fn check(settings: &Tuning, job: &Job) -> Result<(), TrainError> {
    let patch = job.network.config().patch_size;
    let refuse = |field, found: String, expected| {
        Err(TrainError::Setting {
            field,
            found,
            expected,
        })
    };
    if settings.size == 0 || !(settings.size as usize).is_multiple_of(patch) {
        return refuse(
            "size",
            settings.size.to_string(),
            "it must be a multiple of the model's patch",
        );
    }
    for (field, count) in [
        ("steps", settings.steps),
        ("batch", settings.batch as u64),
        ("every", settings.every),
        ("workers", settings.workers as u64),
    ] {
        if count == 0 {
            return refuse(field, "0".into(), "it must be above 0");
        }
    }
    for (field, value) in [
        ("learning_rate", settings.learning_rate),
        ("beta", settings.beta),
    ] {
        if !(value > 0.0 && value.is_finite()) {
            return refuse(field, value.to_string(), "it must be above 0");
        }
    }
    if job.training.is_empty() || job.validation.is_empty() {
        return refuse(
            "pictures",
            "none".into(),
            "there must be labelled pictures to tune on and to judge by",
        );
    }
    Ok(())
}

struct Session<'a> {
    settings: &'a Tuning,
    network: Trainable,
    colours: &'a [[u8; 3]],
    /// What tuning began with.
    prompt: Example,
    tasks: Vec<Task>,
    folder: &'a Path,
    state: State,
    pictures: Vec<Picture>,
    meter: Meter,
    /// Steps in a row that had no finite gradient.
    spoiled: u32,
}

impl Session<'_> {
    fn run(
        &mut self,
        queries: Queries,
        limit: Limit,
        watch: &mut dyn Watch,
    ) -> Result<(), TrainError> {
        let end = limit
            .steps
            .map_or(self.settings.steps, |steps| steps.min(self.settings.steps));
        if self.state.about.first.is_none() {
            self.validate(watch)?;
        }
        let step = self.state.about.step;
        if step >= end {
            return Ok(());
        }
        let order = Order {
            seed: self.settings.seed,
            size: self.settings.size,
            batch: self.settings.batch,
            prompts: 1,
            patch: self.network.config().patch_size,
            masking: Masking {
                whole: 1.0,
                ..Masking::default()
            },
            first: step * self.settings.batch as u64,
            batches: end - step,
            threads: self.settings.workers,
        };
        let queries = Arc::new(queries);
        let sources = |_, _| Ok(Box::new(Queries::clone(&queries)) as Box<dyn Source>);
        let started = Instant::now();
        thread::scope(|scope| {
            let mut loader = Loader::start(scope, order, &sources)?;
            while self.state.about.step < end {
                self.step(&mut loader, watch)?;
                let done = self.state.about.step;
                let late = limit.time.is_some_and(|time| started.elapsed() >= time);
                let stopped = late || watch.stop();
                if done.is_multiple_of(self.settings.every) || done == end {
                    self.validate(watch)?;
                } else if stopped {
                    self.state.save(self.folder)?;
                }
                if stopped {
                    break;
                }
            }
            Ok(())
        })
    }

    /// The loss of tasks with the prompt as it is, before rounding.
    fn loss(&self, tasks: &[Task]) -> Result<Tensor, TrainError> {
        let mut batch = Batch::new(
            tasks,
            self.network.config().patch_size,
            self.network.device(),
        )?;
        let State { picture, mask, .. } = &self.state;
        let mask = match self.settings.mask {
            true => mask.normalised()?,
            false => mask.normalised()?.detach(),
        };
        batch.canvases.pictures = with_prompt(&picture.normalised()?, &batch.canvases.pictures)?;
        batch.canvases.masks = with_prompt(&mask, &batch.canvases.masks)?;
        let painted = self.network.forward(&batch.canvases, None)?;
        Ok(smooth_l1(
            &painted,
            &batch.target,
            &batch.weight,
            self.settings.beta,
        )?)
    }

    fn step(&mut self, loader: &mut Loader, watch: &mut dyn Watch) -> Result<(), TrainError> {
        let began = Instant::now();
        let tasks = loader.next()?;
        let waited = began.elapsed();
        let about = &self.state.about;
        let number = about.step + 1;
        let done = about.step as f64 / self.settings.steps as f64;
        let rate = self.settings.learning_rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        let loss = self.loss(&tasks)?;
        let store = loss.backward()?;
        let loss = f64::from(loss.to_scalar::<f32>()?);
        let state = &mut self.state;
        let length = (state.picture.gradient(&store)? + state.mask.gradient(&store)?).sqrt();
        if loss.is_finite() && length.is_finite() {
            self.spoiled = 0;
            state.picture.step(&store, rate, number)?;
            state.mask.step(&store, rate, number)?;
        } else {
            self.spoiled += 1;
            watch.note(&format!(
                "step {number}: the gradient is not finite; the prompt stays as it is"
            ));
            if self.spoiled >= PATIENCE {
                return Err(TrainError::Diverged {
                    step: number,
                    steps: self.spoiled,
                });
            }
        }
        state.about.step = number;
        let step = Step {
            began,
            waited,
            loss,
            gradient: length,
            learning_rate: rate,
            samples: self.settings.batch,
        };
        if let Some(progress) = self.meter.add(&step, number, self.settings.steps) {
            let point = (number, progress.loss, progress.learning_rate);
            self.state.about.history.losses.push(point);
            watch.progress(&progress);
        }
        Ok(())
    }

    /// Measures the rounded prompt, keeps it if it is the best so far, and writes a checkpoint.
    fn validate(&mut self, watch: &mut dyn Watch) -> Result<(), TrainError> {
        let state = &self.state;
        let rounded = Example {
            picture: state.picture.rounded()?,
            mask: state.mask.rounded()?,
        };
        let shown = |task: &Task| {
            let mut task = task.clone();
            task.sample.prompts = vec![rounded.clone()];
            task
        };
        let tasks: Vec<Task> = self.tasks.iter().map(shown).collect();
        let how = Measure {
            batch: self.settings.batch,
            beta: self.settings.beta,
            pictures: PICTURES,
            colours: Some(self.colours),
        };
        let (score, pictures) = validation::measure(&self.network, &tasks, how)?;
        let mut exact = 0.0;
        for some in self.tasks.chunks(self.settings.batch) {
            let loss = self.loss(some)?.detach().to_scalar::<f32>()?;
            exact += f64::from(loss) * some.len() as f64 / self.tasks.len() as f64;
        }
        self.pictures = pictures;
        self.meter = Meter::default();
        let about = &mut self.state.about;
        let step = about.step;
        about.history.scores.push((step, score));
        about.first.get_or_insert(score);
        let better = |best: Best| {
            let even = !best.score.exceeds(&score) && best.score.loss - score.loss > 1e-9;
            score.exceeds(&best.score) || even
        };
        if about.best.is_none_or(better) {
            about.best = Some(Best { step, score, exact });
            self.state.best = rounded;
        }
        watch.score(step, &score);
        self.state.save(self.folder)?;
        replace(&self.folder.join("index.html"), self.page().as_bytes())
    }

    fn page(&self) -> String {
        let State { about, best, .. } = &self.state;
        let prompts = page::cells(&[
            &self.prompt.picture,
            &self.prompt.mask,
            &best.picture,
            &best.mask,
        ]);
        let found = about.best.map_or_else(String::new, |best| {
            format!(
                "; best at step {}: IoU {:.3}, validation loss {:.4} ({:.4} before rounding to 8 bits)",
                best.step, best.score.iou, best.score.loss, best.exact
            )
        });
        let first = about.first.map_or_else(String::new, |first| {
            format!(
                "at first: IoU {:.3}, validation loss {:.4}",
                first.iou, first.loss
            )
        });
        [
            page::head("Tuning a prompt", about.step, self.settings.steps),
            format!("<p>{}: {first}{found}.</p>", page::escape(about.subject())),
            format!(
                "<table><tr><th>first picture<th>first mask<th>tuned picture<th>tuned mask</tr><tr>{prompts}</tr></table>"
            ),
            page::curves(&about.history),
            page::answers(&self.pictures),
            "</html>\n".into(),
        ]
        .join("\n")
    }

    fn result(self) -> Result<Tuned, TrainError> {
        let State { about, best, .. } = self.state;
        match (about.first, about.best) {
            (Some(first), Some(Best { step, score, exact })) => Ok(Tuned {
                prompt: best,
                from: step,
                step: about.step,
                first,
                best: score,
                exact,
            }),
            _ => Err(TrainError::State {
                path: self.folder.to_owned(),
                reason: "it has no score".into(),
            }),
        }
    }
}

/// Puts a prompt `[3, S, S]` into the upper halves of `[B, 2, 3, S, S]`.
fn with_prompt(prompt: &Tensor, halves: &Tensor) -> Result<Tensor, TrainError> {
    let (b, _, channels, height, width) = halves.dims5()?;
    let prompt = prompt
        .reshape((1, 1, channels, height, width))?
        .broadcast_as((b, 1, channels, height, width))?;
    Ok(Tensor::cat(&[&prompt, &halves.narrow(1, 1, 1)?], 1)?)
}
