"""A node: reads masks, sends the area of each class.

input   mask   seggpt/flow/v1/Mask
output  areas  example/measure/v1/Areas: a row per class
"""

import numpy as np
import pyarrow as pa
from dora import Node
from seggpt_contract import NOTHING, classes, label_plane, passes_on

AREAS = pa.struct(
    [
        pa.field("class_id", pa.uint16(), nullable=False),
        pa.field("class_name", pa.utf8(), nullable=False),
        pa.field("pixels", pa.uint64(), nullable=False),
        pa.field("share", pa.float32(), nullable=False),
    ]
)


def areas(row):
    """The message that is sent for one mask."""
    labels = label_plane(row)
    counts = np.bincount(labels.ravel(), minlength=1)
    rows = []
    for class_id, name in classes(row).items():
        pixels = int(counts[class_id]) if class_id < len(counts) else 0
        rows.append({"class_id": class_id, "class_name": name, "pixels": pixels, "share": pixels / labels.size})
    return pa.array(rows, type=AREAS)


def main():
    node = Node()
    for event in node:  # ends when all inputs are closed and read
        if event["type"] != "INPUT" or event["id"] != "mask":
            continue
        metadata = event["metadata"]
        if passes_on(event):  # a failed item or a greeting
            node.send_output("areas", NOTHING, metadata)
        else:
            node.send_output("areas", areas(event["value"][0]), metadata)


if __name__ == "__main__":
    main()
