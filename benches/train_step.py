"""A training step of the small network here and in PyTorch, in turns.

Both compute the forward pass, the loss, the gradients, their length and an AdamW step of the same network in f32 on all
cores; the best of a round's steps counts.
"""

import re
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
# Side of the pictures and canvases of a step, as in the committed recipe.
SIZES = [(64, 8), (128, 4)]


def rate(command):
    """Samples a second."""
    said = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout
    return max(float(found) for found in re.findall(r"([0-9.]+) samples/s", said))


def training(rounds):
    """By side and batch: medians of ours and of PyTorch's."""
    rates = {}
    for side, batch in SIZES:
        ours = [ROOT / "target/debug/examples/step", side, batch, 7]
        theirs = [sys.executable, ROOT / "tests/parity/gradients.py", "--speed", side, batch]
        pairs = [(rate(ours), rate(theirs)) for _ in range(rounds)]
        rates[side, batch] = [statistics.median(one) for one in zip(*pairs, strict=True)]
    return rates
