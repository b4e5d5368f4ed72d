//! Telling the kinds of masks apart.

use std::collections::{BTreeMap, HashMap};

use image::RgbImage;

use super::{MaskMode, file::MaskFile};
use crate::{BLACK, Rgb, WHITE, squared_distance};

/// Squared distance up to which two colours of a lossy file count as one: 48 levels.
pub(super) const SAME_COLOR: u32 = 48 * 48;

/// Squared distance below which a painted answer would mix up two palette colours: 32 levels.
const TOO_CLOSE: u32 = 32 * 32;

/// Distinct colours up to which a file counts as drawn, not compressed with loss.
const DRAWN: usize = 16;

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

pub(super) fn tell(file: MaskFile, mode: MaskMode) -> Result<Marks, String> {
    match file {
        MaskFile::Palette {
            size,
            indices,
            colors,
        } => palette(size, indices, &colors, mode),
        MaskFile::Grey { size, values } => grey(size, values, mode),
        MaskFile::Deep { size, values } => deep(size, values, mode),
        MaskFile::Rgb(painted) => rgb(painted, mode),
    }
}

fn palette(
    size: (u32, u32),
    indices: Vec<u8>,
    table: &[Rgb],
    mode: MaskMode,
) -> Result<Marks, String> {
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
        MaskMode::Palette => Ok(own_colors(classes)),
        MaskMode::Ids => Ok(own_colors(
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
            Ok(Marks::White {
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
                Ok(Marks::White { painted: picture() })
            } else if shuffled {
                rgb(picture(), MaskMode::Auto)
            } else if is_index_mask(&classes) {
                Ok(own_colors(classes))
            } else {
                Ok(own_colors(
                    classes.into_keys().map(|id| (id, None)).collect(),
                ))
            }
        }
    }
}

fn grey(size: (u32, u32), values: Vec<u8>, mode: MaskMode) -> Result<Marks, String> {
    let used = used(&values);
    let repeated = || {
        let pixels = values.iter().flat_map(|&value| [value; 3]).collect();
        RgbImage::from_raw(size.0, size.1, pixels).expect("one value per pixel")
    };
    let not_zero = || flat(size, values.iter().map(|&value| value != 0));
    let ids = || {
        let ids = without_ignored(&values);
        let colors = used.iter().filter(|value| !matches!(value, 0 | 255));
        Marks::Indexed {
            size,
            ids,
            colors: colors.map(|&id| (u16::from(id), None)).collect(),
        }
    };
    let white = Marks::White {
        painted: RgbImage::default(),
    };
    let kind = match mode {
        MaskMode::Palette => {
            return Err("it has no palette; use mask mode ids, binary or auto".to_owned());
        }
        MaskMode::Rgb => return rgb(repeated(), mode),
        MaskMode::Ids => ids(),
        MaskMode::Binary => white,
        MaskMode::Auto => match GreyKind::of(&values, &used)? {
            GreyKind::Ids => ids(),
            GreyKind::Binary => white,
        },
    };
    Ok(match kind {
        Marks::White { .. } if used.iter().all(|&value| value < 128) => Marks::White {
            painted: not_zero(),
        },
        Marks::White { .. } => Marks::White {
            painted: repeated(),
        },
        ids => ids,
    })
}

enum GreyKind {
    Binary,
    Ids,
}

impl GreyKind {
    /// Tells grey values apart: all 0 and 1 or 0 and 255 are binary; so are shades whose bright half
    /// clusters at white (soft edges, JPEG). A few small values are ids.
    fn of(values: &[u8], used: &[u8]) -> Result<Self, String> {
        let between: Vec<u8> = used
            .iter()
            .copied()
            .filter(|value| !matches!(value, 0 | 255))
            .collect();
        let has_white = used.last() == Some(&255);
        let (Some(&least), Some(&most)) = (between.first(), between.last()) else {
            return Ok(Self::Binary);
        };
        if most == 1 {
            return Ok(if has_white { Self::Ids } else { Self::Binary });
        }
        let bright = values.iter().filter(|&&value| value >= 128).count();
        let nearly_white = values.iter().filter(|&&value| value >= 240).count();
        if most >= 128 && nearly_white * 2 > bright {
            return Ok(Self::Binary);
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
            return Ok(Self::Ids);
        };
        Err(format!("{ambiguous}; say mask mode binary or ids"))
    }
}

fn deep(size: (u32, u32), mut values: Vec<u16>, mode: MaskMode) -> Result<Marks, String> {
    let largest_below = values
        .iter()
        .copied()
        .filter(|&value| value != u16::MAX)
        .max()
        .unwrap_or(0);
    let has_white = values.contains(&u16::MAX);
    let shallow = |values: &[u16]| values.iter().map(|&value| (value >> 8) as u8).collect();
    match mode {
        MaskMode::Palette => Err("it has no palette; use mask mode ids, binary or auto".to_owned()),
        MaskMode::Rgb => grey(size, shallow(&values), mode),
        MaskMode::Binary if largest_below >= 0x8000 => grey(size, shallow(&values), mode),
        MaskMode::Binary => Ok(Marks::White {
            painted: flat(size, values.iter().map(|&value| value != 0)),
        }),
        MaskMode::Auto if largest_below == 0 || (largest_below == 1 && !has_white) => {
            Ok(Marks::White {
                painted: flat(size, values.iter().map(|&value| value != 0)),
            })
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
            Ok(Marks::Indexed {
                size,
                ids: values,
                colors,
            })
        }
    }
}

fn rgb(painted: RgbImage, mode: MaskMode) -> Result<Marks, String> {
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
        MaskMode::Binary => Ok(Marks::White {
            painted: flat(size, painted.pixels().map(|p| p.0 != BLACK)),
        }),
        MaskMode::Auto if is_nearly_grey(&painted) => {
            let brightest = |pixel: &image::Rgb<u8>| pixel.0.into_iter().max().unwrap_or(0);
            let values: Vec<u8> = painted.pixels().map(brightest).collect();
            match GreyKind::of(&values, &used(&values)) {
                Ok(GreyKind::Binary) => Ok(Marks::White { painted }),
                _ => Ok(colored(painted)),
            }
        }
        _ => Ok(colored(painted)),
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

/// The colours that are classes and not edges: those that fill at least one 2 x 2 block, which the
/// mixed pixels of an edge do not. In files with more colours than a drawing has, near ones are one.
fn significant_colors(painted: &RgbImage) -> Vec<Rgb> {
    let mut counts: HashMap<Rgb, (u64, bool)> = HashMap::new();
    let (width, height) = painted.dimensions();
    for (x, y, pixel) in painted.enumerate_pixels() {
        let same = |dx, dy| painted.get_pixel(x + dx, y + dy) == pixel;
        let solid = x + 1 < width && y + 1 < height && same(1, 0) && same(0, 1) && same(1, 1);
        let entry = counts.entry(pixel.0).or_default();
        entry.0 += 1;
        entry.1 |= solid;
    }
    let drawn = counts.len() <= DRAWN;
    let mut colors: Vec<(Rgb, u64)> = counts
        .into_iter()
        .filter(|(color, (_, solid))| *color != BLACK && (drawn || *solid))
        .map(|(color, (count, _))| (color, count))
        .collect();
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
