# gan eval: anything against anything; the result's protocol; lines and exit codes of what cannot be done.
. "$SRC/tests/cli/case.inc"
value() { sed -n "/\"metric\": \"$1\"/,/}/s/^ *\"value\": \(.*\),\$/\1/p" out; }

gray_idx 60 8 8 >a
tiny_run run
run 0 eval run --data idx:a --metrics kid,prdc --n 50 --seed 3 --threads 1 --json
quiet
prints '"kind": "run"' '"step": 2' '"n": 50' '"name": "pixels:16"' '"hash": "pixels-8x8x1"' '"seed": 3' \
    '"codec": "8 bits, from [-1,1]"' '"low": ' '"metric": "coverage"'
cp out first
run 0 eval run/checkpoints/step-00000002.safetensors --data idx:a --metrics kid,prdc --n 50 --seed 3 --threads 1 --json
[ "$(grep '"value"' out)" = "$(grep '"value"' first)" ] || fail "run and checkpoint differ"
prints '"cached": true'
run 0 eval run --data idx:a --metrics kid,prdc --n 50 --seed 3 --threads 1 --no-cache --json
[ "$(grep '"value"' out)" = "$(grep '"value"' first)" ] || fail "the cache changes figures"
run 0 eval run --data idx:a --metrics kid --n 50
grep -q "trained on data of this kind" err || fail "no warning about training data"

# the split a run was trained on is warned about, whichever it is, also inside another SPEC
mkdir split
cp a split/train-images-idx3-ubyte
cp a split/t10k-images-idx3-ubyte
run 0 eval run --data 'lowres:(idx:split?split=train)?scale=2' --metrics kid --n 50 --features pixels
prints ', split train, '
grep -q "the reals are the training split" err || fail "no warning about the training split inside lowres"
run 0 eval run --data 'lowres:(idx:split?split=test)?scale=2' --metrics kid --n 50 --features pixels
prints ', split test, '
grep -q "training" err && fail "a warning about the test split"
run 0 train gan --data 'idx:split?split=test' --out odd --steps 1 --batch 4 --width 4 --z 8 --threads 1
run 0 eval odd --data 'idx:split?split=test' --metrics kid --n 50
grep -q "the run was trained on split test" err || fail "no warning about the split of the training"
run 0 eval run --data 'idx:split?split=test' --metrics kid --n 50
grep -q "trained on split" err && fail "a warning about a split the run never saw"

# generated images as an array give the run's figures
run 0 sample run --n 50 --seed 3 --out x.npy
run 0 eval x.npy --data idx:a --metrics kid,prdc --n 50 --seed 3 --threads 1 --json
[ "$(grep '"value"' out)" = "$(grep '"value"' first)" ] || fail "array and run differ"

# reals come to the samples' size as in training: scaled where --size asked for it, padded where the model did
gray_idx 40 28 28 >large
run 0 train gan --data idx:large --size 32 --out scaled --steps 1 --batch 8 --width 4 --z 8 --threads 1
run 0 eval scaled --data idx:large --metrics kid --n 40 --json
prints '"resize": "resized in training"' '"resize": "resized (triangle, antialiased) from 28x28"'
grep -q differently out && fail "the same resizing is warned about"
run 0 train dcgan --data idx:large --out padded --steps 1 --batch 4 --width 4 --z 8 --threads 1
run 0 eval padded --data idx:large --metrics kid --n 40 --json
prints '"resize": "none"' '"resize": "padded from 28x28"'

# stored pixels against others that were scaled to their size
gray_idx 40 30 30 >stored
run 0 eval 'idx:large?size=30' --data idx:stored --metrics kid --n 40 --json
prints "the sides were resized differently (reals: none, fakes: resized (triangle, antialiased) from 28x28)"
run 0 eval 'idx:large?size=30' --data idx:stored --metrics kid --n 40
grep -qF "warning: the sides were resized differently" err || fail "no warning about different resizing"

# features against features; FID of a set with itself
{ npy 60 2; i=0; while [ $i -lt 120 ]; do bytes 0 0 $((i * 3 % 128)) $((60 + i % 7)); i=$((i + 1)); done; } >f.npy
run 0 eval f.npy --data f.npy --metrics prdc --json
prints '"kind": "features"' '"name": "as given"'
[ "$(value precision)/$(value recall)" = 1/1 ] || [ "$(value precision)/$(value recall)" = 1.0/1.0 ] || fail "a set does not cover itself"
if "$GAN" doctor | grep -q "lapack *on"; then
    run 0 eval f.npy --data f.npy --metrics fid --json
    value fid | awk '!($1 < 1e-6) { exit 1 }' || fail "FID of a set with itself is $(value fid)"
    run 0 eval run --data idx:a --metrics fid --n 50 --threads 1
    grep -q "do not determine a covariance" err || fail "no warning about few samples"
fi

# a folder of images; one broken file is named, and left out only on request
if "$GAN" doctor | grep -q "spng *on"; then
    run 0 sample run --n 50 --seed 3 --out pics
    run 0 eval pics --data idx:a --metrics kid,prdc --n 50 --seed 3 --json
    prints '"kind": "data"'
    [ "$(value precision)" = "$(sed -n '/"metric": "precision"/,/}/s/^ *"value": \(.*\),$/\1/p' first)" ] ||
        fail "a folder of the samples is not the samples"
    echo broken >pics/00007.png
    run 1 eval pics --data idx:a --metrics kid --n 50
    complains "00007.png"
    run 0 eval pics --data idx:a --metrics kid --n 50 --skip-broken --json
    prints '"n": 49'
    grep -q "pics/00007.png" err || fail "a broken file left out is not named"
    run 0 eval pics --data idx:a --metrics kid --n 50 --skip-broken
    grep -q "left out.*pics/00007.png" err || fail "a broken file is not named the second time"

    # features of a folder are made anew when a file in it is another
    run 0 eval run --data 'folder:pics?skip-broken=yes' --metrics kid --n 49 --json
    cp out before
    run 0 eval run --data 'folder:pics?skip-broken=yes' --metrics kid --n 49 --json
    prints '"cached": true'
    [ "$(value kid)" = "$(sed -n '/"metric": "kid"/,/}/s/^ *"value": \(.*\),$/\1/p' before)" ] || fail "the cache changes figures"
    cat pics/00001.png >pics/00002.png
    run 0 eval run --data 'folder:pics?skip-broken=yes' --metrics kid --n 49 --json
    grep -q '"cached": true' out && fail "features of a folder that changed come from the cache"
fi

# wrong without opening a file: 2
run 2 eval run --data idx:a --metrics fidd
complains "unknown metric 'fidd' (did you mean fid?)"
run 2 eval run --data idx:a --features pixel
complains "unknown features 'pixel' (did you mean pixels?)"
run 2 eval run --metrics fid
complains "--data is missing"
run 2 eval run --data idx:a --metrics is
complains "is needs class scores"
# files and what is in them: 1, and no figure
run 1 eval run --data ./nothing
complains "./nothing is not there"
run 1 eval run --data idx:a --metrics kid --n 5
complains "kid needs at least 20 samples on each side, the reals are 5"
run 1 eval run --data idx:a --metrics kid,fid --n 49
complains "fid needs at least 50 samples on each side, the reals are 49"
gray_idx 1 8 8 >one
{ bytes 0 0 8 3 0 0 0 24 0 0 0 8 0 0 0 8; head -c 1536 /dev/zero; } >black
run 1 eval idx:black --data idx:a --metrics kid,prdc
complains "all 24 samples of the fakes have the same features"
{
    npy 24 2
    for i in $(seq 0 47); do
        [ $i = 23 ] && bytes 0 0 192 127 || bytes 0 0 $((i * 3)) 63
    done
} >nan.npy
run 1 eval nan.npy --data f.npy --metrics kid
complains "features of fakes sample 11 is not finite"
run 1 eval f.npy --data run --metrics kid --features pixels
complains "features of the reals have 64 numbers, of the fakes 2"
printf 'PK not a zip' >bad.npz
run 1 eval bad.npz --data f.npy --metrics kid
complains "bad.npz: not a .npz file"
# FID statistics: mu 0, sigma with 1 on the diagonal and .5 or, what no samples have, 2 beside it
base64 -d >stat.npz <<'END'
UEsDBC0AAAAIAAAAIQCFsLas//////////8GABQAbXUubnB5AQAQAIgAAAAAAAAARwAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airq
OgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBigAAFBLAwQtAAAACAAAACEAleZa7v//////////CQAUAHNpZ21hLm5w
eQEAEACQAAAAAAAAAFEAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNmoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjoKRp
o6CrUKZAMuBoYGewYGBihusAcAUEsBAi0DLQAAAAgAAAAhAIWwtqxHAAAAiAAAAAYAAAAAAAAAAAAAAIABAAAAAG11Lm5weVBLAQItAy0AAAAI
AAAAIQCV5lruUQAAAJAAAAAJAAAAAAAAAAAAAACAAX8AAABzaWdtYS5ucHlQSwUGAAAAAAIAAgBrAAAACwEAAAAA
END
base64 -d >wrong.npz <<'END'
UEsDBC0AAAAIAAAAIQCFsLas//////////8GABQAbXUubnB5AQAQAIgAAAAAAAAARwAAAAAAAACb7BfqGxDJyFDGUK2eklqcXKRupaBuk2airq
OgnpZfVFKUmBefX5SSChJ3S8wpTgWKF2ckFqQC+RpGOpo6CrUKFAAuBigAAFBLAwQtAAAACAAAACEAj53Cuv//////////CQAUAHNpZ21hLm5w
eQEAEACQAAAAAAAAAFIAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNmoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjoKRp
o6CrUKZAMuBoYGewYGBgcIbrAHAFBLAQItAy0AAAAIAAAAIQCFsLasRwAAAIgAAAAGAAAAAAAAAAAAAACAAQAAAABtdS5ucHlQSwECLQMtAAAA
CAAAACEAj53CulIAAACQAAAACQAAAAAAAAAAAAAAgAF/AAAAc2lnbWEubnB5UEsFBgAAAAACAAIAawAAAAwBAAAAAA==
END
run 1 eval f.npy --data wrong.npz --metrics fid
complains "wrong.npz: sigma is no covariance"
run 2 eval f.npy --data stat.npz --metrics kid
if "$GAN" doctor | grep -q "lapack *on"; then
    run 0 eval f.npy --data stat.npz --metrics fid --json
    prints '"kind": "statistics"' '"codec": "statistics as given"'
fi
finish
