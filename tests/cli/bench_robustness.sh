# gan bench robustness: cells of an architecture and a recipe, scored against their untrained
# generator, and a sheet of samples.
. "$SRC/tests/cli/case.inc"
gray_idx 40 32 32 >tiny
run 0 bench robustness --data idx:tiny --cells mlp --steps 2 --batch 4 --jobs 2 --out r
prints '| architecture | dcgan | lsgan | wgan | wgan-gp |' '| mlp | ' '| trained | 0 | 0 | 0 | 0 |'
grep -qF "4 of 4 trainings left" err || fail "the time is not predicted"
for recipe in dcgan lsgan wgan wgan-gp; do
    [ -f r/mlp-$recipe.done ] || fail "mlp-$recipe did not end"
done
grep -q "no figure" err || [ -s r/sheet.png ] || fail "there is no sheet"
cp out first
run 0 bench robustness --data idx:tiny --cells mlp --steps 2 --batch 4 --jobs 2 --out r
grep -qF "0 of 4 trainings left" err || fail "what is done is done again"
cmp -s first out || fail "a second call prints another table"
run 0 bench robustness --data idx:tiny --cells mlp-wgan-gp --out r --json
prints '"arch": "mlp"' '"recipe": "wgan-gp"' '"trains": false' '"steps": 2'

# An alarm that stands in the log keeps a cell from training, one that is over does not; a generator
# that learned (one pattern is learned soon) trains.
run 0 bench robustness --data idx:tiny --cells mlp-dcgan --steps 400 --batch 16 \
    --monitor-every 0 --out l
prints ' trains | | | |' '| trained | 1 | 0 | 0 | 0 |'
echo '{"step":2,"time_s":1,"alarm":"mode-collapse","since":1,"evidence":{"spread":0}}' \
    >>l/mlp-dcgan/log.jsonl
run 0 bench robustness --data idx:tiny --cells mlp-dcgan --out l
prints ' mode-collapse | | | |' '| trained | 0 | 0 | 0 | 0 |'
echo '{"step":3,"time_s":1,"alarm":"mode-collapse","state":"over","since":1,"evidence":{}}' \
    >>l/mlp-dcgan/log.jsonl
run 0 bench robustness --data idx:tiny --cells mlp-dcgan --out l
prints ' trains | | | |'

run 2 bench robustness --cells nothing --out n
complains "no training has that name"
run 2 bench robustness --time soon --out n
finish
