"""What memory and gaps are worth in volumes: Dice on scans with few labelled slices, written as Markdown.

    python benches/volumes.py target/debug/seggpt ../shared/data/formats/nifti [--refine none]

What else is said goes to `seggpt segment`.

Wants nibabel. One or two slices of the true labels are given, evenly spread over those that show something; Dice is that of the
slices that were asked, over all classes and slices of a scan.
"""

import argparse
import csv
import itertools
import pathlib
import subprocess
import tempfile
import time

import nibabel as nib
import numpy as np

SETS = [
    ("t2, spinal cord", "t2.nii.gz", "t2_seg-manual.nii.gz"),
    ("t2s, grey matter", "t2s_uncropped.nii.gz", "t2s_uncropped_gmseg_manual.nii.gz"),
]
MEMORY = [0, 1, 2, 3]


def coarsest(image):
    """As `--axis auto`: the coarsest axis, of equals the one to the head."""
    zooms = np.array(image.header.get_zooms()[:3])
    codes = nib.aff2axcodes(image.affine)
    order = [i for letters in ("SI", "AP", "RL") for i in range(3) if codes[i] in letters]
    return next(i for i in order if zooms[i] >= zooms.max() * 0.99)


def given(truth, axis, count, path):
    """Writes the labels of `count` slices."""
    labels = np.asarray(truth.dataobj).copy()
    labels = np.moveaxis(labels, axis, 0)
    shown = np.flatnonzero(labels.any(axis=(1, 2)))
    kept = [shown[(2 * i + 1) * len(shown) // (2 * count)] for i in range(count)]
    labels[[i for i in range(len(labels)) if i not in kept]] = 0
    nib.save(nib.Nifti1Image(np.moveaxis(labels, 0, axis), truth.affine, truth.header), path)
    return [int(slice_) for slice_ in kept]


def asked(program, scan, labels, truth, out, options):
    """Dice of the slices that were asked, and the seconds that it took."""
    command = [program, "segment", "--prompt", f"{scan}={labels}", "--truth", truth, "--out", out]
    started = time.monotonic()
    subprocess.run([*command, *options, scan], check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - started
    with open(pathlib.Path(out) / "dice.tsv", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["slices"] == "asked"]
    sums = [sum(int(row[part]) for row in rows) for part in ("both", "truth", "found")]
    return 2 * sums[0] / max(1, sums[1] + sums[2]), seconds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("data", type=pathlib.Path)
    args, more = parser.parse_known_args()
    ways = [(1, ["--memory", str(n)], f"{n} remembered") for n in MEMORY]
    ways += [
        (2, ["--memory", str(n), "--gap", gap], f"{n} remembered, {gap}")
        for n, gap in itertools.product([0, 1], ["both", "meet"])
    ]
    print("| labelled slices | " + " | ".join(name for name, *_ in SETS) + " |")
    print("|---|" + "---|" * len(SETS))
    for count, options, name in ways:
        cells = []
        for _, scan, truth in SETS:
            image, labels = nib.load(args.data / scan), nib.load(args.data / truth)
            with tempfile.TemporaryDirectory() as folder:
                few = f"{folder}/few.nii.gz"
                given(labels, coarsest(image), count, few)
                dice, seconds = asked(
                    args.program, str(args.data / scan), few, str(args.data / truth), f"{folder}/out", options + more
                )
            cells.append(f"{dice:.3f} ({seconds:.0f} s)")
        print(f"| {count}, {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
