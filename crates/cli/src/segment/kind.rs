//! What inputs are, by what is in them.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use seggpt_files::{listing, text};
use seggpt_flow::Diagnostic;
use seggpt_raster::geo;
use seggpt_store::journal_path;
use seggpt_volume::{dicom::is_dicom, nifti::is_nifti};

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Kind {
    /// Photographs and the like, each whole.
    Pictures,
    /// TIFF files that lie somewhere on the earth, or are too large for one picture.
    Map,
    /// Scans of slices: NIfTI files, DICOM series.
    Volume,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pictures => "pictures",
            Self::Map => "maps",
            Self::Volume => "volumes",
        })
    }
}

impl Kind {
    /// The word for it on the command line.
    fn word(self) -> &'static str {
        match self {
            Self::Pictures => "pictures",
            Self::Map => "map",
            Self::Volume => "volume",
        }
    }

    /// What a file is; `None` where it is nothing that can be segmented. Of what is called as pictures are, only TIFF files are
    /// looked into.
    fn of(path: &Path) -> Option<Self> {
        if listing::is_tiff(path) && geo::is_map(path) {
            return Some(Self::Map);
        }
        match listing::is_picture(path) {
            true => Some(Self::Pictures),
            false => {
                let is_scan = is_nifti(path).unwrap_or(false) || is_dicom(path).unwrap_or(false);
                is_scan.then_some(Self::Volume)
            }
        }
    }
}

/// What the inputs are: as was said, else as the files say. What is nothing known counts as pictures, whose check names it.
///
/// # Errors
/// They are of several kinds.
pub fn settled(said: Option<Kind>, inputs: &[String]) -> Result<Kind, Diagnostic> {
    if let Some(kind) = said {
        return Ok(kind);
    }
    let mut counts = Counts::default();
    inputs.iter().for_each(|input| counts.input(input));
    let mut kinds = counts.0.keys();
    match (kinds.next(), kinds.next()) {
        (None, _) => Ok(Kind::Pictures),
        (Some(kind), None) => Ok(*kind),
        _ => Err(mixed(&counts)),
    }
}

fn mixed(Counts(counts): &Counts) -> Diagnostic {
    let each = |text: &dyn Fn(Kind, usize, &Path) -> String, between: &str| {
        let texts = counts.iter();
        let texts: Vec<String> = texts
            .map(|(kind, (count, first))| text(*kind, *count, first))
            .collect();
        texts.join(between)
    };
    Diagnostic::new(format!(
        "the inputs are of several kinds: {}",
        each(&|kind, count, _| format!("{count} {kind}"), " and ")
    ))
    .help(format!(
        "give each kind a command and an --out of its own ({}), or say what all are to be taken for: {}",
        each(&|kind, _, first| format!("{kind} such as {}", first.display()), ", "),
        each(&|kind, _, _| format!("--as {}", kind.word()), " or ")
    ))
}

/// How many files there are of each kind, and the first of them.
#[derive(Default)]
struct Counts(BTreeMap<Kind, (usize, PathBuf)>);

impl Counts {
    fn input(&mut self, input: &str) {
        let path = Path::new(input);
        if let Some(list) = input.strip_prefix('@') {
            // A list that cannot be read is named where it is opened.
            let lines = text::open(list).unwrap_or_default();
            text::lines(&lines).for_each(|line| self.input(line));
        } else if path.exists() {
            self.path(path);
        } else if let Ok(paths) = glob::glob(input) {
            let paths: Vec<PathBuf> = paths.flatten().collect();
            paths.iter().for_each(|path| self.path(path));
        }
    }

    fn path(&mut self, path: &Path) {
        if path.is_dir() {
            // Results are nobody's input.
            if !journal_path(path).exists() {
                let entries = listing::entries(path).unwrap_or_default();
                entries.iter().for_each(|path| self.path(path));
            }
            return;
        }
        if let Some(kind) = Kind::of(path) {
            self.0.entry(kind).or_insert_with(|| (0, path.into())).0 += 1;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(inputs: &[&Path]) -> Result<Kind, String> {
        let inputs: Vec<String> = inputs
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        settled(None, &inputs).map_err(|diagnostic| diagnostic.to_string())
    }

    #[test]
    fn files_say_what_they_are() {
        let fixture = |name: &str| {
            let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../volume/tests/fixtures");
            Path::new(fixtures).join(name)
        };
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("a.png"), "").unwrap();
        std::fs::write(path("notes.txt"), "").unwrap();
        assert_eq!(of(&[folder.path()]), Ok(Kind::Pictures));
        assert_eq!(of(&[&path("missing")]), Ok(Kind::Pictures));
        // By content: the name says nothing.
        std::fs::copy(fixture("compressed.nii.gz"), path("scan")).unwrap();
        assert_eq!(of(&[&path("scan"), &path("notes.txt")]), Ok(Kind::Volume));
        let mixed = of(&[folder.path()]).unwrap_err();
        assert!(mixed.contains("1 pictures and 1 volumes"), "{mixed}");
        let slices = path("slices");
        std::fs::create_dir(&slices).unwrap();
        let mut slice = vec![0; 128];
        slice.extend(b"DICM");
        std::fs::write(slices.join("IM0001"), &slice).unwrap();
        // Without a preamble.
        std::fs::write(
            slices.join("IM0002"),
            b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100",
        )
        .unwrap();
        assert_eq!(of(&[&slices]), Ok(Kind::Volume));
        assert_eq!(of(&[&slices.join("IM0002")]), Ok(Kind::Volume));
        std::fs::remove_dir_all(&slices).unwrap();
        let maps = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/maps");
        assert_eq!(of(&[Path::new(maps)]), Ok(Kind::Map));
        std::fs::copy(Path::new(maps).join("field.tif"), path("field.tiff")).unwrap();
        assert_eq!(of(&[&path("field.tiff")]), Ok(Kind::Map));
        let mixed = of(&[&path("a.png"), &path("field.tiff")]).unwrap_err();
        assert!(mixed.contains("1 pictures and 1 maps"), "{mixed}");
        let said = settled(Some(Kind::Volume), &[folder.path().display().to_string()]);
        assert!(said.is_ok_and(|kind| kind == Kind::Volume));
        let list = path("list");
        std::fs::write(&list, path("scan").display().to_string()).unwrap();
        assert_eq!(
            of(&[Path::new(&format!("@{}", list.display()))]),
            Ok(Kind::Volume)
        );
        assert_eq!(of(&[&fixture("*.gz")]), Ok(Kind::Volume));
    }
}
