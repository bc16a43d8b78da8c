# What steadies training keeps its state in checkpoints: 12 iterations, and 5 and a resumed 7, leave the
# same bytes. And options that contradict each other are refused.
. "$SRC/tests/cli/case.inc"
gray_idx 100 16 16 >tiny
base="--data idx:tiny --arch dcgan --loss nonsaturating --steps 12 --batch 16 --width 4 --z 8 --threads 2"
all="--augment ada:.2,500 --ema 200 --norm-gen virtual --noise .3 --smooth .9 --clip-grad 5
     --feature-matching .1 --minibatch stddev --norm-disc none
     --reg r1:.1/3@cosine:.1,path-length:2/4@hold,orthogonal:1e-4@linear:.1,historical:1e-3,consistency:1/2,sn"
optimistic="--play extra --optim-gen oadam:2e-4,.5,.999@linear --optim-disc oadam:4e-4,.5,.999@cosine:.1"
annealed="--optim-gen adam:2e-4,0,0.9..0.99@cosine:.25 --optim-disc adamw:2e-4,0,0.99..0.9@linear
    --ema 0..200@cosine --ema-ramp 0 --reg r1:.1@cosine:.1"
for more in "$all" "$all --pack 2 --optim-disc ogd:1e-3" "$all $optimistic" "$annealed" \
    "--augment ada:.2,500/bgcfnc --pack 2" "--augment random:0..0.5@cosine/bg+color*.5+noise+cutout" \
    "--augment diff --play simultaneous --minibatch discrimination" \
    "--norm-disc virtual --pack 2 --n-critic 2 --reg gp:1/2,clip:.1 --microbatch 8"; do
    rm -rf whole parts
    run 0 train plain $base $more --out whole
    run 0 train plain $base $more --out parts --stop-at 5
    run 0 train --resume parts --stop-at -1
    cmp whole/checkpoints/step-00000012.safetensors parts/checkpoints/step-00000012.safetensors ||
        fail "stopped and resumed differs: $more"
done
run 0 train plain $base $all --log-every 1 --out logged
grep -q '"ada.p":0\.[0-9]*[1-9]' logged/log.jsonl || fail "p of ADA did not move"
grep -q '"penalty.path-length":[0-9]' logged/log.jsonl || fail "no path length in the log"
grep -q '"weight.orthogonal.gen":[0-9]' logged/log.jsonl || fail "no weight of a scheduled penalty"

run 0 train plain $base --pack 4 --monitor-every 4 --log-every 1 --out packed
grep -q '"disc.separation":[01]' packed/log.jsonl || fail "a D of packs is not asked how sure it is"

# what may go wrong is told once
run 0 train plain $base --steps 1 --norm-disc batch --reg gp:10 --loss wasserstein --size 16 --out mixed
[ "$(grep -c warning err)" = 1 ] || fail "not one warning"
grep -q "warning.*use --norm-disc layer" err || fail "the warning names no remedy"
run 0 train plain $base --steps 1 --loss wasserstein --size 16 --out steep
[ "$(grep -c warning err)" = 1 ] || fail "not one warning"
grep -q "warning.*use --reg gp, clip or sn" err || fail "the warning names no remedy"

# contradictions; where the data play no part they need not exist
missing="--data idx:missing"
run 2 train plain $missing --loss wasserstein --smooth .9
complains "--smooth" "wasserstein has none"
run 2 train plain $missing --play extra --n-critic 5
complains "--play" "--n-critic must be 1"
run 2 train plain $missing --loss cramer --augment ada
complains "--augment ada" "256 numbers"
run 2 train plain $missing --loss wasserstein --augment ada
complains "--augment ada reads the sign of a score" "wasserstein gives its scores no zero"
run 2 train plain --data idx:tiny --norm-disc virtual --minibatch stddev
complains "judges its reference along, which minibatch features would count"
run 2 train unrolled --data toy:ring8 --norm-disc virtual
complains "--norm-disc virtual needs a reference of reals, which unrolled does not take"
run 2 train plain $missing --augment diff:colour
complains "none of color, translation, cutout"
run 2 train plain $missing --augment ada:2
complains "target is 2"
run 2 train plain $missing --augment ada/colour
complains "'colour' is none of blit, geom"
run 2 train plain $missing --augment random:1.5
complains "probability is 1.5, allowed 0 to 1"
run 2 train plain --data idx:tiny --arch dcgan --augment random:0..1@cosine --time 5
complains "the schedule of --augment needs a length"
run 2 train plain $missing --reg gp,gp1:5
complains "gp and gp1 hold the same slopes"
run 2 train plain $missing --reg sn,r1,clip
complains "sn divides weights by their norm"
run 2 train plain $missing --loss mmd
complains "unknown loss 'mmd' (did you mean mmd-"
run 2 train plain $missing --noise lots
complains "noise 'lots'"
run 2 train plain $missing --reg r1:1/0
complains "interval is 0, allowed 1 to 1000000"
run 2 train plain $missing --reg clip:.01/4
complains "regulariser clip" "no penalty"
run 2 train plain $missing --feature-matching -1
complains "--feature-matching is -1"
run 2 train toy --data toy:ring8 --augment diff
complains "--augment changes images, the data are points"
run 2 train toy --data toy:ring8 --reg consistency
complains "--reg consistency changes images"
run 2 train plain $base --minibatch discrimination --pack 16
complains "--minibatch compares samples" "a batch of 16 gives it 1"
run 2 train plain $base --pack 3
complains "--pack 3 does not divide the batch of 16"
run 2 train plain $base --play simultaneous --microbatch 8
complains "--microbatch must be 0"
run 2 train plain --data idx:tiny --arch dcgan --noise .5 --time 5
complains "--noise needs a length"
run 2 train plain --data idx:tiny --arch dcgan --reg r1:1@cosine:.1 --time 5
complains "the schedule of --reg needs a length"
run 2 train plain --data idx:tiny --arch dcgan --ema 0..500@cosine --time 5
complains "the schedule of --ema needs a length"
run 2 train plain $missing --ema 0..500
complains "half-life is 0..500, a schedule must say how it moves"
run 2 train plain $missing --optim-gen adam:2e-4,0,0.9..0.99
complains "beta2 is 0.9..0.99, a schedule must say how it moves"
finish
