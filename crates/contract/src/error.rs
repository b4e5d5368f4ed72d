use thiserror::Error;

/// Why a payload could not be read or written. Foreign data never panics.
#[derive(Debug, Error)]
pub enum ContractError {
    /// The payload is of an Arrow type that the message has no reading for.
    #[error("{message}: payload of Arrow type {found}; expected {expected}")]
    WrongType {
        /// The message that was being read.
        message: &'static str,
        /// The Arrow type that came.
        found: String,
        /// What would have been read.
        expected: &'static str,
    },
    /// A metadata key or a struct field is absent.
    #[error("{message}: no `{key}` {place}")]
    MissingKey {
        /// The message that was being read.
        message: &'static str,
        /// The absent key.
        key: String,
        /// Where it was looked for: in the metadata, or among the struct's fields.
        place: &'static str,
    },
    /// A metadata key or struct field is there but of another type or outside its range.
    #[error("{message}: `{key}` is {found}; expected {expected}")]
    WrongValue {
        /// The message that was being read.
        message: &'static str,
        /// The key.
        key: String,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: String,
    },
    /// The number of bytes does not fit the stated size.
    #[error("{message}: {what} holds {found} bytes; {expected} expected")]
    SizeMismatch {
        /// The message that was being read.
        message: &'static str,
        /// The field, with the size it claims.
        what: String,
        /// Bytes that came.
        found: usize,
        /// Bytes that the stated size needs.
        expected: usize,
    },
    /// An encoding that no reader here knows.
    #[error(
        "picture encoding `{0}` is not known; send rgb8, bgr8, rgba8, bgra8, mono8, mono16, yuv420, nv12, yuyv, uyvy, rgb16, bgr16, bayer_rggb8 and its like, jpeg, png, webp, bmp or tiff"
    )]
    UnknownEncoding(String),
    /// Numbers that were measured, not a picture.
    #[error(
        "`{0}` is a depth image (or other measured numbers), not a picture; wire the camera's colour output instead"
    )]
    Measured(String),
    /// An encoded picture does not decode.
    #[error("picture cannot be decoded: {0}")]
    Undecodable(String),
}
