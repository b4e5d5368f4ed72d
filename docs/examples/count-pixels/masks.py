"""Reads the messages of type seggpt/flow/v1/Mask: a Struct array of one row."""

import io

import numpy as np


def label_plane(row):
    """The class id of each pixel, [height, width] uint8 or uint16; 0 is background.

    A view of the message, not a copy, unless it was too large to travel raw: then it is a PNG.
    """
    encoding = row["mask_encoding"].as_py()
    shape = row["height"].as_py(), row["width"].as_py()
    data = row["mask"].as_buffer()
    if encoding in ("label8", "label16"):
        return np.frombuffer(data, "u1" if encoding == "label8" else "<u2").reshape(shape)
    if encoding in ("png8", "png16"):
        from PIL import Image

        Image.MAX_IMAGE_PIXELS = None
        return np.asarray(Image.open(io.BytesIO(data)), "u1" if encoding == "png8" else "<u2")
    raise ValueError(f"mask_encoding is {encoding!r}; expected label8, label16, png8 or png16")


def classes(row):
    """{id: name} of the classes that the prompts showed."""
    return dict(zip(row["class_ids"].as_py(), row["class_names"].as_py()))
