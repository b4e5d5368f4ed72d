//! Files of polygons: what is written is read again, and what cannot be used is named.
#![allow(clippy::unwrap_used)]

use std::{fs, path::Path};

use seggpt_vector::{
    Polygon, WGS84,
    read::{Layer, is_named_so, read},
    signed_area,
    write::{GeoJson, GeoPackage, Shape},
};

const SQUARE: &str = "[[7,46],[8,46],[8,47],[7,47],[7,46]]";

fn square(left: f64, bottom: f64, side: f64) -> Vec<[f64; 2]> {
    vec![
        [left, bottom],
        [left + side, bottom],
        [left + side, bottom + side],
        [left, bottom + side],
    ]
}

fn turned(mut ring: Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    ring.reverse();
    ring
}

fn shape(number: u32, class: &str) -> Shape<'_> {
    Shape {
        number,
        class_id: 3,
        class,
        area: 90.5,
        confidence: 0.75,
        polygon: Polygon {
            rings: vec![
                square(2_600_000.0, 1_200_000.0, 10.0),
                turned(square(2_600_002.0, 1_200_002.0, 2.0)),
            ],
        },
    }
}

fn geojson(folder: &Path, text: &str) -> Result<Layer, String> {
    let path = folder.join("labels.geojson");
    fs::write(&path, text).unwrap();
    read(&path, None).map_err(|error| error.to_string())
}

fn feature(geometry: &str, properties: &str) -> String {
    format!(r#"{{"type":"Feature","geometry":{geometry},"properties":{properties}}}"#)
}

fn collection(members: &str, features: &[String]) -> String {
    let features = features.join(",");
    format!(r#"{{"type":"FeatureCollection",{members}"features":[{features}]}}"#)
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut package = GeoPackage::create(&path("a.gpkg"), Some(2056)).unwrap();
    let mut json = GeoJson::create(&path("a.geojson"), 2056).unwrap();
    for (number, class) in [(1, "roof"), (2, "a \"tree\"")] {
        package.add(&shape(number, class)).unwrap();
        json.add(&shape(number, class)).unwrap();
    }
    package.finish("2026-01-02T03:04:05Z").unwrap();
    json.finish().unwrap();

    let exact = read(&path("a.gpkg"), None).unwrap();
    assert_eq!(exact.crs, 2056);
    let classes: Vec<_> = exact
        .features
        .iter()
        .map(|one| one.class.as_deref())
        .collect();
    assert_eq!(classes, [Some("roof"), Some("a \"tree\"")]);
    assert_eq!(exact.features[0].polygons, [shape(1, "roof").polygon]);
    let ids = read(&path("a.gpkg"), Some("class_id")).unwrap();
    assert_eq!(ids.features[0].class.as_deref(), Some("3"));

    let degrees = read(&path("a.geojson"), None).unwrap();
    assert_eq!(degrees.crs, WGS84);
    let rings = &degrees.features[0].polygons[0].rings;
    assert!(signed_area(&rings[0]) > 0.0 && signed_area(&rings[1]) < 0.0);
    let back = degrees.to(2056).unwrap();
    assert_eq!(back.features[1].class, exact.features[1].class);
    let points = |layer: &Layer| {
        let mut points = layer.features[0].polygons[0].rings.concat();
        points.sort_by_key(|at| at.map(|n| n.round() as i64));
        points
    };
    for (a, b) in points(&exact).iter().zip(points(&back)) {
        assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 2e-3, "{a:?} {b:?}");
    }
    // The same regions give the same bytes.
    let mut again = GeoPackage::create(&path("b.gpkg"), Some(2056)).unwrap();
    for (number, class) in [(1, "roof"), (2, "a \"tree\"")] {
        again.add(&shape(number, class)).unwrap();
    }
    again.finish("2026-01-02T03:04:05Z").unwrap();
    assert!(fs::read(path("a.gpkg")).unwrap() == fs::read(path("b.gpkg")).unwrap());
}

#[test]
fn geojson_is_read_as_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let polygon = format!(r#"{{"type":"Polygon","coordinates":[{SQUARE}]}}"#);
    let multi = format!(r#"{{"type":"MultiPolygon","coordinates":[[{SQUARE}],[{SQUARE}]]}}"#);
    let found = geojson(folder.path(), &polygon).unwrap();
    assert_eq!((found.crs, &found.features[0].class), (WGS84, &None));
    let features = [
        feature(&multi, r#"{"class":"a"}"#),
        feature("null", "null"),
        feature(&polygon, r#"{"class":7}"#),
    ];
    let old = r#""crs":{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::3857"}},"#;
    let found = geojson(folder.path(), &collection(old, &features)).unwrap();
    assert_eq!((found.crs, found.features.len()), (3857, 2));
    assert_eq!(found.features[0].polygons.len(), 2);
    assert_eq!(found.features[1].class.as_deref(), Some("7"));
    assert!(is_named_so(Path::new("a.GPKG")) && !is_named_so(Path::new("a.tif")));
}

#[test]
fn what_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let of = |geometry: &str| collection("", &[feature(geometry, "null")]);
    let polygon = |ring: &str| of(&format!(r#"{{"type":"Polygon","coordinates":[{ring}]}}"#));
    let untold = [feature(
        &format!(r#"{{"type":"Polygon","coordinates":[{SQUARE}]}}"#),
        r#"{"class":"a"}"#,
    )];
    let untold = [untold[0].clone(), untold[0].replace("class", "kind")];
    let cases = [
        ("{}".to_owned(), "neither GeoJSON nor a GeoPackage"),
        (collection("", &[]), "holds no polygon"),
        (
            of(r#"{"type":"Point","coordinates":[1,2]}"#),
            "feature 1 is a Point",
        ),
        (
            of(r#"{"type":"Polygon","coordinates":[]}"#),
            "feature 1 is empty",
        ),
        (polygon("[[0,0],[1,1],[0,0]]"), "a ring of 2 points"),
        (polygon("[[0,0],[4,4],[4,0],[0,4],[0,0]]"), "crosses itself"),
        (
            polygon("[[600000,0],[600004,0],[600000,4],[600000,0]]"),
            "ogr2ogr -t_srs EPSG:4326",
        ),
        (
            collection(
                r#""crs":{"type":"name","properties":{"name":"mine"}},"#,
                &untold,
            ),
            "not EPSG's",
        ),
        (
            collection("", &untold),
            "feature 2 has no attribute `class`",
        ),
    ];
    for (text, wanted) in cases {
        let error = geojson(folder.path(), &text).unwrap_err();
        assert!(
            error.contains(wanted) && error.contains("labels.geojson"),
            "{error}"
        );
    }
    let path = folder.path().join("labels.geojson");
    fs::write(&path, collection("", &untold[..1])).unwrap();
    let error = read(&path, Some("kind")).unwrap_err().to_string();
    assert!(error.contains("no attribute `kind`"), "{error}");
    let missing = read(&folder.path().join("no.gpkg"), None).unwrap_err();
    assert!(missing.to_string().contains("no.gpkg"));

    let path = folder.path().join("cut.gpkg");
    GeoPackage::create(&path, None)
        .unwrap()
        .finish("2026-01-01T00:00:00Z")
        .unwrap();
    let error = read(&path, None).unwrap_err().to_string();
    assert!(error.contains("ogr2ogr -a_srs"), "{error}");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..5000]).unwrap();
    assert!(
        read(&path, None)
            .unwrap_err()
            .to_string()
            .contains("cut.gpkg")
    );

    let error = GeoJson::create(&folder.path().join("b.geojson"), 27_700).unwrap_err();
    assert!(error.to_string().contains("OSGB"), "{error}");
    let mut json = GeoJson::create(&folder.path().join("c.geojson"), WGS84).unwrap();
    let mut far = shape(1, "sea");
    far.polygon.rings = vec![square(179.5, 0.0, 1.0)];
    assert!(json.add(&far).unwrap_err().to_string().contains("180th"));
}
