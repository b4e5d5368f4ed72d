//! Endless surfaces: a family of patterns, colours, a scale, an angle.

use crate::rng::Rng;

/// Red, green and blue, 0 to 1.
pub(crate) type Color = [f32; 3];

pub(crate) fn blend(a: Color, b: Color, t: f32) -> Color {
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

pub(crate) fn scale(color: Color, by: f32) -> Color {
    color.map(|c| (c * by).clamp(0.0, 1.0))
}

/// Perceived distance of two colours, roughly: 0 to 1.
pub(crate) fn distance(a: Color, b: Color) -> f32 {
    let d: [f32; 3] = std::array::from_fn(|i| a[i] - b[i]);
    (0.3 * d[0] * d[0] + 0.5 * d[1] * d[1] + 0.2 * d[2] * d[2]).sqrt()
}

fn hsv(hue: f32, saturation: f32, value: f32) -> Color {
    let channel = |n: f32| {
        let k = (n + hue * 6.0) % 6.0;
        value - value * saturation * k.min(4.0 - k).clamp(0.0, 1.0)
    };
    [channel(5.0), channel(3.0), channel(1.0)]
}

/// Vivid, earthy, pale, dark, grey.
pub(crate) fn any_color(rng: &mut Rng) -> Color {
    match rng.below(5) {
        0 => hsv(rng.unit(), rng.range(0.6, 1.0), rng.range(0.6, 1.0)),
        1 => hsv(
            rng.range(0.02, 0.4),
            rng.range(0.2, 0.6),
            rng.range(0.25, 0.75),
        ),
        2 => hsv(rng.unit(), rng.range(0.1, 0.4), rng.range(0.7, 1.0)),
        3 => hsv(rng.unit(), rng.range(0.2, 0.8), rng.range(0.1, 0.45)),
        _ => [rng.range(0.05, 0.97); 3],
    }
}

/// A colour near another one.
pub(crate) fn near(color: Color, by: f32, rng: &mut Rng) -> Color {
    let light = rng.normal() * by;
    color.map(|c| (c + light + rng.normal() * by * 0.5).clamp(0.0, 1.0))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    Plain,
    Clouds,
    Ridges,
    Marble,
    Stripes,
    Waves,
    Zigzag,
    Checker,
    Dots,
    Confetti,
    Cells,
    Crackle,
    Bricks,
    Weave,
    Fibres,
    Grain,
    Rings,
    Crosses,
    Blotches,
    Tiles,
    Scales,
    Hatching,
}

impl Pattern {
    pub(crate) const ALL: [Self; 22] = [
        Self::Plain,
        Self::Clouds,
        Self::Ridges,
        Self::Marble,
        Self::Stripes,
        Self::Waves,
        Self::Zigzag,
        Self::Checker,
        Self::Dots,
        Self::Confetti,
        Self::Cells,
        Self::Crackle,
        Self::Bricks,
        Self::Weave,
        Self::Fibres,
        Self::Grain,
        Self::Rings,
        Self::Crosses,
        Self::Blotches,
        Self::Tiles,
        Self::Scales,
        Self::Hatching,
    ];
}

/// A surface. Pixels in, colour out.
#[derive(Debug, Clone)]
pub(crate) struct Material {
    pub(crate) pattern: Pattern,
    /// The two colours of the pattern and a third one that some cells have.
    pub(crate) colors: [Color; 3],
    /// Pixels after which the pattern repeats, or its features come again.
    pub(crate) period: f32,
    angle: f32,
    turn: (f32, f32),
    /// Parameter of the pattern, 0 to 1: a share, a width, an aspect.
    form: f32,
    grain: f32,
    offset: (f32, f32),
    seed: u32,
}

impl Material {
    /// Any surface for pictures of `size` pixels.
    pub(crate) fn any(size: usize, rng: &mut Rng) -> Self {
        let base = any_color(rng);
        let pattern = *rng.pick(&Pattern::ALL);
        Self::new(pattern, base, size, rng)
    }

    pub(crate) fn new(pattern: Pattern, base: Color, size: usize, rng: &mut Rng) -> Self {
        let contrast = rng.range(0.12, 0.5);
        let second = if rng.chance(0.35) {
            any_color(rng)
        } else {
            // Towards whichever end has room.
            let light = (base[0] + base[1] + base[2]) / 3.0;
            let to = if light > 0.5 { 0.0 } else { 1.0 };
            near(blend(base, [to; 3], contrast), 0.05, rng)
        };
        let third = near(blend(base, second, rng.unit()), 0.12, rng);
        let angle = rng.angle();
        Self {
            pattern,
            colors: [base, second, third],
            period: rng.log_range(3.2, (size as f32 * 0.22).max(8.0)),
            angle,
            turn: (angle.cos(), angle.sin()),
            form: rng.unit(),
            grain: if rng.chance(0.5) {
                rng.range(0.0, 0.12)
            } else {
                0.0
            },
            offset: (rng.range(0.0, 4000.0), rng.range(0.0, 4000.0)),
            seed: rng.seed(),
        }
    }

    /// One colour with hardly any pattern.
    pub(crate) fn plain(base: Color, size: usize, rng: &mut Rng) -> Self {
        let pattern = *rng.pick(&[Pattern::Plain, Pattern::Clouds, Pattern::Grain]);
        let mut material = Self::new(pattern, base, size, rng);
        material.colors[1] = near(base, 0.06, rng);
        material
    }

    /// The same surface seen elsewhere: another part of it, slightly other light and scale.
    pub(crate) fn again(&self, rng: &mut Rng) -> Self {
        let mut other = self.clone();
        other.offset = (rng.range(0.0, 4000.0), rng.range(0.0, 4000.0));
        other.seed = rng.seed();
        other.period = (other.period * rng.log_range(0.87, 1.15)).max(3.0);
        other.rotate(rng.normal() * 0.15);
        let light = 1.0 + 0.06 * rng.normal();
        other.colors = other.colors.map(|c| near(scale(c, light), 0.012, rng));
        other
    }

    /// The same surface, laid in another direction.
    pub(crate) fn rotate(&mut self, by: f32) {
        self.angle += by;
        self.turn = (self.angle.cos(), self.angle.sin());
    }

    pub(crate) fn with_angle(mut self, angle: f32) -> Self {
        self.rotate(angle - self.angle);
        self
    }

    pub(crate) fn with_period(mut self, period: f32) -> Self {
        self.period = period.max(2.5);
        self
    }

    /// The colour that it has from afar.
    pub(crate) fn mean(&self) -> Color {
        let second = match self.pattern {
            Pattern::Plain => 0.0,
            Pattern::Dots | Pattern::Crackle | Pattern::Bricks | Pattern::Crosses => 0.3,
            _ => 0.5,
        };
        blend(self.colors[0], self.colors[1], second)
    }

    pub(crate) fn at(&self, x: f32, y: f32) -> Color {
        let (cos, sin) = self.turn;
        let (u, v) = (
            x * cos + y * sin + self.offset.0,
            y * cos - x * sin + self.offset.1,
        );
        let (u, v) = (u / self.period, v / self.period);
        let (t, tint) = self.pattern(u, v);
        let mut color = blend(self.colors[0], self.colors[1], t);
        if tint > 0.0 {
            color = blend(color, self.colors[2], tint);
        }
        if self.grain > 0.0 {
            let noise = unit(hash(x as i32, y as i32, self.seed)) - 0.5;
            color = color.map(|c| c + noise * self.grain);
        }
        color
    }

    /// How much of the second and of the third colour is there. One period is one unit.
    fn pattern(&self, u: f32, v: f32) -> (f32, f32) {
        let (seed, form) = (self.seed, self.form);
        let steep = 0.8 * self.period;
        // A step whose edge is about a pixel wide.
        let step = |x: f32| (0.5 + x * steep).clamp(0.0, 1.0);
        let wave = |x: f32| 1.0 - 2.0 * (2.0 * (x - x.floor()) - 1.0).abs();
        match self.pattern {
            Pattern::Plain => (0.0, 0.0),
            Pattern::Clouds => (octaves(u, v, seed), 0.0),
            Pattern::Ridges => {
                let n = 2.0 * noise(u, v, seed) - 1.0;
                (
                    1.0 - (3.0 * n.abs()).min(1.0),
                    0.5 * noise(u * 0.4, v * 0.4, seed ^ 7),
                )
            }
            Pattern::Marble => {
                let bent = u + 2.5 * octaves(u * 0.5, v * 0.5, seed);
                (0.5 + 0.5 * wave(bent), 0.0)
            }
            Pattern::Stripes => (step(0.5 * (wave(u) + form - 0.5)), 0.0),
            Pattern::Waves => (step(0.5 * wave(u + 0.35 * (v * 2.0).sin())), 0.0),
            Pattern::Zigzag => (step(0.5 * wave(u + 0.5 * wave(v * 0.7))), 0.0),
            Pattern::Checker => (step(0.5 * wave(u) * wave(v) * 2.0), 0.0),
            Pattern::Dots => {
                let shift = if form < 0.5 {
                    0.0
                } else {
                    0.5 * (v.floor() % 2.0)
                };
                let (a, b) = (fract(u + shift) - 0.5, fract(v) - 0.5);
                (step(0.2 + 0.2 * form - a.hypot(b)), 0.0)
            }
            Pattern::Confetti => {
                let cell = hash(u.floor() as i32, v.floor() as i32, seed);
                let (a, b) = (
                    fract(u) - 0.3 - 0.4 * unit(cell),
                    fract(v) - 0.3 - 0.4 * unit(cell.rotate_left(9)),
                );
                let radius = 0.12 + 0.18 * unit(cell.rotate_left(17));
                let inside = step(radius - a.hypot(b));
                (inside, inside * f32::from(cell & 1 == 1))
            }
            Pattern::Cells => {
                let (_, _, cell) = voronoi(u, v, seed);
                (unit(cell), 0.6 * f32::from(cell & 7 == 1))
            }
            Pattern::Crackle => {
                let (first, second, cell) = voronoi(u, v, seed);
                (step(0.05 + 0.1 * form - (second - first)), 0.4 * unit(cell))
            }
            Pattern::Bricks => {
                let row = (v * 2.0).floor();
                let along = u + 0.5 * row;
                let joint = 0.05 + 0.06 * form;
                let (a, b) = (edge(along), edge(v * 2.0) * 0.5);
                let cell = hash(along.floor() as i32, row as i32, seed);
                (step(joint - a.min(b)), 0.7 * unit(cell))
            }
            Pattern::Weave => {
                let over = (u.floor() + v.floor()).rem_euclid(2.0) < 1.0;
                let across = if over { fract(v) } else { fract(u) };
                ((2.0 * across - 1.0).powi(2), if over { 0.5 } else { 0.0 })
            }
            Pattern::Fibres => (
                noise(u * 2.0, v * 0.25, seed),
                0.5 * noise(u * 4.0, v * 0.3, seed ^ 3),
            ),
            Pattern::Grain => {
                let fine = self.period * 0.5;
                (noise(u * fine, v * fine, seed), 0.0)
            }
            Pattern::Rings => {
                let (a, b) = (
                    u - 3.0 * (u / 3.0).floor() - 1.5,
                    v - 3.0 * (v / 3.0).floor() - 1.5,
                );
                (step(0.5 * wave(a.hypot(b) + 0.15 * noise(u, v, seed))), 0.0)
            }
            Pattern::Crosses => {
                let (a, b) = ((fract(u) - 0.5).abs(), (fract(v) - 0.5).abs());
                let arm = 0.08 + 0.08 * form;
                (step((arm - a.min(b)).min(0.36 - a.max(b))), 0.0)
            }
            Pattern::Blotches => (
                step(octaves(u * 0.6, v * 0.6, seed) - 0.4 - 0.2 * form),
                0.0,
            ),
            Pattern::Tiles => {
                let cell = hash(u.floor() as i32, v.floor() as i32, seed);
                let joint = step(0.07 - edge(u).min(edge(v)));
                (unit(cell).max(joint), 0.0)
            }
            Pattern::Scales => {
                let row = (v * 1.5).floor();
                let (a, b) = (fract(u + 0.5 * row) - 0.5, fract(v * 1.5));
                let cell = hash((u + 0.5 * row).floor() as i32, row as i32, seed);
                (step(a.hypot(b) - 0.55) + 0.3 * b, 0.4 * unit(cell))
            }
            Pattern::Hatching => {
                let line = step(0.25 * wave(u) - 0.1)
                    .max(step(0.25 * wave(v) - 0.1) * f32::from(form > 0.5));
                (line * noise(u * 0.7, v * 0.7, seed).sqrt(), 0.0)
            }
        }
    }
}

/// Half the distance to the nearer of two grid lines: 0 at a line, 0.5 in the middle.
fn edge(x: f32) -> f32 {
    0.5 - (fract(x) - 0.5).abs()
}

fn fract(x: f32) -> f32 {
    x - x.floor()
}

pub(crate) fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut h = (x as u32).wrapping_mul(0x9e37_79b1)
        ^ (y as u32).wrapping_mul(0x85eb_ca77)
        ^ seed.wrapping_mul(0xc2b2_ae3d);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    h ^ (h >> 15)
}

pub(crate) fn unit(hash: u32) -> f32 {
    (hash >> 8) as f32 / (1u32 << 24) as f32
}

/// Smooth noise between 0 and 1 with features of one unit.
pub(crate) fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let (u, v) = (x - left, y - top);
    let (u, v) = (u * u * (3.0 - 2.0 * u), v * v * (3.0 - 2.0 * v));
    let (left, top) = (left as i32, top as i32);
    let corner = |dx: i32, dy: i32| unit(hash(left.wrapping_add(dx), top.wrapping_add(dy), seed));
    let upper = corner(0, 0) * (1.0 - u) + corner(1, 0) * u;
    let lower = corner(0, 1) * (1.0 - u) + corner(1, 1) * u;
    upper * (1.0 - v) + lower * v
}

/// Noise of three scales, spread to 0..1.
pub(crate) fn octaves(x: f32, y: f32, seed: u32) -> f32 {
    let sum = 0.57 * noise(x, y, seed)
        + 0.29 * noise(x * 2.1, y * 2.1, seed ^ 1)
        + 0.14 * noise(x * 4.3, y * 4.3, seed ^ 2);
    ((sum - 0.5) * 1.6 + 0.5).clamp(0.0, 1.0)
}

/// Distances to the nearest and second nearest of scattered points (one per unit square), and the
/// hash of the nearest.
pub(crate) fn voronoi(x: f32, y: f32, seed: u32) -> (f32, f32, u32) {
    let (column, row) = (x.floor(), y.floor());
    let (mut first, mut second, mut cell) = (f32::MAX, f32::MAX, 0);
    for dy in -1..=1 {
        for dx in -1..=1 {
            let h = hash(
                (column as i32).wrapping_add(dx),
                (row as i32).wrapping_add(dy),
                seed,
            );
            let px = column + dx as f32 + 0.1 + 0.8 * unit(h);
            let py = row + dy as f32 + 0.1 + 0.8 * unit(h.rotate_left(16));
            let d = (px - x).powi(2) + (py - y).powi(2);
            if d < first {
                (second, first, cell) = (first, d, h);
            } else if d < second {
                second = d;
            }
        }
    }
    (first.sqrt(), second.sqrt(), cell)
}

/// What tells the surfaces of a scene apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cue {
    Colour,
    Pattern,
    Both,
}

impl Cue {
    pub(crate) fn any(rng: &mut Rng) -> Self {
        [Self::Colour, Self::Pattern, Self::Both][rng.weighted(&[0.3, 0.25, 0.45])]
    }
}

/// Surfaces that a person can tell apart by the cue.
pub(crate) fn surfaces(count: usize, cue: Cue, size: usize, rng: &mut Rng) -> Vec<Material> {
    let mut patterns = Pattern::ALL;
    rng.shuffle(&mut patterns);
    let base = any_color(rng);
    let template = Material::any(size, rng);
    let mut made: Vec<Material> = Vec::with_capacity(count);
    let mut apart = 0.34;
    while made.len() < count {
        let pattern = patterns[made.len() % patterns.len()];
        let material = match cue {
            Cue::Both => Material::new(pattern, any_color(rng), size, rng),
            Cue::Colour => {
                let mut material = Material::new(template.pattern, any_color(rng), size, rng);
                (material.period, material.angle, material.turn) =
                    (template.period, template.angle, template.turn);
                (material.form, material.grain) = (template.form, template.grain);
                material
            }
            Cue::Pattern => {
                // One pair of colours for all: only the arrangement differs.
                let mut material = Material::new(pattern, base, size, rng);
                if let Some(first) = made.first() {
                    material.colors = first.colors;
                } else if distance(material.colors[0], material.colors[1]) < 0.22 {
                    continue;
                }
                made.push(material);
                continue;
            }
        };
        if made
            .iter()
            .all(|other| distance(other.mean(), material.mean()) > apart)
        {
            made.push(material);
        }
        apart *= 0.985;
    }
    made
}
