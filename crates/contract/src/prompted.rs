use arrow::{
    array::ArrayRef,
    datatypes::{Float32Type, UInt8Type, UInt16Type},
};
use seggpt_imaging::resize::bicubic;

use crate::{
    Class, ContractError, Parameters, Payload, Picture, SegType, Square,
    fields::{Reader, Writer},
};

const MESSAGE: &str = "Prompted";

/// A picture and the K examples that are to guide it.
///
/// Payload: Struct of one row. `width`, `height`, `encoding`, `data`: the picture; `canvas`: side S of the examples;
/// `example_names`, `example_scores`: K entries; `example_images`, `example_masks`: K pictures of S x S x 3 bytes, one
/// after another; `class_ids`, `class_names`, `class_colors` (3 bytes a class); `type`; `selection`;
/// `warnings`.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompted {
    /// The picture, at its own size.
    pub image: Picture,
    /// The examples, most helpful first; at least one, all of one size.
    pub examples: Vec<Example>,
    /// The classes that the examples' masks may show; background is not among them.
    pub classes: Vec<Class>,
    /// Which type token the network gets.
    pub kind: SegType,
    /// The strategy that chose the examples.
    pub selection: String,
    /// What was wrong with the prompt library, for the report of the run.
    pub warnings: Vec<String>,
}

/// A prompt at the network's size.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// Its name in the prompt library.
    pub name: String,
    /// The prompt image.
    pub image: Square,
    /// Its mask, painted in class colours over black.
    pub mask: Square,
    /// How well it fits the picture, as the strategy counts; larger is better.
    pub score: f32,
}

impl Prompted {
    /// Side of the examples in pixels: the network's S.
    ///
    /// # Errors
    /// There is no example, or they differ.
    pub fn size(&self) -> Result<u32, ContractError> {
        one_size(
            MESSAGE,
            self.examples.iter().flat_map(|e| [&e.image, &e.mask]),
        )
    }

    /// The picture as the network takes it: decoded, and resized to the examples' side (bicubic, exactly as Pillow does it).
    ///
    /// # Errors
    /// The picture does not decode; or as [`size`](Self::size).
    pub fn query_square(&self) -> Result<Square, ContractError> {
        let size = self.size()?;
        Square::from_rgb(bicubic(&self.image.rgb()?, size, size))
    }
}

impl Payload for Prompted {
    const URN: &'static str = "seggpt/flow/v1/Prompted";

    fn write(&self, _: &mut Parameters) -> Result<ArrayRef, ContractError> {
        let size = self.size()?;
        let writer = Writer::default()
            .u32("width", self.image.width())
            .u32("height", self.image.height())
            .text("encoding", self.image.encoding().name())
            .bytes("data", self.image.buffer())
            .u32("canvas", size)
            .texts(
                "example_names",
                self.examples.iter().map(|e| e.name.as_str()),
            )
            .numbers::<Float32Type>("example_scores", self.examples.iter().map(|e| e.score))
            .bytes(
                "example_images",
                Square::join(self.examples.iter().map(|e| &e.image)),
            )
            .bytes(
                "example_masks",
                Square::join(self.examples.iter().map(|e| &e.mask)),
            );
        Ok(write_classes(writer, self.classes.iter())
            .text("type", &self.kind.to_string())
            .text("selection", &self.selection)
            .texts("warnings", self.warnings.iter().map(String::as_str))
            .finish())
    }

    fn read(array: &ArrayRef, _: &mut Parameters) -> Result<Self, ContractError> {
        let row = Reader::new(MESSAGE, array)?;
        let image = Picture::new(
            row.side("width")?,
            row.side("height")?,
            row.text("encoding")?.parse()?,
            row.bytes("data")?,
        )?;
        let size = row.side("canvas")?;
        let names = row.texts("example_names")?;
        let scores = row.floats("example_scores")?;
        if names.is_empty() {
            return Err(ContractError::MissingKey {
                message: MESSAGE,
                key: "example_names".into(),
                place: "(at least one example is needed)",
            });
        }
        row.same_length(&[
            ("example_names", names.len()),
            ("example_scores", scores.len()),
        ])?;
        let images = Square::split(
            MESSAGE,
            "example_images",
            size,
            names.len(),
            &row.bytes("example_images")?,
        )?;
        let masks = Square::split(
            MESSAGE,
            "example_masks",
            size,
            names.len(),
            &row.bytes("example_masks")?,
        )?;
        let examples = names.into_iter().zip(images).zip(masks).zip(scores);
        Ok(Self {
            image,
            examples: examples
                .map(|(((name, image), mask), score)| Example {
                    name,
                    image,
                    mask,
                    score,
                })
                .collect(),
            classes: read_classes(&row)?,
            kind: read_kind(MESSAGE, &row)?,
            selection: row.text("selection")?.into(),
            warnings: row.texts("warnings")?,
        })
    }
}

/// The one side that all squares have.
pub(crate) fn one_size<'a>(
    message: &'static str,
    squares: impl IntoIterator<Item = &'a Square>,
) -> Result<u32, ContractError> {
    let mut squares = squares.into_iter();
    let first = squares.next().ok_or(ContractError::MissingKey {
        message,
        key: "examples".into(),
        place: "(at least one is needed)",
    })?;
    match squares.find(|square| square.size() != first.size()) {
        None => Ok(first.size()),
        Some(other) => Err(ContractError::WrongValue {
            message,
            key: "examples".into(),
            found: format!("{0} x {0}", other.size()),
            expected: format!("{0} x {0}, as the first is", first.size()),
        }),
    }
}

pub(crate) fn write_classes<'a>(
    writer: Writer,
    classes: impl Iterator<Item = &'a Class> + Clone,
) -> Writer {
    writer
        .numbers::<UInt16Type>("class_ids", classes.clone().map(|c| c.id))
        .texts("class_names", classes.clone().map(|c| c.name.as_str()))
        .numbers::<UInt8Type>("class_colors", classes.flat_map(|c| c.color))
}

pub(crate) fn read_classes(row: &Reader) -> Result<Vec<Class>, ContractError> {
    let ids = row.numbers::<UInt16Type>("class_ids")?;
    let names = row.texts("class_names")?;
    let colors = row.numbers::<UInt8Type>("class_colors")?;
    row.same_length(&[
        ("class_ids", ids.len() * 3),
        ("class_names", names.len() * 3),
        ("class_colors", colors.len()),
    ])?;
    let colors = colors.chunks_exact(3).map(|c| [c[0], c[1], c[2]]);
    Ok(ids
        .into_iter()
        .zip(names)
        .zip(colors)
        .map(|((id, name), color)| Class { id, name, color })
        .collect())
}

pub(crate) fn read_kind(message: &'static str, row: &Reader) -> Result<SegType, ContractError> {
    let text = row.text("type")?;
    text.parse().map_err(|_| ContractError::WrongValue {
        message,
        key: "type".into(),
        found: text.into(),
        expected: "semantic or instance".into(),
    })
}
