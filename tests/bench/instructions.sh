# Instructions of libgan's own code in three iterations of a small DCGAN, against stored counts: wall time is not
# stable on shared machines, these are. Part of make test-full (GAN_TEST_FULL=1).
#
# What would differ between machines is left out: oneDNN and its generated code, libc and libm, the loader. Own
# kernels run as built for baseline x86-64 on one thread. What remains depends on the compiler and its flags,
# so each count belongs to a compiler, a build type and a oneDNN; where none is stored the count is shown and the
# case does not apply. Above a count by more than 3 % fails; below it by more asks for the count to be lowered:
#     UPDATE=1 GAN_TEST_FULL=1 ctest --test-dir build -R bench_instructions
. "$SRC/tests/cli/case.inc"
store=$SRC/tests/bench/instructions.txt

if [ -z "${GAN_TEST_FULL:-}" ]; then
    echo "SKIPPED: part of make test-full"
    exit 0
fi
if ! command -v valgrind >/dev/null || sanitized; then
    echo "SKIPPED: valgrind is missing, or the build has sanitizers"
    exit 0
fi

# field NAME: a text of gan doctor.
"$GAN" doctor --json >doctor
field() { sed -n "s/^ *\"$1\": \"\\([^\"]*\\)\",*\$/\\1/p" doctor | head -1; }
key="$(field compiler), $(field build_type), oneDNN $(field onednn)"

# count MODEL OPTIONS...: instructions inside gan_plan_run, of functions that lie in the program itself.
count()
{
    # Nothing of the machine may choose: instruction sets, threads, spinning.
    env GAN_ISA=base ONEDNN_MAX_CPU_ISA=SSE41 DNNL_MAX_CPU_ISA=SSE41 OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive \
        valgrind --tool=callgrind --toggle-collect=gan_plan_run --callgrind-out-file=counts --compress-strings=no \
        --compress-pos=no "$GAN" bench step "$@" --threads 1 --iters 1 --warm-up 2 --no-roofline >out 2>err ||
        fail "valgrind: gan bench step $*"
    # Lines "LINE COST" belong to the object named last; the line after calls= is the callee's.
    awk -v program="/$(basename "$GAN")$" '
        /^ob=/ { own = $0 ~ program; next }
        /^calls=/ { getline; next }
        own && /^[0-9+*-]/ { sum += $2 }
        END { printf "%d\n", sum }' counts
}

check()
{
    name=$1
    shift
    now=$(count "$@")
    [ "${now:-0}" -gt 100000 ] || fail "$name: only ${now:-0} instructions were counted"
    stored=$(sed -n "s/^$key, $name: //p" "$store")
    if [ -n "${UPDATE:-}" ]; then
        { grep -v "^$key, $name: " "$store"; echo "$key, $name: $now"; } >new
        cp new "$store"
        echo "$name: $now stored"
    elif [ -z "$stored" ]; then
        echo "SKIPPED: $name: $now; no count is stored for $key"
    else
        awk -v n="$now" -v s="$stored" -v name="$name" 'BEGIN {
            printf "%s: %d instructions, stored %d (%+.2f %%)\n", name, n, s, 100 * (n - s) / s
            if (n < 0.97 * s) print "lower the stored count: UPDATE=1"
            exit n > 1.03 * s
        }' || fail "$name: more instructions than stored"
    fi
}

check dcgan dcgan --size 16 --channels 1 --width 4 --batch 4
check gan gan --size 8 --channels 1 --width 16 --batch 16
finish
