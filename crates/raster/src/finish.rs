//! The finished blocks of a map to files that others open: overviews, colours, nodata, and where it lies.

use std::{
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use flate2::read::ZlibDecoder;
use rayon::prelude::*;
use seggpt_tiff::{
    Tag,
    cog::{self, Kind, Level, SIDE, pack},
};

use crate::{blend::NOTHING, reduce, work::Work};

/// The largest id that a mask of 8 bits holds: 255 is nothing.
pub const MOST_BYTE: u16 = 254;

/// Which of a map's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Class ids: 8 bits with a palette where all are below 255, else 16. Nothing is the largest value.
    Mask,
    /// How clear the choice was, 0 to 255.
    Confidence,
    /// Numbers of regions: 32 bits, 0 where there is none.
    Regions,
}

impl Layer {
    /// The value of pixels that hold nothing, in samples of so many bytes.
    fn nothing(self, bytes: usize) -> Option<u32> {
        match (self, bytes) {
            (Self::Mask, 1) => Some(255),
            (Self::Mask, _) => Some(NOTHING.into()),
            (Self::Confidence, _) => None,
            (Self::Regions, _) => Some(0),
        }
    }
}

/// Writes mask or confidence of a whole map to `to`. `tags`: where it lies. What it needs meanwhile lies in the work's folder.
///
/// # Errors
/// The disk refuses, or a block is damaged.
pub fn write(work: &Work, layer: Layer, tags: Vec<Tag>, to: &Path) -> io::Result<()> {
    let [mask, confidence, regions] = work.blocks();
    let classes = work.classes();
    let most = classes
        .iter()
        .map(|found| found.class.id)
        .max()
        .unwrap_or(0);
    let wide = most > MOST_BYTE;
    let lengths =
        |of: fn(&crate::work::Row) -> &Vec<u32>| work.rows().iter().flat_map(of).copied().collect();
    let colors = || {
        let mut colors = vec![[0; 3]; 256];
        for found in &classes {
            colors[usize::from(found.class.id)] = found.class.color;
        }
        colors
    };
    let (path, kept, stored, bits, colors): (_, Vec<u32>, _, _, _) = match layer {
        Layer::Mask if wide => (mask, lengths(|row| &row.mask), 2, 16, None),
        Layer::Mask => (mask, lengths(|row| &row.mask), 2, 8, Some(colors())),
        Layer::Confidence => (confidence, lengths(|row| &row.confidence), 1, 8, None),
        Layer::Regions => {
            let lengths = fs::read(regions.with_extension("lengths"))?;
            let lengths = lengths.as_chunks().0.iter();
            let lengths = lengths.map(|bytes| u32::from_le_bytes(*bytes)).collect();
            (regions, lengths, 4, 32, None)
        }
    };
    let kind = Kind {
        bits,
        colors,
        nodata: layer.nothing(usize::from(bits / 8)),
        tags,
    };
    let (width, height) = work.grid().size();
    let level = Level {
        width,
        height,
        lengths: kept,
    };
    file(work, Stored::new(path, level, stored), layer, &kind, to)
}

/// Writes the numbers of regions as blocks, from which [`write()`] makes a file. `rows`: the numbers of so many rows from the
/// top, a row of blocks at a time.
///
/// # Errors
/// The disk refuses, or `rows` do.
pub fn keep_regions(
    work: &Work,
    rows: impl Iterator<Item = io::Result<Vec<u32>>>,
) -> io::Result<()> {
    let [_, _, path] = work.blocks();
    let mut out = BufWriter::new(File::create(&path)?);
    let mut lengths = Vec::new();
    let (width, side) = (work.grid().size().0 as usize, SIDE as usize);
    for rows in rows {
        let rows = rows?;
        let packed: Vec<_> = (0..width.div_ceil(side))
            .into_par_iter()
            .map(|column| {
                let left = column * side;
                let columns = side.min(width - left);
                let mut block = vec![0; side * side];
                for (to, from) in block.chunks_exact_mut(side).zip(rows.chunks_exact(width)) {
                    to[..columns].copy_from_slice(&from[left..left + columns]);
                }
                pack(&samples(&block, 4))
            })
            .collect::<io::Result<_>>()?;
        for block in packed {
            lengths.extend((block.len() as u32).to_le_bytes());
            out.write_all(&block)?;
        }
    }
    out.flush()?;
    fs::write(path.with_extension("lengths"), lengths)
}

/// Makes ever smaller pictures of the first, and a file of all.
fn file(work: &Work, first: Stored, layer: Layer, kind: &Kind, to: &Path) -> io::Result<()> {
    let bytes = usize::from(kind.bits / 8);
    let (width, height) = (first.level.width, first.level.height);
    let temporary = |number: usize| work.folder().join(format!("level.{number}"));
    let mut levels = Vec::new();
    if first.bytes == bytes {
        levels.push(first);
    } else {
        levels.push(
            first.mapped(temporary(0), bytes, width, height, |level, column, row| {
                level.block(column, row)
            })?,
        );
    }
    while let Some(last) = levels.last()
        && last.level.width.max(last.level.height) > SIDE
    {
        let (width, height) = (last.level.width.div_ceil(2), last.level.height.div_ceil(2));
        let path = temporary(levels.len());
        let next = last.mapped(path, bytes, width, height, |level, column, row| {
            level.halved(column, row, layer, bytes)
        })?;
        levels.push(next);
    }
    let mut tiles = Vec::new();
    for level in &levels {
        tiles.push(BufReader::with_capacity(1 << 16, File::open(&level.path)?));
    }
    let mut out = BufWriter::with_capacity(1 << 16, File::create(to)?);
    let written: Vec<Level> = levels.iter().map(|level| level.level.clone()).collect();
    cog::write(&mut out, kind, &written, &mut tiles)?;
    out.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()?;
    for level in levels
        .iter()
        .filter(|level| level.path.starts_with(work.folder()))
    {
        if !work.blocks().contains(&level.path) {
            fs::remove_file(&level.path)?;
        }
    }
    Ok(())
}

/// Blocks of a size, one after another in a file.
struct Stored {
    path: PathBuf,
    level: Level,
    offsets: Vec<u64>,
    /// Of a sample.
    bytes: usize,
}

impl Stored {
    fn new(path: PathBuf, level: Level, bytes: usize) -> Self {
        let mut end = 0;
        let offsets = level.lengths.iter().map(|length| {
            end += u64::from(*length);
            end - u64::from(*length)
        });
        Self {
            offsets: offsets.collect(),
            path,
            level,
            bytes,
        }
    }

    /// Another, each of whose blocks is made out of this one.
    fn mapped(
        &self,
        path: PathBuf,
        bytes: usize,
        width: u32,
        height: u32,
        one: impl Fn(&Self, u32, u32) -> io::Result<Vec<u32>> + Sync,
    ) -> io::Result<Self> {
        let mut level = Level {
            width,
            height,
            lengths: vec![],
        };
        let mut out = BufWriter::new(File::create(&path)?);
        let (across, down) = level.tiles();
        for row in 0..down {
            let packed: Vec<_> = (0..across)
                .into_par_iter()
                .map(|column| pack(&samples(&one(self, column, row)?, bytes)))
                .collect::<io::Result<_>>()?;
            for block in packed {
                level.lengths.push(block.len() as u32);
                out.write_all(&block)?;
            }
        }
        out.flush()?;
        Ok(Self::new(path, level, bytes))
    }

    /// A block's values.
    fn block(&self, column: u32, row: u32) -> io::Result<Vec<u32>> {
        let index = (row * self.level.tiles().0 + column) as usize;
        let mut packed = vec![0; self.level.lengths[index] as usize];
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offsets[index]))?;
        file.read_exact(&mut packed)?;
        let mut raw = vec![0; SIDE as usize * SIDE as usize * self.bytes];
        ZlibDecoder::new(&packed[..]).read_exact(&mut raw)?;
        let value = |bytes: &[u8]| {
            let bytes = bytes.iter().rev();
            bytes.fold(0, |value, byte| value << 8 | u32::from(*byte))
        };
        Ok(raw.chunks_exact(self.bytes).map(value).collect())
    }

    /// The block of half the size at this place, out of up to four.
    fn halved(&self, column: u32, row: u32, layer: Layer, bytes: usize) -> io::Result<Vec<u32>> {
        let side = SIDE as usize;
        let rest = |at: u32, of: u32| (of - at * 2 * SIDE).min(2 * SIDE) as usize;
        let (width, height) = (rest(column, self.level.width), rest(row, self.level.height));
        let mut values = vec![0; width * height];
        for (down, across) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let (left, top) = (across * side, down * side);
            if left >= width || top >= height {
                continue;
            }
            let block = self.block(2 * column + across as u32, 2 * row + down as u32)?;
            let columns = side.min(width - left);
            for y in 0..side.min(height - top) {
                values[(top + y) * width + left..][..columns]
                    .copy_from_slice(&block[y * side..][..columns]);
            }
        }
        let nothing = layer.nothing(bytes);
        let half = match layer {
            Layer::Mask => reduce::majority(&values, width, height, nothing.unwrap_or(u32::MAX)),
            Layer::Confidence => reduce::mean(&values, width, height),
            // Where most have no region, there is none.
            Layer::Regions => reduce::majority(&values, width, height, u32::MAX),
        };
        let fill = nothing.unwrap_or(0);
        let mut out = vec![fill; side * side];
        let columns = width.div_ceil(2);
        for (to, from) in out.chunks_exact_mut(side).zip(half.chunks_exact(columns)) {
            to[..columns].copy_from_slice(from);
        }
        Ok(out)
    }
}

/// Little-endian; of a byte each, nothing (65535) becomes 255.
fn samples(values: &[u32], bytes: usize) -> Vec<u8> {
    match bytes {
        1 => values.iter().map(|value| (*value).min(255) as u8).collect(),
        bytes => values
            .iter()
            .flat_map(|value| value.to_le_bytes().into_iter().take(bytes))
            .collect(),
    }
}
