//! Whose a segmentation is and what made it.

use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::{InMemDicomObject as Set, Tag};

use super::put::put;
use crate::dicom::attributes::text;

/// What a segmentation says of its making.
#[derive(Clone, Debug)]
pub struct Made {
    /// Identifiers of its own: of the series, of the object, of its dimensions, and of the frame of reference where the scan
    /// has none.
    pub uids: [String; 4],
    /// When, as `YYYYMMDD` and `HHMMSS`.
    pub when: [String; 2],
    /// Which version of this program.
    pub version: String,
}

/// What is the scan's: of these every one is written, empty where the scan has none,
const NEEDED: [(Tag, VR); 9] = [
    (tags::STUDY_DATE, VR::DA),
    (tags::STUDY_TIME, VR::TM),
    (tags::ACCESSION_NUMBER, VR::SH),
    (tags::REFERRING_PHYSICIAN_NAME, VR::PN),
    (tags::PATIENT_NAME, VR::PN),
    (tags::PATIENT_ID, VR::LO),
    (tags::PATIENT_BIRTH_DATE, VR::DA),
    (tags::PATIENT_SEX, VR::CS),
    (tags::STUDY_ID, VR::SH),
];
/// and of these those that it has.
const KEPT: [(Tag, VR); 6] = [
    (tags::STUDY_DESCRIPTION, VR::LO),
    (tags::ISSUER_OF_PATIENT_ID, VR::LO),
    (tags::PATIENT_AGE, VR::AS),
    (tags::PATIENT_SIZE, VR::DS),
    (tags::PATIENT_WEIGHT, VR::DS),
    (tags::PATIENT_COMMENTS, VR::LT),
];

/// Patient, study, the new series and what made it.
pub(super) fn about(source: &Set, made: &Made) -> Set {
    let mut set = Set::new_empty();
    let [series, object, _, reference] = &made.uids;
    let [date, time] = &made.when;
    let set_ = &mut set;
    put(set_, tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 192");
    put(set_, tags::IMAGE_TYPE, VR::CS, "DERIVED\\PRIMARY");
    put(
        set_,
        tags::SOP_CLASS_UID,
        VR::UI,
        uids::SEGMENTATION_STORAGE,
    );
    put(set_, tags::SOP_INSTANCE_UID, VR::UI, object.as_str());
    for (tag, vr) in NEEDED {
        put(set_, tag, vr, text(source, tag).unwrap_or_default());
    }
    for (tag, vr) in KEPT {
        if let Some(value) = text(source, tag) {
            put(set_, tag, vr, value);
        }
    }
    let removed = (
        tags::PATIENT_IDENTITY_REMOVED,
        tags::DEIDENTIFICATION_METHOD,
    );
    if let (Some(is_removed), Some(how)) = (text(source, removed.0), text(source, removed.1)) {
        put(set_, removed.0, VR::CS, is_removed);
        put(set_, removed.1, VR::LO, how);
    }
    let study = text(source, tags::STUDY_INSTANCE_UID).unwrap_or_default();
    put(set_, tags::STUDY_INSTANCE_UID, VR::UI, study);
    for (date_tag, time_tag) in [
        (tags::SERIES_DATE, tags::SERIES_TIME),
        (tags::CONTENT_DATE, tags::CONTENT_TIME),
    ] {
        put(set_, date_tag, VR::DA, date.as_str());
        put(set_, time_tag, VR::TM, time.as_str());
    }
    put(set_, tags::MODALITY, VR::CS, "SEG");
    put(
        set_,
        tags::SERIES_DESCRIPTION,
        VR::LO,
        "Segmentation by dora-seggpt (research)",
    );
    put(set_, tags::SERIES_INSTANCE_UID, VR::UI, series.as_str());
    put(set_, tags::SERIES_NUMBER, VR::IS, "1");
    put(set_, tags::INSTANCE_NUMBER, VR::IS, "1");
    put(set_, tags::MANUFACTURER, VR::LO, "dora-seggpt");
    put(set_, tags::MANUFACTURER_MODEL_NAME, VR::LO, "dora-seggpt");
    put(
        set_,
        tags::DEVICE_SERIAL_NUMBER,
        VR::LO,
        made.version.as_str(),
    );
    put(set_, tags::SOFTWARE_VERSIONS, VR::LO, made.version.as_str());
    put(set_, tags::CONTENT_LABEL, VR::CS, "SEGMENTATION");
    put(
        set_,
        tags::CONTENT_DESCRIPTION,
        VR::LO,
        "Labels by dora-seggpt",
    );
    put(set_, tags::CONTENT_CREATOR_NAME, VR::PN, "dora-seggpt");
    let frame_of_reference = text(source, tags::FRAME_OF_REFERENCE_UID);
    put(
        set_,
        tags::FRAME_OF_REFERENCE_UID,
        VR::UI,
        frame_of_reference.unwrap_or_else(|| reference.clone()),
    );
    let indicator = text(source, tags::POSITION_REFERENCE_INDICATOR).unwrap_or_default();
    put(set_, tags::POSITION_REFERENCE_INDICATOR, VR::LO, indicator);
    set
}
