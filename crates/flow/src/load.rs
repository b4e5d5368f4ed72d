//! Everything that can be told to be wrong before anything starts.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use dora_core::{
    descriptor::{Descriptor, DescriptorExt, canonicalize_working_dir, validate},
    types::TypeRegistry,
};

use seggpt_files::text;
use seggpt_store::{Setup, Spec};

use crate::{
    Diagnostic, Nodes, Resources, check,
    diagnostic::{declaration, position},
    executables, fingerprint, renamed,
    settings::{self, Setting},
    setup, shm, types, wiring, written,
};

/// A dataflow that may start.
#[derive(Debug)]
pub struct Flow {
    /// Its file.
    pub path: PathBuf,
    /// Its folder: relative paths start here.
    pub dir: PathBuf,
    /// What dora is given: modules expanded, executables found, settings applied.
    pub descriptor: Descriptor,
    /// What is doubtful but does not keep it from starting.
    pub warnings: Vec<String>,
    /// What decides its results.
    pub spec: Spec,
    /// Nodes whose settings are known, by id.
    pub(crate) ours: BTreeSet<String>,
    /// Folders of results that are its own while it runs.
    pub(crate) owned: Vec<PathBuf>,
    /// Variables that are taken out of this process's environment, where our nodes would see them.
    pub(crate) unset: BTreeSet<String>,
    /// What it may take of the machine.
    pub(crate) resources: Resources,
    /// What its results are told to be made with.
    pub(crate) setup: Setup,
}

/// Reads and checks a dataflow: its YAML, wiring and types, its nodes' executables, and the settings.
///
/// # Errors
/// The first kind of diagnostic that there is, with all of that kind.
pub fn load(path: &Path, settings: &[Setting], nodes: &Nodes) -> Result<Flow, Diagnostic> {
    let text = text::open(path).map_err(|error| {
        Diagnostic::new(format!(
            "cannot read the dataflow {}: {error}",
            path.display()
        ))
        .help("give the path of a YAML file")
    })?;
    check(path, &text, settings, nodes)
}

fn check(path: &Path, text: &str, settings: &[Setting], nodes: &Nodes) -> Result<Flow, Diagnostic> {
    let dir = canonicalize_working_dir(None, path)
        .map_err(|error| Diagnostic::new(format!("{error:#}")))?;
    let diagnostic = |message: String| {
        let span = place(text, &message);
        Diagnostic::new(message).at(path, text, span)
    };

    let written = written::diagnostics(path, text);
    if let Some(diagnostic) =
        Diagnostic::all(|count| format!("{count} settings cannot be read"), written)
    {
        return Err(diagnostic);
    }
    let parsed = Descriptor::parse(text.into())
        .map_err(|error| diagnostic(without_frame(path, &format!("{error:#}"))))?;
    let mut descriptor = parsed
        .expand(&dir)
        .map_err(|error| diagnostic(format!("{error:#}")))?;
    if descriptor.nodes.is_empty() {
        return Err(diagnostic("the dataflow has no nodes".into()));
    }
    if let Some(node) = descriptor.nodes.iter().find(|node| node.deploy.is_some()) {
        let help = "start it with `dora start` on a cluster, or remove `deploy:`";
        return Err(diagnostic(format!(
            "node `{}` has a `deploy:` section, which is for several machines",
            node.id
        ))
        .help(help));
    }
    if let Some(node) = descriptor
        .nodes
        .iter()
        .find(|node| node.hub.is_some() && node.path.is_none())
    {
        let help = "run `dora build` and `dora run` for flows with `hub:` nodes, or name the executable as `path:`";
        return Err(diagnostic(format!(
            "node `{}` names a `hub:` package, which is not fetched here",
            node.id
        ))
        .help(help));
    }
    let loose = wiring::diagnostics(&descriptor, path, text);
    if let Some(diagnostic) = Diagnostic::all(|count| format!("{count} inputs lead nowhere"), loose)
    {
        return Err(diagnostic);
    }
    validate::check_dataflow_static(&descriptor)
        .map_err(|error| diagnostic(format!("{error:#}")))?;
    let mut warnings = check_types(&descriptor, &dir, &diagnostic)?;

    warnings.extend(renamed::nodes(&mut descriptor));
    executables::resolve(&mut descriptor, &dir, nodes);
    let absent = executables::missing(&descriptor, &dir);
    let absent = absent.iter().map(|(id, path)| {
        let build = descriptor
            .nodes
            .iter()
            .find(|node| node.id.as_ref() == id.as_str())
            .and_then(|node| node.build.as_deref());
        diagnostic(format!("node `{id}`: there is no executable `{path}`"))
            .help(how_to_get(path, build, &dir, nodes))
    });
    if let Some(diagnostic) = Diagnostic::all(
        |count| format!("{count} nodes have no executable"),
        absent.collect(),
    ) {
        return Err(diagnostic);
    }
    validate::check_dataflow(&descriptor, &dir)
        .map_err(|error| diagnostic(format!("{error:#}")))?;
    settings::apply(&mut descriptor, settings)?;
    warnings.extend(renamed::settings(&mut descriptor, nodes));
    let mut checked = check::settings(&mut descriptor, nodes)?;
    let mut resources = Resources::size(&mut descriptor, &mut checked.ours);
    check::keep_for_others(&mut descriptor, &checked);
    warnings.extend(checked.warnings.iter().cloned());
    check::files(&checked.ours, &dir)?;
    let spec = fingerprint::spec(&descriptor, &checked.ours, &dir)?;
    let owned = fingerprint::owned(&checked.ours, &dir);
    warnings.extend(shm::shortage(&descriptor));
    if let Some(reason) = shm::disable(&mut descriptor) {
        warnings.push(reason);
        resources.without_pools();
    }
    let setup = setup::of(&descriptor, &checked.ours, &spec, &resources);
    Ok(Flow {
        path: path.to_owned(),
        dir,
        descriptor,
        warnings,
        spec,
        ours: checked.ours.into_keys().collect(),
        owned,
        unset: checked.unset,
        resources,
        setup,
    })
}

/// Types that do not fit are diagnostics under `strict_types: true`, warnings otherwise.
fn check_types(
    descriptor: &Descriptor,
    dir: &Path,
    diagnostic: &impl Fn(String) -> Diagnostic,
) -> Result<Vec<String>, Diagnostic> {
    let mut registry = TypeRegistry::new();
    types::add_ours(&mut registry).map_err(Diagnostic::new)?;
    registry
        .load_from_dir(&dir.join("types"))
        .map_err(Diagnostic::new)?;
    let strict = descriptor.strict_types.unwrap_or(false);
    let found = validate::check_type_annotations_full(descriptor, &registry, strict).warnings;
    let found: Vec<_> = found
        .into_iter()
        .map(|warning| format!("node `{}`: {}", warning.node_id, warning.message))
        .collect();
    if !strict {
        return Ok(found);
    }
    let help = format!(
        "types of this dataflow are declared under {}",
        dir.join("types").display()
    );
    let diagnostics = found
        .into_iter()
        .map(|message| diagnostic(message).help(&help))
        .collect();
    Diagnostic::all(|count| format!("{count} types do not fit"), diagnostics)
        .map_or(Ok(Vec::new()), Err)
}

fn how_to_get(path: &str, build: Option<&str>, dir: &Path, nodes: &Nodes) -> String {
    if let Some(build) = build {
        return format!(
            "it is not built yet; run in {}: {}",
            dir.display(),
            build.trim()
        );
    }
    if nodes.get(path).is_some() {
        return "it is part of `seggpt`: `seggpt link DIR`, with DIR on PATH".into();
    }
    match Path::new(path).components().count() {
        1 => "install it so that it is on PATH, or give its path".into(),
        _ => format!(
            "relative paths start from the dataflow's folder, {}",
            dir.display()
        ),
    }
}

/// dora's context around the one line that matters.
fn without_frame(path: &Path, message: &str) -> String {
    let frame = format!("{} is no dataflow: ", path.display());
    message.replacen("failed to parse given descriptor: ", &frame, 1)
}

/// The place that a message speaks of: `at line L column C`, or else the first node that it names.
fn place(text: &str, message: &str) -> Option<miette::SourceSpan> {
    let number = |behind: &str| -> Option<usize> {
        let rest = &message[message.rfind(behind)? + behind.len()..];
        rest[..rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len())]
            .parse()
            .ok()
    };
    if let (Some(line), Some(column)) = (number("at line "), number(" column ")) {
        return position(text, line, column);
    }
    let quoted = message.split('`').skip(1).step_by(2);
    quoted
        .flat_map(|name| [name, name.split('/').next().unwrap_or(name)])
        .find_map(|name| declaration(text, name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A dataflow in a folder of its own, beside an executable called `node`.
    fn checked(text: &str) -> Result<Flow, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("node"), "").unwrap();
        let path = dir.path().join("flow.yml");
        std::fs::write(&path, text).unwrap();
        load(&path, &[], &Nodes::new([]))
            .map_err(|diagnostic| format!("{:?}", miette::Report::new(diagnostic)))
    }

    const GOOD: &str = "nodes:\n  - {id: a, path: ./node, outputs: [x]}\n  - {id: b, path: ./node, inputs: {y: a/x}}\n";

    #[test]
    fn a_good_dataflow_passes() {
        let flow = checked(GOOD).unwrap();
        assert_eq!(flow.descriptor.nodes.len(), 2);
        assert!(flow.warnings.is_empty(), "{:?}", flow.warnings);
    }

    #[test]
    fn a_missing_file_is_named() {
        let diagnostic = load(Path::new("nowhere/flow.yml"), &[], &Nodes::new([])).unwrap_err();
        assert!(diagnostic.to_string().contains("nowhere/flow.yml"));
    }

    #[test]
    fn broken_yaml_shows_its_place() {
        let error = checked("nodes:\n  - id: a\n    paht: ./node\n").unwrap_err();
        assert!(
            error.contains("paht") && error.contains("is no dataflow"),
            "{error}"
        );
        let error = checked("nodes: [\n").unwrap_err();
        assert!(error.contains("flow.yml"), "{error}");
    }

    #[test]
    fn broken_wiring_names_node_and_input() {
        let error = checked(&GOOD.replace("a/x", "a/z")).unwrap_err();
        assert!(
            error.contains('z') && error.contains("node `b`: its input `y`"),
            "{error}"
        );
    }

    #[test]
    fn all_missing_executables_are_named_at_once_with_the_fix() {
        let error = checked(
            "nodes:\n  - {id: a, path: ./no/such}\n  - {id: b, path: no-such-node-on-path}\n",
        )
        .unwrap_err();
        assert!(
            error.contains("./no/such") && error.contains("no-such-node-on-path"),
            "{error}"
        );
        assert!(error.contains("on PATH"), "{error}");
    }

    #[test]
    fn strict_types_are_errors_and_others_warnings() {
        let typed = GOOD
            .replace(
                "outputs: [x]",
                "outputs: [x], output_types: {x: std/core/v1/Float32}",
            )
            .replace(
                "inputs: {y: a/x}",
                "inputs: {y: a/x}, input_types: {y: std/core/v1/String}",
            );
        assert_eq!(checked(&typed).unwrap().warnings.len(), 1);
        let error = checked(&format!("strict_types: true\n{typed}")).unwrap_err();
        assert!(
            error.contains("Float32") && error.contains("String"),
            "{error}"
        );
    }

    #[test]
    fn what_needs_a_cluster_or_a_hub_says_so() {
        let error =
            checked("nodes:\n  - {id: a, path: ./node, deploy: {machine: far}}\n").unwrap_err();
        assert!(error.contains("dora start"), "{error}");
        let error = checked("nodes:\n  - {id: a, hub: dora-yolo@^0.5}\n").unwrap_err();
        assert!(error.contains("hub"), "{error}");
    }
}
