"""Installs pip into the virtual environment that runs this, from what Python itself bundles and then PyPI.

ansible-test calls it as it calls pip's own installer: ``get_pip.py [pip options] PACKAGE==VERSION... [--no-setuptools]
[--no-wheel]``.
"""

from __future__ import annotations

import ensurepip
import os
import subprocess
import sys


def main() -> None:
    environment = dict(os.environ)  # before ensurepip switches the user's settings of pip off in it
    ensurepip.bootstrap()
    arguments = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
    sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", *arguments], env=environment))


if __name__ == "__main__":
    main()
