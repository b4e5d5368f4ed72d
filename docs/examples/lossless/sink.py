"""A lossless sink: writes the class ids of each mask to a NumPy file in the folder OUT, then acknowledges.

input   mask  seggpt/flow/v1/Mask
output  ack   seggpt/flow/v1/Ack
"""

import os
from pathlib import Path

import numpy as np
from dora import Node
from seggpt_contract import DONE, FAILED, NOTHING, Failure, Greeting, ack, label_plane, read


def put(file, write):
    """Writes a file that is there whole or not at all; a second time, it becomes the same file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(file.name + ".part")
    with unfinished.open("wb") as out:
        write(out)
    unfinished.replace(file)


def main():
    node, out = Node(), Path(os.environ.get("OUT", "masks"))
    for event in node:
        if event["type"] != "INPUT":
            continue
        message = read(event["metadata"])
        if isinstance(message, Greeting):  # all before it is written: say so
            node.send_output("ack", NOTHING, event["metadata"])
        elif isinstance(message, Failure):
            put(out / f"{message.identity.name}.txt", lambda file: file.write(message.error.encode()))
            node.send_output("ack", NOTHING, ack(message.identity.item, FAILED))
        else:
            labels = label_plane(event["value"][0])
            put(out / f"{message.name}.npy", lambda file: np.save(file, labels))
            node.send_output("ack", NOTHING, ack(message.item, DONE))


if __name__ == "__main__":
    main()
