"""Times a training step of the small network here and in PyTorch, in turns.

    cargo build --release -p seggpt-train --example step
    PYTHON benches/train_step.py [SIZE BATCH [ROUNDS]]

PYTHON is one that has torch (2.15.0 was measured), numpy and safetensors. Both compute the forward pass, the loss, the
gradients, their length and an AdamW step of the same network in f32 on all cores; the best step of each round counts.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[1]


def rate(command):
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.findall(r"([0-9.]+) samples/s", said)
    return max(map(float, found))


def main():
    size, batch, rounds = (sys.argv[1:] + ["64", "16", "3"][len(sys.argv) - 1 :])[:3]
    built = [path for kind in ("release", "debug") if (path := ROOT / "target" / kind / "examples" / "step").exists()]
    if not built:
        sys.exit("build it first: cargo build --release -p seggpt-train --example step")
    ours = [built[0], size, batch, "7"]
    theirs = [sys.executable, ROOT / "tests" / "parity" / "gradients.py", "--speed", size, batch]
    print(f"{size} px, batch {batch}: samples a second, here ({built[0].parents[1].name} build) and in PyTorch")
    for _ in range(int(rounds)):
        print(f"{rate(ours):8.1f} {rate(theirs):8.1f}")


if __name__ == "__main__":
    main()
