//! `--set NODE.KEY=VALUE`: environment variables of nodes from the command line.

use std::str::FromStr;

use dora_core::descriptor::Descriptor;
use dora_message::descriptor::EnvValue;

use crate::Diagnostic;

/// One `--set`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The node's id in the dataflow.
    pub node: String,
    /// The environment variable.
    pub key: String,
    /// Its value, taken as it is.
    pub value: String,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected NODE.KEY=VALUE, such as infer.DEVICE=cpu";
        let (place, value) = text.split_once('=').ok_or(expected)?;
        // Ids of nodes in modules contain dots themselves.
        let (node, key) = place.rsplit_once('.').ok_or(expected)?;
        if node.is_empty() || key.is_empty() {
            return Err(expected.into());
        }
        Ok(Self {
            node: node.into(),
            key: key.into(),
            value: value.into(),
        })
    }
}

/// Writes the settings into the dataflow.
pub(crate) fn apply(descriptor: &mut Descriptor, settings: &[Setting]) -> Result<(), Diagnostic> {
    for Setting {
        node: id,
        key,
        value,
    } in settings
    {
        let ids: Vec<String> = descriptor
            .nodes
            .iter()
            .map(|node| node.id.to_string())
            .collect();
        let Some(node) = descriptor
            .nodes
            .iter_mut()
            .find(|node| node.id.as_ref() == id.as_str())
        else {
            return Err(Diagnostic::new(format!(
                "--set {id}.{key}: the dataflow has no node `{id}`"
            ))
            .help(format!("its nodes are {}", list(&ids))));
        };
        node.env
            .get_or_insert_default()
            .insert(key.clone(), EnvValue::String(value.clone()));
    }
    Ok(())
}

fn list(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dora_core::descriptor::DescriptorExt;

    use super::*;

    fn setting(text: &str) -> Setting {
        text.parse().unwrap()
    }

    #[test]
    fn a_setting_splits_at_its_first_equals_and_its_last_dot() {
        let Setting { node, key, value } = setting("module.infer.MODEL=a=b.c");
        assert_eq!(
            (node.as_str(), key.as_str(), value.as_str()),
            ("module.infer", "MODEL", "a=b.c")
        );
        assert_eq!(setting("sink.OUT=").value, "");
        for wrong in ["sink.OUT", "OUT=x", ".OUT=x", "sink.=x", ""] {
            assert!(
                wrong
                    .parse::<Setting>()
                    .unwrap_err()
                    .contains("NODE.KEY=VALUE"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_setting_overrides_what_the_dataflow_says() {
        let yaml = "nodes:\n  - {id: a, path: x, env: {K: 1, L: two}}\n";
        let mut flow = Descriptor::parse(yaml.into()).unwrap();
        apply(&mut flow, &[setting("a.K=$HOME"), setting("a.M=3")]).unwrap();
        let env = flow.nodes[0].env.clone().unwrap();
        let text = env
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
            .join(" ");
        assert_eq!(text, "K=$HOME L=two M=3");
    }

    #[test]
    fn an_unknown_node_is_answered_with_the_known_ones() {
        let mut flow =
            Descriptor::parse(b"nodes:\n  - {id: a, path: x}\n  - {id: b, path: y}\n".to_vec())
                .unwrap();
        let diagnostic = apply(&mut flow, &[setting("c.K=1")]).unwrap_err();
        assert!(diagnostic.to_string().contains("no node `c`"));
        assert!(format!("{:?}", miette::Report::new(diagnostic)).contains("`a`, `b`"));
    }
}
