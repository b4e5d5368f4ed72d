//! What a DICOM segmentation says of its making: the same for the same run, however often it was interrupted.

use eyre::Result;
use seggpt_files::hash;
use seggpt_volume::{Source, dicom::Made};

/// What the segmentations of a run have in common.
#[derive(Clone, Debug)]
pub struct Making {
    /// The run's key.
    pub key: String,
    /// When the run began first, RFC 3339.
    pub began: String,
    /// Whether frames without a pixel are written.
    pub keeps_empty: bool,
}

impl Making {
    /// Of one scan at a point of time.
    ///
    /// # Errors
    /// None that can be met: memory can be hashed.
    pub fn of(&self, source: &Source, time: usize) -> Result<Made> {
        let uid = |part: &str| -> Result<String> {
            let text = format!("{} {} {time} {part}", self.key, source.identity());
            let digits = hash::sha256(text.as_bytes())?;
            let number = u128::from_str_radix(&digits[..32], 16)?;
            // The form of a UUID of one's own making (version 8).
            let number = number & !(0xf << 76) | 0x8 << 76;
            let number = number & !(0x3 << 62) | 0x2 << 62;
            Ok(format!("2.25.{number}"))
        };
        let digits: String = self.began.chars().filter(char::is_ascii_digit).collect();
        let part = |from, to| digits.get(from..to).unwrap_or_default().to_owned();
        Ok(Made {
            uids: [
                uid("series")?,
                uid("object")?,
                uid("dimensions")?,
                uid("reference")?,
            ],
            when: [part(0, 8), part(8, 14)],
            version: env!("CARGO_PKG_VERSION").to_owned(),
        })
    }
}
