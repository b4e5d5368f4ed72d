//! The labelled slices of all examples.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

use eyre::{Result, WrapErr, ensure, eyre};
use seggpt_contract::{Class, Example, Square};
use seggpt_imaging::{BLACK, Rgb, RgbImage, palette, resize};
use seggpt_prompt_library::{Choice, LibraryError, Pool, Query, Strategy, strategy};
use seggpt_volume::{LabelFile, LabelVolume, Labels, Scan, Source};

use crate::{
    inputs::stem,
    settings::{Settings, Time},
};

/// More are no classes that can be told apart by colour.
const MOST_CLASSES: usize = 256;

/// A scan with labelled slices.
pub struct Labelled {
    source: Source,
    time: usize,
    name: String,
    scan: Scan,
    volume: LabelVolume,
}

/// All examples, and the strategy that picks from them.
pub struct Examples {
    volumes: Vec<Labelled>,
    /// Labelled slices as (volume, slice): those that show most first.
    pool: Vec<(usize, usize)>,
    classes: Vec<Class>,
    colors: HashMap<u16, Rgb>,
    strategy: Box<dyn Strategy>,
    k: usize,
    canvas: u32,
    /// What is to be said of them.
    pub warnings: Vec<String>,
}

/// Two files of an example, opened and found to lie on each other; and which point of time and which axis is meant.
pub struct Opened {
    scan: Source,
    labels: LabelFile,
    time: usize,
    axis: usize,
}

impl Opened {
    /// Reads both headers.
    ///
    /// # Errors
    /// They cannot be used, or not together.
    pub fn open(scan: &Path, labels: &Path, settings: &Settings) -> Result<Self> {
        let (scan, labels) = (Source::open(scan)?, LabelFile::open(labels)?);
        let grid = scan.grid();
        let axis = settings.axis.of(&grid.affine, grid.shape);
        labels.check(&scan, axis)?;
        let count = scan.times();
        let time = match (count, settings.time) {
            (1, _) | (_, Some(Time::All)) => 0,
            (_, Some(Time::At(time))) if time < count => time,
            _ => {
                return Err(eyre!(
                    "{}: it has {count} points of time; say which the labels belong to (TIME)",
                    scan.place().display()
                ));
            }
        };
        Ok(Self {
            scan,
            labels,
            time,
            axis,
        })
    }
}

impl Examples {
    /// Reads all examples; `scratch`: a folder for scratch files.
    ///
    /// # Errors
    /// One cannot be read or marks nothing, or its labels do not lie on its scan.
    pub fn open(settings: &Settings, scratch: &Path) -> Result<Self> {
        let mut volumes = Vec::new();
        let mut warnings = Vec::new();
        for (number, (scan, labels)) in settings.pairs().iter().enumerate() {
            let example = || format!("example {}={}", scan.display(), labels.display());
            let opened = Opened::open(scan, labels, settings).wrap_err_with(example)?;
            let file = |kind: &str| scratch.join(format!("example-{number}-{kind}"));
            let volume = opened
                .labels
                .read(&opened.scan, opened.axis, &file("labels"))
                .wrap_err_with(example)?;
            ensure!(
                !volume.labels.areas.is_empty(),
                "{}: the labels mark nothing",
                example()
            );
            let name = match &opened.scan {
                Source::Nifti(_) => {
                    stem(&scan.file_name().unwrap_or_default().to_string_lossy()).to_owned()
                }
                Source::Dicom(series) => series.name.clone(),
            };
            let notes = opened.scan.notes().iter().chain(&volume.labels.notes);
            warnings.extend(notes.map(|note| format!("{name}: {note}")));
            volumes.push(Labelled {
                time: opened.time,
                name,
                scan: Scan::open(
                    &opened.scan,
                    opened.time,
                    opened.axis,
                    settings.grey,
                    &file("scan"),
                )
                .wrap_err_with(example)?,
                source: opened.scan,
                volume,
            });
        }
        let mut pool: Vec<(usize, usize, usize)> = Vec::new();
        for (at, labelled) in volumes.iter().enumerate() {
            let areas = labelled.volume.labels.areas.iter();
            pool.extend(areas.map(|(slice, area)| (*area, at, *slice)));
        }
        pool.sort_by_key(|(area, at, slice)| (std::cmp::Reverse(*area), *at, *slice));
        let labels = volumes.iter().map(|labelled| &labelled.volume.labels);
        let labels: Vec<&Labels> = labels.collect();
        let classes = classes(&labels, settings, &mut warnings)?;
        let choice = Choice {
            seed: settings.seed,
        };
        Ok(Self {
            colors: classes
                .iter()
                .map(|class| (class.id, class.color))
                .collect(),
            classes,
            pool: pool.into_iter().map(|(_, at, slice)| (at, slice)).collect(),
            strategy: strategy(&settings.select, &choice)?,
            k: settings.k as usize,
            canvas: settings.canvas_size,
            volumes,
            warnings,
        })
    }

    /// All classes that are asked for.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// The example that a volume is itself.
    pub fn of(&self, source: &Source, time: usize) -> Option<usize> {
        let same = |labelled: &Labelled| labelled.time == time && labelled.source.is(source);
        self.volumes.iter().position(same)
    }

    /// The slices of an example that are labelled.
    pub fn labelled(&self, at: usize) -> BTreeSet<usize> {
        let areas = self.volumes[at].volume.labels.areas.keys();
        areas.copied().collect()
    }

    /// The axis that an example's slices are stacked along.
    pub fn axis(&self, at: usize) -> usize {
        self.volumes[at].scan.view.axis
    }

    /// The wanted labels of a slice of an example.
    ///
    /// # Errors
    /// The scratch file cannot be read.
    pub fn ids(&self, at: usize, slice: usize) -> Result<Vec<u16>> {
        let mut ids = self.volumes[at].volume.slice(slice)?;
        let unwanted = ids.iter_mut().filter(|id| !self.colors.contains_key(id));
        unwanted.for_each(|id| *id = 0);
        Ok(ids)
    }

    /// A labelled slice as the network takes it.
    ///
    /// # Errors
    /// The scratch files cannot be read.
    pub fn example(&self, at: usize, slice: usize, score: f32) -> Result<Example> {
        let labelled = &self.volumes[at];
        let picture = grey(&labelled.scan, slice)?;
        let name = format!("{}#{slice:04}", labelled.name);
        self.prepared(name, &picture, &self.ids(at, slice)?, score)
    }

    /// Any slice with its labels as the network takes it: painted at its own size and then reduced, as `seggpt-prompts`
    /// prepares files.
    ///
    /// # Errors
    /// The sizes differ.
    pub fn prepared(
        &self,
        name: String,
        picture: &RgbImage,
        ids: &[u16],
        score: f32,
    ) -> Result<Example> {
        let (width, height) = picture.dimensions();
        let color = |id: &u16| self.colors.get(id).copied().unwrap_or(BLACK);
        let painted = RgbImage::from_raw(width, height, ids.iter().flat_map(color).collect());
        let painted = painted.ok_or_else(|| eyre!("{name}: labels of another size"))?;
        let side = self.canvas;
        Ok(Example {
            image: Square::from_rgb(resize::bicubic(picture, side, side))?,
            mask: Square::from_rgb(resize::nearest_rgb(&painted, side, side))?,
            name,
            score,
        })
    }

    /// The K labelled slices that are to guide a picture, besides those that do already, with their scores.
    ///
    /// # Errors
    /// The strategy cannot judge it.
    pub fn select(
        &mut self,
        item: &str,
        picture: &RgbImage,
        shown: &[(usize, usize)],
    ) -> Result<Vec<((usize, usize), f32)>> {
        let (strategy, pool) = (&mut self.strategy, &self.pool);
        let query = Query {
            item,
            picture: &|| Ok(std::borrow::Cow::Borrowed(picture)),
        };
        let slices = Slices {
            volumes: &self.volumes,
            pool,
            names: pool
                .iter()
                .map(|(at, slice)| format!("{}#{slice:04}", self.volumes[*at].name))
                .collect(),
        };
        let selected = strategy.select(&query, &slices, self.k + shown.len())?;
        let new = selected
            .into_iter()
            .map(|selected| (pool[selected.index], selected.score))
            .filter(|(slice, _)| !shown.contains(slice));
        Ok(new.take(self.k).collect())
    }

    /// Some labelled slices, those that show most: what a scan's slices are compared with.
    ///
    /// # Errors
    /// The scratch files cannot be read.
    pub fn models(&self, count: usize) -> Result<Vec<RgbImage>> {
        let most = self.pool.iter().take(count);
        most.map(|(at, slice)| grey(&self.volumes[*at].scan, *slice))
            .collect()
    }
}

/// A slice as a picture.
///
/// # Errors
/// The scratch file cannot be read.
pub fn grey(scan: &Scan, slice: usize) -> Result<RgbImage> {
    let values = scan.slice(slice)?;
    let (width, height) = scan.view.size();
    let pixels = values.into_iter().flat_map(|value| [value; 3]).collect();
    let picture = RgbImage::from_raw(width as u32, height as u32, pixels);
    picture.ok_or_else(|| eyre!("a slice that is too large for a picture"))
}

/// Names and colours of all ids, or of those that are wanted.
fn classes(
    labels: &[&Labels],
    settings: &Settings,
    warnings: &mut Vec<String>,
) -> Result<Vec<Class>> {
    let ids: BTreeSet<u16> = labels
        .iter()
        .flat_map(|labels| labels.ids.iter().copied())
        .collect();
    // As the first file that names it does.
    let named = |id: u16| {
        labels
            .iter()
            .find_map(|labels| labels.names.get(&id).cloned())
    };
    let given = settings.classes.as_ref().map(|table| table.0.as_slice());
    let given = given.unwrap_or_default();
    let setting = |id: u16| given.iter().find(|class| class.id.get() == id);
    let wanted: Vec<u16> = ids
        .iter()
        .copied()
        .filter(|id| given.is_empty() || setting(*id).is_some())
        .collect();
    ensure!(
        wanted.len() <= MOST_CLASSES,
        "the label volumes hold {} different values: is one of them a scan?",
        wanted.len()
    );
    ensure!(
        !wanted.is_empty(),
        "CLASSES lists none of the ids that the label volumes hold ({ids:?})"
    );
    for class in given.iter().filter(|class| !ids.contains(&class.id.get())) {
        warnings.push(format!(
            "class {} is in the class table, but in no label volume",
            class.id
        ));
    }
    if wanted.len() < ids.len() {
        warnings.push("labels that the class table does not list are taken for background".into());
    }
    let taken: Vec<Rgb> = given.iter().filter_map(|class| class.color).collect();
    let mut free = palette::distinct(wanted.len() + taken.len())
        .into_iter()
        .filter(|color| !taken.contains(color));
    let class = |id: u16| {
        let setting = setting(id);
        let color = setting
            .and_then(|class| class.color)
            .or_else(|| free.next());
        Class {
            id,
            name: setting
                .and_then(|class| class.name.clone())
                .or_else(|| named(id))
                .unwrap_or_else(|| format!("class {id}")),
            color: color.unwrap_or(BLACK),
        }
    };
    Ok(wanted.into_iter().map(class).collect())
}

/// Labelled slices, for strategies.
struct Slices<'a> {
    volumes: &'a [Labelled],
    pool: &'a [(usize, usize)],
    names: Vec<String>,
}

impl Pool for Slices<'_> {
    fn len(&self) -> usize {
        self.pool.len()
    }

    fn name(&self, index: usize) -> &str {
        &self.names[index]
    }

    fn picture(&self, index: usize) -> Result<RgbImage, LibraryError> {
        let (at, slice) = self.pool[index];
        grey(&self.volumes[at].scan, slice).map_err(|error| LibraryError::Unreadable {
            name: self.names[index].clone(),
            source: error.into(),
        })
    }

    /// They lie in this order already.
    fn by_coverage(&self) -> Result<Vec<usize>, LibraryError> {
        Ok((0..self.len()).collect())
    }
}
