#!/usr/bin/env python3
"""What dual_prompt costs beside plain PyTorch, in one run on one machine: timm's ConvNeXt-B in float32
(all parameters trained, batch 8; forward alone, batch 1) against ours with the same generated weights,
prompts in its last three blocks. The two take turns, and medians are compared. CPU time is that of all
threads together: what a busy machine leaves comparable.

    OMP_WAIT_POLICY=passive venv/bin/python bench/dual_prompt_cost.py build/bench/bin/dual_prompt_cost [ROUNDS]

Goals: one image of a cached epoch at most 0.15 of forward + backward; one image judged among 15 tasks
at most 0.45 of forward; 25 epochs with the frozen part kept at most 1/4 of those without. The last is
of 32 images: both costs grow with their number alike, and 200 would take half an hour.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import timm
import torch
from safetensors.torch import save_file

program = sys.argv[1]
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
torch.manual_seed(0)
network = timm.create_model("convnext_base", pretrained=False)
for name, parameter in network.named_parameters():
    if name.endswith("gamma"):
        torch.nn.init.constant_(parameter, 0.1)  # as trained ones are; new ones are 1e-6
folder = tempfile.TemporaryDirectory()
weights = os.path.join(folder.name, "convnext_base.safetensors")
save_file(network.state_dict(), weights)
found = {}


def add(name, wall_ms, cpu_ms):
    found.setdefault(name, []).append((wall_ms, cpu_ms))


def measure(name, work, n_images, repeats):
    work()
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        add(name, (time.perf_counter() - wall) * 1e3 / n_images, (time.process_time() - cpu) * 1e3 / n_images)


def ours(n_images, *options):
    words = [program, str(n_images), f"weights={weights}", *options]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def forward_backward():
    network.train()
    network.zero_grad(set_to_none=True)
    torch.nn.functional.cross_entropy(network(eight), labels).backward()


def forward():
    network.eval()
    with torch.no_grad():
        network(one)


eight, one = torch.randn(8, 3, 224, 224), torch.randn(1, 3, 224, 224)
labels = torch.zeros(8, dtype=torch.long)
for turn in range(rounds):
    measure("timm forward+backward", forward_backward, 8, 2)
    measure("timm forward", forward, 1, 7)
    for precision in ("f32", "bf16"):
        told = ours(24, f"precision={precision}", "epochs=2")
        add(f"ours {precision} epoch image", told["epoch_image_ms"], told["epoch_image_cpu_ms"])
        add(f"ours {precision} predict", told["predict_ms"], told["predict_cpu_ms"])
        n_bytes = told["state_bytes_a_task"]
    print(f"turn {turn}: " + ", ".join(f"{name} {values[-1][0]:.0f}" for name, values in found.items()), flush=True)

median = {name: [statistics.median(column) for column in zip(*values)] for name, values in found.items()}
load = os.getloadavg()
print(f"torch {torch.__version__}, timm {timm.__version__}, {torch.get_num_threads()} threads, load {load[0]:.1f}; medians, ms an image")
print(f"{'':28} {'clock':>8} {'CPU':>8}   ratio by clock, by CPU")
for name, (wall, cpu) in median.items():
    beside = "timm forward+backward" if name.endswith("epoch image") else "timm forward"
    ratio = f"   {wall / median[beside][0]:.2f}  {cpu / median[beside][1]:.2f}  of {beside}" if name.startswith("ours") else ""
    print(f"{name:28} {wall:8.1f} {cpu:8.1f}{ratio}")
print("state bytes a task:", n_bytes)
for precision in ("f32", "bf16"):
    kept, again = (ours(32, f"precision={precision}", "epochs=25", f"cache_mb={room}") for room in (1024, 0))
    print(f"25 epochs of 32 images, {precision}: {kept['training_ms'] / 1e3:.1f} s kept, {again['training_ms'] / 1e3:.1f} s again and again, "
          f"ratio {kept['training_ms'] / again['training_ms']:.2f} by clock, {kept['training_cpu_ms'] / again['training_cpu_ms']:.2f} by CPU", flush=True)
