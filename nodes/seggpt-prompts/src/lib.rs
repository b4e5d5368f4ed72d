//! Prompt selection: adds to each picture the K examples that are to guide it, and in videos earlier frames.
//!
//! Without MEMORY it is a node of one input and one output; with it, frames wait for the masks of those before.

mod check;
mod content;
mod memory;
mod pairs;
mod remembering;
mod selector;
mod settings;

use clap::CommandFactory;
use dora_node_api::{DoraNode, EventStream};
use eyre::Result;
use seggpt_contract::{Identity, Image, Mask, Payload, Prompted};
use seggpt_node::{NodeSpec, Port, one_by_one, transform_several};
use seggpt_prompt_library::memory::Policy;

pub use pairs::{Pairs, pair};
pub use selector::Selector;
pub use settings::Settings;

/// Ports and parameters, for manifest, README and reference.
pub fn node_spec() -> NodeSpec {
    NodeSpec {
        name: "seggpt-prompts",
        category: "transform",
        inputs: &[
            Port {
                name: "image",
                urn: Image::URN,
                required: true,
                description: "A picture, in any dialect that dora's nodes speak.",
            },
            Port {
                name: "mask",
                urn: Mask::URN,
                required: false,
                description: "With MEMORY: the network's answers.",
            },
        ],
        outputs: &[
            Port {
                name: "prompted",
                urn: Prompted::URN,
                required: false,
                description: "The picture and its examples.",
            },
            Port {
                name: "mask",
                urn: Mask::URN,
                required: false,
                description: "With MEMORY: the answers again, each when it is remembered. Sinks take them from here, so that nothing is acknowledged that memory lacks.",
            },
        ],
        command: Settings::command(),
        content: Some(content::of),
        check: Some(check::files),
        owns: None,
    }
}

/// The node's loop. All prompts are read before the first picture is worked on.
///
/// # Errors
/// The prompts cannot be used, or the engine is gone.
pub fn run(node: DoraNode, events: EventStream, settings: Settings) -> Result<()> {
    if settings.memory != Policy::None {
        return remembering::run(node, events, &settings);
    }
    let prepare = || {
        let mut selector = Selector::load(&settings)?;
        Ok(one_by_one(move |identity: &Identity, Image(picture)| {
            selector.prompt(identity, picture)
        }))
    };
    transform_several(node, events, ["image", "prompted"], 1, prepare, |_, _| {
        Ok(())
    })
}
