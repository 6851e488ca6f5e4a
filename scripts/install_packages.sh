#!/bin/sh
# usage: install_packages.sh PACKAGE...
# Installs those of the Debian packages that are missing. Without root, or on another distribution, it names them
# and fails.
set -eu

missing=
for package in "$@"; do
    if ! dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed; then
        missing="$missing $package"
    fi
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "Needed and not found (names as in Debian):$missing. Install them with your distribution's package tool." >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "Needed and not installed:$missing. Run: sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # a list of names
apt-get install -q -y --no-install-recommends $missing
