//! Thin things: vessels that branch, roads that cross, cracks, cables, roots.

use super::{
    canvas::{Canvas, Field},
    form::{Form, Pose, scatter},
    group,
    texture::{Color, Material, any_color, blend, distance, near},
};
use crate::{
    picture::{Group, NOTHING, Picture},
    rng::Rng,
};

#[derive(Debug, Clone, Copy)]
enum Kind {
    Vessels,
    Roads,
    Cracks,
    Cables,
}

/// How one sort of lines looks.
struct Style {
    color: Color,
    /// Radius of the widest, in pixels.
    width: f32,
    soft: f32,
    /// Brighter along the middle, as vessels and pipes are.
    shine: f32,
}

struct Kit {
    kind: Kind,
    ground: Vec<Material>,
    styles: Vec<Style>,
    /// Things that are no lines: houses, spots, cells.
    clutter: Option<(Form, Material)>,
    /// Everything lies in a round field of view.
    disc: bool,
}

pub(super) fn draw(count: usize, size: usize, rng: &mut Rng) -> Group {
    let kinds = [Kind::Vessels, Kind::Roads, Kind::Cracks, Kind::Cables];
    let kind = kinds[rng.weighted(&[0.4, 0.3, 0.15, 0.15])];
    let faint = matches!(kind, Kind::Vessels) && rng.chance(0.6);
    let base = any_color(rng);
    let mut ground = vec![if faint {
        Material::plain(base, size, rng)
    } else {
        Material::new(*rng.pick(&super::texture::Pattern::ALL), base, size, rng)
    }];
    if matches!(kind, Kind::Roads) {
        ground.extend((0..rng.between(1, 3)).map(|_| Material::any(size, rng)));
    }
    let sorts = if rng.chance(0.45) { 2 } else { 1 };
    let widest = size as f32
        * if matches!(kind, Kind::Roads) {
            0.035
        } else {
            0.024
        };
    let mut styles: Vec<Style> = Vec::new();
    while styles.len() < sorts {
        // A darker or lighter tone of the ground, or any colour.
        let color = if faint {
            let to = if rng.chance(0.7) { 0.0 } else { 1.0 };
            near(
                blend(ground[0].mean(), [to; 3], rng.range(0.25, 0.6)),
                0.08,
                rng,
            )
        } else {
            any_color(rng)
        };
        let apart = if faint { 0.08 } else { 0.2 };
        let others = styles
            .iter()
            .map(|s| s.color)
            .chain(ground.iter().map(Material::mean));
        if others.fold(f32::MAX, |d, other| d.min(distance(other, color))) > apart
            || rng.chance(0.02)
        {
            styles.push(Style {
                color,
                width: (widest * rng.range(0.7, 1.5)).max(0.8),
                soft: if rng.chance(0.3) { 2.0 } else { 1.0 },
                shine: if rng.chance(0.3) {
                    rng.range(0.1, 0.4)
                } else {
                    0.0
                },
            });
        }
    }
    let clutter = rng
        .chance(0.5)
        .then(|| (Form::any(rng), Material::any(size, rng)));
    let disc = matches!(kind, Kind::Vessels) && rng.chance(0.4);
    let kit = Kit {
        kind,
        ground,
        styles,
        clutter,
        disc,
    };
    let pictures = (0..count).map(|_| kit.picture(size, rng)).collect();
    group(
        format!("{kind:?} of {sorts} sorts").to_lowercase(),
        sorts == 2,
        pictures,
    )
}

impl Kit {
    fn picture(&self, size: usize, rng: &mut Rng) -> Picture {
        let side = size as f32;
        let ground: Vec<Material> = self.ground.iter().map(|m| m.again(rng)).collect();
        let mut canvas = Canvas::new(size, &ground[0], NOTHING);
        for (index, surface) in ground[1..].iter().enumerate() {
            for _ in 0..rng.between(1, 3) {
                let form = Form::Box {
                    aspect: rng.range(0.4, 1.0),
                    round: 0.0,
                };
                let at = [rng.unit() * side, rng.unit() * side];
                let pose = Pose::new(at, side * rng.range(0.15, 0.35), rng.normal() * 0.3);
                let role = 10 + index as u8;
                canvas.paint(
                    pose.bounds(),
                    Some(role),
                    1.0,
                    |x, y| pose.distance(&form, x, y),
                    |x, y, _| surface.at(x, y),
                );
            }
        }
        if let Some((form, surface)) = &self.clutter {
            let surface = surface.again(rng);
            let radius = side * rng.range(0.03, 0.08);
            for centre in scatter(rng.between(3, 10), |_| radius, 1.0, side, rng)
                .into_iter()
                .flatten()
            {
                let pose = Pose::new(centre, radius * rng.range(0.7, 1.2), rng.angle());
                canvas.paint(
                    pose.bounds(),
                    Some(9),
                    1.0,
                    |x, y| pose.distance(form, x, y),
                    |x, y, _| surface.at(x, y),
                );
            }
        }
        for (index, style) in self.styles.iter().enumerate() {
            let mut field = Field::new(size);
            match self.kind {
                Kind::Vessels => vessels(&mut field, style.width, side, rng),
                Kind::Roads => roads(&mut field, style.width, side, rng),
                Kind::Cracks => cracks(&mut field, style.width * 0.7, side, rng),
                Kind::Cables => cables(&mut field, style.width, side, rng),
            }
            let color = near(style.color, 0.02, rng);
            canvas.paint_field(&field, Some(1 + index as u8), style.soft, |_, _, d| {
                let middle = (-d / style.width).clamp(0.0, 1.0);
                blend(color, [1.0; 3], style.shine * middle)
            });
        }
        if self.disc {
            let pose = Pose::new([side / 2.0, side / 2.0], side * rng.range(0.46, 0.54), 0.0);
            let round = Form::Ellipse { aspect: 1.0 };
            canvas.paint(
                [0.0, 0.0, side, side],
                Some(NOTHING),
                1.5,
                |x, y| -pose.distance(&round, x, y),
                |_, _, _| [0.02; 3],
            );
        }
        canvas.finish()
    }
}

fn step(at: [f32; 2], angle: f32, by: f32) -> [f32; 2] {
    [at[0] + by * angle.cos(), at[1] + by * angle.sin()]
}

/// Trees that start at one or two places and thin out.
fn vessels(field: &mut Field, width: f32, side: f32, rng: &mut Rng) {
    for _ in 0..rng.between(1, 2) {
        let root = [rng.range(-0.05, 1.05) * side, rng.range(-0.05, 1.05) * side];
        let inward = (side / 2.0 - root[1]).atan2(side / 2.0 - root[0]);
        for _ in 0..rng.between(2, 4) {
            branch(
                field,
                root,
                inward + rng.normal() * 0.8,
                width,
                side,
                rng.between(9, 16),
                rng,
            );
        }
    }
}

fn branch(
    field: &mut Field,
    mut at: [f32; 2],
    mut angle: f32,
    mut width: f32,
    side: f32,
    steps: usize,
    rng: &mut Rng,
) {
    for left in (0..steps).rev() {
        angle += rng.normal() * 0.25;
        let to = step(at, angle, side * rng.range(0.05, 0.09));
        let thinner = (width * 0.95).max(0.45);
        field.stroke(at, to, width, thinner);
        (at, width) = (to, thinner);
        if left > 1 && rng.chance(0.28) {
            let turn = rng.sign() * rng.range(0.4, 1.0);
            branch(
                field,
                at,
                angle + turn,
                (width * rng.range(0.55, 0.85)).max(0.45),
                side,
                left * 2 / 3,
                rng,
            );
        }
    }
}

/// Long streets across the picture and short ones that leave them at right angles.
fn roads(field: &mut Field, width: f32, side: f32, rng: &mut Rng) {
    let main = rng.angle();
    let curve = if rng.chance(0.5) {
        rng.normal() * 0.06
    } else {
        0.0
    };
    for _ in 0..rng.between(1, 3) {
        let heading = main
            + if rng.chance(0.4) {
                std::f32::consts::FRAC_PI_2
            } else {
                0.0
            };
        let middle = [rng.range(0.1, 0.9) * side, rng.range(0.1, 0.9) * side];
        let (mut at, mut angle) = (step(middle, heading, -side * 1.2), heading - 12.0 * curve);
        for _ in 0..24 {
            let to = step(at, angle, side * 0.1);
            field.stroke(at, to, width, width);
            if rng.chance(0.12) {
                let turn = rng.sign() * std::f32::consts::FRAC_PI_2;
                let end = step(to, angle + turn, side * rng.range(0.15, 0.5));
                field.stroke(to, end, width * 0.75, width * 0.75);
            }
            (at, angle) = (to, angle + curve);
        }
    }
}

/// Jagged walks.
fn cracks(field: &mut Field, width: f32, side: f32, rng: &mut Rng) {
    for _ in 0..rng.between(1, 4) {
        let mut at = [rng.unit() * side, rng.unit() * side];
        let heading = rng.angle();
        for _ in 0..rng.between(8, 20) {
            let to = step(
                at,
                heading + rng.normal() * 0.8,
                side * rng.range(0.03, 0.08),
            );
            field.stroke(
                at,
                to,
                (width * rng.range(0.5, 1.0)).max(0.5),
                width.max(0.5),
            );
            at = to;
        }
    }
}

/// Smooth curves of one width.
fn cables(field: &mut Field, width: f32, side: f32, rng: &mut Rng) {
    for _ in 0..rng.between(2, 5) {
        let mut at = [rng.unit() * side, rng.unit() * side];
        let (mut angle, mut bend) = (rng.angle(), 0.0);
        for _ in 0..rng.between(10, 26) {
            bend = (bend + rng.normal() * 0.12) * 0.9;
            angle += bend;
            let to = step(at, angle, side * 0.045);
            field.stroke(at, to, width, width);
            at = to;
        }
    }
}
