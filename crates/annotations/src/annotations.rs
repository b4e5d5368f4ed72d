use std::{
    borrow::Cow,
    cmp::Reverse,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};

use seggpt_imaging::{
    Rgb, RgbImage,
    read::{self, Exif, Reading},
};

use crate::{
    AnnotationsError, Shape, Tool,
    read::{colors::LabelMap, labelme},
};

/// The label of pixels of which nothing is said.
pub const IGNORE: u16 = u16::MAX;

/// Pictures and what people drew on them.
#[derive(Debug, Clone)]
pub struct Annotations {
    /// Whose format it is.
    pub tool: Tool,
    /// The file or folder.
    pub path: PathBuf,
    /// The file that lists the classes, where it says nothing of pictures.
    pub table: Option<PathBuf>,
    /// The classes, by ascending id.
    pub categories: Vec<Category>,
    /// The pictures that are there, in the file's order.
    pub pictures: Vec<Picture>,
    /// What is left out, a sentence a reason, for people.
    pub notes: Vec<String>,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Its id, 1 to 65,534.
    pub id: u16,
    /// Its name.
    pub name: String,
    /// The colour that the tool shows it in, where the file says so; not black.
    pub color: Option<Rgb>,
    /// Whether it is a countable thing (true) or stuff (false), where the file says so.
    pub thing: Option<bool>,
}

impl Category {
    pub(crate) fn new(id: u16, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            color: None,
            thing: None,
        }
    }
}

/// A picture and what is drawn on it.
#[derive(Debug, Clone)]
pub struct Picture {
    /// A name that no other picture of the file has.
    pub name: String,
    /// Where its pixels are.
    pub file: PictureFile,
    /// The file that says what is drawn.
    pub source: PathBuf,
    /// Width and height in pixels, as the file of annotations says.
    pub size: (usize, usize),
    /// What is drawn.
    pub drawn: Drawn,
}

/// Where the pixels of a picture are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PictureFile {
    /// In a file of their own.
    Path(PathBuf),
    /// In a labelme file.
    Embedded(PathBuf),
}

impl PictureFile {
    /// The file that holds the pixels.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Path(path) | Self::Embedded(path) => path,
        }
    }

    /// Width and height of the upright picture, from its header.
    ///
    /// # Errors
    /// It cannot be read, or has no readable header.
    pub fn size(&self) -> Result<(usize, usize), AnnotationsError> {
        match self {
            Self::Path(path) => size(path),
            Self::Embedded(path) => Ok(whole(read::size(
                &labelme::embedded(path)?,
                &path.display().to_string(),
            )?)),
        }
    }

    /// Decodes the picture, upright.
    ///
    /// # Errors
    /// It cannot be read or decoded.
    pub fn open(&self) -> Result<RgbImage, AnnotationsError> {
        Ok(self.reading(Exif::Apply)?.picture)
    }

    /// Decodes the picture, with what there is to say of how it was read.
    ///
    /// # Errors
    /// It cannot be read or decoded.
    pub fn reading(&self, exif: Exif) -> Result<Reading, AnnotationsError> {
        match self {
            Self::Path(path) => Ok(Reading::open(path, exif)?),
            Self::Embedded(path) => {
                let bytes = labelme::embedded(path)?;
                Ok(Reading::decode(&bytes, &path.display().to_string(), exif)?)
            }
        }
    }
}

/// Of most pictures, the header lies in so many bytes.
const HEAD: u64 = 64 << 10;

/// Width and height of the upright picture in a file, from its header.
///
/// # Errors
/// [`AnnotationsError::Read`]; [`AnnotationsError::Imaging`] if it has no readable header.
pub fn size(path: &Path) -> Result<(usize, usize), AnnotationsError> {
    let refuse = |error| AnnotationsError::read(path, error);
    let name = path.display().to_string();
    let mut file = File::open(path).map_err(refuse)?;
    let mut bytes = Vec::new();
    file.by_ref()
        .take(HEAD)
        .read_to_end(&mut bytes)
        .map_err(refuse)?;
    if let Ok(size) = read::size(&bytes, &name) {
        return Ok(whole(size));
    }
    file.read_to_end(&mut bytes).map_err(refuse)?;
    Ok(whole(read::size(&bytes, &name)?))
}

fn whole((width, height): (u32, u32)) -> (usize, usize) {
    (width as usize, height as usize)
}

/// What is drawn on a picture.
#[derive(Debug, Clone)]
pub enum Drawn {
    /// Shapes; where they overlap, the later lies on the earlier, or the smaller on the larger.
    Objects {
        /// The shapes.
        objects: Vec<Object>,
        /// Whether small ones lie on large ones.
        smaller_on_top: bool,
    },
    /// Masks in colours.
    Colors {
        /// The mask of classes.
        classes: PathBuf,
        /// The mask that gives each object a colour of its own, where there is one.
        objects: Option<PathBuf>,
        /// Which colour is which class.
        map: Arc<LabelMap>,
        /// The classes that occur, ascending.
        shown: Vec<u16>,
    },
}

/// A thing that somebody drew.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Its id in the file, or its number on the picture from 1.
    pub id: u32,
    /// Its class; 0 is background drawn over others, [`IGNORE`] what nothing is said of.
    pub class: u16,
    /// Whether it is a region of many uncounted things.
    pub crowd: bool,
    /// Its pixels.
    pub shapes: Vec<Shape>,
}

impl Object {
    /// Its pixels in a plane of `size` = (width, height), row by row.
    #[must_use]
    pub fn mask(&self, size: (usize, usize)) -> Vec<bool> {
        let mut values = vec![false; size.0 * size.1];
        for shape in &self.shapes {
            shape.fill(size, &mut values);
        }
        values
    }
}

/// An object and whether each pixel of its picture belongs to it, row by row.
pub type Masked<'a> = (Cow<'a, Object>, Vec<bool>);

impl Picture {
    /// The classes that are drawn, ascending; shapes that cover no pixel included.
    #[must_use]
    pub fn classes(&self) -> Vec<u16> {
        let mut classes: Vec<u16> = match &self.drawn {
            Drawn::Colors { shown, .. } => return shown.clone(),
            Drawn::Objects { objects, .. } => objects.iter().map(|object| object.class).collect(),
        };
        classes.retain(|class| !matches!(*class, 0 | IGNORE));
        classes.sort_unstable();
        classes.dedup();
        classes
    }

    /// The class of every pixel, row by row, and the objects with their pixels.
    ///
    /// # Errors
    /// A mask file that cannot be read or is not as large as the picture.
    pub fn planes(&self) -> Result<(Vec<u16>, Vec<Masked<'_>>), AnnotationsError> {
        match &self.drawn {
            Drawn::Objects {
                objects,
                smaller_on_top,
            } => {
                let masked: Vec<_> = objects
                    .iter()
                    .map(|object| (Cow::Borrowed(object), object.mask(self.size)))
                    .collect();
                let mut order: Vec<&Masked<'_>> = masked.iter().collect();
                if *smaller_on_top {
                    order.sort_by_cached_key(|(_, mask)| {
                        Reverse(mask.iter().filter(|&&set| set).count())
                    });
                }
                let mut labels = vec![0; self.size.0 * self.size.1];
                for (object, mask) in order {
                    let pixels = labels.iter_mut().zip(mask);
                    pixels
                        .filter(|(_, set)| **set)
                        .for_each(|(label, _)| *label = object.class);
                }
                let counted = masked
                    .into_iter()
                    .filter(|(object, _)| !matches!(object.class, 0 | IGNORE));
                Ok((labels, counted.collect()))
            }
            Drawn::Colors {
                classes,
                objects,
                map,
                ..
            } => {
                let labels = map.labels(classes, self.size)?;
                let objects = match objects {
                    Some(file) => map.objects(file, self.size, &labels)?,
                    None => Vec::new(),
                };
                let objects = objects
                    .into_iter()
                    .map(|(object, mask)| (Cow::Owned(object), mask));
                Ok((labels, objects.collect()))
            }
        }
    }

    /// The class of every pixel, row by row.
    ///
    /// # Errors
    /// As [`Picture::planes`].
    pub fn labels(&self) -> Result<Vec<u16>, AnnotationsError> {
        Ok(self.planes()?.0)
    }
}
