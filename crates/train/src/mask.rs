//! Which patches of a canvas are hidden.

use seggpt_random::Rng;

use crate::Masking;

/// Patches of a canvas of `2 side` rows and `side` columns, row by row: true is hidden.
pub fn draw(masking: &Masking, side: usize, rng: &mut Rng) -> Vec<bool> {
    if rng.unit_f64() < masking.whole {
        whole(side)
    } else {
        blocks(masking.ratio, side, rng)
    }
}

/// The query's half.
pub fn whole(side: usize) -> Vec<bool> {
    (0..2 * side * side)
        .map(|patch| patch >= side * side)
        .collect()
}

/// BEiT's block-wise masking as Painter uses it (`util/masking_generator.py`): blocks of at least 16 patches and aspects
/// of 0.3 to 3.3 until the share is reached, which single patches at random places make exact.
fn blocks(ratio: f64, side: usize, rng: &mut Rng) -> Vec<bool> {
    let (rows, columns) = (2 * side, side);
    let wanted = (ratio * (rows * columns) as f64) as usize;
    let mut hidden = vec![false; rows * columns];
    let mut count = 0;
    for _ in 0..wanted {
        let left = wanted - count;
        if left < 16 {
            break;
        }
        let area = 16.0 + rng.unit_f64() * (left.min(wanted / 2).max(17) - 16) as f64;
        let aspect = (0.3f64.ln() + rng.unit_f64() * (1.0f64 / 0.3 / 0.3).ln()).exp();
        let (height, width) = (
            (area * aspect).sqrt() as usize,
            (area / aspect).sqrt() as usize,
        );
        if height == 0 || width == 0 || height >= rows || width >= columns {
            continue;
        }
        let (top, first) = (rng.below(rows - height + 1), rng.below(columns - width + 1));
        for row in top..top + height {
            for patch in &mut hidden[row * columns + first..][..width] {
                if !*patch && count < wanted {
                    *patch = true;
                    count += 1;
                }
            }
        }
    }
    while count < wanted {
        let patch = rng.below(hidden.len());
        if !hidden[patch] {
            hidden[patch] = true;
            count += 1;
        }
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hide_exactly_their_share_on_grids_of_any_size() {
        for (side, ratio) in [(4, 0.75), (16, 0.75), (32, 0.5), (2, 0.9)] {
            let mut rng = Rng::new(5);
            let hidden = blocks(ratio, side, &mut rng);
            let count = hidden.iter().filter(|hidden| **hidden).count();
            assert_eq!(count, (ratio * (2 * side * side) as f64) as usize);
        }
    }

    #[test]
    fn the_whole_query_is_hidden_as_often_as_asked() {
        let masking = Masking {
            whole: 0.7,
            ratio: 0.75,
        };
        let mut rng = Rng::new(1);
        let wholes = (0..2000)
            .filter(|_| draw(&masking, 8, &mut rng) == whole(8))
            .count();
        assert!((1300..1500).contains(&wholes), "{wholes}");
    }
}
