# gan classify --samples: the class a generator was asked for; what does not go together.
. "$SRC/tests/cli/case.inc"
mkdir data two
# three classes that any classifier tells apart: black, gray, white
{
    bytes 0 0 8 3 0 0 0 60 0 0 0 8 0 0 0 8
    printf "$(awk 'BEGIN { for (i = 0; i < 60; i++) for (k = 0; k < 64; k++) printf "\\%03o", 127 * (i % 3) }')"
} >data/train-images-idx3-ubyte
{ bytes 0 0 8 1 0 0 0 60; for i in 1 2 3 4 5 6 7 8 9 10; do bytes 0 1 2 0 1 2; done; } >data/train-labels-idx1-ubyte
cp data/train-images-idx3-ubyte two/
{ bytes 0 0 8 1 0 0 0 60; for i in 1 2 3 4 5 6 7 8 9 10; do bytes 0 1 0 0 1 1; done; } >two/train-labels-idx1-ubyte
# a label that is out of range, when the classes are said
run 1 train classifier --data "idx:data?classes=2" --steps 1 --out none
complains "train-labels-idx1-ubyte: label 2 is 2, allowed 0 to 1"
run 0 train classifier --data idx:data --steps 120 --batch 30 --width 4 --hidden 8 --dropout 0 --threads 1 --monitor-every 0 --out judge
run 0 classify judge --data idx:data --threads 1 --json
awk -F'[:,]' '/"accuracy"/ { exit $2 < .95 }' out || fail "the classifier does not know black from white"
# confusion: rows add up to the images of a class, the diagonal is what was right
run 0 classify judge --data idx:data --threads 1 --confusion
quiet
prints "rows are the true classes"
awk '/^confusion/ { on = NR } on && NR > on + 1 { rows++; sum = 0; for (i = 2; i <= NF; i++) sum += $i
     if (NF != 4 || sum != 20) bad = 1; right += $($1 + 2) }
     /^class / { want += $3 } END { exit bad || rows != 3 || right != want || want < 57 }' out ||
    fail "the table does not fit the counts"
run 0 classify judge --data idx:data --threads 1 --confusion --json
quiet
tr -d ' \n' <out | grep -Eq '("as":\[[0-9]+,[0-9]+,[0-9]+\].*){3}' || fail "not three rows of three in JSON"
run 0 train cgan --data idx:data --steps 300 --batch 30 --width 8 --z 4 --optim-gen adam:2e-3,.5,.999 \
    --optim-disc adam:2e-3,.5,.999 --threads 1 --monitor-every 0 --out good
run 0 classify judge --samples good --n 300 --threads 1 --json
quiet
prints '"n": 300'
# chance is a third; that many steps give two classes of three
awk -F'[:,]' '/"accuracy"/ { exit $2 < .5 }' out || fail "the samples are not of the classes asked for"
cp out first
run 0 classify judge --samples good --n 300 --threads 1 --json
cmp out first || fail "the second time differs"
run 0 classify judge --samples good --n 300 --seed 2 --threads 1 --json
! cmp -s out first || fail "two seeds give the same figures"
run 0 train cgan --data idx:two --steps 1 --batch 4 --width 4 --threads 1 --out other
run 2 classify judge --samples other
complains "makes 2 classes, the classifier knows 3"
run 0 train gan --data idx:data --steps 1 --batch 4 --width 4 --threads 1 --out without
run 2 classify judge --samples without
complains "makes 0 classes"
run 0 train acgan --variant onehot --data idx:data --steps 1 --batch 4 --width 6 --threads 1 --out large
run 0 classify judge --samples large --n 6 --threads 1
run 2 classify judge --samples good --data idx:data
complains "--samples takes the place of --data"
run 2 classify judge --data idx:data --n 5
complains "--n and --seed go with --samples"
run 1 classify judge --samples absent
complains absent
finish
