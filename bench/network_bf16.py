#!/usr/bin/env python3
"""How far bfloat16 turns the features of real photographs: cosine of each cell with its float32 self.

    venv/bin/python bench/network_bf16.py build/release/bin/network_taps efficientnet_lite0.safetensors IMAGE...
"""
import os
import subprocess
import sys
import tempfile

import numpy
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

program, weights, *images = sys.argv[1:]
pixels = [numpy.asarray(Image.open(path).convert("RGB").resize((256, 256), Image.BILINEAR), numpy.float32) for path in images]
batch = torch.from_numpy(numpy.stack(pixels)).permute(0, 3, 1, 2)
taps = ["stage.3", "stage.4", "stage.5", "stage.6", "stage.7"]
with tempfile.TemporaryDirectory() as folder:
    image_file, out = os.path.join(folder, "input.safetensors"), os.path.join(folder, "taps.safetensors")
    save_file({"input": ((batch - 127) / 128).contiguous()}, image_file)
    subprocess.run([program, "efficientnet_lite0", weights, "256", "256", image_file, out, *taps], check=True)
    found = load_file(out)
for tap in taps:
    cosine = torch.cosine_similarity(found["openvino." + tap], found["openvino_bf16." + tap], 1)
    print(f"{tap}: mean {cosine.mean():.5f}, least {cosine.min():.5f}, least mean of an image {cosine.mean((1, 2)).min():.5f}")
