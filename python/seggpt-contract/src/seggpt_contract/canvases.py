"""Reads the messages of type seggpt/flow/v1/Canvases, which ensembles send to the network: a Struct array of one row."""

from dataclasses import dataclass

from .metadata import ContractError


@dataclass
class Prompt:
    """An example, at the size of the query."""

    name: str
    image: "np.ndarray"  # noqa: F821  #: [size, size, 3] uint8
    mask: "np.ndarray"  # noqa: F821  #: the same, in the colours of the classes; black is background
    score: float  #: how well it fits the query, as the selection sees it


@dataclass
class Canvases:
    """What a network is asked: the query, and the prompts that show what is wanted."""

    query: "np.ndarray"  # noqa: F821  #: [size, size, 3] uint8, squeezed to the square
    prompts: list[Prompt]
    classes: list[tuple]  #: (id, name, (red, green, blue)) of each class that the prompts show
    combine: str  #: how the answers to several prompts come together
    ensemble: str  #: the strategy that laid them out
    type: str  #: semantic or instance


def read_canvases(row):
    """Reads canvases without copying pixels. Raises ContractError where sizes and bytes do not fit."""
    size, names = row["canvas"].as_py(), row["prompt_names"].as_py()
    (query,) = _squares(row, "query", size, 1)
    images = _squares(row, "prompt_images", size, len(names))
    masks = _squares(row, "prompt_masks", size, len(names))
    scores = row["prompt_scores"].as_py()
    return Canvases(
        query,
        [Prompt(*each) for each in zip(names, images, masks, scores, strict=True)],
        read_classes(row),
        row["combine"].as_py(),
        row["ensemble"].as_py(),
        row["type"].as_py(),
    )


def read_classes(row):
    """[(id, name, (red, green, blue))] of the classes in a message."""
    colors = row["class_colors"].as_py()
    triples = zip(colors[0::3], colors[1::3], colors[2::3], strict=True)
    return list(zip(row["class_ids"].as_py(), row["class_names"].as_py(), triples, strict=True))


def _squares(row, name, size, count):
    import numpy as np

    pixels = np.frombuffer(row[name].as_buffer(), "u1")
    if len(pixels) != count * size * size * 3:
        raise ContractError(f"Canvases: {len(pixels)} bytes in `{name}`; expected {count} RGB pictures of {size} x {size}")
    return pixels.reshape(count, size, size, 3)
