#!/bin/sh
# Trains DCGAN on the 60,000 images of Fashion-MNIST for two minutes on two cores and says where
# the samples are. Expects build/gan.
set -eu
cd "$(dirname "$0")/.."
n=1
while [ -e "runs/demo-$n" ]; do
    n=$((n + 1))
done
out=runs/demo-$n
build/gan train dcgan --data fashion-mnist --time 2m --threads 2 --out "$out"
grid=$(find "$out/samples" -name '*.png' | LC_ALL=C sort | tail -n 1)
if [ -z "$grid" ]; then
    echo "demo: no sample grid in $out/samples" >&2
    exit 1
fi
echo "run directory:  $out"
echo "sample grid:    $(pwd)/$grid"
