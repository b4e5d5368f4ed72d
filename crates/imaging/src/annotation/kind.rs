//! Telling the kinds of masks apart.

use std::collections::{BTreeMap, HashMap};

use image::RgbImage;

use super::{
    MaskFile, MaskMode,
    soft::{Look, Plane, Texture},
};
use crate::{
    BLACK, Rgb, WHITE,
    read::{Note, NoteKind},
    squared_distance,
};

/// Squared distance up to which two colours of a lossy file count as one: 48 levels.
pub(super) const SAME_COLOR: u32 = 48 * 48;

/// Squared distance below which a painted answer would mix up two palette colours: 32 levels.
const TOO_CLOSE: u32 = 32 * 32;

/// Distinct colours up to which a file counts as drawn, not compressed with loss.
const DRAWN: usize = 16;

/// Shades that are neither nearly black nor nearly white, as codecs leave them.
const MIDDLE: std::ops::RangeInclusive<u8> = 25..=230;

/// Up to this share of a picture, shades may be edges; where there are more, it is no mask.
const EDGES: f64 = 0.3;

/// From so many ids on, a file of grey values is said to have been taken for ids.
const MANY: usize = 9;

/// What a mask file marks.
pub(super) enum Marks {
    /// One class in white, with whatever shades its edges have.
    White { painted: RgbImage },
    /// An id per pixel, 0 where nothing is marked; the ids that occur, some with their own colour.
    Indexed {
        size: (u32, u32),
        ids: Vec<u16>,
        colors: BTreeMap<u16, Option<Rgb>>,
    },
    /// Colours, and which of them are classes.
    Colored { painted: RgbImage, colors: Vec<Rgb> },
}

/// Marks, and what of them was guessed.
type Told = (Marks, Option<Note>);

/// Without a guess.
fn plainly(marks: Marks) -> Result<Told, String> {
    Ok((marks, None))
}

pub(super) fn tell(file: MaskFile, mode: MaskMode) -> Result<Told, String> {
    match file {
        MaskFile::Palette {
            size,
            indices,
            colors,
        } => palette(size, indices, &colors, mode),
        MaskFile::Grey { size, values } => grey(size, values, mode),
        MaskFile::Deep { size, values } => deep(size, values, mode),
        MaskFile::Shape { size, values } => plainly(Marks::White {
            painted: repeated(size, &values),
        }),
        MaskFile::Rgb(painted) => rgb(painted, mode),
    }
}

fn repeated(size: (u32, u32), values: &[u8]) -> RgbImage {
    let pixels = values.iter().flat_map(|&value| [value; 3]).collect();
    RgbImage::from_raw(size.0, size.1, pixels).expect("one value per pixel")
}

fn palette(
    size: (u32, u32),
    indices: Vec<u8>,
    table: &[Rgb],
    mode: MaskMode,
) -> Result<Told, String> {
    let used = used(&indices);
    let color = |index: u8| table[usize::from(index)];
    let picture = || {
        let pixels = indices.iter().flat_map(|&index| color(index)).collect();
        RgbImage::from_raw(size.0, size.1, pixels).expect("one index per pixel")
    };
    let is_index_mask = |colors: &BTreeMap<u16, Option<Rgb>>| {
        let taken: Vec<Rgb> = colors.values().flatten().copied().chain([BLACK]).collect();
        taken.iter().enumerate().all(|(at, &a)| {
            taken[..at]
                .iter()
                .all(|&b| squared_distance(a, b) >= TOO_CLOSE)
        })
    };
    let classes: BTreeMap<u16, Option<Rgb>> = used
        .iter()
        .filter(|index| !matches!(index, 0 | 255))
        .map(|&index| (u16::from(index), Some(color(index))))
        .collect();
    let own_colors = |colors| Marks::Indexed {
        size,
        ids: without_ignored(&indices),
        colors,
    };
    match mode {
        MaskMode::Palette => plainly(own_colors(classes)),
        MaskMode::Ids => plainly(own_colors(
            classes.into_keys().map(|id| (id, None)).collect(),
        )),
        MaskMode::Rgb => rgb(picture(), mode),
        MaskMode::Binary => {
            let black_and_white = used
                .iter()
                .all(|&index| matches!(color(index), BLACK | WHITE));
            let marked = |index: u8| {
                if black_and_white {
                    color(index) == WHITE
                } else {
                    index != 0
                }
            };
            plainly(Marks::White {
                painted: flat(size, indices.iter().map(|&index| marked(index))),
            })
        }
        MaskMode::Auto => {
            let bilevel = used
                .iter()
                .all(|&index| matches!((index, color(index)), (0, BLACK) | (255, WHITE)));
            // A palette sorted by an optimiser: 0 is just another colour, black is somewhere else.
            let shuffled = used.contains(&0)
                && color(0) != BLACK
                && used.iter().any(|&index| color(index) == BLACK);
            if bilevel {
                plainly(Marks::White { painted: picture() })
            } else if shuffled {
                rgb(picture(), MaskMode::Auto)
            } else if is_index_mask(&classes) {
                plainly(own_colors(classes))
            } else {
                plainly(own_colors(
                    classes.into_keys().map(|id| (id, None)).collect(),
                ))
            }
        }
    }
}

fn grey(size: (u32, u32), values: Vec<u8>, mode: MaskMode) -> Result<Told, String> {
    let used = used(&values);
    let ids = || {
        let ids = without_ignored(&values);
        let colors = used.iter().filter(|value| !matches!(value, 0 | 255));
        Marks::Indexed {
            size,
            ids,
            colors: colors.map(|&id| (u16::from(id), None)).collect(),
        }
    };
    let white = || Marks::White {
        painted: if used.iter().all(|&value| value < 128) {
            flat(size, values.iter().map(|&value| value != 0))
        } else {
            repeated(size, &values)
        },
    };
    match mode {
        MaskMode::Palette => Err("it has no palette; use mask mode ids, binary or auto".to_owned()),
        MaskMode::Rgb => rgb(repeated(size, &values), mode),
        MaskMode::Ids => plainly(ids()),
        MaskMode::Binary => plainly(white()),
        MaskMode::Auto => {
            let (kind, note) = GreyKind::of(size, &values, &used)?;
            let marks = match kind {
                GreyKind::Ids => ids(),
                GreyKind::Binary => white(),
                GreyKind::Thin { from } => Marks::White {
                    painted: flat(size, values.iter().map(|&value| value >= from)),
                },
            };
            Ok((marks, note))
        }
    }
}

enum GreyKind {
    Binary,
    /// One class so thin that hardly a pixel is white: what is marked begins half way to the brightest.
    Thin {
        from: u8,
    },
    Ids,
}

impl GreyKind {
    /// Tells grey values apart: all 0 and 1 or 0 and 255 are binary. Other values are shades if they stand along edges, or if
    /// the bright half clusters at white (soft edges, JPEG); they are ids if they are few, or fill areas.
    fn of(size: (u32, u32), values: &[u8], used: &[u8]) -> Result<(Self, Option<Note>), String> {
        let between: Vec<u8> = used
            .iter()
            .copied()
            .filter(|value| !matches!(value, 0 | 255))
            .collect();
        let has_white = used.last() == Some(&255);
        let (Some(&least), Some(&most)) = (between.first(), between.last()) else {
            return Ok((Self::Binary, None));
        };
        if most == 1 {
            return Ok((if has_white { Self::Ids } else { Self::Binary }, None));
        }
        let has_middle = between.iter().any(|value| MIDDLE.contains(value));
        let texture = Texture::of(size, values, |value| {
            !matches!(value, 0 | 255) && (!has_middle || MIDDLE.contains(&value))
        });
        let along_edges = texture.soft >= 0.5 && texture.share <= EDGES && most >= 64;
        let bright = values.iter().filter(|&&value| value >= 128).count();
        let nearly_white = values.iter().filter(|&&value| value >= 240).count();
        let at_white = most >= 128 && nearly_white * 2 > bright;
        let in_areas = texture.solid > 0.5 && between.len() <= 32;
        if along_edges || (at_white && !in_areas) {
            let text = format!(
                "taken for one class with soft edges: its {} grey levels between black and white stand where they meet (mask mode \
                 ids takes them for class ids)",
                between.len()
            );
            let kind = if at_white {
                Self::Binary
            } else {
                let brightest = used.last().copied().unwrap_or(u8::MAX);
                Self::Thin {
                    from: brightest.div_ceil(2),
                }
            };
            return Ok((kind, Some(Note::new(NoteKind::Meaning, text))));
        }
        let ambiguous = if between.len() > 150 {
            format!(
                "{} grey levels are neither black and white nor class ids",
                between.len()
            )
        } else if has_white && least >= 64 {
            format!(
                "the grey values {} beside white may be shades or class ids",
                listed(&between)
            )
        } else {
            let text = format!(
                "its {} grey values are taken for class ids (mask mode binary takes them for one class)",
                between.len()
            );
            let note = (between.len() >= MANY).then(|| Note::new(NoteKind::Meaning, text));
            return Ok((Self::Ids, note));
        };
        Err(format!("{ambiguous}; say mask mode binary or ids"))
    }
}

fn deep(size: (u32, u32), mut values: Vec<u16>, mode: MaskMode) -> Result<Told, String> {
    let largest_below = values
        .iter()
        .copied()
        .filter(|&value| value != u16::MAX)
        .max()
        .unwrap_or(0);
    let has_white = values.contains(&u16::MAX);
    let shallow = |values: &[u16]| values.iter().map(|&value| (value >> 8) as u8).collect();
    if largest_below <= 255 && !has_white {
        let values = values.iter().map(|&value| value as u8).collect();
        return grey(size, values, mode);
    }
    match mode {
        MaskMode::Palette => Err("it has no palette; use mask mode ids, binary or auto".to_owned()),
        MaskMode::Rgb => grey(size, shallow(&values), mode),
        MaskMode::Binary if largest_below >= 0x8000 => grey(size, shallow(&values), mode),
        MaskMode::Binary => plainly(Marks::White {
            painted: flat(size, values.iter().map(|&value| value != 0)),
        }),
        MaskMode::Auto if largest_below == 0 => plainly(Marks::White {
            painted: flat(size, values.iter().map(|&value| value != 0)),
        }),
        // Black and white in 16 bits, with edges.
        MaskMode::Auto
            if largest_below >= 0x4000
                && let Ok((white @ Marks::White { .. }, note)) =
                    grey(size, shallow(&values), mode) =>
        {
            Ok((white, note))
        }
        MaskMode::Auto | MaskMode::Ids => {
            let ignored = |id: u16| id == u16::MAX || (id == 255 && largest_below <= 255);
            values
                .iter_mut()
                .filter(|id| ignored(**id))
                .for_each(|id| *id = 0);
            let mut colors: BTreeMap<u16, Option<Rgb>> = BTreeMap::new();
            for &id in values.iter().filter(|&&id| id != 0) {
                colors.insert(id, None);
            }
            if mode == MaskMode::Auto && colors.len() > 4096 {
                let count = colors.len();
                return Err(format!(
                    "{count} values of 16 bits are no class ids; say mask mode binary or ids"
                ));
            }
            plainly(Marks::Indexed {
                size,
                ids: values,
                colors,
            })
        }
    }
}

fn rgb(painted: RgbImage, mode: MaskMode) -> Result<Told, String> {
    let size = painted.dimensions();
    let is_grey = painted
        .pixels()
        .all(|pixel| pixel.0[0] == pixel.0[1] && pixel.0[1] == pixel.0[2]);
    match mode {
        MaskMode::Palette => Err("it has no palette; use mask mode rgb or auto".to_owned()),
        MaskMode::Ids if !is_grey => {
            Err("it has colours, not class ids; use mask mode rgb or auto".to_owned())
        }
        MaskMode::Auto | MaskMode::Ids | MaskMode::Binary if is_grey => grey(
            size,
            painted.pixels().map(|pixel| pixel.0[0]).collect(),
            mode,
        ),
        MaskMode::Binary => plainly(Marks::White {
            painted: flat(size, painted.pixels().map(|p| p.0 != BLACK)),
        }),
        MaskMode::Auto if is_nearly_grey(&painted) => {
            let brightest = |pixel: &image::Rgb<u8>| pixel.0.into_iter().max().unwrap_or(0);
            let values: Vec<u8> = painted.pixels().map(brightest).collect();
            match GreyKind::of(size, &values, &used(&values)) {
                Ok((GreyKind::Binary, note)) => Ok((Marks::White { painted }, note)),
                Ok((GreyKind::Thin { from }, note)) => {
                    let painted = flat(size, values.iter().map(|&value| value >= from));
                    Ok((Marks::White { painted }, note))
                }
                _ => plainly(colored(painted)),
            }
        }
        _ => plainly(colored(painted)),
    }
}

/// Black and white that a lossy codec tinted.
fn is_nearly_grey(painted: &RgbImage) -> bool {
    painted.pixels().all(|pixel| {
        let [r, g, b] = pixel.0;
        r.max(g).max(b) - r.min(g).min(b) <= 24
    })
}

fn colored(painted: RgbImage) -> Marks {
    let colors = significant_colors(&painted);
    Marks::Colored { painted, colors }
}

/// The colours that are classes and not edges. The mixed pixels of an edge fill no 2 x 2 block, and lie between the colours
/// that they are mixed of; in files with more colours than a drawing has, near colours are one.
fn significant_colors(painted: &RgbImage) -> Vec<Rgb> {
    let (width, height) = painted.dimensions();
    let plane = Plane {
        width: width as usize,
        height: height as usize,
        values: painted.as_raw().as_chunks::<3>().0,
    };
    let mixed = |a: Rgb, own: Rgb, b: Rgb| {
        let between = |channel: usize| {
            let (a, own, b) = (a[channel], own[channel], b[channel]);
            (a <= own && own <= b) || (b <= own && own <= a)
        };
        own != a && own != b && (0..3).all(between)
    };
    let mut counts: HashMap<Rgb, Seen> = HashMap::new();
    for (at, color) in plane.values.iter().enumerate() {
        let seen = counts.entry(*color).or_default();
        seen.pixels += 1;
        match plane.look(at, mixed) {
            Look::Solid => seen.solid = true,
            Look::Soft => seen.soft += 1,
            Look::Line => {}
        }
    }
    let drawn = counts.len() <= DRAWN;
    let is_class = |seen: &Seen| seen.solid || (drawn && seen.soft * 2 <= seen.pixels);
    let of_classes: Vec<(Rgb, u64)> = counts
        .iter()
        .filter(|(color, seen)| **color != BLACK && is_class(seen))
        .map(|(color, seen)| (*color, seen.pixels))
        .collect();
    // Dots are all that there is.
    let mut colors = if drawn && of_classes.is_empty() {
        let any = counts.iter().filter(|(color, _)| **color != BLACK);
        any.map(|(color, seen)| (*color, seen.pixels)).collect()
    } else {
        of_classes
    };
    colors.sort_by_key(|&(color, count)| (std::cmp::Reverse(count), color));
    let mut classes: Vec<Rgb> = Vec::new();
    for (color, _) in colors {
        let apart = |other: Rgb| squared_distance(color, other) > SAME_COLOR;
        if drawn || (apart(BLACK) && classes.iter().copied().all(apart)) {
            classes.push(color);
        }
    }
    classes
}

/// How a colour occurs.
#[derive(Default)]
struct Seen {
    pixels: u64,
    soft: u64,
    solid: bool,
}

fn used(values: &[u8]) -> Vec<u8> {
    let mut seen = [false; 256];
    values
        .iter()
        .for_each(|&value| seen[usize::from(value)] = true);
    (0..=255)
        .filter(|&value: &u8| seen[usize::from(value)])
        .collect()
}

fn without_ignored(values: &[u8]) -> Vec<u16> {
    values
        .iter()
        .map(|&value| if value == 255 { 0 } else { u16::from(value) })
        .collect()
}

fn flat(size: (u32, u32), marked: impl Iterator<Item = bool>) -> RgbImage {
    let pixels = marked
        .flat_map(|marked| if marked { WHITE } else { BLACK })
        .collect();
    RgbImage::from_raw(size.0, size.1, pixels).expect("one mark per pixel")
}

fn listed(values: &[u8]) -> String {
    let names: Vec<String> = values.iter().map(u8::to_string).collect();
    names.join(", ")
}
