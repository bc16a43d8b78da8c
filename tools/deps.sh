#!/bin/sh
# Installs the Debian 12 packages that libgan's build, tests and demo need; only those missing,
# so that it is quick and needs no network when all are there.
#   tools/deps.sh              build, demo, make test
#   tools/deps.sh --test-full  and what make test-full runs besides
#   tools/deps.sh --list       prints the names, installs nothing
set -eu

# build: compiler, CMake
packages="make cmake ninja-build gcc libc6-dev pkg-config"
# libraries, each a switch of the build (cmake/dependencies.cmake)
packages="$packages libdnnl-dev zlib1g-dev libspng-dev libturbojpeg0-dev libyaml-dev"
packages="$packages libcjson-dev libcairo2-dev liblapack-dev libopenblas0-openmp"
# a font for the figures
packages="$packages fonts-dejavu-core"
# real data of the demo and the tests
packages="$packages dataset-fashion-mnist"
# tests and checks
packages="$packages libcmocka-dev clang-format-14 time"

full="clang libclang-rt-14-dev libomp-dev llvm valgrind python3-pip ca-certificates"

list=no
for arg in "$@"; do
    case $arg in
    --test-full) packages="$packages $full" ;;
    --list) list=yes ;;
    *)
        echo "deps.sh: unknown argument $arg; known: --test-full, --list" >&2
        exit 2
        ;;
    esac
done
if [ $list = yes ]; then
    printf '%s\n' $packages
    exit 0
fi

missing=
for p in $packages; do
    dpkg -s "$p" 2>/dev/null | grep -q '^Status: .* installed$' || missing="$missing $p"
done
if [ -z "$missing" ]; then
    exit 0
fi

echo "installing:$missing"
sudo=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "deps.sh: not root and no sudo; install as root: apt-get install$missing" >&2
        exit 1
    fi
    sudo=sudo
fi
install="$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends"
# The package lists may be absent or old: fetch them when the first try fails.
$install $missing || { $sudo apt-get update -q && $install $missing; }
