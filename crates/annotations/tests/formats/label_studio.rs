use seggpt_annotations::Tool;

use crate::*;

const SIZE: &str = r#""original_width": 12, "original_height": 8, "image_rotation": 0"#;

#[test]
fn regions_of_every_kind_become_pixels() {
    let folder = folder(&["images/a b.png"]);
    let text = format!(
        r#"[{{"id": 1, "data": {{"image": "/data/upload/1/0a1b2c3d-a%20b.png"}}, "annotations": [
            {{"was_cancelled": true, "result": []}},
            {{"result": [
              {{"id": "p", "type": "polygonlabels", {SIZE},
                "value": {{"points": [[0, 0], [50, 0], [50, 100], [0, 100]], "polygonlabels": ["plum"]}}}},
              {{"id": "r", "type": "rectanglelabels", {SIZE},
                "value": {{"x": 75, "y": 0, "width": 25, "height": 50, "rotation": 0, "rectanglelabels": ["ball"]}}}},
              {{"id": "k", "type": "keypointlabels", {SIZE}, "value": {{"x": 1, "y": 1, "width": 1, "keypointlabels": ["ball"]}}}},
              {{"id": "c", "type": "choices", "value": {{"choices": ["blurred"]}}}}
            ]}}]}}]"#
    );
    let read = opened(folder.path(), "project.json", &text);
    assert_eq!(read.tool, Tool::LabelStudio);
    assert_eq!(classes(&read), [(1, "ball"), (2, "plum")]);
    assert_eq!(drawn(&read.pictures[0])[0], "222222...111");
    assert_eq!(
        (area(&read.pictures[0], 1), area(&read.pictures[0], 2)),
        (12, 48)
    );
    assert_eq!(read.notes.len(), 1, "{:?}", read.notes);
    assert!(read.notes[0].contains("region k of"), "{:?}", read.notes);
}

#[test]
fn json_min_has_its_regions_beside_the_picture() {
    let folder = folder(&["a.png"]);
    let text = format!(
        r#"[{{"image": "/data/local-files/?d=field/a.png", "id": 3, "label": [
            {{"points": [[0, 0], [50, 0], [50, 100], [0, 100]], "polygonlabels": ["plum"], {SIZE}}}]}}]"#
    );
    let read = opened(folder.path(), "min.json", &text);
    assert_eq!(area(&read.pictures[0], 1), 48);
}

#[test]
fn label_studio_382_a_brush_that_is_not_of_the_pictures_size_is_named() {
    let folder = folder(&["a.png", "b.png"]);
    // 22 values of zero.
    let task = |name: &str, value: &str| {
        format!(
            r#"{{"data": {{"image": "{name}"}}, "annotations": [{{"result": [{{"id": "b", {SIZE}, "value": {value}}}]}}]}}"#
        )
    };
    let brush =
        r#"{"format": "rle", "rle": [0, 0, 0, 22, 57, 27, 193, 155, 0], "brushlabels": ["plum"]}"#;
    let polygon = r#"{"points": [[0, 0], [50, 0], [50, 100]], "polygonlabels": ["plum"]}"#;
    let text = format!("[{}, {}]", task("a.png", brush), task("b.png", polygon));
    let read = opened(folder.path(), "project.json", &text);
    assert!(
        read.notes[0].contains("its brush has 22 values, but the picture 96 pixels of four"),
        "{:?}",
        read.notes
    );
    assert!(area(&read.pictures[1], 1) > 0);
}
