//! What makes pictures with roles, and how a sample becomes of them.

use crate::{
    Augmentation, Sample, SegType, augment,
    paint::paint,
    picture::{Group, NOTHING, Picture, UNKNOWN, View},
    rng::Rng,
};

/// What a task is asked to make.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    /// How many pictures.
    pub(crate) count: usize,
    /// Their width and height in pixels.
    pub(crate) size: usize,
    /// Roles may tell things of a kind apart, because single things will be asked for.
    pub(crate) things: bool,
    /// They will be laid on grids of four.
    pub(crate) grids: bool,
}

/// Makes pictures that share the meaning of their roles.
pub(crate) trait Task: Send {
    /// `None`: bad luck, try again with other draws.
    fn group(&mut self, ask: Ask, rng: &mut Rng) -> Option<Group>;

    /// The same task for another thread: files and what is decoded of them are shared.
    fn another(&self) -> Box<dyn Task>;
}

/// How often a task may have bad luck (a class out of sight, a file that cannot be read) in one sample.
const ATTEMPTS: usize = 40;

/// A sample of one task. Should it fail again and again, one of another task, which must not, takes its place and says so.
pub(crate) fn sample(
    task: &mut dyn Task,
    other: &mut dyn Task,
    how: &Augmentation,
    size: usize,
    prompts: usize,
    mut rng: Rng,
) -> Sample {
    let empty = rng.chance(how.empty);
    for number in 0..ATTEMPTS {
        // A set of a single class has no picture without it.
        let empty = empty && number < ATTEMPTS / 2;
        if let Some(sample) = attempt(task, how, size, prompts, empty, &mut rng.fork()) {
            return sample;
        }
    }
    loop {
        if let Some(mut sample) = attempt(other, how, size, prompts, false, &mut rng.fork()) {
            sample.origin.push_str(" (another source gave up)");
            return sample;
        }
    }
}

fn attempt(
    task: &mut dyn Task,
    how: &Augmentation,
    size: usize,
    prompts: usize,
    empty: bool,
    rng: &mut Rng,
) -> Option<Sample> {
    let ask = Ask {
        count: prompts + 1,
        size,
        things: false,
        grids: false,
    };
    let mut group = if !empty && rng.chance(how.same_picture) {
        let things = rng.chance(how.instance);
        let whole = Ask {
            count: 1,
            size: size * 5 / 4,
            things,
            ..ask
        };
        views(task.group(whole, rng)?, things, ask, rng)
    } else if rng.chance(how.stitch) {
        let parts = Ask {
            count: 4 * ask.count,
            size: size * 5 / 8,
            grids: true,
            ..ask
        };
        grids(task.group(parts, rng)?, size, rng)
    } else {
        task.group(ask, rng)?
    };
    augment::together(&mut group, how, rng);
    for picture in &mut group.pictures {
        augment::geometry(picture, how, rng);
        augment::photometry(&mut picture.rgb, how, rng);
    }
    let Group {
        pictures,
        kind,
        origin,
        ..
    } = group;
    paint(pictures, kind, origin, empty, rng)
}

/// Windows on the first picture, turned and scaled a little; asks for kinds, or for single things.
pub(crate) fn views(mut group: Group, instance: bool, ask: Ask, rng: &mut Rng) -> Group {
    let Some(mut picture) = group.pictures.pop() else {
        return group;
    };
    if instance {
        picture.roles = things(&picture);
        group.kind = SegType::Instance;
        group.origin.push_str(", one thing in several views");
    } else {
        group.origin.push_str(", several views");
    }
    let size = ask.size;
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let fits = width.min(height) / size as f32;
    let mut view = || {
        let zoom = fits * rng.range(0.65, 1.0);
        let turn = rng.normal() * 0.25;
        let slack = |whole: f32| (whole - zoom * size as f32).max(0.0) / 2.0;
        let centre = [
            width / 2.0 + slack(width) * rng.range(-1.0, 1.0),
            height / 2.0 + slack(height) * rng.range(-1.0, 1.0),
        ];
        picture.view(
            View::new(centre, zoom, rng.log_range(0.85, 1.18), turn, false),
            size,
        )
    };
    group.pictures = (0..ask.count).map(|_| view()).collect();
    group
}

/// Numbers the connected areas of equal roles (four neighbours), the largest 200 of them.
fn things(picture: &Picture) -> Vec<u8> {
    let (width, height) = (picture.width(), picture.height());
    let mut areas: Vec<Vec<usize>> = Vec::new();
    let mut seen = vec![false; width * height];
    for start in 0..width * height {
        let role = picture.roles[start];
        if seen[start] || role == NOTHING || role == UNKNOWN {
            continue;
        }
        seen[start] = true;
        let mut area = vec![start];
        let mut next = 0;
        while next < area.len() {
            let at = area[next];
            next += 1;
            let (x, y) = (at % width, at / width);
            let neighbours = [
                (x > 0).then(|| at - 1),
                (x + 1 < width).then_some(at + 1),
                (y > 0).then(|| at - width),
                (y + 1 < height).then_some(at + width),
            ];
            for to in neighbours.into_iter().flatten() {
                if !seen[to] && picture.roles[to] == role {
                    seen[to] = true;
                    area.push(to);
                }
            }
        }
        areas.push(area);
    }
    areas.sort_by_key(|area| std::cmp::Reverse(area.len()));
    let mut roles: Vec<u8> = picture
        .roles
        .iter()
        .map(|&r| if r == UNKNOWN { r } else { NOTHING })
        .collect();
    for (number, area) in (1u8..=200).zip(areas) {
        for at in area {
            roles[at] = number;
        }
    }
    roles
}

/// Windows on grids of four pictures each.
fn grids(mut group: Group, size: usize, rng: &mut Rng) -> Group {
    let mut window = |four: &[Picture; 4]| {
        let share = rng.range(0.55, 1.0);
        Picture::stitch(four).crop(share, 1.0, 0.0, false, size, rng)
    };
    let (fours, _) = group.pictures.as_chunks();
    group.pictures = fours.iter().map(&mut window).collect();
    group.origin.push_str(", stitched");
    group
}
