#!/bin/sh
# Holds the include lines of dialplan/, media/ and b2bua/ against the layer map:
#
#   b2bua ──► dialplan        dialplan: no SIP, no media, no GStreamer, no threads
#     └─────► media           media: no SIP, no dialplan
#
# Prints each line that breaks it, as file:line: why. Exit status 1 when one does.
set -u
cd "$(dirname "$0")/.." || exit 2
broken=$(mktemp)
trap 'rm -f "$broken"' EXIT

# refuse FOLDER PATTERN WHY [FILES THAT MAY]: no source in a folder may have a line that matches
refuse() {
	grep -rnE --include='*.[ch]' "$2" "$1" | grep -vE "^(${4:-/}):" |
		sed "s|^\([^:]*:[0-9]*\):.*|\1: $3|" >>"$broken"
}

ours='^[[:space:]]*#[[:space:]]*include[[:space:]]+"'
theirs='^[[:space:]]*#[[:space:]]*include[[:space:]]+<'

refuse dialplan "$ours(media|b2bua|tests)/" "dialplan/ may use nothing above or beside it"
refuse dialplan "$theirs(sofia-sip|gst|srtp|spandsp|opus|sqlite3|jansson|systemd|pthread|threads)" \
	"dialplan/ is pure: no network, media, disk or threads"
refuse media "$ours(dialplan|b2bua|tests)/" "media/ may use nothing above or beside it"
refuse media "$theirs(sofia-sip|sqlite3|jansson|systemd)" "media/ knows no SIP and no database"
refuse b2bua "${ours}tests/" "b2bua/ may not use tests"
refuse b2bua "$theirs(gst|srtp|srtp2|spandsp|opus)/" "codecs and RTP belong to media/"
for folder in dialplan media b2bua; do
	refuse "$folder" "${ours}[^/\"]+\"" "include by the full name, folder/file.h"
	refuse "$folder" "${ours}[^\"]*\.\./" "include by the full name, folder/file.h"
	refuse "$folder" "${ours}[^\"]*\.c\"" "sources are compiled, not included"
done

# Private headers stay in their folder.
refuse b2bua "$ours(media|dialplan)/[^\"]*_priv\.h" "a private header of another folder"
refuse b2bua "$ours""media/elements/" "elements are media's own"

# Threads are made in four places: media workers, storage, the database's writer, the log's.
for folder in dialplan media b2bua; do
	refuse "$folder" '(pthread_create|g_thread_new|g_thread_try_new|thrd_create) *\(' \
		"threads are made by worker.c, storage.c, store.c and log_thread.c only" \
		'(media/worker/worker|media/file/storage|b2bua/store/store|b2bua/log_thread)[a-z_]*\.c'
done

sort -u "$broken"
[ ! -s "$broken" ]
