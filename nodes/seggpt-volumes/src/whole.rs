//! The files of a volume whose questions are all settled.

use std::{collections::BTreeMap, io, path::Path};

use eyre::{Result, WrapErr};
use seggpt_contract::Class;
use seggpt_imaging::{BLACK, Rgb, RgbImage, overlay, resize, write};
use seggpt_volume::{
    Scan, Scratch, Source,
    dicom::{Segment, segmentation},
    nifti::write_labels,
};

use crate::{
    examples::{Examples, grey},
    making::Making,
    record::ClassVolume,
    target::Target,
};

/// How many slices the report shows of a volume, and how large.
const SHOWN: usize = 5;
const SIDE: f64 = 360.0;

/// What a volume came to.
pub struct Whole {
    /// The label volume, compressed; none where slices lie at irregular distances.
    pub labels: Option<Vec<u8>>,
    /// Of a DICOM series, the segmentation.
    pub segmentation: Option<Vec<u8>>,
    /// The classes and their voxels.
    pub classes: Vec<ClassVolume>,
    /// Pictures for the report: number of the slice, and a JPEG.
    pub shown: Vec<(usize, Vec<u8>)>,
    /// Slices without an answer.
    pub missing: Vec<usize>,
}

/// Puts labelled slices and answers together. `source`, `time`: the scan; `scratch`: a place for a scratch file.
///
/// # Errors
/// The disk refuses.
pub fn of(
    target: &Target,
    (source, time): (&Source, usize),
    examples: &Examples,
    making: &Making,
    scratch: &Path,
) -> Result<Whole> {
    let scan = &target.scan;
    let shape = scan.grid.shape;
    let wide = examples.classes().iter().any(|class| class.id > 255);
    let bytes = if wide { 2 } else { 1 };
    let unwritable = || format!("{}: a scratch file cannot be written", scratch.display());
    let mut slices =
        Scratch::create(scratch, shape, scan.view.axis, bytes).wrap_err_with(unwritable)?;
    let mut voxels: BTreeMap<u16, u64> = BTreeMap::new();
    let mut areas = Vec::new();
    let mut missing = Vec::new();
    for slice in 0..scan.view.count() {
        let Some(ids) = ids(target, examples, slice)? else {
            missing.push(slice);
            areas.push(0);
            continue;
        };
        for run in ids.chunk_by(|a, b| a == b).filter(|run| run[0] != 0) {
            *voxels.entry(run[0]).or_default() += run.len() as u64;
        }
        areas.push(ids.iter().filter(|id| **id != 0).count());
        let stored = scan.view.unshow(&ids);
        let stored: Vec<u8> = match wide {
            true => stored.iter().flat_map(|id| id.to_le_bytes()).collect(),
            false => stored.iter().map(|id| *id as u8).collect(),
        };
        slices
            .write_slice(slice, &stored)
            .wrap_err_with(unwritable)?;
    }
    let planes = slices.planes();
    let slabs = (0..shape[2]).step_by(planes);
    let slabs = slabs.map(|first| -> io::Result<Vec<u8>> {
        slices.read_slab(first, planes.min(shape[2] - first))
    });
    let labels = source.header();
    let labels = labels.map(|header| write_labels(&header, wide, Vec::new(), slabs));
    let labels = labels.transpose().wrap_err_with(unwritable)?;
    let plane = |index| -> io::Result<Vec<u16>> {
        let stored = slices.read_slab(index, 1)?;
        Ok(match wide {
            true => stored
                .as_chunks::<2>()
                .0
                .iter()
                .map(|id| u16::from_le_bytes(*id))
                .collect(),
            false => stored.into_iter().map(u16::from).collect(),
        })
    };
    let segmentation = match source {
        Source::Nifti(_) => None,
        Source::Dicom(series) => {
            let made = making.of(source, time)?;
            let segments: Vec<Segment> = examples.classes().iter().map(segment).collect();
            let keeps_empty = making.keeps_empty;
            Some(segmentation(
                series,
                time,
                &segments,
                &made,
                keeps_empty,
                plane,
            )?)
        }
    };
    let millilitre = scan.grid.affine.determinant().abs() / 1000.0;
    let class = |class: &Class| {
        let voxels = voxels.get(&class.id).copied().unwrap_or(0);
        ClassVolume {
            id: class.id,
            name: class.name.clone(),
            color: class.color,
            voxels,
            millilitres: voxels as f64 * millilitre,
        }
    };
    let mut shown = Vec::new();
    for slice in telling(&areas) {
        let ids = ids(target, examples, slice)?.unwrap_or_default();
        shown.push((slice, picture(scan, slice, &ids, examples.classes())?));
    }
    Ok(Whole {
        labels,
        segmentation,
        classes: examples.classes().iter().map(class).collect(),
        shown,
        missing,
    })
}

fn segment(class: &Class) -> Segment {
    Segment {
        id: class.id,
        name: class.name.clone(),
        color: class.color,
    }
}

/// The labels of a slice: those that were given, else those that were answered.
fn ids(target: &Target, examples: &Examples, slice: usize) -> Result<Option<Vec<u16>>> {
    match target.own.filter(|_| target.plan.labelled.contains(&slice)) {
        Some(own) => examples.ids(own, slice).map(Some),
        None => Ok(target.settled(slice).map(|answer| answer.ids)),
    }
}

/// Slices that show something, evenly spread; the middle one where none does.
fn telling(areas: &[usize]) -> Vec<usize> {
    let some: Vec<usize> = (0..areas.len()).filter(|slice| areas[*slice] > 0).collect();
    if some.is_empty() {
        return vec![areas.len() / 2];
    }
    let count = SHOWN.min(some.len());
    (0..count)
        .map(|at| some[(2 * at + 1) * some.len() / (2 * count)])
        .collect()
}

/// A slice with its labels, at the patient's proportions.
fn picture(scan: &Scan, slice: usize, ids: &[u16], classes: &[Class]) -> Result<Vec<u8>> {
    let picture = grey(scan, slice)?;
    let (width, height) = picture.dimensions();
    let [across, down, _] = scan.view.spacing(&scan.grid.affine);
    let (wide, high) = (f64::from(width) * across, f64::from(height) * down);
    let scale = SIDE / wide.max(high);
    let side = |length: f64| (length * scale).round().clamp(1.0, 4.0 * SIDE) as u32;
    let (to_width, to_height) = (side(wide), side(high));
    let larger: RgbImage = resize::bicubic(&picture, to_width, to_height);
    let from = (width as usize, height as usize);
    let ids = match ids.is_empty() {
        true => vec![0; (to_width * to_height) as usize],
        false => resize::nearest(ids, from, (to_width as usize, to_height as usize)),
    };
    let most = classes.iter().map(|class| class.id).max().unwrap_or(0);
    let mut table: Vec<Rgb> = vec![BLACK; usize::from(most) + 1];
    for class in classes {
        // White over grey is hard to see.
        table[usize::from(class.id)] = match classes.len() {
            1 => [255, 96, 32],
            _ => class.color,
        };
    }
    let drawn = overlay::overlay(&larger, &ids, &table, overlay::Style::default())?;
    Ok(write::rgb_jpeg(&drawn, 85)?)
}

#[cfg(test)]
mod tests {
    use super::telling;

    #[test]
    fn slices_that_show_something_are_spread() {
        assert_eq!(telling(&[0, 0, 0]), [1]);
        assert_eq!(telling(&[0, 3, 0, 1]), [1, 3]);
        let all = telling(&[1; 100]);
        assert_eq!(all, [10, 30, 50, 70, 90]);
    }
}
