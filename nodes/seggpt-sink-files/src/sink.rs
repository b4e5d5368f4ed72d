//! The sink without dora: messages in, files and acknowledgements out.

use std::time::{Duration, Instant};

use eyre::{Result, WrapErr};
use image::RgbImage;
use seggpt_contract::{ContractError, Failure, Identity, Mask, Message, Payload, Prompted, Status};
use seggpt_node::{
    join::{Join, Joined},
    outcome,
};
use seggpt_store::{Setup, names::Names};

use crate::{
    Settings, export,
    folder::Folder,
    journal::Journal,
    pending_input::PendingInput,
    record::{Outcome, Record, now},
    report::Report,
    results::{self, Made},
    ring::Ring,
    summary::{self, Run, State},
};

/// An item that is done with, and how it ended.
pub type Finished = (Identity, Status);

/// Writes results.
pub struct Sink {
    folder: Folder,
    names: Option<Names>,
    journal: Journal,
    join: Join<(Identity, Mask), PendingInput>,
    report: Option<Report>,
    run: Run,
    started: Instant,
    finished: u64,
    expects_pictures: bool,
    unknown_inputs: Vec<String>,
    group: usize,
    /// Of what is staged, in its order.
    waiting: Vec<Identity>,
    waiting_pictured: u64,
    next_pages: Instant,
    /// Which items stay, where not all do.
    ring: Option<Ring>,
}

/// The pages are written anew no more often than this, and never take more than a twentieth of the time.
const EVERY: Duration = Duration::from_secs(10);

impl Sink {
    /// Opens OUT. `expects_pictures`: whether masks should wait for their pictures. `run`: what this run is called; records
    /// that say so already are its own.
    ///
    /// # Errors
    /// OUT cannot be written, another process writes there, or it holds results of another key.
    pub fn open(settings: Settings, expects_pictures: bool, run: &str) -> Result<Self> {
        let folder = Folder::create(&settings.out)?;
        let journal = Journal::open(&folder, &settings.run_key, run)?;
        let tally = journal.tally();
        if tally.earlier > 0 {
            tracing::info!("{} items of an earlier run are kept", tally.earlier);
        }
        let report = settings
            .report
            .then(|| Report::open(&folder, !journal.is_empty(), settings.report_max))
            .transpose()?;
        let keep = settings.keep as usize;
        let ring = (keep > 0).then(|| Ring::new(keep, journal.in_order()));
        let mut sink = Self {
            names: None,
            join: Join::new(settings.waiting.into()),
            report,
            expects_pictures: expects_pictures && (settings.overlay || settings.report),
            run: Run::start(settings, run, Setup::of_this_run(folder.root())),
            folder,
            started: Instant::now(),
            finished: tally.done + tally.failed - tally.earlier,
            journal,
            unknown_inputs: vec![],
            group: 1,
            waiting: vec![],
            waiting_pictured: 0,
            next_pages: Instant::now(),
            ring,
        };
        sink.report_again()?;
        sink.write_run()?;
        Ok(sink)
    }

    /// A process before this one in the same run may not have lived to say what it put on record last.
    fn report_again(&self) -> Result<()> {
        let own = |outcomes: &'static [Outcome]| -> Result<_> {
            let records = self.journal.records(outcomes, |entry| entry.own)?;
            Ok(records.map(|record| record.map(|(record, _)| record)))
        };
        let mut last = None;
        for record in own(&[Outcome::Done])? {
            last = Some(record?);
        }
        let failed = own(&[Outcome::Failed])?.chain(last.map(Ok));
        for record in failed {
            let record = record?;
            let error = record.error.unwrap_or_default();
            outcome::report_again(&record.item, record.status.into(), self.finished, &error);
        }
        Ok(())
    }

    /// Commits `group` items at a time, instead of one; those that wait, on [`commit`](Self::commit).
    #[must_use]
    pub fn in_groups_of(self, group: usize) -> Self {
        Self { group, ..self }
    }

    /// Whether something waits for [`commit`](Self::commit).
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Puts all that waits on disk. Returns what is done with now.
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn commit(&mut self) -> Result<Vec<Finished>> {
        let records = self.journal.commit().wrap_err(STAYS)?;
        seggpt_fault::at_any("after-journal", records.iter().map(|it| it.item.as_str()));
        self.waiting_pictured = 0;
        let mut finished = vec![];
        for (record, identity) in records.into_iter().zip(std::mem::take(&mut self.waiting)) {
            self.finished += 1;
            let status = record.status.into();
            let error = record.error.unwrap_or_default();
            outcome::report(&identity, status, self.finished, &error);
            finished.push((identity, status));
        }
        self.forget(&finished)?;
        let started = Instant::now();
        if started >= self.next_pages {
            self.write_pages()?;
            self.next_pages = Instant::now() + EVERY.max(started.elapsed() * 20);
        }
        Ok(finished)
    }

    /// Of an endless run, the last items stay.
    fn forget(&mut self, finished: &[Finished]) -> Result<()> {
        let Some(ring) = &mut self.ring else {
            return Ok(());
        };
        for (identity, _) in finished {
            let surplus = ring.add(&identity.item);
            self.journal.forget(&surplus).wrap_err(STAYS)?;
            if let Some(names) = &mut self.names {
                surplus.iter().for_each(|item| names.release(item));
            }
        }
        Ok(())
    }

    /// Takes a mask. Returns what is done with now.
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn mask(&mut self, message: Message<Mask>) -> Result<Vec<Finished>> {
        seggpt_fault::at("before-work", &message.identity().item);
        match self.first(message)? {
            Ok((identity, mask)) => {
                if let Err(error) = results::check(&identity, &mask) {
                    return self.refuse(identity, error);
                }
                if !self.expects_pictures {
                    return self.finish(identity, &mask, PendingInput::default());
                }
                let item = identity.item.clone();
                let joined = self.join.mask(&item, (identity, mask));
                self.joined(joined)
            }
            Err(finished) => Ok(finished),
        }
    }

    /// Takes a picture and its examples. Returns what is done with now.
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn prompted(&mut self, message: Message<Prompted>) -> Result<Vec<Finished>> {
        match self.first(message)? {
            Ok((identity, prompted)) => {
                for warning in &prompted.warnings {
                    if !self.run.warnings.contains(warning) {
                        self.run.warnings.push(warning.clone());
                    }
                }
                if !self.wants_pictures() {
                    return Ok(vec![]);
                }
                self.expects_pictures = true;
                if let Some(report) = &mut self.report {
                    report.add_examples(&prompted)?;
                }
                let input = PendingInput::of(&prompted, self.run.settings.overlay);
                let joined = self.join.picture(&identity.item, input);
                self.joined(joined)
            }
            Err(finished) => Ok(finished),
        }
    }

    /// A mask came that cannot be read.
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn unreadable(
        &mut self,
        identity: Identity,
        error: &ContractError,
    ) -> Result<Vec<Finished>> {
        let failure = Failure {
            node: String::new(),
            error: format!("the mask cannot be read: {error}"),
        };
        self.mask(Message::Failed(identity, failure))
    }

    /// A picture came that cannot be read: its mask does without.
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn without_picture(
        &mut self,
        identity: &Identity,
        error: &ContractError,
    ) -> Result<Vec<Finished>> {
        if !self.wants_pictures()
            || self.journal.finished(&identity.item).is_some()
            || self.journal.is_staged(&identity.item)
        {
            return Ok(vec![]);
        }
        self.expects_pictures = true;
        let input = PendingInput::without_picture(error);
        let joined = self.join.picture(&identity.item, input);
        self.joined(joined)
    }

    /// An input that this node does not know: warned of once.
    pub fn unknown_input(&mut self, input: &str) {
        if !self.unknown_inputs.iter().any(|known| known == input) {
            self.unknown_inputs.push(input.to_owned());
            tracing::warn!(
                "input `{input}` is not one of this node's (`mask`, `prompted`); its messages are ignored"
            );
        }
    }

    /// The inputs have ended: masks that still wait for their picture do without.
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn rest(&mut self) -> Result<Vec<Finished>> {
        let mut finished = vec![];
        while let joined @ Some(_) = self.join.pop() {
            finished.extend(self.joined(joined)?);
        }
        Ok(finished)
    }

    /// Writes `run.json` and the report for the last time. `outcome`: how the run ended, returned as it is.
    ///
    /// # Errors
    /// That of `outcome`, else OUT cannot be written.
    pub fn close(mut self, dropped: u64, stopped: bool, outcome: Result<()>) -> Result<()> {
        self.journal.learn()?;
        self.run.dropped = dropped;
        self.run.error = outcome.as_ref().err().map(|error| format!("{error:#}"));
        self.run.state = match (&outcome, stopped) {
            (Err(_), _) => State::Broken,
            (Ok(()), true) => State::Stopped,
            (Ok(()), false) if self.run.missing(self.journal.tally()) > 0 => State::Incomplete,
            (Ok(()), false) => State::Finished,
        };
        let is_whole = matches!(self.run.state, State::Finished | State::Incomplete);
        let exported = match is_whole {
            true => export::write(&self.folder, &self.journal, &self.run.settings),
            false => Ok(()),
        };
        let written = self.write_pages().and_then(|page| exported.map(|()| page));
        if let Ok(Some(page)) = &written {
            outcome::report_page(page);
        }
        match (outcome, written) {
            (Err(error), Err(second)) => {
                tracing::error!("{second:#}");
                Err(error)
            }
            (Err(error), Ok(_)) => Err(error),
            (Ok(()), written) => written.map(drop),
        }
    }

    fn write_pages(&mut self) -> Result<Option<std::path::PathBuf>> {
        self.write_run()?;
        let Some(report) = &mut self.report else {
            return Ok(None);
        };
        report.write(&self.run, &self.journal).map(Some)
    }

    fn write_run(&mut self) -> Result<()> {
        self.run.finished_at = now();
        self.run.seconds = self.started.elapsed().as_secs_f64();
        self.journal.learn()?;
        self.journal.add_up()?;
        summary::write(&self.folder, &self.run, &self.journal)
    }

    fn wants_pictures(&self) -> bool {
        self.run.settings.overlay || self.run.settings.report
    }

    /// A message's item and payload, if there is something to do; else what is to be acknowledged.
    fn first<P: Payload>(
        &mut self,
        message: Message<P>,
    ) -> Result<Result<(Identity, P), Vec<Finished>>> {
        let identity = message.identity();
        self.run.announced = identity.total.or(self.run.announced);
        if let Some(status) = self.journal.finished(&identity.item) {
            return Ok(Err(vec![(identity.clone(), status)]));
        }
        if self.journal.is_staged(&identity.item) {
            return Ok(Err(vec![])); // its word goes out when it is on disk
        }
        match message {
            Message::Item(identity, payload) => Ok(Ok((identity, payload))),
            Message::Failed(identity, failure) => self.fail(identity, failure).map(Err),
        }
    }

    fn joined(&mut self, joined: Joined<(Identity, Mask), PendingInput>) -> Result<Vec<Finished>> {
        match joined {
            None => Ok(vec![]),
            Some(((identity, mask), Some(input))) => self.finish(identity, &mask, input),
            Some(((identity, mask), None)) => self.finish(
                identity,
                &mask,
                PendingInput::without_picture("the picture did not come"),
            ),
        }
    }

    fn finish(
        &mut self,
        identity: Identity,
        mask: &Mask,
        mut input: PendingInput,
    ) -> Result<Vec<Finished>> {
        let started = Instant::now();
        let picture = input.decode();
        let whole = picture
            .as_ref()
            .filter(|picture| picture.dimensions() == (mask.width, mask.height));
        if let (Some(picture), None, true) = (&picture, whole, self.run.settings.overlay) {
            let (width, height) = picture.dimensions();
            input.notes.push(format!(
                "no overlay: the picture that came with the examples has {width} x {height} pixels"
            ));
        }
        if self.names.is_none() {
            self.names = Some(self.taken()?);
        }
        let made = match self.make(&identity, mask, whole) {
            Ok(made) => made,
            Err(error) => return self.refuse(identity, error),
        };
        let mut record = Record::done(&identity, &self.run.settings.run_key, &self.run.run);
        for made in &made {
            let kind = made.kind.to_owned();
            record.bytes.insert(kind.clone(), made.bytes.len() as u64);
            record.files.insert(kind, made.file.clone());
        }
        record.confidence = results::mean_confidence(mask);
        record.fill(mask, input.prompts);
        record.notes.extend(input.notes);
        if let Some(report) = &mut self.report {
            let pictured = self.journal.tally().pictured + self.waiting_pictured;
            let free = self.journal.is_pictured(&identity.item)
                || pictured < u64::from(self.run.settings.report_max);
            record.pictured = free
                && report
                    .picture(&identity.name, mask, picture.as_ref())
                    .wrap_err(STAYS)?;
        }
        record.took("write", started.elapsed());
        seggpt_fault::at("in-work", &identity.item);
        let pictured = u64::from(record.pictured);
        match self.journal.stage(record, made) {
            Ok(()) => {
                self.waiting_pictured += pictured;
                self.enqueue(identity)
            }
            Err(error) if error.blames_the_name() => self.refuse(identity, error.into()),
            Err(error) => Err(eyre::Report::from(error).wrap_err(STAYS)),
        }
    }

    /// The files of an item, under a name that is its own.
    fn make(
        &mut self,
        identity: &Identity,
        mask: &Mask,
        picture: Option<&RgbImage>,
    ) -> Result<Vec<Made>> {
        if let Some(names) = &mut self.names {
            names.claim(&identity.name, &identity.item)?;
        }
        results::make(&identity.name, mask, picture, &self.run.settings)
    }

    /// The names of what is there already, and still asked for.
    fn taken(&mut self) -> Result<Names> {
        self.journal.learn()?;
        let mut names = Names::default();
        for record in self.journal.records(&[Outcome::Done], |_| true)? {
            let record = record?.0;
            if let Err(error) = names.claim(&record.name, &record.item) {
                tracing::warn!("{error}");
            }
        }
        Ok(names)
    }

    fn refuse(&mut self, identity: Identity, error: eyre::Report) -> Result<Vec<Finished>> {
        let failure = Failure {
            node: String::new(),
            error: format!("{error:#}"),
        };
        self.fail(identity, failure)
    }

    fn fail(&mut self, identity: Identity, failure: Failure) -> Result<Vec<Finished>> {
        self.join.forget(&identity.item);
        let run = &self.run;
        let record = Record::failed(&identity, &run.settings.run_key, &run.run, failure);
        self.journal.stage(record, vec![]).wrap_err(STAYS)?;
        self.enqueue(identity)
    }

    /// It waits, and is reported once it is on disk.
    fn enqueue(&mut self, identity: Identity) -> Result<Vec<Finished>> {
        self.waiting.push(identity);
        if self.waiting.len() < self.group {
            return Ok(vec![]);
        }
        self.commit()
    }
}

/// What was done stays done.
const STAYS: &str = "OUT cannot be written: free some space or name another folder; what is finished stays, and the same command goes on from there";
