# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The start program as it is shipped: for this machine, and for others where qemu-user-static can run them."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import build_start_program
import pytest

from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering import start_program
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.secrecy import Hidden

MACHINES = ("x86_64", "i686", "aarch64", "armv7l", "ppc64le", "riscv64", "s390x")
EMULATORS = {"i686": "i386", "armv7l": "arm"}
ODD_NAMES = ("cluster.name", "my-dash", "IFS", "PWD", "SHLVL", "OPTIND", "PPID", "PS1", "_", "é", "1ST", "a b")
EVERY_CHARACTER = "".join(map(chr, range(1, 0x250))) + "\u2028\ufeff\U0001f433"


def hidden(variables: Mapping[str, str]) -> dict[str, Hidden]:
    return {name: Hidden(value) for name, value in variables.items()}


class Program:
    """One that stands in a directory, with its data."""

    def __init__(self, machine: str, directory: Path) -> None:
        content = start_program.program(machine)
        assert content is not None
        self.path = directory / start_program.PROGRAM
        self.path.write_bytes(content)
        self.path.chmod(0o755)
        emulator = f"qemu-{EMULATORS.get(machine, machine)}-static"
        # This machine's own is run as it is; a 64-bit kernel may be built without the 32-bit one's system calls.
        is_own = machine == platform.machine()
        self.start: Sequence[str] = () if is_own else (emulator,)
        if not is_own and shutil.which(emulator) is None:
            pytest.skip(f"{emulator} is not installed")

    def run(
        self,
        command: Sequence[str],
        given: Mapping[str, str],
        variables: Mapping[str, str],
        words: Sequence[str] = (),
    ) -> subprocess.CompletedProcess[bytes]:
        self.path.with_name(start_program.DATA).write_bytes(start_program.data(hidden(variables), words))
        return self.run_as_it_is(command, given)

    def run_as_it_is(self, command: Sequence[str], given: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
        environment = {name.encode(): value.encode() for name, value in given.items()}
        return subprocess.run(
            [*map(shutil.which, self.start), self.path, *command],  # type: ignore[list-item]
            env=environment,
            capture_output=True,
            check=False,
            timeout=60,
        )


@pytest.fixture(params=MACHINES)
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Program:
    return Program(request.param, tmp_path)


@pytest.fixture
def own_program(tmp_path: Path) -> Program:
    return Program(platform.machine(), tmp_path)


def environment_in(done: subprocess.CompletedProcess[bytes]) -> dict[str, str]:
    assert (done.returncode, done.stderr) == (0, b"")
    strings = done.stdout.decode().split("\0")[:-1]
    found = dict(string.split("=", 1) for string in strings)
    assert len(found) == len(strings), "a name is there twice"
    return found


ENVIRON = ["cat", "/proc/self/environ"]


def test_every_name_and_every_character(program: Program) -> None:
    given = {"PATH": "/usr/bin:/bin", "img.dotted": "of the image", "OTHER": "kept", "EMPTY": "", "PWD2": "kept"}
    secret = {name: f"{name}={EVERY_CHARACTER}" for name in ODD_NAMES}
    secret |= {"OTHER": "replaced", "NOTHING": "", "PW": "part of a name"}
    assert environment_in(program.run(ENVIRON, given, secret)) == {**given, **secret}


def test_many_and_long_ones(program: Program) -> None:
    secret = {f"NAME_{number}": "x" * number for number in range(100)}
    secret["LONG"] = "ä" * 50_000
    assert environment_in(program.run(ENVIRON, {"PATH": "/bin"}, secret)) == {"PATH": "/bin", **secret}


def test_the_longest_one_is_what_the_kernel_takes(own_program: Program) -> None:
    room = start_program.MAX_STRING_BYTES - len("LONG=")
    assert environment_in(own_program.run(ENVIRON, {"PATH": "/bin"}, {"LONG": "x" * room}))["LONG"] == "x" * room
    done = own_program.run(ENVIRON, {"PATH": "/bin"}, {"LONG": "x" * (room + 1)})
    assert (done.returncode, done.stdout) == (126, b"")
    assert done.stderr == b"podwright: /bin/cat: too many or too long variables and arguments\n"


def test_words_of_the_file_are_the_command_where_there_is_no_other(program: Program) -> None:
    words = ["printf", "%s|", "a b", "", "$(X)", "é\n"]
    given = {"PATH": "/usr/bin:/bin"}
    assert program.run([], given, {"A": "1"}, words).stdout.decode() == "a b||$(X)|é\n|"
    # One of its own comes first: that of a probe or hook.
    assert program.run(["printf", "%s", "own"], given, {"A": "1"}, words).stdout == b"own"


def test_the_command_is_looked_for_as_execvp_does(program: Program, tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "tool").write_text("#!/bin/sh\necho first\n")
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "tool").write_text("#!/bin/sh\necho second $0\n")
    (tmp_path / "second" / "tool").chmod(0o755)
    place = f"/none:{tmp_path}/first:{tmp_path}/second"
    # What may not be executed is passed over, and PATH may be a secret as well.
    if not program.start:
        assert program.run(["tool"], {"PATH": place}, {}).stdout.decode() == f"second {tmp_path}/second/tool\n"
        assert program.run(["tool"], {"PATH": "/none"}, {"PATH": place}).stdout.startswith(b"second")
        assert program.run([f"{tmp_path}/second/tool"], {}, {}).stdout.startswith(b"second")
    assert program.run(["tool"], {"PATH": f"{tmp_path}/first"}, {}).returncode == 126


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (["nosuch"], 127, "podwright: nosuch: not found\n"),
        (["/nosuch/tool"], 127, "podwright: /nosuch/tool: not found\n"),
        ([""], 127, "podwright: : not found\n"),
        (["/etc/passwd"], 126, "podwright: /etc/passwd: permission denied\n"),
        (["/etc"], 126, "podwright: /etc: permission denied\n"),
        (["x" * 5000], 127, f"podwright: {'x' * 5000}: not found\n"),
        (["/" + "x" * 300], 126, f"podwright: /{'x' * 300}: error 036\n"),
    ],
)
def test_what_cannot_be_begun_is_said(program: Program, command: list[str], code: int, message: str) -> None:
    done = program.run(command, {"PATH": "/usr/bin:/bin"}, {"SECRET": "tiger"})
    assert (done.returncode, done.stdout, done.stderr.decode()) == (code, b"", message)


@pytest.mark.parametrize("damage", ["missing", "cut", "a folder"])
def test_nothing_runs_without_the_whole_file(program: Program, damage: str) -> None:
    data = program.path.with_name(start_program.DATA)
    if damage == "cut":
        data.write_bytes(start_program.data(hidden({"A": "tiger"}))[:-3])
    elif damage == "a folder":
        data.mkdir()
    done = program.run_as_it_is(["echo", "runs"], {"PATH": "/usr/bin:/bin"})
    assert (done.returncode, done.stdout) == (126, b"")
    assert str(data) in done.stderr.decode()
    assert "tiger" not in done.stderr.decode()


def test_it_opens_nothing_that_its_command_would_have(own_program: Program) -> None:
    done = own_program.run(["ls", "/proc/self/fd"], {"PATH": "/usr/bin:/bin"}, {"A": "1"})
    assert done.stdout.split() == [b"0", b"1", b"2", b"3"]  # 3 is that of ls itself


def test_there_is_none_for_a_machine_that_nobody_has() -> None:
    assert start_program.program("pdp11") is None
    assert {start_program.program(name) for name in ("i486", "i586", "i686")} == {start_program.program("i386")}


def test_the_shipped_programs_are_those_of_the_source() -> None:
    """Where the same compilers are there that made them."""
    compiler = build_start_program.MACHINES["x86_64"][0]
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    version = subprocess.run([compiler, "-dumpfullversion"], capture_output=True, text=True, check=True).stdout.strip()
    if version != build_start_program.COMPILER_VERSION:
        pytest.skip(f"{compiler} is of version {version}, and others make other bytes")
    assert start_program.program("x86_64") == build_start_program.build("x86_64")
