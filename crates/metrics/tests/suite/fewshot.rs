use seggpt_metrics::{FoldAreas, MetricsError};
use serde_json::Value;

use crate::common::{array, assert_equal, json, labels, plane};

fn counted(classes: &[u16], episodes: &[Value]) -> FoldAreas {
    let mut areas = FoldAreas::new(classes.iter().copied());
    for episode in episodes {
        let class = episode["class"].as_u64().unwrap() as u16;
        areas
            .add(
                class,
                &labels(&episode["prediction"]),
                &labels(&episode["truth"]),
            )
            .unwrap();
    }
    areas
}

#[test]
fn miou_and_fb_iou_equal_hsnet() {
    for fold in array(&json("metrics/fewshot.json")["folds"]) {
        let classes: Vec<u16> = array(&fold["classes"])
            .iter()
            .map(|id| id.as_u64().unwrap() as u16)
            .collect();
        let episodes = array(&fold["episodes"]);
        let whole = counted(&classes, episodes);
        let report = whole.finish();
        // HSNet adds up and divides in 32 bits and prints percent: its own error is up to 1e-5 there.
        assert_equal(report.mean_iou, &percent(&fold["mIoU"]), "mIoU");
        assert_equal(report.fb_iou, &percent(&fold["FB-IoU"]), "FB-IoU");
        assert_eq!(
            report.classes[4],
            (classes[4], None, 0),
            "no episode, yet in the mean"
        );

        let (first, second) = episodes.split_at(4);
        let mut merged = counted(&classes, first);
        merged.merge(&counted(&classes, second)).unwrap();
        assert_eq!(merged, whole);
    }
}

fn percent(value: &Value) -> Value {
    (value.as_f64().unwrap() / 100.0).into()
}

#[test]
fn a_class_of_another_fold_is_refused() {
    let same = plane((1, 1), &[1]);
    let error = FoldAreas::new([1, 2]).add(7, &same, &same).unwrap_err();
    assert!(matches!(error, MetricsError::UnknownClass { class: 7, .. }));
}
