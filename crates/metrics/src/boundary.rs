use seggpt_imaging::Mask;

use crate::{MetricsError, error::same_size};

/// How far a boundary may lie from the true one and still count as found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Tolerance {
    /// This share of the picture's diagonal, rounded up to whole pixels.
    Diagonal(f64),
    /// This many pixels.
    Pixels(usize),
}

impl Default for Tolerance {
    /// DAVIS: 0.008 of the diagonal.
    fn default() -> Self {
        Self::Diagonal(0.008)
    }
}

impl Tolerance {
    fn pixels(self, (width, height): (usize, usize)) -> usize {
        match self {
            Self::Pixels(pixels) => pixels,
            Self::Diagonal(share) => {
                let diagonal = ((width * width + height * height) as f64).sqrt();
                (share * diagonal).ceil().max(0.0) as usize
            }
        }
    }
}

/// Boundary accuracy F of two masks: the harmonic mean of the share of the predicted boundary that
/// lies near the true one, and the other way round; 1 where neither has a boundary.
///
/// `void`, if given, marks pixels that count as background in both. Equals `db_eval_boundary` of
/// davis2017-evaluation (boundaries after Martin's `seg2bmap`, dilated by a disk).
///
/// # Errors
/// [`MetricsError::SizesDiffer`].
pub fn boundary(
    prediction: &Mask,
    truth: &Mask,
    void: Option<&Mask>,
    tolerance: Tolerance,
) -> Result<f64, MetricsError> {
    same_size(prediction, truth)?;
    void.map_or(Ok(()), |void| same_size(void, truth))?;
    let radius = tolerance.pixels(truth.size());
    let predicted = outline(prediction, void);
    let true_ = outline(truth, void);
    let near = |of: &Mask, other: &Mask| {
        let reach = dilated(other, radius);
        let pairs = of.values().iter().zip(reach.values());
        pairs.filter(|&(&on, &reached)| on && reached).count() as f64 / of.area() as f64
    };
    let (precision, recall) = match (predicted.area(), true_.area()) {
        (0, 0) => (1.0, 1.0),
        (0, _) => (1.0, 0.0),
        (_, 0) => (0.0, 1.0),
        _ => (near(&predicted, &true_), near(&true_, &predicted)),
    };
    if precision + recall == 0.0 {
        return Ok(0.0);
    }
    Ok(2.0 * precision * recall / (precision + recall))
}

/// Pixels that differ from their neighbour to the right, below, or right below; the last row looks
/// only to the right, the last column only down, and the last pixel is never on a boundary.
fn outline(mask: &Mask, void: Option<&Mask>) -> Mask {
    let (width, height) = mask.size();
    let set = |x: usize, y: usize| {
        let at = y * width + x;
        mask.values()[at] && void.is_none_or(|void| !void.values()[at])
    };
    let mut outline = Mask::filled(mask.size(), false);
    for (at, on) in outline.values_mut().iter_mut().enumerate() {
        let (x, y) = (at % width, at / width);
        let here = set(x, y);
        *on = match (x + 1 < width, y + 1 < height) {
            (true, true) => {
                here != set(x + 1, y) || here != set(x, y + 1) || here != set(x + 1, y + 1)
            }
            (true, false) => here != set(x + 1, y),
            (false, true) => here != set(x, y + 1),
            (false, false) => false,
        };
    }
    outline
}

/// Everything within `radius` pixels of a set pixel. Each set pixel opens and closes one run per
/// row of its disk; a running sum over the row then tells what is covered.
fn dilated(mask: &Mask, radius: usize) -> Mask {
    let (width, height) = mask.size();
    let stride = width + 1;
    let mut changes = vec![0i32; stride * height];
    let half_widths: Vec<usize> = (0..=radius)
        .map(|dy| (radius * radius - dy * dy).isqrt())
        .collect();
    for (at, _) in mask.values().iter().enumerate().filter(|(_, set)| **set) {
        let (x, y) = (at % width, at / width);
        for row in y.saturating_sub(radius)..(y + radius + 1).min(height) {
            let half = half_widths[row.abs_diff(y)];
            changes[row * stride + x.saturating_sub(half)] += 1;
            changes[row * stride + (x + half + 1).min(width)] -= 1;
        }
    }
    let mut covered = Mask::filled(mask.size(), false);
    for (row, changes) in covered
        .values_mut()
        .chunks_exact_mut(width.max(1))
        .zip(changes.chunks_exact(stride))
    {
        let mut open = 0;
        for (covered, change) in row.iter_mut().zip(changes) {
            open += change;
            *covered = open > 0;
        }
    }
    covered
}
