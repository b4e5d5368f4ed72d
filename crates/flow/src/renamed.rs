//! Old names of nodes and settings in a dataflow, put right with a warning.

use std::collections::BTreeMap;

use dora_core::descriptor::Descriptor;
use dora_message::descriptor::EnvValue;
use seggpt_node::renamed;

use crate::Nodes;

type Env = BTreeMap<String, EnvValue>;

/// Gives nodes their new names.
pub(crate) fn nodes(descriptor: &mut Descriptor) -> Vec<String> {
    let mut warnings = Vec::new();
    for node in &mut descriptor.nodes {
        if let Some((old, new)) = node
            .path
            .as_deref()
            .and_then(|old| Some((old.to_owned(), renamed::node(old)?)))
        {
            let warning = renamed::warning(&old, new);
            warnings.push(format!("node `{}`: {warning}", node.id));
            node.path = Some(new.to_owned());
        }
    }
    warnings
}

/// Gives the settings of our nodes their new names and values.
pub(crate) fn settings(descriptor: &mut Descriptor, nodes: &Nodes) -> Vec<String> {
    let mut warnings = Vec::new();
    let shared = &mut descriptor.env;
    for node in &mut descriptor.nodes {
        let Some(spec) = nodes.of(node) else {
            continue;
        };
        let own = node
            .env
            .iter_mut()
            .map(|env| (format!("node `{}`", node.id), env));
        let all = shared
            .iter_mut()
            .map(|env| ("the dataflow".to_owned(), env));
        for (whose, env) in own.chain(all) {
            let found = put_right(env, spec.name);
            warnings.extend(found.into_iter().map(|text| format!("{whose}: {text}")));
        }
    }
    warnings
}

fn put_right(env: &mut Env, node: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    for (old, new) in renamed::settings(node) {
        if let Some(value) = env.remove(old) {
            warnings.push(renamed::warning(old, new));
            env.entry(new.to_owned()).or_insert(value);
        }
    }
    for (name, value) in env.iter_mut() {
        let old = value.to_string();
        if let Some(new) = renamed::value(node, name, &old) {
            warnings.push(renamed::warning(
                &format!("{name}: {old}"),
                &format!("{name}: {new}"),
            ));
            *value = EnvValue::String(new.to_owned());
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_settings_get_their_new_names_and_the_new_one_comes_first() {
        let text = |value: &str| EnvValue::String(value.into());
        let mut env = Env::from([
            ("CUT".into(), text("0.3")),
            ("AT_ONCE".into(), text("2")),
            ("BATCH".into(), text("4")),
            ("REFINE".into(), text("pixels")),
        ]);
        let warnings = put_right(&mut env, "seggpt-infer");
        let expected = [("BATCH", "4"), ("REFINE", "forest"), ("THRESHOLD", "0.3")];
        let expected = expected.map(|(name, value)| (name.to_owned(), text(value)));
        assert_eq!(env, Env::from(expected));
        assert_eq!(warnings.len(), 3);
        assert!(warnings[0].contains("`CUT` is called `THRESHOLD` now"));
    }
}
