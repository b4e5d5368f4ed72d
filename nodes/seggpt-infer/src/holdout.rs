//! What both predict for pieces of the prompts that they were not given.

use eyre::Result;
use seggpt_forest::{Forest, Labelled};
use seggpt_imaging::{
    RgbImage,
    decode::{Threshold, enlarge},
};

use crate::{
    fusion::{LEAST, Observation, Weights, fit},
    model::Model,
    prompt_set::{PromptSet, UNKNOWN, labels},
};

/// Prompts that are left out, one after another: more would cost more than they tell.
const FOLDS: usize = 4;
/// Pixels that are looked at in each piece.
const PIXELS: usize = 4000;

/// A prompt, or a quarter of one.
struct Piece {
    picture: RgbImage,
    mask: RgbImage,
}

/// Weights of all classes of a prompt set, in whose predictions a class begins at `threshold`: of several prompts one is left
/// out at a time; of a single one two opposite quarters, then the other two.
///
/// # Errors
/// The network fails.
pub(crate) fn fitted(
    model: &Model,
    set: &PromptSet,
    threshold: Threshold,
    start: Weights,
) -> Result<Vec<Weights>> {
    let pieces = pieces(set);
    let folds: Vec<Vec<usize>> = match set.count {
        1 => vec![vec![0, 3], vec![1, 2]],
        count => (0..count.min(FOLDS)).map(|prompt| vec![prompt]).collect(),
    };
    let mut observations = Vec::new();
    for fold in folds {
        let part = |is_held: bool| -> Vec<&Piece> {
            let all = pieces.iter().enumerate();
            let part = all.filter(|(at, _)| fold.contains(at) == is_held);
            part.map(|(_, piece)| piece).collect()
        };
        observations.extend(observe(model, set, threshold, &part(false), &part(true))?);
    }
    Ok(fit(&observations, set.palette.len() - 1, start))
}

fn pieces(set: &PromptSet) -> Vec<Piece> {
    let side = set.size;
    let square =
        |bytes: &[u8]| RgbImage::from_raw(side, side, bytes.to_vec()).expect("a chunk is a square");
    let bytes = (side * side * 3) as usize;
    let pictures = set.images.chunks_exact(bytes).map(square);
    let masks = set.masks.chunks_exact(bytes).map(square);
    let whole = pictures
        .zip(masks)
        .map(|(picture, mask)| Piece { picture, mask });
    if set.count != 1 {
        return whole.collect();
    }
    let half = side / 2;
    let quarter = |of: &RgbImage, left: u32, top: u32| {
        RgbImage::from_fn(half, half, |x, y| *of.get_pixel(left + x, top + y))
    };
    let quarters = |piece: Piece| {
        [(0, 0), (half, 0), (0, half), (half, half)].map(|(x, y)| Piece {
            picture: quarter(&piece.picture, x, y),
            mask: quarter(&piece.mask, x, y),
        })
    };
    whole.flat_map(quarters).collect()
}

fn observe(
    model: &Model,
    set: &PromptSet,
    threshold: Threshold,
    shown: &[&Piece],
    held: &[&Piece],
) -> Result<Vec<Observation>> {
    let side = shown[0].picture.width();
    let labels = |mask: &RgbImage| labels(mask.as_raw(), &set.palette);
    let known: Vec<Vec<u16>> = shown.iter().map(|piece| labels(&piece.mask)).collect();
    let examples: Vec<Labelled> = (shown.iter().zip(&known))
        .map(|(piece, labels)| Labelled {
            picture: &piece.picture,
            labels,
        })
        .collect();
    let Some(classifier) = Forest::default().learn(&examples, UNKNOWN) else {
        return Ok(Vec::new());
    };
    let place = |label: usize| {
        let label = label as u16;
        classifier.labels().iter().position(|known| *known == label)
    };
    let places: Vec<Option<usize>> = (0..set.palette.len()).map(place).collect();
    let Some(ground) = places[0] else {
        return Ok(Vec::new());
    };
    let shown_set = PromptSet {
        images: shown
            .iter()
            .flat_map(|piece| piece.picture.iter())
            .copied()
            .collect(),
        masks: shown
            .iter()
            .flat_map(|piece| piece.mask.iter())
            .copied()
            .collect(),
        count: shown.len(),
        size: side,
        palette: set.palette.clone(),
        ..*set
    };
    // Quarters are seen at the scale of the whole.
    let share = f64::from(side) / f64::from(set.size);
    let queries: Vec<&RgbImage> = held.iter().map(|piece| &piece.picture).collect();
    let predictions = model.memberships_of(&shown_set, &queries, share)?;
    let count = set.palette.len();
    let known = classifier.labels().len();
    let begins = (threshold.value() / (1.0 - threshold.value())).ln();
    let log = |share: f32, ground: f32| (share.max(LEAST) / ground.max(LEAST)).ln();
    let mut observations = Vec::new();
    for (piece, (network, size)) in held.iter().zip(predictions) {
        let (size, side) = (size as usize, side as usize);
        let network = enlarge(&network, count, (size, size), (side, side))?;
        let pixels = classifier.shares(&piece.picture);
        let odds = |at: usize, class: usize| {
            let network = &network[at * count..][..count];
            let pixels = &pixels[at * known..][..known];
            let place = places[class]?;
            Some([
                log(network[class], network[0]) - begins,
                log(pixels[place], pixels[ground]),
            ])
        };
        let truth = labels(&piece.mask);
        // An odd stride meets all columns.
        let stride = (truth.len() / PIXELS).max(1) | 1;
        let looked_at = (0..truth.len()).step_by(stride);
        let looked_at = looked_at.filter(|at| truth[*at] != UNKNOWN);
        observations.extend(looked_at.map(|at| Observation {
            odds: (1..count).map(|class| odds(at, class)).collect(),
            label: truth[at].into(),
        }));
    }
    Ok(observations)
}
