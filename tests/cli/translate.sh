# pix2pix and cyclegan from the command line: training, rows of samples, exact resume with the image
# pools, and what does not fit named.
. "$SRC/tests/cli/case.inc"
gray_idx 40 32 32 >a
gray_idx 30 32 32 >b
tail -c 40960 a | cat >pixels
{ bytes 0 0 8 3 0 0 0 40 0 0 0 32 0 0 0 32; tr '\000-\377' '\001-\377\000' <pixels; } >c
pairs="--data pairs-idx:a,c?flip=1 --batch 2 --width 4 --disc-width 4 --layers 2 --threads 2"
domains="--data domains-idx:a,b?jitter=4 --batch 2 --width 4 --disc-width 4 --layers 2 --threads 2"

for what in "pix2pix $pairs --statistics running" "translate-fpn $pairs --features 8 --n-critic 2 --double" "cyclegan $domains --blocks 1 --pool 5"; do
    rm -rf whole parts
    run 0 train $what --steps 12 --out whole
    run 0 train $what --steps 12 --stop-at 7 --out parts
    run 0 train --resume parts
    cmp whole/checkpoints/step-00000012.safetensors parts/checkpoints/step-00000012.safetensors ||
        fail "stopped and resumed differs: $what"
    cmp whole/samples/step-00000012.png parts/samples/step-00000012.png ||
        fail "the samples differ: $what"
    cmp -s whole/samples/step-00000000.png whole/samples/step-00000012.png &&
        fail "the samples did not change: $what"
    run 1 sample whole --out x.png
    complains "makes images from images"
done
grep -q 'pool.fake_a.count' whole/checkpoints/step-00000012.safetensors ||
    fail "the pool is not in the checkpoint"

# every option trains: two steps, finite numbers, and the terms that are off are not in the log
tries() { # words that the log has, words it has not, model and options
    has=$1 lacks=$2
    shift 2
    rm -rf t
    run 0 train "$@" --steps 2 --out t
    for word in $has; do
        grep -q "\"$word\"" t/log.jsonl || fail "$word is not in the log: $*"
    done
    for word in $lacks; do
        grep -q "\"$word\"" t/log.jsonl && fail "$word is in the log: $*"
    done
}
tries "l1 adversarial loss.disc" "" pix2pix $pairs --no-conditional --loss lsgan
tries "l1" "adversarial loss.disc" pix2pix $pairs --gan 0
tries "penalty.gp disc.real" "" pix2pix $pairs --loss wgan-gp --l1 0
tries "l1 loss.disc" "" pix2pix $pairs --gen resnet-6 --upsample resize --disc pixel --norm none \
    --direction BtoA
tries "disc_a identity_a" "" cyclegan $domains --blocks 1 --loss wgan-gp --gp 5 --norm batch
tries "supervised cycle_a" "" cyclegan $pairs --blocks 1 --supervised 10 --known .5
tries "cycle_a" "supervised" cyclegan $pairs --blocks 1
run 2 train cyclegan $domains --supervised 1 --out x
complains "known pairs are asked for"
tries "cycle_a" "disc_a adversarial_a" cyclegan $domains --blocks 1 --gan 0 --upsample resize
tries "disc_a loss.gen_a+gen_b" "" cyclegan $domains --blocks 2 --cycle-a 0 --cycle-b 0 --norm none

# losses that look through a feature network: its weights stay where they are, the hash goes along
mkdir labelled
cp a labelled/train-images-idx3-ubyte
{ bytes 0 0 8 1 0 0 0 40; head -c 40 /dev/zero; } >labelled/train-labels-idx1-ubyte
judge="classifier --data idx:labelled --width 2 --hidden 4 --batch 4 --out judge"
run 0 train $judge --steps 1
tries "perceptual l1" "" pix2pix $pairs --perceptual pixels:8 --l1 0
tries "perceptual_a f_constancy_b" "" cyclegan $domains --blocks 1 --perceptual classifier:judge@stage0 \
    --f-constancy pixels --f-constancy-weight 2
grep -q 'features.perceptual' t/checkpoints/step-00000002.safetensors || fail "no hash is kept"
grep -q 'perceptual.stage0' t/checkpoints/step-00000002.safetensors && fail "frozen weights are kept"
rm -rf whole parts
look="pix2pix $pairs --perceptual classifier:judge@classes"
run 0 train $look --steps 4 --out whole
run 0 train $look --steps 4 --stop-at 2 --out parts
cp -r parts other
run 0 train --resume parts
cmp whole/checkpoints/step-00000004.safetensors parts/checkpoints/step-00000004.safetensors ||
    fail "stopped and resumed differs with a perceptual loss"
rm -rf judge
run 1 train --resume other
complains judge
run 0 train $judge --steps 2
run 1 train --resume other
complains "the checkpoint has features.perceptual"
run 1 train pix2pix $pairs --perceptual classifier:judge@relu1 --out x
complains "stage0 to stage1, hidden and classes"
run 1 train pix2pix $pairs --perceptual pixels:5 --out x
complains "do not divide"
XDG_CACHE_HOME=$PWD/cache run 1 train pix2pix $pairs --perceptual vgg19@conv3_3 --out x
complains "vgg19 are not installed: gan features install"
run 2 train pix2pix $pairs --perceptual vg19 --out x
complains "did you mean vgg19?"
run 2 train pix2pix $pairs --gan 0 --l1 0 --out x
complains "--gan and --l1 are both 0"
run 2 train cyclegan $domains --gan 0 --cycle-a 0 --cycle-b 0 --out x
complains "nothing to learn"

run 2 train pix2pix --data idx:a --out x
complains "pix2pix needs pairs of images"
run 2 train cyclegan --data idx:a --out x
complains "cyclegan needs two sets of images"
run 1 train pix2pix --data pairs-idx:a,b --out x
complains "a has 40 images" "b has 30"
run 2 train pix2pix --data pairs-idx:a --out x
complains "two files joined by a comma"
[ ! -e x ] || fail "a run directory was left"
finish
