//! Crops of pictures that people have labelled.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use seggpt_imaging::resize::nearest;

use crate::{
    Augmentation, Sample, SamplesError, SegType, Settings, Source, Weights,
    backgrounds::{Scale, decode, shrink, stored},
    files::{Cache, Files, extension},
    picture::{Group, NOTHING, Picture, UNKNOWN},
    rng::Rng,
    synthetic,
    task::{self, Ask, Task},
};

const FOLDER: &str = "labelled/";

/// The role of what has no label, where that is asked for as well.
const BACKGROUND: u8 = 254;

/// Labelled pictures as they are. [`Mix`](crate::Mix) adds augmentation.
pub struct Labelled {
    size: usize,
    task: Crops,
}

impl Labelled {
    /// Samples of `size` x `size` pixels from `root/labelled/SET/images/NAME.jpg|png` and
    /// `root/labelled/SET/masks/NAME.png` (8 bits: 0 background, 255 unknown). `root` may be a pack.
    ///
    /// A set whose `SOURCE.txt` speaks of "INSTANCE ids" has one number for each thing, all others have
    /// one for each class.
    ///
    /// # Errors
    /// As [`Mix::new`](crate::Mix::new).
    pub fn new(size: u32, root: impl AsRef<Path>) -> Result<Self, SamplesError> {
        let weights = Weights {
            synthetic: 0.0,
            labelled: 1.0,
            ..Weights::default()
        };
        let settings = Settings {
            size,
            root: Some(root.as_ref().to_owned()),
            weights,
            ..Settings::default()
        };
        settings.check()?;
        let files = Arc::new(Files::open(root.as_ref())?);
        Ok(Self {
            size: size as usize,
            task: Crops::open(&files, settings.scale())?,
        })
    }
}

impl Source for Labelled {
    fn sample(&mut self, seed: u64, prompts: usize) -> Sample {
        task::sample(
            &mut self.task,
            &mut synthetic::Scenes,
            &Augmentation::none(),
            self.size,
            prompts,
            Rng::new(seed),
        )
    }
}

#[derive(Clone)]
struct Set {
    name: String,
    /// Names of picture and mask.
    pairs: Vec<(String, String)>,
    things: bool,
}

#[derive(Clone)]
pub(crate) struct Crops {
    files: Arc<Files>,
    sets: Arc<[Set]>,
    /// The longest side that pictures are kept with.
    detail: u32,
    cache: Cache<Picture>,
}

impl Crops {
    pub(crate) fn open(files: &Arc<Files>, scale: Scale) -> Result<Self, SamplesError> {
        let mut sets: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
        for name in files.below(FOLDER) {
            let Some((set, picture)) = name[FOLDER.len()..].split_once("/images/") else {
                continue;
            };
            if !matches!(extension(picture), "jpg" | "png") {
                continue;
            }
            let stem = &picture[..picture.len() - 4];
            let mask = format!("{FOLDER}{set}/masks/{stem}.png");
            if !files.has(&mask) {
                return Err(SamplesError::Content {
                    path: files.path(name),
                    reason: format!(
                        "has no mask {}; add it or remove the picture",
                        files.path(&mask).display()
                    ),
                });
            }
            sets.entry(set).or_default().push((name.to_owned(), mask));
        }
        if sets.is_empty() {
            return Err(files.nothing(
                FOLDER,
                "labelled pictures",
                "labelled pictures (SET/images and SET/masks)",
            ));
        }
        let sets = sets
            .into_iter()
            .map(|(name, pairs)| {
                let about = files.text(&format!("{FOLDER}{name}/SOURCE.txt"))?;
                let things = about.is_some_and(|text| text.contains("INSTANCE ids"));
                Ok(Set {
                    name: name.to_owned(),
                    pairs,
                    things,
                })
            })
            .collect::<Result<_, SamplesError>>()?;
        Ok(Self {
            files: Arc::clone(files),
            sets,
            detail: scale.size * 3,
            cache: Cache::new(scale.cache / 2),
        })
    }

    fn picture(&self, set: usize, index: usize) -> Option<Arc<Picture>> {
        let files = &self.files;
        let Set { pairs, things, .. } = &self.sets[set];
        let (picture, mask) = &pairs[index];
        self.cache.get(picture, || {
            let rgb = decode(files, picture)?;
            let refuse = |reason: String| SamplesError::Content {
                path: files.path(mask),
                reason,
            };
            let labels = stored(files, mask)?;
            let image::DynamicImage::ImageLuma8(labels) = labels else {
                return Err(refuse(
                    "is no 8-bit grey PNG of class numbers; export it as one".to_owned(),
                ));
            };
            if labels.dimensions() != rgb.dimensions() {
                let ((w, h), (pw, ph)) = (labels.dimensions(), rgb.dimensions());
                return Err(refuse(format!(
                    "has {w} x {h} pixels, but its picture {pw} x {ph}; export it again"
                )));
            }
            let (from, rgb) = (labels.dimensions(), shrink(rgb, self.detail));
            let [from, to] = [from, rgb.dimensions()].map(|(w, h)| (w as usize, h as usize));
            let mut labels = nearest(labels.as_raw(), from, to);
            let bytes = labels.len() * 4;
            if *things {
                // Where things are numbered, 255 is one like the others.
                labels
                    .iter_mut()
                    .filter(|label| **label == UNKNOWN)
                    .for_each(|label| *label = 1);
            }
            Ok((Picture::new(rgb, labels), bytes))
        })
    }
}

impl Task for Crops {
    fn another(&self) -> Box<dyn Task> {
        Box::new(self.clone())
    }

    fn group(&mut self, ask: Ask, rng: &mut Rng) -> Option<Group> {
        let weights: Vec<f32> = self
            .sets
            .iter()
            .map(|set| (set.pairs.len() as f32).sqrt())
            .collect();
        let set = rng.weighted(&weights);
        let (number, things) = (self.sets[set].pairs.len(), self.sets[set].things);
        let alike = things && !ask.things;
        let first = rng.below(number);
        let whole = self.picture(set, first)?;
        let here = labels(&whole, alike);
        let class = *rng.pick(if here.is_empty() { return None } else { &here });
        let background = rng.chance(0.2);
        // Things near the camera stay near: all crops of a task have about the same scale.
        let share = rng.log_range(0.12, 1.0);
        let free = rng.chance(0.3);
        let mut pictures = Vec::with_capacity(ask.count);
        for index in 0..ask.count {
            let mut found = None;
            for attempt in 0..12 {
                let other = if index == 0 || attempt == 11 || rng.chance(0.1) {
                    first
                } else {
                    rng.below(number)
                };
                let other = self.picture(set, other)?;
                if !labels(&other, alike).contains(&class)
                    || (attempt < 6 && !same_light(&whole, &other))
                {
                    continue;
                }
                let turn = if free {
                    rng.angle()
                } else {
                    rng.normal() * 0.1
                };
                let share = (share * rng.log_range(0.6, 1.6)).clamp(0.05, 1.0);
                let (mirror, aspect) = (rng.chance(0.5), rng.log_range(0.87, 1.15));
                let mut crop = other.crop(share, aspect, turn, mirror, ask.size, rng);
                relabel(&mut crop, alike, background && !ask.things);
                if crop.areas()[usize::from(class)] as usize * 60 > ask.size * ask.size {
                    found = Some(crop);
                    break;
                }
            }
            pictures.push(found?);
        }
        let name = &self.sets[set].name;
        Some(Group {
            pictures,
            kind: SegType::Semantic,
            origin: format!("labelled {name}, class {class}"),
            colour_matters: false,
        })
    }
}

/// Taken in about the same way: a stained and a glowing nucleus have little in common but their name.
fn same_light(one: &Picture, other: &Picture) -> bool {
    const FAR: f32 = 55.0;
    let mean = |picture: &Picture| {
        let mut sum = [0.0; 3];
        let every = picture.rgb.pixels().step_by(37);
        let count = every.len().max(1) as f32;
        every.for_each(|p| {
            sum.iter_mut()
                .zip(p.0)
                .for_each(|(s, c)| *s += f32::from(c) / count)
        });
        sum
    };
    mean(one)
        .iter()
        .zip(mean(other))
        .all(|(a, b)| (a - b).abs() < FAR)
}

fn labels(picture: &Picture, alike: bool) -> Vec<u8> {
    let areas = picture.areas();
    let mut labels: Vec<u8> = (1..UNKNOWN)
        .filter(|&label| areas[usize::from(label)] > 0)
        .collect();
    if alike && !labels.is_empty() {
        labels = vec![1];
    }
    labels
}

/// Single things become a kind; what is beside them becomes one, too.
fn relabel(picture: &mut Picture, alike: bool, background: bool) {
    for role in &mut picture.roles {
        *role = match *role {
            NOTHING if background => BACKGROUND,
            NOTHING | UNKNOWN => *role,
            _ if alike => 1,
            other => other,
        };
    }
}
