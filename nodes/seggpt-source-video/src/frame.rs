//! A frame as an item of a run.

use std::{fs, path::Path, sync::Arc};

use eyre::{Result, WrapErr};
use seggpt_contract::{Identity, Picture, Position, RAW_PICTURE_LIMIT};
use seggpt_imaging::read::{Exif, Note, Reading};
use seggpt_node::source::{FILE_LIMIT, Listed, Loaded, Sendable, Stamp, encoded};
use seggpt_video::Clip;

/// The frames of a clip.
#[derive(Clone, Debug)]
pub struct Frames {
    clip: Arc<Clip>,
    exif: Exif,
}

/// A frame of a clip, and how many the run has. Cloning shares the clip.
#[derive(Clone, Debug)]
pub struct Frame {
    frames: Frames,
    item: String,
    number: u64,
    total: u64,
    stamp: Option<Stamp>,
}

impl Frames {
    /// Of this clip.
    pub fn new(clip: Arc<Clip>, exif: Exif) -> Self {
        Self { clip, exif }
    }

    /// The clip.
    pub fn clip(&self) -> &Clip {
        &self.clip
    }

    /// The frames of these numbers, as items.
    pub fn list(&self, numbers: &[u64]) -> Vec<Frame> {
        let frame = |number: &u64| Frame {
            frames: self.clone(),
            item: format!("{}/{number:06}", self.clip.name()),
            number: *number,
            total: numbers.len() as u64,
            stamp: self
                .clip
                .frame(*number)
                .and_then(|frame| Stamp::of(&frame.path)),
        };
        numbers.iter().map(frame).collect()
    }

    /// Reads a frame. A decoder that panics spoils this frame alone.
    pub fn read(&self, number: u64) -> Loaded {
        let Some(frame) = self.clip.frame(number) else {
            return Err(format!("the clip has no frame {number}"));
        };
        picture(&frame.path, self.exif).map_err(|error| format!("{error:#}"))
    }
}

impl Frame {
    /// How many frames the run has.
    pub fn of(&mut self, total: u64) {
        self.total = total;
    }
}

impl Listed for Frame {
    fn item(&self) -> &str {
        &self.item
    }

    fn source(&self) -> String {
        self.frames.clip.place().display().to_string()
    }

    fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }
}

impl Sendable for Frame {
    fn id(&self) -> &str {
        &self.item
    }

    fn read(&self) -> Loaded {
        self.frames.read(self.number)
    }

    fn identity(&self, size: (u32, u32), notes: &[Note]) -> Identity {
        let mut identity = Identity::new(self.item.clone(), self.number, size);
        identity.source = self.source();
        identity.total = Some(self.total);
        identity.position = Position::Frame {
            number: self.number,
        };
        identity.notes = notes.iter().map(ToString::to_string).collect();
        if let Some(stamp) = self.stamp {
            stamp.put(&mut identity);
        }
        identity
    }
}

fn picture(path: &Path, exif: Exif) -> Result<(Picture, Vec<Note>)> {
    let name = path.display().to_string();
    let bytes = fs::read(path).wrap_err_with(|| format!("{name}: cannot be read"))?;
    let Reading { picture, notes, .. } = Reading::decode(&bytes, &name, exif)?;
    let picture = match picture.as_raw().len() <= RAW_PICTURE_LIMIT {
        true => Picture::from_rgb(picture),
        false => encoded(&picture, &name, FILE_LIMIT)?,
    };
    Ok((picture, notes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use image::RgbImage;

    use super::*;

    #[test]
    fn frames_are_called_by_clip_and_number_and_a_broken_one_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("walk");
        fs::create_dir(&folder).unwrap();
        for name in ["1.png", "2.png"] {
            RgbImage::new(4, 3).save(folder.join(name)).unwrap();
        }
        fs::write(folder.join("3.png"), "no picture").unwrap();
        let clip = Clip::open("walk", dir.path()).unwrap();
        let frames = Frames::new(Arc::new(clip), Exif::Apply);
        let listed = frames.list(&[0, 2]);
        let identity = listed[0].identity((4, 3), &[]);
        assert_eq!(
            (identity.item.as_str(), identity.total),
            ("walk/000000", Some(2))
        );
        assert_eq!(identity.source, folder.display().to_string());
        assert_eq!(
            listed[1].identity((4, 3), &[]).position,
            Position::Frame { number: 2 }
        );
        assert_eq!(listed[0].read().unwrap().0.width(), 4);
        assert!(listed[1].read().unwrap_err().contains("3.png"));
        assert!(frames.read(3).unwrap_err().contains("no frame 3"));
    }
}
