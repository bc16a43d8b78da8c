# gan list: names and one line about each; everything, one kind, as JSON.
. "$SRC/tests/cli/case.inc"
run 0 list
quiet
prints models losses data ops optimizers inits dcgan nonsaturating fashion-mnist conv2d adam xavier
run 0 list models
quiet
for name in autoencoder dcgan gan; do
    grep -qE "^  $name  +[^ ]" out || fail "gan list models lacks $name"
done
run 0 list ops
for name in conv2d matmul normalize resize scatter_set; do
    grep -qE "^  $name  +[^ ]" out || fail "gan list ops lacks $name"
done
run 0 list metrics
prints fid kid prdc lpips memory
awk 'NF < 2 { exit 1 }' out || fail "an op has no line about it"
run 0 list models --json
quiet
prints '"models": [' '"name": "dcgan"'
run 2 list modles
says "gan: list: unknown kind 'modles' (did you mean 'models'?)"
finish
