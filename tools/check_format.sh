#!/bin/sh
# Every C file is as clang-format 14 leaves it; --fix makes it so.
set -eu
cd "$(dirname "$0")/.."
tool=clang-format-14
if ! command -v $tool >/dev/null; then
    tool=clang-format
fi
if ! $tool --version 2>/dev/null | grep -q 'version 14\.'; then
    echo "check_format: clang-format 14 is missing: install clang-format-14" >&2
    exit 1
fi
dirs=
for d in src include tests examples bench; do
    [ ! -d $d ] || dirs="$dirs $d"
done
mode="--dry-run -Werror"
[ "${1:-}" != --fix ] || mode=-i
find $dirs -name '*.[ch]' -print0 | xargs -0 -r $tool $mode
