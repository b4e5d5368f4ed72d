//! Draws TIFF files byte by byte, so that the reader is tested against the format and not against a writer.

/// One page. Samples lie plane by plane or pixel by pixel, as `planar` says, already in little-endian bytes.
#[derive(Clone)]
pub struct Page {
    pub size: (u32, u32),
    pub samples: usize,
    pub bits: u16,
    /// 1 unsigned, 2 signed, 3 floating.
    pub format: u16,
    /// 0 white is zero, 1 black is zero, 2 RGB, 3 palette.
    pub photometric: u16,
    /// Side of the tiles; none: strips of 7 rows.
    pub tile: Option<u32>,
    pub planar: bool,
    /// Codes of the extra samples.
    pub extra: Vec<u16>,
    /// Red, green and blue of 16 bits, one after the other.
    pub palette: Vec<u16>,
    pub subfile: u32,
    pub orientation: u16,
    /// What the file says of its compression.
    pub compression: u16,
    /// Rows of pixels: `data[(plane, y)]` packed to whole bytes.
    pub pixels: Vec<u64>,
}

impl Page {
    /// Unsigned samples of whole bytes; `value(x, y, sample)`.
    pub fn new(
        size: (u32, u32),
        samples: usize,
        bits: u16,
        value: impl Fn(u32, u32, usize) -> u64,
    ) -> Self {
        let value = &value;
        let pixels = (0..size.1)
            .flat_map(|y| (0..size.0).flat_map(move |x| (0..samples).map(move |s| value(x, y, s))))
            .collect();
        Self {
            size,
            samples,
            bits,
            format: 1,
            photometric: if samples >= 3 { 2 } else { 1 },
            tile: None,
            planar: false,
            extra: Vec::new(),
            palette: Vec::new(),
            subfile: 0,
            orientation: 1,
            compression: 1,
            pixels,
        }
    }

    fn at(&self, x: u32, y: u32, sample: usize) -> u64 {
        if x >= self.size.0 || y >= self.size.1 {
            return 0;
        }
        self.pixels[(y as usize * self.size.0 as usize + x as usize) * self.samples + sample]
    }

    /// The bytes of a block of pixels; those beyond the picture are 0.
    fn block(&self, left: u32, top: u32, width: u32, height: u32, samples: &[usize]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for y in top..top + height {
            let values = (left..left + width).flat_map(|x| samples.iter().map(move |&s| (x, s)));
            let values = values.map(|(x, s)| self.at(x, y, s));
            if self.bits >= 8 {
                values.for_each(|v| bytes.extend(&v.to_le_bytes()[..usize::from(self.bits / 8)]));
                continue;
            }
            let (mut byte, mut filled) = (0u8, 0);
            for value in values {
                byte |= (value as u8) << (8 - self.bits - filled);
                filled += self.bits;
                if filled == 8 {
                    bytes.push(byte);
                    (byte, filled) = (0, 0);
                }
            }
            if filled > 0 {
                bytes.push(byte);
            }
        }
        bytes
    }

    fn blocks(&self) -> Vec<Vec<u8>> {
        let all: Vec<usize> = (0..self.samples).collect();
        let planes: Vec<Vec<usize>> = if self.planar {
            all.iter().map(|&sample| vec![sample]).collect()
        } else {
            vec![all]
        };
        let (width, height) = self.size;
        let mut blocks = Vec::new();
        for plane in planes {
            match self.tile {
                None => {
                    for top in (0..height).step_by(7) {
                        blocks.push(self.block(0, top, width, 7.min(height - top), &plane));
                    }
                }
                Some(side) => {
                    for top in (0..height).step_by(side as usize) {
                        for left in (0..width).step_by(side as usize) {
                            blocks.push(self.block(left, top, side, side, &plane));
                        }
                    }
                }
            }
        }
        blocks
    }
}

/// A file of these pages; `big`: BigTIFF.
pub fn tiff(pages: &[Page], big: bool) -> Vec<u8> {
    let mut out: Vec<u8> = if big {
        b"II\x2b\0\x08\0\0\0".to_vec()
    } else {
        b"II\x2a\0".to_vec()
    };
    let mut link = out.len();
    put(&mut out, 0, big);
    for page in pages {
        let mut offsets = Vec::new();
        let mut lengths = Vec::new();
        for block in page.blocks() {
            offsets.push(out.len() as u64);
            lengths.push(block.len() as u64);
            out.extend(block);
            out.resize(out.len().next_multiple_of(8), 0);
        }
        let samples = page.samples;
        let short = |values: &[u16]| {
            (
                3u16,
                values.iter().map(|&v| u64::from(v)).collect::<Vec<_>>(),
            )
        };
        let long = |values: Vec<u64>| (4u16, values);
        let mut tags = vec![
            (254, long(vec![page.subfile.into()])),
            (256, long(vec![page.size.0.into()])),
            (257, long(vec![page.size.1.into()])),
            (258, short(&vec![page.bits; samples])),
            (259, short(&[page.compression])),
            (262, short(&[page.photometric])),
            (274, short(&[page.orientation])),
            (277, short(&[samples as u16])),
            (284, short(&[if page.planar { 2 } else { 1 }])),
            (339, short(&vec![page.format; samples])),
        ];
        match page.tile {
            None => tags.extend([
                (273, long(offsets)),
                (278, long(vec![7])),
                (279, long(lengths)),
            ]),
            Some(side) => tags.extend([
                (322, long(vec![side.into()])),
                (323, long(vec![side.into()])),
                (324, long(offsets)),
                (325, long(lengths)),
            ]),
        }
        if !page.palette.is_empty() {
            tags.push((320, short(&page.palette)));
        }
        if !page.extra.is_empty() {
            tags.push((338, short(&page.extra)));
        }
        tags.sort_by_key(|(code, _)| *code);
        let mut entries = Vec::new();
        for (code, (kind, values)) in tags {
            let width = if kind == 3 { 2 } else { 4 };
            let data: Vec<u8> = values
                .iter()
                .flat_map(|v| v.to_le_bytes()[..width].to_vec())
                .collect();
            let room = if big { 8 } else { 4 };
            entries.extend(u16::to_le_bytes(code));
            entries.extend(u16::to_le_bytes(kind));
            put(&mut entries, values.len() as u64, big);
            if data.len() <= room {
                entries.extend(&data);
                entries.resize(entries.len() + room - data.len(), 0);
            } else {
                put(&mut entries, out.len() as u64, big);
                out.extend(data);
                out.resize(out.len().next_multiple_of(8), 0);
            }
        }
        let here = out.len() as u64;
        let count = entries.len() / if big { 20 } else { 12 };
        if big {
            out.extend((count as u64).to_le_bytes());
        } else {
            out.extend((count as u16).to_le_bytes());
        }
        out.extend(entries);
        let mut address = Vec::new();
        put(&mut address, here, big);
        out[link..link + address.len()].copy_from_slice(&address);
        link = out.len();
        put(&mut out, 0, big);
        out.resize(out.len().next_multiple_of(8), 0);
    }
    out
}

fn put(out: &mut Vec<u8>, value: u64, big: bool) {
    let width = if big { 8 } else { 4 };
    out.extend(&value.to_le_bytes()[..width]);
}
