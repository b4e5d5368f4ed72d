/// COCO's run lengths: how many pixels are out, in, out, ... of the mask, column by column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rle {
    width: usize,
    height: usize,
    counts: Vec<u32>,
}

/// Why run lengths are not a mask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RleError {
    /// The runs do not fill the picture.
    #[error("its runs cover {covered} pixels, but {width} x {height} are {}", width * height)]
    Length {
        /// The sum of the runs.
        covered: u64,
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
    },
    /// A character that compressed runs do not use, or a string that ends within a number.
    #[error("its compressed runs are damaged at character {at}")]
    Damaged {
        /// Position in the string, from 0.
        at: usize,
    },
}

impl Rle {
    /// Runs as plain numbers. `size` is (width, height); COCO files have height first.
    ///
    /// # Errors
    /// [`RleError::Length`].
    pub fn new(size: (usize, usize), counts: Vec<u32>) -> Result<Self, RleError> {
        let (width, height) = size;
        let covered: u64 = counts.iter().copied().map(u64::from).sum();
        if covered != (width * height) as u64 {
            return Err(RleError::Length {
                covered,
                width,
                height,
            });
        }
        Ok(Self {
            width,
            height,
            counts,
        })
    }

    /// Runs as a string: numbers in groups of five bits, the lowest first, with a sign, from the
    /// fourth on as differences to the number two before (pycocotools' `rleFrString`).
    ///
    /// # Errors
    /// [`RleError::Damaged`], [`RleError::Length`].
    pub fn decompress(size: (usize, usize), text: &str) -> Result<Self, RleError> {
        let mut counts: Vec<u32> = Vec::new();
        let (mut value, mut shift) = (0i64, 0);
        for (at, byte) in text.bytes().enumerate() {
            let damaged = RleError::Damaged { at };
            let group = byte
                .checked_sub(48)
                .filter(|&group| group < 64)
                .ok_or(damaged.clone())?;
            if shift > 30 {
                return Err(damaged);
            }
            value |= i64::from(group & 31) << shift;
            shift += 5;
            if group & 32 != 0 {
                continue;
            }
            if group & 16 != 0 {
                value |= -1 << shift;
            }
            if counts.len() > 2 {
                value += i64::from(counts[counts.len() - 2]);
            }
            counts.push(u32::try_from(value).map_err(|_| damaged)?);
            (value, shift) = (0, 0);
        }
        if shift > 0 {
            return Err(RleError::Damaged { at: text.len() });
        }
        Self::new(size, counts)
    }

    /// The runs of a plane of `size` = (width, height), given row by row.
    #[must_use]
    pub fn of(size: (usize, usize), values: &[bool]) -> Self {
        let (width, height) = size;
        let (mut counts, mut run, mut inside) = (Vec::new(), 0u32, false);
        for x in 0..width {
            for value in values.iter().skip(x).step_by(width).take(height) {
                if *value != inside {
                    counts.push(std::mem::take(&mut run));
                    inside = *value;
                }
                run += 1;
            }
        }
        counts.push(run);
        Self {
            width,
            height,
            counts,
        }
    }

    /// The string that [`Rle::decompress`] reads.
    #[must_use]
    pub fn compressed(&self) -> String {
        let mut text = String::new();
        for (at, &count) in self.counts.iter().enumerate() {
            let before = match at {
                0..=2 => 0,
                _ => i64::from(self.counts[at - 2]),
            };
            let mut value = i64::from(count) - before;
            loop {
                let group = (value & 31) as u8;
                value >>= 5;
                let is_last = match group & 16 {
                    0 => value == 0,
                    _ => value == -1,
                };
                text.push(char::from(48 + group + if is_last { 0 } else { 32 }));
                if is_last {
                    break;
                }
            }
        }
        text
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The plane, row by row.
    #[must_use]
    pub fn values(&self) -> Vec<bool> {
        let mut values = vec![false; self.width * self.height];
        self.fill(&mut values);
        values
    }

    /// Sets what the runs cover in a plane of the same size.
    pub(crate) fn fill(&self, values: &mut [bool]) {
        let mut at = 0;
        for (run, &count) in self.counts.iter().enumerate() {
            let end = at + count as usize;
            if run % 2 == 1 {
                for pixel in at..end {
                    values[pixel % self.height * self.width + pixel / self.height] = true;
                }
            }
            at = end;
        }
    }
}
