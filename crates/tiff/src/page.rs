//! The samples of a page: all of them, or those of a window.

use std::sync::Arc;

use crate::{Cache, Directory, Layout, Refusal, Samples, Source, blocks, compression};

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// A page: where its blocks lie and how they are packed.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    source: Source<'a>,
    layout: Layout,
    offsets: Vec<u64>,
    lengths: Vec<u64>,
    /// What JPEG blocks share.
    tables: Vec<u8>,
}

/// No block takes more memory, unpacked.
const LARGEST: u64 = 1 << 31;

/// Strips that are not compressed are read in parts of about so many bytes.
const PART: u64 = 1 << 20;

impl<'a> Page<'a> {
    /// Reads what the tags of a directory say.
    ///
    /// # Errors
    /// They make no sense together, or say something that is not read here.
    pub fn of(source: &Source<'a>, directory: &Directory<'a>) -> Result<Self, Refusal> {
        let layout = Layout::of(directory)?;
        compression::known(layout.compression)?;
        let (offsets, lengths) = if layout.tiled {
            (directory.numbers(324)?, directory.numbers(325)?)
        } else {
            (directory.numbers(273)?, directory.numbers(279)?)
        };
        let needed = layout.blocks().saturating_mul(layout.planes());
        if offsets.len() < needed || lengths.len() < needed {
            let listed = offsets.len().min(lengths.len());
            return Err(format!("it lists {listed} strips or tiles of {needed}").into());
        }
        let mut page = Self {
            source: source.clone(),
            layout,
            offsets,
            lengths,
            tables: directory.raw(347).to_vec(),
        };
        page.split();
        let layout = &page.layout;
        let (across, down) = layout.block;
        let pixel = (layout.samples * layout.bytes_of_sample()) as u64;
        let bytes = u64::from(across) * u64::from(down);
        if bytes.saturating_mul(pixel) > LARGEST {
            return Err(Refusal::Unsupported(format!(
                "{across} x {down} pixels of it are compressed in one piece"
            )));
        }
        Ok(page)
    }

    /// What the tags say of the pixels.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// A page that is one large strip, not compressed, is taken for many small ones.
    fn split(&mut self) {
        let layout = &mut self.layout;
        let in_place = layout.compression == compression::NONE && layout.bits.is_multiple_of(8);
        if layout.tiled || !in_place || layout.block.1 < layout.height {
            return;
        }
        let samples = if layout.planar { 1 } else { layout.samples };
        let row = u64::from(layout.width) * samples as u64 * u64::from(layout.bits / 8);
        let rows = (PART / row).clamp(1, layout.height.into());
        let (offsets, lengths) = (self.offsets.clone(), self.lengths.clone());
        layout.block.1 = rows as u32;
        self.offsets.clear();
        self.lengths.clear();
        for (offset, length) in offsets.into_iter().zip(lengths).take(layout.planes()) {
            for top in (0..u64::from(layout.height)).step_by(rows as usize) {
                let wanted = rows.min(u64::from(layout.height) - top) * row;
                self.offsets.push(offset.saturating_add(top * row));
                self.lengths
                    .push(wanted.min(length.saturating_sub(top * row)));
            }
        }
    }

    /// All samples of the page.
    ///
    /// # Errors
    /// A block is damaged, or packed in a way that is not read here.
    pub fn samples(&self) -> Result<Samples, Refusal> {
        let window = Window {
            x: 0,
            y: 0,
            width: self.layout.width,
            height: self.layout.height,
        };
        self.window(window, &mut Cache::new(0))
    }

    /// The samples of a window that lies within the page: pixel by pixel, row by row.
    ///
    /// # Errors
    /// As [`samples`](Self::samples), for the blocks that the window touches; the window does not lie within the page.
    pub fn window(&self, window: Window, cache: &mut Cache) -> Result<Samples, Refusal> {
        let layout = &self.layout;
        let ends = |at: u32, length: u32, side: u32| {
            length > 0 && at.checked_add(length).is_some_and(|end| end <= side)
        };
        if !ends(window.x, window.width, layout.width)
            || !ends(window.y, window.height, layout.height)
        {
            return Err(format!(
                "{window:?} was asked for, but it has {} x {} pixels",
                layout.width, layout.height
            )
            .into());
        }
        let pixels = window.width as usize * window.height as usize;
        let mut out = vec![0; pixels * layout.samples * layout.bytes_of_sample()];
        let (columns, rows) = layout.touched(window);
        for plane in 0..layout.planes() {
            for row in rows.clone() {
                for column in columns.clone() {
                    let index = layout.index(plane, column, row);
                    // A block that was never written holds zeros.
                    if self.lengths[index] == 0 {
                        continue;
                    }
                    let block = self.block(index, row, cache)?;
                    let at = (column * layout.block.0, row * layout.block.1);
                    blocks::copy(&block, at, plane, layout, window, &mut out);
                }
            }
        }
        Ok(Samples::of(&out, layout))
    }

    fn block(&self, index: usize, row: u32, cache: &mut Cache) -> Result<Arc<Vec<u8>>, Refusal> {
        if let Some(block) = cache.get(self.offsets[index]) {
            return Ok(block);
        }
        let data = self
            .source
            .slice(self.offsets[index], self.lengths[index])
            .ok_or_else(|| "it ends before its last strip or tile".to_owned())?;
        let shape = blocks::shape(&self.layout, row, &self.tables);
        let block = blocks::unpacked(&data, &self.layout, &shape, self.source.big_endian)?;
        let block = Arc::new(block);
        cache.put(self.offsets[index], &block);
        Ok(block)
    }

    /// Bytes of all blocks that a window of this size can touch, unpacked: what a [`Cache`] needs so that a row of windows
    /// unpacks no block of strips twice.
    #[must_use]
    pub fn touched_bytes(&self, width: u32, height: u32) -> u64 {
        let (across, down) = self.layout.block;
        let blocks = |side: u32, block: u32, of: u32| {
            let most = u64::from(side.min(of).div_ceil(block)) + 1;
            most.min(u64::from(of.div_ceil(block)))
        };
        let count =
            blocks(width, across, self.layout.width) * blocks(height, down, self.layout.height);
        let pixel = self.layout.samples * self.layout.bytes_of_sample();
        count * u64::from(across) * u64::from(down.min(self.layout.height)) * pixel as u64
    }
}
