use crate::ImagingError;

/// How large a picture may be, so that a bad header cannot eat the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Width times height.
    pub pixels: u64,
    /// Bytes of the decoded picture, in the file's own depth and channels.
    pub bytes: u64,
}

impl Default for Limits {
    /// 16,384 x 16,384 pixels and 2 GiB: room for 12,000 x 8,000 RGBA at 16 bits.
    fn default() -> Self {
        Self {
            pixels: 1 << 28,
            bytes: 1 << 31,
        }
    }
}

impl Limits {
    /// Refuses a picture that exceeds them.
    pub(crate) fn check(
        self,
        name: &str,
        (width, height): (u32, u32),
        bytes: u64,
    ) -> Result<(), ImagingError> {
        if u64::from(width) * u64::from(height) <= self.pixels && bytes <= self.bytes {
            return Ok(());
        }
        Err(ImagingError::TooLarge {
            name: name.to_owned(),
            width,
            height,
            bytes,
            limits: self,
        })
    }
}
