//! What is written in a dataflow, where dora's reader would only say that it matches nothing: settings that are no text, and
//! variables that are not set.

use std::path::Path;

use miette::SourceSpan;
use yaml_serde::Value;

use crate::{Diagnostic, diagnostic::declaration};

/// All settings that are no text, and variables that nobody set. Nothing for YAML that cannot be read at all: its reader
/// tells the place.
pub(crate) fn diagnostics(path: &Path, text: &str) -> Vec<Diagnostic> {
    let Ok(flow) = yaml_serde::from_str::<Value>(text) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    if let Some(env) = flow.get("env") {
        found.extend(settings(env, "the dataflow", text, 0));
    }
    let nodes = flow.get("nodes").and_then(Value::as_sequence);
    for node in nodes.into_iter().flatten() {
        let Some(id) = node.get("id").and_then(Value::as_str) else {
            continue;
        };
        let start = declaration(text, id).map_or(0, |span| span.offset());
        if let Some(env) = node.get("env") {
            found.extend(settings(env, &format!("node `{id}`"), text, start));
        }
    }
    let diagnostic = |wrong: Wrong| {
        Diagnostic::new(format!("{}: {}", path.display(), wrong.message))
            .help(wrong.help)
            .at(path, text, wrong.span)
    };
    found.into_iter().map(diagnostic).collect()
}

struct Wrong {
    message: String,
    help: String,
    span: Option<SourceSpan>,
}

/// The diagnostics of one `env:`, which stands in the text behind `start`.
fn settings(env: &Value, whose: &str, text: &str, start: usize) -> Vec<Wrong> {
    const SHAPE: &str = "write `env:` and below it lines of NAME: value";
    if env.is_null() {
        return Vec::new();
    }
    let Some(env) = env.as_mapping() else {
        return vec![Wrong {
            message: format!("{whose}: `env` is {}, not settings by name", kind(env)),
            help: SHAPE.into(),
            span: key(text, start, "env"),
        }];
    };
    let mut found = Vec::new();
    for (name, value) in env {
        let Some(name) = name.as_str() else {
            continue;
        };
        let span = || key(text, start, name);
        if !(value.is_string() || value.is_number() || value.is_bool()) {
            let help = match value {
                Value::Sequence(_) => {
                    format!("several are one text, one a line:\n  {name}: |\n    first\n    second")
                }
                Value::Null => format!(
                    "remove the line to have the default, or write {name}: \"\" for an empty text"
                ),
                _ => "a setting is a text, a number, true or false".into(),
            };
            found.push(Wrong {
                message: format!(
                    "{whose}: the setting {name} is {}; it has to be one text",
                    kind(value)
                ),
                help,
                span: span(),
            });
        } else if let Some(missing) = value.as_str().and_then(unset) {
            found.push(Wrong {
                message: format!("{whose}: the setting {name} names the variable {missing}, which is not set"),
                help: format!(
                    "set it (`export {missing}=...`), give a default (`${{{missing}:-value}}`), or write `$$` where a plain `$` is \
                     meant"
                ),
                span: span(),
            });
        }
    }
    found
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a table",
        _ => "of another kind",
    }
}

/// The first variable of a text that is not set. `$$` is a plain `$`; what has a default needs no variable.
fn unset(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(plain) = rest.strip_prefix('$') {
            rest = plain;
            continue;
        }
        let (name, has_default) = match rest.strip_prefix('{') {
            Some(braced) => {
                let inside = &braced[..braced.find('}')?];
                match inside.split_once(":-") {
                    Some((name, _)) => (name, true),
                    None => (inside, false),
                }
            }
            None => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                (&rest[..end.unwrap_or(rest.len())], false)
            }
        };
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if is_name && !has_default && std::env::var_os(name).is_none() {
            return Some(name.to_owned());
        }
    }
    None
}

/// The key `name` behind `start`: where it is first followed by a colon.
fn key(text: &str, start: usize, name: &str) -> Option<SourceSpan> {
    let begins = |at: usize| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '-')
    };
    let behind = |at: usize| {
        text[at + name.len()..]
            .trim_start_matches(['"', '\'', ' '])
            .starts_with(':')
    };
    let places = text[start..].match_indices(name).map(|(at, _)| start + at);
    places
        .into_iter()
        .find(|&at| begins(at) && behind(at))
        .map(|at| (at, name.len()).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn said(text: &str) -> String {
        let diagnostics = diagnostics(Path::new("flow.yml"), text);
        let shown = diagnostics
            .into_iter()
            .map(|diagnostic| format!("{:?}", miette::Report::new(diagnostic)));
        // Long lines are broken.
        shown.collect::<Vec<_>>().join("\n").replace("\n  │ ", " ")
    }

    #[test]
    fn dora_1098_a_setting_that_is_no_text_is_named_with_its_place() {
        let flow = |value: &str| {
            format!(
                "nodes:\n  - id: sink\n    path: x\n    env: {{OUT: o}}\n  - id: source\n    path: x\n    env:\n      OUT: {value}\n"
            )
        };
        for (value, what) in [
            ("~", "is empty"),
            ("[a, b]", "is a list"),
            ("{a: b}", "is a table"),
        ] {
            let said = said(&flow(value));
            assert!(
                said.contains("node `source`: the setting OUT") && said.contains(what),
                "{said}"
            );
            assert!(said.contains("flow.yml:8:7"), "{said}");
        }
        for value in ["1", "true", "1.5", "text", "''"] {
            assert_eq!(said(&flow(value)), "", "{value}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let said_of = |value: &str| said(&format!("env:\n  MODEL: \"{value}\"\nnodes: []\n"));
        for value in ["$SEGGPT_NOT_SET_1/in", "a${SEGGPT_NOT_SET_1}"] {
            let said = said_of(value);
            assert!(
                said.contains("variable SEGGPT_NOT_SET_1, which is not set"),
                "{said}"
            );
        }
        for value in [
            "$$SEGGPT_NOT_SET_1",
            "${SEGGPT_NOT_SET_1:-x}",
            "$PATH",
            "5 $",
            "$",
        ] {
            assert_eq!(said_of(value), "", "{value}");
        }
    }
}
