//! The readers on tiny sets made by `tests/parity/datasets.py`.

use std::fs;

use seggpt_datasets::{
    ClassFolders, CocoPanoptic, Dataset, DatasetError, Exported, Folder, LabelFolder, Role,
    VideoFolder, Voc, Zero,
};
use seggpt_imaging::IGNORE;

use crate::common::{fixture, plane};

fn datasets(name: &str) -> std::path::PathBuf {
    fixture("datasets").join(name)
}

#[test]
fn polygons_and_runs_become_the_masks_that_pycocotools_makes() {
    let set = Exported::open(
        datasets("coco/instances.json"),
        Some(&datasets("coco/images")),
    )
    .unwrap();
    let mut compared = 0;
    for index in 0..set.len() {
        for instance in set.truth(index).unwrap().instances {
            let file = datasets(&format!("coco/masks/{:02}.png", instance.id));
            // Black and white: what other label files ignore is the object here.
            let expected = seggpt_imaging::LabelPlane::open(file).unwrap().mask(IGNORE);
            assert!(instance.mask == expected, "annotation {}", instance.id);
            compared += 1;
        }
    }
    assert_eq!(compared, 25);
}

#[test]
fn coco_samples_know_their_classes_and_an_empty_picture_is_background() {
    let set = Exported::open(
        datasets("coco/instances.json"),
        Some(&datasets("coco/images")),
    )
    .unwrap();
    let ids: Vec<u16> = set.classes().iter().map(|class| class.id).collect();
    assert_eq!(ids, [1, 3, 90]);
    assert_eq!(set.sample(0).unwrap().classes, Some(vec![1, 3, 90]));
    let empty = set.truth(2).unwrap();
    assert!(empty.instances.is_empty() && empty.labels == plane((5, 4), &[0; 20]));
    assert_eq!(set.picture(2).unwrap().dimensions(), (5, 4));
    assert!(matches!(
        set.truth(3),
        Err(DatasetError::OutOfRange {
            index: 3,
            len: 3,
            ..
        })
    ));
}

#[test]
fn panoptic_colours_become_segments_and_black_is_ignored() {
    let root = datasets("coco-panoptic");
    let set = CocoPanoptic::open(
        root.join("panoptic.json"),
        root.join("masks"),
        root.join("images"),
    )
    .unwrap();
    let truth = set.truth(0).unwrap();
    let found: Vec<(u32, u16, bool, usize)> = truth
        .instances
        .iter()
        .map(|one| (one.id, one.class, one.crowd, one.mask.area()))
        .collect();
    assert_eq!(
        found,
        [
            (70_000, 187, false, 16),
            (513, 17, false, 12),
            (16_777_215, 17, true, 6)
        ]
    );
    assert_eq!(truth.labels.mask(17).area(), 18);
    assert_eq!(truth.labels.mask(IGNORE).area(), 14);
    assert_eq!(set.classes()[0].thing, Some(true));
    assert_eq!(set.classes()[1].thing, Some(false));
    let again = truth.panoptic().unwrap();
    let areas: Vec<usize> = (1..=3)
        .map(|id| {
            again
                .ids
                .values()
                .iter()
                .filter(|&&pixel| pixel == id)
                .count()
        })
        .collect();
    assert_eq!(areas, [16, 12, 6]);
}

#[test]
fn a_folder_follows_its_split_and_keeps_what_is_ignored() {
    let set = Folder::open(datasets("folder")).unwrap();
    let order: Vec<(&str, Option<Role>)> = set
        .samples()
        .iter()
        .map(|sample| (sample.name.as_str(), sample.role))
        .collect();
    let (prompt, query) = (Some(Role::Prompt), Some(Role::Query));
    assert_eq!(order, [("b", prompt), ("c", prompt), ("a", query)]);
    assert_eq!(
        set.truth(2).unwrap().labels,
        plane((4, 2), &[0, 1, 2, IGNORE, 1, 1, 0, 2])
    );
    assert_eq!(set.classes_in(1).unwrap(), [2]);
    assert_eq!(set.classes()[1].name, "leaf");
}

#[test]
fn folders_of_videos_are_one_set() {
    let set = Folder::open(datasets("folder-videos")).unwrap();
    assert_eq!(set.len(), 6);
    let sample = set.sample(4).unwrap();
    let frame = sample.frame.as_ref().unwrap();
    assert_eq!(
        (sample.name.as_str(), frame.video.as_str(), frame.index),
        ("two/00001", "two", 1)
    );
}

#[test]
fn what_a_folder_lacks_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let missing = Folder::open(root).unwrap_err();
    assert!(missing.to_string().contains("classes.tsv"), "{missing}");
    fs::write(root.join("classes.tsv"), "1 pebble\n").unwrap();
    let untabbed = Folder::open(root).unwrap_err();
    assert!(untabbed.to_string().contains("`1 pebble`"), "{untabbed}");
    fs::write(root.join("classes.tsv"), "1\tpebble\n").unwrap();
    assert!(
        Folder::open(root)
            .unwrap_err()
            .to_string()
            .contains("neither images/")
    );
    for name in ["images", "masks"] {
        fs::create_dir(root.join(name)).unwrap();
    }
    fs::copy(datasets("folder/images/a.jpg"), root.join("images/a.jpg")).unwrap();
    let unmasked = Folder::open(root).unwrap_err();
    assert!(
        unmasked.to_string().contains("no mask named `a`"),
        "{unmasked}"
    );
}

#[test]
fn class_folders_count_from_half_brightness() {
    let set = ClassFolders::open(datasets("fss")).unwrap();
    let names: Vec<&str> = set
        .classes()
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    assert_eq!(names, ["abe's_flyingfish", "banana_boat", "clam"]);
    assert_eq!(set.len(), 9);
    for index in [0, 3] {
        let class = set.classes_in(index).unwrap()[0];
        let labels = set.truth(index).unwrap().labels;
        assert_eq!(labels.values()[..4], [0, 0, class, class]);
    }
    let some = ClassFolders::with_classes(datasets("fss"), ["clam"]).unwrap();
    assert_eq!(
        (some.len(), some.sample(0).unwrap().name.as_str()),
        (3, "clam/1")
    );
    assert!(ClassFolders::with_classes(datasets("fss"), ["unknown"]).is_err());
}

#[test]
fn zero_is_background_or_unlabelled_or_the_first_class() {
    let open = |zero| {
        let root = datasets("labels");
        let categories = datasets("coco/instances.json");
        let set =
            LabelFolder::coco(root.join("images"), root.join("masks"), categories, zero).unwrap();
        set.truth(0).unwrap().labels
    };
    assert_eq!(
        open(Zero::Background),
        plane((4, 2), &[0, 0, 1, 1, 254, IGNORE, 90, 3])
    );
    assert_eq!(
        open(Zero::FirstClass),
        plane((4, 2), &[1, 1, 2, 2, 255, IGNORE, 91, 4])
    );
    assert_eq!(open(Zero::Unlabelled).mask(IGNORE).area(), 3);
}

#[test]
fn ade20k_names_its_classes_and_ignores_the_unlabelled() {
    let set = LabelFolder::ade20k(datasets("ade20k"), "validation").unwrap();
    let classes: Vec<(u16, &str)> = set
        .classes()
        .iter()
        .map(|c| (c.id, c.name.as_str()))
        .collect();
    assert_eq!(
        classes,
        [(1, "wall"), (2, "building, edifice"), (150, "flag")]
    );
    let expected = plane((4, 2), &[IGNORE, 1, 2, 150, 1, 1, IGNORE, IGNORE]);
    assert_eq!(set.truth(0).unwrap().labels, expected);
}

#[test]
fn voc_objects_get_the_class_beneath_them() {
    let set = Voc::open(datasets("voc"), None).unwrap();
    let truth = set.truth(0).unwrap();
    assert_eq!(truth.labels.values()[..6], [0, IGNORE, 15, 15, IGNORE, 12]);
    let objects: Vec<(u32, u16)> = truth
        .instances
        .iter()
        .map(|one| (one.id, one.class))
        .collect();
    assert_eq!(objects, [(1, 15), (2, 15), (3, 12)]);
    assert_eq!(set.classes()[14].name, "person");
    let split = Voc::open(datasets("voc"), Some("val")).unwrap();
    assert_eq!(
        (split.len(), split.sample(0).unwrap().name.as_str()),
        (1, "2007_000002")
    );
}

#[test]
fn davis_takes_the_videos_of_its_split_and_their_objects() {
    let set = VideoFolder::davis(datasets("davis"), "2017", "val", "480p").unwrap();
    assert_eq!(set.len(), 4);
    let truth = set.truth(0).unwrap();
    assert_eq!(truth.labels.values()[..5], [2, 0, 1, 0, 0]);
    assert_eq!(truth.instances.len(), 2);
    let single = VideoFolder::davis(datasets("davis2016"), "2016", "val", "480p").unwrap();
    assert_eq!(single.len(), 4);
    assert_eq!(
        single.truth(0).unwrap().labels.values()[..5],
        [1, 0, 0, 0, 0]
    );
}

#[test]
fn youtube_vos_has_frames_without_masks_and_categories() {
    let set = VideoFolder::youtube_vos(datasets("youtube-vos")).unwrap();
    let annotated: Vec<usize> = (0..set.len())
        .filter(|&at| set.samples()[at].annotated)
        .collect();
    assert_eq!((set.len(), annotated), (8, vec![0, 5]));
    assert_eq!(set.category("003234408d", 2), Some("snail"));
    assert!(set.truth(1).unwrap_err().to_string().contains("no mask"));
    assert_eq!(set.truth(5).unwrap().labels.classes(), [1]);
}
