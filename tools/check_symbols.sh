#!/bin/sh
# What the libraries offer to a linker: libgan.so exports gan_* and nothing internal (gan__*),
# libgan.a defines no global name outside gan_* and gan__*.
#   tools/check_symbols.sh [BUILD]
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
for lib in libgan.so libgan.a; do
    if [ ! -e "$build/$lib" ]; then
        echo "check_symbols: $build/$lib is missing: build first" >&2
        exit 1
    fi
done

status=0
exported=$(nm -D --defined-only "$build/libgan.so" | awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }')
if [ -z "$exported" ]; then
    echo "libgan.so exports nothing"
    status=1
fi
wrong=$(printf '%s\n' "$exported" | grep -E -v '^gan_[a-z0-9]+(_[a-z0-9]+)*$' || true)
if [ -n "$wrong" ]; then
    echo "libgan.so exports names that are not public:" $wrong
    status=1
fi
wrong=$(nm --defined-only "$build/libgan.a" 2>/dev/null |
    awk 'NF == 3 && $2 ~ /[A-Z]/ && $3 !~ /^gan_/ { print $3 }' | sort -u)
if [ -n "$wrong" ]; then
    echo "libgan.a defines global names without our prefix:" $wrong
    status=1
fi
exit $status
