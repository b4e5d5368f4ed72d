use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject as Set;

use super::bits::unpacked;
use crate::{
    Plane, Turn, VolumeError,
    dicom::{
        attributes::{item, items, text, whole},
        file,
        frame::size,
        groups::{Groups, said},
        pixels,
    },
    plane::{dot, minus},
};

/// A DICOM segmentation: labels that say by themselves which slices they lie on.
#[derive(Clone, Debug)]
pub struct Segmentation {
    /// What its segments are called, by number.
    pub names: BTreeMap<u16, String>,
    path: PathBuf,
    /// Whether pixels are numbers of segments, or one bit each.
    numbers: Option<usize>,
    frames: Vec<Frame>,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    plane: Plane,
    /// Where every pixel that is set belongs.
    segment: u16,
}

impl Segmentation {
    /// Reads what stands before the pixels.
    ///
    /// # Errors
    /// The file cannot be read, is no segmentation, holds shares instead of classes, or does not say where it lies.
    pub fn open(path: &Path) -> Result<Self, VolumeError> {
        let object = file::header(path)?;
        let refuse = |reason: String| VolumeError::new(path, reason);
        let class = object.meta().media_storage_sop_class_uid();
        if ![
            uids::SEGMENTATION_STORAGE,
            uids::LABEL_MAP_SEGMENTATION_STORAGE,
        ]
        .contains(&class)
        {
            return Err(refuse(
                "it is no DICOM segmentation (SEG): give labels as one, or as NIfTI".into(),
            ));
        }
        let numbers = match text(&object, tags::SEGMENTATION_TYPE).as_deref() {
            Some("BINARY") => None,
            Some("LABELMAP") => match whole(&object, tags::BITS_ALLOCATED) {
                Some(8) => Some(1),
                Some(16) => Some(2),
                other => {
                    return Err(refuse(format!(
                        "a label map of {other:?} bits; 8 and 16 are read"
                    )));
                }
            },
            Some("FRACTIONAL") => {
                return Err(refuse(
                    "it holds shares (FRACTIONAL), not classes: export it as BINARY".into(),
                ));
            }
            other => {
                return Err(refuse(format!(
                    "its segmentation type is {other:?}: BINARY and LABELMAP are read"
                )));
            }
        };
        let size = size(&object).map_err(refuse)?;
        let shared = item(&object, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
        let frames = items(&object, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
        let frames: Option<Vec<Frame>> = frames
            .iter()
            .map(|own| {
                frame(
                    &Groups {
                        root: &object,
                        shared,
                        own: Some(own),
                    },
                    size,
                    numbers.is_some(),
                )
            })
            .collect();
        let frames = frames.filter(|frames| !frames.is_empty()).ok_or_else(|| {
            refuse(
                "its frames do not say which segment they show and where they lie in the patient"
                    .into(),
            )
        })?;
        Ok(Self {
            names: names(&object),
            path: path.to_owned(),
            numbers,
            frames,
        })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// On which of these slices each frame lies, and how.
    ///
    /// # Errors
    /// One lies elsewhere.
    pub(crate) fn place(&self, planes: &[Plane]) -> Result<Vec<(usize, Turn)>, VolumeError> {
        let mut placed = Vec::with_capacity(self.frames.len());
        for (number, frame) in self.frames.iter().enumerate() {
            let centre = frame.plane.centre();
            let apart = |plane: &Plane| {
                let away = minus(plane.centre(), centre);
                dot(away, away).sqrt()
            };
            let nearest = planes
                .iter()
                .enumerate()
                .map(|(at, plane)| (at, apart(plane)));
            let nearest = nearest.min_by(|a, b| a.1.total_cmp(&b.1));
            let (at, apart) = nearest.unwrap_or((0, f64::INFINITY));
            let turn = planes.get(at).and_then(|plane| plane.turn(&frame.plane));
            let turn = turn.ok_or_else(|| {
                let [columns, rows] = frame.plane.size;
                VolumeError::new(
                    &self.path,
                    format!(
                        "not on the scan's slices: frame {} ({columns} x {rows} pixels) lies {apart:.2} mm from the nearest slice, or its pixels lie otherwise; is it of another series?",
                        number + 1
                    ),
                )
            })?;
            placed.push((at, turn));
        }
        Ok(placed)
    }

    /// Gives the segment of every pixel of each of these slices that has any; of a pixel in several segments the highest.
    /// How many pixels are in several.
    ///
    /// # Errors
    /// As [`Segmentation::place`]; the file is damaged; that of `take`.
    pub(crate) fn read(
        &self,
        planes: &[Plane],
        mut take: impl FnMut(usize, &[u16]) -> Result<(), VolumeError>,
    ) -> Result<usize, VolumeError> {
        let placed = self.place(planes)?;
        let refuse = |reason: String| VolumeError::new(&self.path, reason);
        let object = file::whole(&self.path)?;
        let bits = match (self.numbers, object.get(tags::PIXEL_DATA)) {
            (Some(_), _) => Vec::new(),
            (None, Some(element)) => {
                let bytes = element.to_bytes().map_err(|_| {
                    refuse("its bits are compressed; `dcmdrle IN.dcm OUT.dcm` or `gdcmconv --raw` converts it".into())
                })?;
                bytes.into_owned()
            }
            (None, None) => return Err(refuse("it has no pixel data".into())),
        };
        let mut by_plane: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (frame, (plane, _)) in placed.iter().enumerate() {
            by_plane.entry(*plane).or_default().push(frame);
        }
        let mut several = 0;
        for (plane, mut frames) in by_plane {
            let [own_columns, own_rows] = planes[plane].size;
            let mut ids = vec![0; own_columns * own_rows];
            frames.sort_by_key(|frame| self.frames[*frame].segment);
            for number in frames {
                let columns = self.frames[number].plane.size[0];
                let turn = placed[number].1;
                let pixels = self.pixels(&object, &bits, number).map_err(refuse)?;
                for (pixel, id) in pixels {
                    let at = &mut ids[turn.at(pixel % columns, pixel / columns, own_columns)];
                    several += usize::from(*at != 0 && *at != id);
                    *at = id;
                }
            }
            take(plane, &ids)?;
        }
        Ok(several)
    }

    /// The pixels of a frame that are in a segment.
    fn pixels(
        &self,
        object: &dicom_object::DefaultDicomObject,
        bits: &[u8],
        number: usize,
    ) -> Result<Vec<(usize, u16)>, String> {
        let frame = &self.frames[number];
        let count = frame.plane.size[0] * frame.plane.size[1];
        let ids = |ids: &mut dyn Iterator<Item = u16>| {
            let ids = ids.enumerate().filter(|(_, id)| *id != 0);
            ids.collect()
        };
        match self.numbers {
            None => {
                let pixels = unpacked(bits, number * count, count);
                let pixels =
                    pixels.ok_or("its pixel data end too early: it is cut off; copy it again")?;
                Ok(pixels.map(|pixel| (pixel, frame.segment)).collect())
            }
            Some(bytes) => {
                let pixels = pixels::bytes(object, number, count * bytes)?;
                Ok(match bytes {
                    1 => ids(&mut pixels.iter().map(|id| u16::from(*id))),
                    _ => ids(&mut pixels
                        .as_chunks::<2>()
                        .0
                        .iter()
                        .map(|id| u16::from_le_bytes(*id))),
                })
            }
        }
    }
}

fn frame(groups: &Groups, size: [usize; 2], is_map: bool) -> Option<Frame> {
    let segment = match is_map {
        true => 0,
        false => {
            let set = groups.group(tags::SEGMENT_IDENTIFICATION_SEQUENCE)?;
            u16::try_from(whole(set, tags::REFERENCED_SEGMENT_NUMBER)?).ok()?
        }
    };
    Some(Frame {
        plane: said(groups)?.plane(size)?,
        segment,
    })
}

fn names(set: &Set) -> BTreeMap<u16, String> {
    let segments = items(set, tags::SEGMENT_SEQUENCE).iter();
    let named = segments.filter_map(|segment| {
        let number = u16::try_from(whole(segment, tags::SEGMENT_NUMBER)?).ok()?;
        Some((number, text(segment, tags::SEGMENT_LABEL)?))
    });
    named.collect()
}
