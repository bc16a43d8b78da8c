# gan bench modes: trainings side by side, a table of what they reached; what is done is not done
# again, what was interrupted goes on.
. "$SRC/tests/cli/case.inc"
tells()
{
    for text; do
        grep -qF -- "$text" err || fail "$words: stderr lacks: $text"
    done
}
run 0 bench modes --steps 20 --seeds 2 --cells ring8-gan --jobs 2 --out m
prints '| ring8 | gan | 2 |' '6.3 ± .5 / 98.2 / .45'
tells "2 of 2 trainings left" "ring8-gan-1 done" "ring8-gan-2 done"
[ -f m/ring8-gan-1/log.jsonl ] || fail "the run directory has no log"
cp out first
run 0 bench modes --steps 20 --seeds 2 --cells ring8-gan --jobs 2 --out m
tells "0 of 2 trainings left"
cmp -s first out || fail "a second call prints another table"
run 0 bench modes --steps 20 --seeds 2 --cells ring8-gan --jobs 2 --out m --json
prints '"recipe": "gan"' '"high_quality_percent": {'
run 2 bench modes --cells nothing --out m2
complains "no training has that name"

# Ctrl-C stops every training after a checkpoint; the same command finishes them.
"$GAN" bench modes --steps 3000 --seeds 1 --cells ring8-gan --jobs 1 --out i >out 2>err &
pid=$!
for _ in $(seq 100); do
    grep -q "step " i/ring8-gan-1.log 2>/dev/null && break
    sleep 0.1
done
kill -TERM $pid
wait $pid && fail "an interrupted experiment ended with 0"
[ -f i/ring8-gan-1.done ] && fail "an interrupted training counts as done"
ls i/ring8-gan-1/checkpoints/*.safetensors >/dev/null || fail "no checkpoint was left"

# Without --cells and --out: all of them, in bench-modes.
run 0 bench modes --steps 1 --seeds 1
tells "12 of 12 trainings left"
[ -d bench-modes/grid25-unrolled-1 ] || fail "bench-modes is not where the runs are"
finish
