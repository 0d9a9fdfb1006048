#!/bin/sh
# Every test, from a fresh Debian 12 on:
#
#   sh tests/run.sh
#
# Installs what is missing of conf/packages, builds with gcc, and with clang under the address and
# undefined-behaviour sanitizers (warnings are errors in both), and in each of the two builds runs
# the unit tests, replays what fuzzers have found, and runs the end-to-end tests, the demonstration
# among them. The fuzzers run for seconds each. End-to-end tests mostly wait: what the processors
# have left goes to the second build and to the fuzzers. The last line is
# `N passed, N failed, N skipped`; the exit status is 1 when one failed.
set -u

tree=$(cd "$(dirname "$0")/.." && pwd)
logs=$tree/build/test-logs
passed=0 failed=0 skipped=0
begun=$(date +%s)
. "$tree/tests/support/packages.sh"
export PYTHONDONTWRITEBYTECODE=1
# Leaks are looked for in the gateway, by the end-to-end tests: Criterion's processes show none.
export ASAN_OPTIONS=detect_leaks=0:disable_coredump=1 UBSAN_OPTIONS=print_stacktrace=1

say() {
	echo "== [$(($(date +%s) - begun)) s] $*"
}

pass() {
	passed=$((passed + $1))
}

# fail COUNT WHAT [LOG]
fail() {
	failed=$((failed + $1))
	echo "FAIL $2"
	[ ! -s "${3:-}" ] || tail -n 60 "$3" | sed 's/^/    | /'
}

finish() {
	say "done"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
	exit
}

# compile NAME COMPILER [OPTION...]: configures and builds everything, with what the prefix $gently
# leaves to it; how it ended stands in $logs/NAME-built
compile() {
	name=$1 compiler=$2
	shift 2
	rm -f "$logs/$name-built"
	$gently cmake -G Ninja -S "$tree" -B "$tree/build/$name" -DCMAKE_C_COMPILER="$compiler" \
		-DTL_TESTS=ON "$@" >"$logs/$name-build.log" 2>&1 &&
		$gently ninja -k 20 -C "$tree/build/$name" >>"$logs/$name-build.log" 2>&1
	echo $? >"$logs/$name-built"
}

tell_of_build() {
	if [ "$(cat "$logs/$1-built" 2>/dev/null)" = 0 ]; then
		echo "ok build $1"
		pass 1
	else
		fail 1 "build $1" "$logs/$1-build.log"
	fi
}

# Some speak in real time, as the telephones of the end-to-end tests do: they go first, if they may.
first=
[ "$(nice -n -15 nice 2>/dev/null)" != -15 ] || first="nice -n -15"

# Some at a time, if they can't meet each other's ports: many wait for a clock.
apart="sh $tree/tests/support/apart.sh"
side_by_side=$((2 * $(nproc)))
$apart true 2>/dev/null || apart='' side_by_side=1

# run_unit_test BUILD EXECUTABLE: its exit status stands in $log.status
run_unit_test() {
	log=$logs/$1-$(basename "$2").log
	rm -f "$log.tap"
	# shellcheck disable=SC2086 # prefixes of several words, or none
	(cd "$tree" && timeout 180 $first $apart "$2" --tap="$log.tap" --jobs "$(nproc)") >"$log" 2>&1
	echo $? >"$log.status"
}

# run_share BUILD N: every side_by_side-th executable, from the Nth on
run_share() {
	turn=0
	for test in "$tree/build/$1"/tests/test_*; do
		[ -x "$test" ] && [ -f "$test" ] || continue
		turn=$(((turn + 1) % side_by_side))
		[ "$turn" != "$2" ] || run_unit_test "$1" "$test"
	done
}

# The tests inside one executable, counted from what it says as TAP.
run_unit_tests() {
	say "unit tests: $1"
	n=0 shares=
	while [ "$n" -lt "$side_by_side" ]; do
		run_share "$1" "$n" &
		shares="$shares $!" n=$((n + 1))
	done
	# shellcheck disable=SC2086 # several
	wait $shares
	for test in "$tree/build/$1"/tests/test_*; do
		[ -x "$test" ] && [ -f "$test" ] || continue
		name=$(basename "$test")
		log=$logs/$1-$name.log
		if [ "$(cat "$log.status")" != 0 ]; then
			# a busy machine can spoil a test on real sockets: once more, by itself
			echo "once more: $name"
			run_unit_test "$1" "$test"
		fi
		status=$(cat "$log.status")
		good=$(grep -cE '^ok ' "$log.tap" 2>/dev/null)
		skips=$(grep -E '^ok .*# SKIP' "$log.tap" 2>/dev/null)
		bad=$(grep -cE '^not ok ' "$log.tap" 2>/dev/null)
		[ "$status" = 0 ] || [ "${bad:-0}" != 0 ] || bad=1
		if [ -n "$skips" ]; then
			echo "$skips" | sed 's/^ok/skip/'
			n=$(echo "$skips" | wc -l)
			skipped=$((skipped + n)) good=$((good - n))
		fi
		pass "${good:-0}"
		if [ "${bad:-0}" = 0 ]; then
			echo "ok $name: $good"
		else
			grep -hE '^not ok ' "$log.tap" >>"$log" 2>/dev/null
			fail "$bad" "$name ($1): $bad of $((good + bad)), exit status $status" "$log"
		fi
	done
}

replay_fuzz_corpus() {
	say "replaying what fuzzers found: $1"
	for fuzzer in "$tree/build/$1"/tests/fuzz/fuzz_*; do
		[ -x "$fuzzer" ] && [ -f "$fuzzer" ] || continue
		name=$(basename "$fuzzer")
		corpus=$tree/tests/fuzz/corpus/${name#fuzz_}
		[ -d "$corpus" ] || continue
		if timeout 120 "$fuzzer" "$corpus" >"$logs/$1-$name.log" 2>&1; then
			echo "ok $name"
			pass 1
		else
			fail 1 "$name ($1)" "$logs/$1-$name.log"
		fi
	done
}

run_end_to_end() {
	say "end to end: $1"
	log=$logs/$1-e2e.log
	TWINLEG="$tree/build/$1/b2bua/twinleg" /usr/bin/python3 -u "$tree/tests/e2e/run.py" \
		2>&1 </dev/null | tee "$log"
	# The last line is theirs: N passed, N failed, N skipped
	counts=$(tail -n 1 "$log" | sed -n \
		's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
	if [ -z "$counts" ]; then
		fail 1 "end to end ($1) did not come to its end" "$log"
		return
	fi
	# shellcheck disable=SC2086 # three numbers
	set -- $counts
	passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

run_everything_in() {
	if [ ! -x "$tree/build/$1/b2bua/twinleg" ]; then
		fail 1 "there is no gateway to test in build/$1"
		return
	fi
	run_unit_tests "$1"
	replay_fuzz_corpus "$1"
	run_end_to_end "$1"
}

mkdir -p "$logs"
if ! is_alone "$logs/running"; then
	fail 1 "alone"
	finish
fi
if ! install_packages "$tree/conf/packages" "$logs/packages.log" test; then
	fail 1 "packages" "$logs/packages.log"
	finish
fi

say "layers"
if sh "$tree/tests/check_layers.sh"; then
	echo "ok check_layers"
	pass 1
else
	fail 1 "check_layers"
fi

# Every parser, and whole SIP messages through Sofia-SIP's own sources, for some seconds each.
fuzz() {
	rm -f "$logs/fuzzed"
	TL_FUZZ_DIR=$tree/build/fuzz $gently sh "$tree/tests/fuzz/run.sh" sofia 5 \
		chain event ini rtp sdp udptl sip >"$logs/fuzz.log" 2>&1
	echo $? >"$logs/fuzzed"
}

tell_of_fuzzing() {
	if [ "$(cat "$logs/fuzzed" 2>/dev/null)" = 0 ]; then
		echo "ok fuzzing"
		pass 1
	else
		fail 1 "fuzzing" "$logs/fuzz.log"
	fi
}

# In the time that nobody else wants.
work_behind() {
	gently="nice -n 19"
	! chrt --idle 0 true 2>/dev/null || gently="$gently chrt --idle 0"
	compile sanitize clang -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="-O1 -g1" -DTL_SANITIZE=ON
	fuzz
}

# wait_for FILE: that work_behind writes
wait_for() {
	while [ ! -s "$1" ] && kill -0 "$behind" 2>/dev/null; do
		sleep 1
	done
}

gently=
rm -f "$logs/sanitize-built" "$logs/fuzzed"
say "building: release (gcc)"
compile release gcc -DCMAKE_BUILD_TYPE=RelWithDebInfo
tell_of_build release
work_behind &
behind=$!
trap 'trap "" TERM; kill 0; exit 1' INT TERM # the whole group
run_everything_in release
say "building: sanitize (clang)"
wait_for "$logs/sanitize-built"
tell_of_build sanitize
run_everything_in sanitize
say "fuzzing"
wait_for "$logs/fuzzed"
tell_of_fuzzing
finish
