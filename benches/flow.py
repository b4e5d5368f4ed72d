"""What the dataflow costs around the network: pictures of three sizes through the real engine, one at a time."""

import itertools
import json
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parent.parent
SIZES = {"448 x 448": (448, 448), "1920 x 1080": (1920, 1080), "3840 x 2160": (3840, 2160)}
ITEMS = 40
PROMPTS = [1, 8]
# What the tiny network takes.
SIDE = 64


def picture(width, height, seed):
    """Smooth blobs, as compressible as a photograph."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (height // 24, width // 24, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=np.int16)
    grain = random.integers(-6, 7, (height, width, 1))
    return Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))


def run(folder, size, prompts):
    """Seconds from one picture's mask to the next one's, and the milliseconds by stage that each item's record tells."""
    pictures, out = folder / "pictures", folder / "out"
    pictures.mkdir(parents=True)
    for number in range(ITEMS):
        picture(*size, number).save(pictures / f"{number:02}.jpg", quality=92)
    command = [
        ROOT / "target/debug/seggpt", "segment", pictures, "--out", out, "--model", "untrained-tiny", "--k", str(prompts),
        "--select", "fixed", "--window", "1", "--no-report", "--no-overlay", "--no-confidence",
    ]  # fmt: skip
    ground = ROOT / "tests/fixtures/ground"
    for number in range(prompts):
        example, mask = folder / f"example_{number}.png", folder / f"example_{number}_mask.png"
        shutil.copy(ground / "ground_1.png", example)
        shutil.copy(ground / "ground_1_pebbles.png", mask)
        command += ["--prompt", f"{example}={mask}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    written = sorted(mask.stat().st_mtime_ns for mask in out.glob("*.mask.png"))
    # Prompts are prepared once, with the first picture.
    took = [(after - before) / 1e9 for before, after in itertools.pairwise(written[1:])]
    _, *lines = (out / ".seggpt/journal.jsonl").read_text().splitlines()
    records = [json.loads(line) for line in lines]
    return took, [record["provenance"]["milliseconds"] for record in records]


def cost_of_pictures(folder):
    """Seconds to read and decode a picture, and to resize it to the network's size, each alone and warm."""
    command = [ROOT / "target/debug/examples/cost", str(SIDE), *sorted(folder.iterdir())]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [float(spent) / 1e3 for spent in out.split()]


def seconds(folder, size, prompts):
    """Per item: all; of it resizing, the network, deciding classes at the picture's size, and writing; beside it, reading."""
    took, spent = run(folder, size, prompts)
    reading, resizing = cost_of_pictures(folder / "pictures")
    stages = [statistics.median(each[stage] for each in spent[1:]) / 1e3 for stage in ["forward", "decode", "write"]]
    return statistics.median(took), resizing, *stages, reading


def overhead():
    with tempfile.TemporaryDirectory() as folder:
        return {
            (name, prompts): seconds(Path(folder) / f"{size[0]}_{prompts}", size, prompts)
            for name, size in SIZES.items()
            for prompts in PROMPTS
        }
