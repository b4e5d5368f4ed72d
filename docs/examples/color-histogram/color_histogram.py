"""A node in place of seggpt-infer: each pixel gets the class that its colour has most often in the prompts.

input   canvases  seggpt/flow/v1/Canvases
output  mask      seggpt/flow/v1/Mask
"""

import numpy as np
from dora import Node
from seggpt_contract import NOTHING, Failure, passes_on, read, read_canvases, write_mask

LEVELS = 16  # of each of red, green and blue


def cells(picture):
    """A number for the colour of each pixel: those that look alike have the same."""
    red, green, blue = np.moveaxis(picture // (256 // LEVELS), -1, 0).astype(int)
    return (red * LEVELS + green) * LEVELS + blue


def answer(canvases):
    """The class id of each pixel of the query, and how sure that is, 0 to 255."""
    ids = np.array([0] + [number for number, _, _ in canvases.classes], np.uint16)
    colors = np.array([(0, 0, 0)] + [color for _, _, color in canvases.classes], int)
    seen = np.zeros((len(ids), LEVELS**3))
    for prompt in canvases.prompts:
        distances = np.abs(prompt.mask[..., None, :].astype(int) - colors).sum(-1)
        np.add.at(seen, (distances.argmin(-1), cells(prompt.image)), 1)
    share = seen / np.maximum(seen.sum(0), 1)
    query = cells(canvases.query)
    return ids[share.argmax(0)[query]], np.rint(255 * share.max(0)[query]).astype(np.uint8)


def enlarged(plane, width, height):
    rows, columns = np.arange(height) * len(plane) // height, np.arange(width) * len(plane) // width
    return plane[rows][:, columns]


def main():
    node = Node()
    for event in node:  # ends when all inputs are closed and read
        if event["type"] != "INPUT" or event["id"] != "canvases":
            continue
        if passes_on(event):  # a failed item or a greeting
            node.send_output("mask", NOTHING, event["metadata"])
            continue
        identity = read(event["metadata"])
        try:
            canvases = read_canvases(event["value"][0])
            labels, sure = (enlarged(plane, identity.width, identity.height) for plane in answer(canvases))
            payload, metadata = write_mask(
                identity,
                labels,
                canvases.classes,
                sure,
                model="color histogram",
                ensemble=canvases.ensemble,
                prompts=[(prompt.name, prompt.score) for prompt in canvases.prompts],
            )
        except Exception as error:  # this item has failed; the next may not
            payload, metadata = NOTHING, Failure(identity, str(error), "color-histogram").metadata()
        node.send_output("mask", payload, metadata)


if __name__ == "__main__":
    main()
