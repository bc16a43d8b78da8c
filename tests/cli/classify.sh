# gan classify: accuracy of a run of the model classifier; what is none; other classes.
. "$SRC/tests/cli/case.inc"

run 2 classify
run 2 classify r
complains "--data is missing"
run 2 classify r --data fashion-mnits
complains "fashion-mnits"
run 1 classify absent --data fashion-mnist
complains "absent"

run 0 train classifier --data fashion-mnist --steps 60 --batch 32 --width 8 --hidden 32 --threads 1 \
    --monitor-every 0 --sample-every 60 --out r
run 0 classify r --data "fashion-mnist?split=test" --threads 1 --json
quiet
prints '"n": 10000' '"classes"' '"hash"'
# one in ten is chance; 60 steps give about seven in ten
awk -F'[:,]' '/"accuracy"/ { if ($2 < .5) exit 1; seen = 1 } END { exit !seen }' out ||
    fail "accuracy of 60 steps is not above one half"
cp out first
run 0 classify r --data "fashion-mnist?split=test" --threads 1 --json
cmp out first || fail "the second time differs"

# its stages are inner layers: pairs of images may be compared through them
inner="--metrics lpips --features classifier:r --n 40 --threads 1"
run 0 eval "fashion-mnist?split=test" --data "fashion-mnist?split=test" $inner
prints "2 layers of classifier:r, even weights"
grep -qE "lpips +0 " out || fail "equal images differ"
run 0 eval "fashion-mnist?split=test" --data "fashion-mnist?split=train" $inner
grep -qE "lpips +0\.[0-9]*[1-9]" out || fail "different images are alike"

run 0 train toy --data toy:ring8 --steps 2 --width 8 --batch 8 --threads 1 --out t
run 1 classify t --data fashion-mnist
complains "is no classifier"
run 2 classify r --data toy:ring8
complains "toy:ring8 has no images"
run 2 train classifier --data toy:ring8 --steps 1
complains "points"
finish
