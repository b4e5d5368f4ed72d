//! A GeoTIFF file: its picture of full size, its overviews, and which of its pixels hold something.

use std::path::{Path, PathBuf};

use seggpt_tiff::{Cache, Directory, Layout, Model, Page, Refusal, Samples, Source, Tag, Window};

use crate::{MapError, Place, geo};

const SUBFILE: u16 = 254;
const NODATA: u16 = 42_113;
const OVERVIEW: u64 = 1;
const MASK: u64 = 4;

/// A map, open for reading. What is read is what is asked for.
#[derive(Debug)]
pub struct Map {
    path: PathBuf,
    levels: Vec<Level>,
    valid: Valid,
    tags: Vec<Tag>,
    pixel: Option<(f64, f64)>,
    metres: Option<f64>,
    epsg: Option<u32>,
}

/// The map in one size.
#[derive(Debug)]
struct Level {
    page: Page<'static>,
    mask: Option<Page<'static>>,
}

/// What says that a pixel holds nothing, instead of the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Nodata {
    /// Nothing does: all pixels are valid.
    None,
    /// This value in all bands; NaN is one.
    Value(f64),
}

/// How it is known which pixels hold something.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Valid {
    All,
    Value(f64),
    Mask,
    Alpha(usize),
}

impl Map {
    /// Opens a file. `nodata` overrules what it says of pixels that hold nothing.
    ///
    /// # Errors
    /// It is no TIFF file, damaged, or of a kind that is not read; the reason says what to do.
    pub fn open(path: &Path, nodata: Option<Nodata>) -> Result<Self, MapError> {
        let open = |error| MapError::Open {
            path: path.to_owned(),
            error,
        };
        let source = Source::disk(path).map_err(open)?;
        let refuse = |refusal| refused(path, refusal);
        let directories = source
            .directories()
            .map_err(|reason| refuse(reason.into()))?;
        let kind = |tags: &Directory| tags.number(SUBFILE).ok().flatten().unwrap_or(0);
        let main = directories
            .iter()
            .find(|tags| kind(tags) & (OVERVIEW | MASK) == 0);
        let main =
            main.ok_or_else(|| refuse("it holds no picture of full size".to_owned().into()))?;
        let page = Page::of(&source, main).map_err(refuse)?;
        check(path, page.layout())?;
        let size = |page: &Page| (page.layout().width, page.layout().height);
        let (whole, bands) = (size(&page), page.layout().samples);
        let mut levels = vec![Level { page, mask: None }];
        let mut masks = Vec::new();
        for tags in &directories {
            // What cannot be read beside the picture of full size is done without.
            let Ok(page) = Page::of(&source, tags) else {
                continue;
            };
            let is_smaller = size(&page).0 < whole.0 && size(&page).1 <= whole.1;
            match kind(tags) {
                kind if kind & MASK != 0 => masks.push(page),
                kind if kind & OVERVIEW != 0 && is_smaller && page.layout().samples == bands => {
                    levels.push(Level { page, mask: None });
                }
                _ => {}
            }
        }
        for level in &mut levels {
            let mask = masks.iter().find(|mask| size(mask) == size(&level.page));
            level.mask = mask.cloned();
        }
        levels.sort_by_key(|level| u32::MAX - level.page.layout().width);
        let tags = geo::tags(main);
        let mut map = Self {
            path: path.to_owned(),
            valid: Valid::All,
            pixel: geo::pixel_size(&tags),
            metres: geo::metres_of_unit(&tags),
            epsg: geo::epsg(&tags),
            tags,
            levels,
        };
        map.valid = match nodata {
            Some(Nodata::None) => Valid::All,
            Some(Nodata::Value(value)) => Valid::Value(value),
            None => map.declared(&main.text(NODATA))?,
        };
        if map.valid == Valid::Mask {
            // An overview without a mask would be valid where the map is not.
            map.levels.retain(|level| level.mask.is_some());
        }
        Ok(map)
    }

    /// What the file says: a value, else a mask, else an alpha band of two values. One of many grey levels is another
    /// channel that is merely called alpha.
    fn declared(&self, nodata: &str) -> Result<Valid, MapError> {
        if let Ok(value) = nodata.parse::<f64>() {
            return Ok(Valid::Value(value));
        }
        if self.levels[0].mask.is_some() {
            return Ok(Valid::Mask);
        }
        let layout = self.layout();
        if layout.alpha != Some(true) {
            return Ok(Valid::All);
        }
        let own = match layout.model {
            Model::Rgb | Model::YCbCr => 3,
            _ => 1,
        };
        let mut levels = Vec::new();
        for samples in self.samples(SPOTS)? {
            let pixels = len(&samples) / layout.samples;
            for at in 0..pixels {
                let value = value(&samples, at * layout.samples + own);
                if !levels.contains(&value) {
                    levels.push(value);
                }
            }
            if levels.len() > 2 {
                return Ok(Valid::All);
            }
        }
        Ok(Valid::Alpha(own))
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        (self.layout().width, self.layout().height)
    }

    /// What its tags say of its pixels.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        self.levels[0].page.layout()
    }

    /// Whether its samples are bytes that need no stretch.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.layout().format == 1 && self.layout().bits <= 8
    }

    /// The tags that say where it lies.
    #[must_use]
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }

    /// Whether the file, or one beside it, says where it lies.
    #[must_use]
    pub fn lies_somewhere(&self) -> bool {
        !self.tags.is_empty() || geo::has_sidecar(&self.path)
    }

    /// Where its pixels lie.
    ///
    /// # Errors
    /// Nothing says it in a way that polygons can be laid on.
    pub fn place(&self) -> Result<Place, MapError> {
        Place::of(&self.tags, &self.path).map_err(|reason| MapError::Asked {
            path: self.path.clone(),
            reason,
        })
    }

    /// The number of its coordinate system at EPSG, where it names one.
    #[must_use]
    pub fn epsg(&self) -> Option<u32> {
        self.epsg
    }

    /// Side of a pixel in metres, where that can be told from the file alone.
    #[must_use]
    pub fn metres_of_pixel(&self) -> Option<f64> {
        let (x, y) = self.pixel?;
        Some((x * y).sqrt() * self.metres?)
    }

    /// How many sizes it is there in, the full one included.
    #[must_use]
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// Width and height of the map in a size.
    #[must_use]
    pub fn level_size(&self, level: usize) -> (u32, u32) {
        let layout = self.levels[level].page.layout();
        (layout.width, layout.height)
    }

    /// The smallest size of which a pixel covers no more than `factor` x `factor` of the full one's.
    #[must_use]
    pub fn level_for(&self, factor: f64) -> usize {
        let fits = |level: &usize| {
            let (whole, own) = (self.size(), self.level_size(*level));
            let scale = |whole: u32, own: u32| f64::from(whole) / f64::from(own);
            scale(whole.0, own.0).max(scale(whole.1, own.1)) <= factor * 1.01
        };
        (0..self.levels.len()).rev().find(fits).unwrap_or(0)
    }

    /// A cache that holds what a row of windows of this size needs again and again.
    #[must_use]
    pub fn cache(&self, level: usize, width: u32, height: u32) -> Cache {
        let needed = self.levels[level].page.touched_bytes(width, height);
        Cache::new((needed + needed / 4).max(LEAST))
    }

    /// All bands of a window: pixel by pixel, row by row.
    ///
    /// # Errors
    /// A block that the window touches is damaged, or the window does not lie on the map.
    pub fn read(
        &self,
        level: usize,
        window: Window,
        cache: &mut Cache,
    ) -> Result<Samples, MapError> {
        let page = &self.levels[level].page;
        page.window(window, cache)
            .map_err(|refusal| refused(&self.path, refusal))
    }

    /// Which pixels of a window hold something, 255, and which do not, 0. `samples` are what [`read`](Self::read) found
    /// there; `alpha`: a band that decides instead of what the file says.
    ///
    /// # Errors
    /// As [`read`](Self::read), of the file's mask.
    pub fn valid(
        &self,
        level: usize,
        window: Window,
        samples: &Samples,
        alpha: Option<usize>,
        cache: &mut Cache,
    ) -> Result<Vec<u8>, MapError> {
        let bands = self.layout().samples;
        let pixels = len(samples) / bands;
        let byte = |is_valid: bool| if is_valid { 255 } else { 0 };
        let of_band = |band: usize| {
            (0..pixels)
                .map(|at| byte(value(samples, at * bands + band) != 0.0))
                .collect()
        };
        Ok(match (alpha, self.valid, &self.levels[level].mask) {
            (Some(band), _, _) => of_band(band),
            (None, Valid::Alpha(band), _) => of_band(band),
            (None, Valid::Value(nodata), _) => {
                let is_nodata = |found: f64| found == nodata || found.is_nan() && nodata.is_nan();
                let all =
                    |at: usize| (0..bands).all(|band| is_nodata(value(samples, at * bands + band)));
                (0..pixels).map(|at| byte(!all(at))).collect()
            }
            (None, Valid::Mask, Some(mask)) => {
                let mask = mask.window(window, cache);
                let mask = mask.map_err(|refusal| refused(&self.path, refusal))?;
                (0..pixels)
                    .map(|at| byte(value(&mask, at) != 0.0))
                    .collect()
            }
            (None, Valid::All | Valid::Mask, _) => vec![255; pixels],
        })
    }

    /// Samples of so many windows, evenly spread over the smallest size that shows enough.
    pub(crate) fn samples(&self, spots: u32) -> Result<Vec<Samples>, MapError> {
        let mut found = Vec::new();
        self.spots(spots, |map, level, window, cache| {
            found.push(map.read(level, window, cache)?);
            Ok(())
        })?;
        Ok(found)
    }

    /// Visits so many windows across and down, evenly spread over the smallest size that is no smaller than 256 pixels.
    pub(crate) fn spots(
        &self,
        spots: u32,
        mut visit: impl FnMut(&Self, usize, Window, &mut Cache) -> Result<(), MapError>,
    ) -> Result<(), MapError> {
        let is_enough = |level: &usize| {
            let (width, height) = self.level_size(*level);
            width.min(height) >= 256
        };
        let level = (0..self.levels.len()).rev().find(is_enough).unwrap_or(0);
        let (width, height) = self.level_size(level);
        let mut cache = self.cache(level, SPOT, SPOT);
        for row in 0..spots {
            for column in 0..spots {
                let at = |n: u32, of: u32| {
                    let way = u64::from(of.saturating_sub(SPOT));
                    (way * u64::from(n) / u64::from(spots - 1).max(1)) as u32
                };
                let window = Window {
                    x: at(column, width),
                    y: at(row, height),
                    width: SPOT.min(width),
                    height: SPOT.min(height),
                };
                visit(self, level, window, &mut cache)?;
            }
        }
        Ok(())
    }
}

/// No cache is smaller.
const LEAST: u64 = 8 << 20;
/// Windows across and down that a file is judged by.
pub(crate) const SPOTS: u32 = 6;
/// Side of such a window in pixels.
const SPOT: u32 = 64;

/// How many samples.
pub(crate) fn len(samples: &Samples) -> usize {
    match samples {
        Samples::Bytes(values) => values.len(),
        Samples::Words(values) => values.len(),
        Samples::Wide(values) => values.len(),
    }
}

/// A sample as a number.
pub(crate) fn value(samples: &Samples, at: usize) -> f64 {
    match samples {
        Samples::Bytes(values) => values[at].into(),
        Samples::Words(values) => values[at].into(),
        Samples::Wide(values) => values[at],
    }
}

fn check(path: &Path, layout: &Layout) -> Result<(), MapError> {
    let has = match layout.model {
        Model::Cmyk => "its colours are inks (CMYK)",
        Model::YCbCr if layout.compression != seggpt_tiff::JPEG => {
            "it is YCbCr and not compressed as JPEG"
        }
        _ => return Ok(()),
    };
    Err(refused(path, Refusal::Unsupported(has.to_owned())))
}

fn refused(path: &Path, refusal: Refusal) -> MapError {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match refusal {
        Refusal::Damaged(reason) => MapError::Damaged {
            path: path.to_owned(),
            reason,
        },
        Refusal::Unsupported(has) => MapError::Unsupported {
            path: path.to_owned(),
            has,
            way_out: format!(
                "convert it: gdal_translate -co TILED=YES -co COMPRESS=DEFLATE -co BIGTIFF=IF_SAFER {name} tiled_{name}"
            ),
        },
    }
}
