//! A node as other people write them, for tests: passes on what comes in, and knows nothing of greetings or crumbs. It is
//! not part of what is installed.

use dora_node_api::{DoraNode, Event, Parameter, StopCause};
use serde_json::Value;

fn main() -> eyre::Result<()> {
    let (mut node, mut events) = DoraNode::init_from_env()?;
    while let Some(event) = events.recv() {
        match event {
            Event::Input { metadata, data, .. } => {
                let item = item(metadata.parameters.get("seggpt")).unwrap_or_default();
                seggpt_fault::at("in-work", &item);
                node.send_output("canvases".to_owned().into(), metadata.parameters, data)?;
            }
            Event::Stop(StopCause::Manual) => break,
            _ => {}
        }
    }
    Ok(())
}

fn item(identity: Option<&Parameter>) -> Option<String> {
    let Some(Parameter::String(text)) = identity else {
        return None;
    };
    let identity: Value = serde_json::from_str(text).ok()?;
    Some(identity["item"].as_str()?.to_owned())
}
