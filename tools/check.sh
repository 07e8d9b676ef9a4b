#!/usr/bin/env bash
# `make check`: the torch-free folders under address and undefined sanitizers, every fuzz corpus
# replayed there, includes held to the layers, every test listed, every file formatted.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/check_layers
tools/check_listed
tools/format.sh
cmake --preset asan --log-level=WARNING
cmake --build build/asan
ctest --test-dir build/asan --output-on-failure -j "$(nproc)"
