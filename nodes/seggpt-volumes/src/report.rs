//! The page: a card a volume.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use askama::Template;
use base64::{Engine, engine::general_purpose::STANDARD};
use eyre::{Result, WrapErr};
use seggpt_files::hash;
use seggpt_store::OWN;
use serde::{Deserialize, Serialize};

use crate::{
    marks::{Mark, Marks, Part},
    record::{Outcome, Record},
    summary::{Run, State},
};

/// The file.
pub const FILE: &str = "report.html";

/// A slice with its labels, as the page shows it.
#[derive(Clone, Serialize, Deserialize)]
struct Picture {
    slice: usize,
    jpeg: String,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: String,
    run: &'a Run,
    total: usize,
    cards: Vec<Card<'a>>,
}

struct Card<'a> {
    record: &'a Record,
    earlier: bool,
    pictures: Vec<Picture>,
    dice: Vec<&'a Mark>,
    distances: Vec<&'a Mark>,
}

impl Page<'_> {
    fn is_running(&self) -> bool {
        self.run.state == State::Running
    }

    fn state(&self) -> &'static str {
        match self.run.state {
            State::Running => "running",
            State::Finished => "finished",
            State::Stopped => "stopped",
            State::Broken => "broke off",
        }
    }

    fn done(&self) -> usize {
        let done = self.cards.iter().filter(|card| !card.is_failed());
        done.count()
    }

    fn is_untrained(&self) -> bool {
        self.run
            .provenance
            .as_ref()
            .is_some_and(|made| !made.trained)
    }
}

impl Card<'_> {
    fn is_failed(&self) -> bool {
        self.record.status == Outcome::Failed
    }

    fn shape(&self) -> String {
        let shape = self.record.shape.map(|n| n.to_string()).join(" x ");
        let zooms = self
            .record
            .zooms
            .map(|zoom| format!("{zoom:.3}"))
            .join(" x ");
        format!("{shape} voxels of {zooms} mm, {}", self.record.orientation)
    }

    fn slices(&self) -> String {
        let along = ["x", "y", "z"][self.record.axis.min(2)];
        let given = match self.record.labelled.len() {
            0 => "none labelled".to_owned(),
            1..=8 => format!("labelled: {:?}", self.record.labelled),
            many => format!("{many} labelled"),
        };
        format!(
            "slices along {along}, {given}, {} questions",
            self.record.questions
        )
    }
}

fn dice(mark: &Mark) -> String {
    mark.dice
        .map_or_else(|| "–".into(), |dice| format!("{dice:.4}"))
}

fn css(color: &[u8; 3]) -> String {
    seggpt_imaging::color::hex(*color)
}

fn millilitres(value: &f64) -> String {
    format!("{value:.3}")
}

/// Where the pictures of a volume stand until the page shows them.
fn place(out: &Path, item: &str) -> Result<PathBuf> {
    let name = format!("{}.json", hash::short(item.as_bytes())?);
    Ok(out.join(OWN).join("report").join(name))
}

/// Keeps the pictures of a volume for the page: number of the slice, and a JPEG.
///
/// # Errors
/// The disk refuses it.
pub fn keep(out: &Path, item: &str, shown: &[(usize, Vec<u8>)]) -> Result<()> {
    let picture = |(slice, jpeg): &(usize, Vec<u8>)| Picture {
        slice: *slice,
        jpeg: STANDARD.encode(jpeg),
    };
    let pictures: Vec<Picture> = shown.iter().map(picture).collect();
    let path = place(out, item)?;
    let folder = out.join(OWN).join("report");
    fs::create_dir_all(&folder)
        .and_then(|()| seggpt_store::put(&path, &serde_json::to_vec(&pictures)?))
        .wrap_err_with(|| format!("{}: cannot be written", path.display()))
}

/// Writes the page.
///
/// # Errors
/// The disk refuses it.
pub fn write(
    out: &Path,
    run: &Run,
    total: usize,
    records: &BTreeMap<String, (Record, bool)>,
    marks: &BTreeMap<String, Marks>,
) -> Result<()> {
    let mut cards = Vec::new();
    for (record, earlier) in records.values() {
        let kept = fs::read(place(out, &record.item)?).unwrap_or_default();
        let rows = marks.get(&record.name).map_or(&[][..], |marks| &marks.rows);
        let (distances, dice) = rows
            .iter()
            .partition(|row| matches!(row.part, Part::Distance(_)));
        cards.push(Card {
            record,
            earlier: *earlier,
            // A volume that failed has none.
            pictures: serde_json::from_slice(&kept).unwrap_or_default(),
            dice,
            distances,
        });
    }
    let title = out.file_name().unwrap_or_default().to_string_lossy();
    let page = Page {
        title: title.into_owned(),
        run,
        total,
        cards,
    };
    let path = out.join(FILE);
    seggpt_store::put(&path, page.render()?.as_bytes())
        .wrap_err_with(|| format!("{}: cannot be written", path.display()))
}
