//! Shades along edges, told from values that fill areas.
//!
//! Class ids stand in areas and lines of one value. The shades that smoothing leaves along an edge do not: each lies
//! between what is beside it, or differs from all its neighbours.

/// What the counted pixels of a plane look like.
pub(super) struct Texture {
    /// How many pixels were counted, as a share of all.
    pub(super) share: f64,
    /// How many of them are shades along edges, 0 to 1.
    pub(super) soft: f64,
    /// How many of them stand in areas, 0 to 1.
    pub(super) solid: f64,
}

impl Texture {
    pub(super) fn of(size: (u32, u32), values: &[u8], counts: impl Fn(u8) -> bool) -> Self {
        let plane = Plane {
            width: size.0 as usize,
            height: size.1 as usize,
            values,
        };
        let (mut counted, mut soft, mut solid) = (0u64, 0u64, 0u64);
        for (at, _) in values
            .iter()
            .enumerate()
            .filter(|(_, value)| counts(**value))
        {
            counted += 1;
            match plane.look(at, |a, v, b| (a < v && v < b) || (b < v && v < a)) {
                Look::Solid => solid += 1,
                Look::Soft => soft += 1,
                Look::Line => {}
            }
        }
        let of = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
        Self {
            share: of(counted, values.len() as u64),
            soft: of(soft, counted),
            solid: of(solid, counted),
        }
    }
}

/// A pixel among its neighbours.
#[derive(PartialEq, Eq)]
pub(super) enum Look {
    /// Part of a 2 x 2 block of one value.
    Solid,
    /// Between the values on two opposite sides, or unlike all around it.
    Soft,
    /// Neither: part of a line, or a dot on even ground beside its like.
    Line,
}

/// Values, row by row.
pub(super) struct Plane<'a, T> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: &'a [T],
}

impl<T: Copy + PartialEq> Plane<'_, T> {
    /// `between(a, v, b)`: whether v lies between a and b, and is neither.
    pub(super) fn look(&self, at: usize, between: impl Fn(T, T, T) -> bool) -> Look {
        let (x, y) = ((at % self.width) as isize, (at / self.width) as isize);
        let own = self.values[at];
        let beside = |dx: isize, dy: isize| {
            let (x, y) = (x + dx, y + dy);
            let inside = x >= 0 && y >= 0 && x < self.width as isize && y < self.height as isize;
            inside.then(|| self.values[y as usize * self.width + x as usize])
        };
        let same = |dx, dy| beside(dx, dy) == Some(own);
        let block = |dx, dy| same(dx, 0) && same(0, dy) && same(dx, dy);
        if block(1, 1) || block(1, -1) || block(-1, 1) || block(-1, -1) {
            return Look::Solid;
        }
        let across = |dx: isize, dy: isize| {
            let sides = beside(-dx, -dy).zip(beside(dx, dy));
            sides.is_some_and(|(a, b)| between(a, own, b))
        };
        let alone = !(-1..=1).any(|dy| (-1..=1).any(|dx| (dx, dy) != (0, 0) && same(dx, dy)));
        if alone || across(1, 0) || across(0, 1) || across(1, 1) || across(1, -1) {
            Look::Soft
        } else {
            Look::Line
        }
    }
}
