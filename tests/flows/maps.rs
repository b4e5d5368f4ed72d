//! Maps through the real engine: masks that lie on them, whatever is interrupted.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use seggpt_imaging::annotation::Ids;
use seggpt_raster::{Map, geo};
use seggpt_tests::{Scratch, binary, ground, root};
use seggpt_vector::{
    Transform, WGS84,
    burn::{Burnable, Part},
    read::{Layer, read},
};
use serde_json::json;

use crate::{
    endings::{child_named, signal},
    pebbles, text, words,
};

fn field() -> PathBuf {
    root().join("tests/fixtures/maps/field.tif")
}

fn arguments(options: &str, map: &Path) -> Vec<String> {
    let line = words(&format!(
        "segment --out out --model untrained-tiny {options}"
    ));
    line.into_iter()
        .chain(pebbles(&[1]))
        .chain([text(map.to_owned())])
        .collect()
}

fn ids(path: &Path) -> Vec<u16> {
    Ids::open(path).unwrap().values
}

#[test]
fn a_map_becomes_a_mask_that_lies_on_it() {
    let scratch = Scratch::new();
    fs::copy(field(), scratch.path("field.tif")).unwrap();
    fs::write(
        scratch.path("field.tfw"),
        "0.1\n0\n0\n-0.1\n2600000\n1200000\n",
    )
    .unwrap();
    let map = scratch.path("field.tif");
    scratch
        .seggpt(arguments("--tile 80 --overlap 0.3", &map))
        .expect_code(0);

    let run = &scratch.report("out")["maps"][0];
    assert_eq!(
        (&run["tiles"], &run["failed"], &run["status"]),
        (&20.into(), &0.into(), &"done".into())
    );
    let mask = Map::open(&scratch.path("out/field.mask.tif"), None).unwrap();
    let source = Map::open(&map, None).unwrap();
    assert_eq!((mask.size(), mask.tags()), (source.size(), source.tags()));
    assert_eq!(mask.epsg(), Some(2056));
    let found = ids(&scratch.path("out/field.mask.tif"));
    // The corner in which the map holds nothing.
    let nothing = |(at, id): (usize, &u16)| (at % 300 >= 260 + at / 300) == (*id == 255);
    assert!(
        found.iter().enumerate().all(nothing),
        "nothing where the map holds nothing, and nowhere else"
    );
    assert_eq!(run["nothing"], 820);
    let pebbles = found.iter().filter(|id| **id == 1).count() as u64;
    assert_eq!(run["classes"][0]["pixels"], pebbles);
    let sure = ids(&scratch.path("out/field.confidence.tif"));
    assert!(
        sure.iter()
            .zip(&found)
            .all(|(sure, id)| *id != 255 || *sure == 0)
    );
    for beside in [
        "out/field.mask.tfw",
        "out/field.confidence.tfw",
        "out/field.mask.qml",
    ] {
        assert!(scratch.path(beside).is_file(), "{beside}");
    }
    let names = fs::read_to_string(scratch.path("out/field.mask.tif.aux.xml")).unwrap();
    assert!(names.contains("<Category>background</Category>"), "{names}");
    assert!(
        !scratch.path("out/.work").exists(),
        "nothing is left of the work"
    );
    assert!(geo::is_map(&map) && geo::is_map(&scratch.path("out/field.mask.tif")));

    let before = fs::read(scratch.path("out/field.mask.tif")).unwrap();
    scratch
        .seggpt(arguments("--tile 80 --overlap 0.3", &map))
        .expect_code(0);
    assert!(fs::read(scratch.path("out/field.mask.tif")).unwrap() == before);
    let other = arguments("--tile 90 --overlap 0.3", &map);
    scratch.seggpt(other).expect_code(2).expect_text("TILE");
}

/// Labels of field.tif in longitude and latitude: two squares of metres from its upper left corner, with a class each.
pub fn labels(path: &Path, squares: [(&str, [f64; 2]); 2]) {
    let to_degrees = Transform::between(2056, WGS84).unwrap();
    let feature = |(class, [x, y]): (&str, [f64; 2])| {
        let corners = [[0.0, 0.0], [0.0, -5.0], [5.0, -5.0], [5.0, 0.0], [0.0, 0.0]];
        let ring = corners.map(|[across, up]| {
            let at = [2_600_000.0 + x + across, 1_200_000.0 - y + up];
            to_degrees.point(at).unwrap()
        });
        json!({
            "type": "Feature",
            "properties": { "kind": class },
            "geometry": { "type": "Polygon", "coordinates": [ring] },
        })
    };
    let all = json!({ "type": "FeatureCollection", "features": squares.map(feature) });
    fs::write(path, all.to_string()).unwrap();
}

fn with_labels(options: &str, labels: &Path) -> Vec<String> {
    let line = words(&format!(
        "segment --out out --model untrained-tiny {options}"
    ));
    let example = format!("{}={}", text(field()), text(labels.to_owned()));
    line.into_iter()
        .chain(["--prompt".into(), example, text(field())])
        .collect()
}

#[test]
fn polygons_label_a_map_and_come_out_of_its_mask() {
    let scratch = Scratch::new();
    let path = scratch.path("labels.geojson");
    labels(&path, [("tree", [2.0, 2.0]), ("roof", [12.0, 8.0])]);
    let options = "--tile 80 --class-field kind --polygons gpkg,geojson --instances";
    scratch.seggpt(with_labels(options, &path)).expect_code(0);

    let run = &scratch.report("out")["maps"][0];
    let classes = run["classes"].as_array().unwrap();
    assert!(
        classes
            .iter()
            .all(|class| { class["name"] == if class["id"] == 1 { "roof" } else { "tree" } })
    );
    let mask = Map::open(&scratch.path("out/field.mask.tif"), None).unwrap();
    let found = ids(&scratch.path("out/field.mask.tif"));
    let wanted: Vec<u16> = found
        .iter()
        .map(|id| if *id == 255 { 0 } else { *id })
        .collect();
    let regions = read(&scratch.path("out/field.polygons.gpkg"), Some("class_id")).unwrap();
    assert_eq!(run["regions"], regions.features.len());
    let burnt = |regions: &Layer| {
        let polygons = regions.features.iter().flat_map(|feature| {
            let id = feature.class.as_ref().unwrap().parse().unwrap();
            feature.polygons.iter().map(move |polygon| (id, polygon))
        });
        let mut burnt = vec![0; wanted.len()];
        let laid = Burnable::new(polygons, &mask.place().unwrap().grid).unwrap();
        laid.burn(Part::whole([0, 0], [300, 200]), &mut burnt);
        burnt
    };
    assert!(
        wanted.iter().any(|id| *id > 0),
        "a mask of background alone shows nothing"
    );
    assert!(burnt(&regions) == wanted);
    let degrees = read(
        &scratch.path("out/field.polygons.geojson"),
        Some("class_id"),
    )
    .unwrap();
    assert!(burnt(&degrees.to(2056).unwrap()) == wanted);
    assert!(scratch.path("out/field.instances.tif").is_file());

    scratch
        .seggpt(with_labels(&format!("{options} --simplify 2"), &path))
        .expect_code(2)
        .expect_text("SIMPLIFY");
}

#[test]
fn labels_and_options_that_cannot_be_are_named_at_the_start() {
    let scratch = Scratch::new();
    let path = scratch.path("labels.geojson");
    labels(&path, [("tree", [2.0, 2.0]), ("roof", [12.0, 8.0])]);
    let refuse = |options: &str, reason: &str| {
        let ran = scratch.seggpt(with_labels(options, &path));
        ran.expect_code(2).expect_text(reason);
    };
    refuse("--class-field none", "no attribute `none`");
    refuse("--class-field kind --classes 1:roof", "class `tree`");
    refuse("--simplify 1", "--simplify says nothing without --polygons");
    refuse(
        "--no-overlay --mask ids",
        "--mask, --no-overlay is for pictures",
    );
    refuse("--area none.geojson", "none.geojson");
    labels(&path, [("tree", [2000.0, 2.0]), ("roof", [2000.0, 8.0])]);
    refuse("", "none of its polygons lies on");
    let image = scratch.path("labels.png");
    fs::copy(ground("ground_6.png"), &image).unwrap();
    scratch
        .seggpt(words(&format!(
            "segment --out out --prompt {}={} {}",
            text(image.clone()),
            text(path),
            text(image)
        )))
        .expect_code(2)
        .expect_text("polygons label maps");
}

#[test]
fn a_map_of_one_tile_is_what_the_folder_flow_makes_of_it() {
    let scratch = Scratch::new();
    let options = "--set infer.SHARES=true --as";
    let map = arguments(
        "--tile 300 --nodata none --set infer.SHARES=true --as map",
        &field(),
    );
    scratch.seggpt(map).expect_code(0);
    let picture = arguments(&format!("{options} pictures"), &field());
    let picture: Vec<String> = picture
        .into_iter()
        .map(|word| {
            if word == "out" {
                "pictures".into()
            } else {
                word
            }
        })
        .collect();
    scratch.seggpt(picture).expect_code(0);
    let (map, picture) = (
        ids(&scratch.path("out/field.mask.tif")),
        ids(&scratch.path("pictures/field.mask.png")),
    );
    assert!(
        map.iter().any(|id| *id > 0),
        "a mask of background alone shows nothing"
    );
    assert!(
        map == picture,
        "{} pixels differ",
        map.iter().zip(&picture).filter(|(a, b)| a != b).count()
    );
}

/// A large map, uncompressed and in one strip, of the drawn pictures side by side.
fn large(path: &Path) {
    let tile = image::open(ground("ground_6.png")).unwrap().into_rgb8();
    let (width, height) = (900u32, 1100u32);
    let pixels = image::RgbImage::from_fn(width, height, |x, y| {
        *tile.get_pixel((x + y / 200 * 37) % 300, y % 200)
    });
    let tags: [(u16, u16, u32, u32); 9] = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 8 + 2 + 9 * 12 + 4),
        (277, 3, 1, 3),
        (278, 4, 1, height),
        (279, 4, 1, width * height * 3),
    ];
    let mut bytes = b"II\x2a\0\x08\0\0\0\x09\0".to_vec();
    for (code, kind, count, value) in tags {
        bytes.extend(code.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes.extend(pixels.into_raw());
    fs::write(path, bytes).unwrap();
}

#[test]
fn runs_that_are_killed_at_any_moment_end_with_the_same_bytes() {
    let scratch = Scratch::new();
    let map = scratch.path("large.tif");
    large(&map);
    let options = "--tile 128 --as map";
    scratch
        .seggpt(arguments(options, &map))
        .expect_code(0)
        .expect_text("nothing says where it lies");
    let results = || {
        ["mask", "confidence"].map(|kind| fs::read(scratch.path(format!("out/large.{kind}.tif"))))
    };
    let whole = results().map(Result::unwrap);
    fs::rename(scratch.path("out"), scratch.path("whole")).unwrap();

    let tiles = scratch.path("out/.work/large/tiles");
    let kept = || fs::read_dir(&tiles).map_or(0, Iterator::count);
    let rows = || {
        fs::read_to_string(scratch.path("out/.work/large/rows.jsonl"))
            .map_or(0, |text| text.lines().count())
    };
    // All at once: early, then after the first row was written.
    for ready in [&(|| kept() >= 9) as &dyn Fn() -> bool, &|| rows() >= 1] {
        let mut child = Command::new(binary("seggpt"))
            .args(arguments(options, &map))
            .current_dir(scratch.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let patience = Instant::now() + Duration::from_secs(90);
        while !ready() {
            assert!(Instant::now() < patience, "no tile within 90 s");
            sleep(Duration::from_millis(5));
        }
        signal("-KILL", &child.id().to_string());
        child.wait().unwrap();
    }
    // One by one, while the rest goes on.
    let child = Command::new(binary("seggpt"))
        .args(arguments(options, &map))
        .current_dir(scratch.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = kept();
    let patience = Instant::now() + Duration::from_secs(90);
    while kept() == begun && rows() < 2 {
        assert!(Instant::now() < patience, "no further tile within 90 s");
        sleep(Duration::from_millis(5));
    }
    for node in ["sink-geotiff", "source-geotiff"] {
        signal("-KILL", &child_named(node, child.id()));
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(
        results().map(Result::unwrap) == whole,
        "the files differ from those of a run without a kill"
    );
}

#[test]
fn what_cannot_be_is_said_at_the_start() {
    let scratch = Scratch::new();
    let mixed: Vec<String> = arguments("", &field())
        .into_iter()
        .chain([text(ground("ground_6.png"))])
        .collect();
    scratch
        .seggpt(mixed)
        .expect_code(2)
        .expect_text("1 pictures and 1 maps");
    scratch
        .seggpt(arguments("--tile 64", &ground("ground_6.png")))
        .expect_code(2)
        .expect_text("--tile is for maps");
    scratch
        .seggpt(arguments("--raw", &field()))
        .expect_code(2)
        .expect_text("--raw is for pictures");
    scratch
        .seggpt(arguments("--overlap 0.6", &field()))
        .expect_code(2)
        .expect_text("OVERLAP");
    scratch
        .seggpt(arguments("--bands 7", &field()))
        .expect_text("band 7 was asked for, but it has 3");
    let cut = scratch.path("cut.tif");
    fs::write(&cut, &fs::read(field()).unwrap()[..90_000]).unwrap();
    scratch
        .seggpt(arguments("--as map", &cut))
        .expect_text("cut.tif");
}
