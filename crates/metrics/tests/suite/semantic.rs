use seggpt_imaging::IGNORE;
use seggpt_metrics::{ClassAreas, MetricsError};
use serde_json::Value;

use crate::common::{array, assert_equal, json, labels, plane};

fn counted(pictures: &[Value]) -> ClassAreas {
    let mut areas = ClassAreas::new(0..7);
    for picture in pictures {
        areas
            .add(&labels(&picture["prediction"]), &labels(&picture["truth"]))
            .unwrap();
    }
    areas
}

#[test]
fn iou_dice_and_accuracies_equal_mmsegmentation() {
    let fixture = json("metrics/semantic.json");
    let report = counted(array(&fixture["pictures"])).finish();
    assert_equal(report.mean_iou, &fixture["mIoU"], "mIoU");
    assert_equal(report.mean_accuracy, &fixture["mAcc"], "mAcc");
    assert_equal(report.mean_dice, &fixture["mDice"], "mDice");
    assert_equal(report.pixel_accuracy, &fixture["aAcc"], "aAcc");
    for (at, class) in report.classes.iter().enumerate() {
        assert_equal(class.iou, &fixture["IoU"][at], "IoU");
        assert_equal(class.accuracy, &fixture["Acc"][at], "Acc");
        assert_equal(class.dice, &fixture["Dice"][at], "Dice");
    }
}

#[test]
fn parts_counted_apart_and_merged_are_the_whole() {
    let fixture = json("metrics/semantic.json");
    let pictures = array(&fixture["pictures"]);
    let (first, second) = pictures.split_at(2);
    let mut merged = counted(first);
    merged.merge(&counted(second)).unwrap();
    assert_eq!(merged, counted(pictures));
}

#[test]
fn without_background_the_mean_is_over_the_named_classes_alone() {
    let mut areas = ClassAreas::new([1, 2]);
    areas
        .add(
            &plane((4, 1), &[0, 1, 2, 2]),
            &plane((4, 1), &[0, 1, 1, IGNORE]),
        )
        .unwrap();
    let report = areas.finish();
    assert_eq!(report.classes[0].iou, Some(0.5));
    assert_eq!(
        report.classes[1].iou,
        Some(0.0),
        "the one pixel outside of the ignored is wrong"
    );
    assert_eq!(report.mean_iou, Some(0.25));
}

#[test]
fn an_answer_of_another_size_is_refused_with_both_sizes() {
    let error = ClassAreas::new([1])
        .add(&plane((2, 1), &[0, 0]), &plane((1, 2), &[0, 0]))
        .unwrap_err();
    assert!(matches!(
        error,
        MetricsError::SizesDiffer {
            prediction: (2, 1),
            truth: (1, 2)
        }
    ));
    assert!(
        error.to_string().contains("2x1") && error.to_string().contains("1x2"),
        "{error}"
    );
}

#[test]
fn scores_of_other_classes_do_not_merge() {
    let error = ClassAreas::new([1])
        .merge(&ClassAreas::new([2]))
        .unwrap_err();
    assert!(matches!(error, MetricsError::Merge { .. }));
}

#[test]
fn nothing_counted_gives_no_score() {
    let report = ClassAreas::new([1]).finish();
    assert_eq!((report.mean_iou, report.pixel_accuracy), (None, None));
}
