use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use seggpt_files::listing;
use seggpt_imaging::annotation::Ids;
use serde_json::Value;

use super::{Named, Read, class_of, json, numbered, text};
use crate::{AnnotationsError, Object, Pillow, Rle, Shape, tally::Tally};

/// A labelme file.
struct File {
    path: PathBuf,
    picture: Option<String>,
    embeds: bool,
    size: Option<(usize, usize)>,
    shapes: Vec<Value>,
}

/// A shape that has an area.
struct Drawn {
    label: String,
    group: Option<String>,
    shape: Shape,
}

/// Folders are entered this deep.
const DEPTH: usize = 6;

/// Reads a file, or all that lie in a folder.
pub(super) fn read(path: &Path, tally: &mut Tally) -> Result<Read, AnnotationsError> {
    let mut files = Vec::new();
    if path.is_dir() {
        for file in listed(path, 0) {
            match open(&file) {
                Ok(Some(open)) => files.push(open),
                Ok(None) => {}
                Err(error) => tally.leave("file", file.display().to_string(), error.to_string()),
            }
        }
    } else {
        files.extend(open(path)?);
    }
    let mut drawn: Vec<Vec<Drawn>> = Vec::new();
    for file in &mut files {
        let mut shapes = Vec::new();
        for (number, value) in file.shapes.iter().enumerate() {
            match shape(value, file.size) {
                Ok(shape) => shapes.push(shape),
                Err(reason) => {
                    let which = format!("{} of {}", number + 1, file.path.display());
                    tally.leave("shape", which, reason);
                }
            }
        }
        drawn.push(shapes);
    }
    let list = path.join("labels.txt");
    let categories = match list.is_file() {
        true => numbered(
            text::open(&list)?
                .lines()
                .map(|line| line.trim().to_owned())
                .filter(|line| !line.is_empty()),
        ),
        false => Vec::new(),
    };
    let listed = categories.into_iter().map(|category| category.name);
    let more: BTreeSet<&String> = drawn.iter().flatten().map(|shape| &shape.label).collect();
    let categories = numbered(listed.chain(more.into_iter().cloned()));
    let pictures = files.into_iter().zip(drawn).map(|(file, shapes)| {
        let mut objects: Vec<(Option<String>, Object)> = Vec::new();
        for drawn in shapes {
            let Some(class) = class_of(&categories, &drawn.label) else {
                continue;
            };
            let of_group = |(group, object): &&mut (Option<String>, Object)| {
                group.is_some() && *group == drawn.group && object.class == class
            };
            match objects.iter_mut().find(of_group) {
                Some((_, object)) => object.shapes.push(drawn.shape),
                None => {
                    let object = Object {
                        id: objects.len() as u32 + 1,
                        class,
                        crowd: false,
                        shapes: vec![drawn.shape],
                    };
                    objects.push((drawn.group, object));
                }
            }
        }
        let stem = file.path.with_extension("");
        let own = stem
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Named {
            names: vec![file.picture.unwrap_or(own)],
            embedded: file.embeds.then(|| file.path.clone()),
            folder: file.path.parent().map(Path::to_owned),
            source: Some(file.path.clone()),
            size: file.size,
            objects: objects.into_iter().map(|(_, object)| object).collect(),
        }
    });
    Ok(Read {
        pictures: pictures.collect(),
        categories,
        smaller_on_top: false,
        table: list.is_file().then_some(list),
    })
}

/// The JSON files below a folder.
pub(super) fn listed(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in listing::entries(folder).unwrap_or_default() {
        if path.is_dir() {
            if depth < DEPTH {
                files.extend(listed(&path, depth + 1));
            }
        } else if listing::ends_in(&path, &["json"]) {
            files.push(path);
        }
    }
    files
}

/// `None`: JSON of another kind.
fn open(path: &Path) -> Result<Option<File>, AnnotationsError> {
    let value: Value = json::parse_file(path, &text::open(path)?, "labelme file")?;
    let Some(shapes) = value.get("shapes").and_then(Value::as_array) else {
        return Ok(None);
    };
    let side = |name| {
        value
            .get(name)
            .and_then(json::whole)
            .filter(|side| *side > 0)
    };
    let size = side("imageWidth").zip(side("imageHeight"));
    Ok(Some(File {
        path: path.to_owned(),
        picture: json::text(value.get("imagePath")).map(str::to_owned),
        embeds: json::text(value.get("imageData")).is_some(),
        size: size.map(|(width, height)| (width as usize, height as usize)),
        shapes: shapes.clone(),
    }))
}

fn shape(value: &Value, size: Option<(usize, usize)>) -> Result<Drawn, String> {
    let label = match value.get("label") {
        Some(Value::Number(number)) => number.to_string(),
        label => json::text(label).ok_or("it has no label")?.to_owned(),
    };
    let points = value.get("points").and_then(json::points);
    let points = points.ok_or("its points have something that is no x, y")?;
    let kind = json::text(value.get("shape_type")).unwrap_or("polygon");
    let shape = match (kind, &points[..]) {
        ("polygon", [_, _, _, _, _, _, ..]) => Pillow::Polygon(points),
        ("polygon", _) => return Err("its outline has less than three points".to_owned()),
        ("rectangle", &[x, y, to_x, to_y]) => {
            Pillow::Rectangle([x.min(to_x), y.min(to_y), x.max(to_x), y.max(to_y)])
        }
        // Four corners of a turned rectangle.
        ("rectangle" | "rotation" | "oriented_rectangle", [_, _, _, _, _, _, _, _]) => {
            Pillow::Polygon(points)
        }
        ("circle", &[x, y, on_x, on_y]) => Pillow::Circle([x, y, (on_x - x).hypot(on_y - y)]),
        ("mask", &[x, y, ..]) => {
            let size = size.ok_or("the file does not say the picture's size")?;
            return Ok(Drawn {
                label,
                group: group(value),
                shape: Shape::Runs(mask(value, (x, y), size)?),
            });
        }
        ("rectangle" | "circle" | "mask", _) => return Err(format!("a {kind} has two points")),
        _ => return Err(format!("shapes of kind {kind} have no area")),
    };
    Ok(Drawn {
        label,
        group: group(value),
        shape: Shape::Pillow(shape),
    })
}

fn group(value: &Value) -> Option<String> {
    value.get("group_id").and_then(json::key)
}

/// A black and white PNG whose corner lies at a point.
fn mask(value: &Value, (x, y): (f64, f64), (width, height): (usize, usize)) -> Result<Rle, String> {
    let text = json::text(value.get("mask")).ok_or("it is a mask without pixels")?;
    let bytes = STANDARD
        .decode(text.trim())
        .map_err(|error| format!("its mask is no base64: {error}"))?;
    let drawn = Ids::decode(&bytes, "its mask").map_err(|error| error.to_string())?;
    let mut values = vec![false; width * height];
    let (left, top) = (x as i64, y as i64);
    for (row, line) in (top..).zip(drawn.values.chunks(drawn.size.0.max(1) as usize)) {
        for (column, _) in (left..).zip(line).filter(|(_, value)| **value > 0) {
            let inside = (0..width as i64).contains(&column) && (0..height as i64).contains(&row);
            if inside {
                values[row as usize * width + column as usize] = true;
            }
        }
    }
    Ok(Rle::of((width, height), &values))
}

/// The picture in a labelme file.
pub(crate) fn embedded(path: &Path) -> Result<Vec<u8>, AnnotationsError> {
    let value: Value = json::parse_file(path, &text::open(path)?, "labelme file")?;
    let data = json::text(value.get("imageData"))
        .ok_or_else(|| AnnotationsError::format(path, "it embeds no picture"))?;
    STANDARD.decode(data.trim()).map_err(|error| {
        AnnotationsError::format(path, format!("its imageData is no base64: {error}"))
    })
}
