use seggpt_imaging::IGNORE;
use seggpt_metrics::{MetricsError, Statistics, Tolerance, Videos, boundary, region};
use serde_json::Value;

use crate::common::{array, assert_equal, json, labels, plane};

/// Counts the videos of the fixture, each frame with its number modulo `parts` equal to `part`.
fn counted(fixture: &Value, part: usize, parts: usize) -> Videos {
    let mut videos = Videos::default();
    for video in array(&fixture["videos"]) {
        let frames = array(&video["frames"]);
        let objects = Videos::objects(&labels(&frames[0]["truth"]));
        assert_eq!(
            u64::from(*objects.end()),
            video["objects"].as_u64().unwrap()
        );
        for at in Videos::counted(frames.len()).filter(|at| at % parts == part) {
            let (prediction, truth) = (
                labels(&frames[at]["prediction"]),
                labels(&frames[at]["truth"]),
            );
            videos
                .add(
                    video["name"].as_str().unwrap(),
                    at,
                    objects.clone(),
                    &prediction,
                    &truth,
                )
                .unwrap();
        }
    }
    videos
}

fn assert_statistics(ours: Statistics, theirs: &Value, what: &str) {
    for (at, value) in [ours.mean, ours.recall, ours.decay].into_iter().enumerate() {
        assert_equal(value, &theirs[at], what);
    }
}

#[test]
fn mean_recall_and_decay_of_j_and_f_equal_davis() {
    let fixture = json("metrics/video.json");
    let report = counted(&fixture, 0, 1).finish().unwrap();
    assert_statistics(report.j, &fixture["J"], "J");
    assert_statistics(report.f, &fixture["F"], "F");
    assert_equal(report.j_and_f, &fixture["J&F"], "J&F");
    for video in array(&fixture["videos"]) {
        for score in array(&video["scores"]) {
            let of = report.objects.iter().find(|object| {
                object.video == video["name"]
                    && u64::from(object.object) == score["object"].as_u64().unwrap()
            });
            assert_statistics(of.unwrap().j, &score["J_statistics"], "J of an object");
            assert_statistics(of.unwrap().f, &score["F_statistics"], "F of an object");
        }
    }
}

#[test]
fn frames_counted_in_any_order_by_several_threads_are_the_same_video() {
    let fixture = json("metrics/video.json");
    let mut merged = counted(&fixture, 1, 2);
    merged.merge(&counted(&fixture, 0, 2)).unwrap();
    assert_eq!(merged, counted(&fixture, 0, 1));
}

#[test]
fn single_masks_with_void_pixels_equal_davis_at_every_size() {
    for pair in array(&json("metrics/video.json")["boundaries"]) {
        let shown = labels(&pair["truth"]);
        let void = shown.mask(IGNORE);
        let (truth, prediction) = (shown.mask(1), labels(&pair["prediction"]).mask(1));
        let f = |tolerance| boundary(&prediction, &truth, Some(&void), tolerance).unwrap();
        assert_equal(
            region(&prediction, &truth, Some(&void)).unwrap(),
            &pair["J"],
            "J",
        );
        assert_equal(f(Tolerance::default()), &pair["F"], "F");
        assert_equal(
            f(Tolerance::Pixels(3)),
            &pair["F_3_pixels"],
            "F within 3 pixels",
        );
    }
}

#[test]
fn seen_and_unseen_means_follow_youtube_vos() {
    let fixture = json("metrics/youtube_vos.json");
    let report = counted(&json("metrics/video.json"), 0, 1).finish().unwrap();
    let scores = report.seen_unseen(|video, object| {
        let row = array(&fixture["seen"])
            .iter()
            .find(|row| row[0] == video && row[1] == object);
        row.unwrap()[2].as_bool().unwrap()
    });
    assert_equal(scores.j_seen, &fixture["J_seen"], "J seen");
    assert_equal(scores.j_unseen, &fixture["J_unseen"], "J unseen");
    assert_equal(scores.f_seen, &fixture["F_seen"], "F seen");
    assert_equal(scores.f_unseen, &fixture["F_unseen"], "F unseen");
    assert_equal(scores.overall, &fixture["G"], "G");
}

#[test]
fn a_frame_counts_once_and_unknown_objects_are_refused() {
    let mut videos = Videos::default();
    let one = plane((2, 1), &[0, 1]);
    videos.add("goat", 1, 1..=1, &one, &one).unwrap();
    let twice = videos.add("goat", 1, 1..=1, &one, &one).unwrap_err();
    assert!(twice.to_string().contains("`goat`, frame 1"), "{twice}");
    let stray = videos
        .add("goat", 2, 1..=1, &plane((2, 1), &[0, 2]), &one)
        .unwrap_err();
    assert!(matches!(&stray, MetricsError::Frame { reason, .. } if reason.contains("object 2")));
}

#[test]
fn no_video_has_no_score() {
    assert_eq!(Videos::default().finish(), None);
    assert_eq!(Statistics::of(&[]), None);
    assert!(Videos::counted(0).is_empty() && Videos::counted(2).is_empty());
}
