//! Foreign data: a valid message of any kind, bent as a tape of bytes says. The fuzz target drives the same code.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float32Array, Float64Array,
        Int32Array, Int64Array, LargeBinaryArray, NullArray, StringArray, StructArray, UInt8Array,
        UInt16Array, UInt32Array, UInt64Array, new_null_array,
    },
    datatypes::{DataType, Field},
};
use seggpt_contract::{
    Ack, Canvases, Class, ClassIds, ClassResult, Combine, Encoding, Example, Failure, Identity,
    Image, Instance, Instances, Mask, Message, Parameter, Parameters, Payload, Picture, Prompt,
    Prompted, Provenance, SegType, Shares, Square, Status,
};

/// Reads choices off bytes; zeros when they run out, and zero never bends anything.
struct Tape<'a>(&'a [u8]);

impl Tape<'_> {
    fn byte(&mut self) -> u8 {
        match self.0 {
            [first, rest @ ..] => {
                self.0 = rest;
                *first
            }
            [] => 0,
        }
    }

    fn below(&mut self, n: u8) -> u8 {
        self.byte() % n
    }

    fn number(&mut self) -> u64 {
        match self.byte() {
            byte @ 0..=63 => u64::from(byte),
            64..=127 => u64::from(self.byte()) << 8,
            128..=159 => u64::from(u32::MAX),
            160..=191 => u64::MAX,
            192..=223 => i32::MAX as u64,
            _ => i64::MAX as u64,
        }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let n = usize::from(self.byte());
        (0..n).map(|_| self.byte()).collect()
    }
}

/// Decodes one bent message as everything it could be. The property: no panic.
pub fn decode_all(tape: &[u8]) {
    let mut tape = Tape(tape);
    let (mut parameters, mut array) = valid(&mut tape);
    bend_parameters(&mut parameters, &mut tape);
    bend(&mut array, &mut tape);
    if let Ok(Message::Item(_, Image(picture))) = Message::<Image>::decode(&array, &parameters, 3) {
        let _ = picture.to_rgb();
    }
    if let Ok(Message::Item(_, prompted)) = Message::<Prompted>::decode(&array, &parameters, 3) {
        let _ = prompted.image.to_rgb();
    }
    if let Ok(Message::Item(identity, mask)) = Message::<Mask>::decode(&array, &parameters, 3) {
        let _ = seggpt_contract::hub_masks(&identity, &mask);
    }
    let _ = Message::<Canvases>::decode(&array, &parameters, 3);
    let _ = Message::<Ack>::decode(&array, &parameters, 3);
}

/// One valid message; which, the tape says.
fn valid(tape: &mut Tape) -> (Parameters, ArrayRef) {
    let identity = Identity::new("a/b.png", 1, (2, 2));
    match tape.below(9) {
        0 => encode(identity, Image(picture(tape))),
        1 => encode(identity, prompted(tape)),
        2 => encode(identity, canvases()),
        3 => encode(identity, mask(tape)),
        4 => encode(identity, Ack(Status::Done)),
        5 => {
            let failure = Failure {
                node: "n".into(),
                error: "e".into(),
            };
            let failed = Message::<Image>::Failed(identity, failure);
            failed.encode().expect("a valid message encodes")
        }
        6 => (identity.to_parameters(), ros(tape)),
        7 => (identity.to_parameters(), kornia()),
        _ => {
            let (parameters, _) = encode(identity, Image(picture(tape)));
            let bytes = tape.bytes();
            (parameters, Arc::new(BinaryArray::from_vec(vec![&bytes])))
        }
    }
}

fn encode<P: Payload>(identity: Identity, payload: P) -> (Parameters, ArrayRef) {
    Message::Item(identity, payload)
        .encode()
        .expect("a valid message encodes")
}

fn picture(tape: &mut Tape) -> Picture {
    let encoding = Encoding::ALL[usize::from(tape.below(Encoding::ALL.len() as u8))];
    let data = match encoding.raw_len(2, 2) {
        Some(len) => vec![7; len],
        None => tape.bytes(),
    };
    Picture::new(2, 2, encoding, data).expect("the length fits")
}

fn square(value: u8) -> Square {
    Square::new(2, vec![value; 12]).expect("the length fits")
}

fn classes() -> Vec<Class> {
    vec![Class {
        id: 1,
        name: "cell".into(),
        color: [255; 3],
    }]
}

fn prompted(tape: &mut Tape) -> Prompted {
    let example = Example {
        name: "p".into(),
        image: square(1),
        mask: square(2),
        score: 0.5,
    };
    Prompted {
        image: picture(tape),
        examples: vec![example.clone(), example],
        classes: classes(),
        kind: SegType::Semantic,
        selection: "fixed".into(),
        warnings: vec![],
    }
}

fn canvases() -> Canvases {
    Canvases {
        query: square(0),
        prompts: vec![Prompt {
            name: "p".into(),
            image: square(1),
            mask: square(2),
            score: 0.5,
        }],
        combine: Combine::Feature,
        ensemble: "feature".into(),
        classes: classes(),
        kind: SegType::Instance,
    }
}

fn mask(tape: &mut Tape) -> Mask {
    let instance = Instance {
        class: 1,
        bbox: [0, 0, 2, 2],
        pixels: 4,
        confidence: 0.5,
    };
    Mask {
        width: 2,
        height: 2,
        ids: match tape.below(2) {
            0 => ClassIds::U8(vec![1_u8; 4].into()),
            _ => ClassIds::U16(vec![1; 4].into()),
        },
        confidence: vec![9_u8; 4].into(),
        classes: classes()
            .into_iter()
            .map(|class| ClassResult {
                class,
                pixels: 4,
                confidence: 0.5,
            })
            .collect(),
        painted: square(3),
        instances: (tape.below(2) == 1).then(|| Instances {
            map: vec![1; 4].into(),
            table: vec![instance],
        }),
        shares: (tape.below(2) == 1)
            .then(|| Shares::new(3, vec![7_u8; 9 * classes().len()], 0.5).expect("they fit")),
        provenance: Provenance::default(),
    }
}

fn structure(fields: Vec<(&str, ArrayRef)>) -> ArrayRef {
    let (fields, columns): (Vec<_>, Vec<_>) = fields
        .into_iter()
        .map(|(name, column)| (Field::new(name, column.data_type().clone(), true), column))
        .unzip();
    Arc::new(StructArray::new(fields.into(), columns, None))
}

fn ros(tape: &mut Tape) -> ArrayRef {
    let (encoding, row) = [
        ("mono16", 4),
        ("bgr8", 6),
        ("8UC1", 2),
        ("nv12", 2),
        ("jpeg", 1),
    ][usize::from(tape.below(5))];
    let step = row + u32::from(tape.below(3));
    structure(vec![
        ("height", Arc::new(UInt32Array::from(vec![2]))),
        ("width", Arc::new(UInt32Array::from(vec![2]))),
        ("encoding", Arc::new(StringArray::from(vec![encoding]))),
        (
            "is_bigendian",
            Arc::new(UInt8Array::from(vec![tape.below(2)])),
        ),
        ("step", Arc::new(UInt32Array::from(vec![step]))),
        (
            "data",
            Arc::new(BinaryArray::from_vec(vec![&vec![5; 2 * step as usize]])),
        ),
    ])
}

fn kornia() -> ArrayRef {
    structure(vec![
        ("width", Arc::new(UInt32Array::from(vec![2]))),
        ("height", Arc::new(UInt32Array::from(vec![2]))),
        ("channels", Arc::new(UInt32Array::from(vec![3]))),
        ("data", Arc::new(BinaryArray::from_vec(vec![&[5; 12]]))),
    ])
}

const KEYS: [&str; 5] = ["seggpt", "width", "height", "encoding", "status"];

fn bend_parameters(parameters: &mut Parameters, tape: &mut Tape) {
    for key in KEYS {
        match tape.below(8) {
            5 => drop(parameters.remove(key)),
            6 => drop(parameters.insert(key.into(), parameter(tape))),
            7 => {
                let text = String::from_utf8_lossy(&tape.bytes()).into_owned();
                parameters.insert(key.into(), Parameter::String(text));
            }
            _ => {}
        }
    }
}

fn parameter(tape: &mut Tape) -> Parameter {
    match tape.below(6) {
        0 => Parameter::Integer(tape.number() as i64),
        1 => Parameter::Integer((tape.number() as i64).wrapping_neg()),
        2 => Parameter::Bool(true),
        3 => Parameter::Float(f64::NAN),
        4 => Parameter::String(r#"{"item":"a","position":{"tile":{"x":1}}}"#.into()),
        _ => Parameter::ListString(vec!["a".into()]),
    }
}

fn bend(array: &mut ArrayRef, tape: &mut Tape) {
    match tape.below(16) {
        13 => *array = any_array(tape),
        14 => *array = array.slice(0, array.len() / 2),
        15 => *array = new_null_array(array.data_type(), 1),
        _ => {
            if let Some(row) = array.as_struct_opt() {
                *array = bend_row(row, tape);
            }
        }
    }
}

fn bend_row(row: &StructArray, tape: &mut Tape) -> ArrayRef {
    let mut fields = Vec::new();
    for (field, column) in row.fields().iter().zip(row.columns()) {
        let name = field.name().as_str();
        match tape.below(12) {
            8 => continue,
            9 if column.len() == 1 => fields.push((name, one_row(tape))),
            10 => fields.push((name, new_null_array(column.data_type(), column.len()))),
            11 => fields.push((name, cut(column, tape))),
            _ => fields.push((name, column.clone())),
        }
    }
    if fields.is_empty() {
        return Arc::new(NullArray::new(1));
    }
    structure(fields)
}

/// The same type with other contents: bytes of another length, lists with entries missing, other numbers.
fn cut(column: &ArrayRef, tape: &mut Tape) -> ArrayRef {
    match column.data_type() {
        DataType::LargeBinary if column.len() == 1 && column.is_valid(0) => {
            let bytes = column.as_binary::<i64>().value(0);
            let keep = usize::try_from(tape.number())
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            let bytes = match tape.below(2) {
                0 => bytes[..keep].to_vec(),
                _ => tape.bytes(),
            };
            Arc::new(LargeBinaryArray::from_vec(vec![&bytes]))
        }
        DataType::UInt32 if column.len() == 1 => {
            Arc::new(UInt32Array::from(vec![tape.number() as u32]))
        }
        DataType::Utf8 if column.len() == 1 => {
            let word = [
                "png8", "png16", "label16", "none", "nv12", "yuyv", "tiff", "",
            ][usize::from(tape.below(8))];
            Arc::new(StringArray::from(vec![word]))
        }
        DataType::LargeList(field) if column.len() == 1 => {
            let items = column.as_list::<i64>().value(0);
            let fewer = items.slice(0, items.len() / 2);
            let offsets = arrow::buffer::OffsetBuffer::from_lengths([fewer.len()]);
            Arc::new(arrow::array::LargeListArray::new(
                field.clone(),
                offsets,
                fewer,
                None,
            ))
        }
        _ => new_null_array(column.data_type(), column.len()),
    }
}

fn one_row(tape: &mut Tape) -> ArrayRef {
    let number = tape.number();
    match tape.below(9) {
        0 => Arc::new(UInt32Array::from(vec![number as u32])),
        1 => Arc::new(Int64Array::from(vec![(number as i64).wrapping_neg()])),
        2 => Arc::new(UInt64Array::from(vec![number])),
        3 => Arc::new(Int32Array::from(vec![number as i32])),
        4 => Arc::new(StringArray::from(vec![
            String::from_utf8_lossy(&tape.bytes()).as_ref(),
        ])),
        5 => Arc::new(BinaryArray::from_vec(vec![&tape.bytes()])),
        6 => Arc::new(BooleanArray::from(vec![true])),
        7 => Arc::new(Float32Array::from(vec![f32::NAN])),
        _ => Arc::new(NullArray::new(1)),
    }
}

fn any_array(tape: &mut Tape) -> ArrayRef {
    match tape.below(8) {
        0 => Arc::new(UInt8Array::from(tape.bytes())),
        1 => Arc::new(UInt8Array::from(vec![Some(1), None])),
        2 => Arc::new(BinaryArray::from_vec(vec![&tape.bytes()])),
        3 => Arc::new(LargeBinaryArray::from_vec(vec![b"a", b"b"])),
        4 => Arc::new(UInt16Array::from(vec![1])),
        5 => Arc::new(Float64Array::from(vec![1.0])),
        6 => Arc::new(StringArray::from(vec!["x"])),
        _ => Arc::new(NullArray::new(usize::from(tape.byte()))),
    }
}
