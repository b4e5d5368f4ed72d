"""Gradients of the tiny golden SegGPT in PyTorch, written as tests/fixtures/gradients.safetensors.

    pip install torch safetensors numpy && python tests/parity/gradients.py

The network is written down once more here, in a page, with the options of the small model. On the golden weights it is
first held against the golden answers. Two canvases are then trained on: an instance whose query is hidden and a semantic
one with three quarters of its patches hidden. Of every gradient its length and up to 64 values evenly apart are kept.

    python tests/parity/gradients.py --speed 64 16

measures a training step of the small model instead (edge of the pictures, batch), to compare `seggpt train` with.
"""

import pathlib
import sys
import time

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).parents[1]
NAMES = [  # original, transformers
    ("mask_token", "model.embeddings.mask_token"),
    ("segment_token_x", "model.embeddings.segment_token_input"),
    ("segment_token_y", "model.embeddings.segment_token_prompt"),
    ("type_token_cls", "model.embeddings.type_token_semantic"),
    ("type_token_ins", "model.embeddings.type_token_instance"),
    ("pos_embed", "model.embeddings.position_embeddings"),
    ("patch_embed.proj.", "model.embeddings.patch_embeddings.projection."),
    ("blocks.", "model.encoder.layers."),
    ("norm1.", "layernorm_before."),
    ("norm2.", "layernorm_after."),
    ("attn.", "attention."),
    ("fc1.", "lin1."),
    ("fc2.", "lin2."),
    ("norm.", "model.encoder.layernorm."),
    ("decoder_embed.", "decoder.decoder_embed."),
    ("decoder_pred.0.", "decoder.decoder_pred.conv."),
    ("decoder_pred.1.", "decoder.decoder_pred.layernorm."),
    ("decoder_pred.3.", "decoder.decoder_pred.head."),
]


def original(name):
    for ours, theirs in NAMES:
        name = name.replace(theirs, ours)
    return name


def forward(w, config, pictures, masks, hidden, kinds):
    """w: weights by name; pictures, masks [B, 2, 3, S, S]; hidden [B, 2 L] bool; kinds [B] (0 semantic, 1 instance)."""
    c, p, heads = config["width"], config["patch"], config["heads"]
    b, _, _, s, _ = pictures.shape
    rows, columns = 2 * s // p, s // p
    x = pictures.flatten(0, 1)
    layer = 0
    while f"stem.{layer}.weight" in w:
        x = F.gelu(F.conv2d(x, w[f"stem.{layer}.weight"], w[f"stem.{layer}.bias"], stride=2, padding=1))
        layer += 1
    name = "patch_embed.proj."
    x = F.conv2d(x, w[name + "weight"], w[name + "bias"], stride=w[name + "weight"].shape[-1])
    target = "target_embed.proj." if "target_embed.proj.weight" in w else name
    y = F.conv2d(masks.flatten(0, 1), w[target + "weight"], w[target + "bias"], stride=p)
    grid = lambda t: t.reshape(b, 2, c, columns, columns).permute(0, 1, 3, 4, 2).reshape(b, rows * columns, c)
    x, y = grid(x), grid(y)
    y = torch.where(hidden[..., None], w["mask_token"].reshape(1, 1, c), y)
    x, y = x + w["segment_token_x"].reshape(1, 1, c), y + w["segment_token_y"].reshape(1, 1, c)
    if "pos_embed" in w:
        table = w["pos_embed"][:, 1:]
        side = int(table.shape[1] ** 0.5)
        table = table.reshape(1, side, side, c).permute(0, 3, 1, 2)
        table = F.interpolate(table, size=(rows, columns), mode="bicubic", align_corners=False)
        table = table.permute(0, 2, 3, 1).reshape(1, rows * columns, c)
        x, y = x + table, y + table
    types = torch.cat([w["type_token_cls"], w["type_token_ins"]]).reshape(2, c)[kinds][:, None]
    x = torch.cat([x + types, y + types])
    merge = lambda x: (x[:b] + x[b:]) * 0.5
    x = merge(x) if config["merge"] is None else x
    kept = []
    for i in range(config["depth"]):
        weight = lambda part: w[f"blocks.{i}.{part}"]
        linear = lambda x, part: F.linear(x, weight(part + ".weight"), weight(part + ".bias"))
        norm = lambda x, part: F.layer_norm(x, (c,), weight(part + ".weight"), weight(part + ".bias"), 1e-6)
        if f"blocks.{i}.conv.weight" in w:
            halves = x.reshape(-1, rows // 2, columns, c).permute(0, 3, 1, 2)
            k = weight("conv.weight").shape[-1]
            halves = F.conv2d(halves, weight("conv.weight"), weight("conv.bias"), padding=k // 2, groups=c)
            x = x + halves.permute(0, 2, 3, 1).reshape(x.shape)
        n, t, d = x.shape[0], rows * columns, c // heads
        q, k, v = linear(norm(x, "norm1"), "attn.qkv").reshape(n, t, 3, heads, d).permute(2, 0, 3, 1, 4)
        bias = None
        if f"blocks.{i}.attn.rel_pos_h" in w:
            def table(part, size):
                distance = torch.arange(size)[:, None] - torch.arange(size)[None] + size - 1
                return weight("attn." + part)[distance]
            grid_q = q.reshape(n, heads, rows, columns, d)
            by_row = torch.einsum("nahwd,hkd->nahwk", grid_q, table("rel_pos_h", rows))
            by_column = torch.einsum("nahwd,wkd->nahwk", grid_q, table("rel_pos_w", columns))
            bias = (by_row[..., :, None] + by_column[..., None, :]).reshape(n, heads, t, t)
        x = x + linear(F.scaled_dot_product_attention(q, k, v, bias).transpose(1, 2).reshape(n, t, c), "attn.proj")
        x = x + linear(F.gelu(linear(norm(x, "norm2"), "mlp.fc1")), "mlp.fc2")
        x = merge(x) if config["merge"] == i else x
        if i in config["kept"]:
            kept.append(F.layer_norm(x, (c,), w["norm.weight"], w["norm.bias"], 1e-6))
    x = F.linear(torch.cat(kept, -1), w["decoder_embed.weight"], w["decoder_embed.bias"])
    x = x.reshape(b, rows, columns, p, p, -1).permute(0, 5, 1, 3, 2, 4).reshape(b, -1, rows * p, columns * p)
    x = F.conv2d(x, w["decoder_pred.0.weight"], w["decoder_pred.0.bias"], padding=1).permute(0, 2, 3, 1)
    x = F.layer_norm(x, x.shape[-1:], w["decoder_pred.1.weight"], w["decoder_pred.1.bias"], 1e-6)
    x = F.conv2d(F.gelu(x).permute(0, 3, 1, 2), w["decoder_pred.3.weight"], w["decoder_pred.3.bias"])
    return x


def loss_of(painted, masks, hidden, patch, beta):
    target = masks.permute(0, 2, 1, 3, 4).reshape(painted.shape)
    b, _, height, width = painted.shape
    weight = hidden.reshape(b, 1, height // patch, width // patch).float()
    weight = weight.repeat_interleave(patch, 2).repeat_interleave(patch, 3).expand(painted.shape)
    loss = F.smooth_l1_loss(painted, target, reduction="none", beta=beta)
    return (loss * weight).sum() / (weight.sum() + 1e-2)


def golden():
    folder = ROOT / "golden" / "seggpt-tiny"
    with safe_open(folder / "model.safetensors", "pt") as file:
        weights = {original(name): file.get_tensor(name).float().requires_grad_() for name in file.keys()}
    with safe_open(folder / "reference.safetensors", "pt") as file:
        given = {name: file.get_tensor(name) for name in file.keys()}
    config = dict(width=32, depth=24, heads=4, patch=16, merge=2, kept=[5, 11, 17, 23])
    pictures = torch.stack([given["1.prompt"], given["1.query"]], 1)
    masks = torch.stack([given["1.mask"], given["2.mask"][:1]], 1)
    hidden = torch.arange(32)[None] >= 16
    with torch.no_grad():
        found = forward(weights, config, pictures, masks, hidden, [1])
    worst = (found - given["1_instance.pred_baai"]).abs().max().item()
    assert worst < 2e-4, f"the network above differs from the original code by {worst}"

    other = torch.stack([given["2.prompt"][1:], given["2.query"]], 1)
    other_masks = torch.stack([given["2.mask"][1:], given["1.mask"]], 1)
    pictures, masks = torch.cat([pictures, other]), torch.cat([masks, other_masks])
    hidden = torch.cat([hidden, (torch.arange(32)[None] * 7 + 3) % 4 != 0])
    loss = loss_of(forward(weights, config, pictures, masks, hidden, [1, 0]), masks, hidden, 16, 0.1)
    loss.backward()
    fixture = {"loss": loss.detach().reshape(1)}
    for name, weight in weights.items():
        gradient = weight.grad.flatten()
        fixture[name] = gradient[:: max(1, gradient.numel() // 64)][:64].clone()
        fixture[name + "/length"] = gradient.norm().reshape(1)
    save_file(fixture, ROOT / "fixtures" / "gradients.safetensors")
    print(f"worst difference to the golden answer {worst:.2g}, loss {loss.item():.6f}, {len(weights)} gradients")


def speed(size, batch):
    torch.manual_seed(0)
    c, depth, p, d, hidden = 128, 4, 4, 16, 512
    config = dict(width=c, depth=depth, heads=4, patch=p, merge=None, kept=[1, 3])
    shapes = {"mask_token": (c,), "segment_token_x": (c,), "segment_token_y": (c,), "type_token_cls": (1, c),
              "type_token_ins": (1, c), "stem.0.weight": (48, 3, 3, 3), "stem.0.bias": (48,),
              "stem.1.weight": (96, 48, 3, 3), "stem.1.bias": (96,), "patch_embed.proj.weight": (c, 96, 1, 1),
              "patch_embed.proj.bias": (c,), "target_embed.proj.weight": (c, 3, p, p), "target_embed.proj.bias": (c,),
              "norm.weight": (c,), "norm.bias": (c,), "decoder_embed.weight": (p * p * d, 2 * c),
              "decoder_embed.bias": (p * p * d,), "decoder_pred.0.weight": (d, d, 3, 3), "decoder_pred.0.bias": (d,),
              "decoder_pred.1.weight": (d,), "decoder_pred.1.bias": (d,), "decoder_pred.3.weight": (3, d, 1, 1),
              "decoder_pred.3.bias": (3,)}
    for i in range(depth):
        parts = {"conv.weight": (c, 1, 5, 5), "conv.bias": (c,), "norm1.weight": (c,), "norm1.bias": (c,),
                 "attn.qkv.weight": (3 * c, c), "attn.qkv.bias": (3 * c,), "attn.proj.weight": (c, c),
                 "attn.proj.bias": (c,), "norm2.weight": (c,), "norm2.bias": (c,), "mlp.fc1.weight": (hidden, c),
                 "mlp.fc1.bias": (hidden,), "mlp.fc2.weight": (c, hidden), "mlp.fc2.bias": (c,)}
        shapes.update({f"blocks.{i}.{part}": shape for part, shape in parts.items()})
    weights = {name: (0.02 * torch.randn(shape)).requires_grad_() for name, shape in shapes.items()}
    optimiser = torch.optim.AdamW(weights.values(), 1e-3)
    pictures, masks = torch.randn(batch, 2, 3, size, size), torch.randn(batch, 2, 3, size, size)
    tokens = 2 * (size // p) ** 2
    hidden_patches = (torch.arange(tokens) >= tokens // 2)[None].expand(batch, -1)
    times = []
    for _ in range(8):
        start = time.perf_counter()
        loss = loss_of(forward(weights, config, pictures, masks, hidden_patches, [0] * batch), masks, hidden_patches, p, 0.5)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights.values(), 3.0)
        optimiser.step()
        times.append(time.perf_counter() - start)
    print(f"{torch.get_num_threads()} threads, {size} px, batch {batch}: best {batch / min(times):.1f} samples/s, median "
          f"{batch / sorted(times)[len(times) // 2]:.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--speed"]:
        speed(int(sys.argv[2]), int(sys.argv[3]))
    else:
        golden()
