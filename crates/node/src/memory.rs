//! How much memory there is, and how much of it a flow may fill with what is under way.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// The part of the memory that what is under way may take. A picture is in several nodes at once, each with what it makes
/// of it, such as class ids and an overlay.
const SHARE: u64 = 16;

/// More gains nothing: the slowest node counts.
const MOST_MB: u64 = 4096;

/// Where the system does not say how much memory there is.
const UNKNOWN_MB: u64 = 512;

/// Bytes of memory that this process can have: the machine's, or its control group's where that has less; `None` where the
/// system does not say.
pub fn total() -> Option<u64> {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(memory);
    let group = system.cgroup_limits().map(|group| group.total_memory);
    let all = [Some(system.total_memory()), group];
    all.into_iter().flatten().filter(|bytes| *bytes > 0).min()
}

/// The megabytes that a setting WINDOW_MB stands for: 0 is a share of the memory.
pub fn window_mb(set: u64) -> u64 {
    match set {
        0 => share_of(total()),
        set => set,
    }
}

fn share_of(total: Option<u64>) -> u64 {
    total.map_or(UNKNOWN_MB, |bytes| {
        ((bytes >> 20) / SHARE).clamp(1, MOST_MB)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_a_sixteenth_of_the_memory_and_4_gb_at_most() {
        assert_eq!(share_of(Some(8 << 30)), 512);
        assert_eq!(share_of(Some(1 << 40)), 4096);
        assert_eq!(share_of(None), 512);
    }

    #[test]
    fn what_is_set_is_what_counts() {
        assert_eq!(window_mb(7), 7);
        assert!(window_mb(0) > 0);
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(total().is_some_and(|bytes| bytes > 1 << 20));
    }
}
