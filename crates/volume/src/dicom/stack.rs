//! Slices of one size and orientation, put in the order in which they lie.

use super::frame::Frame;
use crate::{
    Affine,
    plane::{dot, minus},
};

/// Slices that lie on each other.
pub(super) struct Stack {
    /// All slices, one list a pass over the same places.
    pub passes: Vec<Vec<Frame>>,
    /// From voxels to the patient; of an irregular stack with its mean step, to look at slices by.
    pub affine: Affine,
    /// Whether the affine places every slice.
    pub is_regular: bool,
    /// What is to be said of it.
    pub notes: Vec<String>,
}

/// Places that are less far apart, in millimetres, are the same.
const SAME: f64 = 0.01;
/// By this share of the middle step, or by [`SAME`], steps may differ.
const UNEVEN: f64 = 0.01;
/// How many gaps are named.
const NAMED: usize = 6;

/// Slices of a series as stacks: one, unless places are repeated unevenly.
pub(super) fn stacks(mut frames: Vec<Frame>) -> Vec<Stack> {
    let twice = remove_copies(&mut frames);
    let mut notes = Vec::new();
    if twice > 0 {
        notes.push(format!(
            "{twice} slices were there twice (the same object in several files)"
        ));
    }
    let places = places(frames);
    let most = places.iter().map(Vec::len).max().unwrap_or(0);
    if places.iter().all(|place| place.len() == most) {
        return even(places, most, &notes);
    }
    let kinds = by_pass(places.into_iter().flatten().collect());
    let kinds = kinds.into_iter().flat_map(|frames| {
        let places = self::places(frames);
        let most = places.iter().map(Vec::len).max().unwrap_or(0);
        if places.iter().all(|place| place.len() == most) {
            return even(places, most, &notes);
        }
        let left_out = places.iter().map(|place| place.len() - 1).sum::<usize>();
        let mut notes = notes.clone();
        notes.push(format!(
            "{left_out} slices lie where another does, and nothing tells why: the first of each place is taken"
        ));
        let firsts = places.into_iter().map(|place| place.into_iter().take(1).collect());
        even(firsts.collect(), 1, &notes)
    });
    kinds.collect()
}

/// Leaves one of each object; how many others there were.
fn remove_copies(frames: &mut Vec<Frame>) -> usize {
    let before = frames.len();
    frames.sort_by(|a, b| {
        let key = |frame: &Frame| (frame.instance.uid.clone(), frame.number);
        (key(a), &a.instance.path).cmp(&(key(b), &b.instance.path))
    });
    frames.dedup_by(|a, b| {
        !a.instance.uid.is_empty() && (&a.instance.uid, a.number) == (&b.instance.uid, b.number)
    });
    before - frames.len()
}

/// Slices by where they lie, along the normal; those of one place in the order of their passes.
fn places(frames: Vec<Frame>) -> Vec<Vec<Frame>> {
    let Some(normal) = frames.first().map(|frame| frame.plane.normal()) else {
        return Vec::new();
    };
    let along = |frame: &Frame| dot(frame.plane.origin, normal);
    let mut frames = frames;
    frames.sort_by(|a, b| along(a).total_cmp(&along(b)));
    let mut places: Vec<Vec<Frame>> = Vec::new();
    for frame in frames {
        match places.last_mut() {
            Some(place) if along(&frame) - along(&place[0]) <= SAME => place.push(frame),
            _ => places.push(vec![frame]),
        }
    }
    for place in &mut places {
        place.sort_by(|a, b| {
            let order = a.pass.compare(&b.pass).then_with(|| a.order.cmp(&b.order));
            order.then_with(|| a.number.cmp(&b.number))
        });
    }
    places
}

/// As many passes as each place has slices; those that do not lie on the first are stacks of their own.
fn even(places: Vec<Vec<Frame>>, passes: usize, notes: &[String]) -> Vec<Stack> {
    let mut all: Vec<Vec<Frame>> = (0..passes).map(|_| Vec::new()).collect();
    for place in places {
        all.iter_mut()
            .zip(place)
            .for_each(|(pass, frame)| pass.push(frame));
    }
    let mut stacks: Vec<Stack> = Vec::new();
    for pass in all {
        let same = |stack: &&mut Stack| {
            let pairs = stack.passes[0].iter().zip(&pass);
            let away = |(a, b): (&Frame, &Frame)| minus(a.plane.origin, b.plane.origin);
            pairs
                .map(away)
                .all(|away| dot(away, away).sqrt() <= 2.0 * SAME)
        };
        match stacks.iter_mut().find(same) {
            Some(stack) => stack.passes.push(pass),
            None => stacks.push(Stack::of(pass, notes)),
        }
    }
    stacks
}

/// Slices whose echo, time and kind are the same.
fn by_pass(frames: Vec<Frame>) -> Vec<Vec<Frame>> {
    let mut kinds: Vec<Vec<Frame>> = Vec::new();
    for frame in frames {
        match kinds.iter_mut().find(|kind| kind[0].pass == frame.pass) {
            Some(kind) => kind.push(frame),
            None => kinds.push(vec![frame]),
        }
    }
    kinds
}

impl Stack {
    fn of(frames: Vec<Frame>, notes: &[String]) -> Self {
        let mut notes = notes.to_vec();
        let origins: Vec<[f64; 3]> = frames.iter().map(|frame| frame.plane.origin).collect();
        let plane = frames[0].plane;
        let steps: Vec<[f64; 3]> = origins
            .windows(2)
            .map(|two| minus(two[1], two[0]))
            .collect();
        let mean = match (origins.first(), origins.last()) {
            (Some(first), Some(last)) if !steps.is_empty() => {
                minus(*last, *first).map(|way| way / steps.len() as f64)
            }
            _ => {
                let thickness = frames[0].thickness.unwrap_or_else(|| {
                    notes.push(
                        "a single slice that does not say how thick it is: taken as 1 mm".into(),
                    );
                    1.0
                });
                plane.normal().map(|part| part * thickness)
            }
        };
        let usual = usual(&steps);
        let tolerance = (UNEVEN * length(usual)).max(SAME);
        let is_regular = steps
            .iter()
            .all(|step| length(minus(*step, usual)) <= tolerance);
        let affine = affine(&frames, mean);
        let straight = dot(mean, plane.normal());
        let sideways = (dot(mean, mean) - straight * straight).max(0.0).sqrt();
        let stack = |notes| Self {
            passes: vec![frames],
            affine,
            is_regular,
            notes,
        };
        if sideways > tolerance.max(UNEVEN * straight) {
            let degrees = sideways.atan2(straight).to_degrees();
            notes.push(format!(
                "the slices are shifted against each other, as by a gantry tilted by {degrees:.1} degrees"
            ));
        }
        if !is_regular {
            notes.push(gaps(&steps, plane.normal(), tolerance));
            notes.push("slices at irregular distances have no place in NIfTI: the labels are a DICOM segmentation alone".into());
        }
        stack(notes)
    }
}

/// The step whose length is the middle one.
fn usual(steps: &[[f64; 3]]) -> [f64; 3] {
    let mut steps = steps.to_vec();
    steps.sort_by(|a, b| length(*a).total_cmp(&length(*b)));
    steps.get(steps.len() / 2).copied().unwrap_or_default()
}

fn affine(frames: &[Frame], step: [f64; 3]) -> Affine {
    let plane = &frames[0].plane;
    let [across, down] = plane.steps;
    Affine([0, 1, 2].map(|axis| [across[axis], down[axis], step[axis], plane.origin[axis]]))
}

/// Where steps are not the usual one, in millimetres; slices count from 0.
fn gaps(steps: &[[f64; 3]], normal: [f64; 3], tolerance: f64) -> String {
    let along: Vec<f64> = steps.iter().map(|step| dot(*step, normal)).collect();
    let usual = dot(usual(steps), normal);
    let uneven = along
        .iter()
        .enumerate()
        .filter(|(_, step)| (*step - usual).abs() > tolerance);
    let uneven: Vec<String> = uneven
        .map(|(at, step)| {
            let whole = (step / usual).round();
            let is_missing = whole >= 2.0 && (step - whole * usual).abs() <= tolerance * whole;
            let missing = match is_missing {
                true => format!(", {} missing", whole - 1.0),
                false => String::new(),
            };
            format!("{step:.2} mm after slice {at}{missing}")
        })
        .collect();
    let named = uneven[..uneven.len().min(NAMED)].join("; ");
    let rest = match uneven.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("; {more} more"),
    };
    match uneven.is_empty() {
        true => "the slices are shifted against each other unevenly".into(),
        false => format!("the slices are not evenly spaced ({usual:.2} mm): {named}{rest}"),
    }
}

fn length(v: [f64; 3]) -> f64 {
    dot(v, v).sqrt()
}
