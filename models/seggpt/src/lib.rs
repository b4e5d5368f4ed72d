//! SegGPT ("Segmenting Everything In Context", ICCV 2023, arXiv 2304.03284) and its predecessor Painter (CVPR 2023,
//! arXiv 2212.02499) on candle: shown a few pictures with painted masks, the network paints the mask of another.
//!
//! The ground truth is the original code (github.com/baaivision/Painter, `SegGPT/SegGPT_inference`), held to by golden
//! files that it made. This crate knows tensors and weights; decoding and resizing pictures is its callers' job.
//!
//! ```no_run
//! use seggpt::{DTypeChoice, Ensemble, Network, SegType, device, find_model, pixels};
//!
//! # fn main() -> Result<(), seggpt::Error> {
//! let device = device("auto")?;
//! let network = Network::load(&find_model("default")?, &device, DTypeChoice::Auto)?;
//! let s = network.config().image_size;
//! let picture = |rgb: &[u8]| pixels::normalise(rgb, 1, s, s, &device);
//! # let (prompt, mask, query) = (vec![0; s * s * 3], vec![0; s * s * 3], vec![0; s * s * 3]);
//! let prompts = network.prepare(&picture(&prompt)?, &picture(&mask)?, SegType::Instance, Ensemble::Feature)?;
//! let painted = pixels::painted(&network.forward(&picture(&query)?, &prompts)?)?;
//! # Ok(())
//! # }
//! ```

mod architecture;
mod builtin;
mod card;
mod choice;
mod config;
mod convert;
mod error;
mod find;
mod inspect;
pub mod matching;
mod network;
mod ops;
pub mod pixels;
pub mod start;
pub mod verify;
mod weights;

pub use candle_core::{DType, Device, Error as ComputeError, Tensor, Var, backprop::GradStore};

pub use architecture::Architecture;
pub use builtin::{Bundled, builtin_name, bundle};
pub use card::{Card, Refinement};
pub use choice::{DTypeChoice, DeviceChoice, Ensemble, device};
pub use config::{Config, TargetEmbedding};
pub use convert::convert;
pub use error::Error;
pub use find::{MODELS_VARIABLE, find_model};
pub use inspect::{Inspection, TensorInspection, architecture, inspect};
pub use matching::MatchingConfig;
pub use network::{Canvases, ModelInfo, Network, PreparedPrompts, Reference, Trainable};
pub use seggpt_kernels::Isa;
pub use seggpt_types::SegType;
pub use weights::Format;
