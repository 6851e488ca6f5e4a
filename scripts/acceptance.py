"""Counts how much of a directory of Kubernetes manifests is accepted as it is, and why the rest is not.

``scripts/acceptance.py DIR`` reads every YAML and JSON file below DIR. It counts the templates of Pods (those of Pods
themselves and of workloads), each read with the ConfigMaps, Secrets and claims of its folder; and the folders that hold
one, each read whole, as the module ``stack`` would read it. Reasons come with the number of templates or folders that
have them, the most frequent first. Nothing is built: a kustomization counts by the other files of its folder.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT / "collections"))

from ansible_collections.podwright.pods.plugins.module_utils._declaration import manifest  # noqa: E402
from ansible_collections.podwright.pods.plugins.module_utils._declaration.foreign import reason, set_apart  # noqa: E402
from ansible_collections.podwright.pods.plugins.module_utils._declaration.place import Note  # noqa: E402
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options  # noqa: E402
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.fields import OPTIONS  # noqa: E402
from ansible_collections.podwright.pods.plugins.module_utils._errors import Fault, InvalidInput  # noqa: E402
from ansible_collections.podwright.pods.plugins.module_utils._host.declaration_files import (  # noqa: E402
    SUFFIXES,
    Named,
    content_of,
    named,
)
from ansible_collections.podwright.pods.plugins.module_utils._host.kustomization import FILES  # noqa: E402

TEMPLATES = ("Pod", "PodTemplate", *OPTIONS.values())
"""The kinds that have, or are, a template of Pods."""
CONFIGURATION = ("ConfigMap", "Secret", "PersistentVolumeClaim")
"""The kinds that a template may refer to."""


@dataclass
class Count:
    """What was accepted of how many, and for each reason how many were refused for it."""

    accepted: int = 0
    total: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, faults: Iterable[str]) -> None:
        """One more, refused for these reasons; accepted where there are none."""
        reasons = {*faults}
        self.total += 1
        self.accepted += not reasons
        self.reasons.update(reasons)


@dataclass
class Acceptance:
    templates: Count = field(default_factory=Count)
    folders: Count = field(default_factory=Count)


def count(directory: Path) -> Acceptance:
    """Reads all that is below the directory."""
    found = Acceptance()
    for folder in sorted({file.parent for file in files_below(directory)}):
        documents, unread = read_folder(folder)
        templates = [item for item in documents if kind_of(item[1]) in TEMPLATES]
        beside = [item for item in documents if kind_of(item[1]) in CONFIGURATION and not faults_of([item])]
        for template in templates:
            found.templates.add(reasons_of(faults_of([template, *beside])))
        if templates:
            found.folders.add(reasons_of([*unread, *faults_of(documents)]))
    return found


def files_below(directory: Path) -> Iterator[Path]:
    """The files that may hold manifests; no hidden ones, and none of a kustomization itself."""
    for path in directory.rglob("*"):
        is_hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        if path.suffix in SUFFIXES and path.name not in FILES and path.is_file() and not is_hidden:
            yield path


def read_folder(folder: Path) -> tuple[list[Named], list[Fault]]:
    """The documents of a folder's files, each with its name, and the faults of what none can be read from."""
    documents: list[Named] = []
    faults: list[Fault] = []
    for file in sorted(file for file in folder.iterdir() if file.suffix in SUFFIXES and file.name not in FILES):
        try:
            documents += named(manifest.read(manifest.decode(content_of(file), file.name), file.name), file.name)
        except InvalidInput as error:
            faults += error.faults
    return set_apart(documents, faults, [], reason), faults


def kind_of(document: Any) -> str:
    kind = document.get("kind") if isinstance(document, dict) else None
    return kind if isinstance(kind, str) else ""


def faults_of(documents: list[Named]) -> tuple[Fault, ...]:
    """The faults of these documents as a stack; what is passed over with a note is none."""
    notes: list[Note] = []
    names = [name for name, _document in documents]
    try:
        parse_options({"name": "stack"}, [document for _name, document in documents], names, notes)
    except InvalidInput as error:
        return error.faults
    return ()


def reasons_of(faults: Iterable[Fault]) -> Iterator[str]:
    """Faults without what differs from file to file: names, numbers and values."""
    for fault in faults:
        path = re.sub(r'\[\d+\]|\["[^"]*"\]', "[]", fault.path)
        # The file comes first in the path; where the document is, no field comes after it.
        field_path = re.sub(r"^.*?\.(?:ya?ml|json)(?:\[\])?\.?", "", path)
        is_kind = field_path == "kind"
        reason = fault.reason if is_kind else re.sub(r"'[^']*'|\b\d+\b", "...", fault.reason)
        yield f"{field_path}: {reason}" if field_path else reason


def told(what: str, counted: Count, top: int) -> Iterator[str]:
    """The lines that tell of a count."""
    share = f" ({100 * counted.accepted / counted.total:.0f} %)" if counted.total else ""
    yield f"{what}: {counted.accepted} of {counted.total} accepted{share}"
    for words, number in sorted(counted.reasons.items(), key=lambda item: (-item[1], item[0]))[:top]:
        yield f"{number:6}  {words}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("directory", metavar="DIR", type=Path, help="where the manifests are")
    parser.add_argument("--top", metavar="N", type=int, default=20, help="how many reasons are told (20)")
    given = parser.parse_args()
    if not given.directory.is_dir():
        parser.error(f"{given.directory} is no directory")
    found = count(given.directory)
    for what, counted in (
        ("pod templates", found.templates),
        ("folders with an application", found.folders),
    ):
        print(*told(what, counted, given.top), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
