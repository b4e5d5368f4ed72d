"""The same answers by PyTorch on the GPU, in bf16 with torch.compile and its fused attention; prints JSON.

    python3 gpu_peer.py CHECKPOINT.safetensors

As published: every prompt has a copy of the query, and nothing is kept between answers. Needs torch alone.
"""

import json
import statistics
import struct
import sys
import time

import torch
import torch.nn.functional as F

WARM_UP, ROUNDS = 3, 11
C, HEADS, DEPTH, P, S, D = 1024, 16, 24, 16, 448, 64
ROWS, COLUMNS = 2 * S // P, S // P
T = ROWS * COLUMNS
KEPT = [5, 11, 17, 23]
TYPES = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32}


def load(path):
    """A safetensors file onto the GPU, in bf16."""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    weights = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        tensor = torch.frombuffer(data, dtype=TYPES[entry["dtype"]], count=(end - start) // TYPES[entry["dtype"]].itemsize, offset=start)
        weights[name] = tensor.reshape(entry["shape"]).to("cuda", torch.bfloat16)
    return weights


def tables(w):
    """What depends on the size alone: positions, absolute and relative."""
    table = w["pos_embed"][:, 1:].float()
    side = int(table.shape[1] ** 0.5)
    table = table.reshape(1, side, side, C).permute(0, 3, 1, 2)
    table = F.interpolate(table, size=(ROWS, COLUMNS), mode="bicubic", align_corners=False)
    w["positions"] = table.permute(0, 2, 3, 1).reshape(1, T, C).bfloat16()
    for i in range(DEPTH):
        for part, size in [("rel_pos_h", ROWS), ("rel_pos_w", COLUMNS)]:
            places = torch.arange(size, device="cuda")
            name = f"blocks.{i}.attn.{part}"
            w[name] = w[name][places[:, None] - places[None] + size - 1].contiguous()


def block(w, i, x, n):
    """x [streams * queries * n, T, C]; the query's half is averaged over the n prompts of each stream and query."""
    weight = lambda part: w[f"blocks.{i}.{part}"]
    linear = lambda x, part: F.linear(x, weight(part + ".weight"), weight(part + ".bias"))
    norm = lambda x, part: F.layer_norm(x, (C,), weight(part + ".weight"), weight(part + ".bias"), 1e-6)
    b = x.shape[0]
    q, k, v = linear(norm(x, "norm1"), "attn.qkv").reshape(b, T, 3, HEADS, C // HEADS).permute(2, 0, 3, 1, 4)
    grid = q.reshape(b, HEADS, ROWS, COLUMNS, C // HEADS)
    by_row = torch.einsum("nahwd,hkd->nahwk", grid, weight("attn.rel_pos_h"))
    by_column = torch.einsum("nahwd,wkd->nahwk", grid, weight("attn.rel_pos_w"))
    bias = (by_row[..., :, None] + by_column[..., None, :]).reshape(b, HEADS, T, T)
    attended = F.scaled_dot_product_attention(q, k, v, bias).transpose(1, 2).reshape(b, T, C)
    attended = linear(attended, "attn.proj")
    if n > 1:
        prompts, query = attended.reshape(b // n, n, 2, T // 2, C).unbind(2)
        query = query.mean(1, keepdim=True).expand_as(prompts)
        attended = torch.stack([prompts, query], 2).reshape(b, T, C)
    x = x + attended
    return x + linear(F.gelu(linear(norm(x, "norm2"), "mlp.fc1")), "mlp.fc2")


def answer(w, images, masks, n):
    """images, masks [queries * n, 3, 2 S, S] to the painted lower halves [queries, 3, S, S]."""
    b = images.shape[0]
    patches = lambda x: F.conv2d(x, w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=P).flatten(2).transpose(1, 2)
    token = lambda name: w[name].reshape(1, 1, C)
    x, y = patches(images), patches(masks)
    y = torch.cat([y[:, : T // 2], token("mask_token").expand(b, T // 2, C)], 1)
    marks = w["positions"] + token("type_token_ins")
    x = torch.cat([x + token("segment_token_x") + marks, y + token("segment_token_y") + marks])
    kept = []
    for i in range(DEPTH):
        x = block(w, i, x, n)
        if i == 2:
            x = (x[:b] + x[b:]) * 0.5
        if i in KEPT:
            kept.append(F.layer_norm(x[::n], (C,), w["norm.weight"], w["norm.bias"], 1e-6))
    x = F.linear(torch.cat(kept, -1), w["decoder_embed.weight"], w["decoder_embed.bias"])
    b = b // n
    x = x.reshape(b, ROWS, COLUMNS, P, P, D).permute(0, 5, 1, 3, 2, 4).reshape(b, D, ROWS * P, COLUMNS * P)
    x = F.conv2d(x, w["decoder_pred.0.weight"], w["decoder_pred.0.bias"], padding=1).permute(0, 2, 3, 1)
    x = F.gelu(F.layer_norm(x, (D,), w["decoder_pred.1.weight"], w["decoder_pred.1.bias"], 1e-6))
    x = F.conv2d(x.permute(0, 3, 1, 2), w["decoder_pred.3.weight"], w["decoder_pred.3.bias"])
    return x[:, :, S:]


def main():
    if not torch.cuda.is_available():
        print(json.dumps({"not_run": "torch finds no GPU"}))
        return
    w = load(sys.argv[1])
    tables(w)
    compiled = torch.compile(answer)
    runs = []
    with torch.inference_mode():
        for n, queries in [(1, 1), (1, 8), (8, 1)]:
            images, masks = (torch.randn(queries * n, 3, 2 * S, S, device="cuda", dtype=torch.bfloat16) for _ in range(2))
            seconds = []
            for _ in range(WARM_UP + ROUNDS):
                torch.cuda.synchronize()
                start = time.perf_counter()
                compiled(w, images, masks, n)
                torch.cuda.synchronize()
                seconds.append(time.perf_counter() - start)
            took = statistics.median(seconds[WARM_UP:]) * 1e3
            runs.append({"prompts": n, "queries": queries, "answer_ms": took, "answer_ms_a_query": took / queries})
    print(json.dumps({"torch": torch.__version__, "gpu": torch.cuda.get_device_name(), "dtype": "bf16", "runs": runs}))


if __name__ == "__main__":
    main()
