# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records: what was applied to each pod, and the status that was given of it last."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..._declaration import spec as s
from ..._declaration.parse import parse_options
from ..._errors import DamagedState, HostError, InvalidInput, NewerState
from ..._reconcile.context import Owner, RestartOnChange, Settings
from ..._reconcile.rendering.limits import requested
from .. import state_files
from .folders import StateFolders, folders_of_objects

RECORD_VERSION = 2
"""Records of version 1 have no ``begun_at``."""
UNFIT = (ValueError, LookupError, TypeError, AttributeError, RecursionError, InvalidInput)
"""What readers raise for data of the wrong form."""


@dataclass(frozen=True)
class Applied:
    """A declaration that was applied, with the image each container was made from."""

    pod: s.PodSpec
    images: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """The last declaration applied to a pod.

    ``is_verified``: it became ready. Until then ``previous`` is the last one that did, to go back to.
    ``is_stopped``: the pod was stopped on purpose since. ``begun_at``: when it was to run for the first time, or again
    after it was stopped or had failed for good, in whole seconds since the epoch.
    """

    applied: Applied
    is_verified: bool = False
    previous: Applied | None = None
    is_stopped: bool = False
    settings: Settings = field(default_factory=Settings)
    begun_at: float = 0

    def verified(self, images: Mapping[str, str]) -> Record:
        """The record once the pod was seen ready as it is declared, made from these images."""
        return replace(self, applied=Applied(self.applied.pod, images), is_verified=True, previous=None)

    @property
    def last_verified(self) -> Applied | None:
        return self.applied if self.is_verified else self.previous


_PARSED_RECORDS: dict[str, tuple[bytes, Record]] = {}
"""Of each file of a record that was read its content, and what that says."""


class PodRecords(StateFolders):
    """The records and statuses of pods, ``record.json`` and ``status.json`` in the folder of each."""

    def read_record(self, pod: str) -> Record | None:
        """The pod's record. Raises DamagedState, or NewerState when it was written by a newer release."""
        path, remedy = self.record_file(pod), _remedy_of_record(pod)
        content = state_files.read(path, remedy)
        if content is None:
            _PARSED_RECORDS.pop(str(path), None)
            return None
        known = _PARSED_RECORDS.get(str(path))
        if known is None or known[0] != content:
            # A run asks several times, and the agent's one after the other; parsing takes far longer than reading.
            known = _PARSED_RECORDS[str(path)] = (content, _parse_record(path, content, remedy))
        return known[1]

    def record_file(self, pod: str) -> Path:
        return self._pods.joinpath(pod, "record.json")

    def write_record(self, pod: str, record: Record) -> None:
        cpu_millicores, memory_bytes = requested(record.applied.pod)
        data = {
            "version": RECORD_VERSION,
            "applied": _write_applied(record.applied),
            "is_verified": record.is_verified,
            "is_stopped": record.is_stopped,
            "previous": _write_applied(record.previous) if record.previous else None,
            "settings": write_settings(record.settings),
            "begun_at": record.begun_at,
            "requests": {"cpu_millicores": cpu_millicores, "memory_bytes": memory_bytes},
        }
        state_files.make_directory(self._pod(pod))
        state_files.write_object(self.record_file(pod), data)

    def read_status(self, pod: str) -> dict[str, Any] | None:
        """The status document last written, with its transition times; None where there is none that can be read."""
        try:
            return state_files.read_object(self._pods.joinpath(pod, "status.json"))
        except HostError:
            return None

    def write_status(self, pod: str, status: Mapping[str, Any]) -> None:
        if self._pod(pod).is_dir() and self.read_status(pod) != status:
            with contextlib.suppress(FileNotFoundError):
                state_files.write_object(self._pods.joinpath(pod, "status.json"), status, is_lasting=False)

    def recorded_pods(self, beginning: str = "") -> tuple[str, ...]:
        """The pods that have a folder here and a name that begins so. Anything else beside these is ignored."""
        return folders_of_objects(self._pods, beginning)

    def recorded_requests(self, pod: str) -> tuple[int, int]:
        """A recorded pod's requests: CPU in millicores, memory in bytes. Zeros if the record cannot be read."""
        try:
            requests = (state_files.read_object(self.record_file(pod)) or {}).get("requests") or {}
            return int(requests.get("cpu_millicores", 0)), int(requests.get("memory_bytes", 0))
        except (HostError, AttributeError, TypeError, ValueError):
            return 0, 0


def _remedy_of_record(pod: str) -> str:
    return f"run podwright repair {pod}, or move it away: the next run then records the pod again"


def _parse_record(path: Path, content: bytes, remedy: str) -> Record:
    data = state_files.parse_object(path, content, remedy)
    try:
        refuse_newer(path, data["version"], RECORD_VERSION)
        previous = _read_applied(data["previous"]) if data.get("previous") else None
        return Record(
            applied=_read_applied(data["applied"]),
            is_verified=bool(data["is_verified"]),
            previous=previous,
            is_stopped=bool(data.get("is_stopped")),
            settings=read_settings(data.get("settings") or {}),
            begun_at=float(data.get("begun_at") or 0),
        )
    except UNFIT as error:
        raise DamagedState(path, f"it holds no record ({type(error).__name__}: {error})", remedy) from error


def refuse_newer(path: Path, version: int, known: int) -> None:
    """Raise NewerState for a record of a later version than the one that is known."""
    if version > known:
        raise NewerState(
            f"{path} was written by a newer podwright.pods (record version {version}, this one reads "
            f"{known}); update the collection on the control node"
        )


def _read_applied(data: Mapping[str, Any]) -> Applied:
    return Applied(parse_options(data["pod"]), dict(data["images"]))


def _write_applied(applied: Applied) -> dict[str, Any]:
    return {"pod": s.to_options(applied.pod), "images": dict(applied.images)}


def read_settings(data: Mapping[str, Any]) -> Settings:
    """What `write_settings` made."""
    restarts = RestartOnChange(**(data.get("restart_on_change") or {}))
    owner = Owner(**data["owner"]) if data.get("owner") else None
    return Settings(
        restarts,
        data.get("stack") or "",
        dict(data.get("allocatable") or {}),
        dict(data.get("host_labels") or {}),
        owner,
    )


def write_settings(settings: Settings) -> dict[str, Any]:
    """Settings in a plain form."""
    restarts = settings.restart_on_change
    return {
        "restart_on_change": {"environment": restarts.environment, "files": restarts.files},
        "stack": settings.stack,
        "allocatable": dict(settings.allocatable),
        **({"host_labels": dict(settings.host_labels)} if settings.host_labels else {}),
        **({"owner": dataclasses.asdict(settings.owner)} if settings.owner else {}),
    }
