# gan plot: figures and numbers of a run; what is no run.
. "$SRC/tests/cli/case.inc"

run 1 plot absent
complains absent "no such directory"
run 2 plot
mkdir empty
run 1 plot empty
complains empty "no run directory"

run 0 train toy --data toy:ring8 --loss wasserstein --reg clip:.01 --steps 8 --width 16 --batch 16 \
    --log-every 1 --sample-every 4 --threads 1 --out r
if ! "$GAN" doctor | grep -q 'cairo *on:' || ! "$GAN" doctor | grep -q 'spng *on:'; then
    run 1 plot r
    finish
    exit
fi
test -s r/samples/film.png || fail "no film"
run 0 plot r --out p
quiet
prints p/log.png p/log.csv p/gradients.png p/gradients.csv p/weights.png p/weights.csv p/film.png
while read -r file; do
    test -s "$file" || fail "$file is missing or empty"
done <out
cmp r/samples/film.png p/film.png || fail "the film made again differs"
[ "$(wc -l <p/log.csv)" = 9 ] || fail "log.csv: not eight steps"
head -1 p/log.csv | grep -q '^step,.*loss.disc' || fail "log.csv: no loss.disc"
# every weight of the critic is counted once, and none is beyond the limit
awk -F, '$1 == "disc" { n += $4; if ($4 > 0 && ($2 < -.0100001 || $3 > .0100001)) bad = 1 }
    END { exit n != 2 * 16 + 2 * 16 * 16 + 16 || bad }' p/weights.csv ||
    fail "weights.csv: not the critic's weights within .01"
grep -q '^disc.main.0,[0-9]' p/gradients.csv || fail "gradients.csv: no disc.main.0"

# the same run gives the same bytes
run 0 plot r --json
prints r/plots/weights.png
cmp p/weights.png r/plots/weights.png || fail "weights.png differs"
cmp p/log.csv r/plots/log.csv || fail "log.csv differs"

# a log being written ends within a line; a damaged one is told
printf '{"step":9,"time_s"' >>r/log.jsonl
run 0 plot r --out p
printf 'x\n' >>r/log.jsonl
run 1 plot r --out p
complains "r/log.jsonl: line 9 is no JSON object"
finish
