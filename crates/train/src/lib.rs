//! Trains a network: SegGPT's kind from nothing or from a checkpoint, and the head of a matching network on top of a
//! pretrained encoder that stays as it is.
//!
//! SegGPT's recipe is that of the paper (section 3) and of Painter's published code, which it builds on: pairs under random
//! colours, the query's half or a part of the canvas masked, smooth L1 on what is masked, AdamW, cosine schedule, drop
//! path, an average of the weights. What a network of this size needs to learn from nothing is added as settings: a
//! loss that begins near a squared error, a structured start, small pictures first.
//!
//! [`run`] is all of it: it begins or resumes in a folder, and leaves there
//!
//! | file | what |
//! |---|---|
//! | `state.safetensors` | all that it takes to go on as if nothing had happened |
//! | `best.safetensors` | the averaged weights of the best validation, f16 |
//! | `model.safetensors` | the averaged weights of the last checkpoint, f16 |
//! | `index.html` | curves and pictures |
//!
//! [`tune::tune`] trains a prompt for a network that stays as it is.
//!
//! Every sample, mask and dropped path follows from the seed and the step alone, so the step is all that there is to
//! remember of the data. Several devices would each take a part of a batch and add up gradients before the update in
//! [`optimiser`]; nothing else would change.

mod batch;
mod begin;
mod data;
mod error;
mod interrupt;
mod loader;
pub mod loss;
pub mod mask;
mod matched;
mod memory;
mod meter;
pub mod optimiser;
mod page;
mod settings;
mod state;
mod store;
mod student;
mod trainer;
pub mod tune;
mod validation;

pub use batch::{Batch, Task};
pub use data::{pack, samples};
pub use error::TrainError;
pub use interrupt::{INTERRUPTED, interruption};
pub use loader::{Opened, Sources};
pub use memory::keep_freed;
pub use settings::{
    Beta, Masking, NetworkSettings, Optimisation, Precision, Preset, Settings, Stage, Start,
    Validation,
};
pub use trainer::{Limit, Outcome, Progress, Watch, run};
pub use validation::Score;
