use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Answer, Outline, name_of, outline, placed};
use crate::{Category, trace};

/// Label Studio's tasks with predictions, written picture by picture; [`label_studio_config`] is the labelling
/// configuration that goes with them.
///
/// A region is a polygon, or where it has holes, a brush. Pictures are addressed as files of local storage.
#[derive(Debug)]
pub struct LabelStudio<W: Write> {
    out: W,
    model: String,
    tasks: u64,
}

impl<W: Write> LabelStudio<W> {
    /// Begins the file; `model`: who answered.
    ///
    /// # Errors
    /// `out` refuses it.
    pub fn begin(mut out: W, model: &str) -> io::Result<Self> {
        write!(out, "[")?;
        Ok(Self {
            out,
            model: model.to_owned(),
            tasks: 0,
        })
    }

    /// Adds a picture and its things.
    ///
    /// # Errors
    /// `out` refuses it.
    pub fn add(&mut self, answer: &Answer<'_>, categories: &[Category]) -> io::Result<()> {
        let (width, height) = answer.size;
        let mut results = Vec::new();
        for thing in answer.things {
            let name = name_of(categories, thing.class);
            for region in trace::regions(answer.size, &thing.mask) {
                let mask = placed(&region, answer.size);
                let percent = |(at, side): (usize, &f64)| {
                    let whole = if at % 2 == 0 { width } else { height };
                    side / whole as f64 * 100.0
                };
                let (kind, from, value) = match outline(answer.size, &mask) {
                    Outline::Polygons(polygons) => {
                        let sides = polygons.iter().flatten().enumerate().map(percent);
                        let sides: Vec<f64> = sides.collect();
                        let (points, _) = sides.as_chunks::<2>();
                        let value =
                            json!({ "points": points, "closed": true, "polygonlabels": [name] });
                        ("polygonlabels", "polygon", value)
                    }
                    Outline::Runs(_) => {
                        let value =
                            json!({ "format": "rle", "rle": brush(&mask), "brushlabels": [name] });
                        ("brushlabels", "brush", value)
                    }
                };
                results.push(json!({
                    "id": format!("r{}", results.len() + 1),
                    "type": kind, "from_name": from, "to_name": "image",
                    "original_width": width, "original_height": height, "image_rotation": 0,
                    "value": value, "score": thing.score,
                }));
            }
        }
        let scores = answer.things.iter().map(|thing| f64::from(thing.score));
        let score = scores.sum::<f64>() / answer.things.len().max(1) as f64;
        let task = json!({
            "data": { "image": format!("/data/local-files/?d={}", escaped(answer.name)) },
            "predictions": [{ "model_version": self.model, "score": score, "result": results }],
        });
        self.tasks += 1;
        let comma = if self.tasks > 1 { "," } else { "" };
        write!(self.out, "{comma}\n{task}")
    }

    /// Ends the file.
    ///
    /// # Errors
    /// `out` refuses it.
    pub fn end(mut self) -> io::Result<()> {
        writeln!(self.out, "\n]")?;
        self.out.flush()
    }
}

/// The labelling configuration: a brush and polygons for all classes, in their colours.
#[must_use]
pub fn label_studio_config(categories: &[Category]) -> String {
    let labels = |indent: &str| -> String {
        let label = |category: &Category| {
            let color = category.color.map(seggpt_imaging::color::hex);
            let color = color
                .map(|color| format!(" background=\"{color}\""))
                .unwrap_or_default();
            format!(
                "{indent}<Label value=\"{}\"{color}/>\n",
                xml(&category.name)
            )
        };
        categories.iter().map(label).collect()
    };
    let inner = labels("    ");
    format!(
        "<View>\n  <Image name=\"image\" value=\"$image\" zoom=\"true\"/>\n  <BrushLabels name=\"brush\" toName=\"image\">\n{inner}  \
         </BrushLabels>\n  <PolygonLabels name=\"polygon\" toName=\"image\">\n{inner}  </PolygonLabels>\n</View>\n"
    )
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// A path as the end of an address.
fn escaped(path: &str) -> String {
    let byte = |byte: u8| match byte {
        b'/' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    path.bytes().map(byte).collect()
}

/// RGBA pixels, all four 255 or 0, as thi.ng's bit-packed runs.
fn brush(mask: &[bool]) -> Value {
    const SIZES: [u32; 4] = [3, 4, 8, 16];
    let mut bits = Bits::default();
    bits.put(mask.len() as u64 * 4, 32);
    bits.put(7, 5);
    for size in SIZES {
        bits.put(u64::from(size - 1), 4);
    }
    for run in mask.chunk_by(|a, b| a == b) {
        let mut left = run.len() as u64 * 4;
        while left > 0 {
            let some = left.min(1 << 16);
            let fits = SIZES.iter().position(|size| some <= 1 << size).unwrap_or(3);
            bits.put(1, 1);
            bits.put(fits as u64, 2);
            bits.put(some - 1, SIZES[fits]);
            bits.put(if run[0] { 255 } else { 0 }, 8);
            left -= some;
        }
    }
    Value::from(bits.bytes())
}

/// Bits, the highest of a byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    open: u32,
}

impl Bits {
    fn put(&mut self, value: u64, count: u32) {
        for bit in (0..count).rev() {
            if self.open == 0 {
                self.bytes.push(0);
                self.open = 8;
            }
            self.open -= 1;
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << self.open;
            }
        }
    }

    fn bytes(self) -> Vec<u8> {
        self.bytes
    }
}
