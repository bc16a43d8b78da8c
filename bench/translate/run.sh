#!/bin/sh
# The experiments of docs/results/translation.md: trains, translates, judges, and prints one line per figure.
#
#     python3 bench/translate/sets.py SOURCE sets        # once; see there for what SOURCE holds
#     bench/translate/run.sh                             # all; or some of: edges emoji normals shoes digits glyphs
#                                                        #   seasons ablations
# Runs go to the working directory. Environment: GAN=gan PYTHON=python3 (with numpy) THREADS=1
# Each experiment took 2 to 7 minutes on one core of an AMD EPYC Zen 4.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
gan=${GAN:-gan}
threads=${THREADS:-1}
score="${PYTHON:-python3} $here/score.py"
quiet="--monitor-every 0 --threads $threads"

train() { # RUN MODEL OPTIONS: nothing when the run is there
    run=$1
    shift
    [ -d "$run" ] || "$gan" train "$@" $quiet --out "$run" >"$run.log" 2>&1
}
judge() { # NAME SPEC EPOCHS [OPTIONS]
    name=$1 spec=$2 epochs=$3
    shift 3
    train "judge-$name" classifier --width 16 --batch 64 --data "$spec" --epochs "$epochs" "$@"
}
tell() { # WHAT COMMAND: a line of JSON
    printf '%s: ' "$1"
    shift
    "$@" | tr -d '\n' | tr -s ' '
    echo
}
paired() { # RUN SPEC TARGETS [OPTIONS OF TRANSLATE]
    run=$1 spec=$2 targets=$3
    shift 3
    "$gan" translate "$run" --data "$spec" --out "$run/x.npy" --threads "$threads" "$@" >"$run/translate.log"
    tell "$run" "$gan" eval "$run/x.npy" --data "idx:$targets" --metrics psnr,ssim --bootstrap 200 --json
    tell "$run" $score sharpness "$run/x.npy" "$targets"
    tell "$run" $score distance "$run/x.npy" "$targets"
}
unpaired() { # RUN SET RANK: both ways, back, cycle error, domains
    run=$1 a=sets/$2/A-test-idx$3-ubyte b=sets/$2/B-test-idx$3-ubyte
    {
        "$gan" translate "$run" --data "idx:$a" --direction AtoB --out "$run/ab.npy"
        "$gan" translate "$run" --data "domains-idx:$a,$b" --direction BtoA --out "$run/ba.npy"
        $score bytes "$run/ab.npy" "$run/ab-idx"
        $score bytes "$run/ba.npy" "$run/ba-idx"
        "$gan" translate "$run" --data "domains-idx:$a,$run/ab-idx" --direction BtoA --out "$run/aba.npy"
        "$gan" translate "$run" --data "idx:$run/ba-idx" --direction AtoB --out "$run/bab.npy"
        $score idx "$run/domains" "$run/ab.npy" 1 "$run/ba.npy" 0
    } >"$run/translate.log"
    tell "$run there and back A" $score distance "$run/aba.npy" "$a"
    tell "$run there and back B" $score distance "$run/bab.npy" "$b"
    tell "$run domains (class 0: B to A)" "$gan" classify "judge-$2" --data "idx:$run/domains" --json
    $score sheet "$run/sheet.png" 16 "$a" "$run/ab.npy" "$run/aba.npy" "$b" "$run/ba.npy" "$run/bab.npy"
}
partners() { # RUN SET RANK [OPTIONS]
    run=$1 a=sets/$2/A-test-idx$3-ubyte b=sets/$2/B-test-idx$3-ubyte
    shift 3
    tell "$run partner A to B" $score partner "$run/ab.npy" "$b" --source "$a" "$@"
    tell "$run partner B to A" $score partner "$run/ba.npy" "$a" --source "$b" "$@"
}
labels() { # RUN: digits, found by a classifier of the domain they were brought to
    for way in "ab A print" "ba B hand"; do
        set -- "$1" $way
        for k in 0 1 2 3 4 5 6 7 8 9; do
            $score idx "$1/shifted" "$1/$2.npy" "sets/digits/labels-$3-test-idx1-ubyte+$k"
            "$gan" classify "judge-$4" --data "idx:$1/shifted" --json >"$1/labels-$2-$k.json"
        done
        tell "$1 labels $2" $score labels "$1/labels-$2-"?.json
    done
}
domains() { echo "domains-idx:sets/$1/A-train-idx$2-ubyte,sets/$1/B-train-idx$2-ubyte"; }
pairs() { echo "pairs-idx:sets/$1/A-$2-idx4-ubyte,sets/$1/B-$2-idx4-ubyte"; }

cycle="cyclegan --width 16 --blocks 3 --disc-width 32"
small="$cycle --layers 2 --batch 2 --identity 0"
pix="pix2pix --width 16 --disc-width 16 --layers 2 --statistics running"

do_edges() {
    train judge-fashion classifier --data fashion-mnist --steps 1876
    ${PYTHON:-python3} - <<END
import sys
sys.path.insert(0, "$here")
from sets import read_idx, write_idx
write_idx("fashion-test", read_idx("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"))
END
    for run in "both" "l1 --gan 0" "cgan --l1 0"; do
        set -- $run
        name=$1
        shift
        train "edges-$name" $pix --data edges:fashion-mnist --batch 16 --steps 15000 "$@"
        paired "edges-$name" "edges:fashion-mnist?split=test" fashion-test --pad white
        tell "edges-$name" "$gan" eval "edges-$name/x.npy" --data "fashion-mnist?split=test" --metrics fid,kid \
            --bootstrap 0 --features classifier:judge-fashion --json
    done
}
do_emoji() {
    train emoji $pix --data "$(pairs emoji train)?flip=1" --batch 4 --steps 12100
    paired emoji "$(pairs emoji test)" sets/emoji/B-test-idx4-ubyte
}
do_normals() {
    train normals $pix --data "$(pairs normals train)" --batch 4 --steps 8000
    train normals-short $pix --data "$(pairs normals train)?jitter=16" --batch 4 --steps 3000
    train normals-l1 $pix --gan 0 --data "$(pairs normals train)?jitter=16" --batch 4 --steps 3000
    for run in normals normals-short normals-l1; do
        paired $run "$(pairs normals test)" sets/normals/B-test-idx4-ubyte
        tell $run $score angle $run/x.npy sets/normals/B-test-idx4-ubyte
    done
}
do_shoes() {
    judge shoes "idx:sets/shoes/domains?split=train" 2
    train shoes $small --data "$(domains shoes 3)" --steps 6800
    unpaired shoes shoes 3
}
digit_judges() {
    judge hand "idx:sets/digits/classes-A?split=train&jitter=4" 6
    judge print "idx:sets/digits/classes-B?split=train&jitter=4" 10
    judge digits "idx:sets/digits/domains?split=train" 2
}
do_digits() {
    digit_judges
    train digits $small --data "$(domains digits 3)" --steps 10500
    unpaired digits digits 3
    labels digits
}
do_ablations() {
    digit_judges
    train digits-nocycle $small --cycle-a 0 --cycle-b 0 --data "$(domains digits 3)" --steps 7000
    train digits-nogan $small --gan 0 --data "$(domains digits 3)" --steps 8100
    train digits-identity $small --identity 0.5 --data "$(domains digits 3)" --steps 5900
    for run in digits-nocycle digits-nogan digits-identity; do
        unpaired $run digits 3
        labels $run
    done
}
do_glyphs() {
    judge glyphs "idx:sets/glyphs/domains?split=train" 3
    train glyphs $small --data "$(domains glyphs 3)" --steps 7500
    unpaired glyphs glyphs 3
    partners glyphs glyphs 3
    partners glyphs glyphs 3 --groups sets/glyphs/labels-A-test-idx1-ubyte
}
do_seasons() {
    judge seasons "idx:sets/seasons/domains?split=train&size=64&jitter=64" 8 --batch 32
    train seasons $cycle --layers 3 --batch 1 --data "$(domains seasons 4)?size=64&jitter=64" --steps 4800
    unpaired seasons seasons 4
    partners seasons seasons 4
}

for experiment in ${*:-edges emoji normals shoes digits glyphs seasons ablations}; do
    "do_$experiment"
done
