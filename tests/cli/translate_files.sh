# gan translate: one image, a folder, odd sizes, tiles against the whole, what does not fit named.
. "$SRC/tests/cli/case.inc"
gray_idx 12 32 32 >a
# pgm H W: a gray image with a fixed pattern; ppm: in colour
pnm()
{
    printf 'P%s\n%s %s\n255\n' "$1" "$3" "$2"
    printf "$(awk -v n=$(($2 * $3 * $4)) 'BEGIN { for (i = 0; i < n; i++) printf "\\%03o", (i * 7 + int(i / 50) * 3) % 256 }')"
}
pgm() { pnm 5 "$1" "$2" 1; }
ppm() { pnm 6 "$1" "$2" 3; }
run 0 train pix2pix --data pairs-idx:a,a --batch 2 --width 4 --disc-width 4 --layers 2 \
    --statistics running --steps 2 --threads 1 --out pix
run 0 train cyclegan --data domains-idx:a,a --batch 1 --width 4 --disc-width 4 --layers 2 \
    --blocks 1 --steps 2 --threads 1 --out cyc

size() { od -An -tu1 -j16 -N8 "$1" | awk '{ print $3 * 256 + $4, $7 * 256 + $8 }'; }
pgm 45 67 >odd.pgm
run 0 translate pix --in odd.pgm --out odd.png --threads 1
prints odd.png
[ "$(size odd.png)" = "67 45" ] || fail "the size changed: $(size odd.png)"
run 0 translate pix --in odd.pgm --out dir --threads 1
cmp odd.png dir/odd.png || fail "a directory makes another image"
run 0 translate pix --in odd.pgm --out small.png --size 33 --threads 1
[ "$(size small.png)" = "49 33" ] || fail "--size 33 gives $(size small.png)"

# A folder: stems, mixed sizes, colour where gray was trained.
mkdir in
cp odd.pgm in/odd.pgm
ppm 20 30 >in/color.ppm
pgm 28 28 >in/a.b.pgm
pgm 28 28 >in/b.pgm
echo no image >in/notes.txt
echo left by a file manager >in/._b.pgm
run 0 translate pix --in in --out many --threads 1
quiet
[ "$(ls many | tr '\n' ' ')" = "a.b.png b.png color.png odd.png " ] || fail "files: $(ls many)"
cmp many/odd.png odd.png || fail "an image depends on its neighbours"
cmp many/a.b.png many/b.png >/dev/null 2>&1 && fail "the input's name is not in the file"
run 0 translate pix --data 'idx:a' --out set --threads 1
[ "$(ls set | wc -l)" = 12 ] || fail "not every image of the set"

run 0 translate pix --data 'idx:a' --out set.npy --threads 1
grep -qa "'shape': (12, 32, 32, 1)" set.npy || fail "no array of the set"
run 2 translate pix --in in --out x.npy --threads 1
complains "an array takes a data set"

# Tiles: exact with running statistics, a word with instance norm.
pgm 200 300 >big.pgm
run 0 translate pix --in big.pgm --out whole.png --tile -1 --threads 1
run 0 translate pix --in big.pgm --out tiled.png --tile 32 --threads 1 --json
prints '"tiled": 1' '"inexact": false'
quiet
cmp whole.png tiled.png || fail "tiles leave seams"
run 0 translate cyc --in big.pgm --out tiled.png --tile 32 --threads 1
grep -q "statistics of the whole image" err || fail "no word about instance norm"
run 0 translate pix --in big.pgm --out tiled.png --memory 1 --threads 1 --json
prints '"tiled": 1'

# Noise: the seed's, and told.
run 0 train pix2pix --data pairs-idx:a,a --batch 2 --width 4 --disc-width 4 --layers 2 \
    --gen resnet-6 --statistics running --steps 2 --threads 1 --out drop
run 0 translate drop --in odd.pgm --out n1.png --threads 1 --json
prints '"noise": true' '"whole": false'
run 0 translate drop --in odd.pgm --out n2.png --threads 1
cmp n1.png n2.png || fail "the same seed gives two images"
run 0 translate drop --in odd.pgm --out n2.png --seed 2 --threads 1
cmp -s n1.png n2.png && fail "the seed changes nothing"
run 0 translate drop --in big.pgm --out tiled.png --tile 32 --threads 1
grep -q "draws noise" err || fail "no word about noise"

# Another model, in colour.
run 0 train translate-fpn --data 'pairs-idx:a,a?channels=3' --size 32 --batch 2 --width 4 \
    --steps 1 --threads 1 --out fpn
run 0 translate fpn --in in --out fpn-out --threads 1 --json
prints '"translated": 4'

# Directions.
run 0 translate cyc --in odd.pgm --out ab.png --threads 1
run 0 translate cyc --in odd.pgm --out ba.png --direction BtoA --threads 1
cmp -s ab.png ba.png && fail "both directions are the same"
run 1 translate pix --in odd.pgm --out x.png --direction BtoA
complains "BtoA" "trained AtoB"

# What does not fit.
run 2 translate pix --out x.png
complains "--in is missing"
run 2 translate pix --in odd.pgm
complains "--out is missing"
run 1 translate pix --in missing.png --out x.png
complains missing.png
run 2 translate pix --in in --out x.png
complains "need a directory"
pgm 9 40 >flat.pgm
run 1 translate pix --in flat.pgm --out x.png --threads 1
complains flat.pgm "height is 9" "32" "12"
[ ! -e x.png ] || fail "something was written"
for pad in edge black white; do
    run 0 translate pix --in flat.pgm --out $pad.png --pad $pad --threads 1
done
cmp -s black.png white.png && fail "--pad changes nothing"
head -c 100 odd.pgm >in/c.pgm
pgm 3 3 >in/tiny.pgm
run 1 translate pix --in in --out broken --threads 1
complains c.pgm "image 3 of 6" "--skip-broken"
run 0 translate pix --in in --out broken --skip-broken --threads 1
grep -q "skipped: in/c.pgm.*(image [0-9]* of [0-9]*)" err || fail "c.pgm is not named"
grep -q "skipped: in/tiny.pgm" err || fail "tiny.pgm is not named"
grep -q "4 translated, 2 skipped" err || fail "not counted"
cp odd.pgm in/color.pgm
run 1 translate pix --in in --out twice --threads 1
complains "two inputs would become" color.png
mkdir self
cp odd.png self/odd.png
run 2 translate pix --in self --out self --threads 1
complains "would be replaced"
tiny_run noise
run 1 translate noise --in odd.pgm --out x.png
complains "does not translate"
finish
