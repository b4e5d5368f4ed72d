//! Checkpoints: what is read, written and refused.
#![allow(clippy::unwrap_used)]

mod common;

use std::{fs, path::Path};

use candle_core::safetensors;
use common::{golden, root};
use seggpt::{Architecture, Config, DTypeChoice, Device, Format, Network, convert, inspect};

fn refusal(path: &Path) -> String {
    let network = Network::load(path, &Device::Cpu, DTypeChoice::F32).map(|_| ());
    network.unwrap_err().to_string()
}

#[test]
fn every_kind_of_checkpoint_is_recognised() {
    for (path, format, family) in [
        (golden("seggpt-tiny/seggpt_tiny.pth"), Format::Pth, "SegGPT"),
        (golden("seggpt-tiny"), Format::Transformers, "SegGPT"),
        (
            golden("painter-tiny/painter_tiny.pth"),
            Format::Pth,
            "Painter",
        ),
        (root("models/untrained-tiny"), Format::Own, "SegGPT"),
    ] {
        let found = inspect(&path).unwrap();
        let expected = Config {
            type_tokens: family == "SegGPT",
            ..Config::tiny()
        };
        assert_eq!(
            (found.format, found.family, &found.architecture),
            (format, family, &Architecture::SegGpt(expected.clone()))
        );
        assert_eq!(found.dtype, "f16");
        assert_eq!(found.tensors.len(), expected.tensors().len());
        assert_eq!(found.parameters, expected.parameters());
        assert_eq!(found.bytes, fs::metadata(&found.path).unwrap().len());
        assert!(found.unused.is_empty());
    }
}

#[test]
fn the_model_card_states_digest_and_size_of_the_bundled_file() {
    let found = inspect(&root("models/untrained-tiny")).unwrap();
    let card = fs::read_to_string(root("models/untrained-tiny/MODEL_CARD.md")).unwrap();
    assert!(
        card.contains(&found.sha256),
        "MODEL_CARD.md does not state {}",
        found.sha256
    );
    let parameters = card
        .replace(' ', "")
        .contains(&found.parameters.to_string());
    assert!(
        parameters,
        "MODEL_CARD.md does not state {} parameters",
        found.parameters
    );
}

#[test]
fn painter_is_not_taken_for_seggpt() {
    // Painter's tensors under a configuration that says SegGPT: the original code would fill in random type tokens.
    let folder = tempfile::tempdir().unwrap();
    let painter = folder.path().join("painter.safetensors");
    convert(
        &golden("painter-tiny/painter_tiny.pth"),
        &painter,
        DTypeChoice::Auto,
    )
    .unwrap();
    assert_eq!(inspect(&painter).unwrap().family, "Painter");
    let tensors = safetensors::load(&painter, &Device::Cpu).unwrap();
    let about = serde_json::json!({ "format": 1, "config": Config::tiny() });
    let metadata = [("dora-seggpt".to_owned(), about.to_string())];
    let forged = folder.path().join("forged.safetensors");
    ::safetensors::serialize_to_file(&tensors, Some(metadata.into()), &forged).unwrap();
    let error = refusal(&forged);
    assert!(
        error.contains("no tensor `type_token_cls`") && error.contains("SegGPT"),
        "{error}"
    );
}

#[test]
fn a_missing_tensor_is_named_as_the_file_would_name_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut tensors =
        safetensors::load(golden("seggpt-tiny/model.safetensors"), &Device::Cpu).unwrap();
    tensors
        .remove("model.encoder.layers.7.mlp.lin1.bias")
        .unwrap();
    let file = folder.path().join("model.safetensors");
    safetensors::save(&tensors, &file).unwrap();
    fs::copy(
        golden("seggpt-tiny/config.json"),
        folder.path().join("config.json"),
    )
    .unwrap();
    let error = refusal(folder.path());
    assert!(
        error.contains("no tensor `model.encoder.layers.7.mlp.lin1.bias` (shape [128])"),
        "{error}"
    );
}

#[test]
fn a_tensor_of_another_shape_is_named_with_both_shapes() {
    let folder = tempfile::tempdir().unwrap();
    let mut tensors =
        safetensors::load(golden("seggpt-tiny/model.safetensors"), &Device::Cpu).unwrap();
    let name = "model.encoder.layers.3.attention.qkv.weight";
    let narrowed = tensors[name]
        .narrow(0, 0, 64)
        .unwrap()
        .contiguous()
        .unwrap();
    tensors.insert(name.into(), narrowed);
    safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
    fs::copy(
        golden("seggpt-tiny/config.json"),
        folder.path().join("config.json"),
    )
    .unwrap();
    let error = refusal(folder.path());
    assert!(
        error.contains(name) && error.contains("[64, 32]") && error.contains("[96, 32]"),
        "{error}"
    );
}

#[test]
fn a_truncated_file_is_called_truncated() {
    let folder = tempfile::tempdir().unwrap();
    for source in [
        golden("seggpt-tiny/seggpt_tiny.pth"),
        root("models/untrained-tiny/model.safetensors"),
    ] {
        let bytes = fs::read(&source).unwrap();
        for length in [4, 1000, bytes.len() / 2, bytes.len() - 1] {
            let file = folder.path().join("cut");
            fs::write(&file, &bytes[..length]).unwrap();
            let error = refusal(&file);
            assert!(
                error.contains("truncated"),
                "{} at {length}: {error}",
                source.display()
            );
        }
    }
}

#[test]
fn a_truncated_safetensors_file_names_the_tensor_that_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = fs::read(root("models/untrained-tiny/model.safetensors")).unwrap();
    let file = folder.path().join("cut.safetensors");
    fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    let error = refusal(&file);
    assert!(error.contains("tensor `"), "{error}");
}

#[test]
fn foreign_files_are_refused_by_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        fs::write(&file, bytes).unwrap();
        file
    };
    let picture = refusal(&root("tests/fixtures/ground/ground_1.png"));
    assert!(
        picture.contains("neither a .pth nor a safetensors file"),
        "{picture}"
    );
    let pickle = refusal(&write(
        "old.pth",
        b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02",
    ));
    assert!(pickle.contains("before PyTorch 1.6"), "{pickle}");
    let other = refusal(&root("tests/golden/seggpt-tiny/reference.safetensors"));
    assert!(
        other.contains("no tensor `patch_embed.proj.weight`"),
        "{other}"
    );
    let missing = refusal(&folder.path().join("nothing.pth"));
    assert!(
        missing.contains("cannot open") && missing.contains("nothing.pth"),
        "{missing}"
    );
    let empty = refusal(folder.path());
    assert!(empty.contains("no model.safetensors"), "{empty}");
}

#[test]
fn transformers_weights_without_their_configuration_say_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(
        golden("seggpt-tiny/model.safetensors"),
        folder.path().join("model.safetensors"),
    )
    .unwrap();
    let error = refusal(folder.path());
    assert!(error.contains("config.json"), "{error}");
}

#[test]
fn a_conversion_keeps_every_value_and_leaves_no_part_file() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.safetensors");
    convert(
        &golden("seggpt-tiny/seggpt_tiny.pth"),
        &own,
        DTypeChoice::F32,
    )
    .unwrap();
    let from_hf = safetensors::load(golden("seggpt-tiny/model.safetensors"), &Device::Cpu).unwrap();
    let tensors = safetensors::load(&own, &Device::Cpu).unwrap();
    assert_eq!(tensors.len(), from_hf.len());
    for (name, hf) in [
        (
            "blocks.4.mlp.fc2.weight",
            "model.encoder.layers.4.mlp.lin2.weight",
        ),
        ("decoder_pred.3.bias", "decoder.decoder_pred.head.bias"),
        ("type_token_ins", "model.embeddings.type_token_instance"),
    ] {
        let expected = from_hf[hf].to_dtype(seggpt::DType::F32).unwrap();
        assert_eq!(common::difference(&tensors[name], &expected), 0.0);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let half = folder.path().join("half.safetensors");
    convert(&own, &half, DTypeChoice::BF16).unwrap();
    assert_eq!(inspect(&half).unwrap().dtype, "bf16");
}
