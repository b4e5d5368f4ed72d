//! Files that stand beside scans and are none, and files that cannot be decoded: what they are, for people.

use dicom_dictionary_std::{tags, uids};
use dicom_object::{DefaultDicomObject, InMemDicomObject as Set};

use super::attributes::{text, texts, whole};

/// What a file is that is no slice of a scan; `None`: it is one, as far as its kind says.
pub(super) fn what(object: &DefaultDicomObject) -> Option<String> {
    let class = object.meta().media_storage_sop_class_uid();
    let modality = text(object, tags::MODALITY).unwrap_or_default();
    let storage = "1.2.840.10008.5.1.4.1.1.";
    let kind = match class.strip_prefix(storage) {
        _ if class == uids::MEDIA_STORAGE_DIRECTORY_STORAGE => {
            "a DICOMDIR, which only lists files: give the folder in which they lie"
        }
        Some(kind) if kind.starts_with("66.") || modality == "SEG" => {
            "a segmentation: to use it for labels, give it after the `=` of an example, or as truth"
        }
        Some(kind) if kind.starts_with("88.") => "a report (SR)",
        Some(kind) if kind.starts_with("11.") => "a presentation state (PR)",
        Some(kind) if kind.starts_with("481.") => {
            "of radiotherapy planning (such as RTDOSE, RTSTRUCT)"
        }
        Some(kind) if kind.starts_with("104.") => "a document",
        _ if whole(object, tags::ROWS).is_none() => "without pixel data",
        _ if texts(object, tags::IMAGE_TYPE)
            .iter()
            .any(|kind| kind == "LOCALIZER") =>
        {
            "a scout (its image type says LOCALIZER)"
        }
        _ if is_coloured(object) => "in colours, not grey values",
        _ => return None,
    };
    match modality.is_empty() {
        true => Some(kind.to_owned()),
        false => Some(format!("{kind} (modality {modality})")),
    }
}

fn is_coloured(set: &Set) -> bool {
    let samples = whole(set, tags::SAMPLES_PER_PIXEL).unwrap_or(1);
    let palette = text(set, tags::PHOTOMETRIC_INTERPRETATION);
    samples != 1 || palette.is_some_and(|kind| kind == "PALETTE COLOR")
}

/// Why pixels of a transfer syntax are not decoded, and what converts them; `None` where they are.
pub(super) fn undecoded(syntax: &str) -> Option<&'static str> {
    let number = syntax.strip_prefix("1.2.840.10008.1.2.4.")?;
    Some(match number {
        "80" | "81" => "JPEG-LS is not read; `dcmdjpls IN.dcm OUT.dcm` converts a file",
        "201" | "202" | "203" => {
            "high-throughput JPEG 2000 is not read; have it exported as Explicit VR Little Endian"
        }
        "110" | "111" | "112" => {
            "JPEG XL is not read; `dcmdjpeg` or the program that wrote it converts a file"
        }
        _ if number.starts_with("10") => {
            "video is not read; `seggpt segment` takes its frames as pictures"
        }
        _ => return None,
    })
}

/// What to do where a decoder fails.
pub(super) fn advice(syntax: &str) -> &'static str {
    match syntax.strip_prefix("1.2.840.10008.1.2.4.") {
        Some("51") => "JPEG of 12 bits is not read; `dcmdjpeg IN.dcm OUT.dcm` converts a file",
        Some(number) if number.starts_with('9') => {
            "`gdcmconv --raw IN.dcm OUT.dcm` converts a file, if it is whole"
        }
        Some(_) => "`dcmdjpeg IN.dcm OUT.dcm` converts a file, if it is whole",
        None => "it may be cut off or damaged; copy it again",
    }
}
