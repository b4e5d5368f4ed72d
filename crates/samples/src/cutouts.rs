//! Objects of many kinds, cut out and put together over backgrounds. The same kind comes in other
//! pictures, often in another drawing style, in prompt and query.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use image::{Rgb, RgbImage, RgbaImage};

use crate::{
    Augmentation, Sample, SamplesError, SegType, Settings, Source, Weights,
    backgrounds::{Backgrounds, Scale, shrink, stored},
    files::{Cache, Files, extension},
    picture::{Group, NOTHING, Picture},
    rng::Rng,
    synthetic::{
        self,
        texture::{Material, any_color},
    },
    task::{self, Ask, Task},
};

const FOLDER: &str = "objects/";

/// Black strokes that may have any colour.
const STROKES: &str = "omniglot";

/// Objects over backgrounds, as they are. [`Mix`](crate::Mix) adds augmentation.
pub struct Cutouts {
    size: usize,
    task: Scenes,
}

impl Cutouts {
    /// Samples of `size` x `size` pixels from `root/objects/SOURCE/CLASS/*.webp` (with alpha) and
    /// `root/backgrounds/SOURCE/*.jpg`. `root` may be a pack.
    ///
    /// `root/objects/SOURCE/classes.tsv` may have the columns `class`, `group` and `subgroup_id`: classes
    /// of one subgroup look alike, and never stand in one picture.
    ///
    /// # Errors
    /// As [`Mix::new`](crate::Mix::new).
    pub fn new(size: u32, root: impl Into<std::path::PathBuf>) -> Result<Self, SamplesError> {
        let weights = Weights {
            synthetic: 0.0,
            cutouts: 1.0,
            ..Weights::default()
        };
        let settings = Settings {
            size,
            root: Some(root.into()),
            weights,
            ..Settings::default()
        };
        settings.check()?;
        let files = Arc::new(Files::open(
            settings
                .root
                .as_deref()
                .unwrap_or(std::path::Path::new(".")),
        )?);
        Ok(Self {
            size: size as usize,
            task: Scenes::open(&files, settings.scale())?,
        })
    }
}

impl Source for Cutouts {
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

struct Class {
    source: String,
    name: String,
    /// Classes with the same one look alike.
    likeness: String,
    files: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct Scenes {
    files: Arc<Files>,
    classes: Arc<[Class]>,
    /// The classes of each source.
    sources: Arc<[Vec<usize>]>,
    /// The longest side that cut-outs are kept with.
    detail: u32,
    backgrounds: Backgrounds,
    cache: Cache<RgbaImage>,
}

impl Scenes {
    pub(crate) fn open(files: &Arc<Files>, scale: Scale) -> Result<Self, SamplesError> {
        const NEEDS: &str = "cut-out objects";
        let mut found: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for name in files.below(FOLDER) {
            let mut parts = name[FOLDER.len()..].split('/');
            if let (Some(source), Some(class), Some(_), None) =
                (parts.next(), parts.next(), parts.next(), parts.next())
                && matches!(extension(name), "webp" | "png")
            {
                found
                    .entry((source, class))
                    .or_default()
                    .push(name.to_owned());
            }
        }
        if found.is_empty() {
            return Err(files.nothing(FOLDER, NEEDS, "cut-outs (SOURCE/CLASS/*.webp with alpha)"));
        }
        let mut likenesses: HashMap<&str, HashMap<String, String>> = HashMap::new();
        let mut classes = Vec::with_capacity(found.len());
        for ((source, name), pictures) in found {
            let groups = match likenesses.entry(source) {
                std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::hash_map::Entry::Vacant(entry) => {
                    entry.insert(likeness(files, source)?)
                }
            };
            let likeness = groups
                .get(name)
                .cloned()
                .unwrap_or_else(|| format!("{source}/{name}"));
            classes.push(Class {
                source: source.to_owned(),
                name: name.to_owned(),
                likeness,
                files: pictures,
            });
        }
        let mut sources: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, class) in classes.iter().enumerate() {
            sources.entry(&class.source).or_default().push(index);
        }
        let sources = sources.into_values().collect();
        Ok(Self {
            files: Arc::clone(files),
            sources,
            backgrounds: Backgrounds::open(files, scale, NEEDS)?,
            detail: scale.size * 3 / 4,
            cache: Cache::new(scale.cache / 4),
            classes: classes.into(),
        })
    }

    /// Classes that do not look alike; the first is from a source drawn in proportion to the root of its size.
    fn choose(&self, count: usize, rng: &mut Rng) -> Vec<usize> {
        let weights: Vec<f32> = self
            .sources
            .iter()
            .map(|s| (s.len() as f32).sqrt())
            .collect();
        let one_source = rng.chance(0.4);
        let first = rng.weighted(&weights);
        let mut chosen: Vec<usize> = Vec::with_capacity(count);
        for _ in 0..count * 8 {
            if chosen.len() == count {
                break;
            }
            let source = if chosen.is_empty() || one_source {
                first
            } else {
                rng.weighted(&weights)
            };
            let class = *rng.pick(&self.sources[source]);
            let likeness = &self.classes[class].likeness;
            if chosen
                .iter()
                .all(|&other| &self.classes[other].likeness != likeness)
            {
                chosen.push(class);
            }
        }
        chosen
    }

    /// A cut-out with its colours multiplied by alpha.
    fn cutout(&self, name: &str) -> Option<Arc<RgbaImage>> {
        let files = &self.files;
        self.cache.get(name, || {
            let refuse = |reason: String| SamplesError::Content {
                path: files.path(name),
                reason,
            };
            let picture = stored(files, name)?;
            if !picture.color().has_alpha() {
                return Err(refuse(
                    "has no alpha channel; cut the object out, or remove the file".to_owned(),
                ));
            }
            let mut rgba = picture.into_rgba8();
            for pixel in rgba.pixels_mut() {
                let [r, g, b, alpha] = pixel.0;
                let times = |c: u8| ((u32::from(c) * u32::from(alpha) + 127) / 255) as u8;
                pixel.0 = [times(r), times(g), times(b), alpha];
            }
            let rgba = shrink(rgba, self.detail);
            let bytes = rgba.as_raw().len();
            Ok((rgba, bytes))
        })
    }
}

/// Which subgroup each class of a source belongs to, from its `classes.tsv`.
fn likeness(files: &Files, source: &str) -> Result<HashMap<String, String>, SamplesError> {
    let Some(table) = files.text(&format!("{FOLDER}{source}/classes.tsv"))? else {
        return Ok(HashMap::new());
    };
    let mut lines = table
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let header = lines.next().unwrap_or_default();
    let column = |name: &str| header.iter().position(|&h| h == name);
    let (Some(class), Some(subgroup)) = (column("class"), column("subgroup_id")) else {
        return Ok(HashMap::new());
    };
    let pairs = lines.filter_map(|line| {
        Some((
            (*line.get(class)?).to_owned(),
            format!("{source}#{}", line.get(subgroup)?),
        ))
    });
    Ok(pairs.collect())
}

/// How the objects of a task look, beside their kind.
struct Look {
    shadows: bool,
    /// All objects filled with surfaces: only their outline counts.
    silhouettes: bool,
    largest: f32,
    number: usize,
}

impl Task for Scenes {
    fn another(&self) -> Box<dyn Task> {
        Box::new(self.clone())
    }

    fn group(&mut self, ask: Ask, rng: &mut Rng) -> Option<Group> {
        let classes = self.choose(rng.between(2, 5), rng);
        let look = Look {
            shadows: rng.chance(0.4),
            silhouettes: rng.chance(0.06),
            largest: rng.range(0.2, 0.5),
            number: rng.between(3, 9),
        };
        // Every picture of the task shows other pictures of the classes, as long as there are some.
        let mut decks: Vec<Vec<String>> = classes
            .iter()
            .map(|&c| self.classes[c].files.clone())
            .collect();
        decks.iter_mut().for_each(|deck| rng.shuffle(deck));
        let mut pictures = Vec::with_capacity(ask.count);
        for number in 0..ask.count {
            let place = (number, ask.count);
            pictures.push(self.picture(&classes, &decks, place, &look, ask.size, rng)?);
        }
        let first = &self.classes[classes[0]];
        Some(Group {
            pictures,
            kind: SegType::Semantic,
            origin: format!(
                "cut-outs: {}/{} and {} more",
                first.source,
                first.name,
                classes.len() - 1
            ),
            colour_matters: false,
        })
    }
}

impl Scenes {
    fn picture(
        &self,
        classes: &[usize],
        decks: &[Vec<String>],
        place: (usize, usize),
        look: &Look,
        size: usize,
        rng: &mut Rng,
    ) -> Option<Picture> {
        let mut picture =
            Picture::new(self.backgrounds.any(size, rng)?, vec![NOTHING; size * size]);
        // The first class is always there, and comes last so that nothing hides it.
        let mut things: Vec<usize> = (1..look.number).map(|_| rng.below(classes.len())).collect();
        things.push(0);
        let side = size as f32;
        let mut before = vec![None; classes.len()];
        for thing in things {
            let deck = &decks[thing];
            let stroke = self.classes[classes[thing]].source == STROKES;
            let hand = hand(deck.len(), place);
            let next = hand.start + rng.below(hand.len());
            // Things of a kind in one picture are often the very same.
            let file = if rng.chance(0.65) {
                *before[thing].get_or_insert(next)
            } else {
                next
            };
            let cutout = self.cutout(&deck[file])?;
            let height =
                side * look.largest * rng.range(0.55, 1.0) * if stroke { 1.3 } else { 1.0 };
            let object = Object {
                zoom: cutout.width().max(cutout.height()) as f32 / height,
                turn: if rng.chance(0.2) {
                    rng.angle().sin_cos()
                } else {
                    (rng.normal() * 0.2).sin_cos()
                },
                mirror: !stroke && rng.chance(0.5),
                centre: [rng.range(0.1, 0.9) * side, rng.range(0.1, 0.9) * side],
                light: rng.range(0.85, 1.15),
                fill: if look.silhouettes {
                    Some(Material::any(size, rng))
                } else if stroke {
                    Some(Material::plain(any_color(rng), size, rng))
                } else {
                    None
                },
                rgba: cutout,
            };
            if look.shadows {
                object.shadow(&mut picture.rgb, height * 0.07);
            }
            object.paint(&mut picture, 1 + thing as u8);
        }
        Some(picture)
    }
}

/// The cards of a deck that one of several pictures may show, none of which another picture shows where there are enough.
fn hand(deck: usize, (number, count): (usize, usize)) -> std::ops::Range<usize> {
    match deck < count {
        true => number % deck..number % deck + 1,
        false => number * deck / count..(number + 1) * deck / count,
    }
}

/// A cut-out in its place.
struct Object {
    rgba: Arc<RgbaImage>,
    /// Its pixels for one of the picture.
    zoom: f32,
    /// Sine and cosine.
    turn: (f32, f32),
    mirror: bool,
    centre: [f32; 2],
    light: f32,
    fill: Option<Material>,
}

impl Object {
    /// Columns and rows of the picture that it may touch.
    fn window(&self, size: u32, shift: f32) -> (std::ops::Range<u32>, std::ops::Range<u32>) {
        let reach =
            (self.rgba.width() as f32).hypot(self.rgba.height() as f32) / self.zoom / 2.0 + 1.0;
        let range = |middle: f32| {
            let clamp = |v: f32| (v.max(0.0) as u32).min(size);
            clamp(middle + shift - reach)..clamp((middle + shift + reach).ceil())
        };
        (range(self.centre[0]), range(self.centre[1]))
    }

    /// Premultiplied colour and alpha (0 to 1) under a pixel.
    fn at(&self, x: f32, y: f32) -> [f32; 4] {
        let (sin, cos) = self.turn;
        let taps = (self.zoom.ceil() as usize).clamp(1, 4);
        let (width, height) = (self.rgba.width() as i32, self.rgba.height() as i32);
        let (dx, dy) = (x + 0.5 - self.centre[0], y + 0.5 - self.centre[1]);
        let beyond = |along: f32, length: i32| {
            self.zoom * along.abs() > length as f32 / 2.0 + self.zoom + 1.0
        };
        if beyond(dx * cos + dy * sin, width) || beyond(dy * cos - dx * sin, height) {
            return [0.0; 4];
        }
        let mut sum = [0.0; 4];
        for tap in 0..taps * taps {
            let step = |i: usize| (i as f32 + 0.5) / taps as f32;
            let (dx, dy) = (
                x + step(tap % taps) - self.centre[0],
                y + step(tap / taps) - self.centre[1],
            );
            let (u, v) = (
                self.zoom * (dx * cos + dy * sin),
                self.zoom * (dy * cos - dx * sin),
            );
            let u = if self.mirror { -u } else { u };
            let (u, v) = (u + width as f32 / 2.0 - 0.5, v + height as f32 / 2.0 - 0.5);
            let (left, top) = (u.floor(), v.floor());
            let (s, t) = (u - left, v - top);
            for (dx, dy, weight) in [
                (0, 0, (1.0 - s) * (1.0 - t)),
                (1, 0, s * (1.0 - t)),
                (0, 1, (1.0 - s) * t),
                (1, 1, s * t),
            ] {
                let (x, y) = (left as i32 + dx, top as i32 + dy);
                if (0..width).contains(&x) && (0..height).contains(&y) {
                    let pixel = self.rgba.get_pixel(x as u32, y as u32).0;
                    for (sum, channel) in sum.iter_mut().zip(pixel) {
                        *sum += f32::from(channel) * weight;
                    }
                }
            }
        }
        let [r, g, b, alpha] = sum.map(|s| s / (taps * taps) as f32);
        [r, g, b, alpha / 255.0]
    }

    fn paint(&self, picture: &mut Picture, role: u8) {
        let size = picture.rgb.width();
        let (columns, rows) = self.window(size, 0.0);
        for y in rows {
            for x in columns.clone() {
                let [r, g, b, alpha] = self.at(x as f32, y as f32);
                if alpha <= 0.004 {
                    continue;
                }
                let object = match &self.fill {
                    Some(material) => material.at(x as f32, y as f32).map(|c| c * 255.0 * alpha),
                    None => [r, g, b].map(|c| c * self.light),
                };
                let Rgb(below) = *picture.rgb.get_pixel(x, y);
                let mixed = std::array::from_fn(|i| {
                    (object[i] + f32::from(below[i]) * (1.0 - alpha) + 0.5).clamp(0.0, 255.0) as u8
                });
                picture.rgb.put_pixel(x, y, Rgb(mixed));
                if alpha >= 0.5 {
                    picture.roles[(y * size + x) as usize] = role;
                }
            }
        }
    }

    fn shadow(&self, rgb: &mut RgbImage, shift: f32) {
        let (columns, rows) = self.window(rgb.width(), shift);
        for y in rows {
            for x in columns.clone() {
                let alpha = self.at(x as f32 - shift, y as f32 - shift)[3];
                let pixel = rgb.get_pixel_mut(x, y);
                pixel.0 = pixel.0.map(|c| (f32::from(c) * (1.0 - 0.4 * alpha)) as u8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_pictures_of_a_task_show_the_same_file_where_there_are_enough() {
        for count in 1..=5 {
            for deck in 1..40 {
                let hands = (0..count).map(|number| hand(deck, (number, count)));
                let all: Vec<usize> = hands.clone().flatten().collect();
                assert!(hands.clone().all(|hand| !hand.is_empty()));
                assert!(all.iter().all(|&card| card < deck));
                if deck >= count {
                    assert_eq!(all, (0..deck).collect::<Vec<_>>());
                }
            }
        }
    }
}
