//! Seen from a car or a robot: sky, houses, ground with a way into the distance, poles, things on it.

use super::{
    canvas::Canvas,
    form::{Form, Pose},
    group,
    texture::{Color, Cue, Material, any_color, blend, near, noise, octaves, scale, surfaces},
};
use crate::{
    picture::{Group, Picture},
    rng::Rng,
};

const SKY: u8 = 1;
const GROUND: u8 = 2;
const WAY: u8 = 3;
const HOUSE: u8 = 4;
const WINDOW: u8 = 5;
const POLE: u8 = 6;
const HILL: u8 = 7;
const TREE: u8 = 8;
const FIRST_THING: u8 = 9;

struct Kit {
    sky: [Color; 2],
    clouds: f32,
    surfaces: Vec<Material>,
    walls: Vec<Color>,
    leaves: Color,
    things: Vec<(Form, Material)>,
    windows: bool,
    indoor: bool,
}

pub(super) fn draw(count: usize, size: usize, rng: &mut Rng) -> Group {
    let indoor = rng.chance(0.3);
    let sky = if indoor {
        let wall = any_color(rng);
        [wall, scale(wall, 0.85)]
    } else {
        [
            near([0.4, 0.6, 0.9], 0.12, rng),
            near([0.85, 0.88, 0.9], 0.08, rng),
        ]
    };
    let kit = Kit {
        sky,
        clouds: if indoor { 0.0 } else { rng.range(0.0, 0.8) },
        surfaces: surfaces(4, Cue::Both, size, rng),
        walls: (0..3).map(|_| any_color(rng)).collect(),
        leaves: near([0.2, 0.4, 0.15], 0.08, rng),
        things: Form::different(3, rng)
            .into_iter()
            .map(|form| (form, Material::any(size, rng)))
            .collect(),
        windows: rng.chance(0.7),
        indoor,
    };
    let pictures = (0..count).map(|_| kit.picture(size, rng)).collect();
    group(
        if indoor { "room" } else { "street" }.to_owned(),
        true,
        pictures,
    )
}

impl Kit {
    fn picture(&self, size: usize, rng: &mut Rng) -> Picture {
        let side = size as f32;
        let horizon = side * rng.range(0.3, 0.6);
        let vanish = side * rng.range(0.25, 0.75);
        let (near_width, far_width) = (side * rng.range(0.25, 0.6), side * rng.range(0.01, 0.05));
        let bend = rng.normal() * 0.25 * side;
        let [ground, way, hill, _] = [0, 1, 2, 3].map(|i: usize| self.surfaces[i].again(rng));
        let (seed, hills) = (rng.seed(), !self.indoor && rng.chance(0.5));
        let mut canvas = Canvas::from_fn(size, |x, y| {
            if y < horizon {
                let height = horizon - side * 0.25 * octaves(x / side * 2.5, 0.0, seed);
                if hills && y > height {
                    return (hill.at(x, y), HILL);
                }
                let t = y / horizon;
                let cloud = self.clouds
                    * (octaves(x / side * 3.0, y / side * 6.0, seed) - 0.45).max(0.0)
                    * 2.0;
                return (
                    blend(blend(self.sky[0], self.sky[1], t), [1.0; 3], cloud.min(1.0)),
                    SKY,
                );
            }
            // Distances shrink towards the horizon.
            let t = (y - horizon) / (side - horizon);
            let depth = 1.0 / (t + 0.12);
            let middle = vanish + bend * t * (1.0 - t) + (side / 2.0 - vanish) * t;
            let (u, v) = ((x - middle) * depth * 0.5, depth * side * 0.3);
            if (x - middle).abs() < far_width + (near_width - far_width) * t {
                (way.at(u, v), WAY)
            } else {
                (ground.at(u, v), GROUND)
            }
        });
        if !self.indoor {
            self.houses(&mut canvas, horizon, rng);
            for _ in 0..rng.between(0, 4) {
                self.tree(&mut canvas, horizon, rng);
            }
        }
        for _ in 0..rng.between(0, 3) {
            let (x, foot) = (rng.unit() * side, horizon + side * rng.range(0.02, 0.35));
            let tall = side * rng.range(0.2, 0.5) * (0.4 + (foot - horizon) / side * 2.0);
            let color = scale(self.walls[2], 0.6);
            let width = (side * 0.012).max(0.9);
            canvas.paint(
                [x - width, foot - tall, x + width, foot],
                Some(POLE),
                1.0,
                |px, py| ((px - x).abs() - width).max((py - foot + tall / 2.0).abs() - tall / 2.0),
                |_, _, _| color,
            );
        }
        self.things(&mut canvas, horizon, rng);
        canvas.finish()
    }

    fn houses(&self, canvas: &mut Canvas, horizon: f32, rng: &mut Rng) {
        let side = canvas.side();
        for _ in 0..rng.between(0, 5) {
            let (width, height) = (side * rng.range(0.12, 0.3), side * rng.range(0.1, 0.35));
            let left = rng.range(-0.1, 0.95) * side;
            let foot = horizon + side * rng.range(0.0, 0.06);
            let wall = near(*rng.pick(&self.walls), 0.03, rng);
            let seed = rng.seed();
            let bounds = [left, foot - height, left + width, foot];
            let inside = |x: f32, y: f32| {
                (left - x)
                    .max(x - left - width)
                    .max(foot - height - y)
                    .max(y - foot)
            };
            canvas.paint(bounds, Some(HOUSE), 1.0, inside, |x, y, _| {
                scale(wall, 0.92 + 0.16 * noise(x * 0.3, y * 0.3, seed))
            });
            if self.windows {
                let pitch = side * 0.07;
                let pane = pitch * 0.27;
                let color = blend([0.15, 0.2, 0.3], self.sky[1], rng.range(0.0, 0.4));
                let window = |x: f32, y: f32| {
                    let (a, b) = (
                        (x - left).rem_euclid(pitch) - pitch / 2.0,
                        (y - foot + height).rem_euclid(pitch * 1.2) - pitch * 0.6,
                    );
                    (a.abs() - pane).max(b.abs() - pane * 1.3).max(inside(x, y))
                };
                canvas.paint(bounds, Some(WINDOW), 1.0, window, |_, _, _| color);
            }
        }
    }

    fn tree(&self, canvas: &mut Canvas, horizon: f32, rng: &mut Rng) {
        let side = canvas.side();
        let (x, foot) = (rng.unit() * side, horizon + side * rng.range(0.0, 0.15));
        let radius = side * rng.range(0.05, 0.12);
        let trunk = (radius * 0.13).max(0.8);
        let bark = scale([0.35, 0.25, 0.18], rng.range(0.7, 1.2));
        canvas.paint(
            [x - trunk, foot - radius, x + trunk, foot],
            Some(TREE),
            1.0,
            |px, py| ((px - x).abs() - trunk).max((py - foot + radius / 2.0).abs() - radius / 2.0),
            |_, _, _| bark,
        );
        let crown = Form::blob(0.3, rng);
        let pose = Pose::new([x, foot - radius * 1.7], radius, rng.angle());
        let seed = rng.seed();
        let grain = 4.0 / radius;
        canvas.paint(
            pose.bounds(),
            Some(TREE),
            1.2,
            |px, py| pose.distance(&crown, px, py),
            |px, py, _| scale(self.leaves, 0.6 + 0.8 * noise(px * grain, py * grain, seed)),
        );
    }

    fn things(&self, canvas: &mut Canvas, horizon: f32, rng: &mut Rng) {
        let side = canvas.side();
        let mut feet: Vec<f32> = (0..rng.between(2, 6))
            .map(|_| rng.range(0.05, 0.95))
            .collect();
        // What is near hides what is far.
        feet.sort_by(f32::total_cmp);
        for (index, t) in feet.into_iter().enumerate() {
            let kind = index % self.things.len();
            let (form, surface) = &self.things[kind];
            let surface = surface.again(rng);
            let radius = side * (0.03 + 0.1 * t);
            let foot = horizon + t * (side - horizon);
            let at = [rng.unit() * side, foot - radius * 0.8];
            canvas.shade(
                [
                    at[0] - radius * 1.3,
                    foot - radius * 0.4,
                    at[0] + radius * 1.3,
                    foot + radius * 0.4,
                ],
                0.55,
                3.0,
                |x, y| ((x - at[0]) / 1.2).hypot((y - foot) / 0.3) - radius,
            );
            let pose = Pose::new(at, radius, rng.normal() * 0.06);
            canvas.paint(
                pose.bounds(),
                Some(FIRST_THING + kind as u8),
                1.0,
                |x, y| pose.distance(form, x, y),
                |x, y, _| scale(surface.at(x, y), 1.1 - 0.25 * (y - at[1]) / radius),
            );
        }
    }
}
