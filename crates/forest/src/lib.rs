//! A pixel classifier learned from a few labelled pictures, as interactive tools (Weka segmentation, ilastik) have it: a
//! forest of extremely randomised trees on colours and textures at several scales.
//!
//! It knows nothing of shapes and meanings, but sees every pixel at the picture's own size, which is what a network with
//! a small input lacks.
//!
//! ```
//! use seggpt_forest::{Forest, Labelled};
//! use seggpt_imaging::RgbImage;
//!
//! let picture = RgbImage::from_fn(32, 32, |x, _| [if x < 16 { 20 } else { 200 }; 3].into());
//! let labels: Vec<u16> = (0..32 * 32).map(|at| u16::from(at % 32 >= 16)).collect();
//! let examples = [Labelled { picture: &picture, labels: &labels }];
//! let classifier = Forest::default().learn(&examples, 255).expect("some pixel is labelled");
//! assert_eq!(classifier.predict(&picture), labels);
//! ```

pub mod features;
mod forest;
mod tree;

pub use forest::{Classifier, Forest, Labelled};
