//! Files that are kept for validation alone.

use std::collections::{BTreeMap, BTreeSet};

/// Which part of the files a mixture draws from. Drawn scenes have no files and are the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All that is not held out.
    Training,
    /// What is held out.
    Validation,
}

/// The units that are held out: of each group so large a share, rounded down, chosen by a hash of the name alone. So the
/// same files are held out whatever the seed, and a few more files change little.
pub(crate) fn held_out<'a>(
    units: impl IntoIterator<Item = (&'a str, &'a str)>,
    share: f32,
) -> BTreeSet<&'a str> {
    let mut groups: BTreeMap<&str, BTreeSet<(u64, &str)>> = BTreeMap::new();
    for (group, unit) in units {
        groups.entry(group).or_default().insert((hash(unit), unit));
    }
    let chosen = groups.into_values().flat_map(|units| {
        let count = (units.len() as f32 * share) as usize;
        units.into_iter().take(count).map(|(_, unit)| unit)
    });
    chosen.collect()
}

/// FNV-1a, with the bits of the last bytes spread over the first by which names are sorted.
fn hash(name: &str) -> u64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_each_group_is_held_out_and_it_is_the_same_each_time() {
        let names: Vec<String> = (0..100).map(|number| format!("picture {number}")).collect();
        let units = || {
            names
                .iter()
                .enumerate()
                .map(|(i, name)| (["a", "b"][i % 2], name.as_str()))
        };
        let held = held_out(units(), 0.1);
        assert_eq!(held.len(), 10);
        let of_a = units().filter(|(group, unit)| *group == "a" && held.contains(unit));
        assert_eq!(of_a.count(), 5);
        assert_eq!(held, held_out(units(), 0.1));
        let neighbours = names
            .windows(2)
            .filter(|pair| pair.iter().all(|name| held.contains(name.as_str())));
        assert!(
            neighbours.count() < 5,
            "names that follow each other are not held out together"
        );
        assert!(
            held_out(units().take(9), 0.1).is_empty(),
            "groups of four and five give none"
        );
    }
}
