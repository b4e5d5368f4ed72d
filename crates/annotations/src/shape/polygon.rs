//! Polygons to pixels as pycocotools does it (`rleFrPoly`): the outline is walked at five times the
//! resolution, and where it crosses a column's centre, the column's pixels change from out to in.

use super::Rle;

const SCALE: f64 = 5.0;

/// The runs of one polygon: x, y, x, y, ... in pixels, at least three points.
pub(crate) fn rasterise(points: &[f64], size: (usize, usize)) -> Rle {
    let (width, height) = size;
    let upscaled = |value: f64| (SCALE * value + 0.5) as i64;
    let (corners, _) = points.as_chunks::<2>();
    let corners: Vec<(i64, i64)> = corners
        .iter()
        .map(|&[x, y]| (upscaled(x), upscaled(y)))
        .collect();
    let next = corners.iter().cycle().skip(1);
    let outline: Vec<(i64, i64)> = corners
        .iter()
        .zip(next)
        .flat_map(|(&from, &to)| edge(from, to))
        .collect();

    let crossing = |pair: &[(i64, i64)]| {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if x0 == x1 {
            return None;
        }
        let x = if x1 < x0 { x1 } else { x1 - 1 };
        let x = (x as f64 + 0.5) / SCALE - 0.5;
        if x.floor() != x || x < 0.0 || x > width as f64 - 1.0 {
            return None;
        }
        let y = (y0.min(y1) as f64 + 0.5) / SCALE - 0.5;
        Some(x as usize * height + y.clamp(0.0, height as f64).ceil() as usize)
    };
    let mut changes: Vec<usize> = outline.windows(2).filter_map(crossing).collect();
    changes.push(width * height);
    changes.sort_unstable();
    Rle::new(size, runs(&changes)).expect("the last change is at the last pixel")
}

/// The pixels of a line from one corner to the next, in that order, both ends included.
fn edge(from: (i64, i64), to: (i64, i64)) -> impl Iterator<Item = (i64, i64)> {
    let (dx, dy) = ((to.0 - from.0).abs(), (to.1 - from.1).abs());
    let flat = dx >= dy;
    let backwards = (flat && from.0 > to.0) || (!flat && from.1 > to.1);
    let (start, end) = if backwards { (to, from) } else { (from, to) };
    let length = dx.max(dy);
    let slope = match (length, flat) {
        (0, _) => 0.0,
        (_, true) => (end.1 - start.1) as f64 / dx as f64,
        (_, false) => (end.0 - start.0) as f64 / dy as f64,
    };
    (0..=length).map(move |step| {
        let t = if backwards { length - step } else { step };
        let across = |start: i64| (start as f64 + slope * t as f64 + 0.5) as i64;
        match flat {
            true => (t + start.0, across(start.1)),
            false => (across(start.0), t + start.1),
        }
    })
}

/// Ascending positions of changes to runs; two changes at one place cancel out.
fn runs(changes: &[usize]) -> Vec<u32> {
    let mut steps = changes.iter().scan(0, |before, &at| {
        Some((at - std::mem::replace(before, at)) as u32)
    });
    let mut runs: Vec<u32> = steps.next().into_iter().collect();
    while let Some(step) = steps.next() {
        match (step, runs.last_mut()) {
            (0, Some(last)) => *last += steps.next().unwrap_or(0),
            (step, _) => runs.push(step),
        }
    }
    runs
}
