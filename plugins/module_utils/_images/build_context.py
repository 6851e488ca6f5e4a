# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an image is built from: the Containerfile, the files of its context, and the base images that it names.

Sources: the Containerfile reference (FROM, ARG, COPY --from) and containerignore(5), as Buildah applies them.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .._errors import Fault, InvalidInput

CONTAINERFILE_NAMES = ("Containerfile", "Dockerfile")
SENT_IGNORE_FILE = ".containerignore"
IGNORE_FILE_NAMES = (SENT_IGNORE_FILE, ".dockerignore")
SENT_CONTAINERFILE = ".podwright.Containerfile"
"""The name that the Containerfile travels under, so that text from outside the context cannot meet a file in it."""
_INSTRUCTION = re.compile(r"^(\w+)\s+(.*)$", re.DOTALL)
_VARIABLE = re.compile(r"\\\$|\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})")
_FROM = re.compile(r"(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$", re.IGNORECASE)
_FLAGS = re.compile(r"(?:--\S+\s+)*")
_SOURCE_FLAGS = {
    "ADD": re.compile(r"--from=([^\s]+)"),
    "COPY": re.compile(r"--from=([^\s]+)"),
    "RUN": re.compile(r"--mount=(?:\S*,)?from=([^\s,]+)"),
}


@dataclass(frozen=True)
class IgnorePattern:
    """One line of an ignore file; ``keeps`` is an exception (``!``)."""

    expression: re.Pattern[str]
    keeps: bool


@dataclass(frozen=True)
class BuildContext:
    """A directory to build from (None: no files) and the text of the Containerfile."""

    containerfile: str
    directory: Path | None = None

    def files(self) -> Iterator[tuple[str, Path, os.stat_result]]:
        """Yield what the build may see, as (path inside the context, path, its state), in a stable order."""
        if self.directory is None:
            return
        patterns = read_ignore_file(self.directory)
        for path in walk(self.directory):
            name = path.relative_to(self.directory).as_posix()
            state = path.lstat()
            if not ignored(name, patterns) and is_storable(state):
                yield name, path, state

    def digest(self) -> str:
        """Digest names, kinds, permissions and contents; times and owners do not matter to a build."""
        digest = hashlib.sha256()
        for name, path, state in self.files():
            kind = stat.S_IFMT(state.st_mode)
            mode = 0 if stat.S_ISLNK(state.st_mode) else stat.S_IMODE(state.st_mode)
            digest.update(f"{name}\0{kind:o}\0{mode:o}\0".encode())
            digest.update(content_digest(path, state))
        return digest.hexdigest()

    def write(self, stream: IO[bytes]) -> None:
        """Write the context as a tar archive, everything owned by root, the Containerfile as SENT_CONTAINERFILE."""
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, path, state in self.files():
                if name != SENT_IGNORE_FILE:
                    add_file(archive, name, path, state)
            # The files are chosen already; what is left to ignore is the file that travels with them.
            add_text(archive, SENT_IGNORE_FILE, f"{SENT_CONTAINERFILE}\n{SENT_IGNORE_FILE}\n")
            add_text(archive, SENT_CONTAINERFILE, self.containerfile)


def read_build_context(directory: str | None, containerfile: str | None) -> BuildContext:
    """Read the options ``context`` and ``containerfile`` (a path, or the text itself); raises InvalidInput."""
    faults = []
    root = Path(directory) if directory else None
    if root is not None and not root.is_dir():
        faults.append(Fault("build.context", f"{root} is not a directory on this host"))
    if not containerfile and root is None:
        faults.append(Fault("build", "give context, containerfile, or both"))
    if faults:
        raise InvalidInput(faults)
    if containerfile and is_text(containerfile):
        return BuildContext(containerfile if containerfile.endswith("\n") else containerfile + "\n", root)
    return BuildContext(read_containerfile(root, containerfile), root)


def is_text(containerfile: str) -> bool:
    """Return whether an option holds a Containerfile itself: it has lines, or starts with an instruction."""
    return "\n" in containerfile or re.match(r"\s*(FROM|ARG|#)\s", containerfile, re.IGNORECASE) is not None


def read_containerfile(root: Path | None, name: str | None) -> str:
    base = root or Path("/")
    candidates = [base / name] if name else [base / each for each in CONTAINERFILE_NAMES]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.read_text(encoding="utf-8")
    tried = ", ".join(str(candidate) for candidate in candidates)
    raise InvalidInput([Fault("build.containerfile", f"no such file on this host: {tried}")])


def walk(directory: Path) -> Iterator[Path]:
    """Yield everything below a directory, parents first, without following symbolic links."""
    for path in sorted(directory.iterdir()):
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from walk(path)


def is_storable(state: os.stat_result) -> bool:
    return stat.S_ISREG(state.st_mode) or stat.S_ISDIR(state.st_mode) or stat.S_ISLNK(state.st_mode)


def content_digest(path: Path, state: os.stat_result) -> bytes:
    if stat.S_ISLNK(state.st_mode):
        return hashlib.sha256(os.readlink(path).encode()).digest()
    if stat.S_ISDIR(state.st_mode):
        return b""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.digest()


def add_file(archive: tarfile.TarFile, name: str, path: Path, state: os.stat_result) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode = stat.S_IMODE(state.st_mode)
    entry.mtime = int(state.st_mtime)
    if stat.S_ISLNK(state.st_mode):
        entry.type, entry.linkname = tarfile.SYMTYPE, os.readlink(path)
        archive.addfile(entry)
    elif stat.S_ISDIR(state.st_mode):
        entry.type = tarfile.DIRTYPE
        archive.addfile(entry)
    else:
        with open(path, "rb") as stream:
            entry.size = os.fstat(stream.fileno()).st_size
            archive.addfile(entry, stream)


def add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode()
    entry = tarfile.TarInfo(name)
    entry.mode, entry.size = 0o644, len(data)
    archive.addfile(entry, io.BytesIO(data))


def read_ignore_file(directory: Path) -> list[IgnorePattern]:
    for name in IGNORE_FILE_NAMES:
        path = directory / name
        if path.is_file():
            return parse_ignore_file(path.read_text(encoding="utf-8"))
    return []


def parse_ignore_file(text: str) -> list[IgnorePattern]:
    patterns = []
    for line in text.splitlines():
        pattern = line.strip()
        if not pattern or line.startswith("#"):
            continue
        keeps = pattern.startswith("!")
        pattern = os.path.normpath(pattern[1:].strip() if keeps else pattern).lstrip("/")
        patterns.append(IgnorePattern(ignore_expression(pattern), keeps))
    return patterns


def ignore_expression(pattern: str) -> re.Pattern[str]:
    """Translate a pattern: ``*`` and ``?`` stay within one name, ``**`` spans any number of directories.

    A pattern that matches a directory matches all that is in it.
    """
    parts = []
    position = 0
    while position < len(pattern):
        token, piece = ignore_token(pattern, position)
        parts.append(piece)
        position += len(token)
    return re.compile("".join(parts) + r"(?:/.*)?", re.DOTALL)


def ignore_token(pattern: str, position: int) -> tuple[str, str]:
    """Return the next token of an ignore pattern and the regular expression that stands for it."""
    rest = pattern[position:]
    for token, piece in (("**/", r"(?:.*/)?"), ("**", r".*"), ("*", r"[^/]*"), ("?", r"[^/]")):
        if rest.startswith(token):
            return token, piece
    characters = re.match(r"\[(\^?)([^\]]+)\]", rest)
    if characters:
        return characters[0], f"[{characters[1]}{characters[2]}]"
    escaped = re.match(r"\\(.)", rest)
    return (escaped[0], re.escape(escaped[1])) if escaped else (rest[0], re.escape(rest[0]))


def ignored(name: str, patterns: list[IgnorePattern]) -> bool:
    """Return whether a path is ignored: the last pattern that matches it decides."""
    verdict = False
    for pattern in patterns:
        if pattern.expression.fullmatch(name):
            verdict = not pattern.keeps
    return verdict


def base_images(containerfile: str, arguments: Mapping[str, str], target: str | None = None) -> list[str]:
    """Return the images that a build starts from or copies from, in order, as far as ``target``'s stage.

    A name that cannot be told before the build (an argument without a value) is left out.
    """
    values: dict[str, str] = {}
    stages: list[str] = []
    found: list[str] = []
    for instruction, rest in instructions(containerfile):
        if instruction == "ARG" and not stages:
            name, _separator, default = rest.strip().partition("=")
            values[name] = arguments.get(name, unquote(expand(default, values)))
        elif instruction == "FROM":
            if target and stages and (stages[-1] == target.lower() or str(len(stages) - 1) == target):
                break
            stage = _FROM.match(expand(rest, values))
            if stage is None:
                continue
            found += [] if stage[1].lower() in (*stages, "scratch") else [stage[1]]
            stages.append((stage[2] or "").lower())
        elif instruction in _SOURCE_FLAGS:
            flags = _FLAGS.match(rest)
            sources = _SOURCE_FLAGS[instruction].findall(expand(flags[0] if flags else "", values))
            found += [name for name in sources if name.lower() not in stages and not name.isdigit()]
    return list(dict.fromkeys(name for name in found if name and "$" not in name))


def instructions(containerfile: str) -> Iterator[tuple[str, str]]:
    """Yield (instruction in capitals, the rest of its logical line)."""
    lines = [line for line in containerfile.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\[ \t]*\n", " ", "\n".join(lines)).splitlines():
        match = _INSTRUCTION.match(line.strip())
        if match:
            yield match[1].upper(), match[2]


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace ``$NAME``, ``${NAME}``, ``${NAME:-default}`` and ``${NAME:+alternative}``; the unknown become empty."""

    def replace(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name is None:
            return "$"
        value = values.get(name, "")
        if match[3] == "-":
            return value or match[4]
        if match[3] == "+":
            return match[4] if value else ""
        return value

    return _VARIABLE.sub(replace, text)


def unquote(text: str) -> str:
    quoted = re.fullmatch(r"""(["'])(.*)\1""", text.strip())
    return quoted[2] if quoted else text.strip()
