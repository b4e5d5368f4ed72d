//! A small mask, and hands to take messages apart and put them together differently.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, StructArray},
    buffer::Buffer,
};
use seggpt_contract::{Class, ClassIds, ClassResult, Mask, Provenance, Square};

pub fn mask(width: u32, height: u32, ids: ClassIds) -> Mask {
    let class = Class {
        id: 1,
        name: "leaf".into(),
        color: [0, 255, 0],
    };
    Mask {
        confidence: vec![200_u8; ids.len()].into(),
        ids,
        width,
        height,
        classes: vec![ClassResult {
            class,
            pixels: 1,
            confidence: 0.5,
        }],
        painted: Square::new(1, vec![0_u8; 3]).unwrap(),
        instances: None,
        shares: None,
        provenance: Provenance::default(),
    }
}

pub fn binary(row: &StructArray, field: &str) -> Buffer {
    row.column_by_name(field)
        .unwrap()
        .as_binary::<i64>()
        .values()
        .clone()
}

pub fn with_field(array: &ArrayRef, name: &str, column: ArrayRef) -> ArrayRef {
    let row = array.as_struct();
    let columns = row.fields().iter().zip(row.columns()).map(|(field, old)| {
        let new = if field.name() == name { &column } else { old };
        let field = arrow::datatypes::Field::new(field.name(), new.data_type().clone(), true);
        (Arc::new(field), new.clone())
    });
    Arc::new(StructArray::from(columns.collect::<Vec<_>>()))
}
