//! --prompt, --prompts and --classes, checked early.

use std::path::{Path, PathBuf};

use super::absolute;
use seggpt_flow::Diagnostic;

use crate::args::SegmentArgs;

/// The examples, as the prompts node is told of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prompts {
    /// A folder with `prompts.yml`, or that file, or what a labelling tool exported.
    pub library: Option<PathBuf>,
    /// The pictures that a labelling tool's file speaks of.
    pub images: Option<PathBuf>,
    /// Pictures and their masks.
    pub pairs: Vec<(PathBuf, PathBuf)>,
    /// How many there are; not known of a library.
    pub count: Option<u32>,
}

impl Prompts {
    /// The variables of the prompts node.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        let Some(library) = &self.library else {
            let lines = self
                .pairs
                .iter()
                .map(|(image, mask)| format!("{}={}", image.display(), mask.display()));
            return vec![("PROMPT_PAIRS", lines.collect::<Vec<_>>().join("\n"))];
        };
        let images = self.images.as_ref();
        let images = images.map(|images| ("IMAGES", images.display().to_string()));
        let library = ("PROMPTS", library.display().to_string());
        std::iter::once(library).chain(images).collect()
    }
}

pub(super) fn check(args: &SegmentArgs) -> Result<Prompts, Diagnostic> {
    of(args.prompts.as_deref(), args.images.as_deref(), &args.pairs)
}

/// The examples of a library, whose pictures may lie in `images`, or else these `PICTURE=MASK`.
pub(crate) fn of(
    library: Option<&Path>,
    images: Option<&Path>,
    texts: &[String],
) -> Result<Prompts, Diagnostic> {
    if let Some(library) = library {
        let images = images.map(absolute).transpose()?;
        return Ok(Prompts {
            library: Some(check_library(library, images.as_deref())?),
            images,
            pairs: Vec::new(),
            count: None,
        });
    }
    let mut pairs = Vec::new();
    let mut diagnostics = Vec::new();
    for text in texts {
        match pair(text) {
            Ok(pair) => pairs.push(pair),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    if let Some(diagnostic) = Diagnostic::all(
        |count| format!("{count} examples cannot be used"),
        diagnostics,
    ) {
        return Err(diagnostic);
    }
    let count = u32::try_from(pairs.len()).ok();
    Ok(Prompts {
        library: None,
        images: None,
        pairs,
        count,
    })
}

/// Reads the list, or the file of annotations, and nothing of the pictures but headers.
fn check_library(library: &Path, images: Option<&Path>) -> Result<PathBuf, Diagnostic> {
    if let Err(error) = seggpt_prompt_library::files(library, images) {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
        return Err(Diagnostic::new(format!(
            "--prompts {}: {error}{}",
            library.display(),
            cause.unwrap_or_default()
        ))
        .help(
            "a prompt library is a folder with `prompts.yml`, or what CVAT, labelme, Label Studio or COCO's tools export (--images \
             says where its pictures are); for single examples use --prompt IMG=MASK",
        ));
    }
    absolute(library)
}

/// An example that was named as IMG=MASK, both files there.
pub(crate) fn pair(text: &str) -> Result<(PathBuf, PathBuf), Diagnostic> {
    let refuse = |reason: String| {
        Diagnostic::new(format!("--prompt {text}: {reason}"))
            .help("an example is a picture and its mask: --prompt cell.png=cell_mask.png")
    };
    let (image, mask) = seggpt_prompts::pair(text)
        .map_err(|_| refuse("no `=` between picture and mask".to_owned()))?;
    for (what, file) in [("picture", &image), ("mask", &mask)] {
        if !file.is_file() {
            return Err(refuse(format!("there is no {what} {}", file.display())));
        }
    }
    Ok((absolute(&image)?, absolute(&mask)?))
}

/// Splits and checks `SCAN=LABELS`, where the scan may be the folder of a DICOM series.
///
/// # Errors
/// As [`pair`].
pub(crate) fn scan_pair(text: &str) -> Result<(PathBuf, PathBuf), Diagnostic> {
    let refuse = |reason: String| {
        Diagnostic::new(format!("--prompt {text}: {reason}")).help(
            "an example is a scan (a NIfTI file, or the folder of a DICOM series) and its labels: --prompt ct.nii.gz=two_slices.nii.gz",
        )
    };
    let (scan, labels) = seggpt_prompts::pair(text)
        .map_err(|_| refuse("no `=` between scan and labels".to_owned()))?;
    if !scan.exists() {
        return Err(refuse(format!("there is no scan {}", scan.display())));
    }
    if !labels.is_file() {
        return Err(refuse(format!(
            "there is no label file {}",
            labels.display()
        )));
    }
    Ok((absolute(&scan)?, absolute(&labels)?))
}

/// Checks `ID:NAME:#RRGGBB,...` and returns it as it was.
pub(crate) fn classes(text: &str) -> Result<String, Diagnostic> {
    let table: Result<seggpt_prompt_library::ClassTable, String> = text.parse();
    table.map_err(|reason| {
        Diagnostic::new(format!("--classes: {reason}"))
            .help("classes look like 1:cell:#ff0000,2:nucleus:#00ff00")
    })?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_pair_splits_where_both_files_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            std::fs::write(folder.path().join(name), "").unwrap();
            folder.path().join(name)
        };
        let (image, mask) = (file("a=1.png"), file("mask.png"));
        assert_eq!(
            pair(&format!("{}={}", image.display(), mask.display())).unwrap(),
            (image.clone(), mask)
        );
        let error = pair(&format!("{}=/none.png", file("b.png").display())).unwrap_err();
        assert!(
            error.to_string().ends_with("there is no mask /none.png"),
            "{error}"
        );
        assert!(
            pair("none.png=/none.png")
                .unwrap_err()
                .to_string()
                .contains("no picture none.png")
        );
        assert!(pair("only.png").unwrap_err().to_string().contains("no `=`"));
    }

    #[test]
    fn a_library_has_its_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            check_library(folder.path(), None)
                .unwrap_err()
                .to_string()
                .contains("prompts.yml")
        );
        std::fs::write(folder.path().join("prompts.yml"), "prompts: []").unwrap();
        assert_eq!(check_library(folder.path(), None).unwrap(), folder.path());
    }

    #[test]
    fn class_tables_are_checked() {
        assert!(classes("1:cell:#ff0000,2:wall:#00FF00").is_ok());
        assert!(classes("1:cell,2").is_ok());
        for (text, reason) in [
            ("cell", "id"),
            ("0:cell:#ff0000", "id"),
            ("1:cell:red", "colour"),
            ("1:a:#ff0000,1:b:#00ff00", "twice"),
        ] {
            let error = classes(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
