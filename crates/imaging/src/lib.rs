//! Pure functions on pixels: what happens to pictures and masks before and after the network.
//!
//! Belongs here: whatever several nodes do with pixels and can be tested on pixels alone. Nothing in
//! this crate knows about messages, dataflows or the network, and nothing but [`read::open`] and
//! [`annotation::Annotation::open`] touches the disk.
//!
//! | before the network | after it |
//! |---|---|
//! | [`read`]: any picture file to 8-bit RGB | [`decode`]: painted colours to classes at the source's size |
//! | [`resize`]: Pillow's filters, bit for bit | [`components`]: classes to instances |
//! | [`annotation`]: a mask file to what the network sees | [`overlay`]: masks over pictures |
//! | [`palette`]: which colour stands for which class | [`write`](mod@write): masks and pictures to PNG and JPEG bytes |
//! | [`descriptor`]: how alike are two pictures | [`Plane`], [`panoptic`]: values, class ids and segments per pixel |

pub mod annotation;
pub mod color;
pub mod components;
pub mod decode;
pub mod descriptor;
mod error;
pub mod overlay;
pub mod palette;
pub mod panoptic;
mod plane;
pub mod read;
pub mod resize;
mod tiff;
pub mod write;

pub use error::ImagingError;
pub use image::{RgbImage, metadata::Orientation};
pub use plane::{IGNORE, LabelPlane, Mask, Plane};

/// Red, green and blue, 0..=255.
pub type Rgb = [u8; 3];

/// Black: in every painting of the network, the background.
pub const BLACK: Rgb = [0, 0, 0];

/// White: the colour of the only class of a binary mask.
pub const WHITE: Rgb = [255, 255, 255];

/// Squared Euclidean distance between two colours.
fn squared_distance(a: Rgb, b: Rgb) -> u32 {
    let one = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
    one(a[0], b[0]) + one(a[1], b[1]) + one(a[2], b[2])
}
