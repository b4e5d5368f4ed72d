//! Which runs hang together: regions by a forest of sets, with what is known of each.

/// What is known of a region that has not been put together.
#[derive(Clone, Debug, Default)]
pub(super) struct Open {
    pub label: u16,
    pub pixels: u64,
    /// Confidence of its pixels, added up.
    pub sure: u64,
    /// The last row in which it has pixels.
    last: u32,
    /// Its lines, and whether it lies on their left.
    pub lines: Vec<(u32, bool)>,
}

/// What became of a place where a region may have begun.
#[derive(Clone, Copy, Debug)]
enum Link {
    /// It is part of what began there.
    Of(u32),
    /// It is a region, at this place among the open ones.
    Open(u32),
    /// It has ended, with this number; 0: it was left out.
    Ended(u32),
}

#[derive(Debug, Default)]
pub(super) struct Regions {
    links: Vec<Link>,
    open: Vec<Open>,
    free: Vec<u32>,
}

impl Regions {
    /// Begins a region.
    pub fn begin(&mut self, label: u16) -> u32 {
        let region = self.links.len() as u32;
        let open = Open {
            label,
            ..Open::default()
        };
        let place = match self.free.pop() {
            Some(place) => {
                self.open[place as usize] = open;
                place
            }
            None => {
                self.open.push(open);
                self.open.len() as u32 - 1
            }
        };
        self.links.push(Link::Open(place));
        region
    }

    /// What a region is called that has grown together with others.
    pub fn find(&mut self, region: u32) -> u32 {
        let mut root = region;
        while let Link::Of(parent) = self.links[root as usize] {
            root = parent;
        }
        let mut at = region;
        while let Link::Of(parent) = self.links[at as usize] {
            self.links[at as usize] = Link::Of(root);
            at = parent;
        }
        root
    }

    fn place(&mut self, region: u32) -> (u32, Option<usize>) {
        let root = self.find(region);
        match self.links[root as usize] {
            Link::Open(place) => (root, Some(place as usize)),
            Link::Of(_) | Link::Ended(_) => (root, None),
        }
    }

    /// Two that touch are one.
    pub fn union(&mut self, a: u32, b: u32) -> u32 {
        let ((a, Some(own)), (b, Some(other))) = (self.place(a), self.place(b)) else {
            return a;
        };
        if a == b {
            return a;
        }
        // The one with fewer lines goes into the other.
        let is_longer = self.open[own].lines.len() >= self.open[other].lines.len();
        let ((kept, place), (gone, left)) = match is_longer {
            true => ((a, own), (b, other)),
            false => ((b, other), (a, own)),
        };
        let gone_open = std::mem::take(&mut self.open[left]);
        let open = &mut self.open[place];
        open.pixels += gone_open.pixels;
        open.sure += gone_open.sure;
        open.last = open.last.max(gone_open.last);
        open.lines.extend(gone_open.lines);
        self.free.push(left as u32);
        self.links[gone as usize] = Link::Of(kept);
        kept
    }

    /// Adds pixels of a row.
    pub fn add(&mut self, region: u32, row: u32, pixels: u64, sure: u64) {
        if let (_, Some(place)) = self.place(region) {
            let open = &mut self.open[place];
            open.pixels += pixels;
            open.sure += sure;
            open.last = row;
        }
    }

    /// Adds a line of its outline.
    pub fn bound(&mut self, region: u32, line: u32, is_left: bool) {
        if let (_, Some(place)) = self.place(region) {
            self.open[place].lines.push((line, is_left));
        }
    }

    /// Adds a region of the row above `row` to those that have ended, where it has no pixel in that row.
    pub fn end(&mut self, region: u32, row: u32, ended: &mut Vec<u32>) {
        let (root, Some(place)) = self.place(region) else {
            return;
        };
        let open = &mut self.open[place];
        if open.last < row {
            // Once is enough.
            open.last = u32::MAX;
            ended.push(root);
        }
    }

    /// Lets go of a region that has ended.
    pub fn take(&mut self, region: u32) -> Open {
        let (root, Some(place)) = self.place(region) else {
            return Open::default();
        };
        self.links[root as usize] = Link::Ended(0);
        self.free.push(place as u32);
        std::mem::take(&mut self.open[place])
    }

    /// Says which number a region got.
    pub fn number(&mut self, region: u32, number: u32) {
        let root = self.find(region);
        self.links[root as usize] = Link::Ended(number);
    }

    /// The number of what began at each place.
    pub fn into_numbers(mut self) -> Vec<u32> {
        (0..self.links.len() as u32)
            .map(|region| {
                let root = self.find(region);
                match self.links[root as usize] {
                    Link::Ended(number) => number,
                    Link::Of(_) | Link::Open(_) => 0,
                }
            })
            .collect()
    }
}
