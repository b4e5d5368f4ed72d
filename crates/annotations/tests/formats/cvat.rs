use image::Rgb;
use seggpt_annotations::Tool;

use crate::*;

fn file(shapes: &str) -> String {
    format!(
        r##"<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<meta><task><labels>
  <label><name>ball</name><color>#ff0000</color></label>
  <label><name>plum</name><color>#00ff00</color></label>
</labels></task></meta>
<image id="0" name="cam1/a.png" width="12" height="8">{shapes}</image>
</annotations>"##
    )
}

#[test]
fn shapes_lie_on_each_other_as_in_the_tool() {
    let folder = folder(&["images/cam1/a.png"]);
    let text = file(
        r#"<tag label="ball" source="manual"/>
        <box label="plum" occluded="0" xtl="2.00" ytl="2.00" xbr="6.00" ybr="6.00" z_order="1"/>
        <polygon label="ball" occluded="0" points="0.00,0.00;8.00,0.00;8.00,8.00;0.00,8.00" z_order="0"/>"#,
    );
    let read = opened(folder.path(), "annotations.xml", &text);
    assert_eq!(read.tool, Tool::Cvat);
    assert_eq!(classes(&read), [(1, "ball"), (2, "plum")]);
    assert_eq!(read.categories[0].color, Some([255, 0, 0]));
    assert_eq!(
        (area(&read.pictures[0], 1), area(&read.pictures[0], 2)),
        (48, 16)
    );
    assert!(read.notes.is_empty(), "{:?}", read.notes);
}

#[test]
fn cvat_8124_runs_of_a_mask_count_row_by_row_in_its_box() {
    let folder = folder(&["cam1/a.png"]);
    let text = file(
        r#"<mask label="ball" source="semi-auto" rle="1, 2, 3, 1" left="2" top="1" width="4" height="2" z_order="0"></mask>"#,
    );
    let read = opened(folder.path(), "annotations.xml", &text);
    let rows = drawn(&read.pictures[0]);
    assert_eq!(
        rows[..4],
        [
            "............",
            "...11.......",
            "....1.......",
            "............"
        ]
    );
}

#[test]
fn odd_shapes_cost_themselves() {
    let folder = folder(&["cam1/a.png"]);
    let text = file(
        r#"<polyline label="ball" points="0,0;4,4"/>
        <points label="ball" points="1,1"/>
        <polygon label="ball" points="0,0;4,x;4,4"/>
        <polygon label="ball" points="0,0;4,4"/>
        <mask label="ball" rle="90" left="10" top="0" width="10" height="9"/>
        <mask label="ball" rle="5,9" left="0" top="0" width="3" height="3"/>
        <ellipse label="plum" cx="6" cy="4" rx="3.00" ry="2.00"/>"#,
    );
    let read = opened(folder.path(), "annotations.xml", &text);
    assert!((area(&read.pictures[0], 2) as i32 - 19).abs() < 4);
    let notes = read.notes.join("\n");
    for what in [
        "1 polyline of cam1/a.png is left out: shapes of kind polyline have no area",
        "2 points of cam1/a.png is left out: shapes of kind points have no area",
        "3 polygon of cam1/a.png is left out: its points have something",
        "4 polygon of cam1/a.png is left out",
        "5 mask of cam1/a.png is left out: its box reaches beyond the picture",
        "6 mask of cam1/a.png is left out: its runs cover 14 pixels",
    ] {
        assert!(notes.contains(what), "{what}:\n{notes}");
    }
}

#[test]
fn videos_are_refused_with_the_way_out() {
    let folder = folder(&[]);
    let text = r#"<annotations><version>1.1</version><track id="0" label="ball"/></annotations>"#;
    let error = refused(folder.path(), "annotations.xml", text);
    assert!(error.contains("CVAT for images 1.1"), "{error}");
}

/// CVAT's "Segmentation mask 1.1".
fn masks(table: &str, color: [u8; 3]) -> tempfile::TempDir {
    let folder = folder(&["JPEGImages/a.png"]);
    let root = folder.path();
    fs::write(root.join("labelmap.txt"), table).unwrap();
    for (part, color) in [
        ("SegmentationClass", color),
        ("SegmentationObject", [128, 0, 0]),
    ] {
        fs::create_dir(root.join(part)).unwrap();
        let mut mask = RgbImage::new(12, 8);
        (0..3).for_each(|x| mask.put_pixel(x, 1, Rgb(color)));
        mask.save(root.join(part).join("a.png")).unwrap();
    }
    folder
}

#[test]
fn cvat_2032_a_label_map_numbers_its_classes_wherever_background_stands() {
    let table = "# label:color_rgb:parts:actions\r\nCat:48,112,32::\r\nbackground:0,0,0::\r\nDog:176,112,32::\r\n";
    let folder = masks(table, [176, 112, 32]);
    // Masks are called like the pictures.
    fs::rename(
        folder.path().join("JPEGImages/a.png"),
        folder.path().join("JPEGImages/a.JPG"),
    )
    .unwrap();
    let read = open(folder.path(), None).unwrap();
    assert_eq!(read.tool, Tool::CvatMasks);
    assert_eq!(classes(&read), [(1, "Cat"), (2, "Dog")]);
    assert_eq!(drawn(&read.pictures[0])[1], "222.........");
    let (_, objects) = read.pictures[0].planes().unwrap();
    assert_eq!((objects.len(), objects[0].0.class), (1, 2));
}

#[test]
fn a_colour_that_no_label_has_is_named() {
    let folder = masks("background:0,0,0::\nCat:48,112,32::\n", [1, 2, 3]);
    let error = open(folder.path(), None).unwrap_err().to_string();
    assert!(
        error.contains("a.png") && error.contains("#010203"),
        "{error}"
    );
}
