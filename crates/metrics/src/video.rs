use std::collections::{BTreeMap, btree_map::Entry};

use seggpt_imaging::LabelPlane;

use crate::{MetricsError, Tolerance, boundary, number::mean, region};

/// J and F of the objects of any number of videos.
///
/// Equals davis2017-evaluation (semi-supervised) when given the frames that it counts: all but the
/// first, whose mask is the prompt, and the last. [`Videos::counted`] names them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Videos {
    objects: BTreeMap<(String, u16), BTreeMap<usize, (f64, f64)>>,
    tolerance: Tolerance,
}

/// Mean, recall and decay of one measure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// The mean over the frames.
    pub mean: f64,
    /// The share of frames above one half.
    pub recall: f64,
    /// What is lost from the first quarter of the frames to the last.
    pub decay: f64,
}

/// One object of one video.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectScore {
    /// Name of the video.
    pub video: String,
    /// Id of the object in it.
    pub object: u16,
    /// Region similarity.
    pub j: Statistics,
    /// Boundary accuracy.
    pub f: Statistics,
}

/// What [`Videos`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct VideoReport {
    /// One score per object, by video and id.
    pub objects: Vec<ObjectScore>,
    /// Region similarity, the mean over objects.
    pub j: Statistics,
    /// Boundary accuracy, the mean over objects.
    pub f: Statistics,
    /// The mean of both means, by which methods are ranked.
    pub j_and_f: f64,
}

/// The five numbers of YouTube-VOS; `None` for a group without objects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenUnseen {
    /// J over objects of categories that occur in the training videos.
    pub j_seen: Option<f64>,
    /// J over the others.
    pub j_unseen: Option<f64>,
    /// F over objects of categories that occur in the training videos.
    pub f_seen: Option<f64>,
    /// F over the others.
    pub f_unseen: Option<f64>,
    /// G: the mean of those of the four that exist.
    pub overall: Option<f64>,
}

impl Videos {
    /// An accumulator with another tolerance of F than DAVIS has.
    #[must_use]
    pub fn with_tolerance(tolerance: Tolerance) -> Self {
        Self {
            objects: BTreeMap::new(),
            tolerance,
        }
    }

    /// The frames of a video of `frames` that DAVIS counts.
    #[must_use]
    pub fn counted(frames: usize) -> std::ops::Range<usize> {
        1..frames.saturating_sub(1).max(1)
    }

    /// The objects that DAVIS expects in a video: 1 up to the largest id in the first frame's mask.
    #[must_use]
    pub fn objects(first: &LabelPlane) -> std::ops::RangeInclusive<u16> {
        1..=first.classes().last().copied().unwrap_or(0)
    }

    /// Counts one frame: every id of `objects` is looked for in both planes.
    ///
    /// Pixels with [`seggpt_imaging::IGNORE`] in the truth belong to no object, as in davis2017-evaluation,
    /// where they then count against an answer that claims them.
    ///
    /// # Errors
    /// [`MetricsError::SizesDiffer`]; [`MetricsError::Frame`] if the frame was counted before, or if the
    /// prediction has an object that is not among `objects`.
    pub fn add(
        &mut self,
        video: &str,
        frame: usize,
        objects: impl IntoIterator<Item = u16>,
        prediction: &LabelPlane,
        truth: &LabelPlane,
    ) -> Result<(), MetricsError> {
        let objects: Vec<u16> = objects.into_iter().collect();
        let classes = prediction.classes();
        if let Some(stray) = classes.iter().find(|class| !objects.contains(class)) {
            return Err(MetricsError::Frame {
                video: video.to_owned(),
                frame,
                reason: format!(
                    "the prediction has object {stray}, but the objects are {objects:?}"
                ),
            });
        }
        let scores = objects.iter().map(|&object| {
            let (p, t) = (prediction.mask(object), truth.mask(object));
            let j = region(&p, &t, None)?;
            Ok((object, (j, boundary(&p, &t, None, self.tolerance)?)))
        });
        for (object, score) in scores.collect::<Result<Vec<_>, MetricsError>>()? {
            self.insert(video.to_owned(), object, frame, score)?;
        }
        Ok(())
    }

    /// Counts J and F of one object in one frame that were measured elsewhere.
    ///
    /// # Errors
    /// [`MetricsError::Frame`] if the object was counted in this frame before.
    pub fn insert(
        &mut self,
        video: String,
        object: u16,
        frame: usize,
        score: (f64, f64),
    ) -> Result<(), MetricsError> {
        let frames = self.objects.entry((video.clone(), object)).or_default();
        match frames.entry(frame) {
            Entry::Vacant(place) => {
                place.insert(score);
                Ok(())
            }
            Entry::Occupied(_) => Err(MetricsError::Frame {
                video,
                frame,
                reason: format!("object {object} was counted before; count every frame once"),
            }),
        }
    }

    /// Adds what another accumulator counted: other videos, or other frames of the same ones.
    ///
    /// # Errors
    /// [`MetricsError::Merge`] if the tolerances differ; [`MetricsError::Frame`] if both counted a frame.
    pub fn merge(&mut self, other: &Self) -> Result<(), MetricsError> {
        if self.tolerance != other.tolerance {
            return Err(MetricsError::Merge {
                what: "video scores",
                reason: format!("{:?} against {:?}", self.tolerance, other.tolerance),
            });
        }
        for ((video, object), frames) in &other.objects {
            for (&frame, &score) in frames {
                self.insert(video.clone(), *object, frame, score)?;
            }
        }
        Ok(())
    }

    /// The scores of everything that was counted, or `None` of nothing.
    #[must_use]
    pub fn finish(&self) -> Option<VideoReport> {
        let objects: Vec<ObjectScore> = self
            .objects
            .iter()
            .filter_map(|((video, object), frames)| {
                let of = |pick: fn(&(f64, f64)) -> f64| {
                    Statistics::of(&frames.values().map(pick).collect::<Vec<_>>())
                };
                Some(ObjectScore {
                    video: video.clone(),
                    object: *object,
                    j: of(|score| score.0)?,
                    f: of(|score| score.1)?,
                })
            })
            .collect();
        let j = Statistics::mean(objects.iter().map(|object| object.j))?;
        let f = Statistics::mean(objects.iter().map(|object| object.f))?;
        Some(VideoReport {
            j_and_f: (j.mean + f.mean) / 2.0,
            j,
            f,
            objects,
        })
    }
}

impl Statistics {
    /// Statistics of a sequence in the order of its frames; `None` of none.
    ///
    /// Equals `db_statistics` of davis2017-evaluation up to 256 frames, beyond which that wraps its
    /// indices around.
    #[must_use]
    pub fn of(frames: &[f64]) -> Option<Self> {
        let last = frames.len().checked_sub(1)?;
        let bound = |quarter: usize| (last * quarter) as f64 / 4.0;
        let bound = |quarter| (bound(quarter) + 0.5 + 1e-10).floor() as usize;
        let part = |from, to| mean(frames[bound(from)..=bound(to)].iter().copied());
        Some(Self {
            mean: mean(frames.iter().copied())?,
            recall: mean(frames.iter().map(|&value| f64::from(value > 0.5)))?,
            decay: part(0, 1)? - part(3, 4)?,
        })
    }

    fn mean(all: impl Iterator<Item = Self> + Clone) -> Option<Self> {
        Some(Self {
            mean: mean(all.clone().map(|one| one.mean))?,
            recall: mean(all.clone().map(|one| one.recall))?,
            decay: mean(all.map(|one| one.decay))?,
        })
    }
}

impl VideoReport {
    /// The means that YouTube-VOS reports: over the objects of categories seen in training, over
    /// the others, and of both. Its scores come from a server whose code is not public; this is
    /// their published definition on the J and F of DAVIS.
    #[must_use]
    pub fn seen_unseen(&self, seen: impl Fn(&str, u16) -> bool) -> SeenUnseen {
        let group = |kind: bool, of: fn(&ObjectScore) -> f64| {
            let members = self
                .objects
                .iter()
                .filter(|object| seen(&object.video, object.object) == kind);
            mean(members.map(of))
        };
        let (j, f) = (
            |object: &ObjectScore| object.j.mean,
            |object: &ObjectScore| object.f.mean,
        );
        let [j_seen, j_unseen, f_seen, f_unseen] = [
            group(true, j),
            group(false, j),
            group(true, f),
            group(false, f),
        ];
        let overall = mean([j_seen, j_unseen, f_seen, f_unseen].into_iter().flatten());
        SeenUnseen {
            j_seen,
            j_unseen,
            f_seen,
            f_unseen,
            overall,
        }
    }
}
