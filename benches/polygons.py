"""Regions of a mask as polygons, against GDAL's on the same mask: time, memory, and whether they are the same; written as Markdown.

    cargo build --release -p seggpt-raster --example polygons
    python benches/polygons.py target/release/examples/polygons [--side 8000]

Wants numpy, rasterio, pyogrio and shapely, and `gdal_polygonize.py` (Debian: gdal-bin, python3-gdal). The mask is drawn: patches of three
classes with ragged edges, islands in them, and specks.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pyogrio
import rasterio
import rasterio.features
import shapely

SHAPES = """
import sys, numpy, rasterio, rasterio.features
with rasterio.open(sys.argv[1]) as file:
    mask = file.read(1)
    print(sum(1 for _ in rasterio.features.shapes(mask, mask=mask > 0, connectivity=4, transform=file.transform)), "regions")
"""

LAUNCHER = """
import os, subprocess, sys, time
started = time.monotonic()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
if status:
    sys.exit(f"{sys.argv[1]} ended with {status}")
print(time.monotonic() - started, usage.ru_maxrss / 1024)
"""


def drawn(side, path):
    """Writes a mask of side x side pixels."""
    random = np.random.default_rng(1)
    field = np.zeros((side, side), np.float32)
    for size, height in [(side // 40, 1.0), (side // 160, 0.6), (12, 0.25), (3, 0.12)]:
        coarse = random.standard_normal((side // size + 2, side // size + 2)).astype(np.float32) * height
        at = np.arange(side, dtype=np.float32) / size
        low, way = at.astype(int), at % 1
        rows = coarse[low] * (1 - way)[:, None] + coarse[low + 1] * way[:, None]
        field += rows[:, low] * (1 - way) + rows[:, low + 1] * way
    mask = np.digitize(field, [-0.1, 0.5, 1.1]).astype(np.uint8)
    transform = rasterio.Affine(0.1, 0, 500000, 0, -0.1, 5000000)
    profile = {"driver": "GTiff", "width": side, "height": side, "count": 1, "dtype": "uint8", "crs": "EPSG:32633", "nodata": 255}
    with rasterio.open(path, "w", transform=transform, tiled=True, blockxsize=512, blockysize=512, compress="deflate", **profile) as file:
        file.write(mask, 1)
    return mask, transform


def run(*command):
    """Seconds, and the most memory in MB."""
    # A process's memory counts from before it becomes another program, so a small one starts it.
    launched = [sys.executable, "-c", LAUNCHER, *map(str, command)]
    seconds, memory = subprocess.run(launched, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return float(seconds), float(memory)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--side", type=int, default=8000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        mask, transform = drawn(args.side, folder / "mask.tif")
        names = {"ours": folder / "ours.gpkg", "gdal": folder / "gdal.gpkg", "simple": folder / "simple.gpkg"}
        rows = {
            "seggpt, exact": run(args.program, folder / "mask.tif", names["ours"]),
            "seggpt, `--simplify 1`": run(args.program, folder / "mask.tif", names["simple"], "1"),
            "`gdal_polygonize.py`": run("gdal_polygonize.py", "-q", folder / "mask.tif", "-f", "GPKG", names["gdal"]),
            "`rasterio.features.shapes`, not written": run(sys.executable, "-c", SHAPES, folder / "mask.tif"),
        }
        ours, simple = pyogrio.read_dataframe(names["ours"]), pyogrio.read_dataframe(names["simple"])
        assert ours.geometry.is_valid.all() and simple.geometry.is_valid.all(), "polygons that are not valid"
        burnt = rasterio.features.rasterize(zip(ours.geometry, ours.class_id), mask.shape, transform=transform)
        assert np.array_equal(burnt, mask), "burnt again, they are another mask"
        theirs = [
            (value, round(shapely.geometry.shape(shape).area * 100))
            for shape, value in rasterio.features.shapes(mask, mask=mask > 0, connectivity=4, transform=transform)
        ]
        found = list(zip(ours.class_id, (ours.geometry.area * 100).round().astype(int)))
        assert sorted(found) == sorted(theirs), "other regions than GDAL's"
        assert np.allclose(ours.area_m2, ours.geometry.area) and np.allclose(simple.area_m2, ours.area_m2)
        whole = shapely.unary_union(simple.geometry.values).area
        assert abs(whole - simple.geometry.area.sum()) < 1e-6 * whole, "simplified polygons lie on each other"
        corners = [shapely.get_num_coordinates(frame.geometry.values).sum() for frame in (ours, simple)]
        print(f"{args.side} x {args.side} pixels, {len(ours)} regions, {corners[0]} corners, {corners[1]} when simplified\n")
        print("| program | seconds | memory, MB |\n|---|---|---|")
        for name, (seconds, memory) in rows.items():
            print(f"| {name} | {seconds:.1f} | {memory:.0f} |")


if __name__ == "__main__":
    main()
