//! Outlines as distances: of the things in a scene.

use std::f32::consts::{PI, TAU};

use super::canvas::{Bounds, capsule};
use crate::rng::Rng;

/// An outline of about radius 1 around the origin.
#[derive(Debug, Clone)]
pub(crate) enum Form {
    /// Radius by angle: polygons, stars, gears, hearts, blobs.
    Radial(Vec<f32>),
    Box {
        aspect: f32,
        round: f32,
    },
    Ellipse {
        aspect: f32,
    },
    Ring {
        width: f32,
    },
    Cross {
        arm: f32,
    },
    Crescent {
        shift: f32,
    },
    /// A few strokes, like a sign of a script nobody reads.
    Glyph {
        strokes: Vec<[f32; 4]>,
        width: f32,
    },
}

const STEPS: usize = 96;

impl Form {
    pub(crate) fn any(rng: &mut Rng) -> Self {
        match rng.below(13) {
            0 => Self::Ellipse { aspect: 1.0 },
            1 => Self::Ellipse {
                aspect: rng.range(0.35, 0.7),
            },
            2 => Self::Box {
                aspect: rng.range(0.85, 1.0),
                round: rng.range(0.0, 0.4),
            },
            3 => Self::Box {
                aspect: rng.range(0.25, 0.5),
                round: rng.range(0.0, 0.2),
            },
            4 => Self::Ring {
                width: rng.range(0.15, 0.3),
            },
            5 => Self::Cross {
                arm: rng.range(0.18, 0.32),
            },
            6 => Self::Crescent {
                shift: rng.range(0.4, 0.7),
            },
            7 => Self::star(rng.between(4, 7), rng.range(0.35, 0.6)),
            8 => Self::polygon(3),
            9 => Self::polygon(rng.between(5, 6)),
            10 => Self::gear(rng.between(5, 9), rng.range(0.12, 0.25)),
            11 => Self::heart(),
            _ => {
                if rng.chance(0.4) {
                    Self::blob(0.3, rng)
                } else {
                    Self::glyph(rng)
                }
            }
        }
    }

    /// `count` forms that a person can tell apart.
    pub(crate) fn different(count: usize, rng: &mut Rng) -> Vec<Self> {
        let mut forms: Vec<Self> = Vec::with_capacity(count);
        for _ in 0..200 {
            if forms.len() == count {
                break;
            }
            let form = Self::any(rng);
            if forms.iter().all(|other| other.unlike(&form) > 0.16) {
                forms.push(form);
            }
        }
        while forms.len() < count {
            forms.push(Self::glyph(rng));
        }
        forms
    }

    /// The share of a square where one form is and the other is not.
    fn unlike(&self, other: &Self) -> f32 {
        const SIDE: usize = 14;
        let differs = |i: usize| {
            let at = |i: usize| (i as f32 + 0.5) / SIDE as f32 * 2.2 - 1.1;
            let (x, y) = (at(i % SIDE), at(i / SIDE));
            (self.distance(x, y) < 0.0) != (other.distance(x, y) < 0.0)
        };
        (0..SIDE * SIDE).filter(|&i| differs(i)).count() as f32 / (SIDE * SIDE) as f32
    }

    fn radial(radius: impl Fn(f32) -> f32) -> Self {
        Self::Radial(
            (0..STEPS)
                .map(|i| radius(i as f32 / STEPS as f32 * TAU))
                .collect(),
        )
    }

    pub(crate) fn polygon(corners: usize) -> Self {
        let sector = TAU / corners as f32;
        Self::radial(|a| (sector / 2.0).cos() / (a.rem_euclid(sector) - sector / 2.0).cos())
    }

    pub(crate) fn star(points: usize, inner: f32) -> Self {
        let sector = TAU / points as f32;
        // The straight edge between an outer and an inner corner, in polar coordinates.
        let half = sector / 2.0;
        Self::radial(|a| {
            let a = (a.rem_euclid(sector) - half).abs();
            let (sin, cos) = (half - a).sin_cos();
            let slope = (half.cos() - inner.recip()) / half.sin();
            (cos - slope * sin).max(1.0).recip().max(inner)
        })
    }

    pub(crate) fn gear(teeth: usize, depth: f32) -> Self {
        Self::radial(|a| {
            1.0 - depth * (0.5 - 0.5 * (4.0 * (a * teeth as f32).sin()).clamp(-1.0, 1.0))
        })
    }

    fn heart() -> Self {
        Self::radial(|a| {
            let (sin, cos) = (a + PI / 2.0).sin_cos();
            let dent = sin * cos.abs().sqrt() / (sin + 1.4);
            (0.5 * (2.0 - 2.0 * sin + dent)).clamp(0.25, 1.2) * 0.75
        })
    }

    /// Round and irregular.
    pub(crate) fn blob(roughness: f32, rng: &mut Rng) -> Self {
        let waves: Vec<[f32; 3]> = (2..6)
            .map(|n| {
                [
                    n as f32,
                    roughness * rng.range(0.2, 1.0) / (n as f32).sqrt(),
                    rng.angle(),
                ]
            })
            .collect();
        Self::radial(|a| {
            let sum: f32 = waves
                .iter()
                .map(|[n, size, phase]| size * (n * a + phase).sin())
                .sum();
            (0.85 + sum).clamp(0.3, 1.25)
        })
    }

    pub(crate) fn glyph(rng: &mut Rng) -> Self {
        let mut at = [rng.range(-0.8, 0.8), rng.range(-0.8, 0.8)];
        let strokes = (0..rng.between(3, 4))
            .map(|_| {
                let mut to = at;
                while (to[0] - at[0]).hypot(to[1] - at[1]) < 0.8 {
                    to = [rng.range(-0.9, 0.9), rng.range(-0.9, 0.9)];
                }
                let stroke = [at[0], at[1], to[0], to[1]];
                if !rng.chance(0.3) {
                    at = to;
                }
                stroke
            })
            .collect();
        Self::Glyph {
            strokes,
            width: rng.range(0.1, 0.2),
        }
    }

    /// Distance to the outline, negative within; exact enough near it.
    pub(crate) fn distance(&self, x: f32, y: f32) -> f32 {
        match self {
            Self::Radial(radii) => {
                let turn = (y.atan2(x) / TAU).rem_euclid(1.0) * STEPS as f32;
                let (from, t) = (turn as usize, turn.fract());
                let radius = radii[from % STEPS] * (1.0 - t) + radii[(from + 1) % STEPS] * t;
                (x.hypot(y) - radius) * 0.85
            }
            Self::Box { aspect, round } => {
                let (w, h) = (0.9, 0.9 * aspect);
                let r = round * h;
                let (a, b) = (x.abs() - w + r, y.abs() - h + r);
                a.max(0.0).hypot(b.max(0.0)) + a.max(b).min(0.0) - r
            }
            Self::Ellipse { aspect } => {
                let k = x.hypot(y / aspect);
                (k - 1.0) * if k > 0.01 { x.hypot(y) / k } else { *aspect }
            }
            Self::Ring { width } => ((x.hypot(y) - 1.0 + width).abs()) - width,
            Self::Cross { arm } => {
                let (a, b) = (x.abs(), y.abs());
                (a.max(b) - 1.0).max(a.min(b) - arm)
            }
            Self::Crescent { shift } => (x.hypot(y) - 1.0).max(0.85 - (x - shift).hypot(y)),
            Self::Glyph { strokes, width } => strokes
                .iter()
                .map(|&[a, b, c, d]| capsule([x, y], [a, b], [c, d], *width, *width))
                .fold(f32::MAX, f32::min),
        }
    }
}

/// Where a form is in a picture, in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pose {
    pub(crate) centre: [f32; 2],
    pub(crate) radius: f32,
    pub(crate) angle: f32,
    pub(crate) mirror: bool,
    /// Width over height.
    pub(crate) stretch: f32,
}

impl Pose {
    pub(crate) fn new(centre: [f32; 2], radius: f32, angle: f32) -> Self {
        Self {
            centre,
            radius,
            angle,
            mirror: false,
            stretch: 1.0,
        }
    }

    pub(crate) fn bounds(&self) -> Bounds {
        let reach = self.radius * 1.35 * self.stretch.max(1.0 / self.stretch) + 1.0;
        let [x, y] = self.centre;
        [x - reach, y - reach, x + reach, y + reach]
    }

    /// From the picture to the form.
    pub(crate) fn local(&self, x: f32, y: f32) -> [f32; 2] {
        let (sin, cos) = self.angle.sin_cos();
        let (x, y) = (
            (x - self.centre[0]) / self.radius,
            (y - self.centre[1]) / self.radius,
        );
        let (u, v) = (x * cos + y * sin, y * cos - x * sin);
        let u = if self.mirror { -u } else { u };
        let stretch = self.stretch.sqrt();
        [u / stretch, v * stretch]
    }

    /// From the form to the picture.
    pub(crate) fn global(&self, u: f32, v: f32) -> [f32; 2] {
        let stretch = self.stretch.sqrt();
        let (u, v) = (u * stretch, v / stretch);
        let u = if self.mirror { -u } else { u };
        let (sin, cos) = self.angle.sin_cos();
        [
            self.centre[0] + self.radius * (u * cos - v * sin),
            self.centre[1] + self.radius * (u * sin + v * cos),
        ]
    }

    /// Distance in pixels to the form in this pose.
    pub(crate) fn distance(&self, form: &Form, x: f32, y: f32) -> f32 {
        let [u, v] = self.local(x, y);
        form.distance(u, v) * self.radius * self.stretch.sqrt().min(1.0 / self.stretch.sqrt())
    }
}

/// Places that keep apart, in a square of `side` pixels: tries to find `count` of them.
pub(crate) fn scatter(
    count: usize,
    radii: impl Fn(usize) -> f32,
    apart: f32,
    side: f32,
    rng: &mut Rng,
) -> Vec<Option<[f32; 2]>> {
    let mut placed: Vec<([f32; 2], f32)> = Vec::new();
    (0..count)
        .map(|index| {
            let radius = radii(index);
            let inside = |rng: &mut Rng| {
                let margin = (radius * 0.7).min(side * 0.45);
                rng.range(margin, side - margin)
            };
            for _ in 0..30 {
                let at = [inside(rng), inside(rng)];
                let free = placed.iter().all(|(other, r)| {
                    (other[0] - at[0]).hypot(other[1] - at[1]) > (radius + r) * apart
                });
                if free {
                    placed.push((at, radius));
                    return Some(at);
                }
            }
            None
        })
        .collect()
}
