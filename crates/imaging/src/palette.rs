//! Which colour stands for which class.

use crate::{BLACK, Rgb, WHITE, squared_distance};

/// Colours that stay apart from each other and from the black background, for classes 1, 2, ...
///
/// A fixed sequence, so that more classes never change the colours of the first: white, the six
/// pure colours, then always the colour of a 5 x 5 x 5 grid (a finer one when that is used up) that
/// is farthest from all before it. A single class is therefore white, as in the original engine.
/// transformers' palette ([`transformers`]) starts with white and (255, 255, 127), which a painted
/// answer mixes up easily.
#[must_use]
pub fn distinct(count: usize) -> Vec<Rgb> {
    const FIRST: [Rgb; 7] = [
        WHITE,
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 0],
        [255, 0, 255],
        [0, 255, 255],
    ];
    let mut colors: Vec<Rgb> = FIRST.into_iter().take(count).collect();
    for levels in [5, 9, 17, 33] {
        extend_from_grid(&mut colors, count, levels);
    }
    // 35,936 colours are exhausted: what is left can only be enumerated.
    let mut rest = (0..1u32 << 24).map(|c| [(c >> 16) as u8, (c >> 8) as u8, c as u8]);
    while colors.len() < count {
        match rest.next() {
            Some(color) if color != BLACK && color.iter().any(|c| c % 8 == 4) => colors.push(color),
            Some(_) => {}
            None => break,
        }
    }
    colors
}

/// Farthest-point sampling on a grid of `levels` values per channel.
fn extend_from_grid(colors: &mut Vec<Rgb>, count: usize, levels: u32) {
    if colors.len() >= count {
        return;
    }
    let value = |i: u32| (i * 255 / (levels - 1)) as u8;
    let mut grid: Vec<(Rgb, u32)> = (0..levels.pow(3))
        .map(|i| {
            [
                value(i / (levels * levels)),
                value(i / levels % levels),
                value(i % levels),
            ]
        })
        .map(|color| {
            let taken = colors.iter().copied().chain([BLACK]);
            let apart = taken.map(|other| squared_distance(color, other)).min();
            (color, apart.unwrap_or(u32::MAX))
        })
        .collect();
    while colors.len() < count {
        // The first of equals: `max_by_key` alone would take the last.
        let Some(&(next, apart)) = grid.iter().rev().max_by_key(|(_, apart)| *apart) else {
            return;
        };
        if apart == 0 {
            return;
        }
        colors.push(next);
        for (color, apart) in &mut grid {
            *apart = (*apart).min(squared_distance(*color, next));
        }
    }
}

/// The palette that transformers' `SegGptImageProcessor.build_palette(classes)` makes: black, then
/// `classes` colours down a regular grid from white. For reading prompts that were made with it.
#[must_use]
pub fn transformers(classes: usize) -> Vec<Rgb> {
    let base = (classes as f64).cbrt() as usize + 1;
    let margin = 256 / base;
    let level = |step: usize| 255usize.saturating_sub(step * margin) as u8;
    let color = |l: usize| {
        [
            level(l / (base * base)),
            level(l % (base * base) / base),
            level(l % base),
        ]
    };
    std::iter::once(BLACK)
        .chain((0..classes).map(color))
        .collect()
}

/// The PASCAL VOC colour of an id (0 is black): what mask files of that family carry as palette,
/// so that neighbouring ids look different in any viewer.
#[must_use]
pub fn voc(id: u8) -> Rgb {
    let mut color = BLACK;
    for bit in 0..8 {
        for (channel, value) in color.iter_mut().enumerate() {
            let source = bit * 3 + channel;
            if source < 8 && id >> source & 1 == 1 {
                *value |= 1 << (7 - bit);
            }
        }
    }
    color
}

/// Friendly colours for people, for overlays and legends; repeats after twelve.
///
/// What a class is painted with for the network ([`distinct`]) is chosen for the network: white over
/// a photograph is hard to see.
#[must_use]
pub fn display(index: usize) -> Rgb {
    const COLORS: [Rgb; 12] = [
        [255, 96, 64],
        [38, 139, 255],
        [46, 204, 113],
        [255, 200, 0],
        [186, 85, 255],
        [0, 206, 209],
        [255, 105, 180],
        [154, 205, 50],
        [255, 140, 0],
        [99, 102, 241],
        [205, 92, 92],
        [64, 160, 140],
    ];
    COLORS[index % COLORS.len()]
}
