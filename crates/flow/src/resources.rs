//! What a run may take of the machine, sized from what is there, and said once.

use std::collections::{BTreeMap, BTreeSet};

use dora_core::descriptor::Descriptor;
use dora_message::descriptor::EnvValue;
use seggpt_node::memory;

use crate::{check::Ours, shm};

/// The settings of nodes that keep a window of what is under way.
const WINDOW: &str = "WINDOW";
const WINDOW_MB: &str = "WINDOW_MB";

/// What a run may take of the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resources {
    /// Items and megabytes that may be under way, of each node that keeps a window.
    windows: BTreeSet<(u64, u64)>,
    /// Bytes of all nodes' pools.
    pools: u64,
    /// What the dataflow asked for, where that is more.
    asked: Option<u64>,
    /// What the system allows for pools, where it has a limit.
    allowed: Option<u64>,
    /// Bytes of memory that there are.
    memory: Option<u64>,
}

impl Resources {
    /// Writes the megabytes of windows that are left to the machine into the dataflow, and makes pools fit into shared memory.
    pub(crate) fn size(descriptor: &mut Descriptor, ours: &mut BTreeMap<String, Ours<'_>>) -> Self {
        let mut windows = BTreeSet::new();
        for node in &mut descriptor.nodes {
            let known = ours.get_mut(node.id.as_ref() as &str);
            let Some(values) = known.map(|known| &mut known.values) else {
                continue;
            };
            let number = |name| values.get(name).and_then(|text: &String| text.parse().ok());
            let (Some(items), Some(set)) = (number(WINDOW), number(WINDOW_MB)) else {
                continue;
            };
            let megabytes = memory::window_mb(set);
            windows.insert((items, megabytes));
            values.insert(WINDOW_MB.into(), megabytes.to_string());
            let env = node.env.get_or_insert_default();
            env.insert(WINDOW_MB.into(), EnvValue::String(megabytes.to_string()));
        }
        let (asked, allowed) = (shm::wanted(descriptor), shm::room());
        if let Some(room) = allowed {
            shm::fit(descriptor, room);
        }
        let pools = shm::wanted(descriptor);
        Self {
            windows,
            pools,
            asked: (asked > pools).then_some(asked),
            allowed,
            memory: memory::total(),
        }
    }

    /// The pools were taken away.
    pub(crate) fn without_pools(&mut self) {
        self.pools = 0;
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let windows = self.windows.iter().map(|(items, megabytes)| {
            let pictures = if *items == 1 { "picture" } else { "pictures" };
            format!("window {items} {pictures} or {megabytes} MB")
        });
        let allowed = self.allowed.filter(|bytes| *bytes >= self.pools);
        let allowed = allowed.map(|bytes| format!(" of {} MB allowed", bytes >> 20));
        let asked = self
            .asked
            .map(|bytes| format!(" (the dataflow asks for {} MB)", bytes >> 20));
        let shared = match self.pools {
            0 => "no shared memory".to_owned(),
            pools => format!(
                "shared memory {} MB{}",
                pools >> 20,
                allowed.unwrap_or_default()
            ),
        };
        let shared = shared + &asked.unwrap_or_default();
        windows.chain([shared]).collect::<Vec<_>>().join("; ")
    }

    /// As numbers, for `run.json`.
    pub(crate) fn by_name(&self) -> BTreeMap<String, u64> {
        let (items, megabytes) = self.windows.first().copied().unzip();
        let mb = |bytes: u64| bytes >> 20;
        [
            ("window_items", items),
            ("window_mb", megabytes),
            ("shared_memory_mb", Some(mb(self.pools))),
            ("shared_memory_allowed_mb", self.allowed.map(mb)),
            ("memory_mb", self.memory.map(mb)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resources() -> Resources {
        Resources {
            windows: [(4, 512)].into(),
            pools: 96 << 20,
            asked: None,
            allowed: Some(251 << 20),
            memory: Some(8 << 30),
        }
    }

    #[test]
    fn they_are_one_line_and_numbers() {
        let mut resources = resources();
        assert_eq!(
            resources.line(),
            "window 4 pictures or 512 MB; shared memory 96 MB of 251 MB allowed"
        );
        let named = resources.by_name();
        assert_eq!((named["window_mb"], named["memory_mb"]), (512, 8192));
        resources.asked = Some(456 << 20);
        assert!(
            resources
                .line()
                .ends_with("allowed (the dataflow asks for 456 MB)")
        );
        resources.without_pools();
        assert!(resources.line().contains("; no shared memory"));
    }
}
