//! Things of a kind among other things: by form, surface, size, make, mark or place.

use super::{
    canvas::Canvas,
    form::{Form, Pose, scatter},
    group,
    texture::{Color, Cue, Material, any_color, blend, distance, scale, surfaces},
};
use crate::{
    picture::{Group, NOTHING, Picture},
    rng::Rng,
};

/// What makes things of a kind. The other properties are drawn anew for each thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Form,
    Surface,
    /// Form and surface both have to be right.
    Pair,
    Size,
    /// Filled, outlined, or filled with a rim.
    Make,
    /// With a small mark or without.
    Mark,
    /// Within a frame or outside.
    Place,
    /// Everything that is no background.
    Thing,
}

/// What the pictures of a task share.
struct Kit {
    rule: Rule,
    forms: Vec<Form>,
    surfaces: Vec<Material>,
    ground: Vec<Material>,
    mark: Color,
    /// Things keep their angle (as signs and letters do), up to a little.
    upright: bool,
    lit: bool,
    shadow: bool,
    radius: f32,
    crowded: bool,
}

pub(super) fn draw(count: usize, size: usize, rng: &mut Rng) -> Group {
    const RULES: [Rule; 8] = [
        Rule::Form,
        Rule::Surface,
        Rule::Pair,
        Rule::Size,
        Rule::Make,
        Rule::Mark,
        Rule::Place,
        Rule::Thing,
    ];
    let rule = RULES[rng.weighted(&[0.28, 0.22, 0.16, 0.08, 0.07, 0.06, 0.05, 0.08])];
    let cue = if rule == Rule::Surface {
        Cue::any(rng)
    } else {
        Cue::Both
    };
    let mut materials = surfaces(rng.between(3, 5) + 1, cue, size, rng);
    let first_ground = materials.remove(0);
    let mut ground = vec![first_ground];
    if rng.chance(0.4) {
        // A background of two or more surfaces.
        ground.extend((0..rng.between(1, 2)).map(|_| Material::any(size, rng)));
    }
    if rule != Rule::Surface && rng.chance(0.4) {
        materials = materials
            .iter()
            .map(|m| Material::plain(m.mean(), size, rng))
            .collect();
    }
    let kit = Kit {
        rule,
        forms: Form::different(rng.between(3, 5), rng),
        mark: contrasting(&materials, rng),
        surfaces: materials,
        ground,
        upright: rng.chance(0.4),
        lit: rng.chance(0.4),
        shadow: rng.chance(0.3),
        radius: rng.range(0.09, 0.17) * size as f32,
        crowded: rng.chance(0.3),
    };
    let pictures = (0..count).map(|_| kit.picture(size, rng)).collect();
    group(
        format!("things of a kind by {rule:?}").to_lowercase(),
        rule == Rule::Surface && cue == Cue::Colour,
        pictures,
    )
}

/// A colour far from all of the surfaces.
fn contrasting(surfaces: &[Material], rng: &mut Rng) -> Color {
    let apart = |color: Color| {
        surfaces
            .iter()
            .map(|s| distance(s.mean(), color))
            .fold(f32::MAX, f32::min)
    };
    let tries: Vec<Color> = (0..12).map(|_| any_color(rng)).collect();
    tries
        .into_iter()
        .max_by(|a, b| apart(*a).total_cmp(&apart(*b)))
        .unwrap_or([1.0; 3])
}

impl Kit {
    fn picture(&self, size: usize, rng: &mut Rng) -> Picture {
        let mut canvas = self.background(size, rng);
        let count = rng.between(4, if self.crowded { 14 } else { 9 });
        let sizes: Vec<(f32, bool)> = (0..count)
            .map(|i| {
                let large = i % 2 == 0;
                let factor = match self.rule {
                    Rule::Size if large => rng.range(1.15, 1.5),
                    Rule::Size => rng.range(0.45, 0.65),
                    _ => rng.range(0.7, 1.3),
                };
                (self.radius * factor, large)
            })
            .collect();
        let frames = if self.rule == Rule::Place {
            self.frames(&mut canvas, rng)
        } else {
            Vec::new()
        };
        let apart = if self.crowded { 0.6 } else { 0.9 };
        let places = scatter(count, |i| sizes[i].0, apart, size as f32, rng);
        for (index, place) in places.into_iter().enumerate() {
            let Some(mut centre) = place else { continue };
            let (mut radius, large) = sizes[index];
            // Frames get something in them.
            if let Some(frame) = frames.get(index) {
                centre = frame.centre;
                radius = frame.radius * 0.5;
            }
            self.thing(&mut canvas, index, centre, radius, large, &frames, rng);
        }
        canvas.finish()
    }

    fn background(&self, size: usize, rng: &mut Rng) -> Canvas {
        let ground: Vec<Material> = self.ground.iter().map(|m| m.again(rng)).collect();
        let mut canvas = Canvas::new(size, &ground[0], NOTHING);
        let side = size as f32;
        for surface in &ground[1..] {
            let form = Form::blob(0.3, rng);
            let pose = Pose::new(
                [rng.unit() * side, rng.unit() * side],
                side * rng.range(0.25, 0.5),
                rng.angle(),
            );
            canvas.paint(
                pose.bounds(),
                None,
                1.0,
                |x, y| pose.distance(&form, x, y),
                |x, y, _| surface.at(x, y),
            );
        }
        canvas
    }

    fn frames(&self, canvas: &mut Canvas, rng: &mut Rng) -> Vec<Pose> {
        let side = canvas.side();
        let count = rng.between(1, 2);
        let radius = self.radius * 1.7;
        let places = scatter(count, |_| radius, 1.1, side, rng);
        let frames: Vec<Pose> = places
            .into_iter()
            .flatten()
            .map(|centre| Pose::new(centre, radius, rng.normal() * 0.2))
            .collect();
        let form = Form::Box {
            aspect: 1.0,
            round: 0.3,
        };
        for pose in &frames {
            let rim = (self.radius * 0.14).max(1.2);
            let line = |x: f32, y: f32| (pose.distance(&form, x, y) + rim).abs() - rim;
            canvas.paint(pose.bounds(), Some(9), 1.0, line, |_, _, _| self.mark);
        }
        frames
    }

    #[expect(clippy::too_many_arguments, reason = "all of it describes one thing")]
    fn thing(
        &self,
        canvas: &mut Canvas,
        index: usize,
        centre: [f32; 2],
        radius: f32,
        large: bool,
        frames: &[Pose],
        rng: &mut Rng,
    ) {
        // The first things show every kind, the rest is chance.
        let cycle = |count: usize, rng: &mut Rng| {
            if index < count {
                index
            } else {
                rng.below(count)
            }
        };
        let (form, surface) = match self.rule {
            Rule::Form => (cycle(self.forms.len(), rng), rng.below(self.surfaces.len())),
            Rule::Pair => {
                // Right form and wrong surface, wrong form and right surface, both right, both wrong.
                let both = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)];
                both[cycle(both.len(), rng)]
            }
            Rule::Surface => (rng.below(self.forms.len()), cycle(self.surfaces.len(), rng)),
            _ => (rng.below(self.forms.len()), rng.below(self.surfaces.len())),
        };
        let material = if matches!(self.rule, Rule::Form) && rng.chance(0.5) {
            // By form alone: surfaces never seen in the other picture.
            let base = contrasting(&self.ground, rng);
            Material::plain(base, canvas.size, rng)
        } else {
            self.surfaces[surface].again(rng)
        };
        let outline = &self.forms[form];
        let mut pose = Pose::new(
            centre,
            radius,
            if self.upright {
                rng.normal() * 0.12
            } else {
                rng.angle()
            },
        );
        pose.stretch = rng.log_range(0.87, 1.15);
        let make = if self.rule == Rule::Make {
            cycle(3, rng)
        } else {
            0
        };
        let marked = match self.rule {
            Rule::Mark => index.is_multiple_of(2),
            _ => false,
        };
        let inside = frames.iter().any(|frame| {
            let [u, v] = frame.local(centre[0], centre[1]);
            u.abs().max(v.abs()) < 0.9
        });
        let role = 1 + match self.rule {
            Rule::Form => form,
            Rule::Surface => surface,
            Rule::Pair => form * 2 + surface,
            Rule::Size => usize::from(large),
            Rule::Make => make,
            Rule::Mark => usize::from(marked),
            Rule::Place => usize::from(inside),
            Rule::Thing => 0,
        } as u8;

        if self.shadow {
            let by = radius * 0.2;
            let mut below = pose.bounds();
            (below[2], below[3]) = (below[2] + by, below[3] + by);
            canvas.shade(below, 0.6, 3.0, |x, y| {
                pose.distance(outline, x - by, y - by)
            });
        }
        let rim = (radius * 0.22).max(1.3);
        let light = rng.angle();
        let body = |x: f32, y: f32| pose.distance(outline, x, y);
        let paint = |x: f32, y: f32, d: f32| {
            let mut color = material.at(x, y);
            if make == 2 && d > -rim {
                color = self.mark;
            }
            if self.lit {
                let [u, v] = [(x - centre[0]) / radius, (y - centre[1]) / radius];
                color = scale(color, 1.0 - 0.35 * (u * light.cos() + v * light.sin()));
            }
            color
        };
        if make == 1 {
            canvas.paint(
                pose.bounds(),
                Some(role),
                1.0,
                |x, y| body(x, y).max(-rim - body(x, y)),
                paint,
            );
        } else {
            canvas.paint(pose.bounds(), Some(role), 1.0, body, paint);
        }
        if marked {
            let spot = Pose::new(centre, (radius * 0.32).max(1.4), 0.0);
            let round = Form::Ellipse { aspect: 1.0 };
            let color = blend(self.mark, material.mean(), 0.0);
            canvas.paint(
                spot.bounds(),
                Some(role),
                1.0,
                |x, y| spot.distance(&round, x, y),
                |_, _, _| color,
            );
        }
    }
}
