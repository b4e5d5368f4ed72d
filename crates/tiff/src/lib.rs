//! TIFF and BigTIFF files as microscopes, scanners, satellites, surveyors and label tools write them.
//!
//! | file | does |
//! |---|---|
//! | [`Source`] | a file's bytes, in memory or on disk, and its directories |
//! | [`Directory`] | the tags of a page |
//! | [`Layout`] | what the tags say of the pixels |
//! | [`Page`] | samples: all of them, or those of a window |
//! | [`Cache`] | blocks that were unpacked and are soon needed again |
//! | [`cog`] | writes a file that is read from the outside in: overviews, tiles, georeference |
//!
//! Strips and tiles, chunky and planar, TIFF and BigTIFF, of either byte order; uncompressed, LZW, Deflate, PackBits, JPEG,
//! ZSTD, WebP and CCITT Group 4. Nothing here knows what pixels mean.

mod blocks;
mod cache;
mod codec;
pub mod cog;
mod compression;
mod directory;
mod fax;
mod layout;
mod page;
mod refusal;
mod samples;
mod source;

pub use cache::Cache;
pub use directory::{Directory, Tag};
pub use layout::{Layout, Model};
pub use page::{Page, Window};
pub use refusal::Refusal;
pub use samples::{Samples, largest};
pub use source::Source;

/// The compression of JPEG blocks, whose YCbCr comes out as RGB.
pub const JPEG: u16 = compression::JPEG;
