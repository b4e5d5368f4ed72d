use image::{DynamicImage, metadata::Orientation};

use super::note::Note;

/// A picture in the depth and channels of its file, as its pixels are stored.
pub(crate) struct Decoded {
    pub(crate) picture: DynamicImage,
    pub(crate) orientation: Orientation,
    pub(crate) notes: Vec<Note>,
}
