# Shared by test.sh and test_full.sh (sourced): runs stages and counts what passed and failed.
# A build or a check counts as one, a ctest run as its number of cases.
passed=0
failed=0
skipped=0
failures=
jobs=$(nproc)
log_dir=build-logs

# Two threads of compute for each case, without spinning: cases run side by side.
export OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive

result() # name, passed, failed, seconds
{
    passed=$((passed + $2))
    failed=$((failed + $3))
    if [ "$3" -eq 0 ]; then
        printf '%-34s ok      %4d passed              %4d s\n' "$1" "$2" "$4"
    else
        printf '%-34s FAILED  %4d passed, %4d failed %4d s\n' "$1" "$2" "$3" "$4"
        failures="$failures $(echo "$1" | tr ' ' '_')"
    fi
}

skip() # name, reason
{
    skipped=$((skipped + 1))
    printf '%-34s skipped: %s\n' "$1" "$2"
}

# A command whose exit status is the result; its output is shown when it fails.
stage() # name, command...
{
    name=$1
    shift
    log=$log_dir/$(echo "$name" | tr -c 'a-zA-Z0-9\n' _).txt
    begin=$(date +%s)
    if "$@" >"$log" 2>&1; then
        result "$name" 1 0 $(($(date +%s) - begin))
        return 0
    fi
    tail -n 40 "$log"
    result "$name" 0 1 $(($(date +%s) - begin))
    return 1
}

# A ctest run in a build directory; each case counts. A run without a case is a failure.
cases() # name, build directory, ctest arguments...
{
    name=$1
    dir=$2
    shift 2
    log=$log_dir/$(echo "$name" | tr -c 'a-zA-Z0-9\n' _).txt
    begin=$(date +%s)
    ctest --test-dir "$dir" -j2 --output-on-failure --no-tests=error "$@" >"$log" 2>&1 || true
    line=$(grep -E 'tests? failed out of [0-9]+$' "$log" | tail -n 1)
    total=${line##* }
    wrong=$(echo "$line" | sed -n 's/.* \([0-9]*\) tests\{0,1\} failed out of .*/\1/p')
    if [ -z "$total" ] || [ -z "$wrong" ]; then
        total=1
        wrong=1
    fi
    [ "$wrong" -eq 0 ] || tail -n 80 "$log"
    result "$name" $((total - wrong)) "$wrong" $(($(date +%s) - begin))
    [ "$wrong" -eq 0 ]
}

configure_and_build() # preset, targets...
{
    preset=$1
    shift
    cmake --preset "$preset" && cmake --build --preset "$preset" -j "$jobs" ${1:+--target "$@"}
}

finish()
{
    echo
    [ -z "$failures" ] || echo "failed:$failures (output in $log_dir/)"
    [ "$skipped" -eq 0 ] || echo "$skipped skipped"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
