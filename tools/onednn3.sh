#!/bin/sh
# Installs oneDNN 3.x (OpenMP of GCC) from PyPI into DIR and prints the prefix for CMake:
#   cmake -S . -B build-onednn3 -DCMAKE_PREFIX_PATH="$(tools/onednn3.sh DIR)"
# The wheels hold only C headers and the library; nothing of Python is used. 187 kB + 21 MB.
set -eu
version=2023.2.0 # oneDNN 3.2, the newest with GCC's OpenMP on PyPI

if [ $# -ne 1 ]; then
    echo "usage: tools/onednn3.sh DIR" >&2
    exit 2
fi
mkdir -p "$1"
dir=$(cd "$1" && pwd)
if [ ! -e "$dir/include/dnnl.h" ] || [ ! -e "$dir/lib/libdnnl.so" ]; then
    # Without scripts or modules in the wheels, Debian's rule against pip outside a virtual
    # environment has nothing to protect; the target directory is ours alone.
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        -d "$dir/wheels" "onednn-cpu-gomp==$version" "onednn-devel-cpu-gomp==$version" >&2
    for wheel in "$dir"/wheels/*.whl; do
        python3 -m zipfile -e "$wheel" "$dir/wheels/tree"
    done
    for data in "$dir"/wheels/tree/*.data/data; do
        cp -r "$data"/. "$dir"/
    done
    rm -rf "$dir/wheels"
    ln -sf libdnnl.so.3 "$dir/lib/libdnnl.so" # the wheel has three copies of one file
    ln -sf libdnnl.so.3 "$dir/lib/libdnnl.so.3.2"
fi
echo "$dir"
