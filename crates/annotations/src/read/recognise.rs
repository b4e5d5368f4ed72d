use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
};

use seggpt_files::listing;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{Tool, colors, json, labelme, text};
use crate::AnnotationsError;

/// Whose format a file has, by its content; of a folder, the file of annotations in it (or in `annotations/`), or the folder
/// itself where each picture has a labelme file or colour masks have a `labelmap.txt`. `None`: nothing that is known.
///
/// # Errors
/// [`AnnotationsError::Read`]; [`AnnotationsError::Format`] if a folder has several files of annotations.
pub fn recognise(path: &Path) -> Result<Option<(Tool, PathBuf)>, AnnotationsError> {
    if !path.is_dir() {
        return Ok(tool(path)?.map(|tool| (tool, path.to_owned())));
    }
    if colors::is_one(path) {
        return Ok(Some((Tool::CvatMasks, path.to_owned())));
    }
    let mut found = Vec::new();
    for folder in [path.to_owned(), path.join("annotations")] {
        for file in files(&folder) {
            match tool(&file) {
                Ok(Some(Tool::Labelme)) => return Ok(Some((Tool::Labelme, path.to_owned()))),
                Ok(Some(tool)) => found.push((tool, file)),
                Ok(None) | Err(_) => {}
            }
        }
        if !found.is_empty() {
            break;
        }
    }
    match &found[..] {
        [] => {
            // Pictures and their files in folders below.
            let first = labelme::listed(path, 0)
                .into_iter()
                .find(|file| is_labelme(file));
            Ok(first.map(|_| (Tool::Labelme, path.to_owned())))
        }
        [only] => Ok(Some(only.clone())),
        [(_, first), (_, second), ..] => Err(AnnotationsError::format(
            path,
            format!(
                "it holds several files of annotations, such as {} and {}; name the one that is meant",
                first.display(),
                second.display()
            ),
        )),
    }
}

/// The JSON and XML files of a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = listing::entries(folder).unwrap_or_default();
    files.retain(|file| listing::ends_in(file, &["json", "xml"]) && file.is_file());
    files
}

fn is_labelme(file: &Path) -> bool {
    matches!(tool(file), Ok(Some(Tool::Labelme)))
}

fn tool(path: &Path) -> Result<Option<Tool>, AnnotationsError> {
    let text = text::open(path)?;
    match text.trim_start().chars().next() {
        Some('<') => {
            let is_cvat = roxmltree::Document::parse(&text).is_ok_and(|document| {
                let root = document.root_element();
                let mut children = root.children();
                root.has_tag_name("annotations")
                    && children.any(|child| {
                        ["meta", "image", "track"]
                            .iter()
                            .any(|name| child.has_tag_name(*name))
                    })
            });
            return Ok(is_cvat.then_some(Tool::Cvat));
        }
        Some('{' | '[') => {}
        _ => return Ok(None),
    }
    Ok(json::parse::<Keys>(&text).ok().and_then(|keys| keys.tool()))
}

/// The keys of an object, or of the first object of a list.
struct Keys {
    in_list: bool,
    keys: BTreeSet<String>,
}

impl Keys {
    fn tool(&self) -> Option<Tool> {
        let has = |keys: &[&str]| keys.iter().all(|key| self.keys.contains(*key));
        match self.in_list {
            true if has(&["data"]) || has(&["image", "id"]) || has(&["image", "label"]) => {
                Some(Tool::LabelStudio)
            }
            false if has(&["images", "annotations"]) => Some(Tool::Coco),
            false if has(&["shapes", "imagePath"]) || has(&["shapes", "imageData"]) => {
                Some(Tool::Labelme)
            }
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Keys;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object or a list of objects")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = BTreeSet::new();
                while let Some((key, _)) = map.next_entry::<String, IgnoredAny>()? {
                    keys.insert(key);
                }
                Ok(Keys {
                    in_list: false,
                    keys,
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Keys, A::Error> {
                let mut keys = BTreeSet::new();
                if let Some(Keys { keys: first, .. }) = list.next_element()? {
                    keys = first;
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Keys {
                    in_list: true,
                    keys,
                })
            }
        }

        deserializer.deserialize_any(Any)
    }
}
