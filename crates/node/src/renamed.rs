//! What nodes and settings were called in earlier versions. Old names are accepted, and whoever uses one is told the new one.

use std::{env, ffi::OsString};

use crate::init_logging;

/// Nodes: the old name and the new one.
const NODES: [(&str, &str); 1] = [("seggpt-examiner", "seggpt-evaluator")];

/// Settings: the node, the old variable and the new one.
const SETTINGS: [(&str, &str, &str); 6] = [
    ("seggpt-evaluator", "EVERY", "STRIDE"),
    ("seggpt-evaluator", "SKIP", "OFFSET"),
    ("seggpt-evaluator", "SIDE", "EVAL_SIZE"),
    ("seggpt-infer", "CUT", "THRESHOLD"),
    ("seggpt-infer", "AT_ONCE", "BATCH"),
    ("seggpt-sink-files", "PAINTED", "RAW"),
];

/// Values: the node, the variable, the old value and the new one.
const VALUES: [(&str, &str, &str, &str); 1] = [("seggpt-infer", "REFINE", "pixels", "forest")];

/// The new name of a node.
pub fn node(old: &str) -> Option<&'static str> {
    let known = NODES.iter().find(|(name, _)| *name == old);
    known.map(|(_, new)| *new)
}

/// The old and new names of a node's settings.
pub fn settings(node: &str) -> impl Iterator<Item = (&'static str, &'static str)> + '_ {
    let own = SETTINGS.iter().filter(move |(name, ..)| *name == node);
    own.map(|(_, old, new)| (*old, *new))
}

/// The new form of a setting's value.
pub fn value(node: &str, setting: &str, old: &str) -> Option<&'static str> {
    let known = VALUES
        .iter()
        .find(|(name, variable, value, _)| (*name, *variable, *value) == (node, setting, old));
    known.map(|(.., new)| *new)
}

/// What to say to whoever uses an old name.
pub fn warning(old: &str, new: &str) -> String {
    format!("`{old}` is called `{new}` now; the old name will go")
}

/// The arguments that stand for variables of old names in the environment, where the new ones are not set; and what to say.
pub fn arguments(node: &str) -> (Vec<OsString>, Vec<String>) {
    translated(node, |name| env::var_os(name))
}

fn translated(
    node: &str,
    variable: impl Fn(&str) -> Option<OsString>,
) -> (Vec<OsString>, Vec<String>) {
    let (mut arguments, mut warnings) = (Vec::new(), Vec::new());
    for (old, new) in settings(node) {
        if let (Some(value), None) = (variable(old), variable(new)) {
            let option = new.to_lowercase().replace('_', "-");
            let mut argument = OsString::from(format!("--{option}="));
            argument.push(value);
            arguments.push(argument);
            warnings.push(warning(old, new));
        }
    }
    for (_, name, old, new) in VALUES.iter().filter(|(of, ..)| *of == node) {
        if variable(name).is_some_and(|value| value == *old) {
            arguments.push(format!("--{}={new}", name.to_lowercase()).into());
            warnings.push(warning(&format!("{name}={old}"), &format!("{name}={new}")));
        }
    }
    (arguments, warnings)
}

/// The command line of a node's program, with what variables of old names say; logs what to say of them.
pub fn command_line(node: &str) -> Vec<OsString> {
    let (arguments, warnings) = arguments(node);
    if !warnings.is_empty() {
        init_logging();
    }
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    env::args_os().chain(arguments).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(node: &str, set: &[(&str, &str)]) -> (Vec<OsString>, Vec<String>) {
        translated(node, |name| {
            let known = set.iter().find(|(variable, _)| *variable == name);
            known.map(|(_, value)| value.into())
        })
    }

    #[test]
    fn an_old_variable_counts_where_the_new_one_is_not_set() {
        let (arguments, warnings) = of("seggpt-infer", &[("CUT", "0.3"), ("REFINE", "pixels")]);
        assert_eq!(arguments, ["--threshold=0.3", "--refine=forest"]);
        assert!(warnings[0].contains("`CUT` is called `THRESHOLD` now"));
        assert!(warnings[1].contains("`REFINE=forest`"));
        let both = [("CUT", "0.3"), ("THRESHOLD", "0.4")];
        assert!(of("seggpt-infer", &both).0.is_empty());
        assert!(of("seggpt-prompts", &[("CUT", "0.3")]).0.is_empty());
    }
}
