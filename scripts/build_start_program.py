"""Builds docs/start_program.c for every kind of machine, and writes the programs into rendering/start_program.py.

Needs gcc for each of them: on Debian gcc, gcc-aarch64-linux-gnu, gcc-arm-linux-gnueabihf, gcc-powerpc64le-linux-gnu,
gcc-riscv64-linux-gnu and gcc-s390x-linux-gnu. The same compilers (`COMPILER_VERSION`) make the same bytes. With
``check`` nothing is written, and the exit code tells whether the module has what this machine's compilers make.
"""

from __future__ import annotations

import argparse
import base64
import re
import subprocess
import tempfile
import zlib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
SOURCE = CHECKOUT / "docs" / "start_program.c"
MODULE = CHECKOUT / "plugins" / "module_utils" / "_reconcile" / "rendering" / "start_program.py"
FLAGS = [
    *("-static", "-nostdlib", "-ffreestanding", "-Os", "-Wall", "-Wextra", "-Werror"),
    *("-fno-pic", "-no-pie", "-fno-stack-protector", "-fno-asynchronous-unwind-tables"),
    # The compiler must not make calls of memset and its like out of our loops: there is no library.
    "-fno-tree-loop-distribute-patterns",
    "-Wl,--build-id=none,-z,noseparate-code,-z,norelro",
]
MACHINES = {
    "x86_64": ("x86_64-linux-gnu-gcc", ["-fcf-protection=none"]),
    "i386": ("x86_64-linux-gnu-gcc", ["-m32", "-march=i586", "-fcf-protection=none", "-mpreferred-stack-boundary=2"]),
    "aarch64": ("aarch64-linux-gnu-gcc", ["-mbranch-protection=none"]),
    "arm": ("arm-linux-gnueabihf-gcc", ["-marm", "-march=armv5te", "-mfloat-abi=soft"]),
    "ppc64le": ("powerpc64le-linux-gnu-gcc", []),
    "riscv64": ("riscv64-linux-gnu-gcc", []),
    "s390x": ("s390x-linux-gnu-gcc", []),
}
COMPILER_VERSION = "12.2.0"
WIDTH = 110


def build(machine: str) -> bytes:
    """The program for a kind of machine; CalledProcessError or FileNotFoundError without its compiler."""
    compiler, flags = MACHINES[machine]
    with tempfile.TemporaryDirectory() as directory:
        program = Path(directory, "start")
        subprocess.run([compiler, *FLAGS, *flags, "-o", program, SOURCE], check=True)
        strip = compiler.replace("gcc", "strip")
        subprocess.run([strip, "-s", "-R", ".comment", "-R", ".ARM.attributes", program], check=True)
        return program.read_bytes()


def table() -> str:
    """The programs as the text of a Python mapping."""
    lines = ["_PROGRAMS = {"]
    for machine in sorted(MACHINES):
        text = base64.b64encode(zlib.compress(build(machine), 9)).decode()
        pieces = [text[start : start + WIDTH] for start in range(0, len(text), WIDTH)]
        lines += [f'    "{machine}": (', *(f'        "{piece}"' for piece in pieces), "    ),"]
    return "\n".join([*lines, "}\n"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=("write", "check"))
    written = MODULE.read_text()
    wanted = re.sub(r"(?ms)^_PROGRAMS = \{\n.*?^\}\n", lambda _found: table(), written, count=1)
    if parser.parse_args().action == "write":
        MODULE.write_text(wanted)
        return 0
    return int(written != wanted)


if __name__ == "__main__":
    raise SystemExit(main())
