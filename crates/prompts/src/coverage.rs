//! Which prompts show most.

use std::cmp::Reverse;

/// The share of a picture beyond which a class leaves too little to tell it from.
const FILLED: f64 = 2.0 / 3.0;

/// The order of prompts of which each shows these classes by so large a share of its picture: of each class in turn, the
/// prompt with most of it that is not yet there; those that a class fills by more than two thirds come after the others;
/// those that show nothing come last.
pub(crate) fn ranked(shown: &[Vec<(u16, f64)>]) -> Vec<usize> {
    let mut classes: Vec<u16> = shown.iter().flatten().map(|(class, _)| *class).collect();
    classes.sort_unstable();
    classes.dedup();
    let share = |prompt: usize, class: u16| {
        let found = shown[prompt].iter().find(|(id, _)| *id == class);
        found.map_or(0.0, |(_, share)| *share)
    };
    let mut left: Vec<usize> = (0..shown.len()).collect();
    let mut order = Vec::with_capacity(shown.len());
    while !left.is_empty() {
        let before = order.len();
        for &class in &classes {
            let rank = |&prompt: &usize| {
                let share = share(prompt, class);
                (share <= FILLED, (share * 1e9) as u64, Reverse(prompt))
            };
            let fitting = left
                .iter()
                .copied()
                .filter(|&prompt| share(prompt, class) > 0.0);
            if let Some(best) = fitting.max_by_key(rank) {
                left.retain(|&prompt| prompt != best);
                order.push(best);
            }
        }
        if order.len() == before {
            order.append(&mut left);
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_comes_first_and_what_fills_its_picture_after_the_others() {
        let shown = [
            vec![(1, 0.1)],
            vec![(1, 0.9)],
            vec![],
            vec![(1, 0.5)],
            vec![(1, 0.1)],
        ];
        assert_eq!(ranked(&shown), [3, 0, 4, 1, 2]);
    }

    #[test]
    fn each_class_has_its_turn() {
        let shown = [
            vec![(1, 0.5)],
            vec![(1, 0.4)],
            vec![(2, 0.1)],
            vec![(1, 0.1), (2, 0.2)],
        ];
        assert_eq!(ranked(&shown), [0, 3, 1, 2]);
    }
}
