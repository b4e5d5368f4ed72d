//! Where the frames of a segmentation lie, and what they were made from.

use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::tags;
use dicom_object::{InMemDicomObject as Set, Tag};

use super::put::{coded, decimal, decimals, put, sequence};
use crate::{
    dicom::{frame::Frame, series::Series},
    plane::dot,
};

/// Frames are ordered by segment, then by position.
pub(super) fn dimensions(set: &mut Set, uid: &str) {
    let mut organization = Set::new_empty();
    put(
        &mut organization,
        tags::DIMENSION_ORGANIZATION_UID,
        VR::UI,
        uid,
    );
    sequence(set, tags::DIMENSION_ORGANIZATION_SEQUENCE, [organization]);
    let by = |pointer: Tag, group: Tag, label: &str| {
        let mut index = Set::new_empty();
        put(&mut index, tags::DIMENSION_ORGANIZATION_UID, VR::UI, uid);
        put(&mut index, tags::DIMENSION_INDEX_POINTER, VR::AT, pointer);
        put(&mut index, tags::FUNCTIONAL_GROUP_POINTER, VR::AT, group);
        put(&mut index, tags::DIMENSION_DESCRIPTION_LABEL, VR::LO, label);
        index
    };
    let indices = [
        by(
            tags::REFERENCED_SEGMENT_NUMBER,
            tags::SEGMENT_IDENTIFICATION_SEQUENCE,
            "Segment",
        ),
        by(
            tags::IMAGE_POSITION_PATIENT,
            tags::PLANE_POSITION_SEQUENCE,
            "Position",
        ),
    ];
    sequence(set, tags::DIMENSION_INDEX_SEQUENCE, indices);
}

fn object(frame: &Frame) -> Set {
    let mut set = Set::new_empty();
    put(
        &mut set,
        tags::REFERENCED_SOP_CLASS_UID,
        VR::UI,
        frame.instance.class.as_str(),
    );
    put(
        &mut set,
        tags::REFERENCED_SOP_INSTANCE_UID,
        VR::UI,
        frame.instance.uid.as_str(),
    );
    set
}

pub(super) fn referenced(series: &Series, frames: &[Frame]) -> Set {
    let mut set = Set::new_empty();
    let mut files: Vec<&Frame> = Vec::new();
    for frame in frames {
        if files
            .iter()
            .all(|file| file.instance.uid != frame.instance.uid)
        {
            files.push(frame);
        }
    }
    sequence(
        &mut set,
        tags::REFERENCED_INSTANCE_SEQUENCE,
        files.into_iter().map(object),
    );
    put(
        &mut set,
        tags::SERIES_INSTANCE_UID,
        VR::UI,
        series.series_uid(),
    );
    set
}

pub(super) fn shared(series: &Series, frames: &[Frame]) -> Set {
    let first = &frames[0];
    let mut measures = Set::new_empty();
    let step = series.grid.affine.step(2);
    let along = dot(step, first.plane.normal()).abs();
    put(
        &mut measures,
        tags::SLICE_THICKNESS,
        VR::DS,
        decimal(first.thickness.unwrap_or(along)),
    );
    if series.is_regular && frames.len() > 1 {
        put(
            &mut measures,
            tags::SPACING_BETWEEN_SLICES,
            VR::DS,
            decimal(along),
        );
    }
    put(
        &mut measures,
        tags::PIXEL_SPACING,
        VR::DS,
        decimals(&first.said.spacing),
    );
    let mut orientation = Set::new_empty();
    put(
        &mut orientation,
        tags::IMAGE_ORIENTATION_PATIENT,
        VR::DS,
        decimals(&first.said.cosines),
    );
    let mut set = Set::new_empty();
    sequence(&mut set, tags::PIXEL_MEASURES_SEQUENCE, [measures]);
    sequence(&mut set, tags::PLANE_ORIENTATION_SEQUENCE, [orientation]);
    set
}

pub(super) fn group(segment: usize, slice: usize, frame: &Frame) -> Set {
    let mut content = Set::new_empty();
    let values = [segment as u32 + 1, slice as u32 + 1];
    let values = PrimitiveValue::U32(values.as_slice().into());
    put(&mut content, tags::DIMENSION_INDEX_VALUES, VR::UL, values);
    let mut position = Set::new_empty();
    put(
        &mut position,
        tags::IMAGE_POSITION_PATIENT,
        VR::DS,
        decimals(&frame.said.position),
    );
    let mut identification = Set::new_empty();
    put(
        &mut identification,
        tags::REFERENCED_SEGMENT_NUMBER,
        VR::US,
        segment as u16 + 1,
    );
    let mut source = object(frame);
    if frame.instance.frames > 1 {
        put(
            &mut source,
            tags::REFERENCED_FRAME_NUMBER,
            VR::IS,
            (frame.number + 1).to_string(),
        );
    }
    let purpose = coded(
        "DCM",
        "121322",
        "Source image for image processing operation",
    );
    sequence(
        &mut source,
        tags::PURPOSE_OF_REFERENCE_CODE_SEQUENCE,
        [purpose],
    );
    put(
        &mut source,
        tags::SPATIAL_LOCATIONS_PRESERVED,
        VR::CS,
        "YES",
    );
    let mut derivation = Set::new_empty();
    sequence(&mut derivation, tags::SOURCE_IMAGE_SEQUENCE, [source]);
    sequence(
        &mut derivation,
        tags::DERIVATION_CODE_SEQUENCE,
        [coded("DCM", "113076", "Segmentation")],
    );
    let mut set = Set::new_empty();
    sequence(&mut set, tags::FRAME_CONTENT_SEQUENCE, [content]);
    sequence(&mut set, tags::PLANE_POSITION_SEQUENCE, [position]);
    sequence(
        &mut set,
        tags::SEGMENT_IDENTIFICATION_SEQUENCE,
        [identification],
    );
    sequence(&mut set, tags::DERIVATION_IMAGE_SEQUENCE, [derivation]);
    set
}
