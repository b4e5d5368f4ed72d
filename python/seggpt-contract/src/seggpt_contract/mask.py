"""Reads and writes the messages of type seggpt/flow/v1/Mask: a Struct array of one row."""

import io
import json

import pyarrow as pa

from .metadata import ContractError

#: Planes of more bytes travel as PNG.
RAW_PLANE_LIMIT = 16 << 20

#: The longest side of the picture that shows the answer in class colours, where the network has none of its own.
PAINTED = 448

TYPES = {"label8": "u1", "label16": "<u2", "png8": "u1", "png16": "<u2", "mono8": "u1"}


def label_plane(row):
    """The class id of each pixel, [height, width] uint8 or uint16; 0 is background.

    A view of the message, not a copy, unless it was too large to travel raw: then it is a PNG.
    """
    return _plane(row, "mask", ("label8", "label16", "png8", "png16"))


def confidence_plane(row):
    """How sure each pixel is, [height, width] uint8: 0 (two classes equally near) to 255 (exactly a class's colour)."""
    return _plane(row, "confidence", ("mono8", "png8"))


def classes(row):
    """{id: name} of the classes that the prompts showed."""
    return dict(zip(row["class_ids"].as_py(), row["class_names"].as_py()))


def _plane(row, name, allowed):
    import numpy as np

    encoding = row[f"{name}_encoding"].as_py()
    if encoding not in allowed:
        raise ContractError(f"Mask: `{name}_encoding` is {encoding!r}; expected {' or '.join(allowed)}")
    shape = row["height"].as_py(), row["width"].as_py()
    data = row[name].as_buffer()
    if encoding.startswith("png"):
        from PIL import Image

        Image.MAX_IMAGE_PIXELS = None
        return np.asarray(Image.open(io.BytesIO(data)), TYPES[encoding]).reshape(shape)
    return np.frombuffer(data, TYPES[encoding]).reshape(shape)


def write_mask(identity, labels, classes, confidence=None, painted=None, **provenance):
    """(payload, metadata) of an answer.

    labels: [height, width] uint8 or uint16, the class id of each pixel of the source picture; 0 is background.
    classes: (id, name, (red, green, blue)) of each class that the prompts show, as `read_canvases` gives them.
    confidence: [height, width] uint8, 0 to 255; without it, every pixel is certain.
    painted: [size, size, 3] uint8, the network's own answer in class colours; without it, made from the labels.
    provenance: how the answer came about: model, trained (False where the masks mean nothing), device, dtype, ensemble,
    type, prompts as (name, score), milliseconds by stage.
    """
    import numpy as np

    labels = np.ascontiguousarray(labels)
    if labels.ndim != 2 or labels.dtype not in (np.uint8, np.uint16):
        raise ContractError(f"Mask: labels are {labels.dtype} {list(labels.shape)}; expected uint8 or uint16 [height, width]")
    height, width = labels.shape
    if (identity.width or width, identity.height or height) != (width, height):
        raise ContractError(
            f"Mask: labels of {width} x {height} for a picture of {identity.width} x {identity.height} pixels"
        )
    confidence = np.full(labels.shape, 255, np.uint8) if confidence is None else np.ascontiguousarray(confidence)
    if confidence.shape != labels.shape or confidence.dtype != np.uint8:
        raise ContractError(f"Mask: confidence is {confidence.dtype} {list(confidence.shape)}; expected uint8 {list(labels.shape)}")
    painted = _paint(labels, classes) if painted is None else np.ascontiguousarray(painted)
    if painted.dtype != np.uint8 or painted.shape != (len(painted), len(painted), 3):
        raise ContractError(f"Mask: painted is {painted.dtype} {list(painted.shape)}; expected uint8 [size, size, 3]")
    of_class = [labels == number for number, _, _ in classes]
    bits = 8 * labels.itemsize
    mask, mask_png = _pack(labels)
    sureness, sureness_png = _pack(confidence)
    fields = {
        "width": pa.array([width], pa.uint32()),
        "height": pa.array([height], pa.uint32()),
        "mask": _bytes(mask),
        "mask_encoding": pa.array([f"png{bits}" if mask_png else f"label{bits}"]),
        "confidence": _bytes(sureness),
        "confidence_encoding": pa.array(["png8" if sureness_png else "mono8"]),
        "class_ids": _list([number for number, _, _ in classes], pa.uint16()),
        "class_names": _list([name for _, name, _ in classes], pa.utf8()),
        "class_colors": _list([level for _, _, color in classes for level in color], pa.uint8()),
        "class_pixels": _list([int(pixels.sum()) for pixels in of_class], pa.uint64()),
        "class_confidence": _list(
            [float(confidence[pixels].mean()) / 255 if pixels.any() else 0.0 for pixels in of_class], pa.float32()
        ),
        "painted_size": pa.array([len(painted)], pa.uint32()),
        "painted": _bytes(painted.tobytes()),
        "instances": _bytes(b""),
        "instances_encoding": pa.array(["none"]),
        "instance_classes": _list([], pa.uint16()),
        "instance_boxes": _list([], pa.uint32()),
        "instance_pixels": _list([], pa.uint64()),
        "instance_confidence": _list([], pa.float32()),
        "shares": _bytes(b""),
        "shares_encoding": pa.array(["none"]),
        "shares_size": pa.array([0], pa.uint32()),
        "shares_threshold": _list([], pa.float32()),
        "provenance": pa.array([json.dumps(_provenance(provenance))]),
    }
    kinds = [pa.field(name, column.type, nullable=False) for name, column in fields.items()]
    return pa.StructArray.from_arrays(list(fields.values()), fields=kinds), identity.metadata()


def _provenance(given):
    known = {
        "model": "",
        "trained": True,
        "device": "cpu",
        "dtype": "",
        "ensemble": "",
        "type": "semantic",
        "prompts": [],
        "milliseconds": {},
        "version": "",
    }
    if unknown := given.keys() - known.keys():
        raise ContractError(f"Mask: `{min(unknown)}` says nothing of how an answer came about; known are {', '.join(known)}")
    return known | given


def _paint(labels, classes):
    """The labels in class colours, squeezed to a square."""
    import numpy as np

    height, width = labels.shape
    size = min(PAINTED, max(height, width))
    rows, columns = np.arange(size) * height // size, np.arange(size) * width // size
    small = labels[rows][:, columns]
    painted = np.zeros((size, size, 3), np.uint8)
    for number, _, color in classes:
        painted[small == number] = color
    return painted


def _pack(plane):
    """A plane's bytes, and whether they are a PNG."""
    if plane.nbytes <= RAW_PLANE_LIMIT:
        return plane.astype(plane.dtype.newbyteorder("<")).tobytes(), False
    from PIL import Image

    png = io.BytesIO()
    Image.fromarray(plane).save(png, "png", compress_level=1)
    return png.getvalue(), True


def _bytes(data):
    return pa.array([data], pa.large_binary())


def _list(items, kind):
    return pa.array([items], pa.large_list(pa.field("item", kind)))
