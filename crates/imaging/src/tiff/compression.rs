//! The compressions of TIFF files.

use super::refusal::Refusal;

pub(super) const NONE: u16 = 1;
pub(super) const GROUP_4: u16 = 4;
pub(super) const LZW: u16 = 5;
pub(super) const JPEG: u16 = 7;
pub(super) const DEFLATE: u16 = 8;
pub(super) const DEFLATE_OLD: u16 = 32_946;
pub(super) const PACK_BITS: u16 = 32_773;
pub(super) const ZSTD: u16 = 50_000;
pub(super) const WEBP: u16 = 50_001;

/// Whether a compression is read; else what it is called.
pub(super) fn known(compression: u16) -> Result<(), Refusal> {
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
