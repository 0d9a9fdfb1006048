# shellcheck shell=sh
# Sourced by conf/quickstart.sh and tests/run.sh: installs what conf/packages lists and is missing.
#
#   install_packages LIST LOG [test]       with "test", those marked so too
#   can_be_root WHY                        as root, or by sudo; else says why that is wanted
#   is_alone FILE                          no other run of the same script has noted itself there
#
# Asks nothing; shows how far it is; uses sudo when we are not root. Each returns 1 when it could not,
# and has said why.

# The package names of a list; lines marked "test" only when asked for.
wanted_packages() {
	sed -e 's/#.*//' "$1" | awk -v all="${2:-}" 'NF && ($2 == "" || all != "") { print $1 }'
}

missing_packages() {
	for package in $(wanted_packages "$@"); do
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=
		[ "$status" = installed ] || echo "$package"
	done
}

can_be_root() {
	if [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; then
		return 0
	fi
	echo "$1: run it as root, or install sudo"
	return 1
}

is_alone() {
	other=$(cat "$1" 2>/dev/null) || other=
	if [ -n "$other" ] && [ "$other" != $$ ] &&
		grep -qsF "$(basename "$0")" "/proc/$other/cmdline"; then
		echo "$(basename "$0") runs here already, as process $other"
		return 1
	fi
	echo $$ >"$1"
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif [ -t 0 ]; then
		sudo "$@"
	else
		sudo -n "$@"
	fi
}

# Reads apt's status lines (kind:package:percent:text) and says how far it is: on one line of a
# terminal, else each ten per cent.
show_progress() {
	awk -F: -v tty="$([ -t 1 ] && echo 1)" '
		$1 != "dlstatus" && $1 != "pmstatus" { next }
		{
			part = $1 == "dlstatus" ? "downloading" : "unpacking"
			done = int($3 / 10)
			if (tty) printf "\r   %-12s %3d %%  %-50.50s", part, $3, $4
			else if (part != before || done != tens) printf "   %s %d %%\n", part, $3
			before = part; tens = done
			fflush()
		}
		END { if (tty) printf "\r%72s\r", "" }'
}

# Services that come with a package (kamailio) must not start: their ports may be ours.
refuse_services() {
	[ -e /usr/sbin/policy-rc.d ] && return 1
	as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d &&
		chmod 755 /usr/sbin/policy-rc.d'
}

run_apt() {
	{
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -o APT::Status-Fd=1 \
			-o DPkg::Lock::Timeout=120 "$@" </dev/null 2>&1
		echo "$?" >"$apt_log.status"
	} | tee -a "$apt_log" | show_progress
	return "$(cat "$apt_log.status")"
}

install_packages() {
	missing=$(missing_packages "$1" "${3:-}")
	apt_log=$2
	[ -n "$missing" ] || return 0
	can_be_root "packages are missing ($(echo "$missing" | tr '\n' ' ' | sed 's/ $//'))" || return 1
	echo "== installing $(echo "$missing" | wc -l) packages (log: $apt_log)"
	: >"$apt_log"
	refused=
	refuse_services && refused=1
	installed=
	# shellcheck disable=SC2086 # one word a package
	run_apt update && run_apt install --no-install-recommends $missing && installed=1
	[ -z "$refused" ] || as_root rm -f /usr/sbin/policy-rc.d
	if [ -z "$installed" ]; then
		grep -vE '^(dl|pm)status:' "$apt_log" | tail -n 20
		echo "packages could not be installed: $(echo "$missing" | tr '\n' ' ')"
		return 1
	fi
}
