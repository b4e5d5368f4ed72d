//! Examples as the network takes them.

use seggpt_contract::{Example, Square};
use seggpt_imaging::{RgbImage, resize};

use crate::LibraryError;

/// The mask of an example, at the picture's own size.
#[derive(Clone, Copy, Debug)]
pub enum MaskPixels<'a> {
    /// The colours of classes: no colour between two of them may appear.
    Colors(&'a RgbImage),
    /// Shades, as a tuned prompt has them: resized like a picture.
    Shades(&'a RgbImage),
}

/// A picture and its mask at `size` x `size` pixels, with score 0: the picture by Pillow's bicubic, colours by Pillow's
/// nearest.
///
/// # Errors
/// [`LibraryError::Size`] for a size that no message takes, such as 0.
pub fn prepare(
    name: &str,
    picture: &RgbImage,
    mask: MaskPixels,
    size: u32,
) -> Result<Example, LibraryError> {
    if size == 0 {
        return Err(LibraryError::Size {
            size,
            reason: "ask for the network's own size".to_owned(),
        });
    }
    let square = |picture| {
        Square::from_rgb(picture).map_err(|error| LibraryError::Size {
            size,
            reason: error.to_string(),
        })
    };
    let mask = match mask {
        MaskPixels::Colors(mask) => resize::nearest_rgb(mask, size, size),
        MaskPixels::Shades(mask) => resize::bicubic(mask, size, size),
    };
    Ok(Example {
        name: name.to_owned(),
        image: square(resize::bicubic(picture, size, size))?,
        mask: square(mask)?,
        score: 0.0,
    })
}
