//! Under the microscope: cells and nuclei, alone and in clumps, stained or glowing.

use super::{
    canvas::Canvas,
    form::{Form, Pose},
    group,
    texture::{Color, Material, Pattern, any_color, blend, distance, near, noise, scale},
};
use crate::{
    picture::{Group, NOTHING, Picture},
    rng::Rng,
};

/// A kind of cell.
struct Kind {
    color: Color,
    aspect: f32,
    roughness: f32,
    /// In pixels.
    radius: f32,
    nucleus: Option<Nucleus>,
    rim: f32,
    mottled: f32,
}

struct Nucleus {
    color: Color,
    share: f32,
    lobes: usize,
}

struct Kit {
    ground: Material,
    kinds: Vec<Kind>,
    glowing: bool,
    soft: f32,
    opacity: f32,
    crowd: f32,
    clumped: bool,
    debris: bool,
}

/// Roles: 1 + kind for the cell's body, 11 + kind for its nucleus.
pub(super) fn draw(count: usize, size: usize, rng: &mut Rng) -> Group {
    let glowing = rng.chance(0.35);
    let kit = Kit::any(glowing, size, rng);
    let pictures = (0..count).map(|_| kit.picture(size, rng)).collect();
    let what = if glowing { "glowing" } else { "stained" };
    group(
        format!("{what} cells of {} kinds", kit.kinds.len()),
        kit.kinds.len() > 1,
        pictures,
    )
}

impl Kit {
    fn any(glowing: bool, size: usize, rng: &mut Rng) -> Self {
        let base = if glowing {
            [
                rng.range(0.0, 0.12),
                rng.range(0.0, 0.12),
                rng.range(0.0, 0.15),
            ]
        } else {
            let pale = any_color(rng);
            blend(pale, [1.0; 3], rng.range(0.3, 0.8))
        };
        let ground = if rng.chance(0.6) {
            Material::plain(base, size, rng)
        } else {
            Material::new(
                *rng.pick(&[
                    Pattern::Clouds,
                    Pattern::Fibres,
                    Pattern::Cells,
                    Pattern::Marble,
                ]),
                base,
                size,
                rng,
            )
        };
        let number = rng.between(1, 3);
        let base_radius = size as f32 * rng.log_range(0.035, 0.11);
        let mut kinds: Vec<Kind> = Vec::new();
        for _ in 0..200 {
            if kinds.len() == number {
                break;
            }
            let color = if glowing {
                let hue = any_color(rng);
                let brightest = hue.iter().copied().fold(0.05, f32::max);
                scale(hue, rng.range(0.4, 1.0) / brightest)
            } else {
                blend(any_color(rng), base, rng.range(0.0, 0.4))
            };
            let factor = rng.log_range(0.6, 1.7);
            let seen = distance(color, ground.mean()) > 0.14;
            let new = kinds.iter().all(|k| distance(color, k.color) > 0.17);
            if !(seen && new) {
                continue;
            }
            let nucleus = (!glowing && rng.chance(0.45)).then(|| Nucleus {
                color: near(
                    blend(color, [0.1, 0.05, 0.25], rng.range(0.5, 0.8)),
                    0.05,
                    rng,
                ),
                share: rng.range(0.35, 0.65),
                lobes: rng.between(1, 3),
            });
            kinds.push(Kind {
                color,
                aspect: rng.range(0.55, 1.0),
                roughness: rng.range(0.0, 0.2),
                radius: (base_radius * factor).max(2.0),
                nucleus,
                rim: if rng.chance(0.3) {
                    rng.range(-0.4, 0.3)
                } else {
                    0.0
                },
                mottled: rng.range(0.0, 0.3),
            });
        }
        Self {
            ground,
            kinds,
            glowing,
            soft: if glowing {
                rng.range(1.0, 3.0)
            } else {
                rng.range(1.0, 1.6)
            },
            opacity: if glowing { 1.0 } else { rng.range(0.7, 1.0) },
            crowd: rng.range(0.12, 0.5),
            clumped: rng.chance(0.5),
            debris: rng.chance(0.3),
        }
    }

    fn picture(&self, size: usize, rng: &mut Rng) -> Picture {
        let side = size as f32;
        let mut canvas = Canvas::new(size, &self.ground.again(rng), NOTHING);
        if self.debris {
            for _ in 0..rng.between(3, 12) {
                let pose = Pose::new(
                    [rng.unit() * side, rng.unit() * side],
                    rng.range(0.6, 1.8),
                    0.0,
                );
                let color = any_color(rng);
                let dot = Form::Ellipse { aspect: 1.0 };
                canvas.paint(
                    pose.bounds(),
                    None,
                    1.0,
                    |x, y| pose.distance(&dot, x, y),
                    |_, _, _| color,
                );
            }
        }
        let mut covered = 0.0;
        let mut centre = [side / 2.0; 2];
        let exposure = 1.0 + 0.06 * rng.normal();
        for index in 0..240 {
            let kind = if index < self.kinds.len() {
                index
            } else {
                rng.below(self.kinds.len())
            };
            let Some(one) = self.kinds.get(kind) else {
                break;
            };
            if covered > self.crowd * side * side && index >= self.kinds.len() {
                break;
            }
            let radius = one.radius * rng.log_range(0.75, 1.3);
            centre = if self.clumped && index > 0 && rng.chance(0.65) {
                let (sin, cos) = rng.angle().sin_cos();
                let by = radius * rng.range(1.2, 2.0);
                [
                    (centre[0] + by * cos).clamp(0.0, side),
                    (centre[1] + by * sin).clamp(0.0, side),
                ]
            } else {
                [rng.unit() * side, rng.unit() * side]
            };
            covered += radius * radius * 2.2;
            self.cell(&mut canvas, kind, centre, radius, exposure, rng);
        }
        canvas.finish()
    }

    fn cell(
        &self,
        canvas: &mut Canvas,
        kind: usize,
        centre: [f32; 2],
        radius: f32,
        exposure: f32,
        rng: &mut Rng,
    ) {
        let one = &self.kinds[kind];
        let body = Form::blob(one.roughness, rng);
        let mut pose = Pose::new(centre, radius, rng.angle());
        pose.stretch = (one.aspect * rng.range(0.9, 1.1)).clamp(0.4, 1.0).recip();
        let bright = if self.glowing {
            rng.range(0.75, 1.15)
        } else {
            rng.range(0.92, 1.08)
        };
        let color = near(scale(one.color, bright * exposure), 0.02, rng);
        let (seed, grain) = (rng.seed(), 2.5 / radius);
        let opacity = self.opacity;
        let ground = self.ground.mean();
        canvas.paint(
            pose.bounds(),
            Some(1 + kind as u8),
            self.soft,
            |x, y| pose.distance(&body, x, y),
            |x, y, d| {
                let mottled = one.mottled * (noise(x * grain, y * grain, seed) - 0.5);
                let rim = one.rim * (1.0 + d / (0.35 * radius)).clamp(0.0, 1.0);
                blend(ground, scale(color, 1.0 + mottled + rim), opacity)
            },
        );
        if let Some(nucleus) = &one.nucleus {
            let color = near(nucleus.color, 0.02, rng);
            for lobe in 0..nucleus.lobes {
                let around = rng.angle();
                let off = if nucleus.lobes > 1 { 0.4 } else { 0.15 };
                let [x, y] = pose.global(off * around.cos(), off * around.sin());
                let size = radius * nucleus.share * if lobe > 0 { 0.75 } else { 1.0 };
                let own = Pose::new([x, y], size.max(1.0), rng.angle());
                let round = Form::blob(0.08, rng);
                canvas.paint(
                    own.bounds(),
                    Some(11 + kind as u8),
                    1.2,
                    |x, y| own.distance(&round, x, y),
                    |_, _, _| color,
                );
            }
        }
    }
}
