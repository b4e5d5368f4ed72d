//! What is labelled on a map: by a mask on the same grid, or by polygons.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use seggpt_flow::Diagnostic;
use seggpt_imaging::annotation::Ids;
use seggpt_prompt_library::{ClassSetting, ClassTable};
use seggpt_raster::{Map, Window};
use seggpt_vector::{
    burn::{Burnable, Part},
    read::{self, Layer},
};

use crate::args::SegmentArgs;

/// The class of polygons that nobody labelled.
const IGNORE: &str = "ignore";

/// What is labelled on a map. 0: nothing.
pub(super) enum Labels {
    Mask { values: Vec<u16>, width: u32 },
    Polygons(Burnable),
}

/// Whether a mask is a file of polygons.
pub(super) fn is_polygons(mask: &Path) -> bool {
    read::is_named_so(mask)
}

/// The ids of polygons' classes, alike in all examples.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// By what the attribute says; without a word for polygons that are all of one class.
    ids: BTreeMap<Option<String>, u16>,
    layers: BTreeMap<PathBuf, Layer>,
    is_named: bool,
}

impl Classes {
    /// Reads the polygons of all examples. Ids are those of `--classes`, by name or number; else what the attribute says, where
    /// it says whole numbers alone; else names get ids in the order of the alphabet.
    ///
    /// # Errors
    /// A file cannot be used, or a class is not in `--classes`.
    pub(super) fn of(args: &SegmentArgs, pairs: &[(PathBuf, PathBuf)]) -> Result<Self, Diagnostic> {
        let mut classes = Self::default();
        let field = args.maps.class_field.as_deref();
        let files: Vec<&PathBuf> = pairs
            .iter()
            .map(|(_, mask)| mask)
            .filter(|mask| is_polygons(mask))
            .collect();
        for file in &files {
            let layer = read::read(file, field).map_err(|error| {
                Diagnostic::new(error.to_string())
                    .help("labels of a map are polygons, or a raster on its grid: --prompt map.tif=labels.gpkg")
            })?;
            classes.layers.insert((*file).clone(), layer);
        }
        match (files.len(), field) {
            (0, Some(_)) => {
                return Err(Diagnostic::new(
                    "--class-field is for labels that are polygons, and no example has any",
                )
                .help("leave it out, or give --prompt map.tif=labels.geojson"));
            }
            (count, _) if count > 0 && count < pairs.len() && args.classes.is_none() => {
                return Err(Diagnostic::new(
                    "some examples are labelled by polygons and others by masks, whose ids need not mean the same",
                )
                .help("say which id stands for which class: --classes 1:roof,2:tree"));
            }
            _ => {}
        }
        let all = classes.layers.values().flat_map(|layer| &layer.features);
        let names: BTreeSet<Option<String>> = all
            .map(|feature| feature.class.clone())
            .filter(|class| class.as_deref() != Some(IGNORE))
            .collect();
        classes.ids = numbered(names, args.classes.as_deref())?;
        classes.is_named = classes
            .ids
            .keys()
            .any(|name| name.as_deref().is_some_and(|name| id(name).is_none()));
        Ok(classes)
    }

    /// The class table, where the polygons name classes.
    pub(super) fn table(&self) -> Option<String> {
        let entry = |(name, id): (&Option<String>, &u16)| Some(format!("{id}:{}", name.as_ref()?));
        let table: Option<Vec<String>> = self.ids.iter().map(entry).collect();
        table.filter(|_| self.is_named).map(|table| table.join(","))
    }

    /// Lays the polygons of a file on a map.
    ///
    /// # Errors
    /// Nothing says where the map lies, the polygons cannot be brought into its coordinates, or none of them lies on it.
    fn on(&self, map: &Map, file: &Path) -> Result<Labels, Diagnostic> {
        let wrong = |reason: String| Diagnostic::new(reason);
        let name = map.path().display();
        let layer = self.layers.get(file);
        let layer = layer.ok_or_else(|| wrong(format!("{}: was not read", file.display())))?;
        let place = map.place().map_err(|error| wrong(error.to_string()))?;
        let crs = place
            .named_crs()
            .map_err(|reason| wrong(format!("{name} {reason}")))?;
        let layer = layer
            .clone()
            .to(crs)
            .map_err(|error| wrong(error.to_string()))?;
        let polygons = layer.features.iter().flat_map(|feature| {
            let id = self.ids.get(&feature.class).copied().unwrap_or(0);
            feature.polygons.iter().map(move |polygon| (id, polygon))
        });
        let laid = Burnable::new(polygons, &place.grid)
            .ok_or_else(|| wrong(format!("{name}: its pixels have no area")))?;
        let (width, height) = map.size();
        if !laid.touches(Part::whole([0, 0], [width, height])) {
            return Err(wrong(format!("{}: none of its polygons lies on {name}", file.display())).help(
                "labels and map are of different places, or one of them says a wrong coordinate system (`gdalinfo`, `ogrinfo -so`)",
            ));
        }
        Ok(Labels::Polygons(laid))
    }
}

fn numbered(
    names: BTreeSet<Option<String>>,
    table: Option<&str>,
) -> Result<BTreeMap<Option<String>, u16>, Diagnostic> {
    if let Some(table) = table {
        let table: ClassTable = table.parse().map_err(Diagnostic::new)?;
        let find = |name: &Option<String>| match name {
            None => Ok(1),
            Some(text) => {
                let is = |class: &&ClassSetting| {
                    class.name.as_deref() == Some(text) || id(text) == Some(class.id.get())
                };
                let found = table.0.iter().find(is).map(|class| class.id.get());
                found.ok_or_else(|| {
                    Diagnostic::new(format!("polygons are of class `{text}`, which --classes does not name"))
                        .help("name every class of the labels there; polygons of class `ignore` are left unlabelled")
                })
            }
        };
        return names
            .into_iter()
            .map(|name| Ok((name.clone(), find(&name)?)))
            .collect();
    }
    let numbers: Option<Vec<u16>> = names
        .iter()
        .map(|name| name.as_deref().map_or(Some(1), id))
        .collect();
    if let Some(numbers) = numbers {
        return Ok(names.into_iter().zip(numbers).collect());
    }
    let is_odd = |name: &&Option<String>| {
        name.as_deref()
            .is_some_and(|name| name.contains([',', ':']) || name.trim().is_empty())
    };
    match names.iter().find(is_odd) {
        Some(name) => Err(Diagnostic::new(format!(
            "a class is called `{}`",
            name.as_deref().unwrap_or_default()
        ))
        .help("names of classes hold no comma and no colon, and are not empty; --class-field names another attribute")),
        None => Ok(names.into_iter().zip(1..).collect()),
    }
}

/// A class's id as text.
fn id(text: &str) -> Option<u16> {
    text.parse().ok().filter(|id| (1..=65_534).contains(id))
}

impl Labels {
    /// Opens what labels a map.
    ///
    /// # Errors
    /// The mask cannot be read or is of another size; the polygons as [`Classes::on`] says.
    pub(super) fn open(map: &Map, mask: &Path, classes: &Classes) -> Result<Self, Diagnostic> {
        if is_polygons(mask) {
            return classes.on(map, mask);
        }
        let (width, height) = map.size();
        let ids = Ids::open(mask).map_err(|error| Diagnostic::new(error.to_string()))?;
        if ids.size != (width, height) {
            return Err(Diagnostic::new(format!(
                "{}: {} x {} pixels, but {} has {width} x {height}",
                mask.display(),
                ids.size.0,
                ids.size.1,
                map.path().display()
            ))
            .help(
                "the mask of a map is a raster on the same grid: `gdalwarp -te ... -ts ...` makes one",
            ));
        }
        Ok(Self::Mask {
            values: meant(ids.values),
            width,
        })
    }

    /// The labels of a window, row by row.
    pub(super) fn window(&self, window: Window) -> Vec<u16> {
        match self {
            Self::Mask { values, width } => (window.y..window.y + window.height)
                .flat_map(|y| {
                    let begin = y as usize * *width as usize + window.x as usize;
                    &values[begin..begin + window.width as usize]
                })
                .copied()
                .collect(),
            Self::Polygons(polygons) => {
                let part = Part::whole([window.x, window.y], [window.width, window.height]);
                let mut labels = vec![0; window.width as usize * window.height as usize];
                polygons.burn(part, &mut labels);
                labels
            }
        }
    }
}

/// Ids as they are meant: of a mask of 0 and 255 alone, 255 is a class; of others, it is what nobody labelled.
fn meant(values: Vec<u16>) -> Vec<u16> {
    let is_binary = values.iter().all(|value| matches!(value, 0 | 255));
    let id = |value: u16| match value {
        255 if is_binary => 1,
        255 | u16::MAX => 0,
        id => id,
    };
    values.into_iter().map(id).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn white_is_a_class_where_there_is_no_other() {
        assert_eq!(meant(vec![0, 255, 0]), [0, 1, 0]);
        assert_eq!(meant(vec![0, 255, 3, 65_535]), [0, 0, 3, 0]);
    }

    #[test]
    fn classes_get_ids_by_table_by_number_or_by_the_alphabet() {
        let of = |names: &[&str], table: Option<&str>| {
            let names = names.iter().map(|name| Some((*name).to_owned())).collect();
            numbered(names, table)
                .map(|ids| ids.into_values().collect::<Vec<u16>>())
                .map_err(|diagnostic| diagnostic.to_string())
        };
        assert_eq!(of(&["tree", "roof"], None), Ok(vec![1, 2]));
        assert_eq!(of(&["7", "3"], None), Ok(vec![3, 7]));
        assert_eq!(of(&["tree", "roof"], Some("5:tree,9:roof")), Ok(vec![9, 5]));
        assert_eq!(of(&["5"], Some("5:tree,9:roof")), Ok(vec![5]));
        assert!(
            of(&["lake"], Some("5:tree"))
                .unwrap_err()
                .contains("`lake`")
        );
        assert!(of(&["a:b"], None).unwrap_err().contains("`a:b`"));
        assert_eq!(numbered([None].into(), None).unwrap()[&None], 1);
    }
}
