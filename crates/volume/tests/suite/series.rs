//! Small DICOM series, written to folders.

use std::path::{Path, PathBuf};

use dicom_core::{DataElement, PrimitiveValue, Tag, VR, value::DataSetSequence};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject as Set};

/// Columns and rows of every slice.
pub const SIZE: [usize; 2] = [6, 4];

/// A slice of a CT whose voxel values say where they are: `1000 z + 10 y + x - 1024`.
pub struct Slice {
    pub set: Set,
    pub syntax: &'static str,
}

pub fn put(set: &mut Set, tag: Tag, vr: VR, value: impl Into<PrimitiveValue>) {
    set.put(DataElement::new(tag, vr, value.into()));
}

pub fn sequence(set: &mut Set, tag: Tag, items: Vec<Set>) {
    set.put(DataElement::new(tag, VR::SQ, DataSetSequence::from(items)));
}

pub fn stored(z: usize) -> Vec<u16> {
    let [columns, rows] = SIZE;
    (0..columns * rows)
        .map(|at| (1000 * z + 10 * (at / columns) + at % columns) as u16)
        .collect()
}

impl Slice {
    pub fn at(z: usize) -> Self {
        let mut set = Set::new_empty();
        let uid = format!("1.2.3.{}", z + 1);
        put(
            &mut set,
            tags::SOP_CLASS_UID,
            VR::UI,
            uids::CT_IMAGE_STORAGE,
        );
        put(&mut set, tags::SOP_INSTANCE_UID, VR::UI, uid);
        put(&mut set, tags::STUDY_DATE, VR::DA, "20200102");
        put(&mut set, tags::MODALITY, VR::CS, "CT");
        put(&mut set, tags::SERIES_DESCRIPTION, VR::LO, "Thorax 5.0");
        put(&mut set, tags::PATIENT_NAME, VR::PN, "Doe^Jane");
        put(&mut set, tags::PATIENT_ID, VR::LO, "4711");
        put(&mut set, tags::SLICE_THICKNESS, VR::DS, "5");
        put(&mut set, tags::STUDY_INSTANCE_UID, VR::UI, "1.2.3.100");
        put(&mut set, tags::SERIES_INSTANCE_UID, VR::UI, "1.2.3.200");
        put(&mut set, tags::SERIES_NUMBER, VR::IS, "4");
        put(&mut set, tags::INSTANCE_NUMBER, VR::IS, (z + 1).to_string());
        put(&mut set, tags::FRAME_OF_REFERENCE_UID, VR::UI, "1.2.3.300");
        put(&mut set, tags::SAMPLES_PER_PIXEL, VR::US, 1_u16);
        put(
            &mut set,
            tags::PHOTOMETRIC_INTERPRETATION,
            VR::CS,
            "MONOCHROME2",
        );
        put(&mut set, tags::COLUMNS, VR::US, SIZE[0] as u16);
        put(&mut set, tags::ROWS, VR::US, SIZE[1] as u16);
        put(&mut set, tags::PIXEL_SPACING, VR::DS, numbers(&[2.0, 0.5]));
        put(&mut set, tags::BITS_ALLOCATED, VR::US, 16_u16);
        put(&mut set, tags::BITS_STORED, VR::US, 16_u16);
        put(&mut set, tags::HIGH_BIT, VR::US, 15_u16);
        put(&mut set, tags::PIXEL_REPRESENTATION, VR::US, 0_u16);
        put(&mut set, tags::RESCALE_INTERCEPT, VR::DS, "-1024");
        put(&mut set, tags::RESCALE_SLOPE, VR::DS, "1");
        let orientation = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
        put(
            &mut set,
            tags::IMAGE_ORIENTATION_PATIENT,
            VR::DS,
            numbers(&orientation),
        );
        let slice = Self {
            set,
            syntax: uids::EXPLICIT_VR_LITTLE_ENDIAN,
        };
        slice
            .placed([-10.0, -20.0, 30.0 + 5.0 * z as f64])
            .stored(&stored(z))
    }

    pub fn placed(self, position: [f64; 3]) -> Self {
        self.with(tags::IMAGE_POSITION_PATIENT, VR::DS, numbers(&position))
    }

    pub fn stored(self, words: &[u16]) -> Self {
        let words = PrimitiveValue::U16(words.into());
        self.with(tags::PIXEL_DATA, VR::OW, words)
    }

    pub fn with(mut self, tag: Tag, vr: VR, value: impl Into<PrimitiveValue>) -> Self {
        put(&mut self.set, tag, vr, value);
        self
    }

    pub fn without(mut self, tag: Tag) -> Self {
        self.set.remove_element(tag);
        self
    }

    pub fn syntax(mut self, syntax: &'static str) -> Self {
        self.syntax = syntax;
        self
    }

    /// Writes it as a file with a preamble.
    pub fn write(self, path: impl AsRef<Path>) -> PathBuf {
        let meta = FileMetaTableBuilder::new().transfer_syntax(self.syntax);
        let path = path.as_ref();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        self.set
            .with_meta(meta)
            .unwrap()
            .write_to_file(path)
            .unwrap();
        path.to_owned()
    }
}

pub fn numbers(values: &[f64]) -> PrimitiveValue {
    PrimitiveValue::Strs(values.iter().map(f64::to_string).collect())
}

/// A folder with a series, its files in no order.
pub fn series(folder: &Path, slices: impl IntoIterator<Item = Slice>) {
    for (number, slice) in slices.into_iter().enumerate() {
        let name = format!("{:02}.dcm", (number * 7 + 3) % 32);
        slice.write(folder.join(name));
    }
}

/// A multi-frame object of MR: two positions, two echoes.
pub fn enhanced() -> Slice {
    let mut groups = Vec::new();
    let mut words = Vec::new();
    for echo in [20.0, 10.0] {
        for z in [1, 0] {
            let mut position = Set::new_empty();
            let place = [-10.0, -20.0, 30.0 + 5.0 * z as f64];
            put(
                &mut position,
                tags::IMAGE_POSITION_PATIENT,
                VR::DS,
                numbers(&place),
            );
            let mut time = Set::new_empty();
            put(&mut time, tags::EFFECTIVE_ECHO_TIME, VR::FD, echo);
            let mut values = Set::new_empty();
            put(&mut values, tags::RESCALE_SLOPE, VR::DS, "1");
            put(
                &mut values,
                tags::RESCALE_INTERCEPT,
                VR::DS,
                (-1024.0 - echo).to_string(),
            );
            let mut group = Set::new_empty();
            sequence(&mut group, tags::PLANE_POSITION_SEQUENCE, vec![position]);
            sequence(&mut group, tags::MR_ECHO_SEQUENCE, vec![time]);
            sequence(
                &mut group,
                tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE,
                vec![values],
            );
            groups.push(group);
            words.extend(stored(z).into_iter().map(|value| value + echo as u16));
        }
    }
    let mut slice = Slice::at(0);
    let mut shared = Set::new_empty();
    let take = |slice: &mut Slice, tags: &[Tag]| {
        let mut set = Set::new_empty();
        for tag in tags {
            set.put(slice.set.take_element(*tag).unwrap());
        }
        set
    };
    let orientation = take(&mut slice, &[tags::IMAGE_ORIENTATION_PATIENT]);
    let measures = take(&mut slice, &[tags::PIXEL_SPACING, tags::SLICE_THICKNESS]);
    sequence(
        &mut shared,
        tags::PLANE_ORIENTATION_SEQUENCE,
        vec![orientation],
    );
    sequence(&mut shared, tags::PIXEL_MEASURES_SEQUENCE, vec![measures]);
    sequence(
        &mut slice.set,
        tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
        vec![shared],
    );
    sequence(
        &mut slice.set,
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        groups,
    );
    slice
        .stored(&words)
        .with(tags::NUMBER_OF_FRAMES, VR::IS, "4")
        .with(tags::SOP_CLASS_UID, VR::UI, uids::ENHANCED_MR_IMAGE_STORAGE)
        .without(tags::IMAGE_POSITION_PATIENT)
}
