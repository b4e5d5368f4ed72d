//! The outlines of a mask.

/// A part of a mask whose pixels are connected by their sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region {
    /// Left, top, width and height in pixels.
    pub bbox: [usize; 4],
    /// The pixels of the box, row by row.
    pub values: Vec<bool>,
    /// Its outline, and those of its holes.
    pub rings: Vec<Ring>,
}

/// A closed line along the sides of pixels, the region to its right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ring {
    /// The corners, x and y; pixel 0 reaches from 0 to 1.
    pub corners: Vec<[usize; 2]>,
    /// The pixels of the region along it, without those between two others in a row or column.
    pub border: Vec<[usize; 2]>,
}

/// The regions of a plane of `size` = (width, height), from the top.
pub(crate) fn regions((width, height): (usize, usize), values: &[bool]) -> Vec<Region> {
    let mut open = values.to_vec();
    let mut regions = Vec::new();
    for start in 0..width * height {
        if !open[start] {
            continue;
        }
        open[start] = false;
        let (mut pixels, mut stack) = (Vec::new(), vec![start]);
        while let Some(at) = stack.pop() {
            let (x, y) = (at % width, at / width);
            pixels.push([x, y]);
            let beside = [
                (x > 0).then(|| at - 1),
                (x + 1 < width).then_some(at + 1),
                (y > 0).then(|| at.wrapping_sub(width)),
                (y + 1 < height).then_some(at + width),
            ];
            for next in beside.into_iter().flatten() {
                if std::mem::take(&mut open[next]) {
                    stack.push(next);
                }
            }
        }
        regions.push(Region::of(&pixels));
    }
    regions
}

impl Region {
    fn of(pixels: &[[usize; 2]]) -> Self {
        let side = |axis: usize| {
            let all = || pixels.iter().map(|pixel| pixel[axis]);
            (all().min().unwrap_or(0), all().max().unwrap_or(0))
        };
        let ((left, right), (top, bottom)) = (side(0), side(1));
        let bbox = [left, top, right - left + 1, bottom - top + 1];
        let mut values = vec![false; bbox[2] * bbox[3]];
        for [x, y] in pixels {
            values[(y - top) * bbox[2] + (x - left)] = true;
        }
        let rings = rings(bbox, &values);
        Self {
            bbox,
            values,
            rings,
        }
    }

    /// Whether something is cut out of it.
    pub fn has_holes(&self) -> bool {
        self.rings.len() > 1
    }
}

/// The directions along the top, right, bottom and left side of a pixel whose region lies to the right.
const ALONG: [[isize; 2]; 4] = [[1, 0], [0, 1], [-1, 0], [0, -1]];
/// Where the side of a pixel begins.
const BEGIN: [[usize; 2]; 4] = [[0, 0], [1, 0], [1, 1], [0, 1]];

fn rings([left, top, width, height]: [usize; 4], values: &[bool]) -> Vec<Ring> {
    let inside = |x: isize, y: isize| {
        let is_there = x >= 0 && y >= 0 && (x as usize) < width && (y as usize) < height;
        is_there && values[y as usize * width + x as usize]
    };
    let mut seen = vec![false; values.len()];
    let mut rings = Vec::new();
    for start in 0..values.len() {
        let (x, y) = ((start % width) as isize, (start / width) as isize);
        if !values[start] || inside(x, y - 1) || seen[start] {
            continue;
        }
        let (mut corners, mut border) = (Vec::new(), Vec::new());
        let ([mut x, mut y], mut side) = ([x, y], 0);
        let mut before = 4;
        loop {
            if side == 0 {
                let at = y as usize * width + x as usize;
                if seen[at] {
                    break;
                }
                seen[at] = true;
            }
            let pixel = [left + x as usize, top + y as usize];
            if side != before {
                corners.push([pixel[0] + BEGIN[side][0], pixel[1] + BEGIN[side][1]]);
            }
            if border.last() != Some(&pixel) {
                border.push(pixel);
            }
            before = side;
            let ([ax, ay], [lx, ly]) = (ALONG[side], ALONG[(side + 3) % 4]);
            let ahead = [x + ax, y + ay];
            let beside = [ahead[0] + lx, ahead[1] + ly];
            if !inside(ahead[0], ahead[1]) {
                side = (side + 1) % 4;
            } else if !inside(beside[0], beside[1]) {
                [x, y] = ahead;
            } else {
                [x, y] = beside;
                side = (side + 3) % 4;
            }
        }
        // Where it began in the middle of a side.
        if before == 0 && corners.len() > 1 {
            corners.remove(0);
        }
        rings.push(Ring {
            corners,
            border: straightened(border),
        });
    }
    rings
}

/// Without the pixels on a straight way between their neighbours.
fn straightened(border: Vec<[usize; 2]>) -> Vec<[usize; 2]> {
    let mut kept: Vec<[usize; 2]> = Vec::new();
    let step = |from: [usize; 2], to: [usize; 2]| {
        [
            to[0] as isize - from[0] as isize,
            to[1] as isize - from[1] as isize,
        ]
        .map(isize::signum)
    };
    let straight = |a: [usize; 2], b: [usize; 2], c: [usize; 2]| {
        let is_line = (a[0] == b[0] && b[0] == c[0]) || (a[1] == b[1] && b[1] == c[1]);
        is_line && step(a, b) == step(b, c)
    };
    for pixel in border {
        if let [.., before, last] = kept[..]
            && straight(before, last, pixel)
        {
            kept.pop();
        }
        kept.push(pixel);
    }
    if kept.len() > 1 && kept.first() == kept.last() {
        kept.pop();
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plane(rows: &[&str]) -> ((usize, usize), Vec<bool>) {
        let size = (rows[0].len(), rows.len());
        (
            size,
            rows.join("").bytes().map(|byte| byte == b'#').collect(),
        )
    }

    #[test]
    fn a_square_has_four_corners() {
        let (size, values) = plane(&["....", ".##.", ".##."]);
        let regions = regions(size, &values);
        assert_eq!(regions.len(), 1);
        let ring = &regions[0].rings[0];
        assert_eq!(ring.corners, [[1, 1], [3, 1], [3, 3], [1, 3]]);
        assert_eq!(ring.border, [[1, 1], [2, 1], [2, 2], [1, 2]]);
    }

    #[test]
    fn a_hole_has_a_ring_of_its_own_and_corners_alone_do_not_connect() {
        let (size, values) = plane(&["###.", "#.#.", "###.", "...#"]);
        let regions = regions(size, &values);
        assert_eq!(regions.len(), 2);
        assert!(regions[0].has_holes() && !regions[1].has_holes());
        assert_eq!(regions[0].rings[1].corners.len(), 4);
        assert_eq!(regions[1].bbox, [3, 3, 1, 1]);
    }
}
