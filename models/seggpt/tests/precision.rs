//! What smaller numbers cost, on the CPU: the colours that are painted, against those of f32.
#![allow(clippy::unwrap_used)]

mod common;

use common::{difference, golden, reference};
use seggpt::{DTypeChoice, Device, Ensemble, Network, SegType, Tensor, pixels};

/// Mean difference of the painted colours, in levels of 255. bf16 has 8 bits of precision and int8 7, over 24 blocks.
const TOLERANCES: [(DTypeChoice, f32); 2] = [(DTypeChoice::BF16, 1.0), (DTypeChoice::Int8, 2.0)];

fn network(dtype: DTypeChoice) -> Network {
    Network::load(&golden("seggpt-tiny"), &Device::Cpu, dtype).unwrap()
}

fn answer(network: &Network, [query, prompt, mask]: [&Tensor; 3]) -> Tensor {
    let prompts = network.prepare(prompt, mask, SegType::Instance, Ensemble::Feature);
    network.forward(query, &prompts.unwrap()).unwrap()
}

#[test]
fn smaller_numbers_paint_nearly_the_same_colours() {
    let reference = reference("seggpt-tiny");
    let exact = network(DTypeChoice::F32);
    for (dtype, tolerance) in TOLERANCES {
        let network = network(dtype);
        assert_eq!(network.dtype(), dtype);
        for n in [1, 3] {
            let inputs = ["query", "prompt", "mask"].map(|part| &reference[&format!("{n}.{part}")]);
            let painted = |network| pixels::painted(&answer(network, inputs)).unwrap().concat();
            let (found, expected) = (painted(&network), painted(&exact));
            let differences = found.iter().zip(&expected).map(|(a, b)| (a - b).abs());
            let mean = differences.sum::<f32>() / found.len() as f32;
            assert!(mean <= tolerance, "{dtype}, {n} prompts: {mean}");
            assert!(mean > 0.0, "{dtype} is f32");
        }
    }
}

#[test]
fn smaller_numbers_keep_what_holds_between_answers() {
    let reference = reference("seggpt-tiny");
    let [queries, prompt, mask] = ["3.query", "3.prompt", "3.mask"].map(|name| &reference[name]);
    let queries = Tensor::cat(&[queries, prompt], 0).unwrap();
    let (prompt, mask) = (prompt.narrow(0, 0, 1), mask.narrow(0, 0, 1));
    let (prompt, mask) = (prompt.unwrap(), mask.unwrap());
    let copies = |x: &Tensor| Tensor::cat(&[x, x, x], 0).unwrap();
    for (dtype, _) in TOLERANCES {
        let network = network(dtype);
        let batch = answer(&network, [&queries, &prompt, &mask]);
        for i in 0..4 {
            let query = queries.narrow(0, i, 1).unwrap();
            let alone = answer(&network, [&query, &prompt, &mask]);
            assert_eq!(difference(&alone, &batch.narrow(0, i, 1).unwrap()), 0.0);
        }
        let query = queries.narrow(0, 0, 1).unwrap();
        let three = answer(&network, [&query, &copies(&prompt), &copies(&mask)]);
        let found = difference(&three, &batch.narrow(0, 0, 1).unwrap());
        // What rounding leaves may tip a number into the next step of its grid.
        assert!(found <= 0.2, "{dtype}: {found}");
    }
}

#[test]
fn number_types_that_the_cpu_has_not_are_refused_with_those_it_has() {
    let error = Network::load(&golden("seggpt-tiny"), &Device::Cpu, DTypeChoice::F16);
    let error = error.err().unwrap().to_string();
    assert!(error.contains("choose f32, bf16 or int8"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("int8.safetensors");
    let error = seggpt::convert(&golden("seggpt-tiny"), &file, DTypeChoice::Int8).unwrap_err();
    assert!(error.to_string().contains("f32, f16 or bf16"), "{error}");
    assert!(!file.exists());
}
