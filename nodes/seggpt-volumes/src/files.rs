//! From `INPUTS` to files.

use std::path::{Path, PathBuf};

use eyre::{Result, WrapErr, bail, ensure};
use seggpt_files::{listing, text};
use seggpt_store::journal_path;
use seggpt_volume::{dicom::is_dicom, nifti::is_nifti};

/// A file that an input means.
pub struct Found {
    /// It.
    pub path: PathBuf,
    /// How many of the path's last parts name it.
    pub depth: usize,
}

/// Adds the files that an input means: itself, those of a folder that are volumes, of a pattern, or of a list.
///
/// # Errors
/// It means nothing.
pub fn of(input: &str, found: &mut Vec<Found>) -> Result<()> {
    if let Some(list) = input.strip_prefix('@') {
        let lines = text::open(list).wrap_err("the list cannot be read")?;
        let mut any = false;
        for line in text::lines(&lines) {
            any = true;
            of(line, found).wrap_err_with(|| format!("`{line}`"))?;
        }
        ensure!(any, "the list names no file");
        return Ok(());
    }
    let path = Path::new(input);
    if path.is_dir() {
        folder(path, found)?;
    } else if path.exists() {
        found.push(Found {
            path: path.to_owned(),
            depth: 1,
        });
    } else if input.contains(['*', '?', '[']) {
        let mut matches: Vec<PathBuf> = glob::glob(input)?.collect::<Result<_, _>>()?;
        listing::sort(&mut matches);
        ensure!(!matches.is_empty(), "the pattern matches no file");
        for path in matches {
            match path.is_dir() {
                true => folder(&path, found)?,
                false => found.push(Found { path, depth: 1 }),
            }
        }
    } else {
        bail!("there is no such file or folder");
    }
    Ok(())
}

fn folder(path: &Path, found: &mut Vec<Found>) -> Result<()> {
    let mut files = Vec::new();
    below(path, &mut files)?;
    ensure!(
        !files.is_empty(),
        "there is no NIfTI or DICOM file in the folder {} or below",
        path.display()
    );
    let depth = path.components().count();
    found.extend(files.into_iter().map(|path| Found {
        depth: path.components().count() - depth,
        path,
    }));
    Ok(())
}

/// All NIfTI and DICOM files of a folder and its folders; folders of results are nobody's scans.
fn below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = listing::entries(folder).wrap_err_with(|| folder.display().to_string())?;
    for path in entries {
        if path.is_dir() {
            if !journal_path(&path).exists() {
                below(&path, files)?;
            }
        } else if is_nifti(&path).unwrap_or(false) || is_dicom(&path).unwrap_or(false) {
            files.push(path);
        }
    }
    Ok(())
}
