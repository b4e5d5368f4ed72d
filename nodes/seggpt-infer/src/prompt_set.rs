use std::borrow::Cow;

use eyre::Result;
use seggpt::{Device, Ensemble, pixels};
use seggpt_contract::{Canvases, Combine, Prompt, SegType, Square};
use seggpt_imaging::{
    BLACK, Rgb, RgbImage,
    resize::{bicubic, nearest_rgb},
};

/// All that prepared prompts depend on. Owns its bytes: those of a message stay in shared memory while they are held.
#[derive(PartialEq)]
pub(crate) struct PromptSet {
    pub(crate) images: Vec<u8>,
    pub(crate) masks: Vec<u8>,
    pub(crate) count: usize,
    pub(crate) size: u32,
    pub(crate) kind: SegType,
    pub(crate) ensemble: Ensemble,
    /// Background and the classes' colours.
    pub(crate) palette: Vec<Rgb>,
}

impl PromptSet {
    /// Whether two canvases have the same set, without a copy of either.
    pub(crate) fn is_shared(a: &Canvases, b: &Canvases) -> bool {
        let alike = |(a, b): (&Prompt, &Prompt)| a.image == b.image && a.mask == b.mask;
        (a.kind, a.combine, a.query.size()) == (b.kind, b.combine, b.query.size())
            && a.classes == b.classes
            && a.prompts.len() == b.prompts.len()
            && a.prompts.iter().zip(&b.prompts).all(alike)
    }

    pub(crate) fn of(canvases: &Canvases) -> Self {
        let joined = |part: fn(&Prompt) -> &Square| {
            let parts: Vec<_> = canvases.prompts.iter().map(|p| part(p).bytes()).collect();
            parts.concat()
        };
        Self {
            images: joined(|p| &p.image),
            masks: joined(|p| &p.mask),
            count: canvases.prompts.len(),
            size: canvases.query.size(),
            kind: canvases.kind,
            ensemble: match canvases.combine {
                Combine::Feature => Ensemble::Feature,
                Combine::Joint => Ensemble::Joint,
                Combine::Vote => Ensemble::Independent,
            },
            palette: palette(canvases),
        }
    }

    /// The pictures and the masks, one after another, at the side `size`.
    pub(crate) fn at_size(&self, size: u32) -> [Cow<'_, [u8]>; 2] {
        [
            at_size(&self.images, self.size, size, bicubic),
            at_size(&self.masks, self.size, size, nearest_rgb),
        ]
    }
}

/// A label that no palette has.
pub(crate) const UNKNOWN: u16 = u16::MAX;

/// Of each pixel the colour's number in a palette, [`UNKNOWN`] for any other.
pub(crate) fn labels(mask: &[u8], palette: &[Rgb]) -> Vec<u16> {
    let label = |pixel: &[u8; 3]| {
        let at = palette.iter().position(|color| color == pixel);
        at.map_or(UNKNOWN, |at| at as u16)
    };
    mask.as_chunks().0.iter().map(label).collect()
}

/// Background and the classes' colours.
pub(crate) fn palette(canvases: &Canvases) -> Vec<Rgb> {
    let colors = canvases.classes.iter().map(|class| class.color);
    [BLACK].into_iter().chain(colors).collect()
}

/// Pictures of the side `from`, one after another, at the side `to`.
pub(crate) fn at_size(
    pictures: &[u8],
    from: u32,
    to: u32,
    resize: fn(&RgbImage, u32, u32) -> RgbImage,
) -> Cow<'_, [u8]> {
    if from == to {
        return pictures.into();
    }
    let resized = |bytes: &[u8]| {
        let picture = RgbImage::from_raw(from, from, bytes.to_vec()).expect("a chunk is a square");
        resize(&picture, to, to).into_raw()
    };
    let squares = pictures.chunks_exact((from * from * 3) as usize);
    squares.flat_map(resized).collect()
}

pub(crate) fn picture(
    bytes: &[u8],
    count: usize,
    size: u32,
    device: &Device,
) -> Result<seggpt::Tensor> {
    let side = size as usize;
    Ok(pixels::normalise(bytes, count, side, side, device)?)
}
