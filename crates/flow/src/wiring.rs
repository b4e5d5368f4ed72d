//! Inputs that name a node or an output that is not there.

use std::path::Path;

use dora_core::{config::InputMapping, descriptor::Descriptor, types::edit_distance};
use miette::SourceSpan;

use crate::{Diagnostic, diagnostic::declaration};

/// One diagnostic for every input that leads nowhere, with what may have been meant.
pub(crate) fn diagnostics(descriptor: &Descriptor, path: &Path, text: &str) -> Vec<Diagnostic> {
    let ids: Vec<String> = descriptor
        .nodes
        .iter()
        .map(|node| node.id.to_string())
        .collect();
    let mut found = Vec::new();
    for node in &descriptor.nodes {
        for (input, wanted) in &node.inputs {
            let InputMapping::User(from) = &wanted.mapping else {
                continue;
            };
            let (source, output) = (from.source.to_string(), from.output.to_string());
            let named = format!("{source}/{output}");
            let at = format!(
                "node `{}`: its input `{input}` is wired to `{named}`, but ",
                node.id
            );
            let sender = descriptor.nodes.iter().find(|node| node.id == from.source);
            let (message, near, others) = match sender {
                None => {
                    let near = nearest(&source, &ids).map(|id| format!("{id}/{output}"));
                    (
                        format!("{at}there is no node `{source}`"),
                        near,
                        listed("nodes", &ids),
                    )
                }
                // Operators and bridges declare their outputs elsewhere.
                Some(sender) if sender.path.is_some() => {
                    let outputs: Vec<String> =
                        sender.outputs.iter().map(ToString::to_string).collect();
                    if outputs.contains(&output) {
                        continue;
                    }
                    let near =
                        nearest(&output, &outputs).map(|output| format!("{source}/{output}"));
                    let message = format!("{at}node `{source}` has no output `{output}`");
                    (message, near, listed("outputs", &outputs))
                }
                Some(_) => continue,
            };
            let help = match near {
                Some(near) => format!("did you mean {near}?"),
                None => others,
            };
            let id: &str = node.id.as_ref();
            found.push(Diagnostic::new(message).help(help).at(
                path,
                text,
                reference(text, id, &named),
            ));
        }
    }
    found
}

fn listed(what: &str, names: &[String]) -> String {
    match names {
        [] => format!("it has no {what}; add them under `outputs:`"),
        names => format!("its {what} are {}", names.join(", ")),
    }
}

fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a String> {
    let near = known
        .iter()
        .map(|known| (edit_distance(name, known), known));
    near.filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min()
        .map(|(_, known)| known)
}

/// Where a node names an output, behind its declaration.
fn reference(text: &str, id: &str, named: &str) -> Option<SourceSpan> {
    let start = declaration(text, id)?.offset();
    let ends = |at: usize| {
        let next = text[at + named.len()..].chars().next();
        next.is_none_or(|c| !c.is_alphanumeric() && !"_-./".contains(c))
    };
    let places = text[start..].match_indices(named).map(|(at, _)| start + at);
    places
        .into_iter()
        .find(|&at| ends(at))
        .map(|at| (at, named.len()).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use dora_core::descriptor::DescriptorExt;

    use super::*;

    fn said(text: &str) -> String {
        let flow = Descriptor::parse(text.as_bytes().to_vec()).unwrap();
        let diagnostics = diagnostics(&flow, Path::new("flow.yml"), text);
        let shown = diagnostics
            .into_iter()
            .map(|diagnostic| format!("{:?}", miette::Report::new(diagnostic)));
        // Long lines are broken.
        shown.collect::<Vec<_>>().join("\n").replace("\n  │ ", " ")
    }

    #[test]
    fn dora_1098_a_misspelt_output_is_shown_where_it_stands() {
        let flow = |wired: &str| {
            format!(
                "nodes:\n  - id: prompts\n    path: x\n    outputs: [prompted]\n  - id: sink\n    path: x\n    inputs:\n      a: {wired}\n"
            )
        };
        assert_eq!(said(&flow("prompts/prompted")), "");
        assert_eq!(said(&flow("dora/timer/millis/10")), "");
        let said_of = said(&flow("prompts/promted"));
        assert!(
            said_of.contains("no output `promted`")
                && said_of.contains("did you mean prompts/prompted?"),
            "{said_of}"
        );
        assert!(said_of.contains("flow.yml:8:10"), "{said_of}");
        let said_of = said(&flow("promts/prompted"));
        assert!(
            said_of.contains("no node `promts`")
                && said_of.contains("did you mean prompts/prompted?"),
            "{said_of}"
        );
    }
}
