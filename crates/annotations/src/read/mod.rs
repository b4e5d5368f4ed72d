//! From files to [`Annotations`].

mod brush;
mod coco;
pub(crate) mod colors;
mod cvat;
mod find;
mod json;
mod label_studio;
pub(crate) mod labelme;
mod panoptic;
mod recognise;
mod text;

use std::{
    collections::HashSet,
    fmt,
    path::{Path, PathBuf},
};

use crate::{
    Annotations, AnnotationsError, Category, Drawn, IGNORE, Object, Picture, PictureFile, Shape,
    names, tally::Tally,
};
use find::{Finder, NotFound};

pub use coco::coco_categories;
pub use panoptic::{Panoptic, PanopticPicture, PanopticSegment};
pub use recognise::recognise;

/// Whose format a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// A file of COCO objects.
    Coco,
    /// A file a picture, or a folder of them.
    Labelme,
    /// A file of tasks.
    LabelStudio,
    /// "CVAT for images".
    Cvat,
    /// A folder of colour masks with a `labelmap.txt`.
    CvatMasks,
}

impl fmt::Display for Tool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Coco => "COCO",
            Self::Labelme => "labelme",
            Self::LabelStudio => "Label Studio",
            Self::Cvat => "CVAT",
            Self::CvatMasks => "CVAT's masks",
        })
    }
}

/// Reads a file of annotations, or a folder that holds one (or a labelme file a picture), as [`recognise`] tells it.
/// Pictures are looked for below `images`, else where tools put them.
///
/// Nothing is decoded but headers. Pictures that are not there, and records that make no sense, are left out and named in
/// [`Annotations::notes`].
///
/// # Errors
/// [`AnnotationsError::Read`]; [`AnnotationsError::Format`] if it is none of the known formats, or nothing in it can be used.
pub fn open(path: &Path, images: Option<&Path>) -> Result<Annotations, AnnotationsError> {
    let Some((tool, file)) = recognise(path)? else {
        return Err(AnnotationsError::format(
            path,
            "it is no annotation file that is known here: COCO, labelme, Label Studio (JSON or JSON-MIN), CVAT for images \
             1.1, or CVAT's masks with labelmap.txt; export it as one of these",
        ));
    };
    if let Some(images) = images.filter(|images| !images.is_dir()) {
        return Err(AnnotationsError::format(
            images,
            "there is no such folder of pictures",
        ));
    }
    let mut tally = Tally::default();
    let read = match tool {
        Tool::Coco => coco::read(&file, &mut tally)?,
        Tool::Labelme => labelme::read(&file, &mut tally)?,
        Tool::LabelStudio => label_studio::read(&file, &mut tally)?,
        Tool::Cvat => cvat::read(&file, &mut tally)?,
        Tool::CvatMasks => return colors::read(&file, images, tally),
    };
    finish(tool, file, images, read, tally)
}

/// What a reader makes of a file, before pictures are looked for.
pub(crate) struct Read {
    pub categories: Vec<Category>,
    pub pictures: Vec<Named>,
    /// Whether small objects lie on large ones.
    pub smaller_on_top: bool,
    /// The file that lists the classes, where it says nothing of pictures.
    pub table: Option<PathBuf>,
}

/// A picture by its name.
pub(crate) struct Named {
    /// What the file calls it, and what else it may be called here.
    pub names: Vec<String>,
    /// The labelme file that holds its pixels, and the folder that its name starts from.
    pub embedded: Option<PathBuf>,
    pub folder: Option<PathBuf>,
    /// The file that says what is drawn, if it is not the one that lists the pictures.
    pub source: Option<PathBuf>,
    pub size: Option<(usize, usize)>,
    pub objects: Vec<Object>,
}

fn finish(
    tool: Tool,
    path: PathBuf,
    images: Option<&Path>,
    read: Read,
    mut tally: Tally,
) -> Result<Annotations, AnnotationsError> {
    let finder = Finder::new(&path, images);
    let known: HashSet<u16> = read.categories.iter().map(|category| category.id).collect();
    let (mut found, mut taken) = (Vec::new(), HashSet::new());
    for mut picture in read.pictures {
        let name = picture.names.first().cloned().unwrap_or_default();
        let file = match locate(&picture, &finder) {
            Ok(file) => file,
            Err(NotFound::Missing) => {
                let reason = format!(
                    "there is no such picture in {}; say where pictures are",
                    finder.described()
                );
                tally.leave("picture", name, reason);
                continue;
            }
            Err(NotFound::Several(one, other)) => {
                let reason = format!(
                    "it may be {} or {}; name the folder that its path starts from",
                    one.display(),
                    other.display()
                );
                tally.leave("picture", name, reason);
                continue;
            }
        };
        if !taken.insert(file.clone()) {
            tally.leave("picture", name, "it is listed twice");
            continue;
        }
        let size = match picture.size.map_or_else(|| file.size(), Ok) {
            Ok(size) => size,
            Err(error) => {
                tally.leave("picture", name, error.to_string());
                continue;
            }
        };
        picture.objects.retain(|object| {
            let odd = odd(object, size, &known);
            if let Some(reason) = &odd {
                tally.leave("annotation", format!("{} of {name}", object.id), reason);
            }
            odd.is_none()
        });
        found.push((name, file, size, picture.objects, picture.source));
    }
    let drawn = found
        .iter()
        .any(|(_, _, _, objects, _)| !objects.is_empty());
    if !drawn {
        let kind = if found.is_empty() {
            "picture"
        } else {
            "annotation"
        };
        let reason = tally
            .first(kind)
            .unwrap_or_else(|| "nothing is drawn in it".to_owned());
        let count = tally.count();
        let more = if count > 1 {
            format!(" (and {} more)", count - 1)
        } else {
            String::new()
        };
        return Err(AnnotationsError::format(&path, format!("{reason}{more}")));
    }
    let plain = found.iter().map(|(name, _, _, _, source)| {
        // A file a picture: its place in the folder says more than the picture's name.
        let own = source.as_ref().filter(|_| path.is_dir());
        let inside = own.and_then(|source| source.strip_prefix(&path).ok());
        let name = inside.map_or(name.into(), |inside| inside.to_string_lossy());
        name.replace('\\', "/")
    });
    let plain: Vec<String> = plain.collect();
    let pictures = names::unique(&plain).into_iter().zip(found).map(
        |(name, (_, file, size, objects, source))| Picture {
            name,
            file,
            source: source.unwrap_or_else(|| path.clone()),
            size,
            drawn: Drawn::Objects {
                objects,
                smaller_on_top: read.smaller_on_top,
            },
        },
    );
    Ok(Annotations {
        tool,
        categories: read.categories,
        table: read.table,
        pictures: pictures.collect(),
        notes: tally.notes(&path),
        path,
    })
}

fn locate(picture: &Named, finder: &Finder) -> Result<PictureFile, NotFound> {
    if let Some(folder) = &picture.folder {
        let beside = picture
            .names
            .iter()
            .map(|name| folder.join(name.replace('\\', "/")));
        if let Some(file) = beside.into_iter().find(|file| file.is_file()) {
            return Ok(PictureFile::Path(file));
        }
    }
    match (finder.find(&picture.names), &picture.embedded) {
        (Ok(file), _) => Ok(PictureFile::Path(file)),
        (Err(_), Some(file)) => Ok(PictureFile::Embedded(file.clone())),
        (Err(error), None) => Err(error),
    }
}

/// What is wrong with an object of a picture of this size.
fn odd(object: &Object, size: (usize, usize), known: &HashSet<u16>) -> Option<String> {
    if !matches!(object.class, 0 | IGNORE) && !known.contains(&object.class) {
        return Some("its category is not listed".to_owned());
    }
    object.shapes.iter().find_map(|shape| match shape {
        Shape::Runs(runs) if runs.size() != size => {
            let ((w, h), (pw, ph)) = (runs.size(), size);
            Some(format!(
                "its runs are {w} x {h}, but its picture is {pw} x {ph}"
            ))
        }
        _ => None,
    })
}

/// The classes of a tool that knows names alone: ids from 1 in this order. A name that means background has none.
pub(crate) fn numbered(names: impl IntoIterator<Item = String>) -> Vec<Category> {
    let mut categories: Vec<Category> = Vec::new();
    for name in names {
        let next = u16::try_from(categories.len() + 1).unwrap_or(IGNORE);
        let is_new = categories.iter().all(|known| known.name != name);
        if is_new && next != IGNORE && background(&name).is_none() {
            categories.push(Category::new(next, name));
        }
    }
    categories
}

/// The class of a name.
pub(crate) fn class_of(categories: &[Category], name: &str) -> Option<u16> {
    let known = categories.iter().find(|category| category.name == name);
    background(name).or_else(|| known.map(|category| category.id))
}

/// What labelme's tools take for background and for what is not said.
fn background(name: &str) -> Option<u16> {
    match name {
        "_background_" | "background" => Some(0),
        "__ignore__" => Some(IGNORE),
        _ => None,
    }
}
