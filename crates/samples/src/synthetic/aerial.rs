//! Seen from above: fields, woods, water, roads, roofs.

use super::{
    canvas::{Canvas, Field},
    form::{Form, Pose, scatter},
    group,
    texture::{Color, Material, Pattern, blend, near, noise, scale},
};
use crate::{
    picture::{Group, NOTHING, Picture},
    rng::Rng,
};

const FIRST_FIELD: u8 = 1;
const WATER: u8 = 10;
const WOOD: u8 = 11;
const ROAD: u8 = 12;
const FIRST_ROOF: u8 = 13;
const CAR: u8 = 16;

struct Kit {
    fields: Vec<Material>,
    water: Option<Material>,
    wood: Option<Color>,
    road: Option<(Material, f32)>,
    roofs: Vec<Color>,
    roof_radius: f32,
    cars: bool,
}

pub(super) fn draw(count: usize, size: usize, rng: &mut Rng) -> Group {
    let side = size as f32;
    let greens: [Color; 6] = [
        [0.35, 0.5, 0.2],
        [0.6, 0.6, 0.35],
        [0.5, 0.38, 0.25],
        [0.7, 0.65, 0.5],
        [0.2, 0.35, 0.15],
        [0.45, 0.55, 0.4],
    ];
    let mut tones = greens;
    rng.shuffle(&mut tones);
    let patterns = [
        Pattern::Stripes,
        Pattern::Fibres,
        Pattern::Clouds,
        Pattern::Grain,
        Pattern::Plain,
        Pattern::Marble,
        Pattern::Dots,
    ];
    let fields = tones
        .into_iter()
        .take(rng.between(2, 4))
        .map(|tone| {
            let mut field = Material::new(*rng.pick(&patterns), near(tone, 0.06, rng), size, rng);
            field.colors[1] = scale(field.colors[0], rng.range(0.65, 0.9));
            field.with_period(side * rng.range(0.04, 0.1))
        })
        .collect();
    let tiles: [Color; 5] = [
        [0.7, 0.35, 0.25],
        [0.45, 0.45, 0.5],
        [0.85, 0.85, 0.85],
        [0.5, 0.3, 0.25],
        [0.3, 0.35, 0.45],
    ];
    let mut roofs = tiles;
    rng.shuffle(&mut roofs);
    let roofs = if rng.chance(0.75) {
        roofs
            .into_iter()
            .take(rng.between(1, 2))
            .map(|c| near(c, 0.05, rng))
            .collect()
    } else {
        Vec::new()
    };
    let kit = Kit {
        fields,
        water: rng
            .chance(0.4)
            .then(|| Material::plain(near([0.15, 0.3, 0.4], 0.08, rng), size, rng)),
        wood: rng.chance(0.6).then(|| near([0.15, 0.3, 0.12], 0.05, rng)),
        road: rng.chance(0.7).then(|| {
            let grey = rng.range(0.4, 0.85);
            (
                Material::plain(near([grey; 3], 0.03, rng), size, rng),
                (side * rng.range(0.018, 0.04)).max(1.1),
            )
        }),
        roofs,
        roof_radius: side * rng.range(0.045, 0.09),
        cars: rng.chance(0.3),
    };
    let pictures = (0..count).map(|_| kit.picture(size, rng)).collect();
    group("land from above".to_owned(), true, pictures)
}

impl Kit {
    fn picture(&self, size: usize, rng: &mut Rng) -> Picture {
        let side = size as f32;
        let heading = rng.angle();
        let mut canvas = self.fields(size, heading, rng);
        let light = rng.angle();
        if let Some(water) = &self.water {
            let water = water.again(rng);
            let form = Form::blob(0.35, rng);
            let mut pose = Pose::new(
                [rng.unit() * side, rng.unit() * side],
                side * rng.range(0.15, 0.3),
                rng.angle(),
            );
            pose.stretch = rng.range(1.0, 2.5);
            canvas.paint(
                pose.bounds(),
                Some(WATER),
                1.2,
                |x, y| pose.distance(&form, x, y),
                |x, y, _| water.at(x, y),
            );
        }
        if let Some(wood) = self.wood {
            let middle = [rng.unit() * side, rng.unit() * side];
            let spread = side * rng.range(0.08, 0.2);
            for _ in 0..rng.between(12, 40) {
                let at = [
                    middle[0] + rng.normal() * spread,
                    middle[1] + rng.normal() * spread,
                ];
                tree(
                    &mut canvas,
                    at,
                    side * rng.range(0.02, 0.045),
                    wood,
                    light,
                    rng,
                );
            }
            for _ in 0..rng.between(0, 5) {
                tree(
                    &mut canvas,
                    [rng.unit() * side, rng.unit() * side],
                    side * 0.035,
                    wood,
                    light,
                    rng,
                );
            }
        }
        if let Some((surface, width)) = &self.road {
            let surface = surface.again(rng);
            let mut field = Field::new(size);
            let mut centres = Vec::new();
            for turn in [0.0, std::f32::consts::FRAC_PI_2]
                .into_iter()
                .take(rng.between(1, 2))
            {
                let angle = heading + turn;
                let middle = [rng.range(0.2, 0.8) * side, rng.range(0.2, 0.8) * side];
                let to = |by: f32| [middle[0] + by * angle.cos(), middle[1] + by * angle.sin()];
                field.stroke(to(-1.5 * side), to(1.5 * side), *width, *width);
                centres.extend((0..4).map(|_| (to(rng.range(-0.5, 0.5) * side), angle)));
            }
            canvas.paint_field(&field, Some(ROAD), 1.0, |x, y, _| surface.at(x, y));
            if self.cars {
                for (at, angle) in centres {
                    let color = super::texture::any_color(rng);
                    let pose = Pose::new(at, (width * 0.8).max(1.6), angle);
                    let form = Form::Box {
                        aspect: 0.5,
                        round: 0.3,
                    };
                    canvas.paint(
                        pose.bounds(),
                        Some(CAR),
                        1.0,
                        |x, y| pose.distance(&form, x, y),
                        |_, _, _| color,
                    );
                }
            }
        }
        self.roofs(&mut canvas, heading, light, rng);
        canvas.finish()
    }

    fn fields(&self, size: usize, heading: f32, rng: &mut Rng) -> Canvas {
        let (sin, cos) = heading.sin_cos();
        let cell = size as f32 * rng.range(0.3, 0.6);
        let aspect = rng.range(0.6, 1.6);
        let shift = rng.below(self.fields.len());
        let plots: Vec<Material> = (0..16)
            .map(|i| {
                let field = self.fields[(i + shift) % self.fields.len()].again(rng);
                let turn = if rng.chance(0.5) {
                    0.0
                } else {
                    std::f32::consts::FRAC_PI_2
                };
                field.with_angle(heading + turn)
            })
            .collect();
        let mut order: Vec<usize> = (0..16).collect();
        rng.shuffle(&mut order);
        let (seed, hedge) = (rng.seed(), rng.chance(0.3));
        let start = [rng.unit() * 4.0, rng.unit() * 4.0];
        Canvas::from_fn(size, |x, y| {
            let (u, v) = (
                (x * cos + y * sin) / cell + start[0],
                (y * cos - x * sin) / cell * aspect + start[1],
            );
            let row = v.floor();
            let u = u + 0.37 * row;
            let plot = order[(u.floor().rem_euclid(4.0) + 4.0 * row.rem_euclid(4.0)) as usize % 16];
            let kind = (plot + shift) % self.fields.len();
            let color = plots[plot].at(x, y);
            let border =
                (0.5 - (u - u.floor() - 0.5).abs()).min(0.5 - (v - row - 0.5).abs()) * cell;
            if hedge && border < 1.0 {
                return (scale(color, 0.55 + 0.2 * noise(x, y, seed)), NOTHING);
            }
            (color, FIRST_FIELD + kind as u8)
        })
    }

    fn roofs(&self, canvas: &mut Canvas, heading: f32, light: f32, rng: &mut Rng) {
        if self.roofs.is_empty() {
            return;
        }
        let side = canvas.side();
        let (count, radius) = (rng.between(4, 12), self.roof_radius);
        for (index, place) in scatter(count, |_| radius, 1.25, side, rng)
            .into_iter()
            .enumerate()
        {
            let Some(centre) = place else { continue };
            let kind = index % self.roofs.len();
            let turn = if rng.chance(0.5) {
                0.0
            } else {
                std::f32::consts::FRAC_PI_2
            };
            let pose = Pose::new(
                centre,
                radius * rng.range(0.75, 1.25),
                heading + turn + rng.normal() * 0.03,
            );
            let form = Form::Box {
                aspect: rng.range(0.45, 0.9),
                round: 0.0,
            };
            let (sin, cos) = light.sin_cos();
            let by = radius * 0.35;
            let mut shadow = pose.bounds();
            shadow = [
                shadow[0] - by,
                shadow[1] - by,
                shadow[2] + by,
                shadow[3] + by,
            ];
            canvas.shade(shadow, 0.5, 1.5, |x, y| {
                pose.distance(&form, x - by * cos, y - by * sin)
            });
            let color = near(self.roofs[kind], 0.02, rng);
            let hip = rng.chance(0.8);
            let tilt = (light - pose.angle).sin();
            canvas.paint(
                pose.bounds(),
                Some(FIRST_ROOF + kind as u8),
                1.0,
                |x, y| pose.distance(&form, x, y),
                |x, y, _| {
                    let [_, v] = pose.local(x, y);
                    let half = if hip && v * tilt > 0.0 { 0.78 } else { 1.0 };
                    scale(color, half)
                },
            );
        }
    }
}

fn tree(canvas: &mut Canvas, at: [f32; 2], radius: f32, color: Color, light: f32, rng: &mut Rng) {
    let form = Form::blob(0.25, rng);
    let pose = Pose::new(at, radius.max(1.5), rng.angle());
    let color = near(color, 0.03, rng);
    let (sin, cos) = light.sin_cos();
    canvas.paint(
        pose.bounds(),
        Some(WOOD),
        1.2,
        |x, y| pose.distance(&form, x, y),
        |x, y, _| {
            let toward = ((x - at[0]) * cos + (y - at[1]) * sin) / radius;
            blend(
                color,
                scale(color, 1.0 - 0.5 * toward.clamp(-1.0, 1.0)),
                0.8,
            )
        },
    );
}
