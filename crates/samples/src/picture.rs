//! A picture with the role that each of its pixels plays.

use image::RgbImage;

use crate::rng::Rng;

/// No role: belongs to nothing that can be asked for.
pub(crate) const NOTHING: u8 = 0;

/// Unknown to whoever labelled the picture: counted neither right nor wrong.
pub(crate) const UNKNOWN: u8 = 255;

/// Pixels and their roles, row by row. Within a [`Group`] a role means the same in every picture.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) rgb: RgbImage,
    pub(crate) roles: Vec<u8>,
}

/// Pictures that share the meaning of their roles, from which a task can be made.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) pictures: Vec<Picture>,
    pub(crate) kind: crate::SegType,
    pub(crate) origin: String,
    /// Roles differ in little but their colour: grey pictures would have no answer.
    pub(crate) colour_matters: bool,
}

/// Where a pixel of the new picture comes from: `source = centre + matrix * (target - middle)`, in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) centre: [f32; 2],
    pub(crate) matrix: [[f32; 2]; 2],
}

impl View {
    /// A turned and scaled window: `zoom` source pixels for each target pixel.
    pub(crate) fn new(centre: [f32; 2], zoom: f32, aspect: f32, turn: f32, mirror: bool) -> Self {
        let (sin, cos) = turn.sin_cos();
        let (x, y) = (zoom * aspect.sqrt(), zoom / aspect.sqrt());
        let x = if mirror { -x } else { x };
        Self {
            centre,
            matrix: [[cos * x, -sin * y], [sin * x, cos * y]],
        }
    }
}

impl Picture {
    pub(crate) fn new(rgb: RgbImage, roles: Vec<u8>) -> Self {
        debug_assert_eq!((rgb.width() * rgb.height()) as usize, roles.len());
        Self { rgb, roles }
    }

    pub(crate) fn width(&self) -> usize {
        self.rgb.width() as usize
    }

    pub(crate) fn height(&self) -> usize {
        self.rgb.height() as usize
    }

    /// How many pixels play each role.
    pub(crate) fn areas(&self) -> [u32; 256] {
        let mut areas = [0; 256];
        for &role in &self.roles {
            areas[usize::from(role)] += 1;
        }
        areas
    }

    /// Looks at the picture through a window; beyond its borders it goes on as in a mirror.
    /// Colours are averaged over what falls into a pixel, roles are taken at its middle.
    pub(crate) fn view(&self, view: View, size: usize) -> Self {
        let [[a, b], [c, d]] = view.matrix;
        let reach = (a.hypot(c)).max(b.hypot(d));
        let taps = (reach.ceil() as usize).clamp(1, 6);
        let middle = size as f32 / 2.0;
        let mut rgb = RgbImage::new(size as u32, size as u32);
        let mut roles = vec![NOTHING; size * size];
        let share = 1.0 / (taps * taps) as f32;
        for (index, (pixel, role)) in rgb.pixels_mut().zip(&mut roles).enumerate() {
            let (column, row) = ((index % size) as f32, (index / size) as f32);
            let at = |x: f32, y: f32| {
                let (x, y) = (x - middle, y - middle);
                (
                    view.centre[0] + a * x + b * y,
                    view.centre[1] + c * x + d * y,
                )
            };
            let (width, height) = (self.width(), self.height());
            let nearest = |x: f32, y: f32| {
                mirror(y.floor() as i32, height) * width + mirror(x.floor() as i32, width)
            };
            let raw = self.rgb.as_raw();
            let mut sum = [0.0; 3];
            for tap in 0..taps * taps {
                let step = |i: usize| (i as f32 + 0.5) / taps as f32;
                let (x, y) = at(column + step(tap % taps), row + step(tap / taps));
                // The mean of many pixels needs nothing in between them.
                let color = if taps == 1 {
                    self.bilinear(x, y)
                } else {
                    let at = nearest(x, y) * 3;
                    [raw[at], raw[at + 1], raw[at + 2]].map(f32::from)
                };
                for (sum, color) in sum.iter_mut().zip(color) {
                    *sum += color;
                }
            }
            pixel.0 = sum.map(|s| (s * share + 0.5) as u8);
            let (x, y) = at(column + 0.5, row + 0.5);
            *role = self.roles[nearest(x, y)];
        }
        Self { rgb, roles }
    }

    fn bilinear(&self, x: f32, y: f32) -> [f32; 3] {
        let (x, y) = (x - 0.5, y - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (u, v) = (x - left, y - top);
        let width = self.width();
        let columns = [left as i32, left as i32 + 1].map(|x| mirror(x, width));
        let rows = [top as i32, top as i32 + 1].map(|y| mirror(y, self.height()));
        let raw = self.rgb.as_raw();
        let get =
            |x: usize, y: usize, channel: usize| f32::from(raw[(y * width + x) * 3 + channel]);
        std::array::from_fn(|c| {
            let upper = get(columns[0], rows[0], c) * (1.0 - u) + get(columns[1], rows[0], c) * u;
            let lower = get(columns[0], rows[1], c) * (1.0 - u) + get(columns[1], rows[1], c) * u;
            upper * (1.0 - v) + lower * v
        })
    }

    /// A square window that holds `share` of the picture's area, somewhere in it.
    pub(crate) fn crop(
        &self,
        share: f32,
        aspect: f32,
        turn: f32,
        mirror: bool,
        size: usize,
        rng: &mut Rng,
    ) -> Self {
        let (width, height) = (self.width() as f32, self.height() as f32);
        let side = (share * width * height).sqrt().min(width).min(height);
        let place = |whole: f32, rng: &mut Rng| side / 2.0 + rng.unit() * (whole - side).max(0.0);
        let centre = [place(width, rng), place(height, rng)];
        self.view(
            View::new(centre, side / size as f32, aspect, turn, mirror),
            size,
        )
    }

    /// The square picture in one of its eight positions: quarter turns, mirrored or not.
    pub(crate) fn turned(&self, rng: &mut Rng) -> Self {
        let side = self.width();
        let (turns, mirrored) = (rng.below(4), rng.chance(0.5));
        let source = |x: usize, y: usize| {
            let (x, y) = match turns {
                0 => (x, y),
                1 => (y, side - 1 - x),
                2 => (side - 1 - x, side - 1 - y),
                _ => (side - 1 - y, x),
            };
            (if mirrored { side - 1 - x } else { x }, y)
        };
        let places = || (0..side * side).map(|at| source(at % side, at / side));
        let mut from = places();
        let rgb = RgbImage::from_fn(side as u32, side as u32, |_, _| {
            let (x, y) = from.next().unwrap_or_default();
            *self.rgb.get_pixel(x as u32, y as u32)
        });
        let roles = places().map(|(x, y)| self.roles[y * side + x]).collect();
        Self::new(rgb, roles)
    }

    /// Four pictures of one size as a 2 x 2 grid.
    pub(crate) fn stitch(four: &[Self; 4]) -> Self {
        let (width, height) = (four[0].width(), four[0].height());
        let from = |x: usize, y: usize| {
            let cell = usize::from(x >= width) + 2 * usize::from(y >= height);
            (&four[cell], x % width, y % height)
        };
        let rgb = RgbImage::from_fn(2 * width as u32, 2 * height as u32, |x, y| {
            let (cell, x, y) = from(x as usize, y as usize);
            *cell.rgb.get_pixel(x as u32, y as u32)
        });
        let roles = (0..4 * width * height)
            .map(|i| {
                let (cell, x, y) = from(i % (2 * width), i / (2 * width));
                cell.roles[y * width + x]
            })
            .collect();
        Self { rgb, roles }
    }
}

fn mirror(at: i32, length: usize) -> usize {
    let length = length as i32;
    if (0..length).contains(&at) {
        return at as usize;
    }
    let at = at.rem_euclid(2 * length);
    (if at < length { at } else { 2 * length - 1 - at }) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_picture_turns_into_its_eight_positions_with_its_roles() {
        let rgb = RgbImage::from_fn(3, 3, |x, y| image::Rgb([(y * 3 + x) as u8; 3]));
        let picture = Picture::new(rgb, (0..9).collect());
        let turned = (0..200).map(|seed| picture.turned(&mut Rng::new(seed)));
        let positions: BTreeSet<Vec<u8>> = turned
            .map(|turned| {
                let shown: Vec<u8> = turned.rgb.pixels().map(|pixel| pixel.0[0]).collect();
                assert_eq!(shown, turned.roles);
                shown
            })
            .collect();
        assert_eq!(positions.len(), 8);
        assert!(
            positions.contains([6, 3, 0, 7, 4, 1, 8, 5, 2].as_slice()),
            "a quarter turn"
        );
    }
}
