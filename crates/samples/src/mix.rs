use std::sync::Arc;

use crate::{
    Augmentation, Sample, SamplesError, SegType, Settings, Source, Weights, augment, cutouts,
    datasets::Sets,
    dice::Dice,
    files::Files,
    labelled, materials,
    paint::paint,
    picture::{Group, NOTHING, Picture, UNKNOWN, View},
    segments, synthetic,
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
    /// `None`: bad luck, try again with other dice.
    fn group(&mut self, ask: Ask, dice: &mut Dice) -> Option<Group>;

    /// The same task for another thread: files and what is decoded of them are shared.
    fn another(&self) -> Box<dyn Task>;
}

/// A weighted mixture of all sources, augmented, and now and then stitched to 2 x 2 grids.
pub struct Mix {
    size: usize,
    augmentation: Augmentation,
    tasks: Vec<Box<dyn Task>>,
    weights: Vec<f32>,
}

impl Mix {
    /// Finds the files of all sources whose weight is above 0; pictures are decoded when they are needed.
    ///
    /// # Errors
    /// [`SamplesError::Settings`], and [`SamplesError::NoFolder`], [`SamplesError::EmptyFolder`],
    /// [`SamplesError::Disk`] or [`SamplesError::Content`] where a source lacks what it needs.
    pub fn new(settings: &Settings) -> Result<Self, SamplesError> {
        Data::open(settings)?.mix(settings.size)
    }
}

/// What the sources of some settings read, listed once: for mixtures of several sizes.
pub struct Data {
    settings: Settings,
    files: Option<Arc<Files>>,
    sets: Option<Sets>,
}

impl Data {
    /// Lists the files, and reads which classes the data sets' pictures show.
    ///
    /// # Errors
    /// As [`Mix::new`].
    pub fn open(settings: &Settings) -> Result<Self, SamplesError> {
        settings.check()?;
        let Weights {
            cutouts,
            materials,
            labelled,
            segments,
            datasets,
            ..
        } = settings.weights;
        let files = match &settings.root {
            Some(root) if cutouts + materials + labelled + segments > 0.0 => {
                Some(Arc::new(Files::open(root)?))
            }
            _ => None,
        };
        let sets = match datasets > 0.0 {
            true => Some(Sets::open(&settings.datasets)?),
            false => None,
        };
        Ok(Self {
            settings: settings.clone(),
            files,
            sets,
        })
    }

    /// The mixture at a size, whatever [`Settings::size`] is.
    ///
    /// # Errors
    /// As [`Mix::new`].
    pub fn mix(&self, size: u32) -> Result<Mix, SamplesError> {
        self.mix_of(size, &self.settings.weights)
    }

    /// The settings that it was opened with.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A mixture of some of the sources that are on.
    pub(crate) fn mix_of(&self, size: u32, weights: &Weights) -> Result<Mix, SamplesError> {
        let settings = Settings {
            size,
            ..self.settings.clone()
        };
        settings.check()?;
        let scale = settings.scale();
        let mut tasks: Vec<Box<dyn Task>> = Vec::new();
        let mut shares = Vec::new();
        let mut add = |share: f32, task: Box<dyn Task>| {
            tasks.push(task);
            shares.push(share);
        };
        if weights.synthetic > 0.0 {
            add(weights.synthetic, Box::new(synthetic::Scenes));
        }
        if let Some(files) = &self.files {
            if weights.cutouts > 0.0 {
                let scenes = cutouts::Scenes::open(files, scale)?;
                add(weights.cutouts, Box::new(scenes));
            }
            if weights.materials > 0.0 {
                let mosaics = materials::Mosaics::open(files, scale)?;
                add(weights.materials, Box::new(mosaics));
            }
            if weights.labelled > 0.0 {
                let crops = labelled::Crops::open(files, scale)?;
                add(weights.labelled, Box::new(crops));
            }
            if weights.segments > 0.0 {
                let photographs = segments::Photographs::open(files, scale)?;
                add(weights.segments, Box::new(photographs));
            }
        }
        if let Some(sets) = &self.sets
            && weights.datasets > 0.0
        {
            add(weights.datasets, Box::new(sets.pairs(scale)));
        }
        Ok(Mix {
            size: size as usize,
            augmentation: settings.augmentation,
            tasks,
            weights: shares,
        })
    }
}

/// For another thread. Files and decoded pictures are shared.
impl Clone for Mix {
    fn clone(&self) -> Self {
        Self {
            size: self.size,
            augmentation: self.augmentation.clone(),
            tasks: self.tasks.iter().map(|task| task.another()).collect(),
            weights: self.weights.clone(),
        }
    }
}

impl Source for Mix {
    fn sample(&mut self, seed: u64, prompts: usize) -> Sample {
        let mut dice = Dice::new(seed);
        let chosen = dice.weighted(&self.weights);
        sample(
            self.tasks[chosen].as_mut(),
            &self.augmentation,
            self.size,
            prompts,
            dice,
        )
    }
}

/// How often a task may have bad luck (a class out of sight, a file that cannot be read) in one sample.
const ATTEMPTS: usize = 40;

/// A sample of one task. Should it fail again and again, a drawn scene takes its place and says so.
pub(crate) fn sample(
    task: &mut dyn Task,
    how: &Augmentation,
    size: usize,
    prompts: usize,
    mut dice: Dice,
) -> Sample {
    for _ in 0..ATTEMPTS {
        if let Some(sample) = attempt(task, how, size, prompts, &mut dice.fork()) {
            return sample;
        }
    }
    loop {
        let scenes = &mut synthetic::Scenes;
        if let Some(mut sample) = attempt(scenes, how, size, prompts, &mut dice.fork()) {
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
    dice: &mut Dice,
) -> Option<Sample> {
    let ask = Ask {
        count: prompts + 1,
        size,
        things: false,
        grids: false,
    };
    let mut group = if dice.chance(how.same_picture) {
        let things = dice.chance(how.instance);
        let whole = Ask {
            count: 1,
            size: size * 5 / 4,
            things,
            ..ask
        };
        views(task.group(whole, dice)?, things, ask, dice)
    } else if dice.chance(how.stitch) {
        let parts = Ask {
            count: 4 * ask.count,
            size: size * 5 / 8,
            grids: true,
            ..ask
        };
        grids(task.group(parts, dice)?, size, dice)
    } else {
        task.group(ask, dice)?
    };
    augment::together(&mut group, how, dice);
    for picture in &mut group.pictures {
        augment::geometry(picture, how, dice);
        augment::photometry(&mut picture.rgb, how, dice);
    }
    let Group {
        pictures,
        kind,
        origin,
        ..
    } = group;
    paint(pictures, kind, origin, dice)
}

/// Windows on the first picture, turned and scaled a little; asks for kinds, or for single things.
pub(crate) fn views(mut group: Group, instance: bool, ask: Ask, dice: &mut Dice) -> Group {
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
        let zoom = fits * dice.range(0.65, 1.0);
        let turn = dice.normal() * 0.25;
        let slack = |whole: f32| (whole - zoom * size as f32).max(0.0) / 2.0;
        let centre = [
            width / 2.0 + slack(width) * dice.range(-1.0, 1.0),
            height / 2.0 + slack(height) * dice.range(-1.0, 1.0),
        ];
        picture.view(
            View::new(centre, zoom, dice.log_range(0.85, 1.18), turn, false),
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
fn grids(mut group: Group, size: usize, dice: &mut Dice) -> Group {
    let mut window = |four: &[Picture; 4]| {
        let share = dice.range(0.55, 1.0);
        Picture::stitch(four).crop(share, 1.0, 0.0, false, size, dice)
    };
    let (fours, _) = group.pictures.as_chunks();
    group.pictures = fours.iter().map(&mut window).collect();
    group.origin.push_str(", stitched");
    group
}
