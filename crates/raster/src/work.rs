//! What of a map is done, on disk: nothing of it is in memory alone, so a run can be killed at any moment and goes on.
//!
//! `OUT/.work/NAME/` holds
//!
//! * `map.json`: which map, grid and settings it belongs to; of another, everything is begun anew;
//! * `tiles/000123`: the answer to a tile, or why there is none, until all rows that it touches are written;
//! * `mask.blocks`, `confidence.blocks`: the finished blocks of full size, one after another;
//! * `rows.jsonl`: a line for each finished row of blocks. What lies in the blocks' files beyond the last line is torn off
//!   when they are opened again.

use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use seggpt_tiff::{
    Window,
    cog::{SIDE, pack},
};
use serde::{Deserialize, Serialize};

use crate::{
    Grid, Placement,
    blend::{Answer, Blended, NOTHING, Validity, blend},
};
use seggpt_imaging::decode::Threshold;

/// The folder of unfinished maps, in the folder of results.
pub const FOLDER: &str = ".work";

/// A class as it is painted and named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Class {
    /// Its id, 1 to 65534.
    pub id: u16,
    /// Its name.
    pub name: String,
    /// Its colour.
    pub color: [u8; 3],
}

/// How a tile ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// With an answer.
    Done {
        /// The classes of its planes.
        classes: Vec<Class>,
        /// Side of a plane in pixels.
        side: u32,
        /// Where a class begins.
        threshold: f32,
        /// Size of what says which pixels are valid, where not all are: it lies behind the planes.
        valid: Option<(u32, u32)>,
    },
    /// Nothing to see: no pixel holds anything.
    Empty,
    /// Without.
    Failed {
        /// Why.
        error: String,
    },
}

/// A class and how much of the map it got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The class.
    #[serde(flatten)]
    pub class: Class,
    /// Its pixels.
    pub pixels: u64,
    /// Their confidence, added up, 0 to 255 each.
    pub sure: u64,
}

/// A finished row of blocks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Bytes of each block of the mask.
    pub mask: Vec<u32>,
    /// Bytes of each block of the confidence.
    pub confidence: Vec<u32>,
    /// The classes that its tiles may show.
    pub classes: Vec<Found>,
    /// Pixels that hold nothing, or of which nothing is known.
    pub nothing: u64,
    /// Tiles that end in this row and failed.
    pub failed: u32,
    /// Tiles that end in this row and hold nothing.
    pub empty: u32,
}

#[derive(Serialize, Deserialize)]
struct Of {
    run_key: String,
    map: Placement,
}

/// The work on a map, open for writing.
#[derive(Debug)]
pub struct Work {
    folder: PathBuf,
    placement: Placement,
    grid: Grid,
    /// Tiles that have ended.
    ended: BTreeSet<u32>,
    rows: Vec<Row>,
}

/// The folder of the map called `name`.
#[must_use]
pub fn folder(out: &Path, name: &str) -> PathBuf {
    out.join(FOLDER)
        .join(name.replace('%', "%25").replace('/', "%2F"))
}

/// The tiles of a map that have ended, as `folder` has it; none where it belongs to another map, grid or key.
///
/// # Errors
/// The folder cannot be read.
pub fn ended(folder: &Path, run_key: &str, placement: &Placement) -> io::Result<BTreeSet<u32>> {
    match held(folder)? {
        Some(of) if of.run_key == run_key && of.map == placement.of_map() => {
            let grid = placement.grid().map_err(invalid)?;
            let rows = read_rows(folder)?.0.len();
            listed(folder, &grid, rows)
        }
        _ => Ok(BTreeSet::new()),
    }
}

/// The map that `folder` belongs to, where it belongs to one of this key.
///
/// # Errors
/// The folder cannot be read.
pub fn map_of(folder: &Path, run_key: &str) -> io::Result<Option<Placement>> {
    let of = held(folder)?.filter(|of| of.run_key == run_key);
    Ok(of.map(|of| of.map))
}

fn held(folder: &Path) -> io::Result<Option<Of>> {
    match fs::read(folder.join("map.json")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // One that was torn is nobody's.
        bytes => Ok(serde_json::from_slice(&bytes?).ok()),
    }
}

/// The lines of `rows.jsonl`, and how many of its bytes they are.
fn read_rows(folder: &Path) -> io::Result<(Vec<Row>, u64)> {
    let text = match fs::read(folder.join("rows.jsonl")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        text => text?,
    };
    let (mut rows, mut length) = (Vec::new(), 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let Some(row) = line
            .strip_suffix(b"\n")
            .and_then(|line| serde_json::from_slice(line).ok())
        else {
            break;
        };
        rows.push(row);
        length += line.len() as u64;
    }
    Ok((rows, length))
}

/// Tiles that have ended: those on disk, and those that end above what is written.
fn listed(folder: &Path, grid: &Grid, rows: usize) -> io::Result<BTreeSet<u32>> {
    let written = rows as u64 * u64::from(SIDE);
    let mut ended: BTreeSet<u32> = grid
        .tiles()
        .filter(|tile| bottom(tile.window, grid) <= written)
        .map(|tile| tile.index)
        .collect();
    match fs::read_dir(folder.join("tiles")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        files => {
            for file in files? {
                let name = file?.file_name();
                let index = name.to_str().and_then(|name| name.parse::<u32>().ok());
                ended.extend(index.filter(|index| *index < grid.len()));
            }
        }
    }
    Ok(ended)
}

/// Where the last row of blocks that a tile touches ends; the map's last one is written whole.
fn bottom(window: Window, grid: &Grid) -> u64 {
    let end = u64::from(window.y + window.height).next_multiple_of(SIDE.into());
    end.min(u64::from(grid.size().1).next_multiple_of(SIDE.into()))
}

fn invalid(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

impl Work {
    /// Opens the work on a map, with what is there of it if it is of the same map, grid and key; else begins anew. What a
    /// kill has torn is cut off.
    ///
    /// # Errors
    /// The disk refuses, or the map has no such tiles.
    pub fn open(folder: &Path, run_key: &str, placement: &Placement) -> io::Result<Self> {
        let placement = placement.of_map();
        let grid = placement.grid().map_err(invalid)?;
        let is_same = held(folder)?.is_some_and(|of| of.run_key == run_key && of.map == placement);
        if !is_same {
            match fs::remove_dir_all(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            fs::create_dir_all(folder.join("tiles"))?;
            let of = Of {
                run_key: run_key.to_owned(),
                map: placement.clone(),
            };
            let text = serde_json::to_vec(&of).map_err(io::Error::from)?;
            put(&folder.join("map.json"), &text)?;
        }
        let (rows, length) = read_rows(folder)?;
        let cut = |name: &str, length: u64| -> io::Result<()> {
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .open(folder.join(name))?;
            if file.metadata()?.len() < length {
                return Err(invalid(format!("{name} has lost its end")));
            }
            file.set_len(length)
        };
        let sum = |lengths: fn(&Row) -> &Vec<u32>| -> u64 {
            rows.iter()
                .flat_map(lengths)
                .map(|length| u64::from(*length))
                .sum()
        };
        cut("rows.jsonl", length)?;
        cut("mask.blocks", sum(|row| &row.mask))?;
        cut("confidence.blocks", sum(|row| &row.confidence))?;
        let ended = listed(folder, &grid, rows.len())?;
        let work = Self {
            folder: folder.to_owned(),
            placement,
            grid,
            ended,
            rows,
        };
        work.forget()?;
        Ok(work)
    }

    /// The map.
    #[must_use]
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Its tiles.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The rows of blocks that are written.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Whether a tile has ended.
    #[must_use]
    pub fn has(&self, tile: u32) -> bool {
        self.ended.contains(&tile)
    }

    /// How many tiles have ended.
    #[must_use]
    pub fn ended(&self) -> u32 {
        self.ended.len() as u32
    }

    /// Whether every row of blocks is written.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.rows.len() as u32 == self.grid.size().1.div_ceil(SIDE)
    }

    /// Files of the finished blocks: mask (16 bit), confidence (8 bit), and numbers of regions (32 bit), where they are wanted.
    #[must_use]
    pub fn blocks(&self) -> [PathBuf; 3] {
        ["mask.blocks", "confidence.blocks", "regions.blocks"].map(|name| self.folder.join(name))
    }

    /// The folder, for what else the map needs until it is done.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps the answer to a tile; when this returns, it outlives the process. `data`: its planes, and a byte a pixel of
    /// what says which pixels are valid.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn keep(&mut self, tile: u32, how: &Ended, data: &[u8]) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(how).map_err(io::Error::from)?;
        bytes.push(b'\n');
        let mut packed = ZlibEncoder::new(bytes, Compression::new(1));
        packed.write_all(data)?;
        put(&self.tile(tile), &packed.finish()?)?;
        self.ended.insert(tile);
        Ok(())
    }

    /// Writes every row of blocks whose tiles have all ended, and lets go of the tiles that no other needs. One at a time:
    /// whether one was written.
    ///
    /// # Errors
    /// The disk refuses, or a kept answer is damaged.
    pub fn write_row(&mut self) -> io::Result<bool> {
        let (width, height) = self.grid.size();
        let top = self.rows.len() as u32 * SIDE;
        if self.is_whole() {
            return Ok(false);
        }
        let band = Window {
            x: 0,
            y: top,
            width,
            height: SIDE.min(height - top),
        };
        let tiles: Vec<_> = self.grid.touching(band).collect();
        if !tiles.iter().all(|tile| self.has(tile.index)) {
            return Ok(false);
        }
        let mut row = Row::default();
        let mut classes = BTreeSet::new();
        let mut threshold = None;
        for tile in &tiles {
            let is_last = bottom(tile.window, &self.grid) <= u64::from(top + SIDE);
            match self.how(tile.index)?.0 {
                Ended::Done {
                    classes: own,
                    threshold: own_threshold,
                    ..
                } => {
                    classes.extend(own);
                    threshold = threshold.or(Some(own_threshold));
                }
                Ended::Empty => row.empty += u32::from(is_last),
                Ended::Failed { .. } => row.failed += u32::from(is_last),
            }
        }
        let classes: Vec<Class> = classes.into_iter().collect();
        let threshold = threshold.and_then(Threshold::new).unwrap_or_default();
        row.classes = classes
            .iter()
            .map(|class| Found {
                class: class.clone(),
                pixels: 0,
                sure: 0,
            })
            .collect();
        let (mut mask, mut confidence) = (Vec::new(), Vec::new());
        let mut open: Vec<Answer> = Vec::new();
        for left in (0..width).step_by(SIDE as usize) {
            let block = Window {
                x: left,
                width: SIDE.min(width - left),
                ..band
            };
            open.retain(|answer| answer.tile().window.x + answer.tile().window.width > left);
            for tile in self.grid.touching(block) {
                if !open.iter().any(|answer| answer.tile() == tile) {
                    open.extend(self.answer(tile.index, &classes)?);
                }
            }
            // Row by row, whichever was opened first.
            open.sort_by_key(|answer| answer.tile().index);
            let answers: Vec<&Answer> = open.iter().collect();
            let found = blend(block, &answers, classes.len(), threshold);
            count(&found, &mut row);
            let (ids, sure) = squares(block, &found, &classes);
            let (ids, sure) = (pack(&ids)?, pack(&sure)?);
            row.mask.push(ids.len() as u32);
            row.confidence.push(sure.len() as u32);
            mask.extend(ids);
            confidence.extend(sure);
        }
        let mut line = serde_json::to_vec(&row).map_err(io::Error::from)?;
        line.push(b'\n');
        append(&self.folder.join("mask.blocks"), &mask)?;
        append(&self.folder.join("confidence.blocks"), &confidence)?;
        append(&self.folder.join("rows.jsonl"), &line)?;
        self.rows.push(row);
        self.forget()?;
        Ok(true)
    }

    /// Whether any pixel, of those that are written, holds something.
    #[must_use]
    pub fn holds_something(&self) -> bool {
        let (width, height) = self.grid.size();
        let nothing: u64 = self.rows.iter().map(|row| row.nothing).sum();
        nothing < u64::from(width) * u64::from(height)
    }

    /// All classes, with what they got.
    #[must_use]
    pub fn classes(&self) -> Vec<Found> {
        let mut all: Vec<Found> = Vec::new();
        for found in self.rows.iter().flat_map(|row| &row.classes) {
            match all.iter_mut().find(|known| known.class == found.class) {
                Some(known) => {
                    known.pixels += found.pixels;
                    known.sure += found.sure;
                }
                None => all.push(found.clone()),
            }
        }
        all.sort_by(|a, b| a.class.cmp(&b.class));
        all
    }

    fn tile(&self, tile: u32) -> PathBuf {
        self.folder.join("tiles").join(format!("{tile:06}"))
    }

    /// Removes tiles that no unwritten row needs.
    fn forget(&self) -> io::Result<()> {
        let written = self.rows.len() as u64 * u64::from(SIDE);
        for file in fs::read_dir(self.folder.join("tiles"))? {
            let file = file?;
            let index = file.file_name().to_str().and_then(|name| name.parse().ok());
            let needed = index.and_then(|index| self.grid.tile(index));
            // What is no tile was torn while it was written.
            if needed.is_none_or(|tile| bottom(tile.window, &self.grid) <= written) {
                fs::remove_file(file.path())?;
            }
        }
        Ok(())
    }

    /// How a kept tile ended, and its data.
    fn how(&self, tile: u32) -> io::Result<(Ended, Vec<u8>)> {
        let bytes = fs::read(self.tile(tile))?;
        let end = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(bytes.len());
        let how = serde_json::from_slice(&bytes[..end]).map_err(io::Error::from)?;
        Ok((how, bytes.get(end + 1..).unwrap_or_default().to_vec()))
    }

    fn answer(&self, tile: u32, all: &[Class]) -> io::Result<Option<Answer>> {
        let (how, packed) = self.how(tile)?;
        let Ended::Done {
            classes,
            side,
            valid,
            ..
        } = how
        else {
            return Ok(None);
        };
        let plane = side as usize * side as usize;
        let validity = valid.map_or(0, |(width, height)| width as usize * height as usize);
        let mut data = vec![0; plane * classes.len() + validity];
        ZlibDecoder::new(&packed[..]).read_exact(&mut data)?;
        let valid = valid.map(|(width, height)| Validity {
            width,
            height,
            pixels: data.split_off(plane * classes.len()),
        });
        let mut shares = vec![0; plane * all.len()];
        for (shares, class) in shares.chunks_exact_mut(plane.max(1)).zip(all) {
            if let Some(own) = classes.iter().position(|own| own == class) {
                shares.copy_from_slice(&data[own * plane..][..plane]);
            }
        }
        let place = self
            .grid
            .tile(tile)
            .ok_or_else(|| invalid("no such tile"))?;
        let answer = Answer::new(&self.grid, place, &shares, all.len(), side, valid);
        answer.map(Some).map_err(invalid)
    }
}

fn count(found: &Blended, row: &mut Row) {
    for (label, sure) in found.labels.iter().zip(&found.confidence) {
        match *label {
            NOTHING => row.nothing += 1,
            0 => {}
            label => {
                let class = &mut row.classes[usize::from(label) - 1];
                class.pixels += 1;
                class.sure += u64::from(*sure);
            }
        }
    }
}

/// Ids (16 bit, little-endian) and confidence as whole square blocks; what lies beyond the map is nothing.
fn squares(block: Window, found: &Blended, classes: &[Class]) -> (Vec<u8>, Vec<u8>) {
    let (side, width) = (SIDE as usize, block.width as usize);
    let mut ids = vec![0xff; side * side * 2];
    let mut sure = vec![0; side * side];
    for y in 0..block.height as usize {
        let labels = &found.labels[y * width..][..width];
        for (to, label) in ids[y * side * 2..].chunks_exact_mut(2).zip(labels) {
            let id = match *label {
                0 | NOTHING => *label,
                label => classes[usize::from(label) - 1].id,
            };
            to.copy_from_slice(&id.to_le_bytes());
        }
        sure[y * side..][..width].copy_from_slice(&found.confidence[y * width..][..width]);
    }
    (ids, sure)
}

/// Writes a file beside its place and moves it there.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    fs::write(&part, bytes)?;
    fs::rename(part, path)
}

/// Adds to a file; when this returns, it is on disk.
fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new().append(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_data()
}
