//! Lines between regions, drawn corner by corner while the rows of a mask pass.

use std::{
    collections::VecDeque,
    mem,
    ops::{Index, IndexMut},
};

use super::{Corner, NOWHERE, Run};

/// What lies at a side of a corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Side {
    label: u16,
    region: u32,
}

impl Side {
    pub const OUTSIDE: Self = Self {
        label: 0,
        region: NOWHERE,
    };

    pub fn of(run: &Run) -> Self {
        Self {
            label: run.label,
            region: run.region,
        }
    }
}

/// A line that is drawn.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// From one end to the other; of a closed line, the first is not repeated.
    pub corners: Vec<Corner>,
    /// As it was before it was simplified; empty where it was not.
    pub exact: Vec<Corner>,
    pub is_closed: bool,
    /// The regions at its sides, for one who walks along it and sees row 0 above.
    pub left: u32,
    pub right: u32,
    users: u8,
}

/// A line that is being drawn.
#[derive(Debug, Default)]
struct Open {
    corners: VecDeque<Corner>,
    left: u32,
    right: u32,
    ends: [Place; 2],
}

/// Where an end of a line is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Place {
    /// Where it stays: lines meet there.
    #[default]
    Fixed,
    /// It goes down, along the left side of this column.
    Column(u32),
    /// It goes right, along the row.
    Row,
}

/// An end of an open line: 0 the first corner, 1 the last.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    line: u32,
    end: u8,
}

#[derive(Debug)]
pub(super) struct Lines {
    open: Vec<Open>,
    free: Vec<u32>,
    /// The line that comes down along the left side of each column.
    columns: Vec<End>,
    /// The line that comes from the left.
    row: End,
    y: u32,
    is_cut: bool,
    lines: Vec<Line>,
    free_lines: Vec<u32>,
    done: Vec<u32>,
}

impl Index<u32> for Lines {
    type Output = Line;

    fn index(&self, number: u32) -> &Line {
        &self.lines[number as usize]
    }
}

impl IndexMut<u32> for Lines {
    fn index_mut(&mut self, number: u32) -> &mut Line {
        &mut self.lines[number as usize]
    }
}

impl Lines {
    pub fn new(width: u32) -> Self {
        Self {
            open: Vec::new(),
            free: Vec::new(),
            columns: vec![End::default(); width as usize + 1],
            row: End::default(),
            y: 0,
            is_cut: false,
            lines: Vec::new(),
            free_lines: Vec::new(),
            done: Vec::new(),
        }
    }

    /// Begins the corners of a row. `is_cut`: lines that go on below it are others.
    pub fn begin(&mut self, y: u32, is_cut: bool) {
        (self.y, self.is_cut) = (y, is_cut);
    }

    /// Draws what happens at a corner. `around`: upper left, upper right, lower left, lower right.
    pub fn corner(&mut self, x: u32, around: [Side; 4]) {
        let [upper_left, upper_right, lower_left, lower_right] = around;
        let differ = |a: Side, b: Side| a.label != b.label;
        let up = differ(upper_left, upper_right);
        let down = differ(lower_left, lower_right);
        let left = differ(upper_left, lower_left);
        let right = differ(upper_right, lower_right);
        let at = [x, self.y];
        let meeting = [up, down, left, right].iter().filter(|is| **is).count();
        let is_fixed = meeting > 2 || self.is_cut && down;
        if !is_fixed {
            match (up, down, left, right) {
                (true, false, true, false) => self.join(at),
                (true, false, false, true) => {
                    self.row = self.columns[x as usize];
                    self.turn(self.row, at, Place::Row);
                }
                (false, true, true, false) => {
                    self.columns[x as usize] = self.row;
                    self.turn(self.row, at, Place::Column(x));
                }
                (false, true, false, true) => {
                    // Up from below, then to the right.
                    let ends = [Place::Column(x), Place::Row];
                    let line = self.start(at, (upper_right, lower_right), ends);
                    self.columns[x as usize] = End { line, end: 0 };
                    self.row = End { line, end: 1 };
                }
                _ => {}
            }
            return;
        }
        if up {
            self.fix(self.columns[x as usize], at);
        }
        if left {
            self.fix(self.row, at);
        }
        if right {
            let ends = [Place::Fixed, Place::Row];
            let line = self.start(at, (upper_right, lower_right), ends);
            self.row = End { line, end: 1 };
        }
        if down {
            let ends = [Place::Fixed, Place::Column(x)];
            let line = self.start(at, (lower_right, lower_left), ends);
            self.columns[x as usize] = End { line, end: 1 };
        }
    }

    fn start(&mut self, at: Corner, (left, right): (Side, Side), ends: [Place; 2]) -> u32 {
        let open = Open {
            corners: VecDeque::from([at]),
            left: left.region,
            right: right.region,
            ends,
        };
        match self.free.pop() {
            Some(line) => {
                self.open[line as usize] = open;
                line
            }
            None => {
                self.open.push(open);
                self.open.len() as u32 - 1
            }
        }
    }

    fn push(&mut self, End { line, end }: End, at: Corner) {
        let corners = &mut self.open[line as usize].corners;
        match end {
            0 => corners.push_front(at),
            _ => corners.push_back(at),
        }
    }

    fn turn(&mut self, end: End, at: Corner, to: Place) {
        self.push(end, at);
        self.open[end.line as usize].ends[usize::from(end.end)] = to;
    }

    /// An end stays here.
    fn fix(&mut self, end: End, at: Corner) {
        self.turn(end, at, Place::Fixed);
        if self.open[end.line as usize].ends == [Place::Fixed; 2] {
            self.finish(end.line, false);
        }
    }

    /// The line from above and the one from the left meet.
    fn join(&mut self, at: Corner) {
        let (a, b) = (self.columns[at[0] as usize], self.row);
        if a.line == b.line {
            self.push(a, at);
            self.finish(a.line, true);
            return;
        }
        let length = |end: End| self.open[end.line as usize].corners.len();
        let (kept, gone) = if length(a) >= length(b) {
            (a, b)
        } else {
            (b, a)
        };
        self.push(kept, at);
        let open = mem::take(&mut self.open[gone.line as usize]);
        self.free.push(gone.line);
        // From where they meet outwards.
        match gone.end {
            0 => open.corners.iter().for_each(|at| self.push(kept, *at)),
            _ => open
                .corners
                .iter()
                .rev()
                .for_each(|at| self.push(kept, *at)),
        }
        let place = open.ends[1 - usize::from(gone.end)];
        match place {
            Place::Column(x) => self.columns[x as usize] = kept,
            Place::Row => self.row = kept,
            Place::Fixed => {}
        }
        let ends = &mut self.open[kept.line as usize].ends;
        ends[usize::from(kept.end)] = place;
        if *ends == [Place::Fixed; 2] {
            self.finish(kept.line, false);
        }
    }

    fn finish(&mut self, line: u32, is_closed: bool) {
        let open = mem::take(&mut self.open[line as usize]);
        self.free.push(line);
        let corners = Vec::from(open.corners);
        let line = Line {
            corners,
            exact: Vec::new(),
            is_closed,
            left: open.left,
            right: open.right,
            users: u8::from(open.left != NOWHERE) + u8::from(open.right != NOWHERE),
        };
        let number = match self.free_lines.pop() {
            Some(number) => {
                self.lines[number as usize] = line;
                number
            }
            None => {
                self.lines.push(line);
                self.lines.len() as u32 - 1
            }
        };
        self.done.push(number);
    }

    /// The lines that were finished since this was asked last.
    pub fn take_done(&mut self) -> Vec<u32> {
        mem::take(&mut self.done)
    }

    /// One of the two regions at a line needs it no more.
    pub fn release(&mut self, number: u32) {
        let line = &mut self.lines[number as usize];
        line.users -= 1;
        if line.users == 0 {
            *line = Line::default();
            self.free_lines.push(number);
        }
    }
}

impl Line {
    /// As it runs along the pixels' edges.
    pub fn along_edges(&self) -> &[Corner] {
        match self.exact.is_empty() {
            true => &self.corners,
            false => &self.exact,
        }
    }
}
