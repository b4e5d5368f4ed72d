//! Messages of other people's nodes: read where they say enough, refused by name where they do not.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, StructArray, UInt8Array};
use common::samples::{mask, with_field};
use seggpt_contract::{
    Ack, ClassIds, Encoding, Identity, Image, Mask, Message, Parameter, Parameters, Picture,
    Status, hub_masks,
};

#[test]
fn every_absent_or_mistyped_field_of_a_struct_is_named() {
    let sent = mask(2, 2, ClassIds::U8(vec![0_u8; 4].into()));
    let (parameters, array) = Message::Item(Identity::new("a", 0, (2, 2)), sent)
        .encode()
        .unwrap();
    let row = array.as_struct();
    for field in row.fields() {
        let name = field.name();
        let without: Vec<_> = row
            .fields()
            .iter()
            .cloned()
            .zip(row.columns().iter().cloned())
            .filter(|(field, _)| field.name() != name)
            .collect();
        let without: ArrayRef = Arc::new(StructArray::from(without));
        // The table of instances is only read where there are some.
        if name.starts_with("instance") && name != "instances_encoding" {
            Message::<Mask>::decode(&without, &parameters, 0).unwrap();
            continue;
        }
        let error = Message::<Mask>::decode(&without, &parameters, 0).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("Mask: no `{name}` among the struct's fields")
        );
        let mistyped = with_field(&array, name, Arc::new(Float64Array::from(vec![1.0])));
        let error = Message::<Mask>::decode(&mistyped, &parameters, 0).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(&format!("Mask: `{name}` is Float64; expected ")),
            "{error}"
        );
    }
}

#[test]
fn a_payload_of_another_type_is_named() {
    let array: ArrayRef = Arc::new(UInt8Array::from(vec![1]));
    let error = Message::<Mask>::decode(&array, &Parameters::new(), 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Mask: payload of Arrow type UInt8; expected a Struct of one row"
    );
}

#[test]
fn a_metadata_key_of_another_type_is_named() {
    let picture = Picture::from_rgb(image::RgbImage::new(2, 2));
    let (parameters, array) = Message::Item(Identity::new("a", 0, (2, 2)), Image(picture))
        .encode()
        .unwrap();
    for key in [
        "item",
        "name",
        "source",
        "index",
        "total",
        "source_width",
        "source_height",
        "time",
        "position",
        "width",
        "height",
        "encoding",
    ] {
        let mut bent = parameters.clone();
        bent.insert(key.into(), Parameter::Bool(true));
        let error = Message::<Image>::decode(&array, &bent, 0)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(&format!("`{key}` is Bool(true); expected ")),
            "{error}"
        );
    }
}

#[test]
fn an_acknowledgement_needs_nothing_but_item_and_status() {
    let parameters = Parameters::from([
        ("item".into(), Parameter::String("a/b.png".into())),
        ("status".into(), Parameter::String("failed".into())),
    ]);
    let array: ArrayRef = Arc::new(UInt8Array::from(Vec::<u8>::new()));
    let Message::Item(identity, ack) = Message::<Ack>::decode(&array, &parameters, 0).unwrap()
    else {
        panic!("an acknowledgement of a failure is no failure")
    };
    assert_eq!(
        (identity.item.as_str(), ack),
        ("a/b.png", Ack(Status::Failed))
    );
    let error = Message::<Ack>::decode(&array, &Parameters::new(), 0).unwrap_err();
    assert_eq!(error.to_string(), "Ack: no `status` in the metadata");
}

#[test]
fn a_foreign_picture_is_numbered_by_its_arrival_and_keeps_its_metadata() {
    let parameters = Parameters::from([
        ("width".into(), Parameter::Integer(2)),
        ("height".into(), Parameter::Integer(1)),
        ("encoding".into(), Parameter::String("BGR8".into())),
        ("gripper".into(), Parameter::Bool(true)),
        ("_framing".into(), Parameter::String("arrow-ipc".into())),
    ]);
    let array: ArrayRef = Arc::new(UInt8Array::from(vec![0, 0, 255, 255, 0, 0]));
    let Message::Item(identity, Image(picture)) = Message::decode(&array, &parameters, 17).unwrap()
    else {
        panic!("it did not fail")
    };
    assert_eq!(identity.item, "000017");
    assert_eq!((identity.width, identity.height), (2, 1));
    assert_eq!(
        identity.extra,
        Parameters::from([("gripper".into(), Parameter::Bool(true))])
    );
    assert_eq!(picture.to_rgb().unwrap().as_raw(), &[255, 0, 0, 0, 0, 255]);
    assert_eq!(picture.encoding(), Encoding::Bgr8);
}

#[test]
fn a_mask_in_the_hubs_dialect_has_a_plane_for_each_class() {
    let (parameters, array) = hub_masks(
        &Identity::new("a", 0, (2, 2)),
        &mask(2, 2, ClassIds::U8(vec![1_u8, 0, 0, 1].into())),
    );
    let planes: Vec<bool> = array.as_boolean().iter().map(Option::unwrap).collect();
    assert_eq!(planes, [true, false, false, true]);
    assert_eq!(parameters["primitive"], Parameter::String("masks".into()));
    assert_eq!(
        parameters["labels"],
        Parameter::ListString(vec!["leaf".into()])
    );
    assert_eq!(parameters["width"], Parameter::Integer(2));
}
