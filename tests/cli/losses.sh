# Every loss trains points, every preset of a loss trains pictures, for a few steps and at small
# widths: numbers stay finite, and what a loss reports is in the log. Wrong combinations end with code 2.
. "$SRC/tests/cli/case.inc"

"$GAN" list losses >losses || fail "no list of losses"
count=0
while read -r loss _; do
    run 0 train toy --data toy:ring8 --loss "$loss" --reg gp:1 --width 16 --batch 16 --n-critic 1 \
        --steps 20 --log-every 20 --threads 1 --out "toy-$loss"
    tail -n 1 "toy-$loss/log.jsonl" | grep -q '"step":20' || fail "$loss: no step 20 in the log"
    tail -n 1 "toy-$loss/log.jsonl" | grep -Eq '"(loss|penalty)[^"]*":(null|"|-?[a-z])' &&
        fail "$loss: a loss is not a number"
    count=$((count + 1))
done <losses
[ $count -ge 35 ] || fail "$count losses, expected 35 or more"
grep -q '"fisher.omega":' toy-fisher/log.jsonl || fail "Fisher's Omega is not reported"
grep -q '"coulomb.fake":' toy-coulomb/log.jsonl || fail "Coulomb's potential is not reported"
grep -q '"mmd.decoder":' toy-mmd-li/log.jsonl || fail "the decoder's error is not reported"

# Presets, on gray images of 28x28.
gray_idx 64 28 28 >pictures
for preset in fisher cramer mmd mmd-li coulomb fgan rpgan realness; do
    run 0 train $preset --data idx:pictures --width 4 --batch 8 --steps 20 --warm-critic 0 \
        --n-critic 1 --log-every 20 --threads 1 --out "picture-$preset"
    tail -n 1 "picture-$preset/log.jsonl" | grep -q '"step":20' || fail "$preset: no step 20"
    run 0 sample "picture-$preset" --n 4 --out "$preset.png"
    [ -s "$preset.png" ] || fail "$preset: no samples"
done

# The model dcgan is plain with its networks: the same numbers.
for model in dcgan "plain --arch dcgan"; do
    run 0 train $model --data idx:pictures --size 32 --width 4 --batch 8 --steps 4 --log-every 1 \
        --threads 1 --out same
    grep -o '"loss[^,]*,' same/log.jsonl >"numbers-${model%% *}"
    rm -r same
done
[ "$(wc -l <numbers-dcgan)" = 8 ] || fail "not two losses in four steps"
cmp -s numbers-dcgan numbers-plain || fail "dcgan and plain train differently"

# Fisher's multiplier and mmd-li's decoder go on from a checkpoint.
for preset in fisher mmd-li; do
    run 0 train --resume "picture-$preset" --steps 24 --stop-at 24
    tail -n 1 "picture-$preset/log.jsonl" | grep -q '"step":24' || fail "$preset: does not resume"
done

# What a loss needs and a model does not give by itself is told once, with a remedy.
run 0 train unrolled --data toy:ring8 --loss wasserstein --steps 1 --batch 8 --out unbounded
[ "$(grep -c warning err)" = 1 ] || fail "not one warning"
grep -q "wasserstein needs a critic of bounded slope.*use plain --reg gp, clip or sn" err ||
    fail "no remedy for an unbounded critic"

# Bad input.
run 2 train plain --data toy:ring8 --loss nonsatuating
complains "unknown loss 'nonsatuating' (did you mean nonsaturating?)"
run 2 train dcgan --data idx:pictures --loss cramer
complains "cramer"
run 2 train pix2pix --data idx:pictures --loss realness
complains "realness"
run 2 train cyclegan --data idx:pictures --loss mmd-rq
complains "mmd-rq"
run 2 train gan --data idx:pictures --loss fisher
complains "fisher"
run 2 train unrolled --data toy:ring8 --loss cramer
complains "loss cramer needs two batches of fakes, which unrolled does not give"
run 2 train plain --data idx:pictures --loss mmd-li --norm-gen virtual
complains "--loss mmd-li decodes images with the generator's network"
finish
