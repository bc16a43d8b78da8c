# gan features: the list, what cannot be installed.
. "$SRC/tests/cli/case.inc"
GAN_CACHE=$dir/cache
run 2 features
run 2 features instal x
complains "install FILE or list" instal
run 2 features install
complains "FILE is missing"
run 2 features list --as vgg16
run 0 features list
quiet
prints inception vgg19 lpips-alex efficientnet-lite0 "not installed"
run 0 features list --json
prints '"name": "inception"' '"installed": false'
run 1 features install absent.safetensors
complains absent.safetensors
run 2 features install absent.safetensors --as vgg17
complains "vgg17" "did you mean vgg"
run 0 train toy --data toy:ring8 --steps 1 --width 8 --batch 8 --threads 1 --out r
set -- r/checkpoints/*.safetensors
run 1 features install "$1"
complains "weights of no network known"
run 1 features install "$1" --as mobilenet-v2
complains "not the weights of mobilenet-v2"
run 1 features install "$SRC/README.md"
complains README.md
[ ! -e cache/features/mobilenet-v2.safetensors ] || fail "installed all the same"
finish
