//! What lossless sources share: at most a window of items is under way, each is sent again until the sink acknowledges it,
//! and what an earlier run has done is skipped.
//!
//! * [`Sender`]: the event loop, which reads one item ahead, so that decoding and inference overlap;
//! * [`done`]: which items an earlier run has done.

pub mod done;
mod reader;
mod send;
mod supply;

use std::{
    fs,
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use eyre::{Result, WrapErr};
use image::RgbImage;
use seggpt_contract::{Encoding, Identity, Image, Message, Picture};
use seggpt_imaging::{
    read::{Note, NoteKind},
    write,
};

pub use send::Sender;
pub use supply::{Ready, Supply};

/// No encoded picture goes out larger than this. The prompts and their masks travel beside it later, and the whole must
/// stay below 64 MiB.
pub const FILE_LIMIT: usize = 48 << 20;

/// The quality of pictures that only fit as JPEG.
const QUALITY: u8 = 97;

/// A picture with what there is to say of it, or why there is none, for people.
pub type Loaded = Result<(Picture, Vec<Note>), String>;

/// A picture that a source sends: read when its turn has come, and again where it was lost.
pub trait Sendable: Clone + Send + 'static {
    /// What acknowledgements call it.
    fn id(&self) -> &str;

    /// Reads it.
    fn read(&self) -> Loaded;

    /// The identity of the picture, `size` = (width, height).
    fn identity(&self, size: (u32, u32), notes: &[Note]) -> Identity;
}

/// A picture is sent as it was read; of notes, the first of each kind is said.
impl<T: Sendable> Supply for T {
    fn id(&self) -> &str {
        Sendable::id(self)
    }

    fn read(&self) -> Result<Ready, String> {
        let (picture, notes) = Sendable::read(self)?;
        let size = (picture.width(), picture.height());
        let said = notes.iter().filter(|note| note.kind != NoteKind::Turned);
        let remarks = said.map(|note| (format!("{:?}", note.kind), note.to_string()));
        Ok(Ready {
            bytes: u64::from(size.0) * u64::from(size.1) * 3,
            remarks: remarks.collect(),
            message: Message::Item(self.identity(size, &notes), Image(picture)),
        })
    }

    fn unread(&self) -> Identity {
        self.identity((1, 1), &[])
    }
}

/// Something that a run lists, and that may be done already.
pub trait Listed {
    /// What the run calls it.
    fn item(&self) -> &str;

    /// Where it comes from, as records have it.
    fn source(&self) -> String;

    /// What tells whether it has changed.
    fn stamp(&self) -> Option<Stamp>;
}

/// What tells whether a file has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes.
    pub size: u64,
    /// Last modification, in nanoseconds since 1970; negative before.
    pub mtime: i64,
}

impl Stamp {
    /// Of a file; `None` where there is none.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let nanoseconds = |time: Duration| i64::try_from(time.as_nanos()).ok();
        let mtime = match metadata.modified().ok()?.duration_since(UNIX_EPOCH) {
            Ok(since) => nanoseconds(since)?,
            Err(before) => -nanoseconds(before.duration())?,
        };
        Some(Self {
            size: metadata.len(),
            mtime,
        })
    }

    /// Puts it where the sink's records take it from: `file_size` (bytes) and `file_mtime` (nanoseconds since 1970).
    pub fn put(self, identity: &mut Identity) {
        let bytes = i64::try_from(self.size).unwrap_or(i64::MAX);
        let mut put = |key: &str, value| {
            let value = seggpt_contract::Parameter::Integer(value);
            identity.extra.insert(key.to_owned(), value);
        };
        put("file_size", bytes);
        put("file_mtime", self.mtime);
    }
}

/// Pixels that are too large to go raw, as PNG; where that is beyond `limit` bytes, as JPEG, with a warning. `name`: for
/// messages.
///
/// # Errors
/// Too large for one message in any form.
pub fn encoded(pixels: &RgbImage, name: &str, limit: usize) -> Result<Picture> {
    let (width, height) = pixels.dimensions();
    let png = write::rgb_png(pixels)?;
    if png.len() <= limit {
        return Ok(Picture::new(width, height, Encoding::Png, png)?);
    }
    drop(png);
    let jpeg = write::rgb_jpeg(pixels, QUALITY)
        .wrap_err_with(|| format!("{name}: too large for one message as PNG"))?;
    eyre::ensure!(
        jpeg.len() <= limit,
        "{name}: {width} x {height} pixels are too large for one message, even as JPEG ({} MiB of {}); cut the picture \
         into tiles or reduce it",
        jpeg.len() >> 20,
        limit >> 20
    );
    tracing::warn!(
        "{name}: too large for one message as PNG; sent as JPEG of quality {QUALITY}, which is not lossless"
    );
    Ok(Picture::new(width, height, Encoding::Jpeg, jpeg)?)
}
