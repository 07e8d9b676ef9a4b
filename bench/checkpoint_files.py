#!/usr/bin/env python3
"""Writes cadenza/checkpoint/testdata: small files as torch and numpy themselves write them.

    venv/bin/python bench/checkpoint_files.py cadenza/checkpoint/testdata
"""
import collections
import os
import sys

import numpy
import torch

folder = sys.argv[1]
base = torch.arange(12, dtype=torch.float32)
state = collections.OrderedDict(
    [("f32", base.reshape(3, 4)),
     ("part", base[6:10]),                          # of the same storage
     ("strided", base.reshape(3, 4).t()),
     ("f64", torch.tensor([0.5, -2.0], dtype=torch.float64)),
     ("f16", torch.tensor([0.5, -2.0], dtype=torch.float16)),
     ("bf16", torch.tensor([0.5, -2.0], dtype=torch.bfloat16)),
     ("i64", torch.tensor(7)),
     ("i32", torch.tensor([-3], dtype=torch.int32)),
     ("u8", torch.tensor([250], dtype=torch.uint8)),
     ("bool", torch.tensor([True, False])),
     ("parameter", torch.nn.Parameter(torch.tensor([1.5]))),
     ("empty", torch.zeros(0, 3))])
training = {"model": state, "epoch": 3, "best": numpy.float64(0.25), "when": [1.5, None, "late", (True, 2**70)],
            "shape": torch.Size([2]), "device": torch.device("cpu"), "type": torch.float16,
            "optimizer": {"state": {0: {"exp_avg": torch.tensor([4.0])}}}}
torch.save(training, os.path.join(folder, "zip.pth"))
torch.save(training, os.path.join(folder, "legacy.pth"), _use_new_zipfile_serialization=False)
torch.save({"a": torch.zeros(1).expand(4)}, os.path.join(folder, "expanded.pth"))
torch.save(torch.nn.Linear(2, 1), os.path.join(folder, "module.pth"))
torch.jit.script(torch.nn.Linear(2, 1)).save(os.path.join(folder, "script.pt"))

grid = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)
arrays = {"f4": grid, "fortran": numpy.asfortranarray(grid), "big": grid.astype(">f4"), "f8": grid.astype("f8"),
          "f2": grid.astype("f2"), "i1": numpy.array([-1], "i1"), "i2": numpy.array([-2], "i2"),
          "i4": numpy.array([-4], "i4"), "i8": numpy.array([-8], "i8"), "u1": numpy.array([1], "u1"),
          "u2": numpy.array([2], "u2"), "u4": numpy.array([4], "u4"), "u8": numpy.array([8], "u8"),
          "b1": numpy.array([True, False]), "scalar": numpy.float32(2.5), "empty": numpy.zeros((0, 3), "f4"),
          "names": numpy.array(["bottle", "Nuß", "", "\U0001F50D"]), "deep/name": grid}
numpy.savez(os.path.join(folder, "stored.npz"), **arrays)
numpy.savez_compressed(os.path.join(folder, "deflated.npz"), **arrays)
numpy.savez(os.path.join(folder, "objects.npz"), a=numpy.array([{}], dtype=object))
for version in ((2, 0), (3, 0)):
    with open(os.path.join(folder, f"version{version[0]}.npy"), "wb") as file:
        numpy.lib.format.write_array(file, grid, version=version)
