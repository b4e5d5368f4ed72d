//! Values and class ids per pixel.

use std::path::Path;

use crate::{ImagingError, annotation::Ids, resize};

/// The label of pixels that no score counts: what 8-bit label files write as 255.
pub const IGNORE: u16 = u16::MAX;

/// One value per pixel, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane<T> {
    width: usize,
    height: usize,
    values: Vec<T>,
}

/// A class id per pixel; [`IGNORE`] where nothing is said.
pub type LabelPlane = Plane<u16>;

/// Whether a pixel belongs to something.
pub type Mask = Plane<bool>;

impl<T> Plane<T> {
    /// A plane of `size` = (width, height) pixels.
    ///
    /// # Errors
    /// [`ImagingError::Size`] if there is not one value per pixel.
    pub fn new(size: (usize, usize), values: Vec<T>) -> Result<Self, ImagingError> {
        ImagingError::check_size("a plane", values.len(), size, 1)?;
        Ok(Self {
            width: size.0,
            height: size.1,
            values,
        })
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Width in pixels.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// All values, row by row.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// All values, row by row, to be changed in place.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// A plane of the same size with other values.
    pub fn map<U>(&self, value: impl FnMut(&T) -> U) -> Plane<U> {
        Plane {
            width: self.width,
            height: self.height,
            values: self.values.iter().map(value).collect(),
        }
    }
}

impl<T: Copy> Plane<T> {
    /// A plane of `size` = (width, height) with one value everywhere.
    #[must_use]
    pub fn filled(size: (usize, usize), value: T) -> Self {
        Self {
            width: size.0,
            height: size.1,
            values: vec![value; size.0 * size.1],
        }
    }

    /// The plane at another size = (width, height), each pixel the nearest of the old ones.
    /// A plane without pixels stays without pixels.
    #[must_use]
    pub fn resized(&self, size: (usize, usize)) -> Self {
        if size == self.size() || self.values.is_empty() {
            return self.clone();
        }
        Self {
            width: size.0,
            height: size.1,
            values: resize::nearest(&self.values, self.size(), size),
        }
    }
}

impl LabelPlane {
    /// Reads a label file (palette indices, or grey values of 8 or 16 bits) as it stands; 65535, and
    /// 255 in a file without larger ids, becomes [`IGNORE`].
    ///
    /// # Errors
    /// An [`ImagingError`] if the file is unreadable, damaged, or holds colours instead of ids.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ImagingError> {
        let ids = Ids::open(path)?;
        let (width, height) = ids.size;
        let large = ids.values.iter().any(|&id| id > 255 && id != u16::MAX);
        let ignored = |id: u16| id == u16::MAX || (id == 255 && !large);
        let values = ids
            .values
            .iter()
            .map(|&id| if ignored(id) { IGNORE } else { id });
        Self::new((width as usize, height as usize), values.collect())
    }

    /// Where the plane has this class.
    #[must_use]
    pub fn mask(&self, class: u16) -> Mask {
        self.map(|&label| label == class)
    }

    /// The task of finding one class: 1 where it is, [`IGNORE`] kept, 0 elsewhere.
    #[must_use]
    pub fn only(&self, class: u16) -> Self {
        self.map(|&label| match label {
            IGNORE => IGNORE,
            label => u16::from(label == class),
        })
    }

    /// The classes that occur, ascending, without 0 and [`IGNORE`].
    #[must_use]
    pub fn classes(&self) -> Vec<u16> {
        let mut seen = vec![false; usize::from(u16::MAX) + 1];
        for &label in &self.values {
            seen[usize::from(label)] = true;
        }
        (1..IGNORE)
            .filter(|&label| seen[usize::from(label)])
            .collect()
    }
}

impl Mask {
    /// How many pixels are set.
    #[must_use]
    pub fn area(&self) -> usize {
        self.values.iter().filter(|&&set| set).count()
    }
}
