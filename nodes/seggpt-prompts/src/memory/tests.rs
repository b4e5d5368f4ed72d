#![allow(clippy::unwrap_used)]
use seggpt_contract::{Class, ClassIds, ClassResult, Picture, Provenance, SegType};

use super::*;

const KEY: &str = "k";

fn rules(policy: Policy, k: usize) -> Rules {
    Rules::new(policy, k)
}

fn identity(frame: u64) -> Identity {
    let mut identity = Identity::new(format!("walk/{frame:06}"), 0, (4, 2));
    identity.source = "/walk".into();
    identity.position = Position::Frame { number: frame };
    identity
}

fn class() -> Class {
    Class {
        id: 3,
        name: "duck".into(),
        color: [255, 200, 0],
    }
}

fn square(shade: u8) -> Square {
    Square::new(2, vec![shade; 12]).unwrap()
}

fn picture(frame: u64) -> RgbImage {
    RgbImage::from_pixel(4, 2, image::Rgb([frame as u8; 3]))
}

fn guided(chain: &mut Chain, frame: u64) -> Vec<String> {
    let mut prompted = Prompted {
        image: Picture::from_rgb(picture(frame)),
        examples: vec![Example {
            name: "given".into(),
            image: square(9),
            mask: square(9),
            score: 1.0,
        }],
        classes: vec![class()],
        kind: SegType::Instance,
        selection: "fixed".into(),
        warnings: vec![],
    };
    let identity = identity(frame);
    chain
        .guide(&identity, &mut prompted, &picture(frame))
        .unwrap();
    let names = prompted.examples.iter().map(|it| it.name.clone());
    names.collect()
}

fn mask(confidence: f32) -> Mask {
    Mask {
        width: 4,
        height: 2,
        // The left half.
        ids: ClassIds::from_ids(vec![3, 3, 0, 0, 3, 3, 0, 0]),
        confidence: vec![200_u8; 8].into(),
        classes: vec![ClassResult {
            class: class(),
            pixels: 4,
            confidence,
        }],
        painted: square(0),
        instances: None,
        shares: None,
        provenance: Provenance::default(),
    }
}

fn answer(chain: &mut Chain, frame: u64) -> Answered {
    chain.answered(&identity(frame), Some(&mask(0.9))).unwrap()
}

fn memory(policy: Policy) -> Chain {
    Chain::open(rules(policy, 2), None, KEY, false).unwrap()
}

#[test]
fn what_was_given_comes_first_and_the_last_frames_after_it_in_class_colours() {
    let mut chain = memory(Policy::Fifo);
    for frame in 0..4 {
        guided(&mut chain, frame);
        assert_eq!(answer(&mut chain, frame), Answered::Known);
    }
    assert_eq!(
        guided(&mut chain, 4),
        ["given", "walk/000003", "walk/000002"]
    );
    let last = &chain.memory.kept().next().unwrap().what.example;
    assert_eq!(
        last.image.bytes(),
        resize::bicubic(&picture(3), 2, 2).as_raw()
    );
    assert_eq!(last.mask.bytes()[..6], [255, 200, 0, 0, 0, 0]);
}

#[test]
fn a_frame_waits_for_the_answer_or_the_failure_of_the_one_before() {
    let mut chain = memory(Policy::Fifo);
    guided(&mut chain, 0);
    assert!(!chain.is_ready("walk/000001"));
    assert!(chain.is_ready("walk/000000"), "it was sent again");
    chain.answered(&identity(0), None).unwrap();
    assert!(chain.is_ready("walk/000001"));
    assert_eq!(guided(&mut chain, 1), ["given"], "a failure guides nothing");
    assert_eq!(chain.give_up_waiting(), ["walk/000001"]);
    assert!(chain.is_ready("walk/000002"));
}

#[test]
fn a_frame_that_is_sent_again_gets_what_it_had_and_is_remembered_once() {
    let mut chain = memory(Policy::Fifo);
    for frame in 0..3 {
        guided(&mut chain, frame);
        answer(&mut chain, frame);
    }
    assert_eq!(
        guided(&mut chain, 2),
        ["given", "walk/000001", "walk/000000"]
    );
    assert_eq!(answer(&mut chain, 2), Answered::Known);
    assert_eq!(
        guided(&mut chain, 3),
        ["given", "walk/000002", "walk/000001"]
    );
}

#[test]
fn a_killed_process_goes_on_where_it_was() {
    for policy in [Policy::Fifo, Policy::Gated, Policy::Every] {
        let dir = tempfile::tempdir().unwrap();
        let open =
            |restarted| Chain::open(rules(policy, 2), Some(dir.path()), KEY, restarted).unwrap();
        let mut lasting = memory(policy);
        for frame in 0..12 {
            // Each frame meets another process, and every third comes twice.
            let mut chain = open(true);
            assert_eq!(guided(&mut chain, frame), guided(&mut lasting, frame));
            answer(&mut chain, frame);
            answer(&mut lasting, frame);
            drop(chain);
            if frame % 3 == 0 {
                let mut again = open(frame % 2 == 0);
                assert_eq!(guided(&mut again, frame), guided(&mut lasting, frame));
                answer(&mut again, frame);
                answer(&mut lasting, frame);
            }
        }
        let pictures = std::fs::read_dir(dir.path()).unwrap().count();
        assert!(pictures <= 1 + 2 * (GIVEN + 2), "{policy}: {pictures}");
    }
}

#[test]
fn an_answer_to_a_frame_that_died_with_a_process_is_not_passed_on() {
    let dir = tempfile::tempdir().unwrap();
    let open =
        |restarted| Chain::open(rules(Policy::Fifo, 2), Some(dir.path()), KEY, restarted).unwrap();
    let mut first = open(false);
    guided(&mut first, 0);
    answer(&mut first, 0);
    guided(&mut first, 1);
    drop(first);
    let mut second = open(true);
    assert_eq!(answer(&mut second, 1), Answered::Unknown);
    assert_eq!(answer(&mut second, 0), Answered::Known, "it is remembered");
    assert_eq!(guided(&mut second, 1), ["given", "walk/000000"]);
    assert_eq!(answer(&mut second, 1), Answered::Known);
}

#[test]
fn another_key_other_rules_another_video_or_an_earlier_frame_begin_anew() {
    let dir = tempfile::tempdir().unwrap();
    let open = |policy, key| Chain::open(rules(policy, 2), Some(dir.path()), key, false).unwrap();
    let mut chain = open(Policy::Fifo, KEY);
    for frame in 5..30 {
        guided(&mut chain, frame);
        answer(&mut chain, frame);
    }
    drop(chain);
    assert_eq!(open(Policy::Fifo, "other").memory.len(), 0);
    assert_eq!(open(Policy::Every, KEY).memory.len(), 0);
    let mut same = open(Policy::Fifo, KEY);
    assert_eq!(same.memory.len(), 2);
    assert_eq!(guided(&mut same, 5), ["given"], "it is of later frames");
    drop(same);
    let mut chain = open(Policy::Fifo, KEY);
    let other = Identity {
        source: "/run".into(),
        ..identity(30)
    };
    chain.follow(&other, 30);
    assert!(chain.memory.is_empty());
}

#[test]
fn a_picture_that_is_gone_is_said_and_memory_begins_anew() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Chain::open(rules(Policy::Fifo, 2), Some(dir.path()), KEY, false).unwrap();
    let mut chain = open();
    guided(&mut chain, 0);
    answer(&mut chain, 0);
    drop(chain);
    assert_eq!(open().memory.len(), 1);
    std::fs::remove_file(dir.path().join("00000000.mask.png")).unwrap();
    assert_eq!(open().memory.len(), 0);
}
