use seggpt_benchmark::episodes::{
    COCO_IDS, Episode, Episodes, FOLDS, FSS_1000_TEST, Shots, class_tasks, coco_20i, long_side,
    pascal_5i,
};
use seggpt_datasets::{ClassFolders, Dataset, Exported, Folder};

use crate::fixture;

fn fss() -> ClassFolders {
    ClassFolders::open(fixture("fss")).unwrap()
}

#[test]
fn the_same_seed_draws_the_same_episodes_and_another_does_not() {
    let set = fss();
    let draw = |seed, count| -> Vec<Episode> {
        Episodes::new(&set, &[1, 2, 3], Shots::Of(1), 1, seed)
            .unwrap()
            .even(count)
            .collect()
    };
    assert_eq!(draw(7, 50), draw(7, 50));
    assert_eq!(
        draw(7, 50)[..10],
        draw(7, 10),
        "a shorter run is the start of a longer one"
    );
    assert_ne!(draw(7, 50), draw(8, 50));
    let first = &draw(7, 3);
    let expected = [(3, 7, vec![8]), (1, 2, vec![0]), (1, 1, vec![0])];
    let found: Vec<_> = first
        .iter()
        .map(|e| (e.class, e.query, e.prompts.clone()))
        .collect();
    assert_eq!(
        found, expected,
        "the same on every machine and in every version"
    );
}

#[test]
fn prompts_show_the_class_and_never_the_query() {
    let set = fss();
    for shots in [Shots::Of(1), Shots::Of(2), Shots::All] {
        let episodes = Episodes::new(&set, &[1, 3], shots, 1, 0).unwrap();
        for episode in episodes.even(40).chain(episodes.every_query()) {
            let mut used = episode.prompts.clone();
            used.push(episode.query);
            assert!(
                used.iter()
                    .all(|&at| set.classes_in(at).unwrap() == [episode.class])
            );
            used.sort_unstable();
            used.dedup();
            let expected = if shots == Shots::Of(1) { 2 } else { 3 };
            assert_eq!(used.len(), expected, "all different");
        }
    }
}

#[test]
fn every_query_comes_once_in_the_order_of_the_set() {
    let set = fss();
    let episodes = Episodes::new(&set, &[1, 2, 3], Shots::Of(1), 1, 0).unwrap();
    let queries: Vec<usize> = episodes
        .every_query()
        .map(|episode| episode.query)
        .collect();
    assert_eq!(queries, (0..9).collect::<Vec<_>>());
    assert_eq!(episodes.every_query().cycle().take(1000).count(), 1000);
}

#[test]
fn small_objects_can_be_left_out_and_too_few_pictures_are_named() {
    let root = fixture("coco");
    let set = Exported::open(root.join("instances.json"), Some(&root.join("images"))).unwrap();
    assert!(Episodes::new(&set, &[1], Shots::Of(1), 1, 0).is_ok());
    let error = Episodes::new(&set, &[1], Shots::Of(1), 5000, 0).unwrap_err();
    assert!(
        error.to_string().contains("0 pictures of class 1"),
        "{error}"
    );
    let error = Episodes::new(&set, &[1], Shots::Of(5), 1, 0).unwrap_err();
    assert!(error.to_string().contains("prompts are 6"), "{error}");
}

#[test]
fn folds_divide_the_classes() {
    assert_eq!(pascal_5i(2), Some([11, 12, 13, 14, 15]));
    assert_eq!(
        coco_20i(0).unwrap()[..3],
        [1, 5, 9],
        "person, airplane, boat"
    );
    assert_eq!(coco_20i(3).unwrap()[19], 90);
    assert_eq!((pascal_5i(4), coco_20i(4)), (None, None));
    let mut all: Vec<u16> = (0..FOLDS)
        .flat_map(|fold| coco_20i(fold).unwrap())
        .collect();
    all.sort_unstable();
    assert_eq!(all, COCO_IDS);
    assert!(FSS_1000_TEST.is_sorted());
}

#[test]
fn a_task_takes_the_prompt_that_shows_most_of_its_class() {
    let set = Folder::open(fixture("folder")).unwrap();
    let tasks = class_tasks(&set, 1, 448).unwrap();
    let found: Vec<_> = tasks
        .iter()
        .map(|task| (task.class, &task.prompts[..], &task.queries[..]))
        .collect();
    assert_eq!(found, [(1, &[0][..], &[2][..]), (2, &[1][..], &[2][..])]);
    let two = class_tasks(&set, 2, 448).unwrap();
    assert_eq!(two[1].prompts, [1, 0]);
}

#[test]
fn every_video_has_tasks_of_its_own() {
    let set = Folder::open(fixture("folder-videos")).unwrap();
    let tasks = class_tasks(&set, 1, 448).unwrap();
    let found: Vec<_> = tasks
        .iter()
        .map(|task| (task.video.as_deref().unwrap(), &task.queries[..]))
        .collect();
    assert_eq!(found, [("one", &[1, 2][..]), ("two", &[4, 5][..])]);
}

#[test]
fn the_long_side_is_met_from_below_and_above() {
    assert_eq!(long_side((480, 360), 448), (448, 336));
    assert_eq!(long_side((100, 224), 448), (200, 448));
    assert_eq!(long_side((1000, 1), 448), (448, 1));
}

#[test]
fn a_prompt_that_is_nothing_but_its_class_comes_after_those_that_show_its_border() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::write(root.join("classes.tsv"), "1\tpebble\n").unwrap();
    std::fs::write(
        root.join("split.tsv"),
        "full\tprompt\nhalf\tprompt\nhalf2\tquery\n",
    )
    .unwrap();
    for (name, scored) in [("full", 100), ("half", 50), ("half2", 50)] {
        for kind in ["images", "masks"] {
            let path = root.join(kind).join(format!("{name}.png"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let label = |x, y| image::Luma([u8::from(y * 10 + x < scored)]);
            image::GrayImage::from_fn(10, 10, label).save(path).unwrap();
        }
    }
    let tasks = class_tasks(&Folder::open(root).unwrap(), 2, 448).unwrap();
    assert_eq!(tasks[0].prompts, [1, 0]);
}
