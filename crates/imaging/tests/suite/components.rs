use proptest::prelude::*;
use seggpt_imaging::components::{Instances, components};

/// Digits are labels, everything else is background.
fn find(rows: &[&str], min_pixels: u64) -> Instances {
    let labels: Vec<u16> = rows
        .concat()
        .bytes()
        .map(|b| {
            if b.is_ascii_digit() {
                u16::from(b - b'0')
            } else {
                0
            }
        })
        .collect();
    components(&labels, (rows[0].len(), rows.len()), min_pixels).unwrap()
}

#[test]
fn touching_corners_connect_and_other_classes_do_not() {
    let found = find(&["1..2", ".12.", "....", "11.."], 1);
    let table: Vec<_> = found
        .table
        .iter()
        .map(|i| (i.id, i.class, i.bbox, i.pixels))
        .collect();
    assert_eq!(
        table,
        [
            (1, 1, [0, 0, 2, 2], 2),
            (2, 2, [2, 0, 2, 2], 2),
            (3, 1, [0, 3, 2, 1], 2),
        ]
    );
}

#[test]
fn arms_that_meet_late_are_one_piece() {
    let found = find(&["1.1.1", "1.1.1", "11111"], 1);
    assert_eq!(found.table.len(), 1);
    assert_eq!(found.table[0].pixels, 9 + 2);
}

#[test]
fn the_right_edge_does_not_touch_the_left_one() {
    assert_eq!(find(&["...1", "1..."], 1).table.len(), 2);
}

#[test]
fn small_pieces_go_and_the_rest_is_numbered_without_gaps() {
    let found = find(&["1.22", "..22", "3333"], 2);
    assert_eq!(found.ids, [0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 2]);
    assert_eq!(found.table.iter().map(|i| i.id).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn labels_that_do_not_fit_the_size_are_an_error() {
    assert!(components(&[0; 5], (2, 3), 1).is_err());
    assert!(components(&[], (0, 0), 1).unwrap().table.is_empty());
}

proptest! {
    #[test]
    fn pieces_partition_the_marked_pixels(
        (w, labels) in (1usize..20, 1usize..20)
            .prop_flat_map(|(w, h)| (Just(w), prop::collection::vec(0u16..3, w * h))),
    ) {
        let h = labels.len() / w;
        let found = components(&labels, (w, h), 1).unwrap();
        for (at, &id) in found.ids.iter().enumerate() {
            prop_assert_eq!(id == 0, labels[at] == 0);
            if let Some(instance) = (id as usize).checked_sub(1).map(|i| found.table[i]) {
                prop_assert_eq!(instance.class, labels[at]);
                let [left, top, width, height] = instance.bbox.map(|v| v as usize);
                prop_assert!((left..left + width).contains(&(at % w)));
                prop_assert!((top..top + height).contains(&(at / w)));
            }
            // Neighbours of one label are in one piece.
            for (x, y) in [(1, 0), (0, 1), (1, 1)] {
                if at % w + x < w && at / w + y < h {
                    let next = at + x + y * w;
                    prop_assert_eq!(labels[at] == labels[next], id == found.ids[next] || (labels[at] == labels[next] && labels[at] == 0));
                }
            }
        }
        let pixels: u64 = found.table.iter().map(|instance| instance.pixels).sum();
        prop_assert_eq!(pixels as usize, labels.iter().filter(|&&label| label != 0).count());
    }
}
