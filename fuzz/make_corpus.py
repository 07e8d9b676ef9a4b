"""Writes the seeds of fuzz/corpus: small files of every kind, all made here (CC0).

    python3 fuzz/make_corpus.py        needs numpy, Pillow, torch and safetensors

Seeds that a fuzzer found and that once failed are kept beside them as found_*.
"""
import io
import json
import pathlib
import struct
import zipfile
import zlib

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save as save_safetensors

ROOT = pathlib.Path(__file__).parent / "corpus"


def put(target, name, content):
    folder = ROOT / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def picture(mode, **how):
    rng = np.random.default_rng(1)
    base = rng.integers(0, 256, (9, 11, 4), dtype=np.uint8)
    image = Image.fromarray(base, "RGBA")
    if mode == "I;16":
        image = Image.fromarray(rng.integers(0, 65536, (9, 11), dtype=np.uint16))
    elif mode != "RGBA":
        image = image.convert("RGB").convert(mode)
    out = io.BytesIO()
    image.save(out, **how)
    return out.getvalue()


def exif(orientation):
    data = Image.Exif()
    data[0x0112] = orientation
    return data.tobytes()


def images():
    for mode in ("1", "L", "P", "RGB", "RGBA", "I;16"):
        put("png", mode.replace(";", "") + ".png", picture(mode, format="PNG"))
    whole = picture("RGB", format="PNG")
    put("png", "exif.png", picture("RGB", format="PNG", exif=exif(6)))
    put("png", "cut.png", whole[:-20])
    huge = bytearray(whole)
    huge[16:24] = struct.pack(">II", 60000, 60000)
    huge[29:33] = struct.pack(">I", zlib.crc32(bytes(huge[12:29])))
    put("png", "huge.png", bytes(huge))
    for mode in ("L", "RGB", "CMYK"):
        put("jpeg", mode + ".jpg", picture(mode, format="JPEG", quality=50))
    put("jpeg", "progressive.jpg", picture("RGB", format="JPEG", quality=50, progressive=True))
    put("jpeg", "exif.jpg", picture("RGB", format="JPEG", quality=50, exif=exif(8)))
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        put("bmp", mode + ".bmp", picture(mode, format="BMP"))
    for compression in (None, "packbits", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "group4"):
        mode = "1" if compression == "group4" else "RGB"
        put("tiff", f"{compression}.tiff", picture(mode, format="TIFF", compression=compression))
    for mode in ("L", "P", "RGBA", "I;16", "CMYK"):
        put("tiff", mode.replace(";", "") + ".tiff", picture(mode, format="TIFF"))
    put("webp", "lossy.webp", picture("RGB", format="WEBP", quality=40))
    put("webp", "lossless.webp", picture("RGBA", format="WEBP", lossless=True))
    put("webp", "exif.webp", picture("RGB", format="WEBP", exif=exif(3)))


def saved(value, **how):
    out = io.BytesIO()
    torch.save(value, out, **how)
    return out.getvalue()


def checkpoints():
    tensors = {"a": torch.arange(6.0).reshape(2, 3), "b.c": torch.ones(2, dtype=torch.int64)}
    put("safetensors", "two.safetensors", save_safetensors(tensors, {"k": "v"}))
    put("safetensors", "kinds.safetensors", save_safetensors(
        {"h": torch.ones(3).half(), "z": torch.ones(1).bool(), "e": torch.ones(0, 2)}))
    put("safetensors", "empty.safetensors", save_safetensors({}))
    model = {"state_dict": tensors, "epoch": 3, "note": "x", "list": [torch.ones(1), 2.5, None]}
    put("pickle", "zip.pth", saved(model))
    put("pickle", "legacy.pth", saved(model, _use_new_zipfile_serialization=False))
    put("pickle", "shared.pth", saved({"t": tensors["a"].t(), "a": tensors["a"]},
                                      _use_new_zipfile_serialization=False))
    with zipfile.ZipFile(io.BytesIO(saved(model))) as archive:
        name = [entry for entry in archive.namelist() if entry.endswith("data.pkl")][0]
        put("pickle", "data.pkl", archive.read(name))
    for name, save in (("stored", np.savez), ("deflated", np.savez_compressed)):
        out = io.BytesIO()
        save(out, a=np.arange(4, dtype=np.float32), b=np.array(["x", "yz"]),
             c=np.asfortranarray(np.ones((2, 3), dtype=">i2")))
        put("npz", name + ".npz", out.getvalue())
        put("zip", name + ".zip", out.getvalue())
    out = io.BytesIO()
    np.save(out, np.arange(3.0))
    put("npz", "one.npy", out.getvalue())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/a.txt", "a" * 300)
        archive.writestr("b", "")
        with archive.open(zipfile.ZipInfo("big"), "w", force_zip64=True) as entry:
            entry.write(b"zip64")
    put("zip", "zip64.zip", out.getvalue())


PIECE = {"sha256": "0123456789abcdef" * 4, "bytes": 7}
TASK = {"id": 0, "name": "nut", "n_images": 3, "learned": "2026-01-01T00:00:00Z", "state": PIECE,
        "threshold": {"value": 1.5, "source": "manual", "target_fpr": 0.05, "certified": False,
                      "n_normals": 3},
        "reject_above": None, "map_threshold": 2}
# Without its checksum, which the fuzz target adds.
MANIFEST = {"format": 1, "method": {"name": "m", "state_version": 1, "options": {"k": "9"}},
            "network": {"name": "n", "fingerprint": "f"}, "next_task_id": 1, "next_generation": 2,
            "history": [{"generation": 1, "written": "2026-01-01T00:00:00Z", "change": "train nut",
                         "shared": PIECE, "tasks": [TASK]}]}


def texts():
    put("json", "kinds.json", '{"a": [1, -2.5e3, true, null, "\\u00fc\\n"], "b": {"c": {}}}')
    put("json", "deep.json", "[" * 40 + "]" * 40)
    put("json", "manifest.json", json.dumps(MANIFEST))
    put("config", "all.yaml", "seed: 3\nset: {epochs: 25, lr: 1e-3}\nnormal: [a, b]\n"
        "x: &anchor [1]\ny: *anchor\n")
    put("config", "all.json", json.dumps({"task": "bottle", "target-fpr": 0.05, "set": ["a=b"]}))
    put("config", "block.yaml", "a: |\n  x\n  y\nb: >-\n  z\n? k\n: v\n--- \nc: 'q'\n")
    put("dataset", "csv.csv", "file,split,label,task,defect_type,mask\n"
        "nut/train/good/0.png,train,good,nut,,\n"
        '"nut/test/crack/1.png",test,bad,"n,""t",crack,a.png;a.png\n')
    lines = [{"filename": "nut/train/good/0.png", "label": 0, "label_name": "good",
              "clsname": "nut"},
             {"filename": "nut/test/crack/1.png", "label": 1, "maskname": "a.png"}]
    put("dataset", "lines.json", "\n".join(json.dumps(line) for line in lines))
    put("dataset", "inctrl.json", json.dumps(
        [{"image_path": "nut/test/crack/1.png", "target": 1, "type": "nut"},
         {"image_path": "a.png", "target": 0, "type": "nut"}]))


if __name__ == "__main__":
    images()
    checkpoints()
    texts()
    sizes = [file.stat().st_size for file in ROOT.rglob("*") if file.is_file()]
    print(f"{len(sizes)} seeds, {sum(sizes)} bytes, the largest {max(sizes)}")
