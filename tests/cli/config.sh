# --config: model, data and options from YAML; the command line is stronger; mistakes are named.
. "$SRC/tests/cli/case.inc"
gray_idx 40 8 8 >tiny
cat >good.yaml <<'END'
model: gan
data: idx:tiny
steps: 2
batch: 8
width: 4
z: 8
threads: 1
END
run 0 train --config good.yaml --out first
[ -s first/checkpoints/step-00000002.safetensors ] || fail "no checkpoint at step 2"
run 0 train --config good.yaml --steps 1 --width=8 --z 4 --out second
[ -s second/checkpoints/step-00000001.safetensors ] || fail "the command line is not stronger"

# The configuration a run leaves trains the same again.
run 0 train --config first/config.yaml --out third
cmp -s first/checkpoints/step-00000002.safetensors third/checkpoints/step-00000002.safetensors ||
    fail "config.yaml of a run does not repeat it"
run 2 train --config good.yaml --widht 3 --out fourth
complains "--widht" "did you mean --width"
printf 'model: gan\ndata: [1, 2\n' >torn.yaml
run 1 train --config torn.yaml --out fourth
complains torn.yaml line
sed 's/batch: 8/batch: 0/' good.yaml >zero.yaml
run 1 train --config zero.yaml --out fourth
complains zero.yaml batch 65536
sed 's/batch: 8/btach: 8/' good.yaml >unknown.yaml
run 1 train --config unknown.yaml --out fourth
complains unknown.yaml btach "did you mean"
sed 's/model: gan/model: gam/' good.yaml >model.yaml
run 1 train --config model.yaml --out fourth
complains model.yaml "unknown model 'gam'"
run 1 train --config missing.yaml
complains missing.yaml
[ ! -e fourth ] || fail "a failed command made a run directory"
finish
