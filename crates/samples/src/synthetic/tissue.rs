//! Closely packed cells and what is between them: membranes, mortar, dry mud, leaves' nets.

use super::{
    canvas::Canvas,
    group,
    texture::{Cue, Material, noise, surfaces, unit, voronoi},
};
use crate::{
    picture::{Group, Picture},
    rng::Rng,
};

struct Kit {
    membrane: Material,
    fillings: Vec<Material>,
    /// Pixels across a cell and across a membrane.
    cell: f32,
    wall: f32,
    bend: f32,
    aspect: f32,
    /// Dark specks inside, belonging to the cell.
    specks: f32,
}

/// Role 1 is the membrane, 2 and up the kinds of filling.
pub(super) fn draw(count: usize, size: usize, rng: &mut Rng) -> Group {
    let electron = rng.chance(0.45);
    let number = if electron { 1 } else { rng.between(1, 3) };
    let (membrane, fillings) = if electron {
        let (dark, light) = (rng.range(0.05, 0.35), rng.range(0.5, 0.85));
        let (dark, light) = if rng.chance(0.85) {
            (dark, light)
        } else {
            (light, dark)
        };
        (
            Material::plain([dark; 3], size, rng),
            vec![Material::plain([light; 3], size, rng)],
        )
    } else {
        let mut all = surfaces(number + 1, Cue::Both, size, rng);
        (all.remove(0), all)
    };
    let kit = Kit {
        membrane,
        fillings,
        cell: size as f32 * rng.range(0.13, 0.3),
        wall: (size as f32 * rng.range(0.018, 0.05)).max(1.6),
        bend: rng.range(0.0, 0.5),
        aspect: rng.log_range(0.6, 1.6),
        specks: if rng.chance(0.5) {
            rng.range(0.1, 0.3)
        } else {
            0.0
        },
    };
    let pictures = (0..count).map(|_| kit.picture(size, rng)).collect();
    let what = if electron {
        "membranes, grey"
    } else {
        "cells with walls"
    };
    group(what.to_owned(), !electron, pictures)
}

impl Kit {
    fn picture(&self, size: usize, rng: &mut Rng) -> Picture {
        let membrane = self.membrane.again(rng);
        let fillings: Vec<Material> = self.fillings.iter().map(|m| m.again(rng)).collect();
        let seed = rng.seed();
        let (sin, cos) = rng.angle().sin_cos();
        let scale = self.cell * rng.range(0.85, 1.2);
        let wall = self.wall / scale;
        Canvas::from_fn(size, |x, y| {
            let (u, v) = (
                (x * cos + y * sin) / scale * self.aspect,
                (y * cos - x * sin) / scale,
            );
            let bend = |s: u32| (noise(u * 1.7, v * 1.7, seed ^ s) - 0.5) * self.bend;
            let (first, second, cell) = voronoi(u + bend(1), v + bend(2), seed);
            if second - first < wall * 2.0 {
                return (membrane.at(x, y), 1);
            }
            let kind = (unit(cell) * fillings.len() as f32) as usize;
            let mut color = fillings[kind].at(x, y);
            if self.specks > 0.0 && noise(x * 0.45, y * 0.45, seed ^ 5) > 0.82 {
                color = super::texture::scale(color, 1.0 - 2.0 * self.specks);
            }
            (color, 2 + kind as u8)
        })
        .soften()
        .finish()
    }
}
