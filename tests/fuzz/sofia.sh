#!/bin/sh
# Debian's own Sofia-SIP from its sources, with AddressSanitizer and coverage in it: so that the
# fuzzer of whole SIP messages sees the library's memory errors and steers by its branches.
#
#   sh tests/fuzz/sofia.sh DIR    builds DIR/install, once; its log is DIR/log
#
# Sources come by apt, whose settings stay as they are: the lines for sources are in a folder of
# DIR's own. Needs clang, autoconf, automake, libtool, make and dpkg-dev.
# Exit status: 0 it is there, 2 it did not build, 3 it can't be had here (the reason is printed).
set -u
dir=${1:?where to?}
[ -f "$dir/install/lib/pkgconfig/sofia-sip-ua.pc" ] && exit 0
mkdir -p "$dir/apt/parts" "$dir/apt/lists/partial" "$dir/source"
dir=$(cd "$dir" && pwd)
log=$dir/log
: >"$log"

for tool in clang autoreconf automake libtoolize make dpkg-source; do
	command -v $tool >/dev/null || { echo "no $tool here"; exit 3; }
done

# What this machine has packages from, asked for sources.
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
	[ -f "$file" ] || continue
	case $file in
	*.sources) sed 's/^Types:.*/Types: deb-src/' "$file" ;;
	*.list) sed -n 's/^deb /deb-src /p' "$file" ;;
	esac >"$dir/apt/parts/$(basename "$file")"
done
apt() {
	apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$dir/apt/parts" \
		-o Dir::State::Lists="$dir/apt/lists" "$@" >>"$log" 2>&1
}
if [ ! -d "$dir"/source/sofia-sip-* ] 2>/dev/null; then
	apt update
	(cd "$dir/source" && apt source sofia-sip) || { echo "no sources of sofia-sip by apt"; exit 3; }
fi
cd "$dir"/source/sofia-sip-*/ || { echo "no sources of sofia-sip by apt"; exit 3; }

# Leaks of configure's own trials are of no interest.
export ASAN_OPTIONS=detect_leaks=0
build() {
	[ -x configure ] || autoreconf -fi || return 1
	./configure -q CC=clang CFLAGS="-g -O1 -w -fno-omit-frame-pointer -fno-common \
		-fsanitize=address,fuzzer-no-link" --prefix="$dir/install" --disable-static \
		--with-glib=no --without-doxygen || return 1
	make -s -j"$(nproc)" -C libsofia-sip-ua && make -s -C libsofia-sip-ua install &&
		make -s -C packages install
}
build >>"$log" 2>&1 || { tail -20 "$log"; echo "sofia-sip did not build, see $log"; exit 2; }
