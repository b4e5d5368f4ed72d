//! What the inputs are: pictures, or maps. Told by what files hold, never by their names.

use std::path::Path;

use clap::ValueEnum;
use seggpt_flow::Flaw;
use seggpt_raster::geo;

use super::inputs::Inputs;

/// What the inputs of a run are, all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Picture files, each a whole.
    Pictures,
    /// Maps: TIFF files that lie somewhere on the earth, or are too large for one picture.
    Map,
}

impl Kind {
    /// The node that sends them.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Pictures => "seggpt-source-images",
            Self::Map => "seggpt-source-geotiff",
        }
    }

    /// The node that writes their results.
    pub(super) fn sink(self) -> &'static str {
        match self {
            Self::Pictures => "seggpt-sink-files",
            Self::Map => "seggpt-sink-geotiff",
        }
    }

    /// The word that asks for it.
    fn word(self) -> &'static str {
        match self {
            Self::Pictures => "pictures",
            Self::Map => "map",
        }
    }

    fn of(path: &Path) -> Self {
        match geo::is_map(path) {
            true => Self::Map,
            false => Self::Pictures,
        }
    }
}

/// What the inputs are. What cannot be told is for the source to say: it takes them for pictures.
///
/// # Errors
/// Some are one thing and some another: says how many, and what to do.
pub(super) fn of(inputs: &Inputs) -> Result<Kind, Flaw> {
    let Ok(entries) = inputs.files() else {
        return Ok(Kind::Pictures);
    };
    let is_map = |path: &&Path| Kind::of(path) == Kind::Map;
    let paths = || entries.iter().map(|entry| entry.path.as_path());
    let maps = paths().filter(is_map).count();
    match (maps, entries.len() - maps) {
        (0, _) => Ok(Kind::Pictures),
        (_, 0) => Ok(Kind::Map),
        (maps, pictures) => {
            let example = |kind: Kind| paths().find(|path| Kind::of(path) == kind);
            let shown = |kind: Kind| example(kind).unwrap_or(Path::new("")).display().to_string();
            Err(Flaw::new(format!(
                "{maps} of the inputs are maps (such as {}) and {pictures} are pictures (such as {})",
                shown(Kind::Map),
                shown(Kind::Pictures)
            ))
            .help(format!(
                "give each their own run and --out, or take all as one with --as {} or --as {}",
                Kind::Map.word(),
                Kind::Pictures.word()
            )))
        }
    }
}
