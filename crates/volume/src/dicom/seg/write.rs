use std::io;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject as Set};

use super::{
    about::{Made, about},
    bits::Packed,
    code,
    color::cielab,
    groups::{dimensions, group, referenced, shared},
    put::{coded, put, sequence},
};
use crate::{
    VolumeError,
    dicom::{
        file::{self, chain},
        frame::Frame,
        series::Series,
    },
};

/// A class as a segment.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its value in label volumes.
    pub id: u16,
    /// What it is called; names of organs get the code of the organ.
    pub name: String,
    /// In which it is to be shown.
    pub color: [u8; 3],
}

/// Labels of a series as a DICOM segmentation (BINARY), a file whole in memory: patient, study and frame of reference are the
/// scan's, position and orientation of every frame those of the slice that it belongs to, and the same input gives the
/// same file. `labels` gives the class of every pixel of a slice, row by row. Frames without a pixel are left out unless
/// `keeps_empty`; of labels that mark nothing, one stays for each class.
///
/// # Errors
/// A file of the series cannot be read again; that of `labels`.
pub fn segmentation(
    series: &Series,
    time: usize,
    segments: &[Segment],
    made: &Made,
    keeps_empty: bool,
    mut labels: impl FnMut(usize) -> io::Result<Vec<u16>>,
) -> Result<Vec<u8>, VolumeError> {
    let frames = series.frames(time);
    let path = &frames[0].instance.path;
    let [columns, rows] = frames[0].plane.size;
    // Of each segment, the slices that show it.
    let mut shown: Vec<Vec<(usize, Packed)>> = segments.iter().map(|_| Vec::new()).collect();
    for slice in 0..frames.len() {
        let ids = labels(slice).map_err(VolumeError::io(
            path,
            "the labels of a slice cannot be read",
        ))?;
        for (segment, shown) in segments.iter().zip(&mut shown) {
            if keeps_empty || ids.contains(&segment.id) {
                let pixels = ids.iter().map(|id| *id == segment.id);
                shown.push((slice, Packed::of(pixels)));
            }
        }
    }
    if shown.iter().all(Vec::is_empty) {
        let empty = || Packed::of((0..columns * rows).map(|_| false));
        shown.iter_mut().for_each(|shown| shown.push((0, empty())));
    }
    let mut slices = Vec::new();
    let mut packed = Packed::default();
    for (segment, shown) in shown.into_iter().enumerate() {
        for (slice, pixels) in shown {
            slices.push((segment, slice));
            packed.append(&pixels);
        }
    }
    let source = file::header(path)?;
    let mut set = about(&source, made);
    pixels(&mut set, frames, slices.len());
    sequence(
        &mut set,
        tags::SEGMENT_SEQUENCE,
        segments
            .iter()
            .enumerate()
            .map(|(at, class)| segment(at, class)),
    );
    dimensions(&mut set, &made.uids[2]);
    sequence(
        &mut set,
        tags::REFERENCED_SERIES_SEQUENCE,
        [referenced(series, frames)],
    );
    sequence(
        &mut set,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        [shared(series, frames)],
    );
    let groups = slices
        .iter()
        .map(|(segment, slice)| group(*segment, *slice, &frames[*slice]));
    sequence(&mut set, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, groups);
    let bytes = PrimitiveValue::U8(packed.finish().into());
    set.put(DataElement::new(tags::PIXEL_DATA, VR::OB, bytes));
    written(set).map_err(|reason| {
        VolumeError::new(path, format!("no segmentation can be made of it: {reason}"))
    })
}

/// Our implementation of DICOM, by a UUID.
const IMPLEMENTATION: &str = "2.25.217263431086290413912413063519224093183";

fn written(set: Set) -> Result<Vec<u8>, String> {
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN)
        .implementation_class_uid(IMPLEMENTATION)
        .implementation_version_name("DORA-SEGGPT");
    let object = set.with_meta(meta).map_err(|error| chain(&error))?;
    let mut bytes = Vec::new();
    object
        .write_all(&mut bytes)
        .map_err(|error| chain(&error))?;
    Ok(bytes)
}

fn pixels(set: &mut Set, frames: &[Frame], count: usize) {
    let [columns, rows] = frames[0]
        .plane
        .size
        .map(|count| PrimitiveValue::from(count as u16));
    put(set, tags::SAMPLES_PER_PIXEL, VR::US, 1_u16);
    put(set, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2");
    put(set, tags::NUMBER_OF_FRAMES, VR::IS, count.to_string());
    put(set, tags::ROWS, VR::US, rows);
    put(set, tags::COLUMNS, VR::US, columns);
    put(set, tags::BITS_ALLOCATED, VR::US, 1_u16);
    put(set, tags::BITS_STORED, VR::US, 1_u16);
    put(set, tags::HIGH_BIT, VR::US, 0_u16);
    put(set, tags::PIXEL_REPRESENTATION, VR::US, 0_u16);
    put(set, tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00");
    put(set, tags::SEGMENTATION_TYPE, VR::CS, "BINARY");
    put(set, tags::SEGMENTS_OVERLAP, VR::CS, "NO");
}

/// Class names as long as the standard has room for.
const LABEL: usize = 64;

fn segment(at: usize, class: &Segment) -> Set {
    let mut set = Set::new_empty();
    let (category, kind) = code::of(&class.name);
    let label: String = class.name.replace('\\', "/").chars().take(LABEL).collect();
    put(&mut set, tags::SEGMENT_NUMBER, VR::US, at as u16 + 1);
    put(&mut set, tags::SEGMENT_LABEL, VR::LO, label);
    put(
        &mut set,
        tags::SEGMENT_DESCRIPTION,
        VR::ST,
        format!("class id {}", class.id),
    );
    // Labelled slices of a person led to it.
    put(
        &mut set,
        tags::SEGMENT_ALGORITHM_TYPE,
        VR::CS,
        "SEMIAUTOMATIC",
    );
    put(&mut set, tags::SEGMENT_ALGORITHM_NAME, VR::LO, "SegGPT");
    let color = PrimitiveValue::U16(cielab(class.color).as_slice().into());
    put(
        &mut set,
        tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE,
        VR::US,
        color,
    );
    for (tag, code) in [
        (tags::SEGMENTED_PROPERTY_CATEGORY_CODE_SEQUENCE, category),
        (tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE, kind),
    ] {
        sequence(&mut set, tag, [coded("SCT", code.0, code.1)]);
    }
    set
}
