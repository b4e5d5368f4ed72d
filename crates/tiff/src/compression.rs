//! The compressions of TIFF files.

use crate::Refusal;

pub(crate) const NONE: u16 = 1;
pub(crate) const GROUP_4: u16 = 4;
pub(crate) const LZW: u16 = 5;
pub(crate) const JPEG: u16 = 7;
pub(crate) const DEFLATE: u16 = 8;
pub(crate) const DEFLATE_OLD: u16 = 32_946;
pub(crate) const PACK_BITS: u16 = 32_773;
pub(crate) const ZSTD: u16 = 50_000;
pub(crate) const WEBP: u16 = 50_001;

/// Whether a compression is read; else what it is called.
pub(crate) fn known(compression: u16) -> Result<(), Refusal> {
    let name = match compression {
        NONE | GROUP_4 | LZW | JPEG | DEFLATE | DEFLATE_OLD | PACK_BITS | ZSTD | WEBP => {
            return Ok(());
        }
        2 | 3 => "CCITT Group 3",
        6 => "JPEG as of 1992",
        34_661 => "JBIG",
        33_003 | 33_005 | 34_712 => "JPEG 2000",
        34_887 => "LERC",
        34_925 => "LZMA",
        50_002 | 52_546 => "JPEG XL",
        _ => "unknown",
    };
    Err(Refusal::Unsupported(format!(
        "its compression is {name} (number {compression})"
    )))
}
