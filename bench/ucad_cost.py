#!/usr/bin/env python3
"""What UCAD costs beside plain PyTorch, in one run on one machine: timm's ViT-B/16 in float32 (all
parameters trained, batch 8; forward alone, batch 1) against ours with generated weights. The two
take turns, and medians are compared. CPU time is that of all threads together: what a busy machine
leaves comparable. OMP_WAIT_POLICY=passive keeps waiting threads out of it.

    OMP_WAIT_POLICY=passive venv/bin/python bench/ucad_cost.py build/release/bin/ucad_cost [ROUNDS] [KEY=VALUE...]

Goals: one image of a training epoch at most 0.4 of forward + backward, one image judged among 15
tasks at most 0.35 of forward.
"""
import json
import os
import statistics
import subprocess
import sys
import time

import timm
import torch

program, *rest = sys.argv[1:]
rounds = int(rest.pop(0)) if rest and rest[0].isdigit() else 3
torch.manual_seed(0)
network = timm.create_model("vit_base_patch16_224", pretrained=False)


def add(name, wall_ms, cpu_ms):
    found.setdefault(name, []).append((wall_ms, cpu_ms))


def measure(name, work, n_images, repeats):
    work()
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        add(name, (time.perf_counter() - wall) * 1e3 / n_images, (time.process_time() - cpu) * 1e3 / n_images)


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
found = {}
for turn in range(rounds):
    measure("timm forward+backward", forward_backward, 8, 2)
    measure("timm forward", forward, 1, 7)
    for precision in ("f32", "bf16"):
        for name, options in (("", []), (" epochs=0", ["epochs=0"])):
            run = subprocess.run([program, precision, *options, *rest], check=True, capture_output=True, text=True)
            told = json.loads(run.stdout)
            if not options:
                add(f"ours {precision} train", told["train_ms"], told["train_cpu_ms"])
                n_bytes = told["state_bytes_a_task"]
            add(f"ours {precision} predict{name}", told["predict_ms"], told["predict_cpu_ms"])
    print(f"turn {turn}: " + ", ".join(f"{name} {values[-1][0]:.0f}" for name, values in found.items()), flush=True)

median = {name: [statistics.median(column) for column in zip(*values)] for name, values in found.items()}
load = os.getloadavg()
print(f"torch {torch.__version__}, timm {timm.__version__}, {torch.get_num_threads()} threads, load {load[0]:.1f}; medians, ms an image")
print(f"{'':28} {'clock':>8} {'CPU':>8}   ratio by clock, by CPU")
for name, (wall, cpu) in median.items():
    beside = "timm forward+backward" if name.endswith("train") else "timm forward"
    ratio = f"   {wall / median[beside][0]:.2f}  {cpu / median[beside][1]:.2f}  of {beside}" if name.startswith("ours") else ""
    print(f"{name:28} {wall:8.1f} {cpu:8.1f}{ratio}")
print("state bytes a task:", n_bytes)
