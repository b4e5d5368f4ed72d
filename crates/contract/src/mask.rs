use std::collections::BTreeMap;

use arrow::{
    array::ArrayRef,
    buffer::{Buffer, ScalarBuffer},
    datatypes::{Float32Type, UInt16Type, UInt32Type, UInt64Type},
};
use serde::{Deserialize, Serialize};

use crate::{
    Class, ContractError, Encoding, Parameters, Payload, Shares, Square,
    fields::{Reader, Writer},
    plane,
    prompted::{read_classes, write_classes},
};

const MESSAGE: &str = "Mask";

/// The answer: which class each pixel of the source picture belongs to, and how sure that is.
///
/// Payload: Struct of one row. `width`, `height`; `mask`: class ids row by row, `mask_encoding` = `label8`, `label16`
/// (little-endian), `png8` or `png16` (large ones); `confidence`: a byte a pixel, `confidence_encoding` = `mono8` or `png8`;
/// `class_ids`, `class_names`, `class_colors`, `class_pixels`, `class_confidence`; `painted_size`, `painted`; `instances`
/// (empty, or as `mask`, 16 bit), `instance_classes`, `instance_boxes` (x, y, width, height each), `instance_pixels`,
/// `instance_confidence`; `shares` (empty, or a plane a class), `shares_encoding` = `none`, `mono8` or `png8`, `shares_size`,
/// `shares_threshold` (none or one); `provenance` as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// Width of the source picture.
    pub width: u32,
    /// Height of the source picture.
    pub height: u32,
    /// The class id of each pixel, row by row; 0 is background.
    pub ids: ClassIds,
    /// 0 (two classes equally near) to 255 (exactly a class's colour) for each pixel.
    pub confidence: Buffer,
    /// Every class that the prompts showed, with its share of the picture.
    pub classes: Vec<ClassResult>,
    /// The network's own answer at its own resolution, in class colours.
    pub painted: Square,
    /// Connected regions, where asked for.
    pub instances: Option<Instances>,
    /// What the ids were decided from, where asked for: a plane for each of `classes`.
    pub shares: Option<Shares>,
    /// How the answer came about.
    pub provenance: Provenance,
}

/// Class ids, one a pixel. Cloning shares them.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassIds {
    /// Ids up to 255.
    U8(Buffer),
    /// Ids beyond 255.
    U16(ScalarBuffer<u16>),
}

impl ClassIds {
    /// The narrowest layout that holds these ids.
    pub fn from_ids(ids: Vec<u16>) -> Self {
        match ids.iter().max() {
            Some(256..) => Self::U16(ids.into()),
            _ => Self::U8(
                ids.into_iter()
                    .map(|id| id as u8)
                    .collect::<Vec<u8>>()
                    .into(),
            ),
        }
    }

    /// All ids, widened.
    pub fn iter(&self) -> Box<dyn Iterator<Item = u16> + '_> {
        match self {
            Self::U8(ids) => Box::new(ids.iter().map(|&id| u16::from(id))),
            Self::U16(ids) => Box::new(ids.iter().copied()),
        }
    }

    /// All ids in a list of their own.
    pub fn to_vec(&self) -> Vec<u16> {
        match self {
            Self::U8(ids) => ids.iter().map(|&id| u16::from(id)).collect(),
            Self::U16(ids) => ids.to_vec(),
        }
    }

    /// How many pixels.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(ids) => ids.len(),
            Self::U16(ids) => ids.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn bits(&self) -> u8 {
        match self {
            Self::U8(_) => 8,
            Self::U16(_) => 16,
        }
    }

    /// As a grey picture's encoding and bytes.
    pub(crate) fn picture(&self) -> (Encoding, Buffer) {
        let encoding = match self {
            Self::U8(_) => Encoding::Mono8,
            Self::U16(_) => Encoding::Mono16,
        };
        (encoding, self.buffer())
    }

    fn buffer(&self) -> Buffer {
        match self {
            Self::U8(ids) => ids.clone(),
            Self::U16(ids) => ids.inner().clone(),
        }
    }
}

/// A class and how much of the picture it got.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassResult {
    /// The class.
    #[serde(flatten)]
    pub class: Class,
    /// Its pixels.
    pub pixels: u64,
    /// Mean confidence over its pixels, 0 to 1; 0 where it has none.
    pub confidence: f32,
}

/// Connected regions of one class each.
#[derive(Clone, Debug, PartialEq)]
pub struct Instances {
    /// The region of each pixel: 0 none, else 1 + index into `table`.
    pub map: ScalarBuffer<u16>,
    /// The regions.
    pub table: Vec<Instance>,
}

/// A connected region.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Id of its class.
    pub class: u16,
    /// x, y, width, height in pixels.
    pub bbox: [u32; 4],
    /// Its pixels.
    pub pixels: u64,
    /// Mean confidence over its pixels, 0 to 1.
    pub confidence: f32,
}

/// How an answer came about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The model's name or path.
    pub model: String,
    /// False for a model with random weights: its masks mean nothing.
    pub trained: bool,
    /// `cpu`, `cuda:0`, ...
    pub device: String,
    /// `f32`, `bf16`, ...
    pub dtype: String,
    /// The strategy that laid out the canvases.
    pub ensemble: String,
    /// `semantic` or `instance`.
    pub r#type: String,
    /// Names and scores of the prompts used.
    pub prompts: Vec<(String, f32)>,
    /// Milliseconds by stage.
    pub milliseconds: BTreeMap<String, f64>,
    /// Version of dora-seggpt.
    pub version: String,
}

impl Payload for Mask {
    const URN: &'static str = "seggpt/flow/v1/Mask";

    fn write(&self, _: &mut Parameters) -> Result<ArrayRef, ContractError> {
        let (width, height) = (self.width, self.height);
        let (ids, ids_png) = plane::pack(
            MESSAGE,
            "mask",
            &self.ids.buffer(),
            width,
            height,
            self.ids.bits(),
        )?;
        let (confidence, confidence_png) =
            plane::pack(MESSAGE, "confidence", &self.confidence, width, height, 8)?;
        let (instances, instances_png) = match &self.instances {
            Some(instances) => plane::pack(
                MESSAGE,
                "instances",
                instances.map.inner(),
                width,
                height,
                16,
            )?,
            None => (Buffer::from_vec(Vec::<u8>::new()), false),
        };
        let (shares, shares_encoding, shares_size) = self.pack_shares()?;
        let table = self
            .instances
            .as_ref()
            .map(|instances| instances.table.as_slice())
            .unwrap_or_default();
        let writer = Writer::default()
            .u32("width", width)
            .u32("height", height)
            .bytes("mask", ids)
            .text("mask_encoding", labels(self.ids.bits(), ids_png))
            .bytes("confidence", confidence)
            .text(
                "confidence_encoding",
                if confidence_png { "png8" } else { "mono8" },
            );
        Ok(write_classes(writer, self.classes.iter().map(|c| &c.class))
            .numbers::<UInt64Type>("class_pixels", self.classes.iter().map(|c| c.pixels))
            .numbers::<Float32Type>(
                "class_confidence",
                self.classes.iter().map(|c| c.confidence),
            )
            .u32("painted_size", self.painted.size())
            .bytes("painted", Square::join([&self.painted]))
            .bytes("instances", instances)
            .text(
                "instances_encoding",
                match &self.instances {
                    Some(_) => labels(16, instances_png),
                    None => "none",
                },
            )
            .numbers::<UInt16Type>("instance_classes", table.iter().map(|i| i.class))
            .numbers::<UInt32Type>("instance_boxes", table.iter().flat_map(|i| i.bbox))
            .numbers::<UInt64Type>("instance_pixels", table.iter().map(|i| i.pixels))
            .numbers::<Float32Type>("instance_confidence", table.iter().map(|i| i.confidence))
            .bytes("shares", shares)
            .text("shares_encoding", shares_encoding)
            .u32("shares_size", shares_size)
            .numbers::<Float32Type>(
                "shares_threshold",
                self.shares.iter().map(Shares::threshold),
            )
            .text(
                "provenance",
                &serde_json::to_string(&self.provenance).expect("plain data serialises"),
            )
            .finish())
    }

    fn read(array: &ArrayRef, _: &mut Parameters) -> Result<Self, ContractError> {
        let row = Reader::new(MESSAGE, array)?;
        let (width, height) = (row.side("width")?, row.side("height")?);
        let unpack = |name, encoding: &str, allowed: &[&str]| {
            if !allowed.contains(&encoding) {
                let key = format!("{name}_encoding");
                return Err(ContractError::WrongValue {
                    message: MESSAGE,
                    key,
                    found: encoding.into(),
                    expected: allowed.join(" or "),
                });
            }
            let bits = if encoding.ends_with("16") { 16 } else { 8 };
            plane::unpack(
                MESSAGE,
                name,
                row.bytes(name)?,
                encoding.starts_with("png"),
                width,
                height,
                bits,
            )
        };
        let encoding = row.text("mask_encoding")?;
        let ids = unpack("mask", encoding, &["label8", "label16", "png8", "png16"])?;
        let provenance = row.text("provenance")?;
        let classes = read_results(&row)?;
        Ok(Self {
            width,
            height,
            ids: if encoding.ends_with("16") {
                ClassIds::U16(samples(ids))
            } else {
                ClassIds::U8(ids)
            },
            confidence: unpack(
                "confidence",
                row.text("confidence_encoding")?,
                &["mono8", "png8"],
            )?,
            shares: read_shares(&row, classes.len())?,
            classes,
            painted: Square::new(row.side("painted_size")?, row.bytes("painted")?)?,
            instances: match row.text("instances_encoding")? {
                "none" => None,
                encoding => Some(Instances {
                    map: samples(unpack("instances", encoding, &["label16", "png16"])?),
                    table: read_table(&row)?,
                }),
            },
            provenance: serde_json::from_str(provenance).map_err(|error| {
                ContractError::WrongValue {
                    message: MESSAGE,
                    key: "provenance".into(),
                    found: provenance.into(),
                    expected: format!("JSON ({error})"),
                }
            })?,
        })
    }
}

impl Mask {
    /// The planes of the shares one below another, how they are encoded, and their side.
    fn pack_shares(&self) -> Result<(Buffer, &'static str, u32), ContractError> {
        let Some(shares) = &self.shares else {
            return Ok((Buffer::from_vec(Vec::<u8>::new()), "none", 0));
        };
        check_planes(shares, self.classes.len())?;
        let (side, rows) = (shares.side(), shares.side() * shares.classes() as u32);
        let (planes, png) = plane::pack(MESSAGE, "shares", shares.bytes(), side, rows, 8)?;
        Ok((planes, if png { "png8" } else { "mono8" }, side))
    }
}

/// A message of one that knows no shares has none.
fn read_shares(row: &Reader, classes: usize) -> Result<Option<Shares>, ContractError> {
    if !row.has("shares_encoding") {
        return Ok(None);
    }
    let png = match row.text("shares_encoding")? {
        "none" => return Ok(None),
        "mono8" => false,
        "png8" => true,
        other => {
            return Err(ContractError::WrongValue {
                message: MESSAGE,
                key: "shares_encoding".into(),
                found: other.into(),
                expected: "none, mono8 or png8".into(),
            });
        }
    };
    let side = row.side("shares_size")?;
    let rows = u32::try_from(u64::from(side) * classes as u64).unwrap_or(u32::MAX);
    let planes = plane::unpack(MESSAGE, "shares", row.bytes("shares")?, png, side, rows, 8)?;
    let threshold = row.floats("shares_threshold")?.first().copied();
    let shares = Shares::new(side, planes, threshold.unwrap_or(f32::NAN))?;
    check_planes(&shares, classes)?;
    Ok(Some(shares))
}

fn check_planes(shares: &Shares, classes: usize) -> Result<(), ContractError> {
    if shares.classes() == classes {
        return Ok(());
    }
    Err(ContractError::WrongValue {
        message: MESSAGE,
        key: "shares".into(),
        found: format!("{} planes", shares.classes()),
        expected: format!("{classes}, one a class"),
    })
}

fn labels(bits: u8, png: bool) -> &'static str {
    match (bits, png) {
        (16, true) => "png16",
        (16, false) => "label16",
        (_, true) => "png8",
        (_, false) => "label8",
    }
}

/// 16-bit samples; copied only where the payload lies at an odd address.
fn samples(data: Buffer) -> ScalarBuffer<u16> {
    if data.as_ptr().cast::<u16>().is_aligned() {
        ScalarBuffer::from(data)
    } else {
        data.chunks_exact(2)
            .map(|p| u16::from_le_bytes([p[0], p[1]]))
            .collect()
    }
}

fn read_results(row: &Reader) -> Result<Vec<ClassResult>, ContractError> {
    let classes = read_classes(row)?;
    let pixels = row.numbers::<UInt64Type>("class_pixels")?;
    let confidence = row.floats("class_confidence")?;
    row.same_length(&[
        ("class_ids", classes.len()),
        ("class_pixels", pixels.len()),
        ("class_confidence", confidence.len()),
    ])?;
    let rows = classes.into_iter().zip(pixels).zip(confidence);
    Ok(rows
        .map(|((class, pixels), confidence)| ClassResult {
            class,
            pixels,
            confidence,
        })
        .collect())
}

fn read_table(row: &Reader) -> Result<Vec<Instance>, ContractError> {
    let classes = row.numbers::<UInt16Type>("instance_classes")?;
    let boxes = row.numbers::<UInt32Type>("instance_boxes")?;
    let pixels = row.numbers::<UInt64Type>("instance_pixels")?;
    let confidence = row.floats("instance_confidence")?;
    let n = classes.len() * 4;
    row.same_length(&[
        ("instance_classes", n),
        ("instance_boxes", boxes.len()),
        ("instance_pixels", pixels.len() * 4),
        ("instance_confidence", confidence.len() * 4),
    ])?;
    let boxes = boxes.chunks_exact(4).map(|b| [b[0], b[1], b[2], b[3]]);
    let rows = classes.into_iter().zip(boxes).zip(pixels).zip(confidence);
    Ok(rows
        .map(|(((class, bbox), pixels), confidence)| Instance {
            class,
            bbox,
            pixels,
            confidence,
        })
        .collect())
}
