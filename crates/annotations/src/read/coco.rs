use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use serde::Deserialize;
use serde_json::Value;

use super::{
    Named, Read,
    json::{self, Record, Records},
    text,
};
use crate::{AnnotationsError, Category, IGNORE, Object, Rle, Shape, tally::Tally};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    images: Records<Image>,
    #[serde(default)]
    annotations: Records<Annotation>,
    #[serde(default)]
    categories: Records<Category>,
}

#[derive(Deserialize)]
struct Categories {
    #[serde(default)]
    categories: Records<Category>,
}

struct Image {
    id: String,
    file_name: String,
    size: Option<(usize, usize)>,
}

struct Annotation {
    id: String,
    image: String,
    category: u64,
    crowd: bool,
    shape: Shape,
    /// Parts of less than three points.
    thin: usize,
}

impl Record for Category {
    fn of(value: &Value) -> Result<Self, String> {
        let id = value
            .get("id")
            .and_then(json::whole)
            .ok_or("it has no id that is a number")?;
        let id = match u16::try_from(id) {
            Ok(IGNORE) | Err(_) => {
                return Err(format!("ids must be 1..65534, not {id}; renumber them"));
            }
            Ok(id) => id,
        };
        let name = json::text(value.get("name"));
        let mut category = Self::new(
            id,
            name.map_or_else(|| format!("class {id}"), str::to_owned),
        );
        category.thing = value.get("isthing").map(|thing| json::truth(Some(thing)));
        Ok(category)
    }
}

impl Record for Image {
    fn of(value: &Value) -> Result<Self, String> {
        let side = |name| {
            value
                .get(name)
                .and_then(json::whole)
                .filter(|side| *side > 0)
        };
        let size = side("width").zip(side("height"));
        Ok(Self {
            id: value.get("id").and_then(json::key).ok_or("it has no id")?,
            file_name: json::text(value.get("file_name"))
                .ok_or("it has no file_name")?
                .to_owned(),
            size: size.map(|(width, height)| (width as usize, height as usize)),
        })
    }
}

impl Record for Annotation {
    fn of(value: &Value) -> Result<Self, String> {
        let category = value.get("category_id").and_then(json::whole);
        let (shape, thin) = outline(value.get("segmentation").unwrap_or(&Value::Null))?;
        Ok(Self {
            id: value.get("id").and_then(json::key).unwrap_or_default(),
            image: value
                .get("image_id")
                .and_then(json::key)
                .ok_or("it has no image_id")?,
            category: category.ok_or("it has no category_id that is a number")?,
            crowd: json::truth(value.get("iscrowd")),
            shape,
            thin,
        })
    }
}

/// Polygons, one after another or in a list of lists, or run lengths.
fn outline(value: &Value) -> Result<(Shape, usize), String> {
    match value {
        Value::Array(list) if list.is_empty() => Err(NO_OUTLINE.to_owned()),
        Value::Array(list) => {
            // Parts of two numbers each are the points of a single one.
            let is_part = |part: &Value| {
                part.as_array()
                    .is_some_and(|part| part.len() != 2 || part.iter().any(Value::is_array))
            };
            let several = list.iter().all(Value::is_array) && list.iter().any(is_part);
            let parts: Option<Vec<Vec<f64>>> = match several {
                true => list.iter().map(json::points).collect(),
                false => json::points(value).map(|part| vec![part]),
            };
            let mut parts = parts.ok_or("its outline has something that is no x, y")?;
            let all = parts.len();
            parts.retain(|part| part.len() >= 6);
            match parts.len() {
                0 => Err("its outline has less than three points".to_owned()),
                kept => Ok((Shape::Polygons(parts), all - kept)),
            }
        }
        Value::Object(runs) => {
            let size = runs
                .get("size")
                .and_then(Value::as_array)
                .map(Vec::as_slice);
            let Some([height, width]) = size else {
                return Err("its runs have no size".to_owned());
            };
            let size = json::whole(width).zip(json::whole(height));
            let (width, height) = size.ok_or("its runs have no size")?;
            let size = (width as usize, height as usize);
            if width.saturating_mul(height) > MOST {
                return Err(format!(
                    "its runs are {width} x {height}, which is no picture's size"
                ));
            }
            let runs = match runs.get("counts") {
                Some(Value::String(text)) => Rle::decompress(size, text),
                Some(Value::Array(counts)) => {
                    let count =
                        |count| json::whole(count).and_then(|count| u32::try_from(count).ok());
                    let counts: Option<Vec<u32>> = counts.iter().map(count).collect();
                    Rle::new(
                        size,
                        counts.ok_or("its runs have something that is no count")?,
                    )
                }
                _ => return Err("its runs have no counts".to_owned()),
            };
            Ok((Shape::Runs(runs.map_err(|error| error.to_string())?), 0))
        }
        _ => Err(NO_OUTLINE.to_owned()),
    }
}

const NO_OUTLINE: &str = "it has no outline (segmentation), at most a box";
/// Pixels of the largest picture that is read.
const MOST: u64 = 1 << 28;

pub(super) fn read(path: &Path, tally: &mut Tally) -> Result<Read, AnnotationsError> {
    let file: File = json::parse_file(path, &text::open(path)?, "COCO file of this kind")?;
    let categories = categories(file.categories, tally);
    let mut pictures: Vec<Named> = Vec::new();
    let mut by_id: HashMap<String, usize> = HashMap::new();
    for image in sound(file.images, "image", tally) {
        if by_id.contains_key(&image.id) {
            tally.leave("image", image.id, "its id is that of another image as well");
            continue;
        }
        by_id.insert(image.id, pictures.len());
        pictures.push(Named {
            names: vec![image.file_name],
            embedded: None,
            folder: None,
            source: None,
            size: image.size,
            objects: Vec::new(),
        });
    }
    let mut thin = 0;
    for annotation in sound(file.annotations, "annotation", tally) {
        let Some(&at) = by_id.get(&annotation.image) else {
            let reason = "its image is not listed";
            tally.leave("annotation", annotation.id, reason);
            continue;
        };
        let class = u16::try_from(annotation.category).unwrap_or(0);
        if matches!(class, 0 | IGNORE) {
            let reason = format!(
                "category {} is used, but ids must be 1..65534; renumber them",
                annotation.category
            );
            tally.leave("annotation", annotation.id, reason);
            continue;
        }
        thin += annotation.thin;
        let objects = &mut pictures[at].objects;
        objects.push(Object {
            id: annotation.id.parse().unwrap_or(objects.len() as u32 + 1),
            class,
            crowd: annotation.crowd,
            shapes: vec![annotation.shape],
        });
    }
    for _ in 0..thin {
        tally.leave("part", "of an outline", "it has less than three points");
    }
    Ok(Read {
        categories,
        pictures,
        smaller_on_top: true,
        table: None,
    })
}

pub(super) fn sound<T>(records: Records<T>, kind: &'static str, tally: &mut Tally) -> Vec<T> {
    let mut all = Vec::with_capacity(records.0.len());
    for record in records.0 {
        match record {
            Ok(record) => all.push(record),
            Err(odd) => tally.leave(kind, odd.which, odd.reason),
        }
    }
    all
}

/// By ascending id. A category 0 is dropped: in our planes that is background, and in the files that have one it is
/// usually named so.
pub(super) fn categories(records: Records<Category>, tally: &mut Tally) -> Vec<Category> {
    let mut categories = BTreeMap::new();
    for category in sound(records, "category", tally) {
        if category.id != 0 {
            categories.entry(category.id).or_insert(category);
        }
    }
    categories.into_values().collect()
}

/// The categories of a COCO file of any kind, by ascending id.
///
/// # Errors
/// [`AnnotationsError::Read`]; [`AnnotationsError::Format`] if it is no JSON.
pub fn coco_categories(path: &Path) -> Result<Vec<Category>, AnnotationsError> {
    let file: Categories = json::parse_file(path, &text::open(path)?, "COCO file")?;
    Ok(categories(file.categories, &mut Tally::default()))
}
