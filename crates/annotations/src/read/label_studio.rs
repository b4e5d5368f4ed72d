use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

use super::{
    Named, Read, brush, class_of,
    json::{self, Record, Records},
    numbered, text,
};
use crate::{AnnotationsError, Object, Rle, Shape, tally::Tally};

/// A task: a picture and the regions on it.
struct Task {
    names: Vec<String>,
    size: Option<(usize, usize)>,
    regions: Vec<Result<Region, (String, String)>>,
}

struct Region {
    label: String,
    shape: Shape,
}

impl Record for Task {
    fn of(value: &Value) -> Result<Self, String> {
        // JSON-MIN has the data beside the regions, of which each control has a list.
        let data = value
            .get("data")
            .and_then(Value::as_object)
            .or_else(|| value.as_object());
        let data = data.ok_or("it is no task")?;
        let image = data.get("image").or_else(|| data.get("img")).or_else(|| {
            data.values()
                .find(|value| value.as_str().is_some_and(is_picture))
        });
        let image = json::text(image).ok_or("its data name no picture")?;
        let mut names = vec![local(image)];
        if let Some(upload) = json::text(value.get("file_upload")) {
            names.push(upload.to_owned());
        }
        // Uploads have eight hexadecimal digits in front.
        let plain: Vec<String> = names
            .iter()
            .filter_map(|name| without_prefix(name))
            .collect();
        names.extend(plain);
        let mut lists: Vec<&[Value]> = Vec::new();
        if value.get("data").is_some() {
            let annotation = ["annotations", "completions", "predictions"]
                .iter()
                .filter_map(|key| value.get(*key)?.as_array())
                .find_map(|all| {
                    let was_kept = |one: &&Value| !json::truth(one.get("was_cancelled"));
                    all.iter().rfind(was_kept)
                });
            lists.extend(
                annotation
                    .and_then(|one| one.get("result")?.as_array())
                    .map(Vec::as_slice),
            );
        } else {
            let all = data.values().filter_map(Value::as_array).map(Vec::as_slice);
            lists.extend(
                all.filter(|list| list.iter().any(|one| one.get("original_width").is_some())),
            );
        }
        let mut task = Self {
            names,
            size: None,
            regions: Vec::new(),
        };
        for results in lists {
            for (number, result) in results.iter().enumerate() {
                let which = json::text(result.get("id"))
                    .map_or_else(|| (number + 1).to_string(), str::to_owned);
                match region(result, results, &mut task.size) {
                    Ok(Some(region)) => task.regions.push(Ok(region)),
                    Ok(None) => {}
                    Err(reason) => task.regions.push(Err((which, reason))),
                }
            }
        }
        Ok(task)
    }
}

/// The region of a result; `None` where it is none, such as a choice for the whole picture.
fn region(
    result: &Value,
    all: &[Value],
    size: &mut Option<(usize, usize)>,
) -> Result<Option<Region>, String> {
    let value = result.get("value").unwrap_or(result);
    let has = |name: &str| value.get(name).is_some();
    if !["points", "rle", "x", "ellipse"]
        .iter()
        .any(|name| has(name))
    {
        return Ok(None);
    }
    let side = |name| {
        result
            .get(name)
            .and_then(json::whole)
            .filter(|side| *side > 0)
    };
    let sides = side("original_width").zip(side("original_height"));
    let (width, height) =
        sides.ok_or("it does not say the picture's size (original_width, original_height)")?;
    *size = Some((width as usize, height as usize));
    if result
        .get("image_rotation")
        .and_then(json::number)
        .is_some_and(|turn| turn != 0.0)
    {
        return Err("the picture was turned in the tool; turn it back there".to_owned());
    }
    let label = label(value).or_else(|| {
        let id = result.get("id")?;
        let same = all.iter().filter(|other| other.get("id") == Some(id));
        same.filter_map(|other| label(other.get("value")?)).next()
    });
    let label = label.ok_or("it has no label")?.to_owned();
    let percent = |name: &str, side: u64| {
        let share = value.get(name).and_then(json::number);
        share
            .map(|share| share / 100.0 * side as f64)
            .ok_or_else(|| format!("its {name} is no number"))
    };
    let turn = value.get("rotation").and_then(json::number).unwrap_or(0.0);
    let shape = if let Some(bytes) = value.get("rle") {
        let bytes: Option<Vec<u8>> = bytes.as_array().and_then(|bytes| {
            bytes
                .iter()
                .map(|byte| json::whole(byte).and_then(|byte| u8::try_from(byte).ok()))
                .collect()
        });
        let bytes = bytes.ok_or("its brush is no list of bytes")?;
        let size = (width as usize, height as usize);
        Shape::Runs(Rle::of(size, &brush::decode(&bytes, size.0 * size.1)?))
    } else if let Some(points) = value.get("points") {
        let mut points = json::points(points).ok_or("its outline has something that is no x, y")?;
        if points.len() < 6 {
            return Err("its outline has less than three points".to_owned());
        }
        for pair in points.as_chunks_mut::<2>().0 {
            *pair = [
                pair[0] / 100.0 * width as f64,
                pair[1] / 100.0 * height as f64,
            ];
        }
        Shape::Polygons(vec![points])
    } else if has("radiusX") {
        let centre = [percent("x", width)?, percent("y", height)?];
        Shape::ellipse(
            centre,
            [percent("radiusX", width)?, percent("radiusY", height)?],
            turn,
        )
    } else if has("width") && has("height") {
        let [left, top] = [percent("x", width)?, percent("y", height)?];
        let (right, bottom) = (
            left + percent("width", width)?,
            top + percent("height", height)?,
        );
        // Turned around its corner, which the tool keeps in place.
        let (sin, cos) = turn.to_radians().sin_cos();
        let corner = |x: f64, y: f64| {
            let (dx, dy) = (x - left, y - top);
            [left + dx * cos - dy * sin, top + dx * sin + dy * cos]
        };
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        Shape::Polygons(vec![
            corners.iter().flat_map(|&(x, y)| corner(x, y)).collect(),
        ])
    } else {
        return Err("it is a point, which has no area".to_owned());
    };
    Ok(Some(Region { label, shape }))
}

/// The label of a value: the first text of a list whose name ends in `labels`.
fn label(value: &Value) -> Option<&str> {
    let lists = value.as_object()?.iter();
    let mut labels = lists.filter(|(name, _)| name.ends_with("labels"));
    labels.find_map(|(_, list)| json::text(list.as_array()?.first()))
}

fn is_picture(text: &str) -> bool {
    let endings = ["png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp"];
    let text = text
        .split(['?', '#'])
        .next()
        .unwrap_or(text)
        .to_ascii_lowercase();
    endings
        .iter()
        .any(|ending| text.ends_with(&format!(".{ending}")))
}

/// The path of a picture's address: of local storage what stands behind `?d=`, else what stands before `?`.
fn local(address: &str) -> String {
    let path = match address.split_once("?d=") {
        Some((_, path)) => path.split('&').next().unwrap_or(path),
        None => address.split('?').next().unwrap_or(address),
    };
    let path = match path.split_once("://") {
        Some((_, rest)) => rest,
        None => path,
    };
    unescaped(path)
}

/// `%20` as the byte it stands for.
fn unescaped(text: &str) -> String {
    let (mut bytes, raw) = (Vec::with_capacity(text.len()), text.as_bytes());
    let mut at = 0;
    while at < raw.len() {
        let escaped = text.get(at + 1..at + 3).filter(|_| raw[at] == b'%');
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                at += 3;
            }
            None => {
                bytes.push(raw[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn without_prefix(path: &str) -> Option<String> {
    let (folder, name) = match path.rsplit_once('/') {
        Some((folder, name)) => (format!("{folder}/"), name),
        None => (String::new(), path),
    };
    let (prefix, rest) = name.split_once('-')?;
    let is_prefix = prefix.len() == 8 && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_prefix && !rest.is_empty()).then(|| format!("{folder}{rest}"))
}

pub(super) fn read(path: &Path, tally: &mut Tally) -> Result<Read, AnnotationsError> {
    let tasks: Records<Task> =
        json::parse_file(path, &text::open(path)?, "list of Label Studio's tasks")?;
    let mut sound: Vec<Task> = Vec::new();
    for task in tasks.0 {
        match task {
            Ok(task) => sound.push(task),
            Err(odd) => tally.leave("task", odd.which, odd.reason),
        }
    }
    let regions = sound.iter().flat_map(|task| task.regions.iter().flatten());
    let names: BTreeSet<String> = regions.map(|region| region.label.clone()).collect();
    let categories = numbered(names);
    let pictures = sound.into_iter().map(|task| {
        let name = task.names[0].clone();
        let mut objects: Vec<Object> = Vec::new();
        for region in task.regions {
            match region {
                Ok(region) => {
                    if let Some(class) = class_of(&categories, &region.label) {
                        objects.push(Object {
                            id: objects.len() as u32 + 1,
                            class,
                            crowd: false,
                            shapes: vec![region.shape],
                        });
                    }
                }
                Err((which, reason)) => tally.leave("region", format!("{which} of {name}"), reason),
            }
        }
        Named {
            names: task.names,
            embedded: None,
            folder: None,
            source: None,
            size: task.size,
            objects,
        }
    });
    Ok(Read {
        pictures: pictures.collect(),
        categories,
        smaller_on_top: false,
        table: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_paths() {
        assert_eq!(
            local("/data/local-files/?d=field%201/a.png"),
            "field 1/a.png"
        );
        assert_eq!(local("s3://bucket/cam1/a.png"), "bucket/cam1/a.png");
        assert_eq!(
            local("/data/upload/3/0a1b2c3d-a.png"),
            "/data/upload/3/0a1b2c3d-a.png"
        );
        assert_eq!(
            without_prefix("/data/upload/3/0a1b2c3d-a.png").as_deref(),
            Some("/data/upload/3/a.png")
        );
        assert_eq!(without_prefix("nothing-a.png"), None);
    }
}
