# gan data fashion-mnist: the figures of the data set, and a contact sheet.
. "$SRC/tests/cli/case.inc"
if [ ! -e /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz ]; then
    echo "skipped: the package dataset-fashion-mnist is not installed"
    exit 0
fi
run 0 data fashion-mnist --json
quiet
prints '"count": 60000' '"height": 28' '"width": 28' '"channels": 1' '"name": "Ankle boot"'
[ "$(grep -c '"count": 6000$' out)" = 10 ] || fail "not ten classes of 6000"
run 0 data fashion-mnist --out sheet.png --n 20 --columns 5
prints "60 000" "28 x 28 pixels, gray"
[ "$(od -An -tx1 -N8 sheet.png | tr -d ' ')" = 89504e470d0a1a0a ] || fail "sheet.png is no PNG"
# Width in the header: at least five images of 28.
width=$(od -An -tu1 -j16 -N4 sheet.png | awk '{ print (($1 * 256 + $2) * 256 + $3) * 256 + $4 }')
[ "$width" -ge 140 ] && [ "$width" -le 1000 ] || fail "the sheet is $width pixels wide"
run 1 data fashion-mnist --out sheet.png --first 60000
complains "--first is 60000" "0 to 59999"
finish
