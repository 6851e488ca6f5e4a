# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people are told of an image that could not be had: the cause, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.image_pull import LOCAL_HINT, hint
from ansible_collections.podwright.pods.plugins.module_utils._images.image_run import read_root_filesystem
from ansible_collections.podwright.pods.plugins.module_utils._images.root_filesystem import (
    RootFilesystem,
    last_words,
    mmdebstrap_command,
)

REFUSED = "pinging container registry localhost: dial tcp 127.0.0.1:443: connect: connection refused"
MMDEBSTRAP = """\
I: automatically chosen mode: root
I: using /tmp/mmdebstrap.Egs28baksj as tempdir
I: installing remaining packages inside the chroot...
Reading package lists...
Building dependency tree...
E: Unable to locate package no-such-package
E: setup failed: E: apt-get -o DPkg::Chroot-Directory=/tmp/mmdebstrap.Egs28baksj --yes install failed
I: main() received signal PIPE: waiting for setup...
I: removing tempdir /tmp/mmdebstrap.Egs28baksj...
E: mmdebstrap failed to run
"""
DNF = """\
Fedora 42 - x86_64                              5.4 MB/s |  35 MB     00:06
No match for argument: no-such-package
Error: Unable to find a match: no-such-package
"""
LAST_WORDS = {
    "mmdebstrap": (MMDEBSTRAP, "E: Unable to locate package no-such-package"),
    "dnf": (DNF, "No match for argument: no-such-package; Error: Unable to find a match: no-such-package"),
    "no fault in it": ("one\ntwo\n", "one\ntwo"),
    "nothing": ("\n", "it said nothing"),
}


@pytest.mark.parametrize(("text", "expected"), LAST_WORDS.values(), ids=LAST_WORDS)
def test_what_a_program_says_last(text: str, expected: str) -> None:
    assert last_words(text) == expected


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("localhost/shop:1", LOCAL_HINT),
        ("localhost:5000/shop:1", "check the registry's name and port, and that this host reaches it"),
        ("registry.example.com/shop:1", "check the registry's name and port, and that this host reaches it"),
    ],
)
def test_an_image_of_this_host_is_in_no_registry(name: str, advice: str) -> None:
    assert hint(name, REFUSED) == f". To mend it, {advice}"


def test_nothing_is_advised_where_nothing_is_known() -> None:
    assert hint("registry.example.com/shop:1", "some other fault") == ""


BOOTSTRAP: dict[str, Any] = {
    "suite": "trixie",
    "packages": [],
    "variant": "minbase",
    "mirror": None,
    "components": ["main"],
    "keyring": None,
    "architecture": None,
    "files": [],
    "commands": [],
    "env": {},
}


@pytest.mark.parametrize("installer", ["mmdebstrap", "dnf"])
def test_words_that_would_be_options_are_refused(installer: str) -> None:
    hook = "--setup-hook=touch /tmp/x"
    given = {
        "suite": hook,
        "mirror": hook,
        "architecture": "-x",
        "packages": ["nginx", hook, " -y"],
        "env": {"-S": "x"},
    }
    with pytest.raises(InvalidInput) as caught:
        read_root_filesystem({**BOOTSTRAP, **given}, installer)
    places = [fault.path.removeprefix("bootstrap.") for fault in caught.value.faults]
    assert places == ["suite", "mirror", "architecture", "packages[1]", "packages[2]", "env.-S"]
    assert "begins with a dash" in caught.value.faults[0].reason
    assert read_root_filesystem({**BOOTSTRAP, "packages": ["nginx"]}, installer).packages == ("nginx",)


def test_words_for_mmdebstrap_come_after_its_options() -> None:
    command = mmdebstrap_command(RootFilesystem("--help", mirror="--version"), Path("files"), Path("root.tar"))
    assert command[-4:] == ["--", "--help", "root.tar", "--version"]
