#!/usr/bin/env bash
# What `make bench` runs: builds, makes random weights in a temporary folder, times, writes docs/benchmarks.md.
# Arguments go to contest.py: --quick, --rounds N, --threads N, --peers 'transformers f32,openvino f32', --out FILE.
set -euo pipefail
cd "$(dirname "$0")/.."

benches/venv.sh
cargo build --quiet --workspace --bins
cargo build --quiet --workspace --examples
folder=$(mktemp --directory)
trap 'rm -rf "$folder"' EXIT
for size in large small; do
    target/debug/examples/random $size "$folder/$size.safetensors"
done
benches/.venv/bin/python benches/contest.py --folder "$folder" "$@"
