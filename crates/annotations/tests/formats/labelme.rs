use base64::{Engine, engine::general_purpose::STANDARD};
use seggpt_annotations::Tool;

use crate::*;

fn file(picture: &str, data: &str, shapes: &str) -> String {
    format!(
        r#"{{"version": "5.4.1", "flags": {{}}, "shapes": [{shapes}], "imagePath": "{picture}", "imageData": {data},
            "imageHeight": 8, "imageWidth": 12}}"#
    )
}

const POLYGON: &str = r#"{"label": "ball", "points": [[1.2, 1.9], [4.0, 1.0], [4.7, 4.0], [1.0, 4.2]], "group_id": null,
    "shape_type": "polygon"}"#;

#[test]
fn a_folder_of_files_is_one_set() {
    let folder = folder(&["x/a.png", "y/a.png"]);
    for part in ["x", "y"] {
        fs::write(
            folder.path().join(part).join("a.json"),
            file("a.png", "null", POLYGON),
        )
        .unwrap();
    }
    let read = open(folder.path(), None).unwrap();
    assert_eq!(read.tool, Tool::Labelme);
    assert_eq!(names(&read), ["x/a", "y/a"]);
    assert!(read.pictures[1].file.path().ends_with("y/a.png"));
    let rows = drawn(&read.pictures[0]);
    assert_eq!(
        rows[..6],
        [
            "............",
            ".1111.......",
            ".1111.......",
            ".1111.......",
            ".1111.......",
            "............"
        ]
    );
}

#[test]
fn shapes_of_every_kind_become_pixels() {
    let folder = folder(&["a.png"]);
    let shapes = r#"
        {"label": "ball", "points": [[4, 2], [1, 0]], "shape_type": "rectangle"},
        {"label": "plum", "points": [[8, 4], [10, 4]], "shape_type": "circle"},
        {"label": "ball", "points": [[0, 7], [9, 7]], "shape_type": "line"},
        {"label": "", "points": [[0, 7], [9, 7], [5, 5]], "shape_type": "polygon"}"#;
    let read = opened(folder.path(), "a.json", &file("a.png", "null", shapes));
    assert_eq!(area(&read.pictures[0], 1), 12);
    assert_eq!(area(&read.pictures[0], 2), 21);
    let notes = read.notes.join("\n");
    assert!(
        notes.contains("shape 3 of") && notes.contains("shapes of kind line have no area"),
        "{notes}"
    );
    assert!(notes.contains("it has no label"), "{notes}");
}

#[test]
fn a_picture_in_the_file_does_without_one_beside_it() {
    let folder = folder(&["a.png"]);
    let png = fs::read(folder.path().join("a.png")).unwrap();
    fs::remove_file(folder.path().join("a.png")).unwrap();
    let data = format!("\"{}\"", STANDARD.encode(png));
    let read = opened(folder.path(), "a.json", &file("gone.png", &data, POLYGON));
    assert_eq!(read.pictures[0].file.open().unwrap().dimensions(), (12, 8));
    assert_eq!(area(&read.pictures[0], 1), 16);
}

#[test]
fn groups_are_one_thing_and_background_cuts_out() {
    let folder = folder(&["a.png"]);
    let rectangle = |label: &str, points: &str| {
        format!(
            r#"{{"label": "{label}", "points": {points}, "group_id": 1, "shape_type": "rectangle"}}"#
        )
    };
    let shapes = [
        rectangle("ball", "[[0, 0], [3, 3]]"),
        rectangle("ball", "[[6, 0], [9, 3]]"),
        rectangle("_background_", "[[1, 1], [2, 2]]"),
    ];
    let read = opened(
        folder.path(),
        "a.json",
        &file("a.png", "null", &shapes.join(", ")),
    );
    assert_eq!(classes(&read), [(1, "ball")]);
    assert_eq!(read.pictures[0].planes().unwrap().1.len(), 1);
    assert_eq!(area(&read.pictures[0], 1), 28);
}
