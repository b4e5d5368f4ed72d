//! Where scenes are drawn: colours and roles, painted over each other.

use image::RgbImage;

use super::texture::{Color, Material, blend, scale};
use crate::picture::Picture;

/// A square of colours and roles. Coordinates are pixels; the middle of the first one is (0.5, 0.5).
pub(crate) struct Canvas {
    pub(crate) size: usize,
    colors: Vec<Color>,
    pub(crate) roles: Vec<u8>,
}

/// Left, top, right, bottom in pixels.
pub(crate) type Bounds = [f32; 4];

impl Canvas {
    pub(crate) fn new(size: usize, surface: &Material, role: u8) -> Self {
        let colors = (0..size * size)
            .map(|i| surface.at((i % size) as f32 + 0.5, (i / size) as f32 + 0.5))
            .collect();
        Self {
            size,
            colors,
            roles: vec![role; size * size],
        }
    }

    /// Every pixel on its own: `pixel(x, y)` says the colour and the role.
    pub(crate) fn from_fn(size: usize, mut pixel: impl FnMut(f32, f32) -> (Color, u8)) -> Self {
        let (colors, roles) = (0..size * size)
            .map(|i| pixel((i % size) as f32 + 0.5, (i / size) as f32 + 0.5))
            .unzip();
        Self {
            size,
            colors,
            roles,
        }
    }

    pub(crate) fn side(&self) -> f32 {
        self.size as f32
    }

    fn each(&mut self, bounds: Bounds, mut change: impl FnMut(f32, f32, &mut Color, &mut u8)) {
        let clamp = |v: f32| (v.max(0.0) as usize).min(self.size);
        let [left, top, right, bottom] = [
            bounds[0].floor(),
            bounds[1].floor(),
            bounds[2].ceil(),
            bounds[3].ceil(),
        ]
        .map(clamp);
        for y in top..bottom {
            for x in left..right {
                let index = y * self.size + x;
                change(
                    x as f32 + 0.5,
                    y as f32 + 0.5,
                    &mut self.colors[index],
                    &mut self.roles[index],
                );
            }
        }
    }

    /// Paints what lies inside: `distance` is in pixels, negative within; `color` sees it as well.
    /// `soft` is the width of the edge in pixels.
    pub(crate) fn paint(
        &mut self,
        bounds: Bounds,
        role: Option<u8>,
        soft: f32,
        distance: impl Fn(f32, f32) -> f32,
        color: impl Fn(f32, f32, f32) -> Color,
    ) {
        let [left, top, right, bottom] = bounds;
        let grown = [left - soft, top - soft, right + soft, bottom + soft];
        self.each(grown, |x, y, pixel, role_here| {
            let d = distance(x, y);
            let cover = (0.5 - d / soft).clamp(0.0, 1.0);
            if cover > 0.0 {
                *pixel = blend(*pixel, color(x, y, d), cover);
                if let (true, Some(role)) = (cover >= 0.5, role) {
                    *role_here = role;
                }
            }
        });
    }

    /// Darkens (or brightens, above 1) what lies inside, as a shadow does.
    pub(crate) fn shade(
        &mut self,
        bounds: Bounds,
        by: f32,
        soft: f32,
        distance: impl Fn(f32, f32) -> f32,
    ) {
        let [left, top, right, bottom] = bounds;
        let grown = [left - soft, top - soft, right + soft, bottom + soft];
        self.each(grown, |x, y, pixel, _| {
            let cover = (0.5 - distance(x, y) / soft).clamp(0.0, 1.0);
            *pixel = scale(*pixel, 1.0 + (by - 1.0) * cover);
        });
    }

    /// Paints what lies within a field of distances.
    pub(crate) fn paint_field(
        &mut self,
        field: &Field,
        role: Option<u8>,
        soft: f32,
        color: impl Fn(f32, f32, f32) -> Color,
    ) {
        let side = self.side();
        let at = |x: f32, y: f32| field.distances[y as usize * field.size + x as usize];
        self.paint([0.0, 0.0, side, side], role, soft, at, color);
    }

    /// Softens the colours where roles meet, as a lens does.
    pub(crate) fn soften(mut self) -> Self {
        let (size, from) = (self.size, self.colors.clone());
        for y in 1..size.saturating_sub(1) {
            for x in 1..size - 1 {
                let at = y * size + x;
                let around = [at, at - 1, at + 1, at - size, at + size];
                if around.iter().any(|&i| self.roles[i] != self.roles[at]) {
                    self.colors[at] = std::array::from_fn(|c| {
                        0.5 * from[at][c]
                            + 0.125 * around[1..].iter().map(|&i| from[i][c]).sum::<f32>()
                    });
                }
            }
        }
        self
    }

    pub(crate) fn finish(self) -> Picture {
        let bytes = self
            .colors
            .iter()
            .flatten()
            .map(|c| (c.clamp(0.0, 1.0) * 255.0 + 0.5) as u8)
            .collect();
        let side = self.size as u32;
        let rgb = RgbImage::from_raw(side, side, bytes).expect("three bytes for each pixel");
        Picture::new(rgb, self.roles)
    }
}

/// For each pixel, the distance to the nearest of many strokes, negative within.
pub(crate) struct Field {
    size: usize,
    distances: Vec<f32>,
}

impl Field {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            size,
            distances: vec![f32::MAX; size * size],
        }
    }

    /// A stroke from `a` to `b` that narrows from radius `ra` to `rb`.
    pub(crate) fn stroke(&mut self, a: [f32; 2], b: [f32; 2], ra: f32, rb: f32) {
        let reach = ra.max(rb) + 2.5;
        let range = |from: f32, to: f32, size: usize| {
            let clamp = |v: f32| (v.max(0.0) as usize).min(size);
            clamp((from.min(to) - reach).floor())..clamp((from.max(to) + reach).ceil())
        };
        for y in range(a[1], b[1], self.size) {
            for x in range(a[0], b[0], self.size) {
                let d = capsule([x as f32 + 0.5, y as f32 + 0.5], a, b, ra, rb);
                let here = &mut self.distances[y * self.size + x];
                *here = here.min(d);
            }
        }
    }
}

/// Distance to a stroke with round ends.
pub(crate) fn capsule(p: [f32; 2], a: [f32; 2], b: [f32; 2], ra: f32, rb: f32) -> f32 {
    let (along, from) = ([b[0] - a[0], b[1] - a[1]], [p[0] - a[0], p[1] - a[1]]);
    let length = along[0] * along[0] + along[1] * along[1];
    let t = if length > 0.0 {
        ((from[0] * along[0] + from[1] * along[1]) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    (from[0] - t * along[0]).hypot(from[1] - t * along[1]) - (ra + (rb - ra) * t)
}
