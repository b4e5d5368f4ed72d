//! The finished rows of a map again, a row of blocks at a time.

use std::{
    fs::File,
    io::{self, BufReader, Read},
};

use flate2::read::ZlibDecoder;
use seggpt_tiff::cog::SIDE;

use crate::{blend::NOTHING, work::Work};

/// Reads what is written of a whole map from top to bottom.
#[derive(Debug)]
pub struct Strips<'a> {
    work: &'a Work,
    mask: BufReader<File>,
    confidence: BufReader<File>,
    next: usize,
}

/// Rows of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strip {
    /// Class ids, row by row; 0 for background and for what holds nothing.
    pub ids: Vec<u16>,
    /// How sure each is.
    pub sure: Vec<u8>,
}

impl<'a> Strips<'a> {
    /// Begins at the top.
    ///
    /// # Errors
    /// The blocks cannot be read.
    pub fn open(work: &'a Work) -> io::Result<Self> {
        let [mask, confidence, _] = work.blocks();
        Ok(Self {
            work,
            mask: BufReader::new(File::open(mask)?),
            confidence: BufReader::new(File::open(confidence)?),
            next: 0,
        })
    }

    fn read(&mut self) -> io::Result<Option<Strip>> {
        let Some(row) = self.work.rows().get(self.next) else {
            return Ok(None);
        };
        let (width, height) = self.work.grid().size();
        let top = self.next as u32 * SIDE;
        let rows = SIDE.min(height - top) as usize;
        let (width, side) = (width as usize, SIDE as usize);
        let mut strip = Strip {
            ids: vec![0; width * rows],
            sure: vec![0; width * rows],
        };
        let lefts = (0..width).step_by(side);
        for (left, (mask, sure)) in lefts.zip(row.mask.iter().zip(&row.confidence)) {
            let ids = block(&mut self.mask, *mask, side * side * 2)?;
            let sure = block(&mut self.confidence, *sure, side * side)?;
            let columns = side.min(width - left);
            for y in 0..rows {
                let to = y * width + left..y * width + left + columns;
                let ids = ids[y * side * 2..][..columns * 2].as_chunks().0;
                for (to, id) in strip.ids[to.clone()].iter_mut().zip(ids) {
                    *to = match u16::from_le_bytes(*id) {
                        NOTHING => 0,
                        id => id,
                    };
                }
                strip.sure[to].copy_from_slice(&sure[y * side..][..columns]);
            }
        }
        self.next += 1;
        Ok(Some(strip))
    }
}

impl Iterator for Strips<'_> {
    type Item = io::Result<Strip>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

fn block(from: &mut impl Read, packed: u32, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; packed as usize];
    from.read_exact(&mut bytes)?;
    let mut raw = vec![0; length];
    ZlibDecoder::new(&bytes[..]).read_exact(&mut raw)?;
    Ok(raw)
}
