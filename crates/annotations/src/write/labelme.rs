use base64::{Engine, engine::general_purpose::STANDARD};
use seggpt_imaging::{ImagingError, write::grey_png};
use serde_json::{Value, json};

use super::{Answer, name_of};
use crate::{
    Category, Pillow, Shape,
    trace::{self, Region},
};

/// A labelme file. A region is a polygon, or where it has holes, a mask (labelme 5.3 and later); the regions of one thing
/// are a group. Each has its `score`.
///
/// # Errors
/// A mask that does not encode.
pub fn labelme(answer: &Answer<'_>, categories: &[Category]) -> Result<Value, ImagingError> {
    let (width, height) = answer.size;
    let mut shapes = Vec::new();
    for (group, thing) in (1u32..).zip(answer.things) {
        let regions = trace::regions(answer.size, &thing.mask);
        let several = regions.len() > 1;
        for region in &regions {
            let (kind, points, mask) = match polygon(region, answer.size) {
                Some(points) => ("polygon", points, None),
                None => {
                    let [left, top, width, height] = region.bbox;
                    let corners = vec![[left, top], [left + width - 1, top + height - 1]];
                    ("mask", corners, Some(encoded(region)?))
                }
            };
            shapes.push(json!({
                "label": name_of(categories, thing.class),
                "points": points.iter().map(|point| point.map(|side| side as f64)).collect::<Vec<_>>(),
                "group_id": several.then_some(group),
                "description": "",
                "shape_type": kind,
                "flags": {},
                "mask": mask,
                "score": thing.score,
            }));
        }
    }
    Ok(json!({
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": answer.picture.to_string_lossy(),
        "imageData": null,
        "imageHeight": height,
        "imageWidth": width,
    }))
}

/// The pixels along its outline, where that burns back to the region.
fn polygon(region: &Region, size: (usize, usize)) -> Option<Vec<[usize; 2]>> {
    let [ring] = &region.rings[..] else {
        return None;
    };
    let [left, top, width, height] = region.bbox;
    // labelme wants three points.
    if ring.border.len() < 3 || left + width > size.0 || top + height > size.1 {
        return None;
    }
    let inside = ring
        .border
        .iter()
        .flat_map(|[x, y]| [(x - left) as f64, (y - top) as f64]);
    let shape = Shape::Pillow(Pillow::Polygon(inside.collect()));
    let mut burnt = vec![false; region.values.len()];
    shape.fill((width, height), &mut burnt);
    (burnt == region.values).then(|| ring.border.clone())
}

fn encoded(region: &Region) -> Result<String, ImagingError> {
    let grey: Vec<u8> = region
        .values
        .iter()
        .map(|&set| if set { 255 } else { 0 })
        .collect();
    Ok(STANDARD.encode(grey_png(&grey, (region.bbox[2], region.bbox[3]))?))
}
