"""What the dataflow costs around the network: pictures of three sizes through the real engine, one at a time."""

import json
import statistics
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parent.parent
SIZES = {"448 x 448": (448, 448), "1920 x 1080": (1920, 1080), "3840 x 2160": (3840, 2160)}
ITEMS = 12


def picture(width, height, seed):
    """Smooth blobs, as compressible as a photograph."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (height // 24, width // 24, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16)
    grain = random.integers(-6, 7, (height, width, 1))
    return Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))


def seconds(folder, size):
    """Per item: from one finished item to the next, and what of it the network took."""
    pictures, out = folder / "pictures", folder / "out"
    pictures.mkdir(parents=True)
    for number in range(ITEMS):
        picture(*size, number).save(pictures / f"{number:02}.jpg", quality=92)
    ground = ROOT / "tests/fixtures/ground"
    command = [
        ROOT / "target/debug/seggpt", "segment", pictures, "--out", out, "--model", "untrained-tiny",
        "--prompt", f"{ground / 'ground_1.png'}={ground / 'ground_1_pebbles.png'}", "--window", "1", "--no-report",
    ]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    records = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
    ends = sorted(datetime.fromisoformat(record["finished_at"]) for record in records)
    steps = [(after - before).total_seconds() for before, after in zip(ends, ends[1:], strict=False)]
    spent = [record["provenance"]["milliseconds"] for record in records]
    network = statistics.median(each["prepare"] + each["forward"] for each in spent) / 1e3
    return statistics.median(steps), network


def overhead():
    with tempfile.TemporaryDirectory() as folder:
        return {name: seconds(Path(folder) / str(size[0]), size) for name, size in SIZES.items()}
