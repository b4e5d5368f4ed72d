"""What it costs that results are on the disk before they are acknowledged: pictures a second with and without waiting for it.

Runs the command that users run, on small drawn pictures with the untrained tiny network, which leaves the time to
everything else. Without: the same command with a library in front of it whose fsync returns at once. The two run in turn,
round after round, so that whatever else the machine does falls on both alike; the median counts.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from flow import ROOT, picture
from report import synchronising

SHIM = "int fsync(int f) { (void)f; return 0; }\nint fdatasync(int f) { (void)f; return 0; }\n"


def without_sync(folder):
    """The environment in which nothing is synchronised."""
    source, library = folder / "nosync.c", folder / "nosync.so"
    source.write_text(SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library)}


def run(folder, pictures, more, environment):
    """Pictures a second, from the first mask to the last: starting takes as long either way."""
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    ground = ROOT / "tests/fixtures/ground"
    command = [
        ROOT / "target/debug/seggpt", "segment", pictures, "--out", out, "--model", "untrained-tiny",
        "--prompt", f"{ground / 'ground_1.png'}={ground / 'ground_1_pebbles.png'}", "--no-report", *more,
    ]  # fmt: skip
    ran = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    if ran.returncode != 0:
        sys.exit(ran.stderr)
    written = sorted(mask.stat().st_mtime_ns for mask in out.glob("*.mask.png"))
    return (len(written) - 1) / ((written[-1] - written[0]) / 1e9)


FILES = {"mask": ["--no-overlay", "--no-confidence"], "mask, confidence and overlay": []}


def rates(folder, pictures, rounds):
    """{files of a picture: (pictures a second of each round with, and without)}; the first round does not count."""
    sources, nothing = folder / "pictures", without_sync(folder)
    sources.mkdir()
    for number in range(pictures):
        picture(256, 256, number).save(sources / f"{number:04}.png")
    measured = {files: ([], []) for files in FILES}
    for number in range(rounds + 1):
        for files, more in FILES.items():
            for kept, environment in zip(measured[files], ({}, nothing), strict=True):
                rate = run(folder, sources, more, environment)
                if number > 0:
                    kept.append(rate)
    return measured


def disk(folder):
    """The file system that a folder is on."""
    line = subprocess.run(["df", "--output=fstype,source", folder], check=True, capture_output=True, text=True).stdout
    return " on ".join(line.splitlines()[1].split())


def section(folder=ROOT / "out", pictures=300, rounds=5):
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        measured = rates(Path(scratch), pictures, rounds)
        return synchronising(measured, pictures, rounds, disk(scratch))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "out", help="on the disk to be measured")
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print("\n\n".join(section(arguments.folder, arguments.pictures, arguments.rounds)))


if __name__ == "__main__":
    main()
