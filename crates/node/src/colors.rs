//! Colours for people. The network's colours are chosen for the network: white over a photograph is hard to see.

use seggpt_contract::Class;
use seggpt_imaging::{BLACK, Rgb, palette};

/// Squared distance below which two colours are taken for one another.
const ALIKE: i32 = 80 * 80;

/// A colour of each class, in the order of `classes`: its own where that is a colour, a lively one where it is white, grey
/// or black.
pub fn shown<'a>(classes: impl IntoIterator<Item = &'a Class>) -> Vec<Rgb> {
    let own: Vec<Rgb> = classes.into_iter().map(|class| class.color).collect();
    let mut taken: Vec<Rgb> = own
        .iter()
        .copied()
        .filter(|color| is_lively(*color))
        .collect();
    own.iter()
        .map(|&color| {
            if is_lively(color) {
                return color;
            }
            let free = |candidate: &Rgb| {
                taken
                    .iter()
                    .all(|other| distance(*candidate, *other) > ALIKE)
            };
            let new = (0..12).map(palette::display).find(free);
            let new = new.unwrap_or_else(|| palette::display(taken.len()));
            taken.push(new);
            new
        })
        .collect()
}

/// [`shown`] colours by class id, up to the largest id of `ids` or `classes`: what overlays are drawn with. Ids that stand
/// in no table get a colour, too.
pub fn by_id<'a>(classes: impl IntoIterator<Item = &'a Class> + Clone, ids: &[u16]) -> Vec<Rgb> {
    let known = classes.clone().into_iter().map(|class| class.id);
    let largest = known.chain(ids.iter().copied()).max().unwrap_or(0);
    let mut table: Vec<Rgb> = (0..=usize::from(largest)).map(palette::display).collect();
    table[0] = BLACK;
    for (class, color) in classes.clone().into_iter().zip(shown(classes)) {
        table[usize::from(class.id)] = color;
    }
    table
}

fn is_lively(color: Rgb) -> bool {
    let (low, high) = color
        .iter()
        .fold((255, 0), |(low, high), &c| (c.min(low), c.max(high)));
    high - low >= 48
}

fn distance(a: Rgb, b: Rgb) -> i32 {
    a.iter()
        .zip(b)
        .map(|(&a, b)| (i32::from(a) - i32::from(b)).pow(2))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(id: u16, color: Rgb) -> Class {
        Class {
            id,
            name: id.to_string(),
            color,
        }
    }

    #[test]
    fn white_and_grey_classes_get_a_lively_colour_that_no_other_class_has() {
        let first = palette::display(0);
        let colors = shown(&[class(1, [255; 3]), class(2, first), class(3, [120; 3])]);
        assert_eq!(colors[1], first);
        assert!(distance(colors[0], first) > ALIKE && distance(colors[2], first) > ALIKE);
        assert!(distance(colors[0], colors[2]) > ALIKE);
    }

    #[test]
    fn every_id_of_a_mask_has_a_colour() {
        let table = by_id(&[class(2, [255, 0, 0])], &[0, 7]);
        assert_eq!(table.len(), 8);
        assert_eq!((table[0], table[2]), (BLACK, [255, 0, 0]));
    }
}
