//! The loop.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use seggpt::{Architecture, DType, DTypeChoice, Device, Tensor};
use seggpt_random::Rng;
use seggpt_samples::Part;

use crate::{
    Precision, Score, Settings, Sources, TrainError,
    begin::begin,
    loader::{Loader, Order},
    memory,
    meter::{Meter, Step},
    optimiser::{self, Gradients},
    page,
    state::State,
    store::replace,
    student::{Course, Student},
    validation::{self, Measure, Picture},
};

/// Where a run stands.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Mean loss since the last report.
    pub loss: f64,
    /// Length of the gradient of the last step.
    pub gradient: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Samples a second since the last report.
    pub rate: f64,
    /// Share of the time since the last report that was spent waiting for samples.
    pub waiting: f64,
    /// Time to the end at this rate, stages of other sizes not counted in.
    pub left: Duration,
}

/// What wants to know how a run goes.
pub trait Watch {
    /// Some steps more are done.
    fn progress(&mut self, progress: &Progress);
    /// The averaged weights were measured after so many steps.
    fn score(&mut self, step: u64, score: &Score);
    /// Something worth a line.
    fn note(&mut self, text: &str);
    /// Whether to save and stop after this step.
    fn stop(&mut self) -> bool {
        false
    }
}

/// When to stop before the end of the last stage; the run can be resumed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limit {
    /// After so many steps in all, those of earlier sessions counted in.
    pub steps: Option<u64>,
    /// After so much time in this session.
    pub time: Option<Duration>,
}

impl Limit {
    /// As a command line has it: steps in all, and minutes, of which less than none is none.
    pub fn new(steps: Option<u64>, minutes: Option<f64>) -> Self {
        let time = |minutes: f64| {
            Duration::try_from_secs_f64(60.0 * minutes.max(0.0)).unwrap_or(Duration::MAX)
        };
        Self {
            steps,
            time: minutes.map(time),
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Steps done in all.
    pub step: u64,
    /// The best score so far.
    pub best: Option<Score>,
    /// Whether that was the last step of the last stage.
    pub complete: bool,
}

/// Steps in a row without a finite gradient that end a run.
const PATIENCE: u32 = 20;
/// What is asked of a sample is drawn from a stream of its own.
const QUESTIONS: u64 = 0x3f1d_0a5c_7b2e_9d41;
/// Samples on the page.
const PICTURES: usize = 12;

/// Begins a run in `folder`, or resumes the one that is there: with the same settings, a run that was interrupted at any
/// time ends with the same bits as one that was not.
///
/// Settings may be changed before resuming, except the architecture and the seed.
///
/// # Errors
/// What is wrong with the settings, the folder, the samples or the computation.
pub fn run(
    settings: &Settings,
    folder: &Path,
    limit: Limit,
    device: &Device,
    sources: &Sources,
    watch: &mut dyn Watch,
) -> Result<Outcome, TrainError> {
    settings.check()?;
    memory::keep_freed();
    fs::create_dir_all(folder).map_err(TrainError::io("create", folder))?;
    let state = match State::load(folder, device)? {
        Some(state) => resumable(state, settings, folder, watch)?,
        None => begin(settings, device, sources, watch)?,
    };
    let dtype = computation(settings.precision, device, &state.network)?;
    let state = state.computing_in(dtype);
    let patch = state.network.patch();
    let mut source = sources(settings.validation_size(), Part::Validation)?;
    let tasks = validation::tasks(
        &mut *source,
        settings.validation.samples,
        settings.prompts(),
        patch,
        settings.seed,
    );
    let end = limit
        .steps
        .map_or(settings.steps(), |steps| steps.min(settings.steps()));
    let mut session = Session {
        settings,
        folder,
        state,
        tasks,
        pictures: Vec::new(),
        meter: Meter::default(),
        spoiled: 0,
    };
    let started = Instant::now();
    let due = |watch: &mut dyn Watch| {
        limit.time.is_some_and(|time| started.elapsed() >= time) || watch.stop()
    };
    if session.state.about.step == 0 && end > 0 {
        session.validate(watch)?;
    }
    let mut stopped = false;
    while session.state.about.step < end && !stopped {
        let step = session.state.about.step;
        let (stage, samples) = settings.stage(step);
        let stage_end = end.min(step + stage_left(settings, step));
        let order = Order {
            seed: settings.seed,
            size: stage.size,
            batch: stage.batch,
            prompts: stage.prompts,
            patch,
            masking: settings.masking,
            first: samples,
            batches: (stage_end - step) * stage.accumulate as u64,
            threads: settings.workers,
        };
        thread::scope(|scope| -> Result<(), TrainError> {
            let mut loader = Loader::start(scope, order, sources)?;
            while session.state.about.step < stage_end && !stopped {
                session.step(&mut loader, watch)?;
                let done = session.state.about.step;
                if done.is_multiple_of(settings.validation.every) || done == settings.steps() {
                    session.validate(watch)?;
                }
                stopped = due(watch);
                if done.is_multiple_of(settings.checkpoint_every) || done == end || stopped {
                    session.save()?;
                }
            }
            Ok(())
        })?;
    }
    let about = &session.state.about;
    Ok(Outcome {
        step: about.step,
        best: about.best,
        complete: about.step >= settings.steps(),
    })
}

fn computation(
    precision: Precision,
    device: &Device,
    network: &Student,
) -> Result<DType, TrainError> {
    let refuse = |expected| {
        Err(TrainError::Setting {
            field: "precision",
            found: "bf16".into(),
            expected,
        })
    };
    match (precision, network) {
        (Precision::F32, _) => Ok(DType::F32),
        (Precision::BF16, _) if device.is_cpu() => refuse("the CPU trains in f32"),
        (Precision::BF16, Student::Matching(_)) => refuse("matching networks are trained in f32"),
        (Precision::BF16, Student::SegGpt(_)) => Ok(DType::BF16),
    }
}

/// Steps of the stage of `step` that are left, that one included.
fn stage_left(settings: &Settings, step: u64) -> u64 {
    let mut last = 0;
    for stage in &settings.stages {
        last += stage.steps;
        if step < last {
            break;
        }
    }
    last - step
}

fn resumable(
    state: State,
    settings: &Settings,
    folder: &Path,
    watch: &mut dyn Watch,
) -> Result<State, TrainError> {
    let refuse = |reason: &str| TrainError::State {
        path: crate::state::file(folder),
        reason: reason.into(),
    };
    if !matches!(settings.start, crate::Start::Checkpoint(_))
        && state.about.architecture != Architecture::SegGpt(settings.network.config())
    {
        return Err(refuse(
            "it is of another architecture than the settings ask for",
        ));
    }
    if state.about.seed != settings.seed {
        return Err(refuse(&format!(
            "it was begun with seed {}, and the settings say {}",
            state.about.seed, settings.seed
        )));
    }
    watch.note(&format!("resumed after step {}", state.about.step));
    Ok(state)
}

struct Session<'a> {
    settings: &'a Settings,
    folder: &'a Path,
    state: State,
    tasks: Vec<crate::Task>,
    pictures: Vec<Picture>,
    meter: Meter,
    /// Steps in a row that had no finite gradient.
    spoiled: u32,
}

impl Session<'_> {
    fn step(&mut self, loader: &mut Loader, watch: &mut dyn Watch) -> Result<(), TrainError> {
        let began = Instant::now();
        let about = &self.state.about;
        let (step, number) = (about.step, about.step + 1);
        let (stage, _) = self.settings.stage(step);
        let (beta, rate) = (self.settings.beta(step), self.settings.learning_rate(step));
        let network = &self.state.network;
        let mut total = Gradients::new();
        let (mut loss, mut waited) = (0.0, Duration::ZERO);
        for part in 0..stage.accumulate {
            let waiting = Instant::now();
            let tasks = loader.next()?;
            waited += waiting.elapsed();
            let paths = self.paths(step, part, tasks.len())?;
            let stream = Rng::derive(self.settings.seed ^ QUESTIONS, step);
            let course = Course {
                beta,
                paths: paths.as_ref(),
                rng: Rng::new(Rng::derive(stream, part as u64)),
            };
            let (value, gradients) = network.learn(&tasks, course)?;
            optimiser::add(
                &mut total,
                optimiser::gradients(network.weights(), &gradients),
            )?;
            loss += value / stage.accumulate as f64;
        }
        let share = 1.0 / stage.accumulate as f64;
        let length = optimiser::length(&total)? * share;
        if length.is_finite() && loss.is_finite() {
            self.spoiled = 0;
            let settings = &self.settings.optimisation;
            let clip = if settings.clip > 0.0 {
                (settings.clip / (length + 1e-6)).min(1.0)
            } else {
                1.0
            };
            let rate = |name: &str| rate * network.share(name, settings.layer_decay);
            let weights = network.weights();
            self.state
                .optimiser
                .step(weights, &total, share * clip, rate, number, settings)?;
        } else {
            self.spoiled += 1;
            watch.note(&format!(
                "step {number}: the gradient is not finite; the weights stay as they are"
            ));
            if self.spoiled >= PATIENCE {
                return Err(TrainError::Diverged {
                    step: number,
                    steps: self.spoiled,
                });
            }
        }
        optimiser::average(
            self.state.average.weights(),
            self.state.network.weights(),
            self.settings.optimisation.average,
            number,
        )?;
        self.state.about.step = number;
        self.state.about.seconds += began.elapsed().as_secs_f64();
        let step = Step {
            began,
            waited,
            loss,
            gradient: length,
            learning_rate: rate,
            samples: stage.batch * stage.accumulate,
        };
        if let Some(progress) = self.meter.add(&step, number, self.settings.steps()) {
            self.state
                .about
                .history
                .losses
                .push((number, progress.loss, progress.learning_rate));
            watch.progress(&progress);
        }
        Ok(())
    }

    /// Factors on each branch for each sample of a batch: drop path.
    fn paths(&self, step: u64, part: usize, batch: usize) -> Result<Option<Tensor>, TrainError> {
        let rate = self.settings.optimisation.drop_path;
        let depth = self.state.network.depth();
        if rate == 0.0 || depth == 0 {
            return Ok(None);
        }
        let stream = Rng::derive(self.settings.seed ^ 0xd20b, step);
        let mut rng = Rng::new(Rng::derive(stream, part as u64));
        let factors: Vec<f32> = (0..2 * depth * batch)
            .map(|i| {
                let block = i / (2 * batch);
                let rate = rate * block as f64 / (depth - 1).max(1) as f64;
                if rng.unit_f64() < rate {
                    0.0
                } else {
                    (1.0 / (1.0 - rate)) as f32
                }
            })
            .collect();
        let device = self.state.network.device();
        Ok(Some(Tensor::from_vec(factors, (2 * depth, batch), device)?))
    }

    /// Measures the averaged weights and keeps them if they are the best so far.
    fn validate(&mut self, watch: &mut dyn Watch) -> Result<(), TrainError> {
        let step = self.state.about.step;
        let beta = self.settings.beta.to;
        let (stage, _) = self.settings.stage(step);
        let average = &self.state.average;
        let how = Measure {
            batch: stage.batch.min(8),
            beta,
            pictures: PICTURES,
            colours: None,
        };
        let (score, pictures) = validation::measure(average, &self.tasks, how)?;
        self.pictures = pictures;
        self.meter = Meter::default();
        self.state.about.history.scores.push((step, score));
        watch.score(step, &score);
        if self
            .state
            .about
            .best
            .is_none_or(|best| score.exceeds(&best))
        {
            self.state.about.best = Some(score);
            average.save(&self.folder.join("best.safetensors"), DTypeChoice::F16)?;
        }
        self.show()
    }

    fn save(&self) -> Result<(), TrainError> {
        self.state.save(self.folder)?;
        self.state
            .average
            .save(&self.folder.join("model.safetensors"), DTypeChoice::F16)?;
        self.show()
    }

    fn show(&self) -> Result<(), TrainError> {
        let page = page::training(self.settings, &self.state.about, &self.pictures);
        replace(&self.folder.join("index.html"), page.as_bytes())
    }
}
