//! What label volumes are worth, compared with the truth.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use eyre::{Result, bail};
use seggpt_imaging::LabelPlane;
use seggpt_metrics::{Areas, ClassAreas};
use seggpt_store::OWN;
use seggpt_volume::{Gap, LabelFile, Plan, Source};
use serde::Serialize;

use crate::record::Record;

/// Dice of the classes of a volume.
#[derive(Clone, Debug, Serialize)]
pub struct Marks {
    /// One a class and part of the volume, and one a class and distance.
    pub rows: Vec<Mark>,
}

/// Dice of a class in a part of a volume.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// The class.
    pub class: u16,
    /// What it is called.
    pub name: String,
    /// Which slices.
    pub part: Part,
    /// Twice what both have, over what each has; `None` where neither has anything.
    pub dice: Option<f64>,
    /// Voxels of the truth.
    pub truth: u64,
    /// Voxels of the answer.
    pub found: u64,
    /// Voxels of both.
    pub both: u64,
}

/// Which slices of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// All, the labelled ones included.
    All,
    /// Those that were asked.
    Asked,
    /// Those so many slices from the nearest labelled one.
    Distance(usize),
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Asked => f.write_str("asked"),
            Self::Distance(slices) => write!(f, "distance {slices}"),
        }
    }
}

/// What label files are called, behind the name of the volume.
const ENDINGS: [&str; 5] = ["nii.gz", "nii", "hdr", "seg.dcm", "dcm"];

/// The true labels of a volume: the file itself, or the one in a folder that is called as the volume is.
///
/// # Errors
/// There is none.
pub fn truth_of(truth: &Path, name: &str) -> Result<PathBuf> {
    if !truth.is_dir() {
        return Ok(truth.to_owned());
    }
    let files = ENDINGS.map(|ending| truth.join(format!("{name}.{ending}")));
    match files.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => bail!(
            "{} has no file {name}.nii.gz, nor one of {}",
            truth.display(),
            ENDINGS[1..].join(", ")
        ),
    }
}

/// Compares the labels of a volume with the truth, slice by slice. `scan`: where they lie.
///
/// # Errors
/// One of both cannot be read, or they do not lie on each other.
pub fn mark(out: &Path, record: &Record, scan: &Source, truth: &Path) -> Result<Marks> {
    let (labels, is_segmentation) = match (record.labels(), record.segmentation()) {
        (Some(labels), _) => (labels, false),
        (None, Some(segmentation)) => (segmentation, true),
        (None, None) => bail!("{}: it has no labels", record.item),
    };
    let grid = scan.grid();
    let scratch = |name| out.join(OWN).join("work").join(name);
    let found = LabelFile::open(&out.join(labels))?;
    let found = found.read(scan, record.axis, &scratch("found"))?;
    let truth = LabelFile::open(truth)?;
    let truth = truth.read(scan, record.axis, &scratch("truth"))?;
    let count = grid.shape[record.axis];
    let size = grid.view(record.axis).size();
    let labelled: BTreeSet<usize> = record.labelled.iter().copied().collect();
    let plan = Plan::new(count, labelled, Gap::Meet, 0);
    let ids: Vec<u16> = record.classes.iter().map(|class| class.id).collect();
    let mut parts: BTreeMap<Part, ClassAreas> = BTreeMap::new();
    for slice in 0..count {
        let mut own = found.slice(slice)?;
        if is_segmentation {
            // Segments are numbered in the order of the classes.
            let class = |number: u16| ids.get(usize::from(number).checked_sub(1)?).copied();
            own.iter_mut().for_each(|id| *id = class(*id).unwrap_or(0));
        }
        let own = LabelPlane::new(size, own)?;
        let true_ = LabelPlane::new(size, truth.slice(slice)?)?;
        let mut counted = ClassAreas::new(ids.iter().copied());
        counted.add(&own, &true_)?;
        let distance = plan.distance(slice);
        let asked = (distance != Some(0)).then_some(Part::Asked);
        let at = distance.filter(|slices| *slices > 0).map(Part::Distance);
        for part in [Some(Part::All), asked, at].into_iter().flatten() {
            let sum = parts
                .entry(part)
                .or_insert_with(|| ClassAreas::new(ids.iter().copied()));
            sum.merge(&counted)?;
        }
    }
    let name = |id: u16| {
        let class = record.classes.iter().find(|class| class.id == id);
        class.map_or_else(String::new, |class| class.name.clone())
    };
    let rows = parts.iter().flat_map(|(part, sums)| {
        sums.areas()
            .map(|(id, areas)| of(id, name(id), *part, areas))
    });
    Ok(Marks {
        rows: rows.collect(),
    })
}

fn of(class: u16, name: String, part: Part, areas: Areas) -> Mark {
    let sum = areas.predicted + areas.true_;
    Mark {
        class,
        name,
        part,
        dice: (sum > 0).then(|| (2 * areas.both) as f64 / sum as f64),
        truth: areas.true_,
        found: areas.predicted,
        both: areas.both,
    }
}

/// `dice.tsv`: a line a volume, class and part.
///
/// # Errors
/// The disk refuses it.
pub fn write(out: &Path, marks: &BTreeMap<String, Marks>) -> Result<()> {
    let mut text = "volume\tclass\tname\tslices\tdice\ttruth\tfound\tboth\n".to_owned();
    for (volume, marks) in marks {
        for row in &marks.rows {
            let dice = row
                .dice
                .map_or_else(|| "-".into(), |dice| format!("{dice:.6}"));
            let (class, name, part) = (row.class, name_of(&row.name), row.part);
            let (truth, found, both) = (row.truth, row.found, row.both);
            writeln!(
                text,
                "{volume}\t{class}\t{name}\t{part}\t{dice}\t{truth}\t{found}\t{both}"
            )?;
        }
    }
    fs::create_dir_all(out)?;
    Ok(seggpt_store::put(&out.join("dice.tsv"), text.as_bytes())?)
}

/// Without what would break a line.
fn name_of(name: &str) -> String {
    name.replace(['\t', '\n', '\r'], " ")
}
