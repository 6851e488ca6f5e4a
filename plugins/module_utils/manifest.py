# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes YAML text -> documents. Used on the control node only: managed hosts have no PyYAML.

What is text in Kubernetes stays as it was written. Only plain decimal numbers, booleans and null are taken for
more: dates, ``1.10``, ``0644``, ``22:22`` and ``1_000`` are text, which every field that wants a number can read.
No message shows a value, since it may be a secret: it gives the line and the column, in the text as it was given.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable

from .errors import Fault, InvalidInput
from .schema import shown

MAX_CHARACTERS = 4 * 1024 * 1024
MAX_VALUES = 200_000
"""Values in one text, counting what an alias stands for every time it is used."""
MAX_DEPTH = 64
"""Levels of lists and mappings within one another; a Pod has about a dozen."""


def read(definition: Any, source: str = "definition") -> list[Any]:
    """The documents of a definition: YAML (or JSON) text, one document, or a list of either.

    Empty documents are left out and Lists are taken apart. Raises InvalidInput, whose faults name ``source``.
    """
    if isinstance(definition, str):
        documents = parse(definition, source)
    elif isinstance(definition, (list, tuple)):
        documents = []
        for number, item in enumerate(definition):
            documents.extend(parse(item, f"{source}[{number}]") if isinstance(item, str) else [item])
    else:
        documents = [definition]
    flat = (item for document in documents for item in _flatten(document, source, 0))
    return [document for document in flat if document is not None]


def decode(content: bytes, source: str) -> str:
    """The text of a file; raises InvalidInput when it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput([Fault(source, f"line {line}: is not UTF-8 text; save the file as UTF-8")]) from None


def parse(text: str, source: str = "definition") -> list[Any]:
    """The documents of YAML text as mappings, lists, text, whole numbers and booleans, None for empty ones.

    Raises InvalidInput.
    """
    import yaml  # here, so that managed hosts can import this file

    if len(text) > MAX_CHARACTERS:
        raise InvalidInput([Fault(source, f"has {len(text)} characters, at most {MAX_CHARACTERS} are read")])
    # libyaml is many times faster. What it refuses is read again by PyYAML's own parser, whose words are better.
    if hasattr(yaml, "CSafeLoader"):
        reader = _Reader(source)
        with contextlib.suppress(yaml.YAMLError, _Refused, UnicodeEncodeError):
            # By way of bytes, for libyaml takes no text of a type of Ansible's own.
            plain = text.encode().decode()
            documents = list(reader.documents(yaml.parse(plain, Loader=yaml.CSafeLoader)))
            if not reader.faults:
                return documents
    reader = _Reader(source)
    try:
        documents = list(reader.documents(yaml.parse(text, Loader=yaml.SafeLoader)))
    except yaml.MarkedYAMLError as error:
        raise InvalidInput([*reader.faults, reader.fault(error.problem_mark, _reason(error))]) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InvalidInput([Fault(source, f"line {line}: holds a control character, which YAML cannot")]) from None
    except _Refused as error:
        raise InvalidInput([*reader.faults, reader.fault(error.mark, str(error))]) from None
    if reader.faults:
        raise InvalidInput(reader.faults)
    return documents


_LISTS = ("List", "PodList", "ConfigMapList", "SecretList", "PersistentVolumeClaimList")


def _flatten(document: Any, source: str, depth: int) -> Iterator[Any]:
    """The document itself, or the items of a ``kind: List`` (``PodList``, ...)."""
    kind = document.get("kind") if isinstance(document, Mapping) else None
    if not isinstance(kind, str) or kind not in _LISTS:
        yield document
        return
    items = document.get("items")
    if not isinstance(items, (list, tuple)):
        raise InvalidInput([Fault(f"{source}.items", f"expected a list, since the kind is {kind}")])
    if depth == MAX_DEPTH:
        raise InvalidInput([Fault(source, f"holds more than {MAX_DEPTH} Lists within one another")])
    for item in items:
        yield from _flatten(item, source, depth + 1)


# What PyYAML says, in words that help whoever wrote the text and that quote nothing from it.
_REASONS = (
    (r"found character '\\t'", "a tab, which cannot indent YAML; use spaces"),
    (r"found character .* that cannot start", "no value can start with this character; put it in quotes"),
    (r"found undefined tag handle", "a tag (!name) that is not known; put text that starts with ! in quotes"),
    (r"found unknown escape|hexdecimal numbers", "an escape that YAML does not know; use single quotes, or write \\\\"),
    (r"mapping values are not allowed", "a ': ' where none can be; check the indentation, or put the text in quotes"),
    (r"could not find expected ':'", "a line without ':'; check the indentation, or put the text in quotes"),
    (r"expected <block end>", "does not line up with the lines above; check the indentation and the quotes"),
    (r"found unexpected (end of stream|document separator)", "quotes that are not closed"),
    (r"but (found|got)", "something else is expected here; check the quotes, the brackets and the indentation"),
)


def _reason(error: Any) -> str:
    problem = str(error.problem or error.context or "is not YAML")
    found = (reason for pattern, reason in _REASONS if re.search(pattern, problem))
    reason = next(found, re.sub(r"'[^']*'", "'...'", problem))
    opened = re.search(r"quoted|flow", str(error.context)) and error.context_mark
    return f"{reason} (what is not closed begins on line {opened.line + 1})" if opened else reason


class _Refused(Exception):
    """Is YAML, but not for us."""

    def __init__(self, mark: Any, reason: str) -> None:
        self.mark = mark
        super().__init__(reason)


@dataclass(frozen=True)
class _Anchored:
    """What an anchor stands for: its value, the values in it, and the levels below it."""

    value: Any
    size: int
    height: int


_TAG = "tag:yaml.org,2002:"
_PLAIN: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"(~|null|Null|NULL)?"), lambda text: None),
    (re.compile(r"yes|Yes|YES|on|On|ON|true|True|TRUE"), lambda text: True),
    (re.compile(r"no|No|NO|off|Off|OFF|false|False|FALSE"), lambda text: False),
    (re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII), int),
)
_LITERAL_TAGS = {_TAG + "null": "NoneType", _TAG + "bool": "bool", _TAG + "int": "int"}
_TAG_REASON = (
    "a tag that is not known; put text that starts with ! in quotes, "
    "and give what Ansible Vault encrypts in the task's own options"
)


class _Reader:
    """Builds plain values from PyYAML's events; notes keys given twice, and bounds what hostile text grows to."""

    def __init__(self, source: str) -> None:
        self.faults: list[Fault] = []
        self._source = source
        self._count = 0
        self._anchors: dict[str, _Anchored | None] = {}
        self._events: Iterator[Any] = iter(())

    def fault(self, mark: Any, reason: str) -> Fault:
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        return Fault(self._source, where + reason)

    def documents(self, events: Iterator[Any]) -> Iterator[Any]:
        """Every document's value, None for empty ones."""
        self._events = events
        for event in events:
            if _is(event, "DocumentStart"):
                self._anchors = {}
            elif not _is(event, "StreamStart", "DocumentEnd", "StreamEnd"):
                yield self._value(event, 0)[0]

    def _value(self, event: Any, depth: int) -> tuple[Any, int]:
        """The value that starts with ``event``, ``depth`` levels down, and how many levels it has itself."""
        if _is(event, "Alias"):
            return self._repeat(event, depth)
        self._advance(event.start_mark, 1, depth)
        before = self._count
        if event.anchor:
            self._anchors[event.anchor] = None
        if _is(event, "Scalar"):
            value, height = self._scalar(event), 0
        elif event.tag not in (None, "!", _TAG + ("seq" if _is(event, "SequenceStart") else "map")):
            raise _Refused(event.start_mark, _TAG_REASON)
        else:
            value, height = (self._sequence if _is(event, "SequenceStart") else self._mapping)(depth)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(value, 1 + self._count - before, height)
        return value, height

    def _advance(self, mark: Any, count: int, depth: int) -> None:
        self._count += count
        if self._count > MAX_VALUES:
            raise _Refused(mark, f"more than {MAX_VALUES} values, counting what aliases repeat")
        if depth > MAX_DEPTH:
            raise _Refused(mark, f"more than {MAX_DEPTH} levels within one another")

    def _repeat(self, event: Any, depth: int) -> tuple[Any, int]:
        if event.anchor not in self._anchors:
            reason = "an alias (*name) whose anchor is not defined above; put text that starts with * in quotes"
            raise _Refused(event.start_mark, reason)
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise _Refused(event.start_mark, "an alias to what it is itself a part of")
        self._advance(event.start_mark, anchored.size, depth + anchored.height)
        return anchored.value, anchored.height

    def _scalar(self, event: Any) -> Any:
        # implicit[0] says that the text is plain: neither quoted nor a block.
        if event.tag in (None, "!") and event.implicit[0]:
            return _resolve(event.value)
        if event.tag in (None, "!", _TAG + "str"):
            return _paired(event.value)
        if event.tag not in _LITERAL_TAGS:
            raise _Refused(event.start_mark, _TAG_REASON)
        value = _resolve(event.value)
        if type(value).__name__ != _LITERAL_TAGS[event.tag]:
            raise _Refused(event.start_mark, "a tag that does not fit its value")
        return value

    def _sequence(self, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        height = 0
        for event in self._events:
            if _is(event, "SequenceEnd"):
                break
            item, item_height = self._value(event, depth + 1)
            items.append(item)
            height = max(height, item_height)
        return items, height + 1

    def _mapping(self, depth: int) -> tuple[dict[Any, Any], int]:
        """Keys that are merged in (``<<``) give way to the mapping's own; earlier merges win over later ones."""
        own: dict[Any, Any] = {}
        first_marks: dict[tuple[type, Any], Any] = {}
        merged: list[Any] = []
        height = 0
        for event in self._events:
            if _is(event, "MappingEnd"):
                break
            key = self._key(event, depth)
            item_event = next(self._events)
            item, item_height = self._value(item_event, depth + 1)
            height = max(height, item_height)
            if key is _MERGE:
                merged += self._merged(item, item_event.start_mark)
                continue
            mark = event.start_mark
            first = first_marks.setdefault((type(key), key), mark)
            if first is not mark:
                name = shown(key) if re.fullmatch(r"[\w./-]+", str(key)) else "(not shown)"
                self.faults.append(self.fault(mark, f"the key {name} is given twice, first on line {first.line + 1}"))
            own[key] = item
        for mapping in merged:
            for key, item in mapping.items():
                own.setdefault(key, item)
        return own, height + 1

    def _key(self, event: Any, depth: int) -> Any:
        if _is(event, "Scalar") and event.value == "<<" and event.tag is None and event.implicit[0]:
            return _MERGE
        key, height = self._value(event, depth + 1)
        if height:
            raise _Refused(event.start_mark, "a list or mapping as a key; are these {{ }} of a template not rendered?")
        return key

    def _merged(self, value: Any, mark: Any) -> list[Any]:
        mappings = value if isinstance(value, list) else [value]
        if not all(isinstance(mapping, dict) for mapping in mappings):
            raise _Refused(mark, "<< merges nothing but mappings")
        return mappings


_MERGE = object()


def _is(event: Any, *kinds: str) -> bool:
    return type(event).__name__.removesuffix("Event") in kinds


def _paired(text: str) -> str:
    """``text`` with pairs of surrogates as the one character they stand for: JSON escapes emoji so, YAML does not."""
    if not re.search("[\ud800-\udfff]", text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _resolve(text: str) -> Any:
    return next((build(text) for pattern, build in _PLAIN if pattern.fullmatch(text)), text)
