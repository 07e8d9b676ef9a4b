#!/usr/bin/env python3
"""Writes cadenza/network/network_golden.h: taps of the tiny networks, computed here from their papers' formulas.

    venv/bin/python bench/network_golden.py build/release/bin/network_taps cadenza/network/network_golden.h

Nothing of Cadenza but its generated weights (random:3) and input enters: plain torch functions in float64, batch
norm not folded, attention written out. 64 numbers of each tap are kept, at (977 k) mod n of the flattened tap.
"""
import os
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

KEPT = 64


def batch_norm(w, x, name, epsilon):
    return F.batch_norm(x, w[name + ".running_mean"], w[name + ".running_var"], w[name + ".weight"], w[name + ".bias"],
                        False, 0.0, epsilon)


def same_conv(x, kernel, stride, groups):
    pads = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel.shape[2] - size, 0)
        pads += [total // 2, total - total // 2]
    return F.conv2d(F.pad(x, pads), kernel, None, stride, 0, 1, groups)


def efficientnet(w, x):
    """Four stages with half the channels of Lite0 (8, 12 -> 16, 20 -> 24, 40)."""
    taps = {}

    def unit(x, conv, norm, stride=1, groups=1):
        return batch_norm(w, same_conv(x, w[conv + ".weight"], stride, groups), norm, 1e-3)

    x = F.relu6(unit(x, "_conv_stem", "_bn0", 2))
    table = [(1, 1, 8, 1), (6, 2, 16, 2), (6, 2, 24, 2), (6, 2, 40, 3)]
    block = 0
    for stage, (expand, first_stride, channels, repeats) in enumerate(table, 1):
        for repeat in range(repeats):
            name = f"_blocks.{block}."
            stride = first_stride if repeat == 0 else 1
            y = x
            if expand > 1:
                y = F.relu6(unit(y, name + "_expand_conv", name + "_bn0"))
            y = F.relu6(unit(y, name + "_depthwise_conv", name + "_bn1", stride, y.shape[1]))
            y = unit(y, name + "_project_conv", name + "_bn2")
            assert y.shape[1] == channels, (y.shape, channels)
            x = x + y if stride == 1 and x.shape == y.shape else y
            block += 1
            taps[f"s{stage}b{repeat + 1}"] = x
        taps[f"stage.{stage}"] = x
    return taps


def resnet(w, x):
    taps = {}

    def unit(x, conv, norm, stride=1):
        kernel = w[conv + ".weight"]
        return batch_norm(w, F.conv2d(x, kernel, None, stride, kernel.shape[2] // 2), norm, 1e-5)

    x = F.max_pool2d(F.relu(unit(x, "conv1", "bn1", 2)), 3, 2, 1)
    taps["stem"] = x
    for stage, repeats in ((1, 2), (2, 1)):
        for block in range(repeats):
            name = f"layer{stage}.{block}."
            stride = 2 if stage > 1 and block == 0 else 1
            y = F.relu(unit(x, name + "conv1", name + "bn1"))
            y = F.relu(unit(y, name + "conv2", name + "bn2", stride))
            y = unit(y, name + "conv3", name + "bn3")
            skip = unit(x, name + "downsample.0", name + "downsample.1", stride) if block == 0 else x
            x = F.relu(y + skip)
        taps[f"stage.{stage}"] = x
    taps["logits"] = F.linear(x.mean((2, 3)), w["fc.weight"], w["fc.bias"])
    return taps


def norm(w, x, name):
    mean = x.mean(-1, keepdim=True)
    variance = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / torch.sqrt(variance + 1e-6) * w[name + ".weight"] + w[name + ".bias"]


def dense(w, x, name):
    return x @ w[name + ".weight"].T + w[name + ".bias"]


def vit(w, x, heads=2):
    """48x32 pixels of patches of 8: the position embedding (4x4) is resized bicubically."""
    taps = {}
    x = F.conv2d(x, w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], 8)
    batch, c, rows, columns = x.shape
    position = w["pos_embed"]
    grid = position[:, 1:].reshape(1, 4, 4, c).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, (rows, columns), mode="bicubic", align_corners=False)
    x = x.flatten(2).transpose(1, 2) + grid.flatten(2).transpose(1, 2)
    x = torch.cat([(w["cls_token"] + position[:, :1]).expand(batch, 1, c), x], 1)
    for block in range(2):
        name = f"blocks.{block}."
        qkv = dense(w, norm(w, x, name + "norm1"), name + "attn.qkv")
        mixed = []
        for head in range(heads):
            width = c // heads
            q, k, v = (qkv[:, :, part * c + head * width:part * c + (head + 1) * width] for part in range(3))
            mixed.append(torch.softmax(q @ k.transpose(1, 2) / width ** 0.5, -1) @ v)
        x = x + dense(w, torch.cat(mixed, 2), name + "attn.proj")
        hidden = dense(w, norm(w, x, name + "norm2"), name + "mlp.fc1")
        hidden = hidden * 0.5 * (1 + torch.erf(hidden / 2 ** 0.5))
        x = x + dense(w, hidden, name + "mlp.fc2")
        taps[f"block.{block}"] = x[:, 1:].transpose(1, 2).reshape(batch, c, rows, columns)
        taps[f"cls.{block}"] = x[:, 0]
    taps["norm"] = norm(w, x, "norm")
    taps["logits"] = dense(w, taps["norm"][:, 0], "head")
    return taps


def convnext(w, x):
    taps = {}

    def planes(x, name):
        return norm(w, x.permute(0, 2, 3, 1), name).permute(0, 3, 1, 2)

    x = planes(F.conv2d(x, w["stem.0.weight"], w["stem.0.bias"], 4), "stem.1")
    for stage, repeats in enumerate((1, 2)):
        prefix = f"stages.{stage}."
        if stage > 0:
            x = F.conv2d(planes(x, prefix + "downsample.0"), w[prefix + "downsample.1.weight"], w[prefix + "downsample.1.bias"], 2)
        for block in range(repeats):
            name = f"{prefix}blocks.{block}."
            y = F.conv2d(x, w[name + "conv_dw.weight"], w[name + "conv_dw.bias"], 1, 3, 1, x.shape[1]).permute(0, 2, 3, 1)
            y = dense(w, norm(w, y, name + "norm"), name + "mlp.fc1")
            y = dense(w, y * 0.5 * (1 + torch.erf(y / 2 ** 0.5)), name + "mlp.fc2") * w[name + "gamma"]
            x = x + y.permute(0, 3, 1, 2)
        taps[f"stage.{stage + 1}"] = x
    taps["logits"] = dense(w, norm(w, x.mean((2, 3)), "head.norm"), "head.fc")
    return taps


CASES = [("efficientnet_lite_test", efficientnet, 32, 32, ["stage.2", "s4b2", "stage.4"]),
         ("resnet_test", resnet, 32, 32, ["stem", "stage.1", "stage.2", "logits"]),
         ("vit_test", vit, 48, 32, ["block.0", "cls.1", "norm", "logits"]),
         ("convnext_test", convnext, 32, 32, ["stage.1", "stage.2", "logits"])]


def literal(value):
    text = f"{float(value):.9g}"
    return text + ("F" if "." in text or "e" in text else ".F")


program, target = sys.argv[1:]
lines = ["#pragma once", "", "#include <string>", "#include <vector>", "", "namespace cadenza {", "",
         "/// Taps of the tiny networks by another implementation: bench/network_golden.py wrote this file.",
         "struct GoldenTap {", "  std::string network;", "  int height_px, width_px;", "  std::string tap;",
         "  float largest;              ///< absolute value in the whole tap",
         "  std::vector<float> values;  ///< at (977 k) mod n of the flattened tap", "};", "",
         "inline const std::vector<GoldenTap>& golden_taps() {", "  static const std::vector<GoldenTap> taps{"]
for network, function, height, width, names in CASES:
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "taps.safetensors")
        subprocess.run([program, network, "random:3", str(height), str(width), "2", out, *names], check=True)
        ours = load_file(out)
    weights = {key.removeprefix("weight."): value.double() for key, value in ours.items() if key.startswith("weight.")}
    taps = function(weights, ours["input"].double())
    for name in names:
        tap = taps[name].flatten()
        for engine in ("torch", "openvino"):
            error = float((ours[f"{engine}.{name}"].flatten() - tap).abs().max() / tap.abs().max())
            print(f"{network} {name} {engine}: {error:.1e}")
        kept = ", ".join(literal(tap[977 * k % len(tap)]) for k in range(KEPT))
        lines.append(f'      {{"{network}", {height}, {width}, "{name}", {literal(tap.abs().max())}, {{{kept}}}}},')
lines += ["  };", "  return taps;", "}", "", "}  // namespace cadenza", ""]
open(target, "w").write("\n".join(lines))
