#!/usr/bin/env python3
"""Compares our networks with timm's on the same generated weights, both engines.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 numpy safetensors pillow pyyaml && venv/bin/pip install --no-deps timm
    venv/bin/python bench/network_parity.py build/release/bin/network_taps [NETWORK...]

timm computes in float64, so that a difference is ours alone. Prints the largest one of each tap, relative to
the tap's largest value; exits 1 above 1e-5.
"""
import os
import subprocess
import sys
import tempfile
import types

import torch
from safetensors.torch import load_file


def stub_torchvision():
    """timm imports torchvision for data loading alone; the CPU wheel of torch has none beside it."""
    class Named(type):
        def __getattr__(cls, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return name

    class Anything(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return Named(name, (), {})

    class Finder:
        def find_spec(self, name, path=None, target=None):
            if name.split(".")[0] not in ("torchvision", "huggingface_hub"):
                return None
            import importlib.machinery
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

        def create_module(self, spec):
            return Anything(spec.name)

        def exec_module(self, module):
            module.__path__ = []

    sys.meta_path.insert(0, Finder())


stub_torchvision()
import timm  # noqa: E402

EFFICIENTNET = ["stem", "stage.1", "stage.2", "stage.3", "stage.4", "stage.5", "stage.6", "stage.7", "s3b2", "logits"]
RESNET = ["stem", "stage.1", "stage.2", "stage.3", "stage.4", "s2b2", "logits"]
VIT = ["block.0", "block.5", "cls.11", "tokens.7", "norm", "pre_logits", "logits"]
CONVNEXT = ["stem", "stage.1", "stage.2", "stage.3", "stage.4", "s3b3", "logits"]
NETWORKS = {
    "efficientnet_lite0": ("tf_efficientnet_lite0", 256, EFFICIENTNET),
    "efficientnet_lite1": ("tf_efficientnet_lite1", 240, EFFICIENTNET),
    "efficientnet_lite2": ("tf_efficientnet_lite2", 260, EFFICIENTNET),
    "resnet18": ("resnet18", 224, RESNET),
    "resnet50": ("resnet50", 224, RESNET),
    "wide_resnet50_2": ("wide_resnet50_2", 224, RESNET),
    "vit_tiny_patch16": ("vit_tiny_patch16_224", 224, VIT),
    "vit_small_patch16": ("vit_small_patch16_224", 224, VIT),
    "vit_base_patch16": ("vit_base_patch16_224", 224, VIT),
    "convnext_tiny": ("convnext_tiny", 224, CONVNEXT),
    "convnext_base": ("convnext_base", 224, CONVNEXT),
}
PARTS = {"_expand_conv": "conv_pw", "_depthwise_conv": "conv_dw", "_project_conv": "conv_pwl"}


def efficientnet_keys(model):
    """Our key -> timm's: flat block numbers become stage.block, and norms are counted from 1."""
    keys = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
    flat = 0
    for stage, blocks in enumerate(model.blocks):
        for block in range(len(blocks)):
            separable = stage == 0
            parts = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"} if separable else \
                {**PARTS, "_bn0": "bn1", "_bn1": "bn2", "_bn2": "bn3"}
            for ours, theirs in parts.items():
                keys[f"_blocks.{flat}.{ours}"] = f"blocks.{stage}.{block}.{theirs}"
            flat += 1
    return keys


def load(model, ours):
    weights = {key.removeprefix("weight."): value for key, value in ours.items() if key.startswith("weight.")}
    if hasattr(model, "conv_stem"):
        keys = efficientnet_keys(model)
        weights = {".".join((keys[key.rpartition(".")[0]], key.rpartition(".")[2])): value for key, value in weights.items()}
    missing, unexpected = model.load_state_dict(weights, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    assert not missing and not unexpected, (missing[:5], unexpected[:5])


def stages_of(model):
    for name in ("blocks", "stages"):
        if hasattr(model, name):
            return list(getattr(model, name))
    return [model.layer1, model.layer2, model.layer3, model.layer4]


def blocks_of(stage):
    return list(stage.blocks) if hasattr(stage, "blocks") else list(stage)


@torch.no_grad()
def reference(model, image, taps):
    """The named taps, caught by hooks on timm's modules."""
    caught, hooks = {}, []
    is_vit = hasattr(model, "patch_embed")

    def catch(name, module):
        hooks.append(module.register_forward_hook(lambda _m, _i, out: caught.__setitem__(name, out)))

    if is_vit:
        for index, block in enumerate(model.blocks):
            catch(f"tokens.{index}", block)
        catch("norm", model.norm)
    else:
        stem = getattr(model, "bn1", None) if hasattr(model, "conv_stem") else getattr(model, "maxpool", None) or model.stem
        catch("stem", stem)
        for number, stage in enumerate(stages_of(model), 1):
            catch(f"stage.{number}", stage)
            for block_number, block in enumerate(blocks_of(stage), 1):
                catch(f"s{number}b{block_number}", block)
    caught["logits"] = model(image)
    for hook in hooks:
        hook.remove()
    if is_vit:
        caught["pre_logits"] = caught["norm"][:, 0]
        rows = image.shape[2] // model.patch_embed.patch_size[0]
        for name in taps:
            kind, _, number = name.partition(".")
            if kind == "cls":
                caught[name] = caught["tokens." + number][:, 0]
            elif kind == "block":
                patches = caught["tokens." + number][:, 1:]
                caught[name] = patches.transpose(1, 2).reshape(len(image), -1, rows, patches.shape[1] // rows)
    return caught


def main():
    program, wanted = sys.argv[1], sys.argv[2:] or list(NETWORKS)
    worst = 0.0
    for network in wanted:
        theirs, size, taps = NETWORKS[network]
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "taps.safetensors")
            subprocess.run([program, network, "random:1", str(size), str(size), "2", out, *taps], check=True)
            ours = load_file(out)
        model = timm.create_model(theirs, pretrained=False).eval()
        load(model, ours)
        caught = reference(model.double(), ours["input"].double(), taps)
        for engine in ("torch", "openvino"):
            errors = {tap: float((ours[f"{engine}.{tap}"] - caught[tap]).abs().max() / caught[tap].abs().max()) for tap in taps}
            worst = max(worst, *errors.values())
            print(f"{network:20s} {engine:9s} " + "  ".join(f"{tap} {error:.1e}" for tap, error in errors.items()), flush=True)
    print(f"largest: {worst:.2e}")
    return worst > 1e-5


if __name__ == "__main__":
    sys.exit(main())
