"""The messages of dora-seggpt, for dora nodes in Python."""

from .ack import DONE, FAILED, ack, read_ack
from .canvases import Canvases, Prompt, read_canvases
from .image import Image, read_image, write_image
from .mask import classes, confidence_plane, label_plane, write_mask
from .metadata import KEY, NOTHING, ContractError, Failure, Greeting, Identity, passes_on, read

__all__ = [
    "DONE",
    "FAILED",
    "KEY",
    "NOTHING",
    "Canvases",
    "ContractError",
    "Failure",
    "Greeting",
    "Identity",
    "Image",
    "Prompt",
    "ack",
    "classes",
    "confidence_plane",
    "label_plane",
    "passes_on",
    "read",
    "read_ack",
    "read_canvases",
    "read_image",
    "write_image",
    "write_mask",
]
