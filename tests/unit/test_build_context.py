# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ignore patterns, and the base images of a Containerfile."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._images.build_context import (
    SENT_CONTAINERFILE,
    BuildContext,
    base_images,
    ignored,
    is_text,
    parse_ignore_file,
)

# (ignore file, path, ignored)
IGNORED = [
    ("*.log", "a.log", True),
    ("*.log", "dir/a.log", False),
    ("**/*.log", "a.log", True),
    ("**/*.log", "one/two/a.log", True),
    ("dir", "dir", True),
    ("dir", "dir/below/file", True),
    ("dir", "directory", False),
    ("/dir", "dir/file", True),
    ("./dir/", "dir/file", True),
    ("dir/*", "dir/file", True),
    ("dir/**", "dir/below/file", True),
    ("dir/**", "dir", False),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("[a-c]x", "bx", True),
    ("[^a-c]x", "bx", False),
    (r"a\*b", "a*b", True),
    (r"a\*b", "axb", False),
    ("*\n!keep", "keep", False),
    ("*\n!keep", "other", True),
    ("!keep\n*", "keep", True),
    ("dir\n!dir/keep", "dir/keep", False),
    ("# note\n\n  spaced  ", "spaced", True),
    ("a.b", "axb", False),
    ("**", "any/thing", True),
]


@pytest.mark.parametrize(("text", "name", "expected"), IGNORED)
def test_ignore_patterns(text: str, name: str, expected: bool) -> None:
    assert ignored(name, parse_ignore_file(text)) is expected


# (Containerfile, args, target, base images)
BASES = [
    ("FROM a:1\n", {}, None, ["a:1"]),
    ("from a:1 as one\nFROM one\n", {}, None, ["a:1"]),
    ("FROM scratch\nCOPY x /\n", {}, None, []),
    ("# FROM no\nFROM --platform=linux/amd64 a AS x\n", {}, None, ["a"]),
    ("ARG B=a:1\nFROM $B\n", {}, None, ["a:1"]),
    ("ARG B=a:1\nFROM $B\n", {"B": "b:2"}, None, ["b:2"]),
    ('ARG T="1"\nARG B=a:${T}\nFROM ${B}\n', {}, None, ["a:1"]),
    ("ARG B\nFROM ${B:-c:3}\n", {}, None, ["c:3"]),
    ("ARG B\nFROM a${B:+-slim}\n", {"B": "x"}, None, ["a-slim"]),
    ("ARG B\nFROM $B\n", {}, None, []),
    ("FROM a\nCOPY --from=b:1 /x /y\nCOPY --chown=1 --from=0 /x /z\n", {}, None, ["a", "b:1"]),
    ("FROM a AS s\nFROM b\nCOPY --from=s /x /y\n", {}, None, ["a", "b"]),
    ("FROM a\nRUN --mount=type=bind,from=b:1,target=/x ls\n", {}, None, ["a", "b:1"]),
    ("FROM a\nRUN tool --from=c x,from=d\n", {}, None, ["a"]),
    ("FROM \\\n  a:1 \\\n  AS x\nRUN \\\n  FROM x\n", {}, None, ["a:1"]),
    ("FROM a AS one\nFROM b AS two\nFROM c\n", {}, "two", ["a", "b"]),
    ("FROM a AS one\nFROM b AS two\n", {}, "0", ["a"]),
    ("FROM a\nFROM a\n", {}, None, ["a"]),
    ("FROM a\nARG B=x\nFROM $B\n", {}, None, ["a"]),
]


@pytest.mark.parametrize(("containerfile", "args", "target", "expected"), BASES)
def test_base_images(containerfile: str, args: dict[str, str], target: str | None, expected: list[str]) -> None:
    assert base_images(containerfile, args, target) == expected


@pytest.mark.parametrize(
    ("option", "expected"),
    [("FROM a", True), ("arg A", True), ("# note", True), ("a\nb", True), ("FROM", False), ("x/Containerfile", False)],
)
def test_text_or_path(option: str, expected: bool) -> None:
    assert is_text(option) is expected


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "file").write_text("x")
    (tmp_path / "link").symlink_to("sub/file")
    os.mkfifo(tmp_path / "fifo")
    return tmp_path


def test_digest_is_of_names_modes_and_contents(directory: Path) -> None:
    context = BuildContext("FROM a\n", directory)
    digests = [context.digest()]
    os.utime(directory / "sub" / "file", (1, 1))
    assert context.digest() == digests[0]
    (directory / "sub" / "file").write_text("y")
    digests.append(context.digest())
    (directory / "sub" / "file").chmod(0o755)
    digests.append(context.digest())
    (directory / "link").unlink()
    (directory / "link").symlink_to("sub")
    digests.append(context.digest())
    (directory / "sub" / "file").rename(directory / "sub" / "other")
    digests.append(context.digest())
    (directory / "empty").mkdir()
    digests.append(context.digest())
    assert len(set(digests)) == len(digests)


def test_archive_of_a_context(directory: Path) -> None:
    buffer = io.BytesIO()
    BuildContext("FROM a\n", directory).write(buffer)
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        assert archive.getnames() == ["link", "sub", "sub/file", ".containerignore", SENT_CONTAINERFILE]
        assert {(entry.uid, entry.gid) for entry in archive} == {(0, 0)}
        sent = archive.extractfile(SENT_CONTAINERFILE)
        assert sent is not None
        assert sent.read() == b"FROM a\n"
