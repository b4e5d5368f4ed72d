//! Plants on soil, from above: crops in rows and weeds between them, by the form of their leaves.

use super::{
    canvas::Canvas,
    form::{Form, Pose},
    group,
    texture::{Color, Material, near, scale},
};
use crate::{
    picture::{Group, NOTHING, Picture},
    rng::Rng,
};

struct Species {
    leaves: usize,
    /// Width over length of a leaf.
    slim: f32,
    color: Color,
    /// In pixels.
    radius: f32,
    in_rows: bool,
    toothed: bool,
}

pub(super) fn draw(count: usize, size: usize, rng: &mut Rng) -> Group {
    let earth = near([0.42, 0.33, 0.25], 0.1, rng);
    let soil = Material::new(
        *rng.pick(&[
            super::texture::Pattern::Clouds,
            super::texture::Pattern::Grain,
            super::texture::Pattern::Cells,
        ]),
        earth,
        size,
        rng,
    );
    let green = near([0.3, 0.5, 0.2], 0.1, rng);
    let number = rng.between(1, 3);
    let species: Vec<Species> = (0..number)
        .map(|index| Species {
            leaves: [rng.between(2, 4), rng.between(5, 9), rng.between(3, 6)][index],
            slim: [
                rng.range(0.45, 0.65),
                rng.range(0.12, 0.2),
                rng.range(0.25, 0.35),
            ][index],
            color: near(green, 0.05, rng),
            radius: size as f32 * rng.range(0.07, 0.15),
            in_rows: index == 0,
            toothed: rng.chance(0.3),
        })
        .collect();
    let pictures = (0..count)
        .map(|_| picture(&soil, &species, size, rng))
        .collect();
    group(format!("plants of {number} species"), number == 1, pictures)
}

fn picture(soil: &Material, species: &[Species], size: usize, rng: &mut Rng) -> Picture {
    let side = size as f32;
    let mut canvas = Canvas::new(size, &soil.again(rng), NOTHING);
    for _ in 0..rng.between(0, 8) {
        // Stones and straw belong to nobody.
        let pose = Pose::new(
            [rng.unit() * side, rng.unit() * side],
            side * rng.range(0.01, 0.03),
            rng.angle(),
        );
        let form = Form::Ellipse {
            aspect: rng.range(0.2, 1.0),
        };
        let color = near([0.6, 0.57, 0.5], 0.08, rng);
        canvas.paint(
            pose.bounds(),
            None,
            1.0,
            |x, y| pose.distance(&form, x, y),
            |_, _, _| color,
        );
    }
    let heading = rng.angle();
    let gap = side * rng.range(0.25, 0.45);
    let mut places: Vec<(usize, [f32; 2])> = Vec::new();
    for (index, one) in species.iter().enumerate() {
        if one.in_rows {
            let (sin, cos) = heading.sin_cos();
            let shift = rng.unit() * gap;
            for row in -3..=3 {
                let mut along = -side;
                while along < side {
                    along += one.radius * rng.range(1.6, 2.6);
                    let across = row as f32 * gap + shift + rng.normal();
                    let at = [
                        side / 2.0 + along * cos - across * sin,
                        side / 2.0 + along * sin + across * cos,
                    ];
                    if at.iter().all(|v| (-2.0..side + 2.0).contains(v)) {
                        places.push((index, at));
                    }
                }
            }
        } else {
            places.extend(
                (0..rng.between(2, 8)).map(|_| (index, [rng.unit() * side, rng.unit() * side])),
            );
        }
    }
    rng.shuffle(&mut places);
    for (index, at) in places {
        plant(&mut canvas, &species[index], 1 + index as u8, at, rng);
    }
    canvas.finish()
}

fn plant(canvas: &mut Canvas, one: &Species, role: u8, at: [f32; 2], rng: &mut Rng) {
    let from = rng.angle();
    let radius = one.radius * rng.range(0.6, 1.15);
    for leaf in 0..one.leaves {
        let angle =
            from + leaf as f32 / one.leaves as f32 * std::f32::consts::TAU + rng.normal() * 0.15;
        let length = radius * rng.range(0.4, 0.6);
        let middle = [at[0] + length * angle.cos(), at[1] + length * angle.sin()];
        let pose = Pose::new(middle, length.max(1.2), angle);
        let form = Form::Ellipse { aspect: one.slim };
        let color = near(scale(one.color, rng.range(0.8, 1.2)), 0.015, rng);
        let teeth = if one.toothed { 0.12 * length } else { 0.0 };
        canvas.shade(pose.bounds(), 0.75, 2.5, |x, y| {
            pose.distance(&form, x - 0.8, y - 0.8)
        });
        canvas.paint(
            pose.bounds(),
            Some(role),
            1.0,
            |x, y| {
                let [u, _] = pose.local(x, y);
                pose.distance(&form, x, y) + teeth * (u * 14.0).sin()
            },
            |x, y, _| {
                let [_, v] = pose.local(x, y);
                // The rib in the middle of a leaf is lighter.
                scale(
                    color,
                    if v.abs() < 0.06 {
                        1.25
                    } else {
                        1.0 - 0.25 * v.abs()
                    },
                )
            },
        );
    }
}
