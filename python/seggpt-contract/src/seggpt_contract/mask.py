"""Reads the messages of type seggpt/flow/v1/Mask: a Struct array of one row."""

import io

from .metadata import ContractError

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
