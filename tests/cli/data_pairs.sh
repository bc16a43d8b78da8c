# pairs, domains, edges, lowres, attributes: what they say of themselves, sheets, what is wrong.
. "$SRC/tests/cli/case.inc"
GAN_CACHE=$dir/cache

# gray NAME H W: a gray image of a fixed pattern.
gray()
{
    { printf 'P2 %d %d 255\n' "$3" "$2"
    awk -v n=$(($2 * $3)) -v s="${#1}" 'BEGIN { for (i = 0; i < n; i++) print (i * i + s * 9) % 256 }'; } >"$1"
}

mkdir -p two/A two/B side cyc/trainA cyc/trainB one
for i in 1 2 3; do
    gray two/A/$i.pgm 8 8
    gray two/B/$i.pnm 16 16
    gray side/$i.pgm 8 16
    gray cyc/trainA/$i.pgm 8 8
    gray one/$i.pgm 8 8
done
gray cyc/trainB/1.pgm 12 12
gray cyc/trainB/2.pgm 12 12

run 0 data pairs:two --json
prints '"count": 3' '"height": 8' '"kind": "pairs"' '"paired": true' '"count_b": 3' '"height_b": 16'
run 0 data pairs:side
prints '8 x 8 pixels' 'pairs     3 second images of 8 x 8 pixels'
run 0 data domains:cyc/trainA,cyc/trainB
prints 'domains   2 second images of 12 x 12 pixels'
run 0 data domains:cyc --json
prints '"count": 3' '"paired": false' '"count_b": 2'
run 0 data "domains:cyc/trainA,cyc/trainB,one?size=8"
prints 'classes   3' 'trainB'
run 0 data "edges:folder:one?blur=0&channels=3"
prints '8 x 8 pixels' 'channels  3 wanted'
run 0 data "lowres:(folder:one?fit=pad)?scale=2&size=12" --json
prints '"kind": "lowres"'

# models say what they need
run 0 plan pix2pix --data "edges:folder:one?size=32" --batch 2
run 2 plan pix2pix --data "folder:one?size=32"
complains "needs pairs of images" "pairs:DIR"
run 2 plan cyclegan --data "folder:one?size=32"
complains "needs two sets of images" "domains:DIRA,DIRB"

# what is wrong
gray two/A/4.pgm 8 8
run 1 data pairs:two
complains "two/A/4.pgm has no partner (1 of 7 files; unmatched=skip goes on without, as skip-broken=yes does)"
run 1 data pairs:two --check
prints 'unmatched       1' 'two/A/4.pgm: has no partner' "unmatched=skip'"
run 0 data "pairs:two?unmatched=skip" --json
prints '"count": 3' '"skipped": 1'
run 0 data pairs:two --skip-broken --json
prints '"count": 3' '"skipped": 1'
grep -q "1 of 7 files have no partner and are left out; the first: two/A/4.pgm" err || fail "4.pgm is not named"
gray two/B/4.pgm 8 16
run 1 data pairs:two
complains "two/A/4.pgm is 8x8, two/B/4.pgm is 16x8: halves of a pair need the same proportions"
run 1 data pairs:two --check
prints 'unalike         1' 'fit=stretch'
run 0 data "pairs:two?size=8&fit=stretch" --json
prints '"count": 4'
rm two/B/4.pgm
printf 'P2 8 8 255\n1 2' >two/B/4.pgm
run 1 data "pairs:two?size=8"
complains "two/B/4.pgm: the file ends" "image 4 of 4" "skip-broken"
run 0 data "pairs:two?size=8&skip-broken=yes" --json
prints '"count": 3' '"count_b": 3' '"skipped": 1'
gray two/B/1.ppm 16 16
run 1 data pairs:two
complains "two/B/1.pnm and two/B/1.ppm have one name"
gray side/odd.pgm 8 15
run 1 data pairs:side
complains "side/odd.pgm is 15 pixels wide" "even width"
run 1 data pairs:cyc/trainB/none
complains "is no folder"
run 1 data pairs:cyc
complains "neither images side by side nor folders A and B"
run 1 data "domains:one,nowhere"
complains "nowhere is no folder"
run 2 data domains:one,
complains "a folder is missing beside a comma"
mkdir none
run 1 data domains:one,none
complains "none holds no images"
run 2 data "edges:(folder:one"
complains "a parenthesis is not closed"
run 2 data "edges:folder:one?colour=3"
complains "unknown option 'colour' of data folder"
run 2 data "folder:one?channels=2"
complains "channels is '2', allowed 1 or 3"
run 2 data "edges:folder:one?threshold=2"
complains "threshold is 2"
run 1 data attributes:one
complains "list_attr_celeba.txt"

if "$GAN" doctor | grep -q 'spng *on:'; then
    for spec in pairs:cyc/pairs "edges:folder:one" "lowres:folder:one?scale=2" domains:cyc; do
        [ "$spec" = pairs:cyc/pairs ] && { mkdir -p cyc/pairs; gray cyc/pairs/1.pgm 8 16; }
        rm -f sheet.png
        run 0 data "$spec" --out sheet.png
        test -s sheet.png || fail "$spec: no sheet"
    done
    run 0 data "folder:one?size=20&channels=3" --out sheet.png --n 1 --columns 1
    # one image of 20 pixels, enlarged 3 times, a gap of 2 pixels around: 64 x 64, colour type 2
    head -c 26 sheet.png | tail -c 10 | { bytes 0 0 0 64 0 0 0 64 8 2 >want; cmp -s - want; } ||
        fail "the sheet does not have the SPEC's size and channels"
fi
finish
