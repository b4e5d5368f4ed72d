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
    let old = refusal(&write(
        "old.pth",
        b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02",
    ));
    assert!(old.contains("truncated"), "{old}");
    let pickle = refusal(&write("list.pkl", b"\x80\x04\x95\x05\0\0\0\0\0\0\0]."));
    assert!(
        pickle.contains("not one that torch.save writes"),
        "{pickle}"
    );
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

/// Downloads that went wrong.
#[test]
fn what_came_instead_of_a_checkpoint_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let said = |bytes: &[u8]| {
        let file = folder.path().join("came.pth");
        fs::write(&file, bytes).unwrap();
        refusal(&file)
    };
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1482000000\n";
    assert!(said(pointer).contains("git lfs pull"), "{}", said(pointer));
    let page = b"<!DOCTYPE html>\n<html><head><title>403 Forbidden</title></head></html>\n";
    assert!(said(page).contains("web page"), "{}", said(page));
    assert!(said(b"").contains("it has 0 bytes"), "{}", said(b""));
}

/// The weights of a `.pth` written as `PREFIX` + name, in a dictionary as `wrap` has it, at protocol 2 and uncompressed.
fn pickled(wrapped: bool, prefix: &str, legacy: bool) -> Vec<u8> {
    let tensors = safetensors::load(
        root("models/untrained-tiny/model.safetensors"),
        &Device::Cpu,
    )
    .unwrap();
    let mut names: Vec<&String> = tensors.keys().collect();
    names.sort();
    let text = |text: &str| {
        [
            b"X",
            &(text.len() as u32).to_le_bytes()[..],
            text.as_bytes(),
        ]
        .concat()
    };
    let int = |number: usize| [b"J", &(number as u32).to_le_bytes()[..]].concat();
    let tuple = |items: Vec<Vec<u8>>| [b"(".to_vec(), items.concat(), b"t".to_vec()].concat();
    let mut dict = b"ccollections\nOrderedDict\n)R(".to_vec();
    for (number, name) in names.iter().enumerate() {
        let tensor = &tensors[*name];
        let strides = tensor.stride().iter().map(|stride| int(*stride)).collect();
        let sides = tensor.dims().iter().map(|side| int(*side)).collect();
        let storage = tuple(vec![
            text("storage"),
            b"ctorch\nHalfStorage\n".to_vec(),
            text(&number.to_string()),
            text("cpu"),
            int(tensor.elem_count()),
        ]);
        dict.extend(text(&format!("{prefix}{name}")));
        dict.extend(b"ctorch._utils\n_rebuild_tensor_v2\n");
        dict.extend(tuple(vec![
            [storage, b"Q".to_vec()].concat(),
            int(0),
            tuple(sides),
            tuple(strides),
            b"\x89ccollections\nOrderedDict\n)R".to_vec(),
        ]));
        dict.extend(b"R");
    }
    // A buffer that no network needs, which wrappers leave behind.
    dict.extend(text("num_batches_tracked"));
    dict.extend(int(7));
    dict.extend(b"u");
    let pickle = match wrapped {
        false => [b"\x80\x02".to_vec(), dict, b".".to_vec()].concat(),
        true => [
            b"\x80\x02}(".to_vec(),
            text("epoch"),
            int(3),
            text("state_dict"),
            dict,
            b"u.".to_vec(),
        ]
        .concat(),
    };
    let numbers = |name: &String| {
        let values = tensors[name]
            .flatten_all()
            .unwrap()
            .to_vec1::<half::f16>()
            .unwrap();
        values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    if legacy {
        let mut file =
            b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.".to_vec();
        file.extend(pickle);
        file.extend(b"\x80\x02](");
        (0..names.len()).for_each(|number| file.extend(text(&number.to_string())));
        file.extend(b"e.");
        for name in names {
            file.extend((tensors[name].elem_count() as u64).to_le_bytes());
            file.extend(numbers(name));
        }
        return file;
    }
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut add = |name: String, bytes: &[u8]| {
        archive.start_file(name, stored).unwrap();
        std::io::Write::write_all(&mut archive, bytes).unwrap();
    };
    add("archive/data.pkl".into(), &pickle);
    for (number, name) in names.iter().enumerate() {
        add(format!("archive/data/{number}"), &numbers(name));
    }
    archive.finish().unwrap().into_inner()
}

/// State dicts as they are saved in the wild.
#[test]
fn weights_are_found_bare_wrapped_prefixed_and_in_old_files() {
    let folder = tempfile::tempdir().unwrap();
    let expected = inspect(&root("models/untrained-tiny")).unwrap();
    for (wrapped, prefix, legacy) in [
        (false, "", false),
        (true, "", false),
        (true, "module.", false),
        (false, "_orig_mod.model.", false),
        (true, "module.", true),
    ] {
        let file = folder.path().join("wild.pth");
        fs::write(&file, pickled(wrapped, prefix, legacy)).unwrap();
        let found = inspect(&file).unwrap();
        assert_eq!(found.format, Format::Pth);
        assert_eq!(found.architecture, expected.architecture, "{prefix}");
        assert_eq!(found.tensors.len(), expected.tensors.len());
        let wild = folder.path().join("wild.safetensors");
        convert(&file, &wild, DTypeChoice::F16).unwrap();
        let tensors = safetensors::load(&wild, &Device::Cpu).unwrap();
        let own = safetensors::load(&expected.path, &Device::Cpu).unwrap();
        for (name, tensor) in &own {
            let float = |tensor: &seggpt::Tensor| tensor.to_dtype(seggpt::DType::F32).unwrap();
            let difference = common::difference(&float(tensor), &float(&tensors[name]));
            assert_eq!(difference, 0.0, "{name}");
        }
    }
}

/// Damage lies where files speak of themselves: in pickles, tables of contents and headers, not among the weights.
#[test]
fn no_damage_to_a_checkpoint_is_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("damaged.pth");
    let safetensors = fs::read(root("models/untrained-tiny/model.safetensors")).unwrap();
    let mut refused = 0;
    let mut state = 7_u64;
    let mut draw = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % below
    };
    for whole in [
        pickled(true, "module.", false),
        pickled(false, "", true),
        safetensors,
    ] {
        let talk = whole.len().min(20_000);
        for _ in 0..400 {
            let mut bytes = whole.clone();
            for _ in 0..=draw(3) {
                let end = draw(4) == 0;
                let at = draw(talk);
                let at = if end { whole.len() - 1 - at } else { at };
                bytes[at] = [0, 0xff, b'.', b'R', b'(', draw(256) as u8][draw(6)];
            }
            fs::write(&file, bytes).unwrap();
            refused += usize::from(seggpt::architecture(&file).is_err());
        }
    }
    assert!(
        refused > 300,
        "{refused} of 1200: the damage is not where it is read"
    );
}

#[test]
fn weights_in_several_files_are_read_by_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let whole = safetensors::load(golden("seggpt-tiny/model.safetensors"), &Device::Cpu).unwrap();
    let mut names: Vec<&String> = whole.keys().collect();
    names.sort();
    let mut map = Vec::new();
    for (number, names) in names.chunks(names.len().div_ceil(3)).enumerate() {
        let file = format!("model-0000{}-of-00003.safetensors", number + 1);
        let part = names
            .iter()
            .map(|name| ((*name).clone(), whole[*name].clone()))
            .collect();
        safetensors::save(&part, folder.path().join(&file)).unwrap();
        map.extend(names.iter().map(|name| format!("\"{name}\": \"{file}\"")));
    }
    let index = folder.path().join("model.safetensors.index.json");
    fs::write(
        &index,
        format!("{{\"weight_map\": {{{}}}}}", map.join(", ")),
    )
    .unwrap();
    fs::copy(
        golden("seggpt-tiny/config.json"),
        folder.path().join("config.json"),
    )
    .unwrap();
    let found = inspect(folder.path()).unwrap();
    assert_eq!(
        (found.format, found.tensors.len()),
        (Format::Transformers, whole.len())
    );
    let own = folder.path().join("own.safetensors");
    convert(folder.path(), &own, DTypeChoice::F32).unwrap();
    assert_eq!(inspect(&own).unwrap().tensors.len(), whole.len());
    fs::remove_file(folder.path().join("model-00002-of-00003.safetensors")).unwrap();
    let error = refusal(folder.path());
    assert!(error.contains("model-00002-of-00003"), "{error}");
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
