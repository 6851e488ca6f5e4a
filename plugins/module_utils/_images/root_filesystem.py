# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Root file systems from a distribution's packages: mmdebstrap for Debian and its family, dnf for Fedora and RHEL.

They are made small: no package lists and caches, no documentation but the copyright files, no manual pages, no
translations, no logs.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import signal
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .._errors import HostError
from .._host.kernel.held_paths import make_folders, remove_tree

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TAIL_BYTES = 4000
FAULT_LINE = re.compile(r"E: |W: Failed|Error\b|No match for argument|dpkg: error")
"""How lines begin in which apt, dpkg and dnf say what is wrong."""
CONSEQUENCE_LINE = re.compile(r"E: (setup failed|run_\w+ failed|mmdebstrap failed|Sub-process )")
"""Lines in which mmdebstrap only repeats that a program failed, with its whole command line."""
TERMINATION_SECONDS = 30
DPKG_OPTIONS = (
    # A power cut costs the whole image anyhow: no file of it is worth a sync of its own.
    "force-unsafe-io",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/locale/*",
    "path-include=/usr/share/locale/locale.alias",
    "path-exclude=/usr/share/man/*",
)
APT_OPTIONS = ('Acquire::Languages "none"', 'APT::Install-Recommends "false"')

# Some packages link alternatives into these directories and fail to install without them.
MAKE_MANUAL_DIRECTORIES = 'for n in 1 2 3 4 5 6 7 8; do mkdir -p "$1/usr/share/man/man$n"; done'
CLEAN = (
    'rm -rf "$1/var/lib/apt/lists/"* "$1/var/cache/apt/"* "$1/usr/share/info/"*; mkdir -p "$1/var/lib/apt/lists";'
    ' find "$1/var/log" "$1/var/cache/ldconfig" -mindepth 1 ! -type d -delete 2>/dev/null;'
    ' rm -f "$1/var/cache/debconf/"*-old "$1/var/lib/dpkg/"*-old;'
    ' find "$1/usr/share/doc" -depth -type d -empty -delete 2>/dev/null; true'
)
# cleanup/apt: mmdebstrap keeps the configuration that points apt at the new root in that root's /tmp. After a command
# that empties /tmp its own cleaning would run on the host's apt and delete the host's package lists.
SKIPPED = ("cleanup/apt", "output/dev")
DNF_OPTIONS = ("install_weak_deps=False", "tsflags=nodocs", "keepcache=False")
DNF_BASE_PACKAGES = {
    "minbase": ("bash", "coreutils-single", "glibc-minimal-langpack", "system-release"),
    "custom": ("system-release",),
}
DNF_DROPPED = (
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/dnf",
    "var/cache/libdnf5",
    "var/log",
)
DEVICES = (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9))

# Distribution -> where it keeps the keys of its own archive, by os-release ID.
DEBIAN_KEYRINGS = {
    "debian": ("/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"),
    "ubuntu": ("/usr/share/keyrings/ubuntu-archive-keyring.gpg",),
}


@dataclass(frozen=True)
class IncludedFile:
    """A file to put into the root file system, owned by root; ``mode`` is octal digits (``0644``)."""

    path: str
    content: str
    mode: str = "0644"


@dataclass(frozen=True)
class RootFilesystem:
    """What a root file system is made of.

    Without ``mirror`` the host's own package sources for ``suite`` apply. ``commands`` run inside, at the end, by
    ``/bin/sh -e`` and with ``env``. ``apt_options`` are lines of apt's configuration, for its work here and inside.
    """

    suite: str
    packages: tuple[str, ...] = ()
    variant: str = "minbase"
    mirror: str | None = None
    components: tuple[str, ...] = ("main",)
    keyring: str | None = None
    architecture: str | None = None
    files: tuple[IncludedFile, ...] = ()
    commands: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    apt_options: tuple[str, ...] = ()


def choose_installer() -> str:
    """Return the program that bootstraps on this host, ``mmdebstrap`` or ``dnf``; HostError if it is missing."""
    release = os_release()
    family = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    wanted: tuple[str, ...] = ("mmdebstrap", "dnf")
    if family & {"fedora", "rhel", "centos"}:
        wanted = ("dnf",)
    elif family & {"debian", "ubuntu"}:
        wanted = ("mmdebstrap",)
    for program in wanted:
        if shutil.which(program):
            return program
    raise HostError(
        f"an image cannot be bootstrapped on this host: {' or '.join(wanted)} is not installed."
        " Install it, or run the role podwright.pods.host"
    )


def default_suite(installer: str) -> str:
    """Return the host's own release; empty when it tells none."""
    release = os_release()
    if installer == "mmdebstrap":
        return release.get("VERSION_CODENAME", "")
    return release.get("VERSION_ID", "").partition(".")[0]


def os_release() -> dict[str, str]:
    for path in (Path("/etc/os-release"), Path("/usr/lib/os-release")):
        if path.is_file():
            lines = shlex.split(path.read_text(encoding="utf-8"), comments=True)
            return dict(line.split("=", 1) for line in lines if "=" in line)
    return {}


def make_root_filesystem(request: RootFilesystem, installer: str, directory: Path) -> Path:
    """Make the root file system as a tar archive in ``directory`` (private, ours) and return its path.

    Raises HostError with the installer's last words when it fails.
    """
    archive = directory / "root.tar"
    make = run_mmdebstrap if installer == "mmdebstrap" else run_dnf
    make(request, directory, archive)
    return archive


def run_mmdebstrap(request: RootFilesystem, directory: Path, archive: Path) -> None:
    included = directory / "files.tar"
    with open(included, "wb") as stream:
        write_files(request.files, stream)
    run(mmdebstrap_command(request, included, archive), directory, {**os.environ, **apt_proxies()})
    with tarfile.open(archive, "a") as packed:
        # Its contents are the runtime's, but a read-only container needs the place to mount them at. Older releases
        # of mmdebstrap leave it out along with its contents.
        if "./dev" not in packed.getnames():
            place = tarfile.TarInfo("./dev")
            place.type, place.mode = tarfile.DIRTYPE, 0o755
            packed.addfile(place)


def mmdebstrap_command(request: RootFilesystem, included: Path, archive: Path) -> list[str]:
    command = ["mmdebstrap", "--format=tar", f"--skip={','.join(SKIPPED)}", f"--variant={request.variant}"]
    command += [f"--dpkgopt={option}" for option in DPKG_OPTIONS]
    command += [f"--aptopt={option}" for option in (*APT_OPTIONS, *request.apt_options)]
    command += [f"--include={package}" for package in request.packages]
    command += [f"--components={','.join(request.components)}"]
    command += [f"--architectures={request.architecture}"] if request.architecture else []
    command += [f"--keyring={request.keyring}"] if request.keyring else []
    command += [f"--extract-hook={MAKE_MANUAL_DIRECTORIES}"]
    command += [f"--customize-hook=tar-in {shlex.quote(str(included))} /"] if request.files else []
    command += [f"--customize-hook={chroot_text(line, request.env)}" for line in request.commands]
    # Words from here on, and no options whatever they look like.
    command += [f"--customize-hook={CLEAN}", "--", request.suite, str(archive)]
    return command + ([request.mirror] if request.mirror else host_sources(request.suite))


def chroot_text(command: str, env: Mapping[str, str]) -> str:
    """Return a hook's text: the command inside the root file system, which mmdebstrap hands over as $1."""
    return 'chroot "$1" ' + shlex.join(inner_command(command, env))


def inner_command(command: str, env: Mapping[str, str]) -> list[str]:
    variables = {"PATH": DEFAULT_PATH, "HOME": "/root", **env}
    return ["env", *(f"{name}={value}" for name, value in variables.items()), "/bin/sh", "-ec", command]


def host_sources(suite: str) -> list[str]:
    """Return the host's apt sources for a suite as one-line entries; none where it has no index of that suite.

    Only the distribution's own archive counts: what else the host installs from is no part of an image.
    """
    release = os_release()
    origin = release.get("ID", "")
    fields = "$(ORIGIN)|$(CODENAME)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)"
    listed = read_output(["apt-get", "indextargets", "--format", fields, "Created-By: Packages"])
    options = next((f"[signed-by={path}] " for path in DEBIAN_KEYRINGS.get(origin, ()) if Path(path).is_file()), "")
    sources = []
    for line in listed.splitlines():
        named, codename, uri, target, component = line.split("|")
        of_suite = re.fullmatch(rf"{re.escape(suite)}(-security|-updates)?", codename)
        if named.lower() == origin and of_suite and uri.startswith(("http://", "https://")):
            sources.append(f"deb {options}{uri} {target} {component}")
    # Without the suite itself (its indices were deleted, or only the updates are there) nothing could be installed.
    own = [source for source in sources if source.split()[-2] == suite]
    return list(dict.fromkeys(sources)) if own else []


def apt_proxies() -> dict[str, str]:
    """Return the proxies of the host's apt as environment variables: mmdebstrap does not read apt's configuration."""
    found = {}
    for scheme in ("http", "https"):
        setting = f"Acquire::{scheme}::Proxy"
        value = read_output(["apt-config", "dump", "--format", "%v", setting]).strip()
        if value and value != "DIRECT" and f"{scheme}_proxy" not in os.environ:
            found[f"{scheme}_proxy"] = value
    return found


def read_output(command: Sequence[str]) -> str:
    """Return what a command prints; nothing when it fails or does not exist."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def run_dnf(request: RootFilesystem, directory: Path, archive: Path) -> None:
    if os.geteuid() != 0:
        raise HostError("dnf can make a root file system only as root: run the task with become")
    root = directory / "root"
    make_folders(root, 0o755)
    make_devices(root)
    run(dnf_command(request, root), directory, dict(os.environ))
    included = io.BytesIO()
    write_files(request.files, included)
    run(["tar", "--extract", "--file=-", f"--directory={root}"], directory, dict(os.environ), included.getvalue())
    for line in request.commands:
        run(["chroot", str(root), *inner_command(line, request.env)], directory, dict(os.environ))
    drop_dnf_leftovers(root)
    pack = ["tar", "--create", f"--file={archive}", f"--directory={root}", "--numeric-owner", "--xattrs"]
    run([*pack, "--xattrs-include=*", "--exclude=./dev/*", "."], directory, dict(os.environ))


def dnf_command(request: RootFilesystem, root: Path) -> list[str]:
    command = ["dnf", "--assumeyes", f"--installroot={root}", f"--releasever={request.suite}"]
    command += [f"--setopt={option}" for option in DNF_OPTIONS]
    # dnf 5 looks for repositories inside the new root only, unless told to use the host's.
    command += ["--use-host-config"] if is_dnf5() else []
    command += [f"--forcearch={request.architecture}"] if request.architecture else []
    if request.mirror:
        command += [f"--repofrompath=podwright,{request.mirror}", "--repo=podwright"]
        command += [f"--setopt=podwright.gpgkey=file://{request.keyring}"] if request.keyring else []
    return [*command, "install", *DNF_BASE_PACKAGES.get(request.variant, ()), *request.packages]


def is_dnf5() -> bool:
    return os.path.basename(os.path.realpath(shutil.which("dnf") or "dnf")) == "dnf5"


def make_devices(root: Path) -> None:
    """Make the few devices that package scripts write to; they are no part of the archive."""
    make_folders(root / "dev", 0o755)
    for name, major, minor in DEVICES:
        path = root / "dev" / name
        os.mknod(path, 0o666 | 0o020000, os.makedev(major, minor))
        path.chmod(0o666)


def drop_dnf_leftovers(root: Path) -> None:
    for name in DNF_DROPPED:
        directory = root / name
        if directory.is_dir() and not directory.is_symlink():
            for path in directory.iterdir():
                # What the commands inside have mounted is none of the root file system.
                remove_tree(path)


def write_files(files: Sequence[IncludedFile], stream: io.BufferedIOBase) -> None:
    """Write files, and the directories that lead to them, as a tar archive owned by root."""
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for file in files:
            data = file.content.encode()
            entry = tarfile.TarInfo(file.path.lstrip("/"))
            entry.mode, entry.size = int(file.mode, 8), len(data)
            archive.addfile(entry, io.BytesIO(data))


def run(command: Sequence[str], directory: Path, environment: Mapping[str, str], data: bytes = b"") -> None:
    """Run a command to its end; HostError with its last words when it fails. It ends when this run is ended."""
    log_path = directory / "log"
    with open(log_path, "wb") as log, open(directory / "input", "w+b") as given:
        given.write(data)
        given.seek(0)
        process = subprocess.Popen(
            list(command),
            stdin=given,
            stdout=log,
            stderr=log,
            env={**environment, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"},
            start_new_session=True,
            # Of folders that no package brings: all users of the image go through them.
            umask=0o022,
        )
        with ended_with_this_run(process):
            code = process.wait()
    if code != 0:
        raise HostError(f"{command[0]} failed ({code}): {last_words(tail(log_path))}")


@contextlib.contextmanager
def ended_with_this_run(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End a process group when this run is interrupted, even by SIGKILL; mmdebstrap then removes what it began."""
    # Its standard input ends when this process does. Only the whole group will do: mmdebstrap waits for its children.
    on_end = ["/bin/sh", "-c", 'read -r line; kill -TERM "-$1"', "sh", str(process.pid)]
    watch = subprocess.Popen(on_end, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(TERMINATION_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        watch.kill()
        watch.communicate()


def last_words(text: str) -> str:
    """The lines of a program's output that say what is wrong; all lines if none does."""
    lines = [line for line in text.splitlines() if FAULT_LINE.match(line) and not CONSEQUENCE_LINE.match(line)]
    return "; ".join(dict.fromkeys(line.strip() for line in lines)) or text.strip() or "it said nothing"


def tail(path: Path) -> str:
    return path.read_bytes()[-TAIL_BYTES:].decode(errors="replace")
