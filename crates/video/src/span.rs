//! Which frames of a clip are taken, and when they were captured.

use std::time::Duration;

use crate::{Clip, VideoError};

/// FROM, TO and EVERY, and how many frames a second there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The first frame, from 0.
    pub from: u64,
    /// The last frame; `None`: to the end.
    pub to: Option<u64>,
    /// Every so many frames one is taken; 1: all.
    pub every: u64,
    /// Frames a second; `None` where nobody says.
    pub rate: Option<f64>,
}

impl Span {
    /// The numbers of the frames that are taken.
    ///
    /// # Errors
    /// [`VideoError::Span`]: there are none.
    pub fn of(&self, clip: &Clip) -> Result<Vec<u64>, VideoError> {
        let end = self
            .to
            .map_or(clip.len(), |to| clip.len().min(to.saturating_add(1)));
        let step = usize::try_from(self.every.max(1)).unwrap_or(usize::MAX);
        let taken: Vec<u64> = (self.from..end).step_by(step).collect();
        if taken.is_empty() {
            let to = self.to.map(|to| format!(" TO {to}")).unwrap_or_default();
            return Err(VideoError::Span {
                clip: clip.place().display().to_string(),
                count: clip.len(),
                what: format!("FROM {}{to}", self.from),
            });
        }
        Ok(taken)
    }

    /// When a frame was captured, from the clip's beginning; `None` where no rate is known.
    #[must_use]
    pub fn time(&self, number: u64) -> Option<Duration> {
        let rate = self.rate.filter(|rate| *rate > 0.0)?;
        Duration::try_from_secs_f64(number as f64 / rate).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn clip() -> (tempfile::TempDir, Clip) {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..10 {
            std::fs::write(folder.path().join(format!("{number}.png")), "").unwrap();
        }
        let clip = Clip::open(".", folder.path()).unwrap();
        (folder, clip)
    }

    const ALL: Span = Span {
        from: 0,
        to: None,
        every: 1,
        rate: Some(10.0),
    };

    #[test]
    fn from_to_and_every_are_numbers_of_frames() {
        let (_folder, clip) = clip();
        assert_eq!(ALL.of(&clip).unwrap().len(), 10);
        let span = Span {
            from: 2,
            to: Some(8),
            every: 3,
            ..ALL
        };
        assert_eq!(span.of(&clip).unwrap(), [2, 5, 8]);
        let beyond = Span {
            to: Some(99),
            ..span
        };
        assert_eq!(beyond.of(&clip).unwrap(), [2, 5, 8]);
    }

    #[test]
    fn a_span_beyond_the_end_is_told_with_the_count() {
        let (_folder, clip) = clip();
        let error = Span { from: 10, ..ALL }.of(&clip).unwrap_err().to_string();
        assert!(
            error.contains("10 frames, from 0 to 9; FROM 10 takes none"),
            "{error}"
        );
    }

    #[test]
    fn time_follows_from_the_number_where_the_rate_is_known() {
        assert_eq!(ALL.time(25), Some(Duration::from_millis(2500)));
        assert_eq!(Span { rate: None, ..ALL }.time(25), None);
        let zero = Some(0.0);
        assert_eq!(Span { rate: zero, ..ALL }.time(25), None);
    }
}
