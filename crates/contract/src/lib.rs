//! The messages that travel between dora-seggpt's nodes.
//!
//! | message | payload (Arrow) | from -> to |
//! |---|---|---|
//! | [`Image`] | flat `UInt8` + metadata, dora-hub's dialect | source -> prompts |
//! | [`Prompted`] | `Struct`: the image and K examples | prompts -> ensemble, sink |
//! | [`Canvases`] | `Struct`: the query and N prompt pairs at the network's size | ensemble -> infer |
//! | [`Mask`] | `Struct`: class ids at the source's size, confidence, class table | infer -> sink |
//! | [`Ack`] | metadata only | sink -> source |
//! | [`Health`] | metadata only | live source -> whoever watches |
//!
//! An [`Identity`] travels the whole way in the metadata, as JSON under the one key `seggpt`, so that a sink can put each
//! mask back where its picture came from; every other key belongs to whoever sent it and passes through untouched. An item
//! that fails travels the same edges as [`Message::Failed`]: an identity with an `error`, no payload. A [`Greeting`]
//! is no item: nodes pass it on.
//!
//! ```
//! use seggpt_contract::{Identity, Image, Message, Picture};
//!
//! let picture = Picture::from_rgb(image::RgbImage::new(4, 3));
//! let message = Message::Item(Identity::new("a.png", 0, (4, 3)), Image(picture));
//! let (parameters, array) = message.encode()?;
//! let Message::Item(identity, Image(picture)) = Message::<Image>::decode(&array, &parameters, 0)? else {
//!     panic!("an item that did not fail")
//! };
//! assert_eq!(identity.item, "a.png");
//! assert_eq!((picture.width(), picture.height()), (4, 3));
//! # Ok::<(), seggpt_contract::ContractError>(())
//! ```

mod ack;
mod canvases;
mod class;
mod envelope;
mod error;
mod fields;
mod greeting;
mod health;
mod hub;
mod identity;
mod image;
mod mask;
mod mask_image;
mod message;
mod parameters;
pub mod picture;
mod plane;
mod prompted;
mod shares;
mod square;

pub use ack::{Ack, Status};
pub use canvases::{Canvases, Combine, Prompt};
pub use class::Class;
pub use error::ContractError;
pub use greeting::Greeting;
pub use health::{Health, State};
pub use hub::hub_masks;
pub use identity::{ForeignName, Identity, Position};
pub use image::Image;
pub use mask::{ClassIds, ClassResult, Instance, Instances, Mask, Provenance};
pub use mask_image::{ImageDialect, mask_image};
pub use message::{Failure, Message, Payload};
pub use picture::{Encoding, Picture};
pub use prompted::{Example, Prompted};
pub use seggpt_types::SegType;
pub use shares::Shares;
pub use square::Square;

/// Free key-value pairs beside a payload, as dora sends them.
pub type Parameters = dora_message::metadata::MetadataParameters;
/// The value of one key.
pub type Parameter = dora_message::metadata::Parameter;

/// No single plane of a message is sent raw above this many bytes: larger ones travel PNG-encoded, far from
/// the 64 MiB at which dora refuses a message that misses shared memory.
pub const RAW_PLANE_LIMIT: usize = 16 << 20;

/// Up to this many bytes the pixels of a picture are sent raw, so that nobody downstream has to decode them.
pub const RAW_PICTURE_LIMIT: usize = 24 << 20;
