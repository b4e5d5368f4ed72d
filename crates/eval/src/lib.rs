//! Scores as the field's own tools count them, readers for its data sets, episodes, and baselines
//! to beat.
//!
//! Belongs here: whatever compares an answer with the truth, and whatever brings a picture and its
//! truth together. Nothing in this crate knows about networks or dataflows: an answer is a
//! [`LabelPlane`], wherever it comes from.
//!
//! | | |
//! |---|---|
//! | [`metrics`] | mean IoU, Dice, few-shot mIoU and FB-IoU, J&F of videos, panoptic quality |
//! | [`data`] | one trait over folders of masks, FSS-1000, COCO, VOC, DAVIS, YouTube-VOS, ADE20K |
//! | [`episodes`] | which prompts go with which query: PASCAL-5i, COCO-20i, FSS-1000, K shots, seeds |
//! | [`baselines`] | what a user gets without a network: a copied mask, colour neighbours, a forest |

pub mod baselines;
pub mod data;
pub mod episodes;
mod error;
pub mod metrics;
mod plane;

pub use error::EvalError;
pub use plane::{IGNORE, LabelPlane, Mask, Plane};
