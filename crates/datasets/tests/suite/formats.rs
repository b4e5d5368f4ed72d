//! The readers on real samples of native formats; needs those samples beside the repository.

use seggpt_datasets::{CocoPanoptic, Dataset, Exported, Objects, VideoFolder, VideoLayout, Voc};
use seggpt_imaging::IGNORE;

use crate::common::shared;

#[test]
#[ignore = "needs ../shared/data/formats"]
fn coco_polygons_agree_with_the_palette_masks_of_the_same_pictures() {
    let (coco, voc) = (
        shared("formats/coco-instances"),
        shared("formats/voc/semantic_segmentation"),
    );
    let polygons = Exported::open(coco.join("annotations.json"), Some(&coco)).unwrap();
    let palettes = Voc::open(voc, None).unwrap();
    assert_eq!(polygons.len(), 3);
    for index in 0..3 {
        let name = &polygons.sample(index).unwrap().name;
        let other = palettes
            .samples()
            .iter()
            .position(|sample| sample.name == *name)
            .unwrap();
        let (drawn, painted) = (
            polygons.truth(index).unwrap(),
            palettes.truth(other).unwrap(),
        );
        for class in painted.labels.classes() {
            let (a, b) = (drawn.labels.mask(class), painted.labels.mask(class));
            let j = seggpt_metrics::region(&a, &b, Some(&painted.labels.mask(IGNORE))).unwrap();
            assert!(j > 0.9, "class {class} of {name}: {j}");
        }
    }
}

#[test]
#[ignore = "needs ../shared/data/formats"]
fn coco_run_lengths_are_the_segments_of_the_panoptic_file() {
    let (runs, panoptic) = (
        shared("formats/coco-instances/rle"),
        shared("formats/coco-panoptic"),
    );
    let objects = Exported::open(
        runs.join("panoptic_coco_detection_format.json"),
        Some(&runs.join("images")),
    )
    .unwrap();
    let segments = CocoPanoptic::open(
        panoptic.join("panoptic_examples.json"),
        panoptic.join("panoptic_examples"),
        panoptic.join("input_images"),
    )
    .unwrap();
    assert_eq!((objects.len(), segments.len()), (2, 2));
    for index in 0..2 {
        let name = &objects.sample(index).unwrap().name;
        let other = segments
            .samples()
            .iter()
            .position(|sample| sample.name == *name)
            .unwrap();
        let (a, b) = (
            objects.truth(index).unwrap(),
            segments.truth(other).unwrap(),
        );
        let mut sizes = [a, b].map(|truth| {
            let of = truth.instances.iter().filter(|instance| !instance.crowd);
            of.map(|instance| (instance.class, instance.mask.area()))
                .collect::<Vec<_>>()
        });
        sizes.iter_mut().for_each(|sizes| sizes.sort_unstable());
        assert_eq!(sizes[0], sizes[1], "{name}");
        assert_eq!(
            objects.picture(index).unwrap(),
            segments.picture(other).unwrap()
        );
    }
}

#[test]
#[ignore = "needs ../shared/data/formats"]
fn voc_palettes_keep_their_borders_and_objects() {
    let root = shared("formats/voc/instance_segmentation");
    let set = Voc::open(root, None).unwrap();
    let truth = set.truth(0).unwrap();
    assert!(truth.labels.mask(IGNORE).area() > 0);
    assert!(!truth.instances.is_empty());
    let size = set.picture(0).unwrap().dimensions();
    assert_eq!(truth.labels.size(), (size.0 as usize, size.1 as usize));
}

#[test]
#[ignore = "needs ../shared/data/formats"]
fn davis_frames_and_masks_of_both_years_are_read() {
    let root = shared("formats/davis");
    let layout = |masks: &str, objects| VideoLayout {
        frames: root.join("JPEGImages/480p"),
        masks: root.join(masks),
        videos: Some(vec!["bmx-trees".to_owned(), "soapbox".to_owned()]),
        objects,
    };
    let several = VideoFolder::open("2017", &layout("Results", Objects::Several)).unwrap();
    let one = VideoFolder::open("2016", &layout("Annotations2016/480p", Objects::One)).unwrap();
    assert_eq!((several.len(), one.len()), (12, 12));
    assert_eq!(several.truth(0).unwrap().labels.classes(), [1, 2]);
    assert_eq!(one.truth(0).unwrap().labels.classes(), [1]);
}
