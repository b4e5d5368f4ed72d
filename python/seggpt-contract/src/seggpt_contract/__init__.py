"""The messages of dora-seggpt, for dora nodes in Python."""

from .ack import DONE, FAILED, ack, read_ack
from .image import Image, read_image, write_image
from .mask import classes, confidence_plane, label_plane
from .metadata import KEY, NOTHING, ContractError, Failure, Greeting, Identity, passes_on, read

__all__ = [
    "DONE",
    "FAILED",
    "KEY",
    "NOTHING",
    "ContractError",
    "Failure",
    "Greeting",
    "Identity",
    "Image",
    "ack",
    "classes",
    "confidence_plane",
    "label_plane",
    "passes_on",
    "read",
    "read_ack",
    "read_image",
    "write_image",
]
