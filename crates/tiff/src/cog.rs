//! Writes cloud-optimised files: all directories first, the picture of full size and then ever smaller ones, and behind
//! them the tiles, the smallest picture's first. What such a file takes is known before its first byte is written, so tiles
//! may lie anywhere until then and are copied once.

use std::io::{self, Read, Write};

use flate2::{Compression, write::ZlibEncoder};

use crate::Tag;

/// Side of a tile in pixels.
pub const SIDE: u32 = 512;

/// A picture in the file: of full size, or smaller.
#[derive(Clone, Debug)]
pub struct Level {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Bytes of each tile as [`pack`] makes them, row by row.
    pub lengths: Vec<u32>,
}

impl Level {
    /// Tiles across and down.
    #[must_use]
    pub fn tiles(&self) -> (u32, u32) {
        (self.width.div_ceil(SIDE), self.height.div_ceil(SIDE))
    }
}

/// What is true of all pictures in the file, which have one band of whole numbers.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Bits of a sample: 8, 16 or 32.
    pub bits: u16,
    /// Colours of the values 0 to 255, where there are 8 bits and values stand for something.
    pub colors: Option<Vec<[u8; 3]>>,
    /// The value of pixels that hold nothing.
    pub nodata: Option<u32>,
    /// Tags of the picture of full size that are written as they are: where it lies on the earth.
    pub tags: Vec<Tag>,
}

/// A tile's samples, little-endian, [`SIDE`] x [`SIDE`] of them, as they lie in the file.
///
/// # Errors
/// None in practice: it is written to memory.
pub fn pack(samples: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::new(6));
    packed.write_all(samples)?;
    packed.finish()
}

/// Where the numbers of a classic TIFF file end.
const CLASSIC: u64 = u32::MAX as u64;

/// Writes a file. `levels`: the picture of full size, then smaller ones. `tiles`: for each level the packed tiles, one after
/// another in their order.
///
/// # Errors
/// Reading or writing fails, or a level's tiles end early.
pub fn write(
    out: &mut impl Write,
    kind: &Kind,
    levels: &[Level],
    tiles: &mut [impl Read],
) -> io::Result<()> {
    let tiles_bytes: u64 = levels
        .iter()
        .flat_map(|level| &level.lengths)
        .map(|&n| u64::from(n))
        .sum();
    // Directories are some kilobytes and sixteen bytes a tile.
    let many: u64 = levels.iter().map(|level| level.lengths.len() as u64).sum();
    let own: u64 = kind.tags.iter().map(|tag| tag.data.len() as u64).sum();
    let big = tiles_bytes + many * 16 + own + (1 << 20) > CLASSIC;
    let form = Form { big };
    let mut directories = form.header();
    // The smallest picture's tiles come first; its place is known once the directories' length is.
    let length = form.header().len() as u64
        + (0..levels.len())
            .map(|at| form.directory(kind, levels, at, 0, 0).len() as u64)
            .sum::<u64>();
    let mut begin = length;
    let mut begins = vec![0; levels.len()];
    for (at, level) in levels.iter().enumerate().rev() {
        begins[at] = begin;
        begin += level.lengths.iter().map(|&n| u64::from(n)).sum::<u64>();
    }
    for (at, begin) in begins.iter().enumerate() {
        let here = directories.len() as u64;
        directories.extend(form.directory(kind, levels, at, here, *begin));
    }
    out.write_all(&directories)?;
    for (level, tiles) in levels.iter().zip(tiles).rev() {
        let wanted = level.lengths.iter().map(|&n| u64::from(n)).sum();
        let copied = io::copy(&mut tiles.take(wanted), out)?;
        if copied != wanted {
            let reason = format!("tiles of {copied} bytes, {wanted} expected");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, reason));
        }
    }
    Ok(())
}

/// How numbers are written: 32 bits, or 64 in a BigTIFF file.
struct Form {
    big: bool,
}

impl Form {
    fn header(&self) -> Vec<u8> {
        if self.big {
            [&b"II\x2b\0\x08\0\0\0"[..], &16u64.to_le_bytes()].concat()
        } else {
            [&b"II\x2a\0"[..], &8u32.to_le_bytes()].concat()
        }
    }

    fn address(&self, value: u64) -> Vec<u8> {
        if self.big {
            value.to_le_bytes().to_vec()
        } else {
            (value as u32).to_le_bytes().to_vec()
        }
    }

    /// The directory of a level that begins at `here`, what does not fit into it behind it; its tiles begin at `tiles`.
    fn directory(
        &self,
        kind: &Kind,
        levels: &[Level],
        at: usize,
        here: u64,
        tiles: u64,
    ) -> Vec<u8> {
        let tags = self.tags(kind, &levels[at], at, tiles);
        let (room, entry, wide) = if self.big { (8, 20, 8) } else { (4, 12, 2) };
        let mut entries = Vec::new();
        let mut behind: Vec<u8> = Vec::new();
        let head = wide + tags.len() * entry + room;
        for tag in &tags {
            entries.extend(tag.code.to_le_bytes());
            entries.extend(tag.kind.to_le_bytes());
            entries.extend(self.address(tag.count()));
            if tag.data.len() <= room {
                entries.extend(&tag.data);
                entries.resize(entries.len() + room - tag.data.len(), 0);
            } else {
                entries.extend(self.address(here + (head + behind.len()) as u64));
                behind.extend(&tag.data);
                behind.resize(behind.len().next_multiple_of(8), 0);
            }
        }
        let whole = (head + behind.len()).next_multiple_of(8);
        let next = if at + 1 < levels.len() {
            here + whole as u64
        } else {
            0
        };
        let mut out = if self.big {
            (tags.len() as u64).to_le_bytes().to_vec()
        } else {
            (tags.len() as u16).to_le_bytes().to_vec()
        };
        out.extend(entries);
        out.extend(self.address(next));
        out.extend(behind);
        out.resize(whole, 0);
        out
    }

    fn tags(&self, kind: &Kind, level: &Level, at: usize, mut tiles: u64) -> Vec<Tag> {
        let short = |code: u16, values: &[u16]| Tag {
            code,
            kind: 3,
            data: values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        };
        let long = |code: u16, value: u32| Tag {
            code,
            kind: 4,
            data: value.to_le_bytes().to_vec(),
        };
        let mut offsets = Vec::with_capacity(level.lengths.len() * 8);
        for length in &level.lengths {
            offsets.extend(self.address(tiles));
            tiles += u64::from(*length);
        }
        let offsets = Tag {
            code: 324,
            kind: if self.big { 16 } else { 4 },
            data: offsets,
        };
        let lengths = Tag {
            code: 325,
            kind: 4,
            data: level.lengths.iter().flat_map(|n| n.to_le_bytes()).collect(),
        };
        let colors = kind.colors.as_ref().filter(|_| kind.bits == 8);
        let mut tags = vec![
            long(254, u32::from(at > 0)),
            long(256, level.width),
            long(257, level.height),
            short(258, &[kind.bits]),
            short(259, &[8]),
            short(262, &[if colors.is_some() { 3 } else { 1 }]),
            short(277, &[1]),
            short(284, &[1]),
            long(322, SIDE),
            long(323, SIDE),
            offsets,
            lengths,
            short(339, &[1]),
        ];
        if let Some(colors) = colors {
            let level = |channel: usize, value: usize| {
                u16::from(colors.get(value).map_or(0, |color| color[channel])) * 257
            };
            let map: Vec<u16> = (0..3)
                .flat_map(|channel| (0..256).map(move |value| (channel, value)))
                .map(|(channel, value)| level(channel, value))
                .collect();
            tags.push(short(320, &map));
        }
        if let Some(nodata) = kind.nodata {
            let data = format!("{nodata}\0").into_bytes();
            tags.push(Tag {
                code: 42_113,
                kind: 2,
                data,
            });
        }
        if at == 0 {
            tags.extend(kind.tags.iter().cloned());
        }
        tags.sort_by_key(|tag| tag.code);
        tags
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{Cache, Model, Page, Samples, Source, Window};

    fn file(bits: u16, tags: Vec<Tag>) -> (Vec<u8>, Vec<Vec<u8>>) {
        let sides = [(1200, 700), (600, 350), (300, 175)];
        let kind = Kind {
            bits,
            colors: (bits == 8).then(|| vec![[0, 0, 0], [9, 8, 7]]),
            nodata: Some((1 << bits) - 1),
            tags,
        };
        let (mut levels, mut all, mut raw) = (vec![], vec![], vec![]);
        for (number, (width, height)) in sides.into_iter().enumerate() {
            let mut level = Level {
                width,
                height,
                lengths: vec![],
            };
            let mut packed = vec![];
            let (across, down) = level.tiles();
            for tile in 0..across * down {
                let bytes = SIDE as usize * SIDE as usize * usize::from(bits / 8);
                let samples: Vec<u8> = (0..bytes)
                    .map(|at| (at as u32 / 7 + tile * 3 + number as u32) as u8)
                    .collect();
                let tile = pack(&samples).unwrap();
                level.lengths.push(tile.len() as u32);
                packed.extend(tile);
                raw.push(samples);
            }
            levels.push(level);
            all.push(packed);
        }
        let mut out = vec![];
        let mut tiles: Vec<_> = all.iter().map(Vec::as_slice).collect();
        write(&mut out, &kind, &levels, &mut tiles).unwrap();
        (out, raw)
    }

    #[test]
    fn what_is_written_is_read_again_from_the_outside_in() {
        let scale = Tag {
            code: 33_550,
            kind: 12,
            data: [0.5f64, 0.25, 0.0].map(f64::to_le_bytes).concat(),
        };
        for bits in [8, 16] {
            let (bytes, raw) = file(bits, vec![scale.clone()]);
            let source = Source::memory(&bytes).unwrap();
            let directories = source.directories().unwrap();
            let begins: Vec<_> = directories
                .iter()
                .map(|tags| tags.numbers(324).unwrap()[0])
                .collect();
            assert!(
                begins.is_sorted_by(|a, b| a > b),
                "the smallest picture's tiles come first"
            );
            assert_eq!(directories[0].tag(33_550), Some(scale.clone()));
            assert_eq!(directories[1].tag(33_550), None);
            assert_eq!(directories[0].doubles(33_550), [0.5, 0.25, 0.0]);
            assert_eq!(
                directories[2].text(42_113),
                ((1u32 << bits) - 1).to_string()
            );
            let page = Page::of(&source, &directories[0]).unwrap();
            assert_eq!(matches!(page.layout().model, Model::Palette(_)), bits == 8);
            let window = Window {
                x: 512,
                y: 512,
                width: 100,
                height: 10,
            };
            let found = page.window(window, &mut Cache::new(1 << 20)).unwrap();
            let row = SIDE as usize * usize::from(bits / 8);
            match found {
                Samples::Bytes(values) => assert_eq!(values[100..200], raw[4][row..row + 100]),
                Samples::Words(values) => {
                    let wanted: Vec<u16> = raw[4][row..row + 200]
                        .as_chunks()
                        .0
                        .iter()
                        .map(|bytes| u16::from_le_bytes(*bytes))
                        .collect();
                    assert_eq!(values[100..200], wanted);
                }
                Samples::Wide(_) => panic!("of {bits} bits"),
            }
        }
    }

    #[test]
    fn tiles_that_end_early_are_an_error() {
        let level = Level {
            width: 10,
            height: 10,
            lengths: vec![20],
        };
        let kind = Kind {
            bits: 8,
            colors: None,
            nodata: None,
            tags: vec![],
        };
        assert!(write(&mut vec![], &kind, &[level], &mut [&[1u8; 19][..]]).is_err());
    }
}
