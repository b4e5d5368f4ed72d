//! The sink without dora: messages in, files and acknowledgements out.

use std::time::Instant;

use eyre::{Result, WrapErr};
use image::RgbImage;
use seggpt_contract::{ContractError, Failure, Identity, Mask, Message, Payload, Prompted, Status};
use seggpt_node::outcome;

use crate::{
    Settings,
    folder::Folder,
    join::{Join, Met},
    journal::Journal,
    place::{Files, Place, Trouble},
    record::{Outcome, Record, now},
    report::Report,
    results,
    shown::Shown,
    summary::{self, Run, State},
    totals::Totals,
};

/// An item that is done with, and how it ended.
pub type Finished = (Identity, Status);

/// Writes results.
pub struct Sink {
    folder: Folder,
    place: Place,
    journal: Journal,
    join: Join<(Identity, Mask), Shown>,
    report: Option<Report>,
    run: Run,
    started: Instant,
    finished: u64,
    expects_pictures: bool,
    strangers: Vec<String>,
}

impl Sink {
    /// Opens OUT. `expects_pictures`: whether masks should wait for their pictures.
    ///
    /// # Errors
    /// OUT cannot be written, or what an earlier run left there cannot be read.
    pub fn open(settings: Settings, expects_pictures: bool) -> Result<Self> {
        let folder = Folder::create(&settings.out)?;
        let journal = Journal::open(&folder, &settings.run_key)?;
        let earlier = journal.tally().earlier;
        if earlier > 0 {
            tracing::info!("{earlier} items of an earlier run are kept");
        }
        let report = settings
            .report
            .then(|| Report::open(&folder, earlier > 0, settings.report_max))
            .transpose()?;
        Ok(Self {
            place: Place::new(folder.clone()),
            journal,
            join: Join::new(settings.waiting.into()),
            report,
            expects_pictures: expects_pictures && (settings.overlay || settings.report),
            run: Run::start(settings),
            folder,
            started: Instant::now(),
            finished: 0,
            strangers: vec![],
        })
    }

    /// Takes a mask. Returns what is done with now.
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn mask(&mut self, message: Message<Mask>) -> Result<Vec<Finished>> {
        match self.first(message)? {
            Ok((identity, mask)) => {
                if let Err(error) = results::check(&identity, &mask) {
                    return self.refuse(identity, error);
                }
                if !self.expects_pictures {
                    return self.finish(identity, &mask, Shown::default());
                }
                let item = identity.item.clone();
                let met = self.join.mask(&item, (identity, mask));
                self.met(met)
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
                    report.meet(&prompted)?;
                }
                let shown = Shown::of(&prompted, self.run.settings.overlay);
                let met = self.join.picture(&identity.item, shown);
                self.met(met)
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
        if !self.wants_pictures() || self.journal.finished(&identity.item).is_some() {
            return Ok(vec![]);
        }
        self.expects_pictures = true;
        let shown = Shown::nothing(error);
        let met = self.join.picture(&identity.item, shown);
        self.met(met)
    }

    /// An input that this node does not know: said once.
    pub fn stranger(&mut self, input: &str) {
        if !self.strangers.iter().any(|known| known == input) {
            self.strangers.push(input.to_owned());
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
        while let met @ Some(_) = self.join.pop() {
            finished.extend(self.met(met)?);
        }
        Ok(finished)
    }

    /// Writes `run.json` and the report for the last time. `outcome`: how the run ended, returned as it is.
    ///
    /// # Errors
    /// That of `outcome`, else OUT cannot be written.
    pub fn close(mut self, dropped: u64, stopped: bool, outcome: Result<()>) -> Result<()> {
        self.run.dropped = dropped;
        self.run.error = outcome.as_ref().err().map(|error| format!("{error:#}"));
        self.run.state = match (&outcome, stopped) {
            (Err(_), _) => State::Broken,
            (Ok(()), true) => State::Stopped,
            (Ok(()), false) if self.run.missing(self.journal.tally()) > 0 => State::Incomplete,
            (Ok(()), false) => State::Finished,
        };
        let written = self.summarise();
        match (outcome, written) {
            (Err(error), Err(second)) => {
                tracing::error!("{second:#}");
                Err(error)
            }
            (Err(error), Ok(())) => Err(error),
            (Ok(()), written) => written,
        }
    }

    fn summarise(&mut self) -> Result<()> {
        self.tick();
        let mut totals = Totals::default();
        for record in self.journal.records(&[Outcome::Done])? {
            totals.add(&record?.0);
        }
        summary::write(&self.folder, &self.run, &self.journal, &totals)?;
        if let Some(report) = &mut self.report {
            outcome::say_report(&report.write(&self.run, &self.journal)?);
        }
        Ok(())
    }

    fn tick(&mut self) {
        self.run.finished_at = now();
        self.run.seconds = self.started.elapsed().as_secs_f64();
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
        match message {
            Message::Item(identity, payload) => Ok(Ok((identity, payload))),
            Message::Failed(identity, failure) => self.fail(identity, failure).map(Err),
        }
    }

    fn met(&mut self, met: Met<(Identity, Mask), Shown>) -> Result<Vec<Finished>> {
        match met {
            None => Ok(vec![]),
            Some(((identity, mask), Some(shown))) => self.finish(identity, &mask, shown),
            Some(((identity, mask), None)) => {
                self.finish(identity, &mask, Shown::nothing("the picture did not come"))
            }
        }
    }

    fn finish(
        &mut self,
        identity: Identity,
        mask: &Mask,
        mut shown: Shown,
    ) -> Result<Vec<Finished>> {
        let started = Instant::now();
        let picture = shown.decode();
        let whole = picture
            .as_ref()
            .filter(|picture| picture.dimensions() == (mask.width, mask.height));
        if let (Some(picture), None, true) = (&picture, whole, self.run.settings.overlay) {
            let (width, height) = picture.dimensions();
            shown.notes.push(format!(
                "no overlay: the picture that came with the examples has {width} x {height} pixels"
            ));
        }
        let mut record = Record::done(&identity, &self.run.settings.run_key);
        record.files = match self.write(&identity, mask, whole) {
            Ok(files) => files,
            Err(Trouble::Item(error)) => return self.refuse(identity, error),
            Err(Trouble::Disk(error)) => return Err(error.wrap_err(STAYS)),
        };
        record.confidence = results::mean_confidence(mask);
        record.answer(mask, shown.prompts);
        record.notes = shown.notes;
        if let Some(report) = &mut self.report {
            let free = self.journal.is_pictured(&identity.item)
                || self.journal.tally().pictured < u64::from(self.run.settings.report_max);
            record.pictured = free
                && report
                    .picture(&identity.name, mask, picture.as_ref())
                    .wrap_err(STAYS)?;
        }
        record.took("write", started.elapsed());
        self.settle(identity, record)
    }

    fn write(
        &mut self,
        identity: &Identity,
        mask: &Mask,
        picture: Option<&RgbImage>,
    ) -> Result<Files, Trouble> {
        self.place.claim(identity)?;
        let made = results::make(&identity.name, mask, picture, &self.run.settings);
        self.place.put(made.map_err(Trouble::Item)?)
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
        let record = Record::failed(&identity, &self.run.settings.run_key, failure);
        self.settle(identity, record)
    }

    /// Journal, then the word that goes out.
    fn settle(&mut self, identity: Identity, record: Record) -> Result<Vec<Finished>> {
        self.journal.add(&record).wrap_err(STAYS)?;
        self.finished += 1;
        let status = record.status.into();
        outcome::say(
            &identity,
            status,
            self.finished,
            record.error.as_deref().unwrap_or_default(),
        );
        if self.report.as_ref().is_some_and(Report::is_due) {
            self.tick();
            if let Some(report) = &mut self.report {
                report.write(&self.run, &self.journal)?;
            }
        }
        Ok(vec![(identity, status)])
    }
}

/// What was done stays done.
const STAYS: &str = "OUT cannot be written: free some space or name another folder; what is finished stays, and the same command goes on from there";
