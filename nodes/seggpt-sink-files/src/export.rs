//! All masks of a folder of results in the form that labelling tools import.

use std::{
    collections::BTreeMap,
    fs,
    path::{Component, Path, PathBuf},
};

use eyre::{Result, WrapErr, ensure};
use seggpt_annotations::{
    Category,
    write::{Answer, Coco, LabelStudio, Thing, label_studio_config, labelme},
};
use seggpt_contract::{Class, Instance};
use seggpt_imaging::{BLACK, annotation::Ids};
use seggpt_node::colors;

use crate::{
    Export, Settings,
    folder::Folder,
    journal::Journal,
    record::{Outcome, Record},
};

/// Where labelme's files go, one a picture.
const LABELME: &str = "labelme";

/// Writes what the settings ask for, of every item that has a mask, those of earlier runs included.
///
/// # Errors
/// A result cannot be read, or OUT cannot be written.
pub fn write(folder: &Folder, journal: &Journal, settings: &Settings) -> Result<()> {
    if settings.export.is_empty() {
        return Ok(());
    }
    let categories = categories(journal)?;
    for export in &settings.export {
        match export {
            Export::Coco => folder.put_with("coco.json", |file| {
                let mut coco =
                    Coco::begin(file, concat!("dora-seggpt ", env!("CARGO_PKG_VERSION")))?;
                each(folder, journal, |answer, _| Ok(coco.add(answer)?))?;
                Ok(coco.end(&categories)?)
            })?,
            Export::LabelStudio => {
                folder.put(
                    "label-studio.xml",
                    label_studio_config(&categories).as_bytes(),
                )?;
                folder.put_with("label-studio.json", |file| {
                    let mut tasks = LabelStudio::begin(file, "dora-seggpt")?;
                    each(folder, journal, |answer, _| {
                        Ok(tasks.add(answer, &categories)?)
                    })?;
                    Ok(tasks.end()?)
                })?;
            }
            Export::Labelme => each(folder, journal, |answer, record| {
                let file = format!("{LABELME}/{}.json", record.name);
                if is_newer(&folder.path(&file), record, folder) {
                    return Ok(()); // people may have corrected it
                }
                let picture = relative(answer.picture, &folder.path(&file));
                let answer = Answer {
                    picture: &picture,
                    ..*answer
                };
                let text = serde_json::to_string_pretty(&labelme(&answer, &categories)?)?;
                folder.put(&file, text.as_bytes())
            })?,
        }
    }
    Ok(())
}

/// The classes of all items, in the colours in which people are shown them.
fn categories(journal: &Journal) -> Result<Vec<Category>> {
    let mut classes: BTreeMap<u16, Class> = BTreeMap::new();
    for record in journal.records(&[Outcome::Done], |_| true)? {
        for found in record?.0.classes {
            classes.entry(found.class.id).or_insert(found.class);
        }
    }
    let shown = colors::shown(classes.values());
    let categories = classes
        .into_values()
        .zip(shown)
        .map(|(class, color)| Category {
            id: class.id,
            name: class.name,
            color: Some(color).filter(|color| *color != BLACK),
            thing: None,
        });
    Ok(categories.collect())
}

fn each(
    folder: &Folder,
    journal: &Journal,
    mut take: impl FnMut(&Answer<'_>, &Record) -> Result<()>,
) -> Result<()> {
    for record in journal.records(&[Outcome::Done], |_| true)? {
        let record = record?.0;
        let things =
            things(folder, &record).wrap_err_with(|| format!("the results of {}", record.item))?;
        let answer = Answer {
            name: &record.item,
            picture: Path::new(&record.source),
            size: (record.width as usize, record.height as usize),
            things: &things,
        };
        take(&answer, &record)?;
    }
    Ok(())
}

/// The objects of an item where they were told apart, else its classes.
fn things(folder: &Folder, record: &Record) -> Result<Vec<Thing>> {
    let pixels = record.width as usize * record.height as usize;
    let ids = |kind: &str| -> Result<Option<Vec<u16>>> {
        let Some(file) = record.files.get(kind) else {
            return Ok(None);
        };
        let ids = Ids::open(folder.path(file))?;
        ensure!(
            ids.values.len() == pixels,
            "{file} has another size than its picture"
        );
        Ok(Some(ids.values))
    };
    if let (Some(map), Some(table)) = (ids("instances")?, record.files.get("instance_table")) {
        let table: Vec<Instance> = serde_json::from_slice(&fs::read(folder.path(table))?)?;
        let things = (1u16..).zip(table).map(|(id, instance)| Thing {
            class: instance.class,
            score: instance.confidence,
            mask: map.iter().map(|other| *other == id).collect(),
        });
        return Ok(things.collect());
    }
    let Some(mask) = ids("mask")? else {
        return Ok(vec![]);
    };
    let found = record.classes.iter().filter(|found| found.pixels > 0);
    let things = found.map(|found| Thing {
        class: found.class.id,
        score: found.confidence,
        mask: mask.iter().map(|id| *id == found.class.id).collect(),
    });
    Ok(things.collect())
}

/// Whether a file was written after the mask of an item.
fn is_newer(file: &Path, record: &Record, folder: &Folder) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    let mask = record
        .files
        .get("mask")
        .and_then(|mask| time(&folder.path(mask)));
    time(file)
        .zip(mask)
        .is_some_and(|(file, mask)| file >= mask)
}

/// A path as it reads from the folder of a file; what is not absolute stays as it is.
fn relative(path: &Path, from: &Path) -> PathBuf {
    let folder = from.parent().unwrap_or(Path::new(""));
    if !path.is_absolute() || !folder.is_absolute() {
        return path.to_owned();
    }
    let shared = path
        .components()
        .zip(folder.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = folder
        .components()
        .skip(shared)
        .map(|_| Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_from_the_folder_of_a_file() {
        let relative = |path, from| relative(Path::new(path), Path::new(from));
        assert_eq!(
            relative("/data/in/a.png", "/data/out/labelme/a.json"),
            Path::new("../../in/a.png")
        );
        assert_eq!(relative("/x/a.png", "/x/b.json"), Path::new("a.png"));
        assert_eq!(relative("topic", "/x/b.json"), Path::new("topic"));
    }
}
