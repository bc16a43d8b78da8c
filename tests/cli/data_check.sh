# gan data --check: what is broken, gray, constant, odd, there twice; advice; --skip-broken of train.
. "$SRC/tests/cli/case.inc"
GAN_CACHE=$dir/cache

# ppm NAME H W EXPRESSION-OF-i,y,x,c: a colour image by an awk expression.
ppm()
{
    { printf 'P3 %d %d 255\n' "$3" "$2"
    awk -v h="$2" -v w="$3" "BEGIN { for (y = 0; y < h; y++) for (x = 0; x < w; x++)
        for (c = 0; c < 3; c++) print int($4) % 256 }"; } >"$1"
}

mkdir -p set/cat set/dog
ppm set/cat/a.ppm 32 32 'x * 7 + y * 3 + c * 40'
ppm set/cat/b.ppm 32 32 '(32 - x) * (y + 3) + c * 20'
ppm set/cat/c.ppm 32 32 'x * y + c * 60'
ppm set/cat/d.ppm 32 32 'y * 8 + (c == 1) * x'
ppm set/dog/flat.ppm 32 32 '90 + c'
run 0 data folder:set --check
prints 'looked at       5 images' 'size            32x32' 'from 1 images (dog) to 4 (cat)' \
    'set/dog/flat.ppm: all of its 1024 pixels are equal' "try             'folder:set?balance=1'"

cp set/cat/a.ppm set/dog/same.ppm
ppm set/dog/near.ppm 32 32 'x * 7 + y * 3 + c * 40 + (x == 5 && y == 5)'
ppm set/dog/gray.ppm 32 32 '(x * x + y * 5) % 200'
ppm set/dog/small.ppm 9 7 'x * 30 + y + c'
printf 'P6 8 8 255\nabc' >set/dog/cut.ppm
: >set/dog/empty.png
run 1 data folder:set --check
prints 'broken          2' 'set/dog/cut.ppm: the file ends' 'set/dog/empty.png: the file is empty' \
    'set/dog/same.ppm: the pixels of set/cat/a.ppm' 'set/dog/near.ppm: nearly set/cat/a.ppm, ' \
    'at most 4 of 64 bits' 'set/dog/gray.ppm: gray, most have colour' \
    'set/dog/small.ppm: 7x9, most are 32x32' 'size=32' 'skip-broken=yes'
grep -q '2 broken, 0 unmatched, 0 unalike: a training would stop' err || fail "no verdict"
run 1 data folder:set --check --json
prints '"broken": 2' '"duplicate": 1' '"near-duplicate": 1' '"gray": 1' '"odd-size": 1' \
    '"constant": 1' '"advice": "folder:set?' '"name": "dog"'
run 1 data folder:set --check --near 0 --list 1
grep -q near-duplicate out && fail "--near 0 finds near ones"
prints 'and 1 more'
run 1 data "edges:(folder:set)?blur=2" --check
prints 'folder:set' 'broken          2'
run 2 data toy:8gaussians --check --near 16
complains "--near is 16"
run 1 data toy:8gaussians --check
complains "are points"
run 2 data folder:set --check --out x.png
complains "one at a time"

# training goes on without what is broken, names it and counts it at the end
train="classifier --steps 2 --batch 3 --width 4 --threads 1"
run 1 train $train --data "folder:set?size=16" --out stops
complains "set/dog/empty.png" "image 6 of 11" "skip-broken=yes goes on without"
run 0 train $train --data "folder:set?size=16" --out r --skip-broken
grep -q 'set/dog/cut.ppm.*(image 5 of 11, skipped)' err || fail "the file skipped is not named"
grep -q '2 images were skipped' err || fail "what was skipped is not counted at the end"
grep -q 'data: .*skip-broken=yes' r/config.yaml || fail "a resume would stop at the broken file"
run 0 train $train --data "folder:set?size=16" --out r2 --skip-broken --json
prints '"skipped": 2'
run 2 train $train --data fashion-mnist --skip-broken --out r3
complains "skip-broken does not apply to data fashion-mnist"
finish
