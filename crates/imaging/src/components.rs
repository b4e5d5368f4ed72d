//! Classes to instances: connected pixels of one class are one thing.

use crate::ImagingError;

/// One connected piece of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instance {
    /// Its value in [`Instances::ids`], from 1.
    pub id: u32,
    /// The label that all its pixels have.
    pub class: u16,
    /// Left, top, width, height in pixels.
    pub bbox: [u32; 4],
    /// How many pixels it has.
    pub pixels: u64,
}

/// The pieces of a label map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instances {
    /// Width and height in pixels.
    pub size: (usize, usize),
    /// Row by row, the instance of each pixel; 0 is background and what was too small.
    pub ids: Vec<u32>,
    /// `table[i]` describes the instance `i + 1`; in the order of their first pixels.
    pub table: Vec<Instance>,
}

/// Finds the 8-connected pieces of every label but 0, and drops those below `min_pixels`.
///
/// # Errors
/// [`ImagingError::Size`] if `labels` does not hold `size.0 * size.1` values.
pub fn components(
    labels: &[u16],
    size: (usize, usize),
    min_pixels: u64,
) -> Result<Instances, ImagingError> {
    ImagingError::check_size("find instances", labels.len(), size, 1)?;
    let (mut ids, mut pieces) = first_pass(labels, size.0);
    let mut table: Vec<Instance> = Vec::new();
    let mut numbers = vec![0u32; pieces.parents.len()];
    for (at, id) in ids.iter_mut().enumerate().filter(|(_, id)| **id != 0) {
        let root = pieces.root(*id) as usize;
        if numbers[root] == 0 {
            table.push(Instance {
                id: 0,
                class: labels[at],
                bbox: [u32::MAX, u32::MAX, 0, 0],
                pixels: 0,
            });
            numbers[root] = table.len() as u32;
        }
        *id = numbers[root];
        table[*id as usize - 1].grow((at % size.0) as u32, (at / size.0) as u32);
    }
    // What is too small goes, and the rest moves up.
    let mut kept = 0;
    let renumbered: Vec<u32> = std::iter::once(0)
        .chain(table.iter_mut().map(|instance| {
            let keep = instance.pixels >= min_pixels;
            kept += u32::from(keep);
            instance.id = if keep { kept } else { 0 };
            instance.id
        }))
        .collect();
    for id in &mut ids {
        *id = renumbered[*id as usize];
    }
    table.retain(|instance| instance.id != 0);
    Ok(Instances { size, ids, table })
}

impl Instance {
    fn grow(&mut self, x: u32, y: u32) {
        let [left, top, width, height] = self.bbox;
        let (right, bottom) = if self.pixels == 0 {
            (x, y)
        } else {
            (left + width - 1, top + height - 1)
        };
        let (left, top) = (left.min(x), top.min(y));
        self.bbox = [left, top, right.max(x) - left + 1, bottom.max(y) - top + 1];
        self.pixels += 1;
    }
}

/// Provisional numbers by what lies left and above, and which of them turned out to be one piece.
fn first_pass(labels: &[u16], width: usize) -> (Vec<u32>, Pieces) {
    let mut ids = vec![0u32; labels.len()];
    let mut pieces = Pieces { parents: vec![0] };
    for at in 0..labels.len() {
        if labels[at] == 0 {
            continue;
        }
        let x = at % width;
        let before = [
            (x > 0).then(|| at - 1),
            (x > 0 && at >= width).then(|| at - width - 1),
            (at >= width).then(|| at - width),
            (x + 1 < width && at >= width).then(|| at + 1 - width),
        ];
        for other in before
            .into_iter()
            .flatten()
            .filter(|&other| labels[other] == labels[at])
        {
            if ids[at] == 0 {
                ids[at] = ids[other];
            } else if ids[at] != ids[other] {
                pieces.join(ids[at], ids[other]);
            }
        }
        if ids[at] == 0 {
            ids[at] = pieces.parents.len() as u32;
            pieces.parents.push(ids[at]);
        }
    }
    (ids, pieces)
}

/// Union-find with path halving; the smaller number is the root.
struct Pieces {
    parents: Vec<u32>,
}

impl Pieces {
    fn root(&mut self, mut piece: u32) -> u32 {
        while self.parents[piece as usize] != piece {
            let above = self.parents[self.parents[piece as usize] as usize];
            self.parents[piece as usize] = above;
            piece = above;
        }
        piece
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }
}
