//! A run without dora: which question comes next, what becomes of answers.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    fs,
    path::{Path, PathBuf},
};

use eyre::{Result, WrapErr, bail};
use seggpt_contract::{Identity, Mask, Position, Prompted, Status};
use seggpt_files::hash;
use seggpt_store::{Setup, Store, header::Header, names::Names};
use seggpt_volume::Key;

use crate::{
    answers,
    examples::Examples,
    inputs::{self, Listing, Volume},
    making::Making,
    marks::{self, Marks},
    record::{LABELS, Outcome, Record, SEGMENTATION, now},
    report,
    settings::Settings,
    summary::{self, Run, State},
    target::{Target, outline},
    whole,
};

/// The most volumes that are read at a time: each has all its voxels on disk once more.
const MOST_OPEN: usize = 4;

/// A question.
pub struct Question {
    /// Which slice of which volume.
    pub identity: Identity,
    /// Its picture and examples, or why there are none.
    pub prompted: Result<Prompted, String>,
}

/// What is to be done next.
#[allow(clippy::large_enum_variant)] // one at a time
pub enum Next {
    /// Ask this.
    Ask(Box<Question>),
    /// A volume cannot be asked.
    Told(Told),
    /// Nothing, until an answer comes.
    Wait,
    /// All volumes are done with, after so many questions.
    Over(u64),
}

/// A question, or a whole volume, is done with.
#[derive(Clone, Debug)]
pub struct Told {
    /// It.
    pub identity: Identity,
    /// How it ended.
    pub status: Status,
    /// Why it failed.
    pub error: String,
    /// How many questions are done with.
    pub finished: u64,
}

/// A run.
pub struct Session {
    settings: Settings,
    out: PathBuf,
    /// Where answers and scratch files stand.
    work: PathBuf,
    volumes: Vec<Volume>,
    examples: Examples,
    making: Making,
    store: Store<Record>,
    names: Names,
    waiting: VecDeque<usize>,
    open: Vec<Target>,
    asked: HashMap<String, (usize, Key)>,
    count: u64,
    finished: u64,
    total: u64,
    run: Run,
    records: BTreeMap<String, (Record, bool)>,
    marks: BTreeMap<String, Marks>,
}

impl Session {
    /// Lists the volumes, reads the examples, and finds what is done already. `run`: what this run is called.
    ///
    /// # Errors
    /// The inputs mean nothing, examples cannot be used, OUT cannot be written or belongs to somebody else.
    pub fn open(settings: Settings, run: &str) -> Result<Self> {
        let out = std::path::absolute(&settings.out)
            .wrap_err_with(|| format!("OUT `{}`", settings.out.display()))?;
        let Listing { volumes, notes } = inputs::list(&settings)?;
        fs::create_dir_all(&out).wrap_err_with(|| format!("{}: cannot be made", out.display()))?;
        let store: Store<Record> = Store::open(&out, &settings.run_key, run)?;
        // Answers of no known settings are those of this run alone.
        let key = match settings.run_key.as_str() {
            "" => run,
            key => key,
        };
        let work = answers::work(&out).join(key);
        alone(&answers::work(&out), key);
        let examples = Examples::open(&settings, &work)?;
        let mut about = Run::start(run, &settings, &examples, Setup::of_this_run(&out));
        about.warnings.extend(notes);
        for warning in &about.warnings {
            tracing::warn!("{warning}");
        }
        let making = Making {
            key: key.to_owned(),
            // Of all runs of this key, the first wrote it.
            began: Header::read(&out)?.map_or_else(now, |header| header.created),
            keeps_empty: settings.empty_frames,
        };
        let mut session = Self {
            run: about,
            making,
            settings,
            out,
            work,
            volumes,
            examples,
            store,
            names: Names::default(),
            waiting: VecDeque::new(),
            open: Vec::new(),
            asked: HashMap::new(),
            count: 0,
            finished: 0,
            total: 0,
            records: BTreeMap::new(),
            marks: BTreeMap::new(),
        };
        session.take_up()?;
        session.write()?;
        Ok(session)
    }

    /// What earlier runs, or a process before this one, left.
    fn take_up(&mut self) -> Result<()> {
        let entries: Vec<(u64, bool)> = (self.store.entries().values())
            .filter(|entry| entry.brief == Outcome::Done)
            .map(|entry| (entry.offset, entry.own))
            .collect();
        let offsets = entries.iter().map(|(offset, _)| *offset).collect();
        let mut done = HashMap::new();
        for (record, (_, own)) in self.store.read(offsets)?.zip(&entries) {
            let record = record?;
            done.insert(record.item.clone(), (record, *own));
        }
        for (at, volume) in self.volumes.iter().enumerate() {
            match done.remove(&volume.item) {
                Some((record, own)) if record.stamp == volume.stamp => {
                    if own {
                        self.finished += record.questions as u64;
                        self.total += record.questions as u64;
                    }
                    if let Err(error) = self.names.claim(&volume.name, &volume.item) {
                        tracing::warn!("{error}");
                    }
                    self.records.insert(volume.item.clone(), (record, !own));
                }
                _ => {
                    self.total += self.questions(volume) as u64;
                    self.waiting.push_back(at);
                }
            }
        }
        let kept: Vec<String> = self.records.keys().cloned().collect();
        if !kept.is_empty() {
            tracing::info!("{} volumes are done already", kept.len());
        }
        kept.iter().for_each(|item| self.mark(item));
        Ok(())
    }

    fn questions(&self, volume: &Volume) -> usize {
        match &volume.source {
            Ok(source) => {
                let (_, _, plan) = outline(volume, source, &self.examples, &self.settings);
                plan.questions()
            }
            Err(_) => 1,
        }
    }

    /// What is to be done next; reads the next volume where all of those at hand wait for answers. `guard` does the work over
    /// an item, or says why it is not done.
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn next(&mut self, guard: &dyn Guard) -> Result<Next> {
        loop {
            if let Some(at) = self.open.iter().position(Target::is_over) {
                let target = self.open.remove(at);
                if let Some(told) = self.finish(target)? {
                    return Ok(Next::Told(told));
                }
                continue;
            }
            let next = self.open.iter_mut().enumerate();
            let mut next = next.filter_map(|(at, target)| Some((at, target.next_key()?)));
            if let Some((at, key)) = next.next() {
                return Ok(Next::Ask(Box::new(self.ask(at, key, guard))));
            }
            if self.open.len() == MOST_OPEN {
                return Ok(Next::Wait);
            }
            match self.waiting.pop_front() {
                Some(at) => {
                    if let Some(told) = self.read(at, guard)? {
                        return Ok(Next::Told(told));
                    }
                }
                None if self.open.is_empty() => return Ok(Next::Over(self.finished)),
                None => return Ok(Next::Wait),
            }
        }
    }

    /// Takes the answer to a question, or why there is none. `None`: nobody asked, or it was answered before.
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn answer(&mut self, item: &str, answer: Result<&Mask, String>) -> Result<Option<Told>> {
        let Some((volume, key)) = self.asked.remove(item) else {
            return Ok(None);
        };
        let Some(target) = self.open.iter_mut().find(|target| target.volume == volume) else {
            return Ok(None);
        };
        let taken = match answer {
            Ok(mask) => {
                let taken = target.answer(key, mask)?;
                self.run.meet(&mask.provenance);
                taken
            }
            Err(error) => Err(error),
        };
        let (status, error) = match taken {
            Ok(()) => (Status::Done, String::new()),
            Err(error) => {
                target.fail(key, error.clone());
                (Status::Failed, error)
            }
        };
        self.finished += 1;
        let mut identity = Identity::new(item, self.count, (1, 1));
        identity.total = Some(self.total);
        Ok(Some(Told {
            identity,
            status,
            error,
            finished: self.finished,
        }))
    }

    /// How many questions are done with, and how many there are.
    pub fn progress(&self) -> (u64, u64) {
        (self.finished, self.total)
    }

    /// Writes `run.json`, the report and `dice.tsv` for the last time. `outcome`: how the run ended.
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn close(mut self, state: State, error: Option<String>) -> Result<PathBuf> {
        self.run.state = state;
        self.run.error = error;
        self.write()?;
        if state == State::Finished
            && self
                .records
                .values()
                .all(|(it, _)| it.status == Outcome::Done)
        {
            // Scratch files; every answer stands in a label volume.
            let _ = fs::remove_dir_all(answers::work(&self.out));
        }
        Ok(match self.settings.report {
            true => self.out.join(report::FILE),
            false => self.out.join(summary::FILE),
        })
    }

    /// Writes the pages as things stand.
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn write(&mut self) -> Result<()> {
        self.run.finished_at = now();
        summary::write(
            &self.out,
            &self.run,
            self.volumes.len(),
            &self.records,
            &self.marks,
        )?;
        if self.settings.truth.is_some() {
            marks::write(&self.out, &self.marks)?;
        }
        if self.settings.report {
            report::write(
                &self.out,
                &self.run,
                self.volumes.len(),
                &self.records,
                &self.marks,
            )?;
        }
        Ok(())
    }

    fn ask(&mut self, at: usize, key: Key, guard: &dyn Guard) -> Question {
        let target = &self.open[at];
        let volume = &self.volumes[target.volume];
        let axis = target.scan.view.axis;
        let part = format!("#{}{key}", ["x", "y", "z"][axis]);
        let item = format!("{}{part}", volume.item);
        let (width, height) = target.scan.view.size();
        let mut identity = Identity::new(item.clone(), self.count, (width as u32, height as u32));
        identity.name = format!("{}{part}", volume.name);
        identity.source = volume.path.display().to_string();
        identity.total = Some(self.total);
        identity.position = Position::Slice {
            axis: axis as u8,
            index: key.slice as u32,
            count: target.scan.view.count() as u32,
        };
        self.count += 1;
        let (examples, settings) = (&mut self.examples, &self.settings);
        let prompted = guard.over(&item, &mut || {
            let asked = target.ask(key, &item, examples, settings);
            asked.map_err(|error| format!("{error:#}"))
        });
        self.asked.insert(item, (target.volume, key));
        Question { identity, prompted }
    }

    /// Reads a volume. Where it cannot be read, that is put on record.
    fn read(&mut self, at: usize, guard: &dyn Guard) -> Result<Option<Told>> {
        let volume = &self.volumes[at];
        let opened = match &volume.source {
            Err(error) => Err(error.clone()),
            Ok(source) => {
                let folder = self.folder(volume)?;
                let mut target = None;
                let read = guard.read(&volume.item, &mut || {
                    let opened =
                        Target::open(at, volume, source, &self.examples, &self.settings, &folder);
                    target = Some(opened.map_err(|error| format!("{error:#}"))?);
                    Ok(())
                });
                read.and_then(|()| target.ok_or_else(|| "it was not read".to_owned()))
            }
        };
        match opened {
            Ok(target) => {
                let keys = target.plan.chains.iter().flat_map(|chain| chain.keys());
                let answered = keys.filter(|key| target.answers.has(*key)).count();
                self.finished += answered as u64;
                self.open.push(target);
                Ok(None)
            }
            Err(error) => {
                self.finished += self.questions(volume) as u64;
                let record = self.record(at, Outcome::Failed, Some(error.clone()));
                self.keep(record, &[])?;
                Ok(Some(self.told(at, error)))
            }
        }
    }

    /// Where a volume's answers stand: elsewhere when its file is another.
    fn folder(&self, volume: &Volume) -> Result<PathBuf> {
        let text = format!("{} {:?}", volume.item, volume.stamp);
        Ok(self.work.join(hash::short(text.as_bytes())?))
    }

    /// A volume whose questions are all settled becomes a label volume.
    fn finish(&mut self, target: Target) -> Result<Option<Told>> {
        let at = target.volume;
        let folder = self.folder(&self.volumes[at])?;
        let volume = &self.volumes[at];
        let source = match &volume.source {
            Ok(source) => source,
            Err(error) => bail!("{}: {error}", volume.item),
        };
        let (scan, scratch) = ((source, volume.time), folder.join("labels"));
        let whole = whole::of(&target, scan, &self.examples, &self.making, &scratch)?;
        let mut error = (!whole.missing.is_empty()).then(|| {
            let count = target.scan.view.count();
            let first = target.failed.values().next().cloned().unwrap_or_default();
            format!(
                "{} of {count} slices have no answer, such as: {first}",
                whole.missing.len()
            )
        });
        if let Err(taken) = self.names.claim(&volume.name, &volume.item) {
            error = Some(taken.to_string());
        }
        let outcome = match error {
            None => Outcome::Done,
            Some(_) => Outcome::Failed,
        };
        let mut record = self.record(at, outcome, error.clone());
        let grid = &target.scan.grid;
        record.axis = target.scan.view.axis;
        record.levels = target.scan.levels.to_string();
        record.labelled = target.plan.labelled.iter().copied().collect();
        record.questions = target.plan.questions();
        record.zooms = grid.affine.zooms();
        record.classes = whole.classes;
        record.provenance = target.provenance.clone();
        record.notes = source.notes().to_vec();
        if !whole.missing.is_empty() {
            record
                .notes
                .push(format!("slices without an answer: {:?}", whole.missing));
        }
        report::keep(&self.out, &record.item, &whole.shown)?;
        let mut files = Vec::new();
        // Two volumes of one name do not write over each other.
        if outcome == Outcome::Done || !whole.missing.is_empty() {
            let kinds = [
                (LABELS, "labels.nii.gz", whole.labels),
                (SEGMENTATION, "seg.dcm", whole.segmentation),
            ];
            for (kind, ending, bytes) in kinds {
                let Some(bytes) = bytes else { continue };
                let file = format!("{}.{ending}", record.name);
                record.bytes.insert(kind.into(), bytes.len() as u64);
                record.files.insert(kind.into(), file.clone());
                files.push((file, bytes));
            }
        }
        let item = record.item.clone();
        seggpt_fault::at("before-record", &item);
        self.keep(record, &files)?;
        seggpt_fault::at("after-journal", &item);
        if outcome == Outcome::Done {
            target.answers.clear();
            let _ = fs::remove_dir_all(&folder);
        }
        self.mark(&item);
        self.write()?;
        // Slices that failed have been told one by one.
        Ok(error
            .filter(|_| whole.missing.is_empty())
            .map(|error| self.told(at, error)))
    }

    fn record(&self, at: usize, status: Outcome, error: Option<String>) -> Record {
        let volume = &self.volumes[at];
        let grid = volume.source.as_ref().ok().map(|source| *source.grid());
        Record {
            item: volume.item.clone(),
            name: volume.name.clone(),
            source: volume.path.display().to_string(),
            status,
            error,
            run: self.run.run.clone(),
            stamp: volume.stamp.clone(),
            shape: grid.map(|grid| grid.shape).unwrap_or_default(),
            zooms: grid.map(|grid| grid.affine.zooms()).unwrap_or_default(),
            orientation: grid
                .map(|grid| grid.orientation().to_string())
                .unwrap_or_default(),
            axis: 0,
            levels: String::new(),
            labelled: Vec::new(),
            questions: 0,
            files: BTreeMap::new(),
            bytes: BTreeMap::new(),
            classes: Vec::new(),
            provenance: None,
            notes: Vec::new(),
            finished_at: now(),
        }
    }

    fn keep(&mut self, record: Record, files: &[(String, Vec<u8>)]) -> Result<()> {
        let item = record.item.clone();
        self.records.insert(item, (record.clone(), false));
        self.store.stage(record, files).wrap_err(STAYS)?;
        self.store.commit().wrap_err(STAYS)?;
        Ok(())
    }

    fn told(&self, at: usize, error: String) -> Told {
        let mut identity = Identity::new(self.volumes[at].item.clone(), self.count, (1, 1));
        identity.total = Some(self.total);
        Told {
            identity,
            status: Status::Failed,
            error,
            finished: self.finished,
        }
    }

    /// Compares a volume with the truth, where there is one.
    fn mark(&mut self, item: &str) {
        let (Some(truth), Some((record, _))) = (&self.settings.truth, self.records.get(item))
        else {
            return;
        };
        let volume = self.volumes.iter().find(|volume| volume.item == item);
        let Some(Ok(source)) = volume.map(|volume| &volume.source) else {
            return;
        };
        if record.files.is_empty() {
            return;
        }
        let marked = marks::truth_of(truth, &record.name)
            .and_then(|truth| marks::mark(&self.out, record, source, &truth));
        match marked {
            Ok(marks) => {
                self.marks.insert(record.name.clone(), marks);
            }
            Err(error) => {
                let warning = format!("{item}: no Dice: {error:#}");
                tracing::warn!("{warning}");
                self.run.warnings.push(warning);
            }
        }
    }
}

/// What is done about work that the process may die of.
pub trait Guard {
    /// Prepares a question.
    ///
    /// # Errors
    /// As text: that of the work, or why it is not done.
    fn over(
        &self,
        item: &str,
        work: &mut dyn FnMut() -> Result<Prompted, String>,
    ) -> Result<Prompted, String>;

    /// Reads a volume.
    ///
    /// # Errors
    /// As text: that of the work, or why it is not done.
    fn read(&self, item: &str, work: &mut dyn FnMut() -> Result<(), String>) -> Result<(), String>;
}

const STAYS: &str = "what was done before stays, and counts when the same command is run again";

/// Removes answers of other settings; those of `key` stay.
fn alone(work: &Path, key: &str) {
    for entry in fs::read_dir(work).into_iter().flatten().flatten() {
        if entry.file_name() != key {
            // What cannot be removed is in the way of nothing.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Refuses what can be told to be wrong before anything starts.
///
/// # Errors
/// Names the example or input.
pub fn check(settings: &Settings) -> Result<()> {
    for (scan, labels) in settings.pairs() {
        crate::examples::Opened::open(scan, labels, settings)
            .wrap_err_with(|| format!("example {}={}", scan.display(), labels.display()))?;
    }
    if let Some(truth) = settings.truth.as_ref().filter(|truth| !truth.exists()) {
        bail!("TRUTH: there is no {}", truth.display());
    }
    inputs::list(settings).map(drop)
}
