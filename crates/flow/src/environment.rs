//! What nodes find in their environment.

use dora_message::descriptor::EnvValue;
use seggpt_store::{RUN_PID, run_key};

use crate::Flow;

/// Tells our nodes the run's key and this process, and takes away what they would read although the dataflow does not
/// set it.
pub(crate) fn tell(flow: &mut Flow) {
    let key = match flow.spec.is_empty() {
        true => String::new(),
        false => run_key(&flow.spec),
    };
    for node in &mut flow.descriptor.nodes {
        if flow.ours.contains(node.id.as_ref() as &str) {
            let env = node.env.get_or_insert_default();
            env.insert("RUN_KEY".into(), EnvValue::String(key.clone()));
            env.insert(
                RUN_PID.into(),
                EnvValue::String(std::process::id().to_string()),
            );
        }
    }
    for name in &flow.unset {
        // SAFETY: nodes inherit this process's environment, and dora offers no other way to keep a variable from them.
        // No other thread runs yet, and no C library that reads the environment.
        #[allow(unsafe_code)]
        unsafe {
            std::env::remove_var(name);
        }
    }
}
