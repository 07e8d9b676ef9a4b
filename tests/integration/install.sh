#!/usr/bin/env bash
# install.sh BUILD SOURCE: installs into a scratch prefix, moves the tree, and uses it there as a
# stranger would: without LD_LIBRARY_PATH, without any CUDA toolkit, without the build tree.
set -euo pipefail
build=$1 source=$2
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cadenza_install.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
fail() { echo "install: $*" >&2; exit 1; }

cmake --install "$build" --prefix "$scratch/first" >/dev/null
mkdir "$scratch/moved"
mv "$scratch/first" "$scratch/moved/tree"
tree=$scratch/moved/tree
lib=$(dirname "$(find "$tree" -name libcadenza.so.0 | head -1)")

# Nothing of the environment but a home, and the system's programs.
stranger() { env -i HOME="$scratch" PATH=/usr/bin:/bin LANG=C.UTF-8 "$@"; }

echo "install: every library is found, in the tree or among the system's"
for file in "$tree"/bin/cadenza "$lib"/*.so*; do
  libraries=$(stranger ldd "$file")
  case $libraries in *'not found'*) fail "$file: $(grep 'not found' <<<"$libraries")" ;; esac
  outside=$(awk '/=> \//{print $3}' <<<"$libraries" | grep -vE "^($tree|/lib|/lib64|/usr/lib)/" || true)
  [ -z "$outside" ] || fail "$file uses $outside"
done

echo "install: the program"
stranger "$tree/bin/cadenza" --help >/dev/null
stranger "$tree/bin/cadenza" --version >/dev/null
status=0
stranger "$tree/bin/cadenza" doctor --model "$scratch" >"$scratch/doctor" || status=$?
# Without weights doctor says so (11), and nothing else may be wrong.
[ "$(grep -c '^WRONG' "$scratch/doctor")" = "$(grep -c '^WRONG weights efficientnet_lite0' "$scratch/doctor")" ] ||
  fail "doctor ended with $status: $(cat "$scratch/doctor")"
for file in share/man/man1/cadenza.1 share/bash-completion/completions/cadenza \
    share/zsh/site-functions/_cadenza share/doc/cadenza/LICENSE share/doc/cadenza/README.md \
    share/doc/cadenza/THIRD_PARTY_NOTICES.md share/doc/cadenza/licenses/torch/LICENSE \
    share/doc/cadenza/licenses/openvino/LICENSE share/cadenza/examples/teach_and_inspect.cpp; do
  [ -s "$tree/$file" ] || fail "$file is missing"
done
stranger bash -c ". '$tree/share/bash-completion/completions/cadenza'; complete -p cadenza" >/dev/null

echo "install: a model with generated weights"
photos=$scratch/photos/brick
python3 - "$photos" <<'PYTHON'
import pathlib, random, struct, sys, zlib

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True)
for number in range(12):
    values = random.Random(number)
    rows = b"".join(b"\0" + bytes(values.randrange(90, 160) for _ in range(64)) for _ in range(64))
    (folder / f"{number:03}.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)) +
        chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
PYTHON
stranger "$tree/bin/cadenza" train --task first --normal "$photos" --model "$scratch/line" -q \
  --method panda --set network=efficientnet_lite_test --set weights=random:1 --set epochs=1 >/dev/null
stranger "$tree/bin/cadenza" predict "$photos" --model "$scratch/line" -q --json >"$scratch/verdicts"
[ "$(wc -l <"$scratch/verdicts")" = 12 ] || fail "predict: $(cat "$scratch/verdicts")"

echo "install: a program of another project"
cp -r "$tree/share/cadenza/examples" "$scratch/example"
stranger cmake -S "$scratch/example" -B "$scratch/example/build" -DCMAKE_PREFIX_PATH="$tree" \
  -DCMAKE_BUILD_TYPE=Release >/dev/null
stranger cmake --build "$scratch/example/build" >/dev/null
stranger "$scratch/example/build/teach_and_inspect" "$scratch/line" "$photos/000.png" >"$scratch/answer"
grep -qE '^(normal|defect|unknown), nearest product: first' "$scratch/answer" ||
  fail "no verdict: $(cat "$scratch/answer")"
stranger "$tree/bin/cadenza" verify --model "$scratch/line" >/dev/null
echo "install: done"
