#!/bin/sh
# A copy of an IDX data set whose labels are shuffled: a conditional GAN trained on it cannot know what
# a class looks like, so a classifier recognises its samples at chance.
#
#     bench/shuffle_labels.sh /usr/share/datasets/fashion-mnist shuffled
#     gan train cgan --data idx:shuffled --out run
#     gan classify CLASSIFIER --samples run
#
# The images are linked. The order is a fixed one: the labels themselves are its random source.
set -eu
[ $# = 2 ] || { echo "usage: $0 IDX_DIR NEW_DIR" >&2; exit 2; }
from=$(cd "$1" && pwd)
mkdir -p "$2"
ln -sf "$from/train-images-idx3-ubyte.gz" "$2/"
gunzip -c "$from/train-labels-idx1-ubyte.gz" >"$2/labels.true"
{
    head -c 8 "$2/labels.true"
    tail -c +9 "$2/labels.true" | od -An -v -tx1 -w1 | shuf --random-source="$from/train-images-idx3-ubyte.gz" |
        tr -d ' \n' | tr a-f A-F | basenc --base16 -d
} >"$2/train-labels-idx1-ubyte"
rm "$2/labels.true"
