//! A network that knows the world from a pretrained encoder, and compares what it sees.
//!
//! SegGPT learns pictures and the task together, which takes data and machines that few have. Here a vision transformer
//! that was trained by others on many pictures (DINOv2) makes features, and a small head says of every part of a query how
//! much it is like what the prompts' masks mark:
//!
//! 1. *Vote.* Tokens of prompts and query are compared by the cosine of a projection of their features; a softmax over all
//!    prompts' tokens, times their masks, is a first answer (Matching Networks, arXiv 1606.04080).
//! 2. *Blocks.* Tokens that know their features and mask, or vote, go through transformer blocks: prompts attend to prompts,
//!    the query to prompts and itself. So prompts are computed once for all queries.
//! 3. *Pixels.* Two convolutions describe local patterns in words, each pixel more or less one of some; how much more often
//!    a word stands inside of the prompts' masks than outside is evidence for what is too small for tokens.
//! 4. Two convolutions over all of this correct the vote, at half the picture's size.
//!
//! Every class is answered for itself, by logits against background; features are shared. A head that has not been
//! trained corrects nothing: it votes.

mod config;
mod encoder;
mod head;
mod import;
mod network;
mod onnx;
mod start;
mod trainable;

pub use self::{
    config::{EncoderConfig, HeadConfig, MatchingConfig},
    head::Prompts,
    import::import_encoder,
    network::Network,
    start::random,
    trainable::{Batch, Trainable},
};

/// Tensors by name.
pub(crate) type Weights = std::collections::BTreeMap<String, candle_core::Tensor>;
