//! What travels with a tile: enough to know, without the map's file, where its answer belongs.

use std::io::{Read, Write};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use seggpt_tiff::Tag;
use serde::{Deserialize, Serialize};

use crate::{Grid, blend::Validity};

/// Where a tile belongs. Everything but `tile`, `valid` and `is_empty` is the same for all tiles of a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// What the run calls the map.
    pub map: String,
    /// Its results are called so.
    pub name: String,
    /// Path or URI of its file.
    pub source: String,
    /// The map's place in the run, from 0.
    pub index: u64,
    /// Width and height of the map in pixels.
    pub size: (u32, u32),
    /// Side of a tile in pixels of the map.
    pub side: u32,
    /// What neighbours share at least, of a side.
    pub overlap: f32,
    /// Bytes of the map's file, and when it was changed last, in nanoseconds since 1970.
    pub stamp: (u64, i64),
    /// The tags that say where the map lies.
    pub tags: Vec<SentTag>,
    /// The tile's number.
    pub tile: u32,
    /// Which of its pixels hold something; absent where all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid: Option<ValidBits>,
    /// Whether no pixel does: it is not for the network.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_empty: bool,
}

/// A tag as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentTag {
    code: u16,
    kind: u16,
    data: String,
}

impl From<&Tag> for SentTag {
    fn from(tag: &Tag) -> Self {
        Self {
            code: tag.code,
            kind: tag.kind,
            data: BASE64.encode(&tag.data),
        }
    }
}

impl SentTag {
    /// The tag.
    ///
    /// # Errors
    /// It is no such text.
    pub fn tag(&self) -> Result<Tag, String> {
        let data = BASE64.decode(&self.data);
        Ok(Tag {
            code: self.code,
            kind: self.kind,
            data: data.map_err(|error| format!("tag {}: {error}", self.code))?,
        })
    }
}

/// A bit a pixel, deflated, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValidBits {
    width: u32,
    height: u32,
    bits: String,
}

impl ValidBits {
    /// `pixels`: 0 where a pixel holds nothing, row by row. `None` where all of them hold something.
    #[must_use]
    pub fn of(width: u32, height: u32, pixels: impl Iterator<Item = u8> + Clone) -> Option<Self> {
        if pixels.clone().all(|pixel| pixel > 0) {
            return None;
        }
        let mut bits = vec![0u8; (width as usize * height as usize).div_ceil(8)];
        for (at, _) in pixels.enumerate().filter(|(_, pixel)| *pixel > 0) {
            bits[at / 8] |= 0x80 >> (at % 8);
        }
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::new(6));
        packed.write_all(&bits).ok()?;
        let bits = BASE64.encode(packed.finish().ok()?);
        Some(Self {
            width,
            height,
            bits,
        })
    }

    /// Pixel by pixel.
    ///
    /// # Errors
    /// It is no such text, or of another length.
    pub fn validity(&self) -> Result<Validity, String> {
        let count = self.width as usize * self.height as usize;
        if self.width > MOST || self.height > MOST {
            return Err(format!("a tile of {} x {} pixels", self.width, self.height));
        }
        let packed = BASE64
            .decode(&self.bits)
            .map_err(|error| error.to_string())?;
        let mut bits = vec![0; count.div_ceil(8)];
        ZlibDecoder::new(&packed[..])
            .read_exact(&mut bits)
            .map_err(|error| format!("which pixels are valid: {error}"))?;
        let pixel = |at: usize| {
            if bits[at / 8] & (0x80 >> (at % 8)) > 0 {
                255
            } else {
                0
            }
        };
        Ok(Validity {
            width: self.width,
            height: self.height,
            pixels: (0..count).map(pixel).collect(),
        })
    }
}

/// No tile has a longer side, in pixels that the network is shown.
const MOST: u32 = 1 << 15;

impl Placement {
    /// Reads what travels.
    ///
    /// # Errors
    /// It is nothing of the kind, or says of the tile what cannot be.
    pub fn read(text: &str) -> Result<Self, String> {
        let placement: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let grid = placement.grid()?;
        if placement.tile >= grid.len() {
            return Err(format!("tile {} of {}", placement.tile, grid.len()));
        }
        Ok(placement)
    }

    /// As it travels.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("numbers and texts serialise")
    }

    /// The map's tiles.
    ///
    /// # Errors
    /// There are none of that size.
    pub fn grid(&self) -> Result<Grid, String> {
        Grid::new(self.size.0, self.size.1, self.side, self.overlap)
    }

    /// What is the same for all tiles of the map.
    #[must_use]
    pub fn of_map(&self) -> Self {
        Self {
            tile: 0,
            valid: None,
            is_empty: false,
            ..self.clone()
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_travels_arrives() {
        let tag = Tag {
            code: 33_550,
            kind: 12,
            data: vec![1, 2, 3, 4, 5, 6, 7, 8],
        };
        let pixels = (0..35).map(|at| if at % 3 == 0 { 0 } else { 255 });
        let placement = Placement {
            map: "a/b.tif".to_owned(),
            name: "a/b".to_owned(),
            source: "/maps/a/b.tif".to_owned(),
            index: 3,
            size: (1000, 700),
            side: 300,
            overlap: 0.25,
            stamp: (12, -5),
            tags: vec![SentTag::from(&tag)],
            tile: 4,
            valid: ValidBits::of(7, 5, pixels.clone()),
            is_empty: false,
        };
        let back = Placement::read(&placement.text()).unwrap();
        assert_eq!(back, placement);
        assert_eq!(back.tags[0].tag(), Ok(tag));
        let valid = back.valid.unwrap().validity().unwrap();
        assert_eq!(valid.pixels, pixels.collect::<Vec<_>>());
        assert_eq!(ValidBits::of(2, 2, [1, 2, 3, 4].into_iter()), None);
        let beyond = Placement {
            tile: 15,
            ..placement
        };
        assert!(Placement::read(&beyond.text()).is_err());
        assert!(Placement::read("{}").is_err());
    }
}
