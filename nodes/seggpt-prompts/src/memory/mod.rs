//! Earlier frames as examples: what was given with each frame, what was answered for it, and what of that later frames get.
//!
//! A frame that is sent again gets the examples that it had. What is answered is on disk before anybody downstream hears of
//! it, so that a frame which the sink has acknowledged is never missing here, whichever process dies.

mod disk;

use std::{collections::VecDeque, path::Path, sync::Arc};

use eyre::{Result, ensure};
use seggpt_contract::{Example, Identity, Mask, Position, Prompted, Square};
use seggpt_imaging::{RgbImage, descriptor::descriptor, resize};
use seggpt_prompt_library::memory::{Memory, Moment, Policy, Rules, Shown};

use disk::Disk;

/// How many frames are remembered with what they were given; a source's window may be as large.
const GIVEN: usize = 16;

/// An earlier frame at the network's size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    /// What its files are called.
    pub file: String,
    /// As later frames are shown it.
    pub example: Example,
}

/// The frames of one video, one after another.
pub(crate) struct Chain {
    memory: Memory<Arc<Stored>>,
    disk: Option<Disk>,
    /// Which video it is: its source, and the size of its frames.
    video: Option<Video>,
    /// The last frame that was answered.
    last: Option<u64>,
    pending: VecDeque<Pending>,
    given: VecDeque<Given>,
    /// Whether a process of this run may have remembered frames that come again.
    is_restarted: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Video {
    pub source: String,
    pub width: u32,
    pub height: u32,
}

/// A frame that is being answered.
struct Pending {
    item: String,
    frame: u64,
    square: Square,
    descriptor: Vec<f32>,
    /// The classes that it is to show.
    classes: Vec<u16>,
}

/// What a frame was given.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Given {
    pub item: String,
    pub stored: Vec<Arc<Stored>>,
}

/// What is to be done with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// It is remembered, or there is nothing to remember of it: it goes on.
    Known,
    /// It is not known what it answers: the process that sent the frame died. The source sends the frame again.
    Unknown,
}

impl Chain {
    /// An empty memory, or the one that lies in `dir` under the same key and rules. `is_restarted`: whether this process
    /// replaces one of the same run.
    ///
    /// # Errors
    /// `dir` cannot be made or read.
    pub fn open(rules: Rules, dir: Option<&Path>, key: &str, is_restarted: bool) -> Result<Self> {
        let disk = dir.map(|dir| Disk::open(dir, key)).transpose()?;
        let mut chain = Self {
            memory: Memory::new(rules),
            disk,
            video: None,
            last: None,
            pending: VecDeque::new(),
            given: VecDeque::new(),
            is_restarted,
        };
        let state = chain.disk.as_ref().map(|disk| disk.read(rules));
        if let Some(state) = state.transpose()?.flatten() {
            tracing::info!("{} earlier frames are remembered", state.memory.len());
            chain.memory = state.memory;
            chain.video = Some(state.video);
            chain.last = state.last;
            chain.given = state.given.into();
        }
        Ok(chain)
    }

    /// Whether the frame may be given examples: all that were sent before it are answered, or it was sent before.
    pub fn is_ready(&self, item: &str) -> bool {
        let others = self.pending.iter().filter(|pending| pending.item != item);
        others.count() == 0 || self.given(item).is_some()
    }

    /// Forgets what is waited for; says what it was.
    pub fn give_up_waiting(&mut self) -> Vec<String> {
        let items = self.pending.drain(..).map(|pending| pending.item);
        items.collect()
    }

    /// Adds the frames that are remembered to what guides a picture. `picture`: its pixels.
    ///
    /// # Errors
    /// Its examples are of no one size, or the memory cannot be written.
    pub fn guide(
        &mut self,
        identity: &Identity,
        prompted: &mut Prompted,
        picture: &RgbImage,
    ) -> Result<()> {
        let frame = frame_of(identity);
        self.follow(identity, frame);
        let stored = match self.given(&identity.item) {
            Some(given) => given.stored.clone(),
            None => {
                let kept = self.memory.kept();
                let stored: Vec<_> = kept.map(|moment| Arc::clone(&moment.what)).collect();
                self.given.push_back(Given {
                    item: identity.item.clone(),
                    stored: stored.clone(),
                });
                while self.given.len() > GIVEN {
                    self.given.pop_front();
                }
                stored
            }
        };
        let size = prompted.size()?;
        let square = Square::from_rgb(resize::bicubic(picture, size, size))?;
        let is_gated = self.memory.rules().policy == Policy::Gated;
        self.pending.retain(|pending| pending.item != identity.item);
        self.pending.push_back(Pending {
            item: identity.item.clone(),
            frame,
            square,
            descriptor: match is_gated {
                true => descriptor(picture),
                false => Vec::new(),
            },
            classes: prompted.classes.iter().map(|class| class.id).collect(),
        });
        let fits = stored.iter().filter(|it| it.example.image.size() == size);
        let examples = fits.map(|stored| stored.example.clone());
        prompted.examples.extend(examples);
        Ok(())
    }

    /// Takes what was answered for a frame; `None`: that it failed.
    ///
    /// # Errors
    /// The memory cannot be written.
    pub fn answered(&mut self, identity: &Identity, mask: Option<&Mask>) -> Result<Answered> {
        let frame = frame_of(identity);
        let at = self.pending.iter().position(|it| it.item == identity.item);
        let Some(pending) = at.and_then(|at| self.pending.remove(at)) else {
            let is_past = self.last.is_some_and(|last| frame <= last);
            return Ok(match is_past || mask.is_none() || !self.is_restarted {
                true => Answered::Known,
                false => Answered::Unknown,
            });
        };
        if self.last.is_some_and(|last| frame <= last) {
            return Ok(Answered::Known); // it was sent again
        }
        self.last = Some(frame);
        let moment = mask.map(|mask| pending.moment(mask)).transpose()?;
        if let Some(moment) = moment {
            let stored = Arc::clone(&moment.what);
            let is_kept = self.memory.offer(moment);
            if let Some(disk) = self.disk.as_ref().filter(|_| is_kept) {
                disk.put(&stored)?;
            }
        }
        self.save()?;
        Ok(Answered::Known)
    }

    fn given(&self, item: &str) -> Option<&Given> {
        self.given.iter().find(|given| given.item == item)
    }

    /// Another video, or the same one from an earlier frame on, is begun with nothing.
    fn follow(&mut self, identity: &Identity, frame: u64) {
        let video = Video {
            source: identity.source.clone(),
            width: identity.width,
            height: identity.height,
        };
        let is_other = self.video.as_ref().is_some_and(|own| *own != video);
        let is_earlier = !self.is_restarted
            && self.pending.is_empty()
            && self.last.is_some_and(|last| frame <= last)
            && self.given(&identity.item).is_none();
        if is_other || is_earlier {
            if !self.memory.is_empty() {
                let why = match is_other {
                    true => "another source, or frames of another size",
                    false => "it is of later frames",
                };
                tracing::warn!("{}: memory begins anew: {why}", identity.item);
            }
            self.memory.clear();
            self.pending.clear();
            self.given.clear();
            self.last = None;
        }
        self.video = Some(video);
    }

    fn save(&self) -> Result<()> {
        match (&self.disk, &self.video) {
            (Some(disk), Some(video)) => disk.write(&self.memory, video, self.last, &self.given),
            _ => Ok(()),
        }
    }
}

impl Pending {
    /// The frame with its answer, painted in the classes' colours.
    fn moment(self, mask: &Mask) -> Result<Moment<Arc<Stored>>> {
        let pixels = mask.width as usize * mask.height as usize;
        ensure!(
            mask.ids.len() == pixels,
            "the answer to {} holds {} class ids for {pixels} pixels",
            self.item,
            mask.ids.len()
        );
        let color = |id: u16| {
            let class = mask.classes.iter().find(|it| it.class.id == id);
            class.map_or([0; 3], |it| it.class.color)
        };
        let painted: Vec<u8> = mask.ids.iter().flat_map(color).collect();
        let painted = RgbImage::from_raw(mask.width, mask.height, painted)
            .ok_or_else(|| eyre::eyre!("the answer to {} has no pixels", self.item))?;
        let size = self.square.size();
        let shown = |id: u16| {
            let class = mask.classes.iter().find(|it| it.class.id == id);
            Shown {
                id,
                pixels: class.map_or(0, |it| it.pixels),
                confidence: class.map_or(0.0, |it| it.confidence),
            }
        };
        Ok(Moment {
            frame: self.frame,
            classes: self.classes.iter().map(|id| shown(*id)).collect(),
            descriptor: self.descriptor,
            what: Arc::new(Stored {
                file: format!("{:08}", self.frame),
                example: Example {
                    name: self.item,
                    image: self.square,
                    mask: Square::from_rgb(resize::nearest_rgb(&painted, size, size))?,
                    score: 1.0,
                },
            }),
        })
    }
}

/// The frame's number in its video; of pictures that are no frames, their place in the run.
fn frame_of(identity: &Identity) -> u64 {
    match identity.position {
        Position::Frame { number } => number,
        _ => identity.index,
    }
}

#[cfg(test)]
mod tests;
