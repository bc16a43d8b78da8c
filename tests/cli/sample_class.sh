# Classes: a model that knows them trains on labelled data only; a grid has a column for each; one can
# be asked for by number; image i of a class is the same however it is asked for.
. "$SRC/tests/cli/case.inc"
mkdir data plain
gray_idx 40 16 16 >data/train-images-idx3-ubyte
{ bytes 0 0 8 1 0 0 0 40; for i in 1 2 3 4 5 6 7 8 9 10; do bytes 0 1 2 1; done; } >data/train-labels-idx1-ubyte
cp data/train-images-idx3-ubyte plain/
small="--steps 2 --batch 8 --width 2 --z 4 --threads 1 --arch dcgan"
run 0 train plain --data idx:data $small --cond projection --out run
run 0 sample run --json --out grid.png
prints '"classes": 3'
width() { od -An -tu1 -j16 -N4 "$1" | awk '{ print $1 * 16777216 + $2 * 65536 + $3 * 256 + $4 }'; }
height() { od -An -tu1 -j20 -N4 "$1" | awk '{ print $1 * 16777216 + $2 * 65536 + $3 * 256 + $4 }'; }
[ $(($(width grid.png) * 8)) -lt $(($(height grid.png) * 4)) ] || fail "the grid has not 3 columns, 8 rows"
run 0 sample run --class 2
[ "$(cat out)" = run-seed1-class2.png ] || fail "the grid is not run-seed1-class2.png"
grep -qa class run-seed1-class2.png || fail "the PNG does not say its class"
run 0 sample run --n 6 --out turn.npy
run 0 sample run --class 2 --first 5 --n 1 --out two.npy
tail -c 1024 turn.npy >a
tail -c 1024 two.npy >b
cmp -s a b || fail "image 5 in turn is not image 5 of class 2"
run 0 sample run --class 1 --first 5 --n 1 --out one.npy
tail -c 1024 one.npy >c
! cmp -s b c || fail "two classes give the same image"
run 0 sample run --n 3 --out images
[ "$(ls images | wc -l)" = 3 ] || fail "not three PNGs"
run 2 sample run --class 3
complains "class 3, allowed are 0 to 2"
run 2 sample run --class shoe
complains "no class is named 'shoe'"
run 0 train plain --data idx:plain $small --out without
run 2 sample without --class 0
complains "without classes"
run 2 train plain --data idx:plain $small --cond projection --out none
complains "need data with classes"
run 2 train plain --data idx:data $small --cond projection --loss mmd-li --reg none --out none
complains "--cond must be none"
run 2 train plain --data idx:data $small --cond projection --pack 2 --out none
complains "no single class"
run 0 train plain --data 'idx:data?size=16' $small --cond projection --out given
run 0 plan sngan-projection --data 'idx:data?size=32' --batch 2 --width 2
for model in cgan "cgan --net conv" acgan; do
    run 0 train $model --data idx:data --steps 1 --batch 4 --width 4 --z 4 --threads 1 --out "$model"
    run 0 sample "$model" --class 1 --n 2 --out two.npy
    run 2 train $model --data idx:plain --steps 1 --out none
    complains "needs classes"
done
run 2 train acgan --variant onehot --z 3 --data idx:data --steps 1 --out none
complains "--z is 3" "at least 4"
run 2 train cgan --data idx:data --loss cramer --out none
complains "cgan"
run 2 train cgan --data idx:data --norm-disc none --out none
complains "--norm-disc is for convolutions"
finish
