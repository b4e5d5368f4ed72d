use std::{collections::BTreeMap, path::Path};

/// What was left out of a file, by reason.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    left: BTreeMap<(&'static str, String), (usize, String)>,
}

impl Tally {
    /// Counts one `kind` of thing ("annotation", "picture") that is left out; `which` names it.
    pub fn leave(
        &mut self,
        kind: &'static str,
        which: impl Into<String>,
        reason: impl Into<String>,
    ) {
        let entry = self.left.entry((kind, reason.into()));
        entry.or_insert_with(|| (0, which.into())).0 += 1;
    }

    /// How many are left out.
    pub fn count(&self) -> usize {
        self.left.values().map(|(count, _)| count).sum()
    }

    /// The first of the reasons, one of this kind of thing if there is any, for an error where nothing is left.
    pub fn first(&self, kind: &str) -> Option<String> {
        let own = self.left.iter().find(|((of, _), _)| *of == kind);
        let ((kind, reason), (_, which)) = own.or_else(|| self.left.iter().next())?;
        Some(format!("{kind} {which}: {reason}"))
    }

    /// A sentence a reason.
    pub fn notes(&self, path: &Path) -> Vec<String> {
        let note = |((kind, reason), (count, which)): (&(&str, String), &(usize, String))| {
            let path = path.display();
            match count {
                1 => format!("{path}: {kind} {which} is left out: {reason}"),
                _ => {
                    format!("{path}: {count} {kind}s are left out, the first is {which}: {reason}")
                }
            }
        };
        self.left.iter().map(note).collect()
    }
}
