//! Which tiles a map is cut into.

use seggpt_tiff::Window;

/// Tiles of one size that cover a map, evenly spread: no last one is smaller or hangs over, and overlaps differ by one pixel
/// at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    width: u32,
    height: u32,
    tile: (u32, u32),
    columns: Vec<u32>,
    rows: Vec<u32>,
}

/// A tile and its neighbours' edges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Its number: row by row.
    pub index: u32,
    /// Its column.
    pub column: u32,
    /// Its row.
    pub row: u32,
    /// Its pixels.
    pub window: Window,
}

impl Grid {
    /// The most tiles of a map.
    pub const MOST: u64 = 1 << 20;

    /// Cuts a map of `width` x `height` pixels into tiles of `side` that overlap by the share `overlap` or more. A map up to
    /// one and a half tiles wide and high is one tile.
    ///
    /// # Errors
    /// No pixels, an overlap that is not in 0 to 1/2, or more than [`MOST`](Self::MOST) tiles: says which.
    pub fn new(width: u32, height: u32, side: u32, overlap: f32) -> Result<Self, String> {
        if !(0.0..0.5).contains(&overlap) {
            return Err(format!(
                "an overlap of {overlap} is not between 0 and 0.5; 0.25 is usual"
            ));
        }
        if width == 0 || height == 0 || side == 0 {
            return Err(format!("{width} x {height} pixels in tiles of {side}"));
        }
        let is_one = |length: u32| u64::from(length) * 2 <= u64::from(side) * 3;
        if is_one(width) && is_one(height) {
            return Ok(Self {
                width,
                height,
                tile: (width, height),
                columns: vec![0],
                rows: vec![0],
            });
        }
        let overlap = (f64::from(side) * f64::from(overlap)) as u32;
        let many = u64::from(count(width, side, overlap)) * u64::from(count(height, side, overlap));
        if many > Self::MOST {
            return Err(format!(
                "{width} x {height} pixels are {many} tiles of {side}, and {} are the most; take larger tiles",
                Self::MOST
            ));
        }
        Ok(Self {
            width,
            height,
            tile: (side.min(width), side.min(height)),
            columns: positions(width, side, overlap),
            rows: positions(height, side, overlap),
        })
    }

    /// Width and height of the map.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Width and height of a tile.
    #[must_use]
    pub fn tile_size(&self) -> (u32, u32) {
        self.tile
    }

    /// Tiles across and down.
    #[must_use]
    pub fn across_and_down(&self) -> (u32, u32) {
        (self.columns.len() as u32, self.rows.len() as u32)
    }

    /// How many tiles.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.columns.len() as u32 * self.rows.len() as u32
    }

    /// Whether there are none: never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The tile of this number.
    #[must_use]
    pub fn tile(&self, index: u32) -> Option<Tile> {
        let across = self.columns.len() as u32;
        let (column, row) = (index % across, index / across);
        let y = *self.rows.get(row as usize)?;
        let (width, height) = self.tile;
        Some(Tile {
            index,
            column,
            row,
            window: Window {
                x: self.columns[column as usize],
                y,
                width,
                height,
            },
        })
    }

    /// All tiles, row by row.
    pub fn tiles(&self) -> impl Iterator<Item = Tile> + '_ {
        (0..self.len()).filter_map(|index| self.tile(index))
    }

    /// The tiles that share a pixel with the window, row by row.
    pub fn touching(&self, window: Window) -> impl Iterator<Item = Tile> + '_ {
        let meet = |starts: &[u32], length: u32, at: u32, side: u32| {
            let first = starts.partition_point(|start| start + length <= at);
            let end = starts.partition_point(|start| *start < at.saturating_add(side));
            (first as u32, end as u32)
        };
        let across = self.columns.len() as u32;
        let (left, right) = meet(&self.columns, self.tile.0, window.x, window.width);
        let (top, bottom) = meet(&self.rows, self.tile.1, window.y, window.height);
        (top..bottom)
            .flat_map(move |row| (left..right).map(move |column| row * across + column))
            .filter_map(|index| self.tile(index))
    }

    /// How much a tile counts at each of its columns and rows, beside its neighbours.
    #[must_use]
    pub fn weights(&self, tile: Tile) -> (Vec<f32>, Vec<f32>) {
        (
            ramps(&self.columns, tile.column as usize, self.tile.0),
            ramps(&self.rows, tile.row as usize, self.tile.1),
        )
    }
}

fn count(length: u32, side: u32, overlap: u32) -> u32 {
    if length <= side {
        return 1;
    }
    (length - overlap).div_ceil(side - overlap)
}

fn positions(length: u32, side: u32, overlap: u32) -> Vec<u32> {
    let count = u64::from(count(length, side, overlap));
    let way = u64::from(length.saturating_sub(side));
    let gaps = (count - 1).max(1);
    (0..count)
        .map(|n| ((n * way * 2 + gaps) / (gaps * 2)) as u32)
        .collect()
}

/// Hann's ramps over what a tile shares with those before and behind it, sampled at the pixels' centres: a ramp and the
/// next tile's are 1 together. Where there is no neighbour, at the map's border, 1.
fn ramps(starts: &[u32], at: usize, side: u32) -> Vec<f32> {
    let start = starts[at];
    let shared = |near: u32, far: u32| (near + side).saturating_sub(far);
    let before = at.checked_sub(1).map_or(0, |n| shared(starts[n], start));
    let behind = starts.get(at + 1).map_or(0, |next| shared(start, *next));
    let ramp = |x: u32, over: u32| {
        if x >= over {
            return 1.0;
        }
        let way = (f64::from(x) + 0.5) / f64::from(over);
        (way * std::f64::consts::FRAC_PI_2).sin().powi(2) as f32
    };
    (0..side)
        .map(|x| ramp(x, before) * ramp(side - 1 - x, behind))
        .collect()
}
