//! In-context pairs: two pictures that show the same class, or one picture whose single things are asked for.

use std::{collections::BTreeMap, sync::Arc};

use image::RgbImage;
use seggpt_datasets::{Dataset, DatasetError};
use seggpt_imaging::{IGNORE, resize::nearest};

use super::{Context, Set, Sets};
use crate::{
    SamplesError, SegType,
    backgrounds::{Scale, shrink},
    files::Cache,
    picture::{Group, NOTHING, Picture, UNKNOWN, View},
    rng::Rng,
    task::{Ask, Task},
};

/// Roles that one task can have.
const ROLES: usize = 250;

/// A picture with the class, and where the set tells them apart the thing, of every pixel.
struct Decoded {
    rgb: RgbImage,
    classes: Vec<u16>,
    things: Option<Vec<u8>>,
}

#[derive(Clone)]
pub(crate) struct Pairs {
    sets: Sets,
    /// The longest side that pictures are kept with.
    detail: u32,
    cache: Cache<Decoded>,
}

impl Pairs {
    pub(super) fn new(sets: Sets, scale: Scale) -> Self {
        Self {
            sets,
            detail: scale.size * 3,
            cache: Cache::new(scale.cache / 2),
        }
    }

    fn decoded(&self, set: usize, index: usize) -> Option<Arc<Decoded>> {
        let Set { data, .. } = &self.sets.0[set];
        self.cache.get(&format!("{set}/{index}"), || {
            let read = |error: DatasetError| SamplesError::Content {
                path: data.samples()[index].image.clone(),
                reason: error.to_string(),
            };
            let (rgb, truth) = (
                data.picture(index).map_err(read)?,
                data.truth(index).map_err(read)?,
            );
            let size = truth.labels.size();
            if (rgb.width() as usize, rgb.height() as usize) != size {
                return Err(SamplesError::Content {
                    path: data.samples()[index].image.clone(),
                    reason: format!("is not as large as its mask ({} x {})", size.0, size.1),
                });
            }
            let mut things = (!truth.instances.is_empty()).then(|| vec![NOTHING; size.0 * size.1]);
            if let Some(plane) = &mut things {
                // Small things may lie on large ones.
                let mut order: Vec<_> = truth.instances.iter().collect();
                order.sort_by_key(|instance| std::cmp::Reverse(instance.mask.area()));
                for (number, instance) in (1u8..=ROLES as u8).zip(order) {
                    let number = if instance.crowd { UNKNOWN } else { number };
                    let pixels = plane.iter_mut().zip(instance.mask.values());
                    pixels
                        .filter(|(_, set)| **set)
                        .for_each(|(thing, _)| *thing = number);
                }
            }
            let rgb = shrink(rgb, self.detail);
            let to = (rgb.width() as usize, rgb.height() as usize);
            let bytes = to.0 * to.1 * 6;
            let decoded = Decoded {
                classes: nearest(truth.labels.values(), size, to),
                things: things.map(|things| nearest(&things, size, to)),
                rgb,
            };
            Ok((decoded, bytes))
        })
    }
}

impl Task for Pairs {
    fn another(&self) -> Box<dyn Task> {
        Box::new(self.clone())
    }

    fn group(&mut self, ask: Ask, rng: &mut Rng) -> Option<Group> {
        let weights: Vec<f32> = self.sets.0.iter().map(|set| set.weight).collect();
        let number = rng.weighted(&weights);
        let Set {
            data,
            contexts,
            upright,
            ..
        } = &self.sets.0[number];
        let Context {
            class,
            object,
            pictures,
        } = rng.pick(contexts);
        let origin = format!("{}, {}", data.name(), name(&**data, *class));
        if ask.things {
            let decoded = self.decoded(number, *rng.pick(pictures))?;
            let roles = match &decoded.things {
                Some(things) => things.clone(),
                None => Roles::of(*class).all(&decoded.classes),
            };
            let whole = Picture::new(decoded.rgb.clone(), roles);
            return Some(Group {
                pictures: vec![window(&whole, ask.size, 1.0, rng)],
                kind: SegType::Instance,
                origin,
                colour_matters: false,
            });
        }
        let mut roles = Roles::of(*class);
        let mut chosen: Vec<usize> = Vec::with_capacity(ask.count);
        let share = rng.log_range(0.3, 1.0);
        let mut found = Vec::with_capacity(ask.count);
        for _ in 0..ask.count {
            let mut picture = None;
            for _ in 0..12 {
                let index = *rng.pick(pictures);
                // Another picture each time, where there are as many.
                if chosen.contains(&index) && pictures.len() > chosen.len() {
                    continue;
                }
                let decoded = self.decoded(number, index)?;
                let whole = Picture::new(decoded.rgb.clone(), roles.all(&decoded.classes));
                let seen = window(&whole, ask.size, share, rng);
                let seen = match upright {
                    true => seen,
                    false => seen.turned(rng),
                };
                if seen.areas()[1] as usize * 100 > ask.size * ask.size {
                    chosen.push(index);
                    picture = Some(seen);
                    break;
                }
            }
            found.push(picture?);
        }
        Some(Group {
            pictures: found,
            kind: match object {
                true => SegType::Instance,
                false => SegType::Semantic,
            },
            origin,
            colour_matters: false,
        })
    }
}

fn name(data: &dyn Dataset, class: u16) -> String {
    let named = data.classes().iter().find(|known| known.id == class);
    named.map_or_else(|| format!("class {class}"), |class| class.name.clone())
}

/// Which role each class plays in a task; the one that it is about plays role 1.
struct Roles(BTreeMap<u16, u8>);

impl Roles {
    fn of(class: u16) -> Self {
        Self(BTreeMap::from([(class, 1)]))
    }

    fn all(&mut self, classes: &[u16]) -> Vec<u8> {
        classes
            .iter()
            .map(|&class| match class {
                0 => NOTHING,
                IGNORE => UNKNOWN,
                class => {
                    let next = self.0.len() + 1;
                    match self.0.get(&class) {
                        Some(role) => *role,
                        None if next <= ROLES => {
                            self.0.insert(class, next as u8);
                            next as u8
                        }
                        None => UNKNOWN,
                    }
                }
            })
            .collect()
    }
}

/// The whole picture as the network is shown it, squeezed to a square, or a part of it.
fn window(picture: &Picture, size: usize, share: f32, rng: &mut Rng) -> Picture {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let share = (share * rng.log_range(0.7, 1.4)).clamp(0.2, 1.0);
    let part = share.sqrt();
    let place = |whole: f32, rng: &mut Rng| whole * (part / 2.0 + rng.unit() * (1.0 - part));
    let centre = [place(width, rng), place(height, rng)];
    let zoom = part * (width * height).sqrt() / size as f32;
    picture.view(View::new(centre, zoom, width / height, 0.0, false), size)
}
