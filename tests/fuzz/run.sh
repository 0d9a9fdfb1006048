#!/bin/sh
# Coverage-guided fuzzing for a bounded time: builds the fuzzers with clang and runs each
# in turn on its corpus.
#
#   sh tests/fuzz/run.sh [SECONDS-EACH] [NAME...]     60 seconds, all of them
#   sh tests/fuzz/run.sh sofia [SECONDS [NAME...]]    whole SIP messages, and parsers if named, with
#                                                     a Sofia-SIP that has sanitizers and coverage
#                                                     in it (sofia.sh)
#
# New inputs that reach new code gather in $TL_FUZZ_DIR/found/<name>; what crashes, hangs for 5 s or
# wants over 1 GB lies in $TL_FUZZ_DIR/crashes/<name>. Once a crash is fixed, its file goes into
# corpus/<name>/ under the bug's name, and ctest replays it for good.
# Exit status: 0 nothing found, 1 something found, 2 could not build.
set -u
here=$(cd "$(dirname "$0")" && pwd)
dir=${TL_FUZZ_DIR:-${TMPDIR:-/tmp}/twinleg-fuzz}
build=$dir/build

# The library under test is the one that pkg-config finds first.
if [ "${1:-}" = sofia ]; then
	shift
	sh "$here/sofia.sh" "$dir/sofia"
	case $? in
	0) ;;
	3) echo "== fuzz_sip with Sofia-SIP's sources: skipped, see above"; exit 0 ;;
	*) exit 2 ;;
	esac
	build=$dir/build-sofia
	export PKG_CONFIG_PATH="$dir/sofia/install/lib/pkgconfig"
	[ $# -gt 0 ] || set -- 60
	[ $# -gt 1 ] || set -- "$1" sip
fi
seconds=${1:-60}
[ $# -gt 0 ] && shift

mkdir -p "$dir"
cmake -G Ninja -S "$here/../.." -B "$build" -DCMAKE_C_COMPILER=clang -DTL_FUZZ=ON \
	-DCMAKE_BUILD_TYPE=RelWithDebInfo >"$dir.log" 2>&1 || { cat "$dir.log"; exit 2; }
if [ $# -eq 0 ]; then
	for source in "$here"/fuzz_*.c; do
		name=$(basename "$source" .c)
		set -- "$@" "${name#fuzz_}"
	done
fi

# Leaks are told apart from GLib's own by whole stacks, which are slow to take: so afterwards, on
# all that was found.
check_leaks()
{
	ASAN_OPTIONS=fast_unwind_on_malloc=0 \
		LSAN_OPTIONS="suppressions=$here/lsan.supp:print_suppressions=0" \
		"$fuzzer" -runs=0 "$@"
}

found=0
for name in "$@"; do
	echo "== fuzz_$name, $seconds s"
	ninja -C "$build" "fuzz_$name" >"$dir.log" 2>&1 || { cat "$dir.log"; exit 2; }
	mkdir -p "$dir/found/$name" "$dir/crashes/$name"
	fuzzer=$build/tests/fuzz/fuzz_$name
	set -- "$dir/found/$name"
	[ -d "$here/corpus/$name" ] && set -- "$@" "$here/corpus/$name"
	[ -f "$here/$name.dict" ] && set -- -dict="$here/$name.dict" "$@"
	ASAN_OPTIONS=detect_leaks=0 "$fuzzer" -max_total_time="$seconds" -timeout=5 \
		-rss_limit_mb=1024 -max_len=8192 -print_final_stats=1 \
		-artifact_prefix="$dir/crashes/$name/" "$@" >"$dir/$name.log" 2>&1 && check_leaks "$@" >>"$dir/$name.log" 2>&1 ||
		{ tail -40 "$dir/$name.log"; found=1; continue; }
	grep -aE 'DONE|stat::(number_of_executed_units|peak_rss_mb)' "$dir/$name.log"
done
exit $found
