//! Pictures of half the size.

/// Of every two by two values, the one that most of them have; of equals, the first. `nodata` counts only where there is
/// nothing else. `width` x `height` values become half as many in both directions, rounded up.
#[must_use]
pub fn majority(values: &[u32], width: usize, height: usize, nodata: u32) -> Vec<u32> {
    halved(width, height, |corners| {
        let seen = |at: usize| values[at];
        let held = corners.iter().filter(|at| seen(**at) != nodata);
        let most = held.clone().map(|at| {
            let times = corners
                .iter()
                .filter(|other| seen(**other) == seen(*at))
                .count();
            (times, seen(*at))
        });
        most.reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map_or(nodata, |(_, value)| value)
    })
}

/// Of every two by two values, the mean, to the nearest.
#[must_use]
pub fn mean(values: &[u32], width: usize, height: usize) -> Vec<u32> {
    halved(width, height, |corners| {
        let sum: u64 = corners.iter().map(|at| u64::from(values[*at])).sum();
        let count = corners.len() as u64;
        ((sum + count / 2) / count) as u32
    })
}

fn halved(width: usize, height: usize, one: impl Fn(&[usize]) -> u32) -> Vec<u32> {
    let (across, down) = (width.div_ceil(2), height.div_ceil(2));
    let mut out = Vec::with_capacity(across * down);
    let mut corners = Vec::with_capacity(4);
    for y in 0..down {
        for x in 0..across {
            corners.clear();
            for row in [2 * y, 2 * y + 1].into_iter().filter(|row| *row < height) {
                for column in [2 * x, 2 * x + 1]
                    .into_iter()
                    .filter(|column| *column < width)
                {
                    corners.push(row * width + column);
                }
            }
            out.push(one(&corners));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_win_and_nothing_loses_to_anything() {
        let values = [1, 2, 9, 9, 7, 2, 2, 9, 3, 9, 9, 9, 9, 9, 9];
        assert_eq!(majority(&values, 5, 3, 9), [2, 3, 7, 9, 9, 9]);
        assert_eq!(majority(&[3, 3, 1, 1], 2, 2, 9), [3], "of equals the first");
    }

    #[test]
    fn means_are_those_of_what_is_there() {
        assert_eq!(mean(&[1, 2, 250, 3, 4, 251], 3, 2), [3, 251]);
    }
}
