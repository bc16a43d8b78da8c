# stacked:SPEC and the features channels:RUN: gray images as channels, modes counted by a classifier of each.
. "$SRC/tests/cli/case.inc"
value() { sed -n "/\"metric\": \"$1\"/,/}/s/^ *\"value\": \(.*\),\$/\1/p" out; }
near() { awk -v a="$1" -v b="$2" -v e="$3" 'BEGIN { d = a - b; exit !(a != "" && d < e && -d < e) }'; }
mkdir data dark
# three classes that any classifier tells apart: black, gray, white
{
    bytes 0 0 8 3 0 0 0 60 0 0 0 8 0 0 0 8
    printf "$(awk 'BEGIN { for (i = 0; i < 60; i++) for (k = 0; k < 64; k++) printf "\\%03o", 127 * (i % 3) }')"
} >data/train-images-idx3-ubyte
{ bytes 0 0 8 1 0 0 0 60; for i in $(seq 20); do bytes 0 1 2; done; } >data/train-labels-idx1-ubyte
{ bytes 0 0 8 3 0 0 0 60 0 0 0 8 0 0 0 8; head -c 3840 /dev/zero; } >dark/train-images-idx3-ubyte
cp data/train-labels-idx1-ubyte dark/

run 0 data 'stacked:idx:data?n=500' --json
prints '"count": 500' '"channels": 3' '"name": "26"' '"height": 8'
run 0 data 'stacked:idx:data?split=train' --json
prints '"count": 128000'
run 0 train classifier --data idx:data --steps 120 --batch 30 --width 4 --hidden 8 --dropout 0 --threads 1 --monitor-every 0 --out judge
run 0 eval 'stacked:idx:data?n=2600' --metrics modes --features channels:judge --n 2600 --threads 1 --json
prints '"size": 24' '-each"' '27 modes by the classifier, 2600 samples'
[ "$(value modes)" = 27 ] || [ "$(value modes)" = 27.0 ] || fail "modes: $(value modes), not 27"
# KL of 2600 even draws over 27 modes: 26 / (2 * 2600) = .005 on average, deviation .0014
near "$(value reverse-kl)" .005 .007 || fail "even modes have a KL of $(value reverse-kl)"
cp out first
run 0 eval 'stacked:idx:data?n=2600' --metrics modes --features channels:judge --n 2600 --threads 2 --no-cache --json
[ "$(grep '"value"' out)" = "$(grep '"value"' first)" ] || fail "the second time differs"
# a generator of one mode: KL is log 27
run 0 eval 'stacked:idx:dark?n=300' --metrics modes --features channels:judge --n 300 --threads 1 --json
near "$(value reverse-kl)" 3.295837 1e-5 || fail "one mode has a KL of $(value reverse-kl)"
grep -qF '"value": 1' out || fail "black images are not one mode"
# a coloured generator is judged the same way
run 0 train dcgan --data 'stacked:idx:data?n=60' --size 16 --steps 1 --batch 4 --width 4 --threads 1 --monitor-every 0 --out run
run 0 eval run --metrics modes --features channels:judge --n 60 --threads 1
prints "27 modes"

run 2 eval run --metrics is --features channels:judge --n 100
complains "is needs the class scores of one classifier"
run 2 data stacked:toy:ring8
complains "toy are points"
run 2 data stacked:stacked:idx:data
complains "data stacked: stacked takes a SPEC itself, and a SPEC holds one other at most"
run 2 data edges:stacked:idx:data
complains "data edges: stacked takes a SPEC itself"
gray_idx 5 8 8 >plain
run 2 data stacked:idx:plain
complains "gray images with 2 to 1000 classes" "0 classes"
run 2 data stacked:nothing
complains "unknown data 'nothing'"
run 2 data stacked
complains "stacked:SPEC"
run 1 data stacked:idx:absent
complains absent
finish
