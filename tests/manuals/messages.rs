//! The type file says what the contract writes.

use arrow::{
    array::ArrayRef,
    buffer::Buffer,
    datatypes::{DataType, Schema},
};
use seggpt_contract::{
    Ack, Canvases, Class, ClassIds, ClassResult, Combine, Example, Image, ImageDialect, Mask,
    Parameters, Payload, Picture, Prompt, Prompted, Provenance, SegType, Square, Status, hub_masks,
    mask_image,
};

use super::registry;

fn square() -> Square {
    Square::new(2, vec![0_u8; 12]).unwrap()
}

fn classes() -> Vec<Class> {
    vec![Class {
        id: 1,
        name: "pebble".into(),
        color: [255; 3],
    }]
}

fn prompted() -> Prompted {
    Prompted {
        image: Picture::from_rgb(image::RgbImage::new(3, 2)),
        examples: vec![Example {
            name: "a".into(),
            image: square(),
            mask: square(),
            score: 1.0,
        }],
        classes: classes(),
        kind: SegType::Instance,
        selection: "fixed".into(),
        warnings: vec![],
    }
}

fn canvases() -> Canvases {
    Canvases {
        query: square(),
        prompts: vec![Prompt {
            name: "a".into(),
            image: square(),
            mask: square(),
            score: 1.0,
        }],
        combine: Combine::Feature,
        ensemble: "feature".into(),
        classes: classes(),
        kind: SegType::Instance,
    }
}

fn mask() -> Mask {
    Mask {
        width: 3,
        height: 2,
        ids: ClassIds::from_ids(vec![0, 1, 0, 0, 0, 0]),
        confidence: Buffer::from_vec(vec![9_u8; 6]),
        classes: classes()
            .into_iter()
            .map(|class| ClassResult {
                class,
                pixels: 1,
                confidence: 0.5,
            })
            .collect(),
        painted: square(),
        instances: None,
        shares: None,
        provenance: Provenance::default(),
    }
}

fn same<P: Payload>(payload: &P) {
    let array = payload.write(&mut Parameters::new()).unwrap();
    declared(P::URN, &array);
}

fn declared(urn: &str, array: &ArrayRef) {
    let registry = registry();
    let definition = registry
        .resolve(urn)
        .unwrap_or_else(|| panic!("{urn} is not declared"));
    match array.data_type() {
        DataType::Struct(fields) => {
            let schema = definition
                .to_arrow_schema_with_registry(&registry)
                .unwrap_or_else(|| panic!("{urn}: a field type does not resolve"));
            assert_eq!(Schema::new(fields.clone()), schema, "{urn}");
        }
        simple => assert_eq!(format!("{simple:?}"), definition.arrow, "{urn}"),
    }
}

#[test]
fn the_type_file_says_what_the_contract_writes() {
    same(&Image(Picture::from_rgb(image::RgbImage::new(3, 2))));
    same(&prompted());
    same(&canvases());
    same(&mask());
    same(&Ack(Status::Done));
    let (_, array) = hub_masks(&seggpt_contract::Identity::new("a", 0, (3, 2)), &mask());
    declared("seggpt/flow/v1/HubMasks", &array);
    let identity = seggpt_contract::Identity::new("a", 0, (3, 2));
    let (_, array) = mask_image(&identity, &mask(), ImageDialect::Hub).unwrap();
    declared("seggpt/flow/v1/MaskImage", &array);
}
