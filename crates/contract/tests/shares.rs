//! Shares: one plane a class, never more than all, or refused.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, LargeBinaryArray, StructArray};
use common::samples::{mask, with_field};
use seggpt_contract::{ClassIds, ContractError, Identity, Mask, Message, Shares};

fn message(shares: Shares) -> Message<Mask> {
    let mut mask = mask(2, 2, ClassIds::U8(vec![0_u8, 1, 0, 1].into()));
    mask.shares = Some(shares);
    Message::Item(Identity::new("a", 0, (2, 2)), mask)
}

#[test]
fn shares_arrive_as_they_were_sent() {
    for side in [3, 4100] {
        let planes: Vec<u8> = (0..side * side).map(|at| (at / side % 200) as u8).collect();
        let sent = message(Shares::new(side, planes, 0.3).unwrap());
        let (parameters, array) = sent.encode().unwrap();
        assert!(Message::decode(&array, &parameters, 0).unwrap() == sent);
    }
}

#[test]
fn a_mask_of_one_that_knows_no_shares_has_none() {
    let (parameters, array) = message(Shares::new(1, vec![9_u8], 0.3).unwrap())
        .encode()
        .unwrap();
    let row = array.as_struct();
    let old = row.fields().iter().zip(row.columns());
    let old = old.filter(|(field, _)| !field.name().starts_with("shares"));
    let old = old.map(|(field, column)| (field.clone(), column.clone()));
    let old: ArrayRef = Arc::new(StructArray::from(old.collect::<Vec<_>>()));
    let Message::Item(_, mask) = Message::<Mask>::decode(&old, &parameters, 0).unwrap() else {
        panic!("an item")
    };
    assert_eq!(mask.shares, None);
}

#[test]
fn shares_that_cannot_be_are_refused() {
    let refused = |found: Result<Shares, ContractError>| {
        assert!(
            matches!(found, Err(ContractError::WrongValue { .. })),
            "{found:?}"
        );
    };
    for threshold in [0.0, 1.0, -1.0, f32::NAN] {
        refused(Shares::new(2, vec![0_u8; 4], threshold));
    }
    refused(Shares::new(2, vec![0_u8; 5], 0.5));
    refused(Shares::new(0, vec![0_u8; 5], 0.5));
    refused(Shares::new(1, vec![200_u8, 56], 0.5));
    assert!(Shares::new(1, vec![200_u8, 55], 0.5).is_ok());
}

#[test]
fn a_plane_for_each_class_or_an_error() {
    let misfit = message(Shares::new(1, vec![1_u8, 2], 0.5).unwrap());
    assert!(misfit.encode().is_err(), "two planes, one class");
    let (parameters, array) = message(Shares::new(1, vec![1_u8], 0.5).unwrap())
        .encode()
        .unwrap();
    let two = Arc::new(LargeBinaryArray::from_vec(vec![&[1, 2]]));
    let array = with_field(&array, "shares", two);
    assert!(Message::<Mask>::decode(&array, &parameters, 0).is_err());
}
