//! Our nodes' settings, checked by name and value before anything starts, and made independent of the shell.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use dora_core::{descriptor::Descriptor, types::edit_distance};
use dora_message::descriptor::EnvValue;
use seggpt_node::{NodeSpec, Values};

use crate::{Diagnostic, Nodes};

/// A node of ours in a dataflow.
#[derive(Debug)]
pub(crate) struct Ours<'a> {
    pub node_spec: &'a NodeSpec,
    /// Its settings in force, by variable.
    pub values: Values,
}

/// Our nodes by id, and what else there is to say.
#[derive(Debug)]
pub(crate) struct Checked<'a> {
    pub ours: BTreeMap<String, Ours<'a>>,
    pub warnings: Vec<String>,
    /// Variables that our nodes would read, that the dataflow leaves unset, and that have no default.
    pub unset: BTreeSet<String>,
}

/// The variable that only whoever starts a run may set.
pub(crate) const RUN_KEY: &str = "RUN_KEY";

/// Beginnings of variables that are read by libraries and the system under a node.
const SYSTEM: [&str; 22] = [
    "CUDA_", "CUBLAS_", "DORA_", "GLIBC_", "HOME", "LANG", "LC_", "LD_", "MALLOC_", "MKL_",
    "NVIDIA_", "OMP_", "PATH", "PYTHON", "RAYON_", "RUST_", "SEGGPT_", "TERM", "TMP", "TZ", "XDG_",
    "ZENOH_",
];

/// Checks the settings of our nodes and writes their defaults into the dataflow, so that the shell has no say in them.
///
/// # Errors
/// All unknown names and refused values.
pub(crate) fn settings<'a>(
    descriptor: &mut Descriptor,
    nodes: &'a Nodes,
) -> Result<Checked<'a>, Diagnostic> {
    let shared = text(descriptor.env.as_ref());
    let mut checked = Checked {
        ours: BTreeMap::new(),
        warnings: Vec::new(),
        unset: BTreeSet::new(),
    };
    let (mut diagnostics, mut known, mut foreign) = (Vec::new(), BTreeSet::new(), false);
    for node in &mut descriptor.nodes {
        let Some(node_spec) = nodes.of(node) else {
            foreign = true;
            continue;
        };
        let (id, own) = (node.id.to_string(), text(node.env.as_ref()));
        let variables = node_spec.variables();
        diagnostics.extend(own.keys().filter_map(|name| unknown(&id, name, &variables)));
        let mut set: Values = shared.clone().into_iter().chain(own).collect();
        if variables.contains(RUN_KEY) && set.remove(RUN_KEY).is_some() {
            checked.warnings.push(format!(
                "node `{id}`: RUN_KEY is made from the settings; what the dataflow says is not used"
            ));
        }
        match node_spec.in_force(&set) {
            Ok(values) => {
                let env = node.env.get_or_insert_default();
                for (name, value) in values.iter().filter(|(name, _)| !set.contains_key(*name)) {
                    env.insert(name.clone(), EnvValue::String(value.clone()));
                }
                checked.unset.extend(
                    variables
                        .iter()
                        .filter(|name| !values.contains_key(*name))
                        .cloned(),
                );
                known.extend(variables);
                checked.ours.insert(id, Ours { node_spec, values });
            }
            Err(refusal) => diagnostics.push(Diagnostic::new(format!("node `{id}`: {refusal}"))),
        }
    }
    if let Some(diagnostic) =
        Diagnostic::all(|count| format!("{count} settings are wrong"), diagnostics)
    {
        return Err(diagnostic);
    }
    let nobodys = shared
        .keys()
        .filter(|name| !foreign && !known.contains(*name) && !is_system(name));
    checked
        .warnings
        .extend(nobodys.map(|name| format!("`env: {name}` is read by no node of the dataflow")));
    Ok(checked)
}

/// Checks the files behind the settings of our nodes, as far as that can be done before anything starts.
///
/// # Errors
/// What each node says of its own.
pub(crate) fn files(ours: &BTreeMap<String, Ours>, dir: &Path) -> Result<(), Diagnostic> {
    let checked = ours.iter().filter_map(|(id, Ours { node_spec, values })| {
        let error = (node_spec.check?)(values, dir).err()?;
        Some(Diagnostic::new(format!("node `{id}`: {error:#}")))
    });
    let diagnostics = checked.collect();
    Diagnostic::all(
        |count| format!("{count} nodes cannot use their files"),
        diagnostics,
    )
    .map_or(Ok(()), Err)
}

/// Keeps the shell's variables for nodes that are not ours, where ours must not see them.
pub(crate) fn keep_for_others(descriptor: &mut Descriptor, checked: &Checked<'_>) {
    for node in &mut descriptor.nodes {
        if checked.ours.contains_key(node.id.as_ref() as &str) {
            continue;
        }
        let env = node.env.get_or_insert_default();
        for name in &checked.unset {
            if let Ok(value) = std::env::var(name) {
                env.entry(name.clone()).or_insert(EnvValue::String(value));
            }
        }
    }
}

fn text(env: Option<&BTreeMap<String, EnvValue>>) -> Values {
    let pairs = env.into_iter().flatten();
    pairs
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect()
}

fn is_system(name: &str) -> bool {
    SYSTEM.iter().any(|begin| name.starts_with(begin))
}

fn unknown(id: &str, name: &str, variables: &BTreeSet<String>) -> Option<Diagnostic> {
    if variables.contains(name) {
        return None;
    }
    let near = variables
        .iter()
        .map(|known| (edit_distance(name, known), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min();
    if near.is_none() && is_system(name) {
        return None;
    }
    let help = match near {
        Some((_, known)) => format!("did you mean {known}?"),
        None => format!(
            "its settings are {}",
            variables.iter().cloned().collect::<Vec<_>>().join(", ")
        ),
    };
    Some(Diagnostic::new(format!("node `{id}` has no setting {name}")).help(help))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::LazyLock;

    use dora_core::descriptor::DescriptorExt;

    use super::*;

    fn checked(env: &str, shared: &str) -> Result<(Descriptor, Checked<'static>), String> {
        static OURS: LazyLock<Nodes> = LazyLock::new(crate::nodes::ours);
        let yaml = format!(
            "env: {{MODEL: small{shared}}}\nnodes:\n  - {{id: p, path: seggpt-prompts, env: {{PROMPTS: lib{env}}}, outputs: [prompted]}}\n"
        );
        let mut descriptor = Descriptor::parse(yaml.into()).unwrap();
        match settings(&mut descriptor, &OURS) {
            Ok(checked) => Ok((descriptor, checked)),
            Err(diagnostic) => Err(format!("{:?}", miette::Report::new(diagnostic))),
        }
    }

    #[test]
    fn an_unknown_setting_is_answered_with_the_nearest_one() {
        let error = checked(", SELCT: nearest", "").unwrap_err();
        assert!(
            error.contains("`p` has no setting SELCT") && error.contains("did you mean SELECT?"),
            "{error}"
        );
        let error = checked(", WEIGHT: 1", "").unwrap_err();
        assert!(
            error.contains("its settings are") && error.contains("MASK_MODE"),
            "{error}"
        );
        checked(", RUST_LOG: debug, CUDA_VISIBLE_DEVICES: 0", "").unwrap();
    }

    #[test]
    fn a_wrong_value_is_told_before_the_start() {
        let error = checked(", K: 0", "").unwrap_err();
        assert!(
            error.contains("node `p`") && error.contains("0 is not in 1.."),
            "{error}"
        );
    }

    #[test]
    fn defaults_stand_in_the_dataflow_so_that_the_shell_has_no_say() {
        let (flow, checked) = checked(", K: 2", "").unwrap();
        let env = flow.nodes[0].env.as_ref().unwrap();
        assert_eq!(
            (env["SELECT"].to_string(), env["K"].to_string()),
            ("fixed".into(), "2".into())
        );
        assert!(checked.unset.contains("CLASSES") && !checked.unset.contains("SELECT"));
        assert_eq!(checked.ours["p"].values["SEED"], "0");
    }

    #[test]
    fn what_no_node_reads_is_a_warning() {
        let (_, checked) = checked("", ", MODLE: x").unwrap();
        assert_eq!(checked.warnings.len(), 2, "{:?}", checked.warnings);
        assert!(
            checked
                .warnings
                .iter()
                .any(|warning| warning.contains("MODLE"))
        );
    }
}
