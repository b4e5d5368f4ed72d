"""Makes crates/datasets/tests/fixtures/datasets: tiny data sets in the layouts that the readers know, drawn here, with what
the layouts' own tools read from them.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install numpy pillow pycocotools
    /tmp/venv/bin/python tests/parity/datasets.py

coco/instances.json holds what the polygon and run-length readers can get wrong; coco/masks/ID.png is pycocotools' answer
(annToMask) for each annotation. The other layouts are small enough to be checked by hand.
"""

import json
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

OUT = Path(__file__).parents[2] / "crates/datasets/tests/fixtures/datasets"
RNG = np.random.default_rng(21)
VOC = [((i & 1) << 7 | (i >> 3 & 1) << 6, (i >> 1 & 1) << 7 | (i >> 4 & 1) << 6, (i >> 2 & 1) << 7 | (i >> 5 & 1) << 6)
       for i in range(256)]


def path(name):
    (OUT / name).parent.mkdir(parents=True, exist_ok=True)
    return OUT / name


def photo(name, size):
    Image.fromarray(RNG.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)).resize(size).save(path(name), quality=60)


def grey(name, rows):
    Image.fromarray(np.array(rows, np.uint8)).save(path(name))


def palette(name, rows):
    picture = Image.fromarray(np.array(rows, np.uint8), mode="P")
    picture.putpalette([value for color in VOC for value in color])
    picture.save(path(name))


def write(name, content):
    path(name).write_text(content if isinstance(content, str) else json.dumps(content, indent=1) + "\n")


def coco():
    sizes = {1: (37, 29), 2: (64, 48)}
    polygons = {
        1: [[[2.2, 3.7, 20.1, 1.2, 30.9, 15.5, 11.4, 27.8]],
            [[5, 5, 15, 5, 15, 15, 5, 15], [20.5, 10.5, 30.5, 12.5, 25.5, 22.5]],  # two parts
            [[-6.5, -4.0, 50.0, -3.0, 41.0, 40.0]],  # reaches out on all sides
            [[3, 3, 3, 20, 3, 25]],  # no area
            [[10, 2, 30, 20, 10, 20, 30, 2]]],  # crosses itself
        2: [[(np.array([32, 24]) + 20 * np.array([np.cos(t), np.sin(t)]) * (1 + 0.3 * np.sin(7 * t))).round(2).tolist()
             for t in np.linspace(0, 6.2, 40)],
            [[0, 0, 63.99, 0, 63.99, 47.99, 0, 47.99]],
            [[12.5, 7.5, 12.5, 7.5, 40.25, 9.125, 33, 33, 33, 33.0]],  # points twice
            [RNG.uniform(-5, 60, 24).round(3).tolist(), [1, 1, 4, 1, 4, 4]]],
    }
    polygons[2][0] = [[value for point in polygons[2][0] for value in point]]
    annotations = []

    def add(image, segmentation, crowd=0):
        annotations.append({"id": len(annotations) + 1, "image_id": image, "category_id": [1, 3, 90][len(annotations) % 3],
                            "iscrowd": crowd, "segmentation": segmentation, "area": 1, "bbox": [0, 0, 1, 1]})

    for image, all_parts in polygons.items():
        for parts in all_parts:
            add(image, parts)
        width, height = sizes[image]
        y, x = np.mgrid[:height, :width]
        ring = ((x - 18) ** 2 + (y - 14) ** 2 < 120) & ((x - 18) ** 2 + (y - 14) ** 2 > 30)  # with a hole
        speckles = RNG.random((height, width)) < 0.4
        for drawn in (ring, speckles, np.ones_like(ring), np.zeros_like(ring)):
            runs = coco_mask.encode(np.asfortranarray(drawn.astype(np.uint8)))
            add(image, {"size": runs["size"], "counts": runs["counts"].decode()})
            flat = drawn.ravel(order="F")
            edges = np.flatnonzero(np.diff(flat)) + 1
            counts = np.diff([0, *edges, flat.size]).tolist()
            add(image, {"size": [height, width], "counts": [0, *counts] if flat[0] else counts}, crowd=1)
    images = [{"id": id_, "file_name": f"{id_}.jpg", "width": w, "height": h} for id_, (w, h) in sizes.items()]
    images.append({"id": 3, "file_name": "3.jpg", "width": 5, "height": 4})  # nothing in it
    for image in images:
        photo(f"coco/images/{image['file_name']}", (image["width"], image["height"]))
    categories = [{"id": id_, "name": name, "supercategory": "thing"} for id_, name in [(1, "person"), (3, "car"), (90, "toothbrush")]]
    write("coco/instances.json", {"images": images, "annotations": annotations, "categories": categories})
    tool = COCO(OUT / "coco/instances.json")
    for annotation in annotations:
        mask = tool.annToMask(annotation)
        grey(f"coco/masks/{annotation['id']:02}.png", mask * 255)

    ids = {"sky": 70_000, "cat": 513, "crowd": 16_777_215}
    plane = np.zeros((6, 8), np.int64)
    plane[:2], plane[3:, :4], plane[3:, 6:] = ids["sky"], ids["cat"], ids["crowd"]
    Image.fromarray(np.stack([plane % 256, plane // 256 % 256, plane // 65536], axis=2).astype(np.uint8)).save(
        path("coco-panoptic/masks/7.png"))
    photo("coco-panoptic/images/7.jpg", (8, 6))
    write("coco-panoptic/panoptic.json", {
        "images": [{"id": 7, "file_name": "7.jpg", "width": 8, "height": 6}],
        "annotations": [{"image_id": 7, "file_name": "7.png", "segments_info": [
            {"id": ids["sky"], "category_id": 187, "iscrowd": 0, "area": 16, "bbox": [0, 0, 8, 2]},
            {"id": ids["cat"], "category_id": 17, "iscrowd": 0, "area": 12, "bbox": [0, 3, 4, 3]},
            {"id": ids["crowd"], "category_id": 17, "iscrowd": 1, "area": 6, "bbox": [6, 3, 2, 3]}]}],
        "categories": [{"id": 17, "name": "cat", "isthing": 1}, {"id": 187, "name": "sky-other", "isthing": 0}]})


def others():
    row = [[0, 1, 2, 255], [1, 1, 0, 2]]
    for name in "abc":
        photo(f"folder/images/{name}.jpg", (4, 2))
        grey(f"folder/masks/{name}.png", row if name != "c" else [[2] * 4, [0] * 4])
    write("folder/classes.tsv", "1\tpebble\n2\tleaf\n")
    write("folder/split.tsv", "b\tprompt\nc\tprompt\na\tquery\n")
    for video in ("one", "two"):
        for frame in range(3):
            photo(f"folder-videos/{video}/images/{frame:05}.png", (4, 2))
            grey(f"folder-videos/{video}/masks/{frame:05}.png", np.array([[1, 1, 0, 0], [0, 0, 0, frame == 2]]))
        write(f"folder-videos/{video}/split.tsv", "00000\tprompt\n00001\tquery\n00002\tquery\n")
    write("folder-videos/classes.tsv", "1\tobject\n")

    for at, name in enumerate(["banana_boat", "abe's_flyingfish", "clam"]):
        for number in (1, 2, 10):
            photo(f"fss/{name}/{number}.jpg", (4, 3))
            mask = np.array([[0, 127, 128, 255]] * 3, np.uint8)
            picture = Image.fromarray(mask) if at else Image.fromarray(np.stack([mask] * 3, axis=2))
            picture.save(path(f"fss/{name}/{number}.png"))

    semantic = [[0, 0, 1, 1], [254, 255, 90, 3]]
    photo("labels/images/1.jpg", (4, 2))
    grey("labels/masks/1.png", semantic)

    photo("voc/JPEGImages/2007_000001.jpg", (6, 2))
    photo("voc/JPEGImages/2007_000002.jpg", (6, 2))
    palette("voc/SegmentationClass/2007_000001.png", [[0, 255, 15, 15, 255, 12], [0, 255, 15, 15, 255, 12]])
    palette("voc/SegmentationObject/2007_000001.png", [[0, 255, 1, 2, 255, 3], [0, 255, 1, 2, 255, 3]])
    palette("voc/SegmentationClass/2007_000002.png", [[7] * 6] * 2)
    palette("voc/SegmentationObject/2007_000002.png", [[1] * 6] * 2)
    write("voc/ImageSets/Segmentation/val.txt", "2007_000002\n")

    for frame in range(4):
        photo(f"davis/JPEGImages/480p/goat/{frame:05}.jpg", (5, 3))
        palette(f"davis/Annotations/480p/goat/{frame:05}.png", np.eye(3, 5, dtype=np.uint8) * 2 + np.eye(3, 5, 2, dtype=np.uint8))
        photo(f"davis/JPEGImages/480p/left_out/{frame:05}.jpg", (5, 3))
        grey(f"davis2016/Annotations/480p/goat/{frame:05}.png", np.eye(3, 5, dtype=np.uint8) * 255)
        photo(f"davis2016/JPEGImages/480p/goat/{frame:05}.jpg", (5, 3))
    write("davis/ImageSets/2017/val.txt", "goat\n")
    write("davis2016/ImageSets/2016/val.txt", "".join(
        f"/JPEGImages/480p/goat/{at:05}.jpg /Annotations/480p/goat/{at:05}.png\n" for at in range(4)))

    for frame in range(0, 8):
        photo(f"youtube-vos/JPEGImages/003234408d/{frame:05}.jpg", (5, 3))
    for frame in (0, 5):
        palette(f"youtube-vos/Annotations/003234408d/{frame:05}.png", np.eye(3, 5, dtype=np.uint8))
    write("youtube-vos/meta.json", {"videos": {"003234408d": {"objects": {
        "1": {"category": "penguin", "frames": ["00000", "00005"]},
        "2": {"category": "snail", "frames": ["00005"]}}}}})

    photo("ade20k/images/validation/ADE_val_00000001.jpg", (4, 2))
    grey("ade20k/annotations/validation/ADE_val_00000001.png", [[0, 1, 2, 150], [1, 1, 0, 0]])
    rows = [f"{id_}\t0.1\t10\t1\t{name}" for id_, name in [(1, "wall"), (2, "building, edifice"), (150, "flag")]]
    write("ade20k/objectInfo150.txt", "\n".join(["Idx\tRatio\tTrain\tVal\tName", *rows, ""]))


shutil.rmtree(OUT, ignore_errors=True)
coco()
others()
