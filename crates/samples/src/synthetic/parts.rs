//! Things made of parts: creatures, machines, faces. Asks for a part, or for a whole species.

use std::f32::consts::TAU;

use super::{
    canvas::Canvas,
    form::{Form, Pose, scatter},
    group,
    texture::{Cue, Material, surfaces},
};
use crate::{
    picture::{Group, NOTHING, Picture},
    rng::Rng,
};

/// A part of a body: its places, relative to the body.
struct Part {
    form: Form,
    surface: usize,
    /// Angle around the body, distance from its middle, size, own angle.
    places: Vec<[f32; 4]>,
    behind: bool,
}

struct Species {
    body: Form,
    stretch: f32,
    surface: usize,
    parts: Vec<Part>,
}

pub(super) fn draw(count: usize, size: usize, rng: &mut Rng) -> Group {
    let by_species = rng.chance(0.4);
    let materials = surfaces(6, Cue::Both, size, rng);
    let ground = Material::any(size, rng);
    let species: Vec<Species> = (0..rng.between(2, 3))
        .map(|_| Species::any(materials.len(), rng))
        .collect();
    // Where species are asked for, their colours may be anything.
    let repaint = by_species && rng.chance(0.4);
    let pictures = (0..count)
        .map(|_| {
            picture(
                &species, &materials, &ground, by_species, repaint, size, rng,
            )
        })
        .collect();
    let what = if by_species {
        "creatures by species"
    } else {
        "creatures by part"
    };
    group(what.to_owned(), false, pictures)
}

impl Species {
    fn any(surfaces: usize, rng: &mut Rng) -> Self {
        let body = match rng.below(4) {
            0 => Form::Ellipse { aspect: 1.0 },
            1 => Form::Box {
                aspect: rng.range(0.5, 1.0),
                round: rng.range(0.1, 0.6),
            },
            2 => Form::polygon(rng.between(3, 6)),
            _ => Form::blob(0.15, rng),
        };
        let surface = rng.below(surfaces);
        let parts = (0..rng.between(2, 4))
            .map(|index| {
                let behind = rng.chance(0.5);
                // Next to each other in the list are different surfaces.
                let surface = (surface + 1 + index) % surfaces;
                let (distance, radius) = if behind {
                    (rng.range(0.9, 1.15), rng.range(0.28, 0.55))
                } else {
                    (rng.range(0.0, 0.6), rng.range(0.18, 0.38))
                };
                let number = *rng.pick(&[1, 1, 2, 2, 3, 4]);
                let (from, twist) = (rng.angle(), rng.angle());
                let spread = if rng.chance(0.5) {
                    TAU / number as f32
                } else {
                    rng.range(0.5, 1.1)
                };
                let places = (0..number)
                    .map(|i| {
                        [
                            from + i as f32 * spread,
                            distance,
                            radius,
                            twist + i as f32 * spread,
                        ]
                    })
                    .collect();
                Part {
                    form: Form::any(rng),
                    surface,
                    places,
                    behind,
                }
            })
            .collect();
        Self {
            body,
            stretch: rng.log_range(0.6, 1.6),
            surface,
            parts,
        }
    }
}

fn picture(
    species: &[Species],
    materials: &[Material],
    ground: &Material,
    by_species: bool,
    repaint: bool,
    size: usize,
    rng: &mut Rng,
) -> Picture {
    let mut canvas = Canvas::new(size, &ground.again(rng), NOTHING);
    let side = size as f32;
    let count = rng.between(2, 5);
    let radius = side * rng.range(0.14, 0.2);
    for (index, place) in scatter(count, |_| radius * 1.3, 0.85, side, rng)
        .into_iter()
        .enumerate()
    {
        let Some(centre) = place else { continue };
        let number = if index < species.len() {
            index
        } else {
            rng.below(species.len())
        };
        let one = &species[number];
        let shift = if repaint {
            rng.below(materials.len())
        } else {
            0
        };
        let surfaces: Vec<Material> = (0..materials.len())
            .map(|i| materials[(i + shift) % materials.len()].again(rng))
            .collect();
        let mut pose = Pose::new(centre, radius * rng.range(0.75, 1.25), rng.angle());
        (pose.stretch, pose.mirror) = (one.stretch, rng.chance(0.5));
        let first = 1 + (number * 8) as u8;
        let role = |part: usize| {
            if by_species {
                first
            } else {
                first + part as u8
            }
        };
        let bend = rng.normal() * 0.12;
        for behind in [true, false] {
            for (index, part) in one
                .parts
                .iter()
                .enumerate()
                .filter(|(_, part)| part.behind == behind)
            {
                for &[angle, distance, size, turn] in &part.places {
                    let (sin, cos) = (angle + bend).sin_cos();
                    let at = pose.global(distance * cos, distance * sin);
                    let turned = if pose.mirror {
                        -(turn + bend)
                    } else {
                        turn + bend
                    };
                    let mut own = Pose::new(at, pose.radius * size, pose.angle + turned);
                    own.mirror = pose.mirror;
                    let surface = &surfaces[part.surface];
                    canvas.paint(
                        own.bounds(),
                        Some(role(1 + index)),
                        1.0,
                        |x, y| own.distance(&part.form, x, y),
                        |x, y, _| surface.at(x, y),
                    );
                }
            }
            if behind {
                let surface = &surfaces[one.surface];
                canvas.paint(
                    pose.bounds(),
                    Some(role(0)),
                    1.0,
                    |x, y| pose.distance(&one.body, x, y),
                    |x, y, _| surface.at(x, y),
                );
            }
        }
    }
    canvas.finish()
}
