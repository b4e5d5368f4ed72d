#!/usr/bin/env bash
# On a machine with a GPU: holds the CUDA kernels against the portable operations, times answers here and in PyTorch, and
# writes one JSON. Takes what `make cuda` has built, which may have been carried over from a machine without a GPU:
#   benches/gpu.sh [--bin FOLDER] [--model FILE] [--out FILE] [--peak TFLOPS]
# Without --model: random weights of the published architecture. Without a GPU it says so in the JSON and ends with 0.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$here/../target/cuda/bin model= out=gpu.json peak=989
while [ $# -gt 0 ]; do
    case $1 in
    --bin) bin=$2 ;;
    --model) model=$2 ;;
    --out) out=$2 ;;
    --peak) peak=$2 ;;
    *) echo "what is $1? see the head of $0" >&2; exit 2 ;;
    esac
    shift 2
done

folder=$(mktemp --directory)
trap 'rm -rf "$folder"' EXIT
quoted() { printf '"%s"' "$(tr '\n"\\' ' '"'/" <<< "$1")"; }
failed=0
gpu=null tests='"not run"' ours='"not run"' torch='"not run"'
finish() {
    printf '{\n"gpu": %s,\n"parity_tests": %s,\n"seggpt": %s,\n"pytorch": %s\n}\n' "$gpu" "$tests" "$ours" "$torch" > "$out"
    cat "$out"
    exit "$failed"
}

name=$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | head -n 1) || true
if [ -z "$name" ]; then
    echo "no GPU here: neither parity nor speed was looked at" >&2
    finish
fi
gpu=$(quoted "$name")
if [ ! -x "$bin/gpu" ] || [ ! -x "$bin/seggpt-tests" ]; then
    echo "no gpu and seggpt-tests in $bin: run \`make cuda\`, or name their folder with --bin" >&2
    failed=1
    finish
fi

# CUDA's libraries: the system's, else those of a Python environment, else those that were fetched to build with.
found=$(python3 -c 'import nvidia, pathlib; print(pathlib.Path(list(nvidia.__path__)[0]) / "cu13/lib")' 2>/dev/null) || true
for libraries in /usr/local/cuda/lib64 "$found" "$here/../target/cuda-toolkit/wheels.d/nvidia/cu13/lib"; do
    if [ -e "$libraries/libcublas.so.13" ]; then
        export LD_LIBRARY_PATH=$libraries:${LD_LIBRARY_PATH:-}
        break
    fi
done
missing=$(ldd "$bin/gpu" | awk '/not found/ {print $1}' | tr '\n' ' ') || true
if [ -n "$missing" ]; then
    echo "these libraries of CUDA 13 are not found: $missing; name their folder in LD_LIBRARY_PATH" >&2
    tests=$(quoted "not run: no $missing")
    failed=1
    finish
fi

if "$bin/seggpt-tests" network::cuda --nocapture > "$folder/tests" 2>&1 && ! grep -q 'skipped: ' "$folder/tests"; then
    tests=$(quoted "$(grep '^test result' "$folder/tests")")
else
    tests=$(quoted "FAILED: $(grep -E 'panicked|skipped: |^test .*FAILED' -A 1 "$folder/tests" | head -n 20)")
    failed=1
fi
cat "$folder/tests" >&2

if [ -z "$model" ]; then
    model=$folder/random.safetensors
    "$bin/gpu" random "$model"
fi
if "$bin/gpu" "$model" cuda bf16 "$peak" > "$folder/ours"; then
    ours=$(cat "$folder/ours")
else
    ours='"FAILED"' failed=1
fi

if ! python3 -c 'import torch' 2>/dev/null; then
    torch='"not run: no torch"'
elif [ "$model" != "$folder/random.safetensors" ]; then
    torch='"not run: it is timed with random weights"'
elif python3 "$here/gpu_peer.py" "$model" > "$folder/torch"; then
    torch=$(tail -n 1 "$folder/torch")
else
    torch='"FAILED"'
fi
finish
