# gan train l2l: an optimiser is learned, then trains a GAN. The numbers are means over 16 problems and
# ten iterations each: an untrained network leaves the loss at that of the start, about 20 per step.
. "$SRC/tests/cli/case.inc"

# mean KEY FROM TO: of lines FROM..TO of the log
mean()
{
    sed -n "$2,$3p" run/log.jsonl | sed "s/.*\"$1\":\([-0-9.e+]*\).*/\1/" |
        awk '{ s += $1 } END { print s / NR }'
}

run 0 train l2l --data quadratics:4 --unroll 20 --episode 20 --batch 16 --steps 150 --log-every 1 \
    --threads 1 --seed 3 --optim adam:3e-3 --out run
[ "$(wc -l <run/log.jsonl)" = 150 ] || fail "150 lines of log expected"
early=$(mean f.after 1 10) late=$(mean f.after 141 150)
awk "BEGIN { exit !($late < $early / 2) }" || fail "f.after went from $early to $late"

run 0 train unrolled --unroll 0 --width 8 --z 4 --data toy:ring8 --batch 16 --steps 4 --threads 1 \
    --optim-gen l2l:.5 --optim-disc l2l@cosine --init opt=run --out gan
grep -q '10 tensors taken' err || fail "the weights of opt were not taken"
run 0 train --resume gan --steps 6
run 0 sample gan --n 8 --out s.npy
# The rules the bench compares start alike and none of the tuned ones diverges.
run 0 bench l2l run --iters 20 --threads 1 --json
quiet
prints '"dimensions": 4' '"problems": 512' '"rule": "l2l"' '"rule": "sgd:' '"rule": "adam:'
[ "$(grep -c '"start"' out)" = 5 ] || fail "five rules expected"
[ "$(grep '"start"' out | sort -u | wc -l)" = 1 ] || fail "the rules start from different values"
awk '/"start"/ { s = $2 + 0 } /"end"/ { n++; if (!($2 + 0 < s / 2)) bad = 1 } END { exit bad || n != 5 }' out ||
    fail "a rule ends above half of its start"
run 1 bench l2l gan
complains "is of model unrolled"
run 1 bench l2l nowhere
complains nowhere
run 2 bench l2l
complains "RUN is missing"

run 2 train plain --arch toy --data toy:ring8 --optim-gen l2l --out other
complains "l2l has no weights" "--init opt=RUN"
run 2 train l2l --data toy:ring8
complains "quadratics:10"
run 2 train l2l --data quadratics:40
complains "40" "1..32"
run 2 train l2l --data quadratics:3 --episode 30
complains "--episode 30" "--unroll 20"
run 2 train l2l --data quadratics:3 --optim l2l
complains "--optim l2l"
run 0 data quadratics:10
prints "a point of 120 dimensions"
finish
