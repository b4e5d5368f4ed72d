//! Shared memory: what the nodes of a dataflow may take, and what there is.

use dora_core::descriptor::Descriptor;

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

/// Bytes that a dataflow's nodes may take together.
pub fn wanted(descriptor: &Descriptor) -> u64 {
    let pools = descriptor
        .nodes
        .iter()
        .map(|node| node.shared_memory_pool_size);
    pools
        .map(|size| size.map_or(DEFAULT_POOL, |size| size.as_bytes() as u64))
        .sum()
}

/// What to say where the pools do not fit.
pub(super) fn shortage(descriptor: &Descriptor) -> Option<String> {
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
    fn a_shortage_names_both_sizes() {
        let text = shortage_of(800 << 20, 64 << 20).unwrap();
        assert!(text.contains("800 MB") && text.contains("64 MB"), "{text}");
        assert!(shortage_of(64 << 20, 64 << 20).is_none());
    }
}
