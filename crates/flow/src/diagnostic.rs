use std::{path::Path, sync::Arc};

use miette::{NamedSource, SourceSpan};

use crate::Exit;

/// What went wrong, and what to do about it. Unless it says otherwise, it was found before anything started.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("{message}")]
pub struct Diagnostic {
    message: String,
    #[help]
    help: Option<String>,
    #[source_code]
    source_code: Option<Arc<NamedSource<String>>>,
    #[label("here")]
    at: Option<SourceSpan>,
    #[related]
    others: Vec<Diagnostic>,
    exit: Exit,
}

impl Diagnostic {
    /// Found before the start, without help or place.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            source_code: None,
            at: None,
            others: Vec::new(),
            exit: Exit::Usage,
        }
    }

    /// It broke what was under way: the command line is not at fault.
    pub fn after_start(mut self) -> Self {
        self.exit = Exit::Engine;
        self
    }

    /// How the command ends for its sake.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Shows the place in the dataflow's text, if it can be told.
    pub(crate) fn at(mut self, path: &Path, text: &str, span: Option<SourceSpan>) -> Self {
        if span.is_some() {
            let source = NamedSource::new(path.display().to_string(), text.to_owned());
            self.source_code = Some(Arc::new(source.with_language("YAML")));
            self.at = span;
        }
        self
    }

    /// Several as one; `None` if there are none.
    pub fn all(summary: impl Fn(usize) -> String, mut diagnostics: Vec<Self>) -> Option<Self> {
        match diagnostics.len() {
            0 => None,
            1 => diagnostics.pop(),
            count => Some(Self {
                others: diagnostics,
                ..Self::new(summary(count))
            }),
        }
    }
}

/// The span of `line` and `column` (both from 1) in `text`: that character's word. Behind the end, it is the end.
pub(crate) fn position(text: &str, line: usize, column: usize) -> Option<SourceSpan> {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.checked_sub(1)?)
        .map(str::len)
        .sum();
    let row = text.get(start..)?.lines().next().unwrap_or_default();
    let column = row
        .char_indices()
        .nth(column.checked_sub(1)?)
        .map_or(row.len(), |(at, _)| at);
    let word = row[column..]
        .find([' ', ',', ']', '}'])
        .unwrap_or(row.len() - column);
    Some((start + column, word).into())
}

/// Where the dataflow declares a node: the id behind its `id:`.
pub(crate) fn declaration(text: &str, id: &str) -> Option<SourceSpan> {
    let mut start = 0;
    for row in text.split_inclusive('\n') {
        if let Some(key) = row.find("id:") {
            let behind = &row[key + 3..];
            let value = behind.trim_start_matches([' ', '"', '\'']);
            let is_key = row[..key].ends_with([' ', '{', '\t', ',']) || row[..key].is_empty();
            let ends = value.strip_prefix(id).is_some_and(|rest| {
                !rest.starts_with(|c: char| c.is_alphanumeric() || "-_.".contains(c))
            });
            if is_key && ends {
                return Some((start + key + 3 + behind.len() - value.len(), id.len()).into());
            }
        }
        start += row.len();
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shown(text: &str, span: SourceSpan) -> &str {
        &text[span.offset()..span.offset() + span.len()]
    }

    #[test]
    fn a_node_is_found_where_it_is_declared() {
        let text =
            "nodes:\n  - id: sinks\n    inputs: {a: sink/out}\n  - {path: x, id: \"sink\"}\n";
        let span = declaration(text, "sink").unwrap();
        assert_eq!(shown(text, span), "sink");
        assert!(span.offset() > text.find("path").unwrap());
        assert!(declaration(text, "source").is_none());
    }

    #[test]
    fn line_and_column_are_a_place_in_the_text() {
        let text = "ä: 1\nnodes: [x]\n";
        assert_eq!(shown(text, position(text, 2, 1).unwrap()), "nodes:");
        assert_eq!(shown(text, position(text, 1, 4).unwrap()), "1");
        assert_eq!(position(text, 9, 1).unwrap().offset(), text.len());
        assert_eq!(shown(text, position(text, 2, 99).unwrap()), "");
    }
}
