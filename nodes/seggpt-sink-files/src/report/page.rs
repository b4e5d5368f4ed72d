//! The page as a template, filled item by item.

use std::cmp::Reverse;

use askama::Template;
use eyre::{Result, WrapErr};
use seggpt_contract::Provenance;
use seggpt_node::colors;

use crate::{
    journal::{Journal, Tally},
    record::{Outcome, Record},
    report::{
        Report,
        thumbs::{Example, Thumbs},
        view::{self, Card, Share, css, duration, moment, percent, width},
    },
    summary::{Run, State},
    totals::Totals,
};

/// How many further examples are named.
const NAMED: usize = 40;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    run: &'a Run,
    journal: &'a Journal,
    tally: Tally,
    totals: &'a Totals,
}

pub fn write(report: &Report, file: &str, run: &Run, journal: &Journal) -> Result<()> {
    let page = Page {
        report,
        run,
        journal,
        tally: journal.tally(),
        totals: journal.totals(),
    };
    report.folder.put_with(file, |file| {
        page.write_into(file).wrap_err("the report page")
    })
}

type Filled<T> = Result<T, askama::Error>;

impl Page<'_> {
    fn title(&self) -> String {
        let name = self.report.folder.root().file_name();
        name.map_or_else(
            || "results".into(),
            |name| name.to_string_lossy().into_owned(),
        )
    }

    fn is_running(&self) -> bool {
        self.run.state == State::Running
    }

    fn state(&self) -> String {
        let time = duration(self.run.seconds * 1000.0);
        let at = moment(&self.run.finished_at);
        match self.run.state {
            State::Running => format!("running for {time}"),
            State::Incomplete => format!("ended {at}, after {time}"),
            State::Finished => format!("finished {at}, after {time}"),
            State::Stopped => format!("stopped {at}, after {time}"),
            State::Broken => format!("broke off {at}, after {time}"),
        }
    }

    fn total(&self) -> Option<u64> {
        self.run.total(self.tally)
    }

    /// As a width, where the source says how many items there are.
    fn progress(&self) -> Option<String> {
        let total = self.total().filter(|total| *total > 0)?;
        Some(width(
            (self.tally.done + self.tally.failed) as f64 / total as f64,
        ))
    }

    fn sure(&self) -> Option<String> {
        self.totals.confidence().map(percent)
    }

    fn time(&self) -> Option<String> {
        self.totals.time().map(|time| duration(time.mean))
    }

    fn models(&self) -> Vec<String> {
        self.totals.provenances.iter().map(model).collect()
    }

    /// How many items will never have an outcome.
    fn missing(&self) -> u64 {
        if self.is_running() {
            0
        } else {
            self.run.missing(self.tally)
        }
    }

    fn is_untrained(&self) -> bool {
        self.totals
            .provenances
            .iter()
            .any(|provenance| !provenance.trained)
    }

    fn legend(&self) -> Vec<(Share<'_>, u64)> {
        let colors = colors::shown(self.totals.classes().map(|total| &total.class));
        let classes = self.totals.classes().zip(colors);
        classes
            .map(|(total, color)| {
                let share = Share {
                    name: &total.class.name,
                    color: css(color),
                    fraction: self.totals.share(total),
                    confidence: 0.0,
                };
                (share, total.items)
            })
            .collect()
    }

    /// The examples that guided most, first.
    fn examples(&self) -> Vec<(&Example, u64)> {
        let guided =
            |example: &Example| self.totals.guided.get(&example.name).copied().unwrap_or(0);
        let mut examples: Vec<_> = self
            .report
            .examples
            .iter()
            .map(|e| (e, guided(e)))
            .collect();
        examples.sort_by_key(|(_, items)| Reverse(*items));
        examples
    }

    /// Names of examples that the page has no pictures of, and how many more there are.
    fn further_examples(&self) -> (Vec<&str>, usize) {
        let shown = |name: &str| self.report.examples.iter().any(|e| e.name == name);
        let names = self.totals.guided.keys().map(String::as_str);
        let mut further: Vec<_> = names.filter(|name| !shown(name)).collect();
        let more = further.len().saturating_sub(NAMED);
        further.truncate(NAMED);
        (further, more)
    }

    fn failed(&self) -> Filled<impl Iterator<Item = Filled<Record>>> {
        let records = self
            .journal
            .records(&[Outcome::Failed], |_| true)
            .map_err(custom)?;
        Ok(records.map(|record| record.map(|(record, _)| record).map_err(custom)))
    }

    fn cards(&self) -> Filled<impl Iterator<Item = Filled<Card>>> {
        self.done(true)
    }

    /// Items without pictures.
    fn listed(&self) -> Filled<impl Iterator<Item = Filled<Card>>> {
        self.done(false)
    }

    fn done(&self, pictured: bool) -> Filled<impl Iterator<Item = Filled<Card>>> {
        let records = self.journal.records(&[Outcome::Done], move |entry| {
            entry.brief.pictured == pictured
        });
        let records = records.map_err(custom)?;
        Ok(records.map(|record| self.card(record)))
    }

    fn listed_count(&self) -> u64 {
        self.tally.done.saturating_sub(self.tally.pictured)
    }

    fn card(&self, record: Result<(Record, bool)>) -> Filled<Card> {
        let (record, earlier) = record.map_err(custom)?;
        let thumbs = if record.pictured {
            self.report.thumbs(&record.name).map_err(custom)?
        } else {
            Thumbs::default()
        };
        Ok(Card {
            record,
            earlier,
            thumbs,
        })
    }
}

fn model(provenance: &Provenance) -> String {
    let Provenance {
        model,
        ensemble,
        r#type,
        device,
        dtype,
        ..
    } = provenance;
    format!("{model} · {ensemble} ensemble · {type} · {device}, {dtype}")
}

fn custom(error: eyre::Report) -> askama::Error {
    askama::Error::Custom(error.into())
}
