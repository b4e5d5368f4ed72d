//! What is written comes back to the pixel.

use std::path::Path;

use proptest::prelude::*;
use seggpt_annotations::{
    Category,
    write::{Answer, Coco, LabelStudio, Thing, label_studio_config, labelme},
};

use crate::*;

fn categories() -> Vec<Category> {
    let category = |(id, name): (u16, &str)| Category {
        id,
        name: name.to_owned(),
        color: Some([200, id as u8, 0]),
        thing: None,
    };
    [(1, "a & b"), (2, "plum")].map(category).to_vec()
}

/// Two classes that do not overlap.
fn things(labels: &[u16]) -> Vec<Thing> {
    let thing = |class: u16| Thing {
        class,
        score: 0.75,
        mask: labels.iter().map(|label| *label == class).collect(),
    };
    [1, 2].map(thing).to_vec()
}

/// Writes labels of 12 x 8 pixels in every form, reads them back, and returns what each made of them.
fn back(labels: &[u16]) -> [Vec<u16>; 3] {
    let folder = folder(&["a.png"]);
    let path = |name: &str| folder.path().join(name);
    let things = things(labels);
    let answer = Answer {
        name: "a.png",
        picture: Path::new("a.png"),
        size: (12, 8),
        things: &things,
    };
    let categories = categories();
    let mut coco = Coco::begin(fs::File::create(path("coco.json")).unwrap(), "test").unwrap();
    coco.add(&answer).unwrap();
    coco.end(&categories).unwrap();
    let mut tasks = LabelStudio::begin(fs::File::create(path("ls.json")).unwrap(), "test").unwrap();
    tasks.add(&answer, &categories).unwrap();
    tasks.end().unwrap();
    let shapes = labelme(&answer, &categories).unwrap();
    fs::write(path("a.json"), shapes.to_string()).unwrap();
    ["coco.json", "ls.json", "a.json"].map(|name| {
        let read = open(&path(name), None).unwrap();
        assert!(read.notes.is_empty(), "{:?}", read.notes);
        let mut labels = read.pictures[0].labels().unwrap();
        // Tools that know names alone number what is there.
        for label in labels.iter_mut().filter(|label| **label > 0) {
            let name = &read
                .categories
                .iter()
                .find(|category| category.id == *label)
                .unwrap()
                .name;
            *label = categories
                .iter()
                .find(|category| category.name == *name)
                .unwrap()
                .id;
        }
        labels
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn masks_with_holes_and_corners_come_back(labels in proptest::collection::vec(0u16..3, 96)) {
        prop_assume!(labels.iter().any(|label| *label > 0));
        for read in back(&labels) {
            prop_assert_eq!(&read, &labels);
        }
    }
}

#[test]
fn plain_regions_are_polygons_and_holes_are_kept() {
    let mut labels = vec![0; 96];
    for (x, y) in (1..5).flat_map(|x| (1..5).map(move |y| (x, y))) {
        labels[y * 12 + x] = 1;
    }
    let things = things(&labels);
    let answer = Answer {
        name: "a.png",
        picture: Path::new("a.png"),
        size: (12, 8),
        things: &things[..1],
    };
    let mut text = Vec::new();
    let mut coco = Coco::begin(&mut text, "test").unwrap();
    coco.add(&answer).unwrap();
    coco.end(&categories()).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(
        text.contains("\"segmentation\":[[1.0,1.0,5.0,1.0,5.0,5.0,1.0,5.0]]"),
        "{text}"
    );
    assert!(
        text.contains("\"area\":16") && text.contains("\"bbox\":[1,1,4,4]"),
        "{text}"
    );
    let shapes = labelme(&answer, &categories()).unwrap();
    assert_eq!(shapes["shapes"][0]["shape_type"], "polygon");
    assert_eq!(
        shapes["shapes"][0]["points"],
        serde_json::json!([[1.0, 1.0], [4.0, 1.0], [4.0, 4.0], [1.0, 4.0]])
    );
    assert_eq!(shapes["shapes"][0]["label"], "a & b");

    labels[2 * 12 + 2] = 0;
    assert!(back(&labels).iter().all(|read| *read == labels));
}

#[test]
fn the_configuration_names_every_class() {
    let text = label_studio_config(&categories());
    assert_eq!(
        text.matches("<Label value=\"a &amp; b\" background=\"#c80100\"/>")
            .count(),
        2,
        "{text}"
    );
}
