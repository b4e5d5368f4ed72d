use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

use super::{
    coco,
    json::{self, Record, Records},
    text,
};
use crate::{AnnotationsError, Category, IGNORE, names, tally::Tally};

/// The lists of a COCO panoptic file; the segments' pixels are in PNG files beside it.
#[derive(Debug, Clone)]
pub struct Panoptic {
    /// The classes, by ascending id.
    pub categories: Vec<Category>,
    /// The annotated pictures, in the file's order.
    pub pictures: Vec<PanopticPicture>,
    /// What is left out, a sentence a reason, for people.
    pub notes: Vec<String>,
}

/// A picture of a COCO panoptic file.
#[derive(Debug, Clone)]
pub struct PanopticPicture {
    /// A name that no other picture of the file has.
    pub name: String,
    /// The picture, below the folder of pictures.
    pub image: PathBuf,
    /// The PNG of segment ids, below the folder of masks.
    pub mask: PathBuf,
    /// Its segments.
    pub segments: Vec<PanopticSegment>,
}

/// A segment of a COCO panoptic file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PanopticSegment {
    /// The id that its pixels have.
    pub id: u32,
    /// Its class; [`IGNORE`] where the file gives it none that makes sense.
    pub class: u16,
    /// Whether it is a region of many uncounted things.
    pub crowd: bool,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    images: Records<Image>,
    #[serde(default)]
    annotations: Records<Annotation>,
    #[serde(default)]
    categories: Records<Category>,
}

struct Image {
    id: String,
    file_name: String,
}

impl Record for Image {
    fn of(value: &Value) -> Result<Self, String> {
        Ok(Self {
            id: value.get("id").and_then(json::key).ok_or("it has no id")?,
            file_name: json::text(value.get("file_name"))
                .ok_or("it has no file_name")?
                .to_owned(),
        })
    }
}

struct Annotation {
    image: String,
    mask: String,
    segments: Vec<PanopticSegment>,
    /// Segments without a class.
    odd: usize,
}

impl Record for Annotation {
    fn of(value: &Value) -> Result<Self, String> {
        let list = value.get("segments_info").and_then(Value::as_array);
        let (mut segments, mut odd) = (Vec::new(), 0);
        for info in list.ok_or("it has no segments_info")? {
            let id = info
                .get("id")
                .and_then(json::whole)
                .and_then(|id| u32::try_from(id).ok());
            let class = info.get("category_id").and_then(json::whole);
            let class = class
                .and_then(|class| u16::try_from(class).ok())
                .filter(|class| *class != 0);
            odd += usize::from(class.is_none() || id.is_none());
            if let Some(id) = id {
                segments.push(PanopticSegment {
                    id,
                    class: class.unwrap_or(IGNORE),
                    crowd: json::truth(info.get("iscrowd")),
                });
            }
        }
        Ok(Self {
            image: value
                .get("image_id")
                .and_then(json::key)
                .ok_or("it has no image_id")?,
            mask: json::text(value.get("file_name"))
                .ok_or("it has no file_name")?
                .to_owned(),
            segments,
            odd,
        })
    }
}

impl Panoptic {
    /// Reads the file. Records that make no sense are left out and named in [`Panoptic::notes`].
    ///
    /// # Errors
    /// [`AnnotationsError::Read`]; [`AnnotationsError::Format`] if it is no COCO panoptic JSON, or nothing in it can be used.
    pub fn open(path: &Path) -> Result<Self, AnnotationsError> {
        let mut tally = Tally::default();
        let file: File = json::parse_file(path, &text::open(path)?, "COCO file of this kind")?;
        let categories = coco::categories(file.categories, &mut tally);
        let listed: HashMap<String, String> = coco::sound(file.images, "image", &mut tally)
            .into_iter()
            .map(|image| (image.id, image.file_name))
            .collect();
        let mut found = Vec::new();
        for annotation in coco::sound(file.annotations, "annotation", &mut tally) {
            for _ in 0..annotation.odd {
                let reason = "it has no category that is a number of 1..65534";
                tally.leave("segment", format!("of {}", annotation.mask), reason);
            }
            match listed.get(&annotation.image) {
                Some(image) => found.push((image.clone(), annotation)),
                None => tally.leave(
                    "annotation",
                    format!("of image {}", annotation.image),
                    "its image is not listed",
                ),
            }
        }
        if found.is_empty() {
            let reason = tally
                .first("annotation")
                .unwrap_or_else(|| "no picture is annotated".to_owned());
            return Err(AnnotationsError::format(path, reason));
        }
        let images: Vec<String> = found
            .iter()
            .map(|(image, _)| image.replace('\\', "/"))
            .collect();
        let pictures = names::unique(&images)
            .into_iter()
            .zip(&images)
            .zip(found)
            .map(|((name, image), (_, annotation))| PanopticPicture {
                name,
                image: image.into(),
                mask: annotation.mask.into(),
                segments: annotation.segments,
            });
        Ok(Self {
            categories,
            pictures: pictures.collect(),
            notes: tally.notes(path),
        })
    }
}
