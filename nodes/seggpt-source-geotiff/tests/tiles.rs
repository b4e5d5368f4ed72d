//! Maps to tiles, without dora.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;
use seggpt_contract::{Message, Parameter, Position};
use seggpt_node::Supply;
use seggpt_raster::Placement;
use seggpt_source_geotiff::{
    Settings,
    plan::Plan,
    tiles::{Item, KEY},
};

fn field() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/maps/field.tif")
}

fn settings(map: &Path, more: &[&str]) -> Settings {
    let inputs = ["seggpt-source-geotiff", "--inputs", map.to_str().unwrap()];
    Settings::parse_from(inputs.iter().chain(more))
}

#[test]
fn a_map_becomes_tiles_that_say_where_they_belong() {
    let plan = Plan::new(
        &settings(&field(), &["--tile", "80", "--overlap", "0.3"]),
        "run",
    )
    .unwrap();
    assert!(plan.placeless.is_empty());
    let told = plan.to_string();
    assert!(
        told.contains("field.tif: 5 x 4 tiles of 80 x 80 px, overlap 24 px or more"),
        "{told}"
    );
    let items = Item::all(plan, "source");
    assert_eq!(items.len(), 20);
    assert_eq!(items[7].id(), "field.tif#r0001c0002");
    let Message::Item(identity, image) = items[7].read().unwrap().message else {
        panic!("it holds something")
    };
    assert_eq!((image.0.width(), image.0.height()), (80, 80));
    assert_eq!((identity.index, identity.total), (7, Some(20)));
    let at = Position::Tile {
        x: 110,
        y: 40,
        of_width: 300,
        of_height: 200,
    };
    assert_eq!((identity.name.as_str(), identity.position), ("field", at));
    let Some(Parameter::String(text)) = identity.extra.get(KEY) else {
        panic!("it says where it belongs")
    };
    let placement = Placement::read(text).unwrap();
    assert_eq!((placement.tile, placement.valid), (7, None));
    assert_eq!(placement.tags.len(), 3, "scale, tie point, keys");

    // The upper right corner holds nothing.
    let Message::Item(identity, _) = items[4].read().unwrap().message else {
        panic!("half of it holds something")
    };
    let Some(Parameter::String(text)) = identity.extra.get(KEY) else {
        panic!("it says where it belongs")
    };
    let valid = Placement::read(text).unwrap().valid.unwrap();
    let pixels = valid.validity().unwrap().pixels;
    assert_eq!(pixels.iter().filter(|pixel| **pixel == 0).count(), 820);
}

#[test]
fn a_tile_that_holds_nothing_goes_past_the_network() {
    let plan = Plan::new(&settings(&field(), &["--tile", "16"]), "run").unwrap();
    let items = Item::all(plan, "source");
    let corner = items.iter().find(|item| {
        let id = item.id();
        id.contains("#r0000") && id > "field.tif#r0000c0023"
    });
    let Message::Failed(identity, _) = corner.unwrap().read().unwrap().message else {
        panic!("nothing is there")
    };
    let Some(Parameter::String(text)) = identity.extra.get(KEY) else {
        panic!("it says where it belongs")
    };
    assert!(Placement::read(text).unwrap().is_empty);
}

#[test]
fn coarser_pixels_are_shown_smaller() {
    let plan = Plan::new(
        &settings(&field(), &["--tile", "40", "--gsd", "0.2"]),
        "run",
    )
    .unwrap();
    assert!(
        plan.to_string().contains("of 80 x 80 px, shown as 40 x 40"),
        "{plan}"
    );
    let item = &Item::all(plan, "source")[0];
    let Message::Item(identity, image) = item.read().unwrap().message else {
        panic!("it holds something")
    };
    assert_eq!((identity.width, image.0.width()), (40, 40));
}

#[test]
fn what_lies_outside_of_the_area_is_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let area = dir.path().join("area.geojson");
    // The left 10 metres, which are 100 pixels.
    let ring = "[[2600000,1199980],[2600010,1199980],[2600010,1200000],[2600000,1200000],[2600000,1199980]]";
    let crs = r#"{"type":"name","properties":{"name":"EPSG:2056"}}"#;
    let geometry = format!(r#"{{"type":"Polygon","coordinates":[{ring}]}}"#);
    let feature = format!(r#"{{"type":"Feature","properties":{{}},"geometry":{geometry}}}"#);
    let text = format!(r#"{{"type":"FeatureCollection","crs":{crs},"features":[{feature}]}}"#);
    fs::write(&area, &text).unwrap();
    let path = area.to_str().unwrap();
    let plan = || {
        Plan::new(
            &settings(
                &field(),
                &["--tile", "80", "--overlap", "0.3", "--area", path],
            ),
            "run",
        )
    };
    let items = Item::all(plan().unwrap(), "source");
    let (mut empty, mut valid) = (0, vec![]);
    for item in &items[..5] {
        match item.read().unwrap().message {
            Message::Failed(..) => empty += 1,
            Message::Item(identity, _) => {
                let Some(Parameter::String(text)) = identity.extra.get(KEY) else {
                    panic!("it says where it belongs")
                };
                let bits = Placement::read(text).unwrap().valid;
                let pixels = bits.map(|bits| bits.validity().unwrap().pixels);
                valid.push(pixels.map(|all| all.iter().filter(|pixel| **pixel > 0).count()));
            }
        }
    }
    assert_eq!(
        (empty, valid),
        (3, vec![None, Some(45 * 80)]),
        "tiles begin at 0, 55, 110, ..."
    );
    fs::write(&area, text.replace("EPSG:2056", "EPSG:27700")).unwrap();
    let error = format!("{:#}", plan().unwrap_err());
    assert!(
        error.contains("area.geojson") && error.contains("ogr2ogr"),
        "{error}"
    );
}

#[test]
fn what_cannot_be_a_map_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let cut = dir.path().join("cut.tif");
    fs::write(&cut, &fs::read(field()).unwrap()[..9000]).unwrap();
    let error = Plan::new(&settings(&cut, &[]), "run").unwrap_err();
    assert!(format!("{error:#}").contains("cut.tif"), "{error:#}");
    let text = dir.path().join("a.txt");
    fs::write(&text, "").unwrap();
    assert!(Plan::new(&settings(&text, &[]), "run").is_err());
    for wrong in [
        ["--overlap", "0.5"],
        ["--stretch", "5:1"],
        ["--bands", "0"],
        ["--gsd", "-1"],
        ["--nodata", "x"],
    ] {
        let words = ["x", "--inputs", "a"].iter().chain(&wrong);
        assert!(Settings::try_parse_from(words).is_err(), "{wrong:?}");
    }
}
