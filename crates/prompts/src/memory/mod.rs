//! Earlier frames of a video as examples, with what was answered for them: which of them are kept, a [`Policy`] says.
//!
//! The paper gives each frame of a video the first one and a queue of those before it (SegGPT, section 4.3). A queue also
//! spreads errors; later work keeps fewer frames and chooses them: every n-th (STM, XMem), those whose answer was sure
//! (SAM2Long), half of them recent and half different (DAM4SAM, RMem). None of it needs training.

mod policy;

pub use policy::{Policy, Rules};

use seggpt_imaging::descriptor::similarity;
use serde::{Deserialize, Serialize};

/// A frame that was answered, as memory sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moment<T> {
    /// Its number in the video.
    pub frame: u64,
    /// Every class that it was to show.
    pub classes: Vec<Shown>,
    /// Its [`descriptor`](seggpt_imaging::descriptor::descriptor); may be empty where the policy is not [`Policy::Gated`].
    pub descriptor: Vec<f32>,
    /// What it is shown as.
    pub what: T,
}

/// How much of a class the answer shows, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The class.
    pub id: u16,
    /// Its pixels.
    pub pixels: u64,
    /// Mean confidence over them, 0 to 1.
    pub confidence: f32,
}

/// The frames that are kept, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory<T> {
    rules: Rules,
    /// How many frames were offered.
    offered: u64,
    kept: Vec<Moment<T>>,
}

impl<T> Memory<T> {
    /// Nothing is kept yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            offered: 0,
            kept: Vec::new(),
        }
    }

    /// What decides what is kept.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// Offers the frame that comes after all that were offered. Returns whether it is kept now.
    pub fn offer(&mut self, moment: Moment<T>) -> bool {
        let place = self.offered;
        self.offered += 1;
        let Rules {
            policy,
            every,
            min,
            k,
        } = self.rules;
        let is_wanted = match policy {
            Policy::None => false,
            Policy::Fifo => true,
            Policy::Every => place.is_multiple_of(every.max(1)),
            Policy::Gated => moment.is_sure(min),
        };
        if !is_wanted || k == 0 {
            return false;
        }
        self.kept.push(moment);
        while self.kept.len() > k {
            self.kept.remove(self.least_wanted());
        }
        true
    }

    /// The frames that are kept, the last first.
    pub fn kept(&self) -> impl Iterator<Item = &Moment<T>> {
        self.kept.iter().rev()
    }

    /// How many are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The same frames, shown as something else.
    ///
    /// # Errors
    /// The first that `change` returns.
    pub fn try_map<U, E>(self, mut change: impl FnMut(&T) -> Result<U, E>) -> Result<Memory<U>, E> {
        let kept = self.kept.into_iter().map(|moment| {
            Ok(Moment {
                frame: moment.frame,
                what: change(&moment.what)?,
                classes: moment.classes,
                descriptor: moment.descriptor,
            })
        });
        Ok(Memory {
            rules: self.rules,
            offered: self.offered,
            kept: kept.collect::<Result<_, E>>()?,
        })
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.offered = 0;
    }

    /// The frame that goes when there is one too many. Under [`Policy::Gated`] half of the places are for the last frames, and
    /// of the others the one goes that is most like the rest of them.
    fn least_wanted(&self) -> usize {
        if self.rules.policy != Policy::Gated {
            return 0;
        }
        let recent = self.rules.k.div_ceil(2);
        let others = &self.kept[..self.kept.len().saturating_sub(recent)];
        let likeness = |at: usize| -> f32 {
            let rest = others.iter().enumerate().filter(|(other, _)| *other != at);
            rest.map(|(_, other)| similarity(&others[at].descriptor, &other.descriptor))
                .sum()
        };
        let places = 0..others.len();
        // Of equals, the oldest.
        places
            .rev()
            .max_by(|a, b| likeness(*a).total_cmp(&likeness(*b)))
            .unwrap_or(0)
    }
}

impl<T> Moment<T> {
    /// Whether every class has pixels, and more than `min` confidence.
    fn is_sure(&self, min: f32) -> bool {
        let mut classes = self.classes.iter();
        !self.classes.is_empty() && classes.all(|it| it.pixels > 0 && it.confidence > min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(policy: Policy, k: usize) -> Memory<()> {
        Memory::new(Rules {
            policy,
            k,
            every: 5,
            min: 0.5,
        })
    }

    fn moment(frame: u64, confidence: f32, direction: f32) -> Moment<()> {
        let (sin, cos) = direction.sin_cos();
        Moment {
            frame,
            classes: vec![Shown {
                id: 1,
                pixels: 10,
                confidence,
            }],
            descriptor: vec![cos, sin],
            what: (),
        }
    }

    fn frames(memory: &Memory<()>) -> Vec<u64> {
        memory.kept().map(|it| it.frame).collect()
    }

    #[test]
    fn none_keeps_nothing_and_fifo_the_last() {
        let (mut none, mut fifo) = (memory(Policy::None, 3), memory(Policy::Fifo, 3));
        for frame in 0..5 {
            assert!(!none.offer(moment(frame, 0.9, 0.0)));
            assert!(fifo.offer(moment(frame, 0.0, 0.0)));
        }
        assert!(none.is_empty());
        assert_eq!(frames(&fifo), [4, 3, 2]);
        fifo.clear();
        assert_eq!(fifo.len(), 0);
    }

    #[test]
    fn every_takes_each_fifth_whatever_they_are_numbered() {
        let mut every = memory(Policy::Every, 2);
        for frame in 100..114 {
            every.offer(moment(frame, 0.9, 0.0));
        }
        assert_eq!(frames(&every), [110, 105]);
    }

    #[test]
    fn sam2_empty_and_unsure_answers_do_not_enter() {
        let mut gated = memory(Policy::Gated, 4);
        assert!(!gated.offer(moment(0, 0.5, 0.0)));
        let mut empty = moment(1, 0.9, 0.0);
        empty.classes[0].pixels = 0;
        assert!(!gated.offer(empty));
        let mut half = moment(2, 0.9, 0.0);
        half.classes.push(Shown {
            id: 2,
            pixels: 5,
            confidence: 0.2,
        });
        assert!(!gated.offer(half), "each of several objects counts");
        assert!(gated.offer(moment(3, 0.51, 0.0)));
        assert_eq!(frames(&gated), [3]);
    }

    #[test]
    fn half_of_the_places_are_for_the_last_and_half_for_what_is_unlike() {
        let mut gated = memory(Policy::Gated, 4);
        // 1 and 2 are alike, 0 is not.
        for (frame, direction) in [(0, 1.5), (1, 0.0), (2, 0.1), (3, 0.2), (4, 0.2)] {
            gated.offer(moment(frame, 0.9, direction));
        }
        let kept = frames(&gated);
        assert_eq!(kept[..2], [4, 3], "the last");
        assert_eq!(kept[3], 0, "the odd one stays");
        for frame in 5..9 {
            gated.offer(moment(frame, 0.9, 0.2));
        }
        let kept = frames(&gated);
        assert_eq!(kept[..2], [8, 7]);
        assert!(kept.contains(&0), "{kept:?}");
    }

    #[test]
    fn one_place_is_for_the_last() {
        let mut gated = memory(Policy::Gated, 1);
        gated.offer(moment(0, 0.9, 0.0));
        gated.offer(moment(1, 0.9, 1.0));
        assert_eq!(frames(&gated), [1]);
    }
}
