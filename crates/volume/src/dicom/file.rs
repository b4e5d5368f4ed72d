use std::{
    error::Error,
    fs::File,
    io::{self, BufReader, Cursor, Read},
    path::{Path, PathBuf},
};

use dicom_dictionary_std::{tags, uids};
use dicom_object::{DefaultDicomObject, FileMetaTableBuilder, OpenFileOptions, file::ReadPreamble};

use seggpt_files::listing;

use crate::VolumeError;

/// How a file begins.
enum Form {
    /// As the standard says: a preamble, `DICM`, what kind of file it is, the data set. Some leave the preamble out.
    Whole,
    /// What kind of file it is comes first.
    Headless,
    /// A data set alone, in the transfer syntax that it seems to have.
    Bare(&'static str),
}

const MARK: &[u8; 4] = b"DICM";
const PREAMBLE: usize = 128;

fn form(begin: &[u8]) -> Option<Form> {
    if begin.get(PREAMBLE..) == Some(MARK) || begin.starts_with(MARK) {
        return Some(Form::Whole);
    }
    let first = begin.get(..8)?;
    let group = u16::from_le_bytes([first[0], first[1]]);
    let element = u16::from_le_bytes([first[2], first[3]]);
    let vr = [first[4], first[5]];
    let is_vr = matches!(&vr, b"UL" | b"CS" | b"UI" | b"OB" | b"SH" | b"DA" | b"TM");
    match (group, element) {
        (0x0002, 0x0000..=0x0010) if is_vr => Some(Form::Headless),
        (0x0008, 0x0000..=0x0018) if is_vr => Some(Form::Bare(uids::EXPLICIT_VR_LITTLE_ENDIAN)),
        (0x0008, 0x0000..=0x0018) => {
            let length = u32::from_le_bytes([first[4], first[5], first[6], first[7]]);
            let is_plausible = length <= 64 && length.is_multiple_of(2);
            is_plausible.then_some(Form::Bare(uids::IMPLICIT_VR_LITTLE_ENDIAN))
        }
        _ => None,
    }
}

fn begin(path: &Path) -> io::Result<Vec<u8>> {
    let mut begin = Vec::new();
    let most = (PREAMBLE + MARK.len()) as u64;
    File::open(path)?.take(most).read_to_end(&mut begin)?;
    Ok(begin)
}

/// Whether a file begins as DICOM does: `DICM` behind a preamble of 128 bytes, or what else is met where the preamble is
/// missing.
///
/// # Errors
/// It cannot be read.
pub fn is_dicom(path: &Path) -> io::Result<bool> {
    Ok(form(&begin(path)?).is_some())
}

/// The DICOM files in a folder and below, in natural order; a file, itself. Hidden ones are left out.
///
/// # Errors
/// A folder cannot be listed.
pub(crate) fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in listing::entries(path)? {
        match entry.is_dir() {
            true => files.extend(self::files(&entry)?),
            false if is_dicom(&entry).unwrap_or(false) => files.push(entry),
            false => {}
        }
    }
    Ok(files)
}

/// Reads what stands before the pixels.
pub(super) fn header(path: &Path) -> Result<DefaultDicomObject, VolumeError> {
    open(path, OpenFileOptions::new().read_until(tags::PIXEL_DATA))
}

/// Reads a file into memory, its pixels as they are stored.
pub(super) fn whole(path: &Path) -> Result<DefaultDicomObject, VolumeError> {
    open(path, OpenFileOptions::new())
}

fn open(path: &Path, options: OpenFileOptions) -> Result<DefaultDicomObject, VolumeError> {
    let unreadable = || VolumeError::io(path, "cannot be read");
    let begin = begin(path).map_err(unreadable())?;
    let form = form(&begin).ok_or_else(|| VolumeError::new(path, "it is no DICOM file"))?;
    let opened = match form {
        Form::Whole => options.open_file(path).map_err(|error| chain(&error)),
        Form::Headless => behind(MARK.to_vec(), path, options),
        Form::Bare(syntax) => meta(syntax).and_then(|meta| behind(meta, path, options)),
    };
    opened.map_err(|error| {
        VolumeError::new(
            path,
            format!(
                "it cannot be read as DICOM ({error}): it may be cut off or damaged; copy it again"
            ),
        )
    })
}

/// Reads a file as if these bytes stood before it.
fn behind(
    first: Vec<u8>,
    path: &Path,
    options: OpenFileOptions,
) -> Result<DefaultDicomObject, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let file = Cursor::new(first).chain(BufReader::new(file));
    let options = options.read_preamble(ReadPreamble::Never);
    options.from_reader(file).map_err(|error| chain(&error))
}

/// What would stand before a data set in this transfer syntax; which object it is, the data set says itself.
fn meta(syntax: &str) -> Result<Vec<u8>, String> {
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(syntax)
        .media_storage_sop_class_uid("")
        .media_storage_sop_instance_uid("")
        .build()
        .map_err(|error| chain(&error))?;
    let mut bytes = MARK.to_vec();
    meta.write(&mut bytes).map_err(|error| chain(&error))?;
    Ok(bytes)
}

/// An error with what lies behind it.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        behind = error.source();
    }
    text
}
