//! What of a picture and its examples waits for the mask.

use image::RgbImage;
use seggpt_contract::{Picture, Prompted};
use seggpt_imaging::overlay::thumbnail;

use crate::{record::PromptRef, report::THUMBNAIL};

/// The little of a [`Prompted`] that results are made from.
#[derive(Debug, Default)]
pub struct PendingInput {
    /// At its own size where overlays are written, else small.
    picture: Option<Picture>,
    /// The examples.
    pub prompts: Vec<PromptRef>,
    /// What was wrong with it.
    pub notes: Vec<String>,
}

impl PendingInput {
    /// Copies what is needed, so that the message can go: it holds the examples as well. `whole`: whether the picture is
    /// needed at its own size.
    pub fn of(prompted: &Prompted, whole: bool) -> Self {
        let image = &prompted.image;
        let picture = if whole {
            Picture::new(
                image.width(),
                image.height(),
                image.encoding(),
                image.bytes().to_vec(),
            )
        } else {
            image
                .to_rgb()
                .map(|picture| Picture::from_rgb(thumbnail(&picture, THUMBNAIL)))
        };
        let prompts = prompted
            .examples
            .iter()
            .map(|e| PromptRef::new(&e.name, e.score))
            .collect();
        match picture {
            Ok(picture) => Self {
                picture: Some(picture),
                prompts,
                notes: vec![],
            },
            Err(error) => Self {
                prompts,
                ..Self::without_picture(error)
            },
        }
    }

    /// No picture, and why.
    pub fn without_picture(why: impl std::fmt::Display) -> Self {
        Self {
            notes: vec![format!("no overlay: {why}")],
            ..Self::default()
        }
    }

    /// The picture's pixels; what is wrong with them is noted.
    pub fn decode(&mut self) -> Option<RgbImage> {
        match self.picture.take()?.to_rgb() {
            Ok(picture) => Some(picture),
            Err(error) => {
                self.notes.extend(Self::without_picture(error).notes);
                None
            }
        }
    }
}
