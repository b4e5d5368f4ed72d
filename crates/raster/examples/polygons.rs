//! The regions of a mask as a GeoPackage, from and to files, as the sink of maps writes them: what is measured beside other
//! people's tools (`benches/polygons.py`).
//!
//!     cargo run --release -p seggpt-raster --example polygons -- MASK.tif OUT.gpkg [SIMPLIFY_PX]
#![allow(clippy::print_stdout)]

use std::{env, error::Error, path::Path};

use seggpt_raster::{Map, Window};
use seggpt_tiff::Samples;
use seggpt_vector::{
    trace::{Region, Rules, Tracer},
    write::{GeoPackage, Shape, polygon},
};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let [mask, out, more @ ..] = &words[..] else {
        return Err("MASK.tif OUT.gpkg [SIMPLIFY_PX]".into());
    };
    let map = Map::open(Path::new(mask), None)?;
    let place = map.place()?;
    let ground = place.ground()?;
    let simplify = more.first().map_or(Ok(0.0), |text| text.parse())?;
    let rules = Rules {
        simplify,
        ..Rules::default()
    };
    let mut file = GeoPackage::create(Path::new(out), place.crs)?;
    let mut count = 0;
    let mut add = |regions: Vec<Region>| {
        count += regions.len();
        regions.iter().try_for_each(|region| {
            file.add(&Shape {
                number: region.number,
                class_id: region.label,
                class: "",
                area: region.area,
                confidence: region.confidence,
                polygon: polygon(region, &place.grid),
            })
        })
    };
    let (width, height) = map.size();
    let mut tracer = Tracer::new(width, &ground, rules);
    let mut cache = map.cache(0, width, STRIP);
    let sure = vec![0; width as usize];
    for y in (0..height).step_by(STRIP as usize) {
        let window = Window {
            x: 0,
            y,
            width,
            height: STRIP.min(height - y),
        };
        let Samples::Bytes(ids) = map.read(0, window, &mut cache)? else {
            return Err("the mask is not of 8 bits".into());
        };
        for row in ids.chunks_exact(width as usize) {
            let ids: Vec<u16> = row.iter().map(|id| u16::from(*id % 255)).collect();
            add(tracer.row(&ids, &sure))?;
        }
    }
    add(tracer.end().0)?;
    file.finish("2026-01-01T00:00:00Z")?;
    println!("{count} regions");
    Ok(())
}

/// Rows that are read at once.
const STRIP: u32 = 512;
