# folder: flat, by class, mixed sizes, broken files; cifar10: records, what is none.
. "$SRC/tests/cli/case.inc"
if ! "$GAN" doctor | grep -q 'spng *on:' || ! "$GAN" doctor | grep -q 'jpeg *on:'; then
    finish
    exit
fi
images=$SRC/tests/fuzz/corpus/image
GAN_CACHE=$dir/cache
mkdir flat classes classes/a classes/b none classes/.hidden
cp "$images/rgb.png" "$images/gray16.png" "$images/progressive.jpg" "$images/text.ppm" flat
cp "$images/rgb.png" "$images/cmyk.jpg" classes/b
cp "$images/gray.pgm" classes/a
echo notes >flat/readme.txt

run 0 data folder:flat --json
prints '"count": 4' '"height": 16' '"width": 24' '"channels": 3' '"labelled": false'
run 0 data "folder:flat?size=8" --out sheet.png
prints '8 x 8 pixels'
test -s sheet.png || fail "no sheet"
run 0 data folder:classes --json
prints '"count": 3' '"name": "a"' '"name": "b"'
run 0 data "folder:classes?channels=1&filter=lanczos&fit=stretch&size=20" --json
prints '"channels": 1' '"height": 20'
ls cache/images-* >/dev/null || fail "no cache file"
ls cache/*.pixels 2>/dev/null && fail "a half-made cache file is left"

# what is wrong is named
run 1 data folder:none
complains "none holds no images"
run 1 data folder:absent
complains "absent is no folder"
mkdir classes/empty
run 1 data folder:classes
complains "classes/empty: a class folder without images" "skip-broken=yes leaves the class out"
run 0 data folder:classes --skip-broken --json
! grep -q '"empty"' out || fail "an empty class is kept"
grep -q "classes/empty: a class folder without images, the class is left out" err || fail "the class is not named"
cp "$images/cut.jpg" flat/broken.jpg
run 1 data folder:flat
complains "flat/broken.jpg" "image 1 of 5" "skip-broken"
run 0 data "folder:flat?skip-broken=yes" --json
prints '"count": 4'
grep -q "1 of 5 images skipped" err || fail "the skipped file is not counted"
run 0 data "folder:flat?skip-broken=yes" --json
grep -q "1 of 5 images" err || fail "the second time the skipped file is not counted"
rm flat/broken.jpg
printf 'P5 4 4 255\n0123456789abcdef' >flat/small.pgm
run 1 data folder:flat
complains "small.pgm is 4x4" "?size=64"
run 0 data "folder:flat?size=16" --json
prints '"count": 5'
# a damaged cache is made anew
for f in cache/images-*; do printf x | dd of="$f" bs=1 seek=20 conv=notrunc 2>/dev/null; done
run 0 data "folder:flat?size=16" --json
prints '"count": 5'
rm -r classes/empty
run 0 train classifier --data "folder:classes?size=16" --steps 2 --batch 3 --width 4 --threads 1 --out r

# cifar10
mkdir cifar
head -c 6146 /dev/zero >cifar/test_batch.bin
run 0 data "cifar10:cifar?split=test" --json
prints '"count": 2' '"name": "truck"' '"height": 32'
run 1 data cifar10:cifar
complains "data_batch_1.bin is not there"
printf x >>cifar/test_batch.bin
run 1 data "cifar10:cifar?split=test"
complains "not whole records"
{ printf '\012'; head -c 3072 /dev/zero; } >cifar/test_batch.bin
run 1 data "cifar10:cifar?split=test"
complains "record 0 has class 10"
finish
