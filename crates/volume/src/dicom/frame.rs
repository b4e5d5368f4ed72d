use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject as Set};

use super::{
    attributes::{item, items, number, text, whole},
    groups::{Groups, Said, said},
    name::name,
    other,
    pass::{Pass, pass},
};
use crate::Plane;

/// A file of a series.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub path: PathBuf,
    /// Kind and name of the object, by which others refer to it.
    pub class: String,
    pub uid: String,
    pub series: String,
    /// What the series is called, from its number and description.
    pub name: String,
    pub modality: String,
    pub syntax: String,
    /// Whether low values are bright.
    pub inverted: bool,
    pub frames: usize,
}

/// A slice of a series: a file, or a frame of one.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub instance: Arc<Instance>,
    /// From 0.
    pub number: usize,
    pub plane: Plane,
    /// The same as the file says it.
    pub said: Said,
    /// From one slice to the next, as the file says: for slices that stand alone.
    pub thickness: Option<f64>,
    /// Slope and intercept of its values.
    pub scale: (f64, f64),
    /// Its first window: centre and width.
    pub window: Option<(f64, f64)>,
    pub pass: Pass,
    /// Where it stands among slices of the same place.
    pub order: (String, i64),
}

/// The slices that a file holds, or what it is instead.
pub(super) enum Held {
    Frames(Vec<Frame>),
    Other(String),
}

/// Reads what a file says of its slices.
pub(super) fn frames(path: &Path, object: &DefaultDicomObject) -> Result<Held, String> {
    if let Some(what) = other::what(object) {
        return Ok(Held::Other(what));
    }
    let size = size(object)?;
    let per_frame = items(object, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    let said = whole(object, tags::NUMBER_OF_FRAMES);
    let said = said.map_or(1, |count| usize::try_from(count).unwrap_or(0));
    if per_frame.is_empty() && said > 1 {
        return Ok(Held::Other(format!(
            "of {said} frames that do not say where they lie"
        )));
    }
    let frames = per_frame.len().max(1);
    if said != frames {
        return Err(format!(
            "it says that it has {said} frames, and describes {frames}"
        ));
    }
    let instance = Arc::new(instance(path, object, frames));
    let shared = item(object, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    let mut held = Vec::with_capacity(frames);
    for number in 0..frames {
        let groups = Groups {
            root: object,
            shared,
            own: per_frame.get(number),
        };
        match frame(&instance, number, size, &groups) {
            Some(frame) => held.push(frame),
            None => {
                return Ok(Held::Other(
                    "without a place: it does not say where it lies in the patient (position, orientation, pixel spacing)".into(),
                ));
            }
        }
    }
    Ok(Held::Frames(held))
}

/// Columns and rows.
pub(super) fn size(set: &Set) -> Result<[usize; 2], String> {
    let count = |tag| whole(set, tag).and_then(|count| usize::try_from(count).ok());
    let size = [tags::COLUMNS, tags::ROWS].map(|tag| count(tag).unwrap_or(0));
    match size.contains(&0) || size[0] * size[1] > MOST_IN_PLANE {
        true => Err(format!(
            "it says that its slices have {} x {} pixels",
            size[0], size[1]
        )),
        false => Ok(size),
    }
}

/// The most pixels of a slice.
const MOST_IN_PLANE: usize = 1 << 28;

fn instance(path: &Path, object: &DefaultDicomObject, frames: usize) -> Instance {
    let of = |tag| text(object, tag).unwrap_or_default();
    let inverted = of(tags::PHOTOMETRIC_INTERPRETATION) == "MONOCHROME1";
    let uid = of(tags::SERIES_INSTANCE_UID);
    Instance {
        path: path.to_owned(),
        class: object.meta().media_storage_sop_class_uid().to_owned(),
        uid: of(tags::SOP_INSTANCE_UID),
        series: uid,
        name: name(object),
        modality: of(tags::MODALITY),
        syntax: object.meta().transfer_syntax().to_owned(),
        inverted,
        frames,
    }
}

fn frame(
    instance: &Arc<Instance>,
    index: usize,
    size: [usize; 2],
    groups: &Groups,
) -> Option<Frame> {
    let said = said(groups)?;
    let plane = said.plane(size)?;
    let measures = groups.group(tags::PIXEL_MEASURES_SEQUENCE)?;
    let thickness = [tags::SPACING_BETWEEN_SLICES, tags::SLICE_THICKNESS];
    let thickness = thickness.into_iter().find_map(|tag| number(measures, tag));
    let values = tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE;
    // A slope of 0 would make all values alike: as in NIfTI, none is meant.
    let slope = groups
        .number(values, tags::RESCALE_SLOPE)
        .filter(|slope| *slope != 0.0);
    let intercept = groups.number(values, tags::RESCALE_INTERCEPT);
    let windows = tags::FRAME_VOILUT_SEQUENCE;
    let window = groups.number(windows, tags::WINDOW_CENTER).zip(
        groups
            .number(windows, tags::WINDOW_WIDTH)
            .filter(|width| *width > 0.0),
    );
    let order = groups.group(tags::FRAME_CONTENT_SEQUENCE);
    let time = order.and_then(|set| {
        text(set, tags::FRAME_ACQUISITION_DATE_TIME).or_else(|| text(set, tags::ACQUISITION_TIME))
    });
    let time = time.or_else(|| text(groups.root, tags::ACQUISITION_DATE_TIME));
    let place = whole(groups.root, tags::INSTANCE_NUMBER).unwrap_or(0);
    Some(Frame {
        instance: Arc::clone(instance),
        number: index,
        plane,
        said,
        thickness: thickness.filter(|thickness| *thickness > 0.0),
        scale: (slope.unwrap_or(1.0), intercept.unwrap_or(0.0)),
        window,
        pass: pass(groups),
        order: (time.unwrap_or_default(), place),
    })
}
