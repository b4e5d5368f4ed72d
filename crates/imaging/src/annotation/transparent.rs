//! Transparency in masks is data: what is transparent is background. Where all that is opaque has one colour that says
//! nothing (white, or black), the shape itself is in the transparency.

use image::{GrayAlphaImage, ImageBuffer, LumaA, RgbImage, RgbaImage};

use super::MaskFile;
use crate::{
    BLACK, Rgb, WHITE,
    read::{Note, NoteKind},
};

/// Grey of 8 bits with opacity.
pub(super) fn grey(size: (u32, u32), pixels: &GrayAlphaImage) -> (MaskFile, Option<Note>) {
    let values = || pixels.pixels().map(|pixel| (pixel.0[0], pixel.0[1]));
    match Opacity::of(values(), |value| matches!(value, 0 | u8::MAX)) {
        Opacity::Full => (
            MaskFile::Grey {
                size,
                values: values().map(|(value, _)| value).collect(),
            },
            None,
        ),
        Opacity::Shape(shape) => shaped(size, shape),
        Opacity::Background => {
            let seen = |(value, opacity): (u8, u8)| if opacity > HALF { value } else { 0 };
            let values = values().map(seen).collect();
            (MaskFile::Grey { size, values }, Some(background()))
        }
    }
}

/// Grey of 16 bits with opacity.
pub(super) fn deep(
    size: (u32, u32),
    pixels: &ImageBuffer<LumaA<u16>, Vec<u16>>,
) -> (MaskFile, Option<Note>) {
    let values = || {
        pixels
            .pixels()
            .map(|pixel| (pixel.0[0], (pixel.0[1] >> 8) as u8))
    };
    match Opacity::of(values(), |value| matches!(value, 0 | u16::MAX)) {
        Opacity::Full => (
            MaskFile::Deep {
                size,
                values: values().map(|(value, _)| value).collect(),
            },
            None,
        ),
        Opacity::Shape(shape) => shaped(size, shape),
        Opacity::Background => {
            let seen = |(value, opacity): (u16, u8)| if opacity > HALF { value } else { 0 };
            let values = values().map(seen).collect();
            (MaskFile::Deep { size, values }, Some(background()))
        }
    }
}

/// Colours with opacity.
pub(super) fn colors(pixels: &RgbaImage) -> (MaskFile, Option<Note>) {
    let values = || {
        pixels.pixels().map(|pixel| {
            let [r, g, b, opacity] = pixel.0;
            ([r, g, b], opacity)
        })
    };
    let seen = |(color, opacity): (Rgb, u8)| if opacity > HALF { color } else { BLACK };
    let opaque = |whole: bool| {
        let color = |pixel: (Rgb, u8)| if whole { pixel.0 } else { seen(pixel) };
        let raw = values().flat_map(color).collect();
        let picture = RgbImage::from_raw(pixels.width(), pixels.height(), raw);
        MaskFile::Rgb(picture.expect("one colour per pixel"))
    };
    match Opacity::of(values(), |color| matches!(color, BLACK | WHITE)) {
        Opacity::Full => (opaque(true), None),
        Opacity::Shape(shape) => shaped(pixels.dimensions(), shape),
        Opacity::Background => (opaque(false), Some(background())),
    }
}

/// Palette indices, `opacity` by index (those beyond its end are opaque). `None` where the indices alone do not say what is
/// background.
pub(super) fn palette(
    size: (u32, u32),
    mut indices: Vec<u8>,
    colors: Vec<Rgb>,
    opacity: &[u8],
) -> Option<(MaskFile, Option<Note>)> {
    let mut used = [false; 256];
    indices
        .iter()
        .for_each(|&index| used[usize::from(index)] = true);
    let is_clear = |index: usize| opacity.get(index).is_some_and(|&opacity| opacity <= HALF);
    let of_use = |clear: bool| {
        (0..colors.len()).filter(move |&index| used[index] && is_clear(index) == clear)
    };
    let mut note = None;
    if of_use(true).any(|index| index != 0) {
        let one_color = of_use(false).all(|index| matches!(colors[index], BLACK | WHITE));
        let zero_is_a_class = used[0] && !is_clear(0) && colors[0] != BLACK;
        if one_color || zero_is_a_class {
            return None;
        }
        let clear: Vec<bool> = (0..256).map(is_clear).collect();
        for index in indices
            .iter_mut()
            .filter(|index| clear[usize::from(**index)])
        {
            *index = 0;
        }
        note = Some(background());
    }
    Some((
        MaskFile::Palette {
            size,
            indices,
            colors,
        },
        note,
    ))
}

const HALF: u8 = 127;

/// What the opacity of a mask says.
enum Opacity {
    /// Nothing.
    Full,
    /// The mask: opacity of each pixel, the most opaque as 255.
    Shape(Vec<u8>),
    /// What is background.
    Background,
}

impl Opacity {
    /// `says_nothing`: colours that do not name a class by themselves.
    fn of<T: Copy + PartialEq>(
        pixels: impl Iterator<Item = (T, u8)> + Clone,
        says_nothing: impl Fn(T) -> bool,
    ) -> Self {
        let most = pixels
            .clone()
            .map(|(_, opacity)| opacity)
            .max()
            .unwrap_or(u8::MAX);
        if pixels.clone().all(|(_, opacity)| opacity == u8::MAX) {
            return Self::Full;
        }
        let mut visible = pixels
            .clone()
            .filter(|(_, opacity)| *opacity > 0)
            .map(|(color, _)| color);
        let Some(first) = visible.next() else {
            return Self::Shape(pixels.map(|_| 0).collect());
        };
        if !says_nothing(first) || visible.any(|color| color != first) {
            return Self::Background;
        }
        let share = |opacity: u8| (u16::from(opacity) * 255 / u16::from(most)) as u8;
        Self::Shape(pixels.map(|(_, opacity)| share(opacity)).collect())
    }
}

fn shaped(size: (u32, u32), values: Vec<u8>) -> (MaskFile, Option<Note>) {
    let text = "the marks are in the transparency: what is opaque is marked";
    (
        MaskFile::Shape { size, values },
        Some(Note::new(NoteKind::Transparency, text)),
    )
}

fn background() -> Note {
    Note::new(NoteKind::Transparency, "transparent parts are background")
}
