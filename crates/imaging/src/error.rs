use crate::read::limits::Limits;

/// What can go wrong with pixels. Every message names the picture, what is wrong with it and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImagingError {
    /// The file could not be read from disk.
    #[error("{name}: cannot be read")]
    Read {
        /// Path or name of the file.
        name: String,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },

    /// The file has no content.
    #[error("{name}: the file is empty (0 bytes); copy it again from its source")]
    Empty {
        /// Path or name of the file.
        name: String,
    },

    /// The content is no picture in a format that is read.
    #[error("{name}: not a PNG, JPEG, TIFF, WebP or BMP picture: {found}")]
    NotAPicture {
        /// Path or name of the file.
        name: String,
        /// What the content looks like instead.
        found: String,
    },

    /// The file starts like a picture, but does not hold a whole one.
    #[error("{name}: damaged {format} file: {reason}; copy or export it again")]
    Damaged {
        /// Path or name of the file.
        name: String,
        /// The format that the content announces.
        format: &'static str,
        /// What the decoder stumbled over.
        reason: String,
    },

    /// The file is whole, but written in a way that is not read.
    #[error("{name}: this {format} file is not read: {has}; {way_out}")]
    Unsupported {
        /// Path or name of the file.
        name: String,
        /// The format that the content announces.
        format: &'static str,
        /// What the file has.
        has: String,
        /// What to do about it.
        way_out: String,
    },

    /// The picture would need more memory than the limits allow.
    #[error(
        "{name}: {width} x {height} pixels ({bytes} bytes) are too large: the limit is {} pixels and {} bytes; \
         cut it into tiles or reduce it",
        limits.pixels, limits.bytes
    )]
    TooLarge {
        /// Path or name of the file.
        name: String,
        /// Width in pixels.
        width: u32,
        /// Height in pixels.
        height: u32,
        /// Size of the decoded picture in bytes.
        bytes: u64,
        /// The limits that it exceeds.
        limits: Limits,
    },

    /// A mask file whose meaning cannot be told, or not in the mode that was asked for.
    #[error("{name}: {reason}")]
    Mask {
        /// Path or name of the file.
        name: String,
        /// What is wrong and which setting helps.
        reason: String,
    },

    /// A buffer and the size that it should have disagree.
    #[error("{what}: {found} values, but {width} x {height} x {channels} need {}", width * height * channels)]
    Size {
        /// Which buffer.
        what: &'static str,
        /// How many values it holds.
        found: usize,
        /// Width that was announced.
        width: usize,
        /// Height that was announced.
        height: usize,
        /// Values per pixel.
        channels: usize,
    },

    /// A class table that cannot be used.
    #[error("{what}: {reason}")]
    Classes {
        /// What was being done.
        what: &'static str,
        /// What is wrong with the table and what to change.
        reason: String,
    },

    /// An encoder failed.
    #[error("a {width} x {height} {format} picture cannot be encoded: {reason}")]
    Encode {
        /// PNG or JPEG.
        format: &'static str,
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// What the encoder says.
        reason: String,
    },
}

impl ImagingError {
    /// Refuses a buffer that does not hold `width * height * channels` values.
    pub(crate) fn check_size(
        what: &'static str,
        found: usize,
        (width, height): (usize, usize),
        channels: usize,
    ) -> Result<(), Self> {
        if found == width * height * channels {
            return Ok(());
        }
        Err(Self::Size {
            what,
            found,
            width,
            height,
            channels,
        })
    }
}
