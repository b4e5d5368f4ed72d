//! Masks in colours and the table that says what they mean: what CVAT exports as "Segmentation mask 1.1" and "PASCAL VOC".

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use rayon::prelude::*;
use seggpt_files::listing;
use seggpt_imaging::{BLACK, Rgb, read as pictures};

use super::{
    PictureFile, Tool,
    find::{Finder, NotFound},
    text,
};
use crate::{Annotations, AnnotationsError, Category, Drawn, Object, Picture, names, tally::Tally};

/// Which colour is which class.
#[derive(Debug, Clone, Default)]
pub struct LabelMap {
    classes: BTreeMap<Rgb, u16>,
}

const TABLE: &str = "labelmap.txt";
pub(super) const CLASSES: &str = "SegmentationClass";

/// Whether a folder is such an export.
pub(super) fn is_one(folder: &Path) -> bool {
    folder.join(TABLE).is_file() && folder.join(CLASSES).is_dir()
}

/// Lists the folder and reads every mask once.
pub(super) fn read(
    folder: &Path,
    images: Option<&Path>,
    mut tally: Tally,
) -> Result<Annotations, AnnotationsError> {
    let (map, categories) = table(&folder.join(TABLE))?;
    let map = Arc::new(map);
    let finder = Finder::new(folder, images);
    let object_masks = folder.join("SegmentationObject");
    let masks = masks(&folder.join(CLASSES));
    let read: Vec<_> = masks
        .par_iter()
        .map(|(mask, name)| (mask, name, map.look(mask)))
        .collect();
    let mut found = Vec::new();
    for (mask, name, seen) in read {
        let looked = finder.find(&candidates(name)).map_err(|error| match error {
            NotFound::Missing => format!(
                "there is no such picture in {}; say where pictures are",
                finder.described()
            ),
            NotFound::Several(one, other) => {
                format!(
                    "its picture may be {} or {}",
                    one.display(),
                    other.display()
                )
            }
        });
        match (looked, seen) {
            (Ok(file), Ok((size, shown))) => {
                let objects = object_masks.join(format!("{name}.png"));
                found.push((
                    name.clone(),
                    file,
                    size,
                    Drawn::Colors {
                        classes: mask.clone(),
                        objects: objects.is_file().then_some(objects),
                        map: Arc::clone(&map),
                        shown,
                    },
                ));
            }
            (Err(reason), _) => tally.leave("picture", name.as_str(), reason),
            (_, Err(reason)) => tally.leave("mask", mask.display().to_string(), reason),
        }
    }
    if found.is_empty() {
        let reason = tally
            .first("picture")
            .unwrap_or_else(|| format!("{CLASSES} holds no masks"));
        return Err(AnnotationsError::format(folder, reason));
    }
    let names: Vec<String> = found
        .iter()
        .map(|(name, ..)| format!("{name}.png"))
        .collect();
    let pictures =
        names::unique(&names)
            .into_iter()
            .zip(&found)
            .map(|(name, (_, file, size, drawn))| Picture {
                name,
                file: PictureFile::Path(file.clone()),
                source: match drawn {
                    Drawn::Colors { classes, .. } => classes.clone(),
                    Drawn::Objects { .. } => folder.to_owned(),
                },
                size: *size,
                drawn: drawn.clone(),
            });
    Ok(Annotations {
        tool: Tool::CvatMasks,
        path: folder.to_owned(),
        table: Some(folder.join(TABLE)),
        categories,
        pictures: pictures.collect(),
        notes: tally.notes(folder),
    })
}

/// Names that a picture of this name may have.
fn candidates(name: &str) -> Vec<String> {
    let lower = listing::PICTURES.into_iter().map(str::to_owned);
    let both = lower.flat_map(|ending| [ending.clone(), ending.to_ascii_uppercase()]);
    both.map(|ending| format!("{name}.{ending}")).collect()
}

/// All PNG files below a folder with their paths in it, without ending.
fn masks(folder: &Path) -> Vec<(PathBuf, String)> {
    fn list(root: &Path, folder: &Path, all: &mut Vec<(PathBuf, String)>) {
        for path in listing::entries(folder).unwrap_or_default() {
            if path.is_dir() {
                list(root, &path, all);
            } else if listing::ends_in(&path, &["png"]) {
                let inside = path.strip_prefix(root).unwrap_or(&path).with_extension("");
                let name = inside.to_string_lossy().replace('\\', "/");
                all.push((path, name));
            }
        }
    }
    let mut all = Vec::new();
    list(folder, folder, &mut all);
    all
}

/// `name:r,g,b:parts:actions` a line; ids count the lines that are not background from 1.
fn table(path: &Path) -> Result<(LabelMap, Vec<Category>), AnnotationsError> {
    let (mut map, mut categories) = (LabelMap::default(), Vec::new());
    let text = text::open(path)?;
    let lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    for line in lines {
        let wrong =
            || AnnotationsError::format(path, format!("`{line}` is not name:r,g,b:parts:actions"));
        let (name, rest) = line.split_once(':').ok_or_else(wrong)?;
        let color = rest.split(':').next().unwrap_or_default();
        let numbers: Vec<u8> = color
            .split(',')
            .map(|number| number.trim().parse())
            .collect::<Result<_, _>>()
            .map_err(|_| wrong())?;
        let color: Rgb = numbers.try_into().map_err(|_| wrong())?;
        if color == BLACK || super::background(name) == Some(0) {
            map.classes.insert(color, 0);
            continue;
        }
        let id = categories.len() as u16 + 1;
        if map.classes.insert(color, id).is_some() {
            let reason = format!("`{name}` has the colour of another class; give each its own");
            return Err(AnnotationsError::format(path, reason));
        }
        let mut category = Category::new(id, name);
        category.color = Some(color);
        categories.push(category);
    }
    map.classes.entry(BLACK).or_insert(0);
    Ok((map, categories))
}

type Look = ((usize, usize), Vec<u16>);

impl LabelMap {
    /// The size of a mask and the classes that it shows.
    fn look(&self, mask: &Path) -> Result<Look, String> {
        let (size, labels) = self.decode(mask).map_err(|error| error.to_string())?;
        let shown: BTreeSet<u16> = labels.into_iter().filter(|label| *label != 0).collect();
        Ok((size, shown.into_iter().collect()))
    }

    fn decode(&self, mask: &Path) -> Result<((usize, usize), Vec<u16>), AnnotationsError> {
        let picture = pictures::open(mask)?;
        let (pixels, _) = picture.as_raw().as_chunks::<3>();
        let label = |color: &Rgb| {
            let class = self.classes.get(color).copied();
            class.ok_or_else(|| {
                let color = seggpt_imaging::color::hex(*color);
                AnnotationsError::format(mask, format!("its colour {color} is not in {TABLE}"))
            })
        };
        let labels = pixels.iter().map(label).collect::<Result<_, _>>()?;
        Ok((
            (picture.width() as usize, picture.height() as usize),
            labels,
        ))
    }

    /// The class of every pixel of a mask.
    pub(crate) fn labels(
        &self,
        mask: &Path,
        size: (usize, usize),
    ) -> Result<Vec<u16>, AnnotationsError> {
        let (found, labels) = self.decode(mask)?;
        match found == size {
            true => Ok(labels),
            false => Err(AnnotationsError::format(mask, "it changed its size")),
        }
    }

    /// The objects of a mask that gives each a colour, each of the class that most of its pixels have.
    pub(crate) fn objects(
        &self,
        mask: &Path,
        size: (usize, usize),
        labels: &[u16],
    ) -> Result<Vec<(Object, Vec<bool>)>, AnnotationsError> {
        let picture = pictures::open(mask)?;
        if (picture.width() as usize, picture.height() as usize) != size {
            return Err(AnnotationsError::format(
                mask,
                "it is not as large as the class mask",
            ));
        }
        let (pixels, _) = picture.as_raw().as_chunks::<3>();
        let mut votes: BTreeMap<Rgb, BTreeMap<u16, usize>> = BTreeMap::new();
        for (color, label) in pixels.iter().zip(labels) {
            if *color != BLACK && *label != 0 {
                *votes.entry(*color).or_default().entry(*label).or_default() += 1;
            }
        }
        let object = |(number, (color, votes)): (usize, (Rgb, BTreeMap<u16, usize>))| {
            let class = votes
                .iter()
                .max_by_key(|(_, count)| **count)
                .map_or(0, |(class, _)| *class);
            let object = Object {
                id: number as u32 + 1,
                class,
                crowd: false,
                shapes: Vec::new(),
            };
            (object, pixels.iter().map(|pixel| *pixel == color).collect())
        };
        Ok(votes.into_iter().enumerate().map(object).collect())
    }
}
