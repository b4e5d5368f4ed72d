"""Makes features.npy and vit_s.npy: what onnxruntime computes from a pretrained encoder.

    pip install numpy onnx onnxruntime
    python make.py [vit_s_focus.onnx]

features.npy is of a small DINOv2 transformer of drawn weights, built here as transformers' modules are exported; the
test draws the same weights. vit_s.npy, with the file given, is of the real one: a part of the output of blocks 6 and 8,
normalised, for a drawn picture of 224 x 224.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

WIDTH, HIDDEN, HEADS, PATCH, GRID, DEPTH = 128, 192, 2, 4, 4, 3
ROWS, COLUMNS = 5, 7


def draw(stream, shape, scale):
    """Numbers in -scale / 2 .. scale / 2."""
    x = np.arange(np.prod(shape), dtype=np.uint32) + np.uint32(stream * 100003)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    x ^= x >> np.uint32(16)
    return ((x / 2**32 - 0.5) * scale).astype(np.float32).reshape(shape)


def norm(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)


class Graph:
    def __init__(self):
        self.nodes, self.initialisers, self.stream, self.matrices = [], [], 0, 0

    def weight(self, name, shape, scale, shift=0.0):
        self.stream += 1
        values = draw(self.stream, shape, scale) + np.float32(shift)
        self.initialisers.append(numpy_helper.from_array(values, name))
        return name

    def constant(self, name, values):
        self.initialisers.append(numpy_helper.from_array(np.array(values), name))
        return name

    def node(self, kind, inputs, **attributes):
        output = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def product(self, x, inputs, outputs):
        self.matrices += 1
        weight = self.weight(f"onnx::MatMul_{self.matrices}", [inputs, outputs], (12 / inputs) ** 0.5)
        return self.node("MatMul", [x, weight])


def block(graph, x, index):
    name = f"backbone.encoder.layer.{index}."
    vector = lambda part, scale, shift=0.0, size=WIDTH: graph.weight(name + part, [size], scale, shift)
    layer_norm = lambda x, part: graph.node(
        "LayerNormalization", [x, vector(part + ".weight", 0.5, 1.0), vector(part + ".bias", 0.2)], axis=-1, epsilon=1e-6)
    add = lambda x, part, size=WIDTH: graph.node("Add", [x, vector(part, 0.2, size=size)])

    normed = layer_norm(x, "norm1")
    split = graph.constant(f"heads{index}", np.array([0, 0, HEADS, WIDTH // HEADS], dtype=np.int64))
    parts = {}
    for part in ["key", "value", "query"]:
        linear = add(graph.product(normed, WIDTH, WIDTH), f"attention.attention.{part}.bias")
        parts[part] = graph.node("Reshape", [linear, split])
    q = graph.node("Transpose", [parts["query"]], perm=[0, 2, 1, 3])
    k = graph.node("Transpose", [parts["key"]], perm=[0, 2, 3, 1])
    v = graph.node("Transpose", [parts["value"]], perm=[0, 2, 1, 3])
    root = graph.constant(f"root{index}", np.float32((WIDTH / HEADS) ** 0.5))
    scores = graph.node("Div", [graph.node("MatMul", [q, k]), root])
    mixed = graph.node("MatMul", [graph.node("Softmax", [scores], axis=-1), v])
    mixed = graph.node("Transpose", [mixed], perm=[0, 2, 1, 3])
    whole = graph.constant(f"whole{index}", np.array([0, 0, WIDTH], dtype=np.int64))
    mixed = graph.node("Reshape", [mixed, whole])
    out = add(graph.product(mixed, WIDTH, WIDTH), "attention.output.dense.bias")
    x = graph.node("Add", [graph.node("Mul", [out, vector("layer_scale1.lambda1", 0.5, 0.5)]), x])

    normed = layer_norm(x, "norm2")
    hidden = add(graph.product(normed, WIDTH, HIDDEN), "mlp.fc1.bias", HIDDEN)
    root = graph.constant(f"two{index}", np.float32(2**0.5))
    one = graph.constant(f"one{index}", np.float32(1))
    half = graph.constant(f"half{index}", np.float32(0.5))
    erf = graph.node("Add", [graph.node("Erf", [graph.node("Div", [hidden, root])]), one])
    hidden = graph.node("Mul", [graph.node("Mul", [hidden, erf]), half])
    out = add(graph.product(hidden, HIDDEN, WIDTH), "mlp.fc2.bias")
    return graph.node("Add", [graph.node("Mul", [out, vector("layer_scale2.lambda1", 0.5, 0.5)]), x])


def small():
    graph = Graph()
    patch = "backbone.embeddings.patch_embeddings.projection."
    weight = graph.weight(patch + "weight", [WIDTH, 3, PATCH, PATCH], 0.5)
    bias = graph.weight(patch + "bias", [WIDTH], 0.2)
    x = graph.node("Conv", ["input", weight, bias], strides=[PATCH, PATCH], kernel_shape=[PATCH, PATCH])
    tokens = graph.constant("tokens", np.array([0, WIDTH, -1], dtype=np.int64))
    x = graph.node("Transpose", [graph.node("Reshape", [x, tokens])], perm=[0, 2, 1])
    class_token = graph.weight("backbone.embeddings.cls_token", [1, 1, WIDTH], 2.0)
    class_position = graph.weight("onnx::Concat_1", [1, 1, WIDTH], 2.0)
    table = graph.weight("onnx::Reshape_2", [1, GRID * GRID, WIDTH], 2.0)
    square = graph.constant("square", np.array([1, GRID, GRID, WIDTH], dtype=np.int64))
    table = graph.node("Transpose", [graph.node("Reshape", [table, square])], perm=[0, 3, 1, 2])
    sizes = graph.constant("sizes", np.array([1, WIDTH, ROWS, COLUMNS], dtype=np.int64))
    table = graph.node("Resize", [table, "", "", sizes], mode="cubic", cubic_coeff_a=-0.75,
                       coordinate_transformation_mode="half_pixel")
    row = graph.constant("row", np.array([1, WIDTH, -1], dtype=np.int64))
    table = graph.node("Transpose", [graph.node("Reshape", [table, row])], perm=[0, 2, 1])
    x = graph.node("Concat", [class_token, x], axis=1)
    x = graph.node("Add", [x, graph.node("Concat", [class_position, table], axis=1)])
    outputs = []
    for index in range(DEPTH):
        x = block(graph, x, index)
        outputs.append(x)
    shape = [1, 3, ROWS * PATCH, COLUMNS * PATCH]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes, "encoder", [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs[:2]], graph.initialisers),
        opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    session = onnxruntime.InferenceSession(model.SerializeToString())
    answers = session.run(None, {"input": draw(1000, shape, 4.0)})
    np.save("features.npy", np.concatenate([norm(answer[0, 1:]) for answer in answers], -1))
    print("streams", graph.stream)


def real(path):
    model = onnx.load(path)
    ends = [f"/backbone/encoder/layer.{index}/Add_1_output_0" for index in (6, 8)]
    model.graph.output.extend(helper.make_tensor_value_info(end, TensorProto.FLOAT, None) for end in ends)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    answers = session.run(ends, {"input_image": draw(1000, [1, 3, 224, 224], 4.0)})
    features = np.concatenate([norm(answer[0, 1:]) for answer in answers], -1)
    np.save("vit_s.npy", features[::8, ::6])


small()
if len(sys.argv) > 1:
    real(sys.argv[1])
