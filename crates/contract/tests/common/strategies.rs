//! Every message that can be written, for property tests.

use chrono::DateTime;
use proptest::{collection::vec, option, prelude::*};
use seggpt_contract::{
    Canvases, Class, ClassIds, ClassResult, Combine, Encoding, Example, Identity, Instance,
    Instances, Mask, Parameter, Parameters, Picture, Position, Prompt, Prompted, Provenance,
    SegType, Shares, Square,
};

fn text() -> BoxedStrategy<String> {
    "[a-zä0-9/ ._-]{1,12}".boxed()
}

fn score() -> BoxedStrategy<f32> {
    (-1e6_f32..1e6).boxed()
}

fn side() -> std::ops::Range<u32> {
    1..12
}

fn extra() -> impl Strategy<Value = Parameters> {
    let value = prop_oneof![
        any::<i64>().prop_map(Parameter::Integer),
        any::<bool>().prop_map(Parameter::Bool),
        text().prop_map(Parameter::String),
        vec(any::<i64>(), 0..3).prop_map(Parameter::ListInt),
    ];
    vec(("own_[a-z]{1,5}", value), 0..4).prop_map(|pairs| pairs.into_iter().collect())
}

fn position() -> impl Strategy<Value = Position> {
    prop_oneof![
        Just(Position::Whole),
        any::<[u32; 4]>().prop_map(|[x, y, of_width, of_height]| Position::Tile {
            x,
            y,
            of_width,
            of_height
        }),
        (0..3_u8, any::<u32>(), any::<u32>()).prop_map(|(axis, index, count)| Position::Slice {
            axis,
            index,
            count
        }),
        any::<u64>().prop_map(|number| Position::Frame { number }),
    ]
}

pub fn identity() -> impl Strategy<Value = Identity> {
    let numbers = (0..i64::MAX as u64, option::of(0..i64::MAX as u64));
    let size = (1..1_u32 << 31, 1..1_u32 << 31);
    let time = option::of(
        (-4_000_000_000..4_000_000_000_i64)
            .prop_map(|s| DateTime::from_timestamp(s, 0).expect("a year that chrono knows")),
    );
    (
        [text(), text(), text()],
        numbers,
        size,
        time,
        position(),
        vec(text(), 0..3),
        extra(),
    )
        .prop_map(
            |(
                [item, name, source],
                (index, total),
                (width, height),
                time,
                position,
                notes,
                extra,
            )| {
                Identity {
                    item,
                    name,
                    source,
                    index,
                    total,
                    width,
                    height,
                    time,
                    position,
                    notes,
                    extra,
                }
            },
        )
}

/// A picture of any encoding; those of files hold bytes that are none.
pub fn picture() -> impl Strategy<Value = Picture> {
    (
        side(),
        side(),
        proptest::sample::select(Encoding::ALL.as_slice()),
    )
        .prop_flat_map(|(w, h, encoding)| {
            let len = encoding.raw_len(w, h).unwrap_or(7);
            (Just((w, h, encoding)), vec(any::<u8>(), len))
        })
        .prop_map(|((w, h, encoding), data)| {
            Picture::new(w, h, encoding, data).expect("the length fits")
        })
}

fn square(size: u32) -> impl Strategy<Value = Square> {
    vec(any::<u8>(), (size * size * 3) as usize)
        .prop_map(move |data| Square::new(size, data).expect("the length fits"))
}

fn kind() -> impl Strategy<Value = SegType> {
    prop_oneof![Just(SegType::Instance), Just(SegType::Semantic)]
}

fn class() -> impl Strategy<Value = Class> {
    (any::<u16>(), text(), any::<[u8; 3]>()).prop_map(|(id, name, color)| Class { id, name, color })
}

pub fn prompted() -> impl Strategy<Value = Prompted> {
    let examples = side().prop_flat_map(|size| {
        let example = (text(), square(size), square(size), score());
        vec(
            example.prop_map(|(name, image, mask, score)| Example {
                name,
                image,
                mask,
                score,
            }),
            1..4,
        )
    });
    (picture(), examples, vec(class(), 0..4), kind(), text()).prop_map(
        |(image, examples, classes, kind, selection)| Prompted {
            image,
            examples,
            classes,
            kind,
            warnings: vec![selection.clone()],
            selection,
        },
    )
}

pub fn canvases() -> impl Strategy<Value = Canvases> {
    let squares = side().prop_flat_map(|size| {
        let prompt = (text(), square(size), square(size), score());
        let prompt = prompt.prop_map(|(name, image, mask, score)| Prompt {
            name,
            image,
            mask,
            score,
        });
        (square(size), vec(prompt, 1..4))
    });
    let combine = prop_oneof![
        Just(Combine::Feature),
        Just(Combine::Joint),
        Just(Combine::Vote)
    ];
    (squares, combine, text(), vec(class(), 0..4), kind()).prop_map(
        |((query, prompts), combine, ensemble, classes, kind)| Canvases {
            query,
            prompts,
            combine,
            ensemble,
            classes,
            kind,
        },
    )
}

fn ids(pixels: usize) -> impl Strategy<Value = ClassIds> {
    prop_oneof![
        vec(any::<u8>(), pixels).prop_map(|ids| ClassIds::U8(ids.into())),
        vec(any::<u16>(), pixels).prop_map(|ids| ClassIds::U16(ids.into())),
    ]
}

fn instances(pixels: usize) -> impl Strategy<Value = Instances> {
    let instance = (any::<u16>(), any::<[u32; 4]>(), any::<u64>(), score()).prop_map(
        |(class, bbox, pixels, confidence)| Instance {
            class,
            bbox,
            pixels,
            confidence,
        },
    );
    (vec(any::<u16>(), pixels), vec(instance, 0..4)).prop_map(|(map, table)| Instances {
        map: map.into(),
        table,
    })
}

pub fn mask() -> impl Strategy<Value = Mask> {
    let planes = (side(), side()).prop_flat_map(|(w, h)| {
        let pixels = (w * h) as usize;
        let confidence = vec(any::<u8>(), pixels);
        (
            Just((w, h)),
            ids(pixels),
            confidence,
            option::of(instances(pixels)),
        )
    });
    let results = vec(
        (class(), any::<u64>(), score()).prop_map(|(class, pixels, confidence)| ClassResult {
            class,
            pixels,
            confidence,
        }),
        0..4,
    );
    let painted = side().prop_flat_map(square);
    let shares = option::of((side(), 1..100_u8, 0.01..0.99_f32));
    (planes, results, painted, shares, provenance()).prop_map(
        |(((width, height), ids, confidence, instances), classes, painted, shares, provenance)| {
            Mask {
                width,
                height,
                ids,
                confidence: confidence.into(),
                painted,
                instances,
                shares: shares.map(|(side, share, threshold)| {
                    let planes = vec![share / 4; (side * side) as usize * classes.len()];
                    Shares::new(side, planes, threshold).expect("they fit")
                }),
                classes,
                provenance,
            }
        },
    )
}

fn provenance() -> impl Strategy<Value = Provenance> {
    let words = [text(), text(), text(), text(), text(), text()];
    let times = vec((text(), (0..1_000_000_i32).prop_map(f64::from)), 0..3);
    (words, any::<bool>(), vec((text(), score()), 0..3), times).prop_map(
        |([model, device, dtype, ensemble, r#type, version], trained, prompts, times)| Provenance {
            model,
            trained,
            device,
            dtype,
            ensemble,
            r#type,
            prompts,
            milliseconds: times.into_iter().collect(),
            version,
        },
    )
}
