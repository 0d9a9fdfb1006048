#!/bin/sh
# From a fresh Debian 12 to a call, in one command:
#
#   sh conf/quickstart.sh            then it goes on running, for phones of yours, until Ctrl-C
#   sh conf/quickstart.sh --demo     ends after the demonstration
#
# Installs what is missing of conf/packages, builds, starts the gateway on a copy of conf/quickstart.ini,
# places two calls through it with independent phones, and shows what became of them. The exit
# status says whether everything was as it should be. Without a terminal it ends after the
# demonstration too. What it makes lies in build/ ($TWINLEG_BUILD and $TWINLEG_FOLDER name other
# folders for the build and for what the gateway writes); a second start builds nothing anew.
set -eu

case ${1:-} in
'' | --demo) ;;
*)
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
	[ "$1" = --help ] && exit 0
	exit 1
	;;
esac

tree=$(cd "$(dirname "$0")/.." && pwd)
build=${TWINLEG_BUILD:-$tree/build/release}
folder=${TWINLEG_FOLDER:-$tree/build/quickstart}
. "$tree/tests/support/packages.sh"

stay=--stay
[ "${1:-}" = --demo ] && stay=
[ -t 0 ] && [ -t 1 ] || stay=

can_be_root "the demonstration wants networks of its own" || exit 1
mkdir -p "$folder"
is_alone "$folder/running" || { echo "in $folder; TWINLEG_FOLDER names another for a second one"; exit 1; }
install_packages "$tree/conf/packages" "$folder/packages.log"

if [ ! -f "$build/build.ninja" ]; then
	echo "== preparing to build in $build"
	cmake -G Ninja -S "$tree" -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DTL_TESTS=OFF \
		>"$folder/cmake.log" 2>&1 || { cat "$folder/cmake.log"; exit 1; }
fi
echo "== building"
ninja -C "$build" twinleg

echo "== the demonstration"
as_root env TWINLEG="$build/b2bua/twinleg" PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -u \
	"$tree/tests/support/demo.py" --config "$tree/conf/quickstart.ini" --folder "$folder" $stay
