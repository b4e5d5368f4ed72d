//! Messages of other people's nodes: read where they say enough, refused by name where they do not.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array, StructArray, UInt8Array};
use common::samples::{mask, with_field};
use seggpt_contract::{
    Ack, ClassIds, Encoding, ForeignName, Identity, Image, Mask, Message, Parameter, Parameters,
    Picture, Shares, Status, hub_masks,
};

#[test]
fn every_absent_or_mistyped_field_of_a_struct_is_named() {
    let sent = Mask {
        shares: Some(Shares::new(1, vec![200_u8], 0.5).unwrap()),
        ..mask(2, 2, ClassIds::U8(vec![0_u8; 4].into()))
    };
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
        // The table of instances is only read where there are some; a sender may know no shares.
        let instances = name.starts_with("instance") && name != "instances_encoding";
        if instances || name == "shares_encoding" {
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
    for key in ["width", "height", "encoding", "seggpt"] {
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
    for text in [
        "",
        "{}",
        "[1]",
        r#"{"item":"a","width":0}"#,
        r#"{"item":7}"#,
    ] {
        let mut bent = parameters.clone();
        bent.insert("seggpt".into(), Parameter::String(text.into()));
        let error = Message::<Image>::decode(&array, &bent, 0).unwrap_err();
        assert!(
            error.to_string().contains("expected an identity as JSON ("),
            "{error}"
        );
        assert_eq!(Identity::of_unreadable(&bent, 5).item, "000005");
    }
}

#[test]
fn the_keys_of_other_people_are_theirs() {
    let foreign = Parameters::from([
        ("item".into(), Parameter::Integer(3)),
        ("name".into(), Parameter::String("cam0".into())),
        ("index".into(), Parameter::String("first".into())),
        ("total".into(), Parameter::Bool(true)),
        ("time".into(), Parameter::Integer(1_700_000_000_000)),
        ("position".into(), Parameter::ListFloat(vec![0.1, 0.2, 0.3])),
        ("error".into(), Parameter::Integer(0)),
        ("status".into(), Parameter::String("ok".into())),
        ("source_width".into(), Parameter::Float(2.0)),
    ]);
    let mut parameters = foreign.clone();
    for (key, value) in [("width", 2), ("height", 1)] {
        parameters.insert(key.into(), Parameter::Integer(value));
    }
    parameters.insert("encoding".into(), Parameter::String("rgb8".into()));
    let array: ArrayRef = Arc::new(UInt8Array::from(vec![0; 6]));
    let name = ForeignName {
        session: "image-20261129T061500123",
        number: 17,
    };
    let Message::Item(identity, image) =
        Message::<Image>::decode(&array, &parameters, name).unwrap()
    else {
        panic!("a foreign `error` is no failure")
    };
    assert_eq!(identity.item, "image-20261129T061500123/000017");
    assert_eq!(identity.name, identity.item);
    assert_eq!((identity.index, identity.time), (17, None));
    assert_eq!(identity.extra, foreign);
    // And so they are at the far end.
    let sent = Message::Item(identity, image);
    let (parameters, array) = sent.encode().unwrap();
    assert_eq!(Message::decode(&array, &parameters, 0).unwrap(), sent);
    for (key, value) in foreign {
        assert_eq!(parameters[&key], value);
    }
}

#[test]
fn a_foreign_capture_time_is_kept() {
    let time = chrono::DateTime::from_timestamp(1_700_000_000, 5).unwrap();
    let parameters = Parameters::from([("timestamp".into(), Parameter::Timestamp(time))]);
    let identity = Identity::from_parameters(&parameters, 0, Some((2, 1))).unwrap();
    assert_eq!(identity.time, Some(time));
    assert_eq!(identity.extra, parameters);
}

#[test]
fn an_acknowledgement_needs_nothing_but_item_and_status() {
    let parameters = Parameters::from([
        (
            "seggpt".into(),
            Parameter::String(r#"{"item":"a/b.png"}"#.into()),
        ),
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
