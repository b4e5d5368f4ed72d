use std::path::PathBuf;

use super::{
    file,
    frame::{Frame, Held, frames},
    series::Series,
    stack::stacks,
};
use crate::{
    VolumeError,
    plane::{dot, minus},
};

/// What DICOM files turned out to hold.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The series, in the order of their first files; those whose slices cannot be used say why.
    pub series: Vec<Result<Series, VolumeError>>,
    /// Files that cannot be read.
    pub broken: Vec<VolumeError>,
    /// Files that are whole and no scans, with what they are, such as `a report (SR)`.
    pub others: Vec<(PathBuf, String)>,
}

/// Orientations whose cosines differ by less are one.
const SAME: f64 = 1e-3;

/// Puts the slices of all files together: what has the same series, size, pixel spacing and orientation belongs together,
/// wherever the files lie. Only what stands before the pixels is read.
pub fn gather(paths: &[PathBuf]) -> Gathered {
    let mut gathered = Gathered::default();
    let mut groups: Vec<Vec<Frame>> = Vec::new();
    for path in paths {
        let held = file::header(path).and_then(|object| {
            frames(path, &object).map_err(|reason| VolumeError::new(path, reason))
        });
        match held {
            Ok(Held::Frames(frames)) => {
                for frame in frames {
                    // Series come one after another, mostly.
                    match groups
                        .iter_mut()
                        .rev()
                        .find(|group| belongs(&group[0], &frame))
                    {
                        Some(group) => group.push(frame),
                        None => groups.push(vec![frame]),
                    }
                }
            }
            Ok(Held::Other(what)) => gathered.others.push((path.clone(), what)),
            Err(error) => gathered.broken.push(error),
        }
    }
    let series = |frames: &[Frame]| frames[0].instance.series.clone();
    let names: Vec<String> = groups.iter().map(|group| series(group)).collect();
    for (group, name) in groups.into_iter().zip(&names) {
        let parts = names.iter().filter(|other| *other == name).count();
        for mut stack in stacks(group) {
            if parts > 1 {
                stack.notes.push(format!(
                    "the series holds slices of {parts} sizes or orientations: each makes a volume of its own"
                ));
            }
            gathered.series.push(Series::new(stack));
        }
    }
    gathered
}

fn belongs(first: &Frame, other: &Frame) -> bool {
    let near = |a: [f64; 3], b: [f64; 3]| {
        let apart = minus(a, b);
        dot(apart, apart).sqrt() <= SAME * dot(a, a).sqrt()
    };
    let [own, others] = [first.plane, other.plane];
    first.instance.series == other.instance.series
        && own.size == others.size
        && near(own.steps[0], others.steps[0])
        && near(own.steps[1], others.steps[1])
}
