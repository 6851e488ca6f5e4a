#!/bin/sh
# usage: make_venv.sh DIRECTORY [PYTHON]
# Makes a virtual environment with PYTHON or, where none is named, with the first interpreter found that the pinned
# ansible-core runs on. Debian ships Python without what a virtual environment needs: it is installed when missing.
set -eu
directory=$1
python=${2:-}

is_suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
    for candidate in python3 python3.13 python3.12 python3.11; do
        if is_suitable "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
}

[ -n "$python" ] || python=$(find_python)
if [ -z "$python" ] && ! command -v python3 >/dev/null; then
    "$(dirname "$0")/install_packages.sh" python3
    python=$(find_python)
fi
if [ -z "$python" ] || ! is_suitable "$python"; then
    echo "${python:-python3} is not Python 3.11 to 3.13: install one of these, or name it: make PYTHON=/path/to/python3.12" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    "$(dirname "$0")/install_packages.sh" python3-venv
fi
exec "$python" -m venv "$directory"
