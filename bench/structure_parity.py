"""Compares our region maps with scikit-image's on any pictures, pixel by pixel.

    pip install numpy scikit-image==0.26.0
    cmake --preset bench && cmake --build build/bench --target region_map
    python bench/structure_parity.py build/bench/bin/region_map PICTURE...
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from skimage import io, segmentation


def ours(program, picture, method, scale=1):
    with tempfile.TemporaryDirectory() as folder:
        raw, out = pathlib.Path(folder, "in"), pathlib.Path(folder, "out")
        np.ascontiguousarray(picture).tofile(raw)
        channels = 1 if picture.ndim == 2 else picture.shape[2]
        height, width = picture.shape[:2]
        subprocess.check_call([program, raw, str(height), str(width), str(channels), method, str(scale), out])
        return np.fromfile(out, "<i4").reshape(height, width)


def borders(ids):
    return np.concatenate([(ids[1:] != ids[:-1]).ravel(), (ids[:, 1:] != ids[:, :-1]).ravel()])


def main():
    program, *files = sys.argv[1:]
    for file in files:
        picture = io.imread(file)
        picture = picture[..., :3] if picture.ndim == 3 else picture
        axis = None if picture.ndim == 2 else -1
        theirs = segmentation.slic(picture, channel_axis=axis)
        line = f"{file}: slic same id {np.mean(theirs == ours(program, picture, 'slic')):.5f}"
        for scale in (1, 100):
            theirs = segmentation.felzenszwalb(picture, scale=scale, channel_axis=axis)
            mine = ours(program, picture, "felzenszwalb", scale)
            line += (f" | felzenszwalb scale {scale}: regions {theirs.max() + 1} {mine.max()},"
                     f" same borders {np.mean(borders(theirs) == borders(mine)):.5f}")
        print(line)


main()
