#!/bin/sh
# sh apart.sh COMMAND...: runs it in a network of its own, which holds nothing but lo. Exit status 77
# when that is not allowed here.
unshare --net true 2>/dev/null || exit 77
exec unshare --net sh -c 'ip link set lo up && exec "$@"' sh "$@"
