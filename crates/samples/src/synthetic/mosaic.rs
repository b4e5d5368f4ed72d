//! Pictures that are covered by surfaces: as land, tissue, walls or patchwork is.

use super::{
    canvas::Canvas,
    group,
    texture::{Cue, Material, noise, octaves, surfaces, voronoi},
};
use crate::{
    picture::{Group, NOTHING, Picture},
    rng::Rng,
};

/// Where each surface is.
pub(crate) enum Layout {
    /// Scattered centres; each belongs to a surface. Borders may be bent.
    Centres {
        centres: Vec<([f32; 2], usize)>,
        bend: f32,
    },
    Bands {
        order: Vec<usize>,
        angle: f32,
        bend: f32,
    },
    /// Rectangles in a turned grid.
    Grid {
        columns: usize,
        rows: usize,
        cells: Vec<usize>,
        angle: f32,
    },
    /// Heights of noise, as on a map.
    Heights { order: Vec<usize>, feature: f32 },
    /// Patches of all but the first on the first.
    Patches {
        patches: Vec<([f32; 2], f32, usize)>,
        bend: f32,
    },
}

impl Layout {
    pub(crate) fn any(count: usize, rng: &mut Rng) -> Self {
        let bend = if rng.chance(0.5) {
            rng.range(0.02, 0.12)
        } else {
            0.0
        };
        let at = |rng: &mut Rng| [rng.unit(), rng.unit()];
        // Everything is there at least once.
        let all = |length: usize, rng: &mut Rng| {
            let mut list: Vec<usize> = (0..length)
                .map(|i| if i < count { i } else { rng.below(count) })
                .collect();
            rng.shuffle(&mut list);
            list
        };
        match rng.below(6) {
            0 | 1 => {
                let number = count + rng.between(0, 2 * count + 4);
                let centres = all(number, rng)
                    .into_iter()
                    .map(|surface| (at(rng), surface))
                    .collect();
                Self::Centres { centres, bend }
            }
            2 => Self::Bands {
                order: all(count + rng.below(4), rng),
                angle: rng.angle(),
                bend,
            },
            3 => {
                let (columns, rows) = (rng.between(2, 4), rng.between(2, 4));
                let cells = all((columns * rows).max(count), rng);
                Self::Grid {
                    columns,
                    rows,
                    cells,
                    angle: rng.normal() * 0.4,
                }
            }
            4 => Self::Heights {
                order: all(count, rng),
                feature: rng.range(1.5, 4.0),
            },
            _ => {
                let number = 2 * count + rng.below(6);
                let patches = (0..number)
                    .map(|i| (at(rng), rng.range(0.08, 0.22), 1 + i % (count - 1).max(1)))
                    .collect();
                Self::Patches { patches, bend }
            }
        }
    }

    pub(crate) fn surface(&self, x: f32, y: f32, seed: u32) -> usize {
        let warp = |bend: f32| {
            if bend == 0.0 {
                return (x, y);
            }
            let by = |s: u32| (noise(x * 5.0, y * 5.0, seed ^ s) - 0.5) * 2.0 * bend;
            (x + by(1), y + by(2))
        };
        match self {
            Self::Centres { centres, bend } => {
                let (x, y) = warp(*bend);
                let far = |c: &[f32; 2]| (c[0] - x).powi(2) + (c[1] - y).powi(2);
                let nearest = centres
                    .iter()
                    .min_by(|a, b| far(&a.0).total_cmp(&far(&b.0)));
                nearest.map_or(0, |(_, surface)| *surface)
            }
            Self::Bands { order, angle, bend } => {
                let (x, y) = warp(*bend);
                let along = (x - 0.5) * angle.cos() + (y - 0.5) * angle.sin();
                let band = ((along / 1.1 + 0.5) * order.len() as f32) as usize;
                order[band.min(order.len() - 1)]
            }
            Self::Grid {
                columns,
                rows,
                cells,
                angle,
            } => {
                let (sin, cos) = angle.sin_cos();
                let (u, v) = (
                    (x - 0.5) * cos + (y - 0.5) * sin,
                    (y - 0.5) * cos - (x - 0.5) * sin,
                );
                let cell =
                    |u: f32, n: usize| ((u / 1.15 + 0.5).clamp(0.0, 0.999) * n as f32) as usize;
                cells[cell(v, *rows) * columns + cell(u, *columns)]
            }
            Self::Heights { order, feature } => {
                let height = octaves(x * feature, y * feature, seed);
                // Noise is rarely near its ends: give each level its share.
                let level = ((height - 0.5) * 1.5 + 0.5).clamp(0.0, 0.999);
                order[(level * order.len() as f32) as usize]
            }
            Self::Patches { patches, bend } => {
                let (x, y) = warp(*bend);
                let inside =
                    |(c, radius, _): &&([f32; 2], f32, usize)| (c[0] - x).hypot(c[1] - y) < *radius;
                patches.iter().rev().find(inside).map_or(0, |patch| patch.2)
            }
        }
    }
}

pub(super) fn draw(count: usize, size: usize, rng: &mut Rng) -> Group {
    let cue = Cue::any(rng);
    let number = rng.between(2, 6);
    let materials = surfaces(number, cue, size, rng);
    let pictures = (0..count).map(|_| picture(&materials, size, rng)).collect();
    group(
        format!("mosaic of {number} surfaces by {cue:?}").to_lowercase(),
        cue == Cue::Colour,
        pictures,
    )
}

fn picture(materials: &[Material], size: usize, rng: &mut Rng) -> Picture {
    let materials: Vec<Material> = materials.iter().map(|m| m.again(rng)).collect();
    let layout = Layout::any(materials.len(), rng);
    let seed = rng.seed();
    // Joints between the surfaces of some pictures belong to nobody.
    let joint = rng.chance(0.12).then(|| Material::any(size, rng));
    let scale = rng.range(2.0, 4.0);
    Canvas::from_fn(size, |x, y| {
        let (u, v) = (x / size as f32, y / size as f32);
        if let Some(joint) = &joint {
            let (first, second, _) = voronoi(u * scale, v * scale, seed);
            if second - first < 0.06 {
                return (joint.at(x, y), NOTHING);
            }
        }
        let surface = layout.surface(u, v, seed);
        (materials[surface].at(x, y), 1 + surface as u8)
    })
    .soften()
    .finish()
}
