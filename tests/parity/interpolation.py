"""Resizes random position tables with OpenCV, whose float kernels are PyTorch's (cubic a = -0.75, half-pixel centres,
borders repeated, no antialias), and writes them as tests/fixtures/interpolation.safetensors.

    pip install numpy opencv-python-headless && python tests/parity/interpolation.py
"""

import json
import pathlib
import struct

import cv2
import numpy as np

random = np.random.default_rng(1)
absolute = random.standard_normal((14, 14, 4)).astype(np.float32)
class_token = np.zeros((1, 4), np.float32)
relative = random.standard_normal((27, 6)).astype(np.float32)

tables = {"absolute": np.concatenate([class_token, absolute.reshape(196, 4)])[None], "relative": relative}
for rows, columns in [(56, 28), (8, 4), (20, 14), (14, 14), (3, 31)]:
    resized = cv2.resize(absolute, (columns, rows), interpolation=cv2.INTER_CUBIC)
    tables[f"absolute_{rows}x{columns}"] = resized.reshape(1, rows * columns, 4)
for size in [14, 28, 10, 5]:
    columns = [cv2.resize(relative[:, [c]], (1, 2 * size - 1), interpolation=cv2.INTER_LINEAR)[:, 0] for c in range(6)]
    tables[f"relative_{2 * size - 1}"] = np.stack(columns, axis=1)

header, data = {}, b""
for name, table in tables.items():
    table = np.ascontiguousarray(table, np.float32)
    end = len(data) + table.nbytes
    header[name] = {"dtype": "F32", "shape": table.shape, "data_offsets": [len(data), end]}
    data += table.tobytes()
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
target = pathlib.Path(__file__).parents[1] / "fixtures" / "interpolation.safetensors"
target.write_bytes(struct.pack("<Q", len(text)) + text + data)
