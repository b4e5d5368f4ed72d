use std::{fmt, str::FromStr};

use arrow::{array::ArrayRef, datatypes::Float32Type};

use crate::{
    Class, ContractError, Example, Parameters, Payload, Prompted, SegType, Square,
    fields::{Reader, Writer},
    prompted::{one_size, read_classes, read_kind, write_classes},
};

const MESSAGE: &str = "Canvases";

/// What the network is asked: N canvases, each a prompt image over the query and a prompt mask over what is to be painted.
/// The query is the same in all of them and travels once.
///
/// Payload: Struct of one row. `canvas`: side S; `query`: S x S x 3 bytes; `prompt_names`, `prompt_scores`: N entries;
/// `prompt_images`, `prompt_masks`: N pictures of S x S x 3 bytes; `combine`; `ensemble`; classes and `type` as in `Prompted`.
#[derive(Clone, Debug, PartialEq)]
pub struct Canvases {
    /// The picture to segment, resized to S x S.
    pub query: Square,
    /// The upper halves; at least one.
    pub prompts: Vec<Prompt>,
    /// How the N answers become one.
    pub combine: Combine,
    /// The strategy that laid the canvases out.
    pub ensemble: String,
    /// The classes that the masks may show.
    pub classes: Vec<Class>,
    /// Which type token the network gets.
    pub kind: SegType,
}

/// The upper half of a canvas.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// The example, or examples, it was made of.
    pub name: String,
    /// The prompt image.
    pub image: Square,
    /// Its painted mask.
    pub mask: Square,
    /// The example's score.
    pub score: f32,
}

impl Canvases {
    /// Lays prompts over the picture of `prompted`, with its classes and type.
    ///
    /// # Errors
    /// As [`Prompted::query_square`].
    pub fn new(
        prompted: &Prompted,
        prompts: Vec<Prompt>,
        combine: Combine,
        ensemble: &str,
    ) -> Result<Self, ContractError> {
        Ok(Self {
            query: prompted.query_square()?,
            prompts,
            combine,
            ensemble: ensemble.into(),
            classes: prompted.classes.clone(),
            kind: prompted.kind,
        })
    }
}

/// The whole canvas goes to one example.
impl From<Example> for Prompt {
    fn from(example: Example) -> Self {
        let Example {
            name,
            image,
            mask,
            score,
        } = example;
        Self {
            name,
            image,
            mask,
            score,
        }
    }
}

/// How N canvases become one answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Combine {
    /// Inside the network: the query's features are averaged over the prompts after every attention (SegGPT, section 3.3).
    #[default]
    Feature,
    /// Inside the network: in every attention the query sees all prompts at once, and each part of it takes from the prompt
    /// that is most like it.
    Joint,
    /// After it: every canvas is answered on its own and the answers vote pixel by pixel.
    Vote,
}

impl fmt::Display for Combine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Feature => "feature",
            Self::Joint => "joint",
            Self::Vote => "vote",
        })
    }
}

impl FromStr for Combine {
    type Err = ContractError;

    fn from_str(text: &str) -> Result<Self, ContractError> {
        match text {
            "feature" => Ok(Self::Feature),
            "joint" => Ok(Self::Joint),
            "vote" => Ok(Self::Vote),
            _ => Err(ContractError::WrongValue {
                message: MESSAGE,
                key: "combine".into(),
                found: text.into(),
                expected: "feature, joint or vote".into(),
            }),
        }
    }
}

impl Payload for Canvases {
    const URN: &'static str = "seggpt/flow/v1/Canvases";

    fn write(&self, _: &mut Parameters) -> Result<ArrayRef, ContractError> {
        let size = one_size(
            MESSAGE,
            self.prompts
                .iter()
                .flat_map(|p| [&p.image, &p.mask])
                .chain([&self.query]),
        )?;
        let writer = Writer::default()
            .u32("canvas", size)
            .bytes("query", Square::join([&self.query]))
            .texts("prompt_names", self.prompts.iter().map(|p| p.name.as_str()))
            .numbers::<Float32Type>("prompt_scores", self.prompts.iter().map(|p| p.score))
            .bytes(
                "prompt_images",
                Square::join(self.prompts.iter().map(|p| &p.image)),
            )
            .bytes(
                "prompt_masks",
                Square::join(self.prompts.iter().map(|p| &p.mask)),
            )
            .text("combine", &self.combine.to_string())
            .text("ensemble", &self.ensemble);
        Ok(write_classes(writer, self.classes.iter())
            .text("type", &self.kind.to_string())
            .finish())
    }

    fn read(array: &ArrayRef, _: &mut Parameters) -> Result<Self, ContractError> {
        let row = Reader::new(MESSAGE, array)?;
        let size = row.side("canvas")?;
        let names = row.texts("prompt_names")?;
        if names.is_empty() {
            return Err(ContractError::MissingKey {
                message: MESSAGE,
                key: "prompt_names".into(),
                place: "(at least one prompt is needed)",
            });
        }
        let scores = row.floats("prompt_scores")?;
        row.same_length(&[
            ("prompt_names", names.len()),
            ("prompt_scores", scores.len()),
        ])?;
        let images = Square::split(
            MESSAGE,
            "prompt_images",
            size,
            names.len(),
            &row.bytes("prompt_images")?,
        )?;
        let masks = Square::split(
            MESSAGE,
            "prompt_masks",
            size,
            names.len(),
            &row.bytes("prompt_masks")?,
        )?;
        let prompts = names.into_iter().zip(images).zip(masks).zip(scores);
        Ok(Self {
            query: Square::new(size, row.bytes("query")?)?,
            prompts: prompts
                .map(|(((name, image), mask), score)| Prompt {
                    name,
                    image,
                    mask,
                    score,
                })
                .collect(),
            combine: row.text("combine")?.parse()?,
            ensemble: row.text("ensemble")?.into(),
            classes: read_classes(&row)?,
            kind: read_kind(MESSAGE, &row)?,
        })
    }
}
