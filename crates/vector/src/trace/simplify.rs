//! Lines with fewer corners, none of which crosses or passes another.
//!
//! Douglas and Peucker's way, except that a stretch of corners becomes straight only where no corner of any line lies between
//! the stretch and the straight (Saalfeld 1999): regions keep all their neighbours, holes stay inside, rings stay valid. Lines are
//! simplified a band of rows at a time; ends, where lines meet or a band does, stay.

use std::{collections::HashMap, mem};

use super::{Corner, lines::Lines};

/// What one band passes on to the next.
#[derive(Debug, Default)]
pub(super) struct Border {
    fresh: Vec<u32>,
    /// Corners on the border.
    corners: Vec<Corner>,
    /// The ends of lines that run along it.
    pairs: Vec<[Corner; 2]>,
}

impl Border {
    /// A line of this band.
    pub fn add(&mut self, number: u32) {
        self.fresh.push(number);
    }

    /// Simplifies the lines of a band that ends at row `y`: corners move off their line by `far` pixels at most.
    pub fn simplify(&mut self, lines: &mut Lines, y: u32, far: f64) {
        let fresh = mem::take(&mut self.fresh);
        let mut field = Field::new(far);
        let mut pairs: HashMap<[Corner; 2], u32> = HashMap::new();
        for corner in mem::take(&mut self.corners) {
            field.add(corner, (u32::MAX, 0));
        }
        for pair in mem::take(&mut self.pairs) {
            *pairs.entry(pair).or_default() += 1;
        }
        for number in &fresh {
            let line = &lines[*number];
            for (corner, at) in line.corners.iter().zip(0..) {
                field.add(*corner, (*number, at));
            }
            if let Some(pair) = ends(&line.corners, line.is_closed) {
                *pairs.entry(pair).or_default() += 1;
                if pair.iter().all(|corner| corner[1] == y) {
                    self.pairs.push(pair);
                }
            }
            let border = line.corners.iter().filter(|corner| corner[1] == y);
            self.corners.extend(border);
        }
        for number in fresh {
            let line = &mut lines[number];
            let exact = mem::take(&mut line.corners);
            let is_shared =
                ends(&exact, line.is_closed).is_some_and(|pair| pairs.get(&pair) > Some(&1));
            line.corners = Stretches {
                number,
                field: &field,
                far,
            }
            .of(&exact, line.is_closed, is_shared);
            line.exact = exact;
        }
    }
}

/// The two ends of a line, in their order; a line that comes back to its beginning has none.
fn ends(corners: &[Corner], is_closed: bool) -> Option<[Corner; 2]> {
    let (first, last) = (*corners.first()?, *corners.last()?);
    let is_one = is_closed || first == last;
    (!is_one).then(|| [first.min(last), first.max(last)])
}

/// The corners of all lines nearby.
struct Field {
    side: u32,
    cells: HashMap<[u32; 2], Vec<Known>>,
}

/// A corner, its line, and its place on it.
type Known = (Corner, (u32, u32));

impl Field {
    /// For whoever asks for corners no further than `far` from a straight.
    fn new(far: f64) -> Self {
        Self {
            side: 2 * far.ceil() as u32 + 2,
            cells: HashMap::new(),
        }
    }

    fn add(&mut self, corner: Corner, of: (u32, u32)) {
        let cell = corner.map(|n| n / self.side);
        self.cells.entry(cell).or_default().push((corner, of));
    }

    /// The corners along a straight, some of them twice.
    fn along(&self, from: Corner, to: Corner) -> impl Iterator<Item = &Known> {
        let [across, down] = [0, 1].map(|n| f64::from(to[n]) - f64::from(from[n]));
        let steps = (across.hypot(down) / f64::from(self.side)).ceil().max(1.0) as u32;
        (0..=steps)
            .flat_map(move |step| {
                let way = f64::from(step) / f64::from(steps);
                let x = (f64::from(from[0]) + across * way) as u32 / self.side;
                let y = (f64::from(from[1]) + down * way) as u32 / self.side;
                let around = |n: u32| n.saturating_sub(1)..=n + 1;
                around(y).flat_map(move |y| around(x).map(move |x| [x, y]))
            })
            .filter_map(|cell| self.cells.get(&cell))
            .flatten()
    }
}

/// Makes stretches of a line straight.
struct Stretches<'a> {
    number: u32,
    field: &'a Field,
    far: f64,
}

impl Stretches<'_> {
    /// The corners that stay. `is_shared`: another line has the same ends, so one corner between them stays in any case.
    fn of(&self, corners: &[Corner], is_closed: bool, is_shared: bool) -> Vec<Corner> {
        let mut corners = corners.to_vec();
        if is_closed {
            corners.push(corners[0]);
        }
        let last = corners.len() - 1;
        let mut kept = vec![false; corners.len()];
        (kept[0], kept[last]) = (true, true);
        let mut open = Vec::new();
        if corners[0] == corners[last] {
            let far = |at: &usize| {
                let [x, y] = [0, 1].map(|n| i64::from(corners[*at][n]) - i64::from(corners[0][n]));
                x * x + y * y
            };
            let middle = (1..last).rev().max_by_key(far).unwrap_or(last);
            kept[middle] = true;
            open.extend([(0, middle, true), (middle, last, true)]);
        } else {
            open.push((0, last, is_shared));
        }
        while let Some((from, to, must_bend)) = open.pop() {
            let stretch = &corners[from..=to];
            let distance = |at: &usize| off(corners[*at], corners[from], corners[to]);
            let furthest = (from + 1..to).max_by(|a, b| distance(a).total_cmp(&distance(b)));
            let Some(furthest) = furthest else {
                continue;
            };
            let is_near = distance(&furthest) <= self.far;
            if must_bend || !is_near || !self.is_free(stretch, from as u32) {
                kept[furthest] = true;
                open.extend([(from, furthest, false), (furthest, to, false)]);
            }
        }
        if is_closed {
            kept[last] = false;
        }
        let mut kept = kept.into_iter();
        corners.retain(|_| kept.next() == Some(true));
        corners
    }

    /// Whether no other corner lies between a stretch, which begins at `from`, and the straight from end to end.
    fn is_free(&self, stretch: &[Corner], from: u32) -> bool {
        let (first, last) = (stretch[0], stretch[stretch.len() - 1]);
        let own = from..from + stretch.len() as u32;
        self.field.along(first, last).all(|(corner, (line, at))| {
            let is_own = *line == self.number && own.contains(at);
            is_own
                || *corner == first
                || *corner == last
                || off(*corner, first, last) > self.far
                || !holds(stretch, *corner)
        })
    }
}

/// How far a corner lies from the straight between two others.
fn off(corner: Corner, from: Corner, to: Corner) -> f64 {
    let to_f64 = |a: Corner, b: Corner| [0, 1].map(|n| f64::from(a[n]) - f64::from(b[n]));
    let ([x, y], [across, down]) = (to_f64(corner, from), to_f64(to, from));
    let length = across * across + down * down;
    let way = match length > 0.0 {
        true => ((x * across + y * down) / length).clamp(0.0, 1.0),
        false => 0.0,
    };
    (x - way * across).hypot(y - way * down)
}

/// Whether a corner lies within what is closed by a stretch and the straight between its ends, or on the edge of that.
fn holds(stretch: &[Corner], [x, y]: Corner) -> bool {
    let (x, y) = (i64::from(x), i64::from(y));
    let closing = [stretch[stretch.len() - 1], stretch[0]];
    let mut is_inside = false;
    for edge in stretch.windows(2).chain([&closing[..]]) {
        let [ax, ay] = edge[0].map(i64::from);
        let [bx, by] = edge[1].map(i64::from);
        let turn = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
        let is_between = |n: i64, a: i64, b: i64| a.min(b) <= n && n <= a.max(b);
        if turn == 0 && is_between(x, ax, bx) && is_between(y, ay, by) {
            return true;
        }
        if (ay > y) != (by > y) && (turn > 0) == (by > ay) {
            is_inside = !is_inside;
        }
    }
    is_inside
}
