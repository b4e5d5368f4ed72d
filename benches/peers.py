"""The same network in other people's code, behind the contenders' protocol (see contest.py)."""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from transformers import SegGptConfig, SegGptForImageSegmentation
from transformers.models.seggpt import modeling_seggpt

TOKENS = {
    "mask_token": "mask_token",
    "segment_token_x": "segment_token_input",
    "segment_token_y": "segment_token_prompt",
    "type_token_cls": "type_token_semantic",
    "type_token_ins": "type_token_instance",
    "pos_embed": "position_embeddings",
}
MODULES = {
    "patch_embed.proj.": "model.embeddings.patch_embeddings.projection.",
    "norm.": "model.encoder.layernorm.",
    "decoder_embed.": "decoder.decoder_embed.",
    "decoder_pred.0.": "decoder.decoder_pred.conv.",
    "decoder_pred.1.": "decoder.decoder_pred.layernorm.",
    "decoder_pred.3.": "decoder.decoder_pred.head.",
}
BLOCK = {
    "norm1": "layernorm_before",
    "norm2": "layernorm_after",
    "attn": "attention",
    "mlp.fc1": "mlp.lin1",
    "mlp.fc2": "mlp.lin2",
}


def translated(name):
    """The original code's name of a tensor in transformers' words."""
    if name in TOKENS:
        return f"model.embeddings.{TOKENS[name]}"
    if name.startswith("blocks."):
        _, index, rest = name.split(".", 2)
        part = next(part for part in BLOCK if rest.startswith(part + "."))
        return f"model.encoder.layers.{index}.{BLOCK[part]}{rest[len(part):]}"
    module = next(module for module in MODULES if name.startswith(module))
    return MODULES[module] + name[len(module) :]


def load(checkpoint):
    model = SegGptForImageSegmentation(SegGptConfig()).eval()
    weights = {translated(name): tensor.float() for name, tensor in load_file(checkpoint).items()}
    model.load_state_dict(weights)
    return model


def with_sdpa():
    """Rewrites transformers' attention to torch's fused one, with the relative positions as a mask."""

    def forward(self, hidden_states, output_attentions=False):
        batch, height, width, _ = hidden_states.shape
        qkv = self.qkv(hidden_states).reshape(batch, height * width, 3, self.num_attention_heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        by_row = self.get_rel_pos(height, height, self.rel_pos_h)
        by_column = self.get_rel_pos(width, width, self.rel_pos_w)
        grid = q.reshape(batch, -1, height, width, q.shape[-1])
        by_row = torch.einsum("bnhwc,hkc->bnhwk", grid, by_row)
        by_column = torch.einsum("bnhwc,wkc->bnhwk", grid, by_column)
        bias = (by_row[..., :, None] + by_column[..., None, :]).reshape(batch, -1, height * width, height * width)
        out = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        out = out.transpose(1, 2).reshape(batch, height, width, -1)
        return self.proj(out), None

    modeling_seggpt.SegGptAttention.forward = forward


class Torch:
    def __init__(self, checkpoint, dtype):
        self.model = load(checkpoint).to(dtype)
        self.dtype = dtype

    def __call__(self, query, prompts, masks):
        n = len(prompts)
        query = query.expand(n, -1, -1, -1)
        with torch.inference_mode():
            answer = self.model(
                pixel_values=query.to(self.dtype),
                prompt_pixel_values=prompts.to(self.dtype),
                prompt_masks=masks.to(self.dtype),
                embedding_type="instance",
                feature_ensemble=n > 1,
            ).pred_masks
        return answer[:1].float().numpy()


class Openvino:
    """One prompt."""

    def __init__(self, checkpoint, precision):
        import nncf
        import openvino

        class Canvas(torch.nn.Module):
            def __init__(self, model):
                super().__init__()
                self.model = model

            def forward(self, query, prompts, masks):
                return self.model(
                    pixel_values=query, prompt_pixel_values=prompts, prompt_masks=masks,
                    embedding_type="instance", feature_ensemble=False,
                ).pred_masks  # fmt: skip

        size = SegGptConfig().image_size[1]
        example = tuple(torch.zeros(1, 3, size, size) for _ in range(3))
        with torch.inference_mode():
            model = openvino.convert_model(
                Canvas(load(checkpoint)), example_input=example, input=[tuple(x.shape) for x in example]
            )
        if precision == "int8":
            model = nncf.compress_weights(model, mode=nncf.CompressWeightsMode.INT8_SYM)
        hints = {"INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32"}
        if precision == "int8":
            hints["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = 1 << 20
        self.model = openvino.Core().compile_model(model, "CPU", hints)

    def __call__(self, query, prompts, masks):
        return self.model((query.numpy(), prompts.numpy(), masks.numpy()))[0]


def contender(name, checkpoint):
    if "sdpa" in name:
        with_sdpa()
    if name.startswith("openvino"):
        return Openvino(checkpoint, name.split()[-1])
    return Torch(checkpoint, torch.bfloat16 if name.endswith("bf16") else torch.float32)


def peak():
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("checkpoint")
    parser.add_argument("inputs")
    arguments = parser.parse_args()
    answers = contender(arguments.name, arguments.checkpoint)
    inputs = load_file(arguments.inputs)
    print("ready", flush=True)
    for line in sys.stdin:
        prompts, side = (int(word) for word in line.split()[:2])
        query = inputs["query"][..., :side, :side].contiguous()
        pictures, masks = (inputs[name][:prompts, :, :side, :side].contiguous() for name in ["prompts", "masks"])
        start = time.perf_counter()
        answer = answers(query, pictures, masks)
        took = time.perf_counter() - start
        lower = answer[0, :, answer.shape[2] // 2 :]
        sample = " ".join(f"{x:.5f}" for x in np.ravel(lower)[::997])
        print(f"{took:.4f} {peak()} {sample}", flush=True)


if __name__ == "__main__":
    main()
