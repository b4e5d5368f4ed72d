use seggpt_imaging::{
    Plane,
    panoptic::{PanopticMap, Segment},
    read,
};
use seggpt_metrics::{MetricsError, Panoptic, Quality};
use serde_json::Value;

use crate::common::{array, assert_equal, fixture, json};

fn map(side: &str, entry: &Value) -> PanopticMap {
    let file = fixture("metrics/panoptic")
        .join(side)
        .join(entry["file_name"].as_str().unwrap());
    let picture = read::open(file).unwrap();
    let ids = picture
        .pixels()
        .map(|p| u32::from_le_bytes([p.0[0], p.0[1], p.0[2], 0]));
    let segment = |info: &Value| Segment {
        id: info["id"].as_u64().unwrap() as u32,
        category: info["category_id"].as_u64().unwrap() as u32,
        crowd: info["iscrowd"] == 1,
    };
    PanopticMap {
        ids: Plane::new(
            (picture.width() as usize, picture.height() as usize),
            ids.collect(),
        )
        .unwrap(),
        segments: array(&entry["segments_info"]).iter().map(segment).collect(),
    }
}

fn empty(fixture: &Value) -> Panoptic {
    let category = |row: &Value| (row["id"].as_u64().unwrap() as u32, row["isthing"] == 1);
    Panoptic::new(array(&fixture["categories"]).iter().map(category))
}

fn counted(fixture: &Value, pictures: &[Value]) -> Panoptic {
    let mut panoptic = empty(fixture);
    for picture in pictures {
        panoptic
            .add(
                &map("prediction", &picture["prediction"]),
                &map("truth", &picture["truth"]),
            )
            .unwrap();
    }
    panoptic
}

fn assert_quality(ours: Option<Quality>, theirs: &Value, what: &str) {
    let none = Quality {
        pq: 0.0,
        sq: 0.0,
        rq: 0.0,
        categories: 0,
    }; // as the tool writes it
    let ours = ours.unwrap_or(none);
    assert_equal(ours.pq, &theirs["pq"], what);
    assert_equal(ours.sq, &theirs["sq"], what);
    assert_equal(ours.rq, &theirs["rq"], what);
}

#[test]
fn pq_sq_and_rq_equal_panopticapi() {
    let fixture = json("metrics/panoptic.json");
    let report = counted(&fixture, array(&fixture["pictures"])).finish();
    assert_quality(report.all, &fixture["all"], "all");
    assert_quality(report.things, &fixture["things"], "things");
    assert_quality(report.stuff, &fixture["stuff"], "stuff");
    assert_eq!(report.all.unwrap().categories as f64, fixture["all"]["n"]);
    for row in &report.categories {
        assert_quality(
            row.quality,
            &fixture["classes"][row.category.to_string()],
            "a category",
        );
    }
}

#[test]
fn parts_counted_apart_and_merged_are_the_whole() {
    let fixture = json("metrics/panoptic.json");
    let (first, second) = array(&fixture["pictures"]).split_at(1);
    let mut merged = counted(&fixture, first);
    merged.merge(&counted(&fixture, second)).unwrap();
    let report = merged.finish();
    assert_quality(report.all, &fixture["all"], "all");
}

#[test]
fn pixels_and_segments_that_contradict_each_other_are_refused() {
    let fixture = json("metrics/panoptic.json");
    let truth = map("truth", &fixture["pictures"][0]["truth"]);
    let mut panoptic = empty(&fixture);
    let mut lost = truth.clone();
    let removed = lost.segments.pop().unwrap();
    let error = panoptic.add(&lost, &truth).unwrap_err();
    assert!(
        error.to_string().contains(&removed.id.to_string()),
        "{error}"
    );
    let mut unknown = truth.clone();
    unknown.segments[0].category = 99;
    assert!(matches!(
        panoptic.add(&unknown, &truth),
        Err(MetricsError::UnknownClass { class: 99, .. })
    ));
    let mut invented = truth.clone();
    invented.segments.push(Segment {
        id: 5,
        category: 1,
        crowd: false,
    });
    let error = panoptic.add(&invented, &truth).unwrap_err();
    assert!(
        error.to_string().contains("segment 5 has no pixels"),
        "{error}"
    );
    assert_eq!(
        panoptic,
        empty(&fixture),
        "a refused picture counts nowhere"
    );
}
