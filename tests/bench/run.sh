#!/bin/sh
# What Twinleg costs, on this machine, in this minute. Prints tables; judges nothing.
#
#   sh tests/bench/run.sh            everything, about twelve minutes
#   sh tests/bench/run.sh --quick    one round, fewer calls: about two minutes
#
#   bench_codec    a chain beside the codec functions that it runs
#   bench_media    the media engine with 1, 100, 500 calls: relay, recorded to memory and to disk,
#                  SRTP on one side, G.711, G.722, Opus; beside the bare relay, libsrtp2, the bare
#                  codecs and rtpengine (Debian package, userspace, if it is installed), measured
#                  in turn with it
#   bench_delay    how long a packet is under way in a relay, beside the bare relay and rtpengine
#   bench_echo     the echo cancellers on synthetic hybrids: how far down, how soon, at what cost
#   bench_setup    calls a second through both legs of the real gateway, with SIPp as its peers, and
#                  the CPU that setting one up costs: relayed, and with a chain
#   bench_overload more calls than a core can carry: what they lose, and what new ones are told
#   bench_quality  what is left of a voice behind loss and jitter, and the delay that it costs
#   bench_leak     10 000 calls of every kind, and what is left of them (not with --quick)
#   bench_register 10 000 extensions that refresh every minute: share of one core, memory
#
# Builds into build-bench/ unless BUILD names a directory that has been built already. Run it on a
# machine that does nothing else: what the phones of the rig don't get, the figures miss.
set -eu

cd "$(dirname "$0")/../.."
build=${BUILD:-build-bench}
media='' delay='' setup='' register='' quality=''
case "${1:-}" in
--quick)
	media="--calls 100 --rounds 1 --seconds 2" delay="--rounds 1"
	setup="--rates 50,200 --seconds 2" register="--seconds 3" quality="PCMA PCMU"
	;;
"") ;;
*) sed -n '2,/^set/s/^# \{0,1\}//p' "$0"; exit 1 ;;
esac

if [ -z "${BUILD:-}" ]; then
	cmake -G Ninja -S . -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo >/dev/null
	ninja -C "$build" twinleg bench_codec bench_delay bench_echo bench_media bench_quality \
		bench_relay_floor
fi

title() {
	printf '\n== %s\n\n' "$1"
}

printf '%s, %s cores, %s\n' "$(uname -srm)" "$(nproc)" "$(sed -n 's/^model name.*: //p;T;q' /proc/cpuinfo)"
title "Chains beside bare codecs"
"$build/tests/bench/bench_codec"
title "Quality"
# shellcheck disable=SC2086 # several words
"$build/tests/bench/bench_quality" $quality
title "Media"
# shellcheck disable=SC2086 # several words
"$build/tests/bench/bench_media" $media
title "Added delay"
# shellcheck disable=SC2086
"$build/tests/bench/bench_delay" $delay
title "Echo cancellers"
"$build/tests/bench/bench_echo"
title "Call set-up"
# shellcheck disable=SC2086
python3 tests/bench/bench_setup.py --twinleg "$build/b2bua/twinleg" $setup
title "Overload"
python3 tests/bench/bench_overload.py --twinleg "$build/b2bua/twinleg"
title "Registrations"
# shellcheck disable=SC2086
python3 tests/bench/bench_register.py --twinleg "$build/b2bua/twinleg" $register
[ "${1:-}" = --quick ] && exit
title "Leaks"
python3 tests/bench/bench_leak.py --twinleg "$build/b2bua/twinleg"
