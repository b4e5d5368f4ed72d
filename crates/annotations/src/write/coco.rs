use std::io::{self, Write};

use serde_json::{Value, json};

use super::{Answer, Outline, outline};
use crate::Category;

/// A file of COCO objects, written picture by picture.
///
/// A thing is an annotation: polygons, or where it has holes, compressed run lengths (`iscrowd` is 0 either way), with its
/// `score`.
#[derive(Debug)]
pub struct Coco<W: Write> {
    out: W,
    annotations: u64,
    images: Vec<Value>,
}

impl<W: Write> Coco<W> {
    /// Begins the file.
    ///
    /// # Errors
    /// `out` refuses it.
    pub fn begin(mut out: W, description: &str) -> io::Result<Self> {
        let info = json!({ "description": description });
        write!(
            out,
            "{{\"info\": {info}, \"licenses\": [], \"annotations\": ["
        )?;
        Ok(Self {
            out,
            annotations: 0,
            images: Vec::new(),
        })
    }

    /// Adds a picture and its things.
    ///
    /// # Errors
    /// `out` refuses it.
    pub fn add(&mut self, answer: &Answer<'_>) -> io::Result<()> {
        let image = self.images.len() + 1;
        let (width, height) = answer.size;
        self.images.push(json!({
            "id": image, "file_name": answer.name, "width": width, "height": height,
        }));
        for thing in answer.things {
            let set = thing.mask.iter().enumerate().filter(|(_, set)| **set);
            let (mut area, mut sides) = (0u64, [width, height, 0, 0]);
            for (at, _) in set {
                let (x, y) = (at % width, at / width);
                area += 1;
                sides = [
                    sides[0].min(x),
                    sides[1].min(y),
                    sides[2].max(x + 1),
                    sides[3].max(y + 1),
                ];
            }
            if area == 0 {
                continue;
            }
            let [left, top, right, bottom] = sides;
            let segmentation = match outline(answer.size, &thing.mask) {
                Outline::Polygons(polygons) => json!(polygons),
                Outline::Runs(runs) => {
                    json!({ "size": [height, width], "counts": runs.compressed() })
                }
            };
            self.annotations += 1;
            let annotation = json!({
                "id": self.annotations, "image_id": image, "category_id": thing.class, "iscrowd": 0, "area": area,
                "bbox": [left, top, right - left, bottom - top], "segmentation": segmentation, "score": thing.score,
            });
            let comma = if self.annotations > 1 { "," } else { "" };
            write!(self.out, "{comma}\n{annotation}")?;
        }
        Ok(())
    }

    /// Ends the file. `categories`: the classes of all things.
    ///
    /// # Errors
    /// `out` refuses it.
    pub fn end(mut self, categories: &[Category]) -> io::Result<()> {
        let categories = categories.iter().map(
            |category| json!({ "id": category.id, "name": category.name, "supercategory": "" }),
        );
        let categories: Vec<Value> = categories.collect();
        let images = Value::from(self.images);
        let categories = Value::from(categories);
        writeln!(
            self.out,
            "\n],\n\"images\": {images},\n\"categories\": {categories}}}"
        )?;
        self.out.flush()
    }
}
