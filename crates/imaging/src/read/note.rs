use std::fmt;

/// What of a file did not arrive as it stands there, or was made out of it by a guess.
///
/// Notes travel with the picture: a run's record of an item has them, the report shows them, and the console says each kind
/// once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Which sort of thing it is.
    pub kind: NoteKind,
    /// One sentence, without the name of the file.
    pub text: String,
}

/// Sorts of notes; the console says one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NoteKind {
    /// Values were brought from another range to 0..=255.
    Range,
    /// Of several pages or frames, one was read.
    Pages,
    /// Of several bands, some were read, or nothing said which are colours.
    Bands,
    /// Transparency was dropped, or taken for marks.
    Transparency,
    /// An EXIF orientation was applied, or left alone.
    Turned,
    /// What a mask's values stand for was told from what they look like.
    Meaning,
}

impl Note {
    pub(crate) fn new(kind: NoteKind, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { kind, text }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
