# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of volumes that containers mount by ``sub_path``: each is mounted at a place of ours, which Podman is given.

Podman resolves the path of a mount again at each start of a container, and whoever writes the volume can put a link
there by then. Here the part is opened without following links, and what was opened is mounted: it stays that very
folder or file for as long as its container is there. The places are in a file system in memory of their own. A boot,
or the end of a user's namespaces, takes that away as a whole, so that a start that Podman makes by itself afterwards
fails, and never finds an empty folder in place of the data.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from ..._errors import HostError
from ..podman.namespaces import mounting_process, run_in_podmans_namespaces
from ..podman.program import user_runtime_directory
from . import held_paths

_PLACES = "places"


def runtime_directory(state: Path) -> Path:
    """Where the mounts of a state directory are: its own, and emptied at boot where this user has such a place."""
    base = "/run" if os.geteuid() == 0 else user_runtime_directory()
    if not os.access(base, os.W_OK):
        return state / "run"
    return Path(base) / "podwright" / hashlib.sha256(os.fsencode(os.path.realpath(state))).hexdigest()[:12]


class SubPathMounts:
    """The places below ``directory``, one for each mount: ``places/POD/CONTAINER/NUMBER``."""

    def __init__(self, directory: Path) -> None:
        self.directory = Path(os.path.realpath(directory))
        self._places = self.directory / _PLACES

    def place(self, pod: str, container: str, number: int) -> Path:
        return self._places / pod / container / str(number)

    def mount(self, pod: str, container: str, number: int, base: Path, sub_path: str) -> tuple[Path, bool]:
        """Mount ``base/sub_path``, made where it is missing, at the place of that number, in place of what is there.

        Returns the place, and whether it is a folder.
        Raises HostError where the way there leads through a link, or where nothing can be mounted.
        """
        place = self.place(pod, container, number)
        self._make_directory()

        def work() -> bool:
            self._make_places()
            held_paths.remove_tree(place)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with held_paths.held(base, sub_path) as part:
                place.mkdir(0o700) if held_paths.is_folder(part) else place.touch(0o600)
                held_paths.bind(part, place)
                return held_paths.is_folder(part)

        try:
            return place, bool(run_in_podmans_namespaces(work))
        except OSError as error:
            raise HostError(f"{base / sub_path} cannot be mounted (sub_path): {error}") from error

    def release(self, pod: str, container: str = "") -> None:
        """Unmount what a container, or every one of a pod, was given. One that runs still has what it mounted."""
        path = self._places / pod / container if container else self._places / pod
        if self._names(path):
            run_in_podmans_namespaces(lambda: held_paths.remove_tree(path))

    def release_others(self, pod: str, containers: Collection[str]) -> None:
        """Unmount what was given to containers of the pod other than these."""
        for name in self._names(self._places / pod) - {*containers}:
            self.release(pod, name)

    def pods(self) -> frozenset[str]:
        """The pods that something was mounted for."""
        return self._names(self._places)

    def mounted(self, pod: str) -> frozenset[tuple[str, int]] | None:
        """The mounts of a pod, by container and number; None if they cannot be listed."""
        path = self._places / pod
        points = self._points_below(path)
        if points is None:
            return None
        steps = (point[len(f"{path}/") :].split("/") for point in points)
        return frozenset((found[0], int(found[1])) for found in steps if len(found) == 2)

    def _names(self, path: Path) -> frozenset[str]:
        """What is in one of our folders: a user sees there only what is mounted."""
        if os.geteuid() == 0:
            with contextlib.suppress(FileNotFoundError):
                return frozenset(os.listdir(path))
            return frozenset()
        return frozenset(point[len(f"{path}/") :].split("/")[0] for point in self._points_below(path) or ())

    def _points_below(self, path: Path) -> list[str] | None:
        process = mounting_process()
        if not process:
            return None
        with contextlib.suppress(OSError):
            return [point for point in held_paths.mounts_below(path, process) if point != str(path)]
        return None

    def _make_directory(self) -> None:
        """One that only we can enter, whoever made it."""
        for path in (self.directory.parent, self.directory, self._places):
            path.mkdir(mode=0o700, exist_ok=True)
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
                raise HostError(f"{path} can be changed by others, so nothing is mounted below it; remove it")

    def _make_places(self) -> None:
        with _locked(self.directory):
            if str(self._places) not in held_paths.mounts_below(self._places):
                flags = held_paths.MS_NOSUID | held_paths.MS_NODEV | held_paths.MS_NOEXEC
                held_paths.mount("podwright", str(self._places), "tmpfs", flags, "mode=0700,size=16m")
                # Private: only Podman sees these mounts.
                held_paths.mount("", str(self._places), flags=held_paths.MS_PRIVATE)


@contextlib.contextmanager
def _locked(directory: Path) -> Iterator[None]:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
