//! Results in the form that labelling tools import: to be looked at, corrected, and learned from again.
//!
//! Every region is written so that the tool burns exactly the pixels that it had: as a polygon where a polygon can say it,
//! else as run lengths or a mask.

mod coco;
mod label_studio;
mod labelme;

use std::path::Path;

pub use coco::Coco;
pub use label_studio::{LabelStudio, label_studio_config};
pub use labelme::labelme;

use crate::{Category, Rle, Shape, trace};

/// A picture and what was found in it.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Its path from the folder of pictures, with `/` between.
    pub name: &'a str,
    /// The picture, as the tool finds it from the file that is written.
    pub picture: &'a Path,
    /// Width and height in pixels.
    pub size: (usize, usize),
    /// What was found.
    pub things: &'a [Thing],
}

/// An object, or all of a class.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    /// Its class.
    pub class: u16,
    /// How sure that is, 0 to 1.
    pub score: f32,
    /// Its pixels, row by row.
    pub mask: Vec<bool>,
}

/// What a thing is called.
fn name_of(categories: &[Category], class: u16) -> String {
    let known = categories.iter().find(|category| category.id == class);
    known.map_or_else(
        || format!("class {class}"),
        |category| category.name.clone(),
    )
}

/// The pixels of a plane as a shape that burns back to them.
enum Outline {
    /// A polygon a region, none with holes.
    Polygons(Vec<Vec<f64>>),
    Runs(Rle),
}

fn outline(size: (usize, usize), mask: &[bool]) -> Outline {
    let regions = trace::regions(size, mask);
    if regions.iter().all(|region| !region.has_holes()) {
        let rings = regions.iter().flat_map(|region| &region.rings);
        let polygons: Vec<Vec<f64>> = rings
            .map(|ring| {
                ring.corners
                    .iter()
                    .flatten()
                    .map(|&side| side as f64)
                    .collect()
            })
            .collect();
        let shape = Shape::Polygons(polygons);
        let mut burnt = vec![false; mask.len()];
        shape.fill(size, &mut burnt);
        if let (true, Shape::Polygons(polygons)) = (burnt == mask, shape) {
            return Outline::Polygons(polygons);
        }
    }
    Outline::Runs(Rle::of(size, mask))
}

/// The region in a plane of `size`.
fn placed(region: &trace::Region, size: (usize, usize)) -> Vec<bool> {
    let [left, top, width, _] = region.bbox;
    let mut values = vec![false; size.0 * size.1];
    for (row, line) in region.values.chunks(width).enumerate() {
        let start = (top + row) * size.0 + left;
        values[start..start + width].copy_from_slice(line);
    }
    values
}
