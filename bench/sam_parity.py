#!/usr/bin/env python3
"""Compares our Segment Anything with its authors' program (segment-anything 1.0) on the same generated weights.

    python3 -m venv venv && venv/bin/pip install torch==2.13.0 numpy safetensors opencv-python-headless && venv/bin/pip install --no-deps segment-anything==1.0
    cmake --preset bench && cmake --build build/bench --target sam_taps sam_masks
    venv/bin/python bench/sam_parity.py build/bench/bin/sam_taps sam_test [GOLDEN.h]
    venv/bin/python bench/sam_parity.py build/bench/bin/sam_taps sam_vit_b
    venv/bin/python bench/sam_parity.py keys                               key tables of the three published sizes
    venv/bin/python bench/sam_parity.py masks build/bench/bin/sam_taps build/bench/bin/sam_masks
                                                                           the whole mask generator on sam_test

Theirs computes in float64. Prints the largest difference of each tensor relative to its largest value, and exits 1 above
1e-5. With GOLDEN.h (cadenza/network/sam/sam_golden.h) writes what the unit test is held to.
"""
import hashlib
import os
import subprocess
import sys
import tempfile
import types
from functools import partial

import torch

KEPT = 48


def stub_torchvision():
    """The package needs torchvision for one resize, which is Pillow's, and for box NMS, written out here."""
    boxes, functional = types.ModuleType("torchvision.ops.boxes"), types.ModuleType("torchvision.transforms.functional")

    def box_area(box):
        return (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])

    def batched_nms(box, scores, _classes, iou_threshold):
        order = torch.sort(scores, descending=True, stable=True).indices.tolist()
        area, kept = box_area(box), []
        for one in order:
            fits = True
            for other in kept:
                width = min(box[one, 2], box[other, 2]) - max(box[one, 0], box[other, 0])
                height = min(box[one, 3], box[other, 3]) - max(box[one, 1], box[other, 1])
                common = max(width, 0) * max(height, 0)
                union = area[one] + area[other] - common
                if union > 0 and common / union > iou_threshold:
                    fits = False
                    break
            if fits:
                kept.append(one)
        return torch.tensor(kept, dtype=torch.long)

    def to_pil_image(array):
        from PIL import Image
        return Image.fromarray(array)

    def resize(image, size):
        from PIL import Image
        return image.resize((size[1], size[0]), Image.BILINEAR)

    boxes.box_area, boxes.batched_nms = box_area, batched_nms
    functional.to_pil_image, functional.resize = to_pil_image, resize
    for name, module in (("torchvision", None), ("torchvision.ops", None), ("torchvision.ops.boxes", boxes),
                         ("torchvision.transforms", None), ("torchvision.transforms.functional", functional)):
        sys.modules[name] = module or types.ModuleType(name)


stub_torchvision()
from segment_anything import sam_model_registry  # noqa: E402
from segment_anything.modeling import ImageEncoderViT, MaskDecoder, PromptEncoder, Sam, TwoWayTransformer  # noqa: E402


def tiny():
    """sam_test of cadenza/network/sam/register.cpp."""
    return Sam(
        ImageEncoderViT(depth=2, embed_dim=32, img_size=72, mlp_ratio=4, norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
                        num_heads=2, patch_size=8, qkv_bias=True, use_rel_pos=True, global_attn_indexes=[1], window_size=4,
                        out_chans=32),
        PromptEncoder(embed_dim=32, image_embedding_size=(9, 9), input_image_size=(72, 72), mask_in_chans=16),
        MaskDecoder(num_multimask_outputs=3, transformer=TwoWayTransformer(depth=2, embedding_dim=32, mlp_dim=64, num_heads=2),
                    transformer_dim=32, iou_head_depth=3, iou_head_hidden_dim=32)).eval()


BUILD = {"sam_test": tiny, **{"sam_" + size: build for size, build in sam_model_registry.items() if size != "default"}}


def load(name, tensors):
    model = BUILD[name]()
    model.load_state_dict({key.removeprefix("weight."): value for key, value in tensors.items() if key.startswith("weight.")})
    return model.double()


def with_places(model, points, kinds):
    """Sparse embeddings, prompt by prompt, through the authors' entry points."""
    encoder, size = model.prompt_encoder, model.image_encoder.img_size
    rows = []
    for point, kind in zip(points.double() * size - 0.5, kinds.argmax(-1).tolist()):
        if kind == [3, 4]:
            rows.append(encoder(None, point.reshape(1, 4), None)[0])
        elif kind[-1] == 0:
            rows.append(encoder((point[None, :-1], torch.tensor([[k - 1 for k in kind[:-1]]])), None, None)[0])
        else:
            rows.append(encoder._embed_points(point[None], torch.tensor([[k - 1 for k in kind]]), pad=False))
    return torch.cat(rows)


@torch.no_grad()
def reference(model, ours):
    out, caught = {}, {}
    blocks = model.image_encoder.blocks
    for index in (0, len(blocks) - 1):
        blocks[index].register_forward_hook(lambda _m, _i, x, index=index: caught.__setitem__(f"block.{index}", x.permute(0, 3, 1, 2)))
    out["embedding"] = model.image_encoder(ours["image"].double())
    out.update(caught)
    # The package casts Fourier features to float32, whatever the model is.
    model.prompt_encoder.pe_layer.forward_with_coords = lambda coords, size: model.prompt_encoder.pe_layer._pe_encoding(coords / size[0])
    encoder, grid = model.prompt_encoder, out["embedding"].shape[-1]
    line = (torch.arange(grid, dtype=torch.double) + 0.5) / grid
    places = torch.stack([line[None, :].expand(grid, grid), line[:, None].expand(grid, grid)], -1)
    positions = encoder.pe_layer._pe_encoding(places)
    out["positions"] = positions.reshape(1, grid * grid, -1)
    out["sparse"] = with_places(model, ours["points"], ours["kinds"])
    for suffix in ("", "+mask"):
        dense = encoder(None, None, ours["mask"].double())[1] if suffix else encoder(None, None, None)[1]
        if suffix:
            out["dense+mask"] = dense
        masks, iou = model.mask_decoder.predict_masks(out["embedding"], positions.permute(2, 0, 1)[None], out["sparse"],
                                                      dense.expand(3, -1, grid, grid))
        out["masks" + suffix], out["iou" + suffix] = masks, iou
    return out


def literal(value):
    text = f"{float(value):.9g}"
    return text + ("F" if "." in text or "e" in text else ".F")


def key_table(model):
    return "".join(f"{name} {'x'.join(map(str, value.shape))}\n" for name, value in sorted(model.state_dict().items()))


def key_lines():
    lines = ["struct SamKeys {", "  std::string network;", "  int n_tensors;", "  long long n_numbers;",
             "  std::string sha256;  ///< of the lines \"name 4x5x6\\n\", by name", "};", "",
             "inline const std::vector<SamKeys>& sam_keys() {", "  static const std::vector<SamKeys> keys{"]
    for name, build in BUILD.items():
        model = build()
        table = key_table(model)
        numbers = sum(value.numel() for value in model.state_dict().values())
        print(f"{name}: {len(table.splitlines())} tensors, {numbers} numbers")
        lines.append(f'      {{"{name}", {len(table.splitlines())}, {numbers}, "{hashlib.sha256(table.encode()).hexdigest()}"}},')
    return lines + ["  };", "  return keys;", "}"]


def write_golden(target, expected):
    lines = ["#pragma once", "", "#include <string>", "#include <vector>", "", "namespace cadenza {", "",
             "/// Tensors of sam_test and key tables by the authors' program: bench/sam_parity.py wrote this file.",
             "struct SamGolden {", "  std::string name;", "  float largest;              ///< absolute value in the whole tensor",
             "  std::vector<float> values;  ///< at (977 k) mod n of the flattened tensor", "};", "",
             "inline const std::vector<SamGolden>& sam_golden() {", "  static const std::vector<SamGolden> tensors{"]
    for name, tensor in expected.items():
        flat = tensor.flatten()
        kept = ", ".join(literal(flat[977 * k % len(flat)]) for k in range(KEPT))
        lines.append(f'      {{"{name}", {literal(flat.abs().max())}, {{{kept}}}}},')
    lines += ["  };", "  return tensors;", "}", "", *key_lines(), "", "}  // namespace cadenza", ""]
    open(target, "w").write("\n".join(lines))


MASK_CASES = [  # picture, options: thresholds that pass most of what random weights answer
    ((60, 90), dict(points_per_side=6)),
    ((72, 72), dict(points_per_side=8, points_per_batch=7)),
    ((224, 150), dict(points_per_side=5, crop_n_layers=1)),
    ((130, 97), dict(points_per_side=8, crop_n_layers=2, crop_n_points_downscale_factor=2, box_nms_thresh=0.9)),
    ((100, 140), dict(points_per_side=6, min_mask_region_area=60)),
    ((140, 100), dict(points_per_side=6, crop_n_layers=1, min_mask_region_area=200)),
]


def painted(records, size):
    """UCAD's dataset_sam.py: area descending, ids from 1, later masks over earlier ones."""
    import numpy as np
    ids = np.zeros(size, int)
    for number, record in enumerate(sorted(records, key=lambda one: one["area"], reverse=True), 1):
        ids[record["segmentation"]] = number
    return ids


def with_local_masks(model, picture):
    """Weights whose masks are spots instead of noise everywhere: one channel becomes a constant that pulls logits down."""
    from segment_anything import SamPredictor
    predictor = SamPredictor(model)
    predictor.set_image(picture)
    points = torch.rand(16, 1, 2, generator=torch.Generator().manual_seed(1)) * 72
    logits = predictor.predict_torch(points, torch.ones(16, 1), return_logits=True)[2]
    up = model.mask_decoder.output_upscaling[3]
    with torch.no_grad():
        up.weight[:, 0], up.bias[0] = 0, 10
        for index, mlp in enumerate(model.mask_decoder.output_hypernetworks_mlps):
            mlp.layers[2].weight[0] = 0
            mlp.layers[2].bias[0] = -torch.quantile(logits[:, max(index - 1, 0)], 0.85 + 0.035 * index) / 10
    return float(logits.std())


def compare_masks(taps, program):
    """The authors' generator (in float32, as they run it) and ours, on the same weights and pictures."""
    import json
    import numpy as np
    from safetensors.torch import load_file, save_file
    from segment_anything import SamAutomaticMaskGenerator
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        out, raw, found = (os.path.join(folder, name) for name in ("taps", "raw", "found"))
        subprocess.run([taps, "sam_test", "3", out], check=True, stderr=subprocess.DEVNULL)
        tensors = load_file(out)
        weights = os.path.join(folder, "weights.safetensors")
        for number, ((height, width), options) in enumerate(MASK_CASES):
            y, x = np.mgrid[:height, :width]
            picture = np.stack([(127 + 120 * np.sin(y / (7 + c) + np.cos(x / (9 - c)) * 2)) for c in range(3)], -1).astype(np.uint8)
            picture.tofile(raw)
            model = load("sam_test", tensors).float()
            spread = with_local_masks(model, picture)
            save_file(model.state_dict(), weights)
            probe = SamAutomaticMaskGenerator(model, pred_iou_thresh=0, stability_score_thresh=0, stability_score_offset=0.1 * spread, box_nms_thresh=2, **{
                key: value for key, value in options.items() if key.startswith("points")}).generate(picture)
            options = {"pred_iou_thresh": float(np.quantile([one["predicted_iou"] for one in probe], 0.5 if number % 2 else 0.2)),
                       "stability_score_thresh": float(np.nanquantile([one["stability_score"] for one in probe], 0.4 if number % 2 else 0.1)),
                       "stability_score_offset": 0.1 * spread, **options}
            theirs = SamAutomaticMaskGenerator(model, **options).generate(picture)
            subprocess.run([program, "sam_test", weights, raw, str(height), str(width), found,
                            *(f"{key}={value!r}" for key, value in options.items())], check=True, stderr=subprocess.DEVNULL)
            ours = json.load(open(found))
            same = len(theirs) == len(ours["masks"]) and all(
                mine["box"] == [one["bbox"][0], one["bbox"][1], one["bbox"][0] + one["bbox"][2], one["bbox"][1] + one["bbox"][3]]
                and abs(mine["iou"] - one["predicted_iou"]) < 1e-5 and abs(mine["stability"] - np.nan_to_num(one["stability_score"])) < 2e-3
                and np.allclose(mine["point"], one["point_coords"][0])
                for mine, one in zip(ours["masks"], theirs))
            ids = np.array(ours["ids"]).reshape(height, width)
            pixels = float((ids == painted(theirs, (height, width))).mean())
            print(f"{height}x{width} {options}:\n    probed {len(probe)}, theirs {len(theirs)} masks, ours {len(ours['masks'])}, "
                  f"{'same records' if same else 'records differ'}, same ids {pixels:.5f}")
            bad += not same or pixels < 0.999
    return bad


def main():
    from safetensors.torch import load_file
    if sys.argv[1] == "masks":
        return compare_masks(*sys.argv[2:])
    if sys.argv[1] == "keys":
        key_lines()
        return 0
    program, name, *target = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "taps.safetensors")
        subprocess.run([program, name, "3", out], check=True)
        ours = load_file(out)
    expected = reference(load(name, ours), ours)
    worst = 0.0
    for key, tensor in expected.items():
        for engine in ("torch", "openvino"):
            found = ours[f"{engine}.{key}"]
            error = float((found.double() - tensor).abs().max() / tensor.abs().max())
            worst = max(worst, error)
            print(f"{name} {key:12s} {engine:9s} {error:.1e}   shape {tuple(found.shape)}")
    print(f"largest: {worst:.2e}")
    if target:
        write_golden(target[0], expected)
    return worst > 1e-5


if __name__ == "__main__":
    sys.exit(main())
