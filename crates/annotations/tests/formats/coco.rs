use seggpt_annotations::{AnnotationsError, Rle, RleError, Tool};

use crate::*;

/// A COCO file of one picture and these annotations.
fn file(annotations: &str) -> String {
    format!(
        r#"{{"images": [{{"id": 1, "file_name": "a.png", "width": 12, "height": 8}}], "annotations": [{annotations}],
            "categories": [{{"id": 1, "name": "ball"}}, {{"id": 2, "name": "plum"}}]}}"#
    )
}

/// A square of 4 x 4 pixels that begins at so many.
fn square(id: &str, left: u32, more: &str) -> String {
    let right = left + 4;
    format!(
        r#"{{"id": {id}, "image_id": 1, "category_id": 1, {more}
            "segmentation": [[{left}, 2, {right}, 2, {right}, 6, {left}, 6]]}}"#
    )
}

#[test]
fn coco_annotator_109_empty_outlines_and_crowds_of_true_and_false_cost_nothing_else() {
    let folder = folder(&["a.png"]);
    let empty = r#"{"id": 4574, "image_id": 1, "category_id": 1, "segmentation": [], "area": 0, "iscrowd": false}"#;
    let text = file(&format!(
        "{}, {empty}, {}",
        square("1", 0, r#""iscrowd": false,"#),
        square("2", 6, r#""iscrowd": true,"#)
    ));
    let read = opened(folder.path(), "instances.json", &text);
    assert_eq!(read.tool, Tool::Coco);
    assert_eq!(area(&read.pictures[0], 1), 32);
    let (_, objects) = read.pictures[0].planes().unwrap();
    let crowds: Vec<_> = objects
        .iter()
        .map(|(object, _)| (object.id, object.crowd))
        .collect();
    assert_eq!(crowds, [(1, false), (2, true)]);
    assert_eq!(read.notes.len(), 1, "{:?}", read.notes);
    assert!(read.notes[0].contains("annotation 4574 is left out: it has no outline"));
}

#[test]
fn numbers_that_are_none_cost_their_record_where_they_matter() {
    let folder = folder(&["a.png"]);
    let text = file(&format!(
        r#"{}, {}, {{"id": 3, "image_id": 1, "category_id": 1, "segmentation": [[0, NaN, 4, 0, 4, 4]]}}"#,
        square("1", 0, r#""area": NaN,"#),
        square("2", 6, r#""bbox": [Infinity, -Infinity, NaN, 1],"#)
    ));
    let read = opened(folder.path(), "instances.json", &text);
    assert_eq!(area(&read.pictures[0], 1), 32);
    assert_eq!(read.notes.len(), 1, "{:?}", read.notes);
    assert!(
        read.notes[0].contains("annotation 3 is left out"),
        "{:?}",
        read.notes
    );
}

#[test]
fn cvat_6014_odd_records_are_counted_and_named_by_reason() {
    let folder = folder(&["a.png"]);
    let odd = [
        r#"{"id": 10, "image_id": 1, "category_id": 1, "segmentation": [[1, 2, 3, 4, 5]]}"#,
        r#"{"id": 11, "image_id": 9, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 4]]}"#,
        r#"{"id": 12, "image_id": 9, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 4]]}"#,
        r#"{"id": 13, "image_id": 1, "category_id": 7, "segmentation": [[0, 0, 4, 0, 4, 4]]}"#,
        r#"{"id": 14, "image_id": 1, "category_id": 0, "segmentation": [[0, 0, 4, 0, 4, 4]]}"#,
        r#"{"id": 15, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 4]]}"#,
        r#"{"id": 16, "image_id": 1, "category_id": 1, "segmentation": {"size": [3, 3], "counts": [9]}}"#,
        r#"{"id": 17, "image_id": 1, "category_id": 1, "segmentation": {"size": [8, 12], "counts": [9]}}"#,
        r#"{"id": 18, "image_id": 1, "category_id": 1, "bbox": [0, 0, 4, 4]}"#,
        r#""no record at all""#,
    ];
    let text = file(&format!("{}, {}", square("1", 0, ""), odd.join(", ")));
    let read = opened(folder.path(), "instances.json", &text);
    assert_eq!(area(&read.pictures[0], 1), 16);
    let notes = read.notes.join("\n");
    for what in [
        "annotation 10 is left out: its outline has something that is no x, y",
        "2 annotations are left out, the first is 11: its image is not listed",
        "annotation 13 of a.png is left out: its category is not listed",
        "annotation 14 is left out: category 0 is used",
        "annotation 15 is left out: it has no image_id",
        "annotation 16 of a.png is left out: its runs are 3 x 3, but its picture is 12 x 8",
        "annotation 17 is left out: its runs cover 9 pixels",
        "annotation 18 is left out: it has no outline",
        "annotation number 11 of the list is left out: it is no record",
    ] {
        assert!(notes.contains(what), "{what}:\n{notes}");
    }
}

#[test]
fn a_file_in_which_nothing_makes_sense_is_refused_with_the_first_reason() {
    let folder = folder(&["a.png"]);
    let error = refused(
        folder.path(),
        "instances.json",
        &file(r#"{"id": 5, "image_id": 1, "category_id": 1}"#),
    );
    assert!(error.contains("annotation 5: it has no outline"), "{error}");
    let error = refused(
        folder.path(),
        "instances.json",
        &file("").replace("a.png", "b.png"),
    );
    assert!(
        error.contains("picture b.png: there is no such picture in"),
        "{error}"
    );
    let error = open(&folder.path().join("none.json"), None).unwrap_err();
    assert!(matches!(error, AnnotationsError::Read { .. }));
}

#[test]
fn ids_and_sizes_are_read_in_every_form() {
    let folder = folder(&["a.png"]);
    let text = r#"{"images": [{"id": "frame-1", "file_name": "C:\\data\\a.png", "width": null, "height": "8"}],
        "annotations": [
            {"id": "x", "image_id": "frame-1", "category_id": 1.0, "iscrowd": "0", "segmentation": [0, 0, 4, 0, 4, 4, 0, 4]},
            {"id": null, "image_id": "frame-1", "category_id": "2", "segmentation": [[[6, 0], [10, 0], [10, 4], [6, 4]], [1, 1]]}],
        "categories": [{"id": 1, "name": "ball", "isthing": true}, {"id": "2"}, {"name": "no id"}]}"#;
    let read = opened(folder.path(), "instances.json", text);
    assert_eq!(read.pictures[0].size, (12, 8));
    assert_eq!(
        (area(&read.pictures[0], 1), area(&read.pictures[0], 2)),
        (16, 16)
    );
    assert_eq!(classes(&read), [(1, "ball"), (2, "class 2")]);
    let notes = read.notes.join("\n");
    assert!(notes.contains("part of an outline is left out"), "{notes}");
    assert!(
        notes.contains("category number 3 of the list is left out"),
        "{notes}"
    );
}

#[test]
fn equal_names_in_folders_stay_apart() {
    let folder = folder(&[
        "images/cam1/0001.png",
        "images/cam2/0001.png",
        "images/cam2/0002.png",
    ]);
    let image = |id: u32, name: &str| {
        format!(r#"{{"id": {id}, "file_name": "{name}", "width": 12, "height": 8}}"#)
    };
    let images = [
        image(1, "cam1/0001.png"),
        image(2, "cam2/0001.png"),
        image(3, "cam2/0002.png"),
    ];
    let text = file(&square("1", 0, "")).replace(&image(1, "a.png"), &images.join(", "));
    let read = opened(folder.path(), "instances.json", &text);
    assert_eq!(names(&read), ["cam1/0001", "cam2/0001", "0002"]);
    assert!(read.pictures[1].file.path().ends_with("cam2/0001.png"));
}

#[test]
fn a_name_that_two_files_have_is_not_guessed() {
    let folder = folder(&["images/x/a.png", "images/y/a.png", "images/b.png"]);
    let text = file(&square("1", 0, "")).replacen(
        r#"{"id": 1,"#,
        r#"{"id": 2, "file_name": "deep/b.png", "width": 12, "height": 8}, {"id": 1,"#,
        1,
    );
    let text = text.replacen(r#""image_id": 1"#, r#""image_id": 2"#, 1);
    let read = opened(folder.path(), "instances.json", &text);
    assert_eq!(names(&read), ["b"]);
    assert!(
        read.notes[0].contains("picture a.png is left out: it may be"),
        "{:?}",
        read.notes
    );
}

#[test]
fn marks_and_encodings_of_editors_are_no_part_of_the_file() {
    let folder = folder(&["a.png"]);
    let text = file(&square("1", 0, ""));
    let read = opened(
        folder.path(),
        "instances.json",
        &format!("\u{feff}{}", text.replace('\n', "\r\n")),
    );
    assert_eq!(area(&read.pictures[0], 1), 16);
    let wide: Vec<u8> = format!("\u{feff}{text}")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let path = folder.path().join("wide.json");
    fs::write(&path, wide).unwrap();
    assert_eq!(area(&open(&path, None).unwrap().pictures[0], 1), 16);
}

#[test]
fn damaged_run_lengths_are_refused() {
    assert_eq!(
        Rle::new((2, 2), vec![1, 2]).unwrap_err(),
        RleError::Length {
            covered: 3,
            width: 2,
            height: 2
        }
    );
    assert_eq!(
        Rle::decompress((2, 2), "1 1").unwrap_err(),
        RleError::Damaged { at: 1 }
    );
    assert_eq!(
        Rle::decompress((2, 2), "P").unwrap_err(),
        RleError::Damaged { at: 1 }
    );
    assert!(Rle::decompress((2, 2), "oooooooooooo").is_err());
    assert_eq!(
        Rle::decompress((2, 2), "13").unwrap().values(),
        [false, true, true, true]
    );
}
