#!/bin/sh
# sh tests/support/write_keys.sh TWINLEG: writes conf/twinleg.ini and systemd/twinleg.ini.5 anew from
# the key table in that binary. In the sample only the part between its head and its example changes.
set -eu
twinleg=$(realpath "$1")
cd "$(dirname "$0")/../.."
new=$(mktemp)
trap 'rm -f "$new"' EXIT
{
	sed '/^; The gateway itself\.$/,$d' conf/twinleg.ini
	"$twinleg" keys sample
	sed -n '/^; A small company:$/,$p' conf/twinleg.ini
} >"$new"
cat "$new" >conf/twinleg.ini
"$twinleg" keys man >systemd/twinleg.ini.5
