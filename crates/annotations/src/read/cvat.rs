use std::path::Path;

use roxmltree::{Document, Node};

use super::{Named, Read, class_of, numbered, text};
use crate::{AnnotationsError, Object, Rle, Shape, tally::Tally};

pub(super) fn read(path: &Path, tally: &mut Tally) -> Result<Read, AnnotationsError> {
    let text = text::open(path)?;
    let document = Document::parse(&text)
        .map_err(|error| AnnotationsError::format(path, format!("it is no XML: {error}")))?;
    let root = document.root_element();
    if root.children().any(|child| child.has_tag_name("track")) {
        return Err(AnnotationsError::format(
            path,
            "it is \"CVAT for video\", whose tracks are not read; export the task as \"CVAT for images 1.1\"",
        ));
    }
    let images = || root.children().filter(|child| child.has_tag_name("image"));
    let listed = root.descendants().filter(|node| {
        node.has_tag_name("label")
            && node
                .parent()
                .is_some_and(|parent| parent.has_tag_name("labels"))
    });
    let names = listed.clone().filter_map(|label| child_text(label, "name"));
    let drawn = images()
        .flat_map(|image| image.children())
        .filter_map(|shape| shape.attribute("label"));
    let all: Vec<String> = names.chain(drawn).map(str::to_owned).collect();
    let mut categories = numbered(all);
    for label in listed {
        let color = child_text(label, "color").and_then(seggpt_imaging::color::parse);
        let name = child_text(label, "name");
        let category = categories
            .iter_mut()
            .find(|category| Some(&category.name[..]) == name);
        if let Some(category) = category {
            category.color = color.filter(|color| *color != seggpt_imaging::BLACK);
        }
    }
    // Two classes of one colour cannot be told apart by it.
    for at in 0..categories.len() {
        let color = categories[at].color;
        let is_taken = categories[..at].iter().any(|before| before.color == color);
        if is_taken {
            categories[at].color = None;
        }
    }
    let mut pictures = Vec::new();
    for (number, image) in images().enumerate() {
        let Some(name) = image.attribute("name") else {
            tally.leave("image", format!("number {}", number + 1), "it has no name");
            continue;
        };
        let side = |name| {
            image
                .attribute(name)
                .and_then(|side| side.parse::<usize>().ok())
        };
        let Some(size) = side("width").zip(side("height")).filter(|(w, h)| w * h > 0) else {
            tally.leave("image", name, "it has no width and height");
            continue;
        };
        let mut shapes: Vec<(i64, Object)> = Vec::new();
        let elements = image
            .children()
            .filter(|child| child.is_element() && !child.has_tag_name("tag"));
        for (number, element) in elements.enumerate() {
            match shape(element, size) {
                Ok(shape) => {
                    let label = element.attribute("label").unwrap_or_default();
                    let Some(class) = class_of(&categories, label) else {
                        continue;
                    };
                    let height = element
                        .attribute("z_order")
                        .and_then(|z| z.parse().ok())
                        .unwrap_or(0);
                    let object = Object {
                        id: number as u32 + 1,
                        class,
                        crowd: false,
                        shapes: vec![shape],
                    };
                    shapes.push((height, object));
                }
                Err(reason) => {
                    let which = format!("{} {} of {name}", number + 1, element.tag_name().name());
                    tally.leave("shape", which, reason);
                }
            }
        }
        shapes.sort_by_key(|(height, _)| *height);
        pictures.push(Named {
            names: vec![name.to_owned()],
            embedded: None,
            folder: None,
            source: None,
            size: Some(size),
            objects: group(shapes),
        });
    }
    Ok(Read {
        categories,
        pictures,
        smaller_on_top: false,
        table: None,
    })
}

/// Objects from the lowest to the highest.
fn group(shapes: Vec<(i64, Object)>) -> Vec<Object> {
    shapes.into_iter().map(|(_, object)| object).collect()
}

fn child_text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    let child = node.children().find(|child| child.has_tag_name(name))?;
    child.text().map(str::trim).filter(|text| !text.is_empty())
}

fn shape(element: Node, (width, height): (usize, usize)) -> Result<Shape, String> {
    let number = |name: &str| {
        let value = element
            .attribute(name)
            .and_then(|text| text.trim().parse::<f64>().ok());
        value
            .filter(|value| value.is_finite())
            .ok_or_else(|| format!("its {name} is no number"))
    };
    let turn = number("rotation").unwrap_or(0.0);
    match element.tag_name().name() {
        "polygon" => {
            let text = element.attribute("points").ok_or("it has no points")?;
            let numbers = text
                .split([';', ','])
                .map(|number| number.trim().parse::<f64>());
            let points: Vec<f64> = numbers
                .collect::<Result<_, _>>()
                .map_err(|_| "its points have something that is no x,y;x,y")?;
            let is_whole =
                points.len().is_multiple_of(2) && points.iter().all(|value| value.is_finite());
            match is_whole && points.len() >= 6 {
                true => Ok(Shape::Polygons(vec![points])),
                false => Err("its points are not x,y of three points or more".to_owned()),
            }
        }
        "box" => {
            let sides = [
                number("xtl")?,
                number("ytl")?,
                number("xbr")?,
                number("ybr")?,
            ];
            Ok(Shape::rectangle(sides, turn))
        }
        "ellipse" => {
            let (centre, radii) = (
                [number("cx")?, number("cy")?],
                [number("rx")?, number("ry")?],
            );
            Ok(Shape::ellipse(centre, radii, turn))
        }
        "mask" => {
            let side = |name| number(name).map(|side| side.max(0.0) as usize);
            let (left, top) = (side("left")?, side("top")?);
            let (columns, rows) = (side("width")?, side("height")?);
            if left + columns > width || top + rows > height {
                return Err("its box reaches beyond the picture".to_owned());
            }
            let text = element.attribute("rle").ok_or("it has no rle")?;
            let runs: Vec<usize> = text
                .split(',')
                .map(|run| run.trim().parse())
                .collect::<Result<_, _>>()
                .map_err(|_| "its rle has something that is no count")?;
            let covered = runs
                .iter()
                .fold(0usize, |sum, run| sum.saturating_add(*run));
            if covered > columns * rows {
                return Err(format!(
                    "its runs cover {covered} pixels, but its box has {columns} x {rows}"
                ));
            }
            let mut values = vec![false; width * height];
            let mut at = 0;
            for (number, run) in runs.into_iter().enumerate() {
                if number % 2 == 1 {
                    for pixel in at..at + run {
                        let (x, y) = (left + pixel % columns, top + pixel / columns);
                        values[y * width + x] = true;
                    }
                }
                at += run;
            }
            Ok(Shape::Runs(Rle::of((width, height), &values)))
        }
        other => Err(format!("shapes of kind {other} have no area")),
    }
}
