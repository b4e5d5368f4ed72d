//! What all items of a run come to.

use std::collections::BTreeMap;

use seggpt_contract::{Class, Provenance};
use serde::Serialize;

use crate::record::{Outcome, Record};

/// Sums over all records.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    classes: BTreeMap<(u16, String), ClassTotal>,
    pixels: u64,
    confidence: f64,
    done: u64,
    stages: BTreeMap<String, Stage>,
    time: Stage,
    /// How many items each example guided.
    pub guided: BTreeMap<String, u64>,
    /// Every way in which answers came about: without times and examples.
    pub provenances: Vec<Provenance>,
}

/// A class over all items.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassTotal {
    /// The class.
    #[serde(flatten)]
    pub class: Class,
    /// Its pixels.
    pub pixels: u64,
    /// Items that have any of it.
    pub items: u64,
}

/// Time of one stage over all items.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stage {
    sum: f64,
    max: f64,
    items: u64,
}

/// A [`Stage`] as `run.json` has it, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Milliseconds {
    /// Per item that has the stage.
    pub mean: f64,
    /// The slowest item.
    pub max: f64,
}

impl Stage {
    fn add(&mut self, milliseconds: f64) {
        self.sum += milliseconds;
        self.max = self.max.max(milliseconds);
        self.items += 1;
    }

    fn milliseconds(self) -> Milliseconds {
        Milliseconds {
            mean: self.sum / self.items.max(1) as f64,
            max: self.max,
        }
    }
}

impl Totals {
    /// Counts a record in.
    pub fn add(&mut self, record: &Record) {
        if record.status == Outcome::Failed {
            return;
        }
        self.done += 1;
        self.pixels += u64::from(record.width) * u64::from(record.height);
        self.confidence += f64::from(record.confidence);
        for result in &record.classes {
            let key = (result.class.id, result.class.name.clone());
            let class = self.classes.entry(key).or_insert_with(|| ClassTotal {
                class: result.class.clone(),
                pixels: 0,
                items: 0,
            });
            class.pixels += result.pixels;
            class.items += u64::from(result.pixels > 0);
        }
        for guide in &record.prompts {
            *self.guided.entry(guide.name.clone()).or_default() += 1;
        }
        if let Some(provenance) = &record.provenance {
            self.time.add(record.milliseconds());
            for (stage, milliseconds) in &provenance.milliseconds {
                self.stages
                    .entry(stage.clone())
                    .or_default()
                    .add(*milliseconds);
            }
            let kind = Provenance {
                prompts: vec![],
                milliseconds: BTreeMap::new(),
                ..provenance.clone()
            };
            if !self.provenances.contains(&kind) {
                self.provenances.push(kind);
            }
        }
    }

    /// The classes by id.
    pub fn classes(&self) -> impl Iterator<Item = &ClassTotal> {
        self.classes.values()
    }

    /// Mean share of a class in all pixels, 0 to 1.
    pub fn share(&self, class: &ClassTotal) -> f64 {
        class.pixels as f64 / self.pixels.max(1) as f64
    }

    /// Mean confidence of all items, 0 to 1; `None` without items.
    pub fn confidence(&self) -> Option<f64> {
        (self.done > 0).then(|| self.confidence / self.done as f64)
    }

    /// Time of an item, all stages together; `None` where nothing was measured.
    pub fn time(&self) -> Option<Milliseconds> {
        (self.time.items > 0).then(|| self.time.milliseconds())
    }

    /// Time by stage.
    pub fn stages(&self) -> BTreeMap<&str, Milliseconds> {
        self.stages
            .iter()
            .map(|(name, stage)| (name.as_str(), stage.milliseconds()))
            .collect()
    }
}
