#!/usr/bin/env bash
# Fails when a file is not formatted as .clang-format says; --write formats instead. The tool is a
# pinned wheel: another version formats otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."
tool=${CADENZA_DEPS:-.deps}/clang-format/clang_format/data/bin/clang-format
[ -e "$tool" ] || { echo "format: no $tool; run tools/setup.sh check" >&2; exit 1; }
chmod +x "$tool"
mode=(--dry-run -Werror)
[ "${1:-}" = --write ] && mode=(-i)
git ls-files -z --cached --others --exclude-standard '*.h' '*.cpp' | xargs -0 "$tool" "${mode[@]}"
