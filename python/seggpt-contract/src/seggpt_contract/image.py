"""Messages of type seggpt/flow/v1/Image in dora-hub's dialect: flat bytes, described in the metadata."""

from dataclasses import dataclass

import pyarrow as pa

from .metadata import ContractError

BYTES_PER_PIXEL = {"mono8": 1, "mono16": 2, "rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4}
OURS = {"width", "height", "encoding", "primitive"}


@dataclass
class Image:
    """A picture as it travels."""

    width: int
    height: int
    encoding: str  #: rgb8, bgr8, mono8, ...: rows without padding; jpeg, png, ...: the bytes of a file
    data: pa.Buffer

    def array(self):
        """The pixels, [height, width] or [height, width, channels]; a view. Raw encodings only."""
        import numpy as np

        if self.encoding not in BYTES_PER_PIXEL:
            raise ContractError(f"Image: `encoding` is {self.encoding!r}; an array is made of {', '.join(BYTES_PER_PIXEL)}")
        if self.encoding == "mono16":
            return np.frombuffer(self.data, "<u2").reshape(self.height, self.width)
        channels = BYTES_PER_PIXEL[self.encoding]
        pixels = np.frombuffer(self.data, "u1").reshape(self.height, self.width, channels)
        return pixels[..., 0] if channels == 1 else pixels


def write_image(identity, data, encoding, size=None):
    """(payload, metadata) of a picture; `data`: bytes. `size`: (width, height), where the identity does not say."""
    width, height = size or (identity.width, identity.height)
    payload = pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)])
    metadata = {**identity.metadata(), "encoding": encoding, "primitive": "image"}
    if width and height:
        metadata |= {"width": width, "height": height}
    _check(encoding, width, height, len(data))
    return payload, metadata


def read_image(payload, metadata):
    """Reads a picture without copying it. Raises ContractError where size and bytes do not fit."""
    missing = [key for key in ("width", "height", "encoding") if key not in metadata]
    if missing or payload.type != pa.uint8():
        raise ContractError(f"Image: needs UInt8 with width, height and encoding; found {payload.type} without {missing}")
    width, height, encoding = (metadata[key] for key in ("width", "height", "encoding"))
    _check(encoding, width, height, len(payload))
    data = payload.buffers()[1]
    data = pa.py_buffer(b"") if data is None else data.slice(payload.offset, len(payload))
    return Image(width, height, encoding, data)


def _check(encoding, width, height, length):
    if encoding in BYTES_PER_PIXEL:
        if not width or not height:
            raise ContractError(f"Image: width and height of a {encoding} picture are missing")
        expected = width * height * BYTES_PER_PIXEL[encoding]
        if length != expected:
            raise ContractError(f"Image: {length} bytes in a {width} x {height} {encoding} picture; expected {expected}")
