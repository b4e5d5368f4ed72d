//! Shared memory: what the nodes of a dataflow may take, and what there is.

use dora_core::descriptor::Descriptor;
use dora_message::{config::ByteSize, descriptor::Node};

/// What dora gives a node that asks for nothing.
pub const DEFAULT_POOL: u64 = 8 << 20;

/// Bytes that are free in the machine's shared memory; `None` where that has no limit of its own.
#[cfg(target_os = "linux")]
pub fn available() -> Option<u64> {
    let stat = nix::sys::statvfs::statvfs("/dev/shm").ok()?;
    Some(stat.blocks_available() * stat.fragment_size())
}

/// Bytes that are free in the machine's shared memory; `None` where that has no limit of its own.
#[cfg(not(target_os = "linux"))]
pub fn available() -> Option<u64> {
    None
}

/// Bytes that each process may lock in memory, as it does with the pools of its own node and of those that it hears;
/// `None` where it may lock all.
#[cfg(target_os = "linux")]
pub fn lockable() -> Option<u64> {
    use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
    if locks_all(&std::fs::read_to_string("/proc/self/status").ok()?) {
        return None;
    }
    let (now, most) = getrlimit(Resource::RLIMIT_MEMLOCK).ok()?;
    // Nodes inherit what is raised here.
    let raised = setrlimit(Resource::RLIMIT_MEMLOCK, most, most);
    let limit = raised.map_or(now, |()| most);
    (limit != RLIM_INFINITY).then_some(limit)
}

/// Whether the process has CAP_IPC_LOCK, number 14 (capabilities(7)).
#[cfg(target_os = "linux")]
fn locks_all(status: &str) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = line.and_then(|line| u64::from_str_radix(line.trim(), 16).ok());
    held.is_some_and(|held| held & 1 << 14 != 0)
}

/// Bytes that each process may lock in memory; `None` where it may lock all.
#[cfg(not(target_os = "linux"))]
pub fn lockable() -> Option<u64> {
    None
}

/// Bytes that all pools may take together: half of what is free, and no more than a process may lock.
pub fn room() -> Option<u64> {
    let free = available().map(|bytes| bytes / 2);
    free.into_iter()
        .chain(lockable().map(|limit| limit.saturating_sub(BOOKKEEPING)))
        .min()
}

/// What the transport locks besides pools.
const BOOKKEEPING: u64 = 1 << 20;

/// Set for a run that goes on without shared memory.
const OFF: &str = "SEGGPT_SHARED_MEMORY";

/// Whether this run goes without shared memory.
pub(crate) fn is_off() -> bool {
    std::env::var_os(OFF).is_some_and(|value| value == "off")
}

/// Starts this command once more, without shared memory; the journal says where to go on. Returns only if it cannot.
#[cfg(unix)]
pub(crate) fn start_without() -> std::io::Error {
    use std::os::unix::process::CommandExt;
    let Ok(program) = std::env::current_exe() else {
        return std::io::ErrorKind::NotFound.into();
    };
    // Results that are there now are this run's own.
    let words = std::env::args_os()
        .skip(1)
        .filter(|word| word != "--replace");
    std::process::Command::new(program)
        .args(words)
        .env(OFF, "off")
        .exec()
}

/// Starts this command once more, without shared memory. Returns only if it cannot.
#[cfg(not(unix))]
pub(crate) fn start_without() -> std::io::Error {
    std::io::ErrorKind::Unsupported.into()
}

/// Where a process may not lock the pools, which would keep it from reading what is in them, takes shared memory away from
/// the nodes: messages then go through the engine. Returns what to say.
pub(crate) fn disable(descriptor: &mut Descriptor) -> Option<String> {
    if is_off() {
        disable_pools(descriptor);
        return Some("large messages go through the engine: shared memory loses them".into());
    }
    disable_beyond(descriptor, lockable()?)
}

/// Makes the pools smaller, in proportion, where they ask for more than `room` bytes; none becomes smaller than what dora gives
/// a node that asks for nothing.
pub(crate) fn fit(descriptor: &mut Descriptor, room: u64) {
    let pools: Vec<u64> = descriptor.nodes.iter().map(pool_of).collect();
    let wanted: u64 = pools.iter().sum();
    let least: u64 = pools.iter().map(|pool| DEFAULT_POOL.min(*pool)).sum();
    if wanted <= room.max(least) {
        return;
    }
    let spare = u128::from(room.saturating_sub(least));
    let above = u128::from(wanted - least);
    for (node, pool) in descriptor.nodes.iter_mut().zip(pools) {
        let above_least = u128::from(pool.saturating_sub(DEFAULT_POOL));
        let share = (above_least * spare / above) as usize;
        let size = DEFAULT_POOL.min(pool) as usize + share;
        node.shared_memory_pool_size = Some(ByteSize(size));
    }
}

fn pool_of(node: &Node) -> u64 {
    let size = node.shared_memory_pool_size;
    size.map_or(DEFAULT_POOL, |size| size.as_bytes() as u64)
}

fn disable_pools(descriptor: &mut Descriptor) {
    for node in &mut descriptor.nodes {
        node.shared_memory_pool_size = Some(ByteSize(0));
    }
}

fn disable_beyond(descriptor: &mut Descriptor, limit: u64) -> Option<String> {
    let wanted = wanted(descriptor) + BOOKKEEPING;
    if wanted <= limit {
        return None;
    }
    disable_pools(descriptor);
    Some(format!(
        "the nodes' shared memory pools add up to {} MB, of which a process may lock {} MB: large messages go the slower way \
         through the engine; raise the limit (`ulimit -l {}`, memlock in /etc/security/limits.conf, or --ulimit memlock=-1 \
         for a container)",
        wanted >> 20,
        limit >> 20,
        wanted.next_multiple_of(1 << 20) >> 10
    ))
}

/// Bytes that a dataflow's nodes may take together.
pub fn wanted(descriptor: &Descriptor) -> u64 {
    descriptor.nodes.iter().map(pool_of).sum()
}

/// What to say where the pools do not fit.
pub(crate) fn shortage(descriptor: &Descriptor) -> Option<String> {
    shortage_of(wanted(descriptor), available()?)
}

fn shortage_of(wanted: u64, available: u64) -> Option<String> {
    (wanted > available).then(|| {
        format!(
            "the nodes' shared memory pools add up to {} MB, but /dev/shm has {} MB free: large pictures may stop the \
             run; lower `shared_memory_pool_size`, or start the container with --shm-size={}m",
            wanted >> 20,
            available >> 20,
            (wanted >> 20) + 64
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dora_core::descriptor::DescriptorExt;

    use super::*;

    #[test]
    fn pools_add_up_with_the_default_for_nodes_that_name_none() {
        let yaml =
            "nodes:\n  - {id: a, path: x, shared_memory_pool_size: 64MB}\n  - {id: b, path: y}\n";
        assert_eq!(
            wanted(&Descriptor::parse(yaml.into()).unwrap()),
            (64 + 8) << 20
        );
    }

    #[test]
    fn pools_are_made_to_fit_and_none_falls_below_what_dora_gives_by_itself() {
        let yaml = "nodes:
  - {id: a, path: x, shared_memory_pool_size: 128MB}
  - {id: b, path: x, shared_memory_pool_size: 64MB}
  - {id: c, path: y}
";
        let fitted = |room: u64| {
            let mut descriptor = Descriptor::parse(yaml.into()).unwrap();
            fit(&mut descriptor, room << 20);
            let pools = descriptor.nodes.iter().map(|node| pool_of(node) >> 20);
            pools.collect::<Vec<_>>()
        };
        assert_eq!(fitted(200), [128, 64, 8]);
        assert_eq!(fitted(112), [68, 36, 8]);
        assert_eq!(fitted(24), [8, 8, 8]);
        assert_eq!(fitted(20), [8, 8, 8]);
    }

    #[test]
    fn pools_that_may_not_be_locked_are_given_up() {
        let yaml =
            "nodes:\n  - {id: a, path: x, shared_memory_pool_size: 64MB}\n  - {id: b, path: y}\n";
        let mut descriptor = Descriptor::parse(yaml.into()).unwrap();
        assert_eq!(disable_beyond(&mut descriptor, 73 << 20), None);
        let text = disable_beyond(&mut descriptor, 8 << 20).unwrap();
        assert!(
            text.contains("73 MB") && text.contains("lock 8 MB") && text.contains("-l 74752"),
            "{text}"
        );
        assert_eq!(wanted(&descriptor), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_capability_to_lock_is_the_fourteenth() {
        assert!(locks_all("Name:\tx\nCapEff:\t000001ffffffffff\n"));
        assert!(
            !locks_all("CapEff:\t00000000a80425fb\n"),
            "docker's usual set"
        );
        assert!(!locks_all("CapEff:\t0000000000000000\n"));
    }

    #[test]
    fn a_shortage_names_both_sizes() {
        let text = shortage_of(800 << 20, 64 << 20).unwrap();
        assert!(text.contains("800 MB") && text.contains("64 MB"), "{text}");
        assert!(shortage_of(64 << 20, 64 << 20).is_none());
    }
}
