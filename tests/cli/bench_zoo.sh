# gan bench zoo: a classifier and models trained side by side, scored against the test split in its
# features; what is done is not done again.
. "$SRC/tests/cli/case.inc"
mkdir data
gray_idx 60 28 28 >data/train-images-idx3-ubyte
{ bytes 0 0 8 1 0 0 0 60; for i in $(seq 15); do bytes 0 1 2 3; done; } >data/train-labels-idx1-ubyte
gray_idx 60 28 28 >data/t10k-images-idx3-ubyte
{ bytes 0 0 8 1 0 0 0 60; for i in $(seq 15); do bytes 0 1 2 3; done; } >data/t10k-labels-idx1-ubyte
short="--steps 2 --batch 4 --jobs 2"
run 0 bench zoo --data idx:data --cells fgan $short --out z
prints "60 samples of each against as many images of idx:data?split=test" "| fgan | 2 | " \
    "| idx:data | | |" "gan train fgan --data 'idx:data' --size 32" "of 60 images"
grep -qF "2 of 2 trainings left" err || fail "the time is not predicted"
grep -q "no figure" err || [ -s z/sheet.png ] || fail "there is no sheet"
cp out first
run 0 bench zoo --data idx:data --cells fgan $short --out z
grep -qF "0 of 2 trainings left" err || fail "what is done is done again"
cmp -s first out || fail "a second call prints another table"
run 0 bench zoo --data idx:data --cells fgan $short --out z --json
prints '"model": "fgan"' '"precision": {' '"classifier_accuracy": ' '"n": 60'
# the same figures as gan eval gives
run 0 eval z/fgan --data 'idx:data?split=test' --metrics fid,kid,prdc --features classifier:z/classifier \
    --n 60 --threads 1 --json
sed -n 's/^ *"value": //p' out | sort >eval
run 0 bench zoo --data idx:data --cells fgan $short --out z --json
sed -n '/"model": "fgan"/,$ s/^ *"value": //p' out | sort >zoo
cmp eval zoo || fail "gan eval and the table differ"

run 2 bench zoo --cells nothing --out n
complains "no training has that name"
mkdir bare
cp data/*images* bare/
run 2 bench zoo --data idx:bare --out n
complains "no classes"
run 1 bench zoo --data idx:absent --out n
complains absent
finish
