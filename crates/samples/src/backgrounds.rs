//! Photographs and materials to put things on.

use std::{collections::BTreeMap, sync::Arc};

use image::{ImageBuffer, RgbImage, imageops};

use crate::{
    SamplesError,
    files::{Cache, Files, extension},
    picture::{NOTHING, Picture},
    rng::Rng,
    synthetic::texture::Material,
};

const FOLDER: &str = "backgrounds/";

/// The folder whose pictures repeat seamlessly and are named MATERIAL_NUMBER.
const TILES: &str = "backgrounds/ambientcg_tiles/";

#[derive(Clone)]
pub(crate) struct Backgrounds {
    files: Arc<Files>,
    photographs: Arc<[String]>,
    /// Tiles by material.
    materials: Arc<[Vec<String>]>,
    /// The longest side that photographs are kept with.
    detail: u32,
    cache: Cache<RgbImage>,
}

impl Backgrounds {
    pub(crate) fn open(
        files: &Arc<Files>,
        scale: Scale,
        needs: &'static str,
    ) -> Result<Self, SamplesError> {
        let pictures = || {
            files
                .below(FOLDER)
                .filter(|n| matches!(extension(n), "jpg" | "png" | "webp"))
        };
        let photographs: Vec<String> = pictures()
            .filter(|n| !n.starts_with(TILES))
            .map(str::to_owned)
            .collect();
        let mut materials: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for name in pictures().filter(|n| n.starts_with(TILES)) {
            let material = name.rsplit_once('_').map_or(name, |(material, _)| material);
            materials.entry(material).or_default().push(name.to_owned());
        }
        if photographs.is_empty() {
            return Err(files.nothing(
                FOLDER,
                needs,
                "photographs (*.jpg in a folder for each source)",
            ));
        }
        Ok(Self {
            files: Arc::clone(files),
            photographs: photographs.into(),
            materials: materials.into_values().collect(),
            detail: scale.size * 3,
            cache: Cache::new(scale.cache / 4),
        })
    }

    fn get(&self, name: &str) -> Option<Arc<RgbImage>> {
        self.cache.get(name, || {
            let rgb = decode(&self.files, name)?;
            let rgb = if name.starts_with(TILES) {
                rgb
            } else {
                shrink(rgb, self.detail)
            };
            let bytes = rgb.as_raw().len();
            Ok((rgb, bytes))
        })
    }

    /// A whole photograph, and its name.
    pub(crate) fn photograph(&self, rng: &mut Rng) -> Option<(Arc<RgbImage>, String)> {
        let name = rng.pick(&self.photographs).clone();
        Some((self.get(&name)?, name))
    }

    /// How many materials have tiles.
    pub(crate) fn materials(&self) -> usize {
        self.materials.len()
    }

    /// A tile of a material.
    pub(crate) fn tile(&self, material: usize, rng: &mut Rng) -> Option<Arc<RgbImage>> {
        let name = rng.pick(self.materials.get(material)?).clone();
        self.get(&name)
    }

    /// A background of any sort: part of a photograph, a material, or drawn.
    pub(crate) fn any(&self, size: usize, rng: &mut Rng) -> Option<RgbImage> {
        match rng.weighted(&[0.55, 0.25, 0.2]) {
            0 => {
                let (photograph, _) = self.photograph(rng)?;
                let whole = Picture::new(
                    (*photograph).clone(),
                    vec![NOTHING; (photograph.width() * photograph.height()) as usize],
                );
                let mirror = rng.chance(0.5);
                Some(
                    whole
                        .crop(rng.log_range(0.15, 1.0), 1.0, 0.0, mirror, size, rng)
                        .rgb,
                )
            }
            1 if !self.materials.is_empty() => {
                let material = rng.below(self.materials.len());
                let tile = Tile::new(self.tile(material, rng)?, size, rng);
                Some(RgbImage::from_fn(size as u32, size as u32, |x, y| {
                    image::Rgb(tile.at(x as f32, y as f32))
                }))
            }
            _ => {
                let surface = Material::any(size, rng);
                Some(RgbImage::from_fn(size as u32, size as u32, |x, y| {
                    image::Rgb(
                        surface
                            .at(x as f32, y as f32)
                            .map(|c| (c.clamp(0.0, 1.0) * 255.0) as u8),
                    )
                }))
            }
        }
    }
}

/// A material that goes on for ever, at some scale and angle.
#[derive(Clone)]
pub(crate) struct Tile {
    rgb: Arc<RgbImage>,
    turn: (f32, f32),
    offset: [f32; 2],
}

impl Tile {
    pub(crate) fn new(rgb: Arc<RgbImage>, size: usize, rng: &mut Rng) -> Self {
        // At most 1.6 of the tile's pixels for one of the picture: beyond that, nothing but aliasing is left.
        let zoom = rng.log_range(0.5, (128.0 / size as f32).clamp(0.8, 1.6));
        let angle = rng.angle();
        Self {
            rgb,
            turn: (zoom * angle.cos(), zoom * angle.sin()),
            offset: [rng.range(0.0, 999.0), rng.range(0.0, 999.0)],
        }
    }

    /// Another part of it.
    pub(crate) fn again(&self, rng: &mut Rng) -> Self {
        let (sin, cos) = (rng.normal() * 0.3).sin_cos();
        let zoom = rng.log_range(0.85, 1.18);
        let (a, b) = self.turn;
        Self {
            rgb: Arc::clone(&self.rgb),
            turn: ((a * cos - b * sin) * zoom, (a * sin + b * cos) * zoom),
            offset: [rng.range(0.0, 999.0), rng.range(0.0, 999.0)],
        }
    }

    pub(crate) fn at(&self, x: f32, y: f32) -> [u8; 3] {
        let (cos, sin) = self.turn;
        let (u, v) = (
            x * cos - y * sin + self.offset[0],
            x * sin + y * cos + self.offset[1],
        );
        let (width, height) = (self.rgb.width(), self.rgb.height());
        let (left, top) = (u.floor(), v.floor());
        let (s, t) = (u - left, v - top);
        let get = |dx: i32, dy: i32| {
            let x = (left as i32 + dx).rem_euclid(width as i32) as u32;
            let y = (top as i32 + dy).rem_euclid(height as i32) as u32;
            self.rgb.get_pixel(x, y).0.map(f32::from)
        };
        let (a, b, c, d) = (get(0, 0), get(1, 0), get(0, 1), get(1, 1));
        std::array::from_fn(|i| {
            let upper = a[i] + (b[i] - a[i]) * s;
            let lower = c[i] + (d[i] - c[i]) * s;
            (upper + (lower - upper) * t + 0.5) as u8
        })
    }
}

/// How large samples are, and how much memory may be spent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// Width and height of a sample in pixels.
    pub(crate) size: u32,
    /// Bytes for everything that is kept decoded.
    pub(crate) cache: usize,
}

/// Averages a picture down until no side is longer than `longest`.
pub(crate) fn shrink<P>(picture: ImageBuffer<P, Vec<u8>>, longest: u32) -> ImageBuffer<P, Vec<u8>>
where
    P: image::Pixel<Subpixel = u8> + 'static,
{
    let (width, height) = picture.dimensions();
    let side = width.max(height);
    if side <= longest {
        return picture;
    }
    let to = |length: u32| (length * longest / side).max(1);
    imageops::thumbnail(&picture, to(width), to(height))
}

/// Decodes a file to RGB.
pub(crate) fn decode(files: &Files, name: &str) -> Result<RgbImage, SamplesError> {
    let bytes = files.read(name)?;
    seggpt_imaging::read::decode(&bytes, name).map_err(|error| SamplesError::Content {
        path: files.path(name),
        reason: error.to_string(),
    })
}

/// Decodes a file in its own depth and channels.
pub(crate) fn stored(files: &Files, name: &str) -> Result<image::DynamicImage, SamplesError> {
    let bytes = files.read(name)?;
    seggpt_imaging::read::stored(&bytes, name).map_err(|error| SamplesError::Content {
        path: files.path(name),
        reason: error.to_string(),
    })
}
