# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kubernetes YAML text -> documents. Used on the control node only: managed hosts have no PyYAML.

What is text in Kubernetes stays as it was written. Only plain decimal numbers, booleans and null are taken for
more: dates, ``1.10``, ``0644``, ``22:22`` and ``1_000`` are text, which every field that wants a number can read.
No message shows a value, since it may be a secret: it gives the line and the column, in the text as it was given.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable

from .._errors import Fault, InvalidInput
from .place import shown

MAX_CHARACTERS = 4 * 1024 * 1024
MAX_VALUES = 200_000
"""Values in one text, counting what an alias stands for every time it is used."""
_VALUES_OF_A_DOCUMENT = 10
"""What a document counts for by itself: it takes as long to read as this many values."""
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

    JSON documents may follow one another. Raises InvalidInput.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput([Fault(source, f"has {len(text)} characters, at most {MAX_CHARACTERS} are read")])
    unreadable = _UNREADABLE.search(text)
    if unreadable:
        line = text.count("\n", 0, unreadable.start()) + 1
        raise InvalidInput([Fault(source, f"line {line}: holds a control character, which YAML cannot")])
    # libyaml takes no text of a type of Ansible's own, whose methods give back that type.
    plain = _without_byte_order_marks(str.__str__(text))
    reader = _Reader(source)
    documents: list[Any] = []
    for part in _parts(plain):
        documents += reader.documents(part)
        if reader.has_given_up:
            break
    if reader.faults:
        raise InvalidInput(reader.faults)
    return documents


@dataclass(frozen=True)
class _Part:
    """A part of the text that is a whole stream of YAML by itself, and where it begins (line and column from 0)."""

    text: str
    line: int = 0
    column: int = 0


_UNREADABLE = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HALF = re.compile("[\ud800-\udfff]")
_SEPARATED_MARK = re.compile("(^(?:---|\\.\\.\\.)[^\n]*\n(?:[ \t\r]*(?:#[^\n]*)?\n)*)\ufeff", re.MULTILINE)
_JSON_SPACE = re.compile(r"(?:[ \t\r\n]|^---(?=[ \t\r]*$))*", re.MULTILINE)
_ESCAPED_PAIR = re.compile(r"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\.", re.DOTALL)


def _without_byte_order_marks(text: str) -> str:
    """The text without the marks before its documents, such as files that were joined have them."""
    if "\ufeff" not in text:
        return text
    text = text.lstrip("\ufeff").replace("\n\ufeff---", "\n---")
    return _SEPARATED_MARK.sub(r"\1", text)


def _parts(text: str) -> Iterator[_Part]:
    """The text as it is, or each of the JSON documents that it consists of, in the form that YAML reads."""
    ends = _ends_of_json(text)
    if not ends:
        # Without the end of its last line YAML would leave the line break out of a block of text (|) as well.
        is_open = text != "" and text[-1] not in "\n\r\x85\u2028\u2029" and ("|" in text or ">" in text)
        yield _Part(text + "\n" if is_open else text)
        return
    line = column = start = 0
    for end in ends:
        part = text[start:end]
        yield _Part(_json_as_yaml(part), line, column)
        breaks = part.count("\n")
        line, column = line + breaks, len(part) - part.rfind("\n") - 1 if breaks else column + len(part)
        start = end


def _ends_of_json(text: str) -> list[int]:
    """Where each of the JSON documents in the text ends; empty where it is anything else than JSON documents."""
    ends: list[int] = []
    decoder = json.JSONDecoder()
    position = _after_space(text, 0)
    while position < len(text):
        if text[position] != "{":
            return []
        try:
            position = decoder.raw_decode(text, position)[1]
        except (ValueError, RecursionError):
            return []
        position = _after_space(text, position)
        ends.append(position)
    return ends


def _after_space(text: str, position: int) -> int:
    space = _JSON_SPACE.match(text, position)
    return space.end() if space else position


def _json_as_yaml(text: str) -> str:
    """JSON that YAML reads as the same: no tabs between its values, and no emoji escaped as two halves."""
    text = text.replace("\t", " ")
    if "\\u" not in text:
        return text
    return _ESCAPED_PAIR.sub(lambda match: json.loads(f'"{match[1]}"') if match[1] else match[0], text)


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


# What libyaml and PyYAML say, in words that help whoever wrote the text and that quote nothing from it.
_REASONS = (
    (r"found character .*that cannot start", "no value can start with this character; put it in quotes"),
    (r"found undefined tag handle", "a tag (!name) that is not known; put text that starts with ! in quotes"),
    (r"unknown escape|hexdecimal|escape code", "an escape that YAML does not know; use single quotes, or write \\\\"),
    (r"mapping values are not allowed", "a ': ' where none can be; check the indentation, or put the text in quotes"),
    (r"could not find expected ':'", "a line without ':'; check the indentation, or put the text in quotes"),
    (
        r"expected (<block end>|key|'-' indicator)",
        "does not line up with the lines above; check the indentation and the quotes",
    ),
    (r"found unexpected (end of stream|document separator)", "quotes that are not closed"),
    (
        r"but (found|got)|did not find expected",
        "something else is expected here; check the quotes, the brackets and the indentation",
    ),
)


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
_STARTS = frozenset("~nNyYoOtTfF-0123456789")
"""What text that is more than text begins with."""
_LITERAL_TAGS = {_TAG + "null": "NoneType", _TAG + "bool": "bool", _TAG + "int": "int"}
_TAG_REASON = (
    "a tag that is not known; put text that starts with ! in quotes, "
    "and give what Ansible Vault encrypts in the task's own options"
)


class _Reader:
    """Builds plain values from PyYAML's events; notes keys given twice, and bounds what hostile text grows to."""

    def __init__(self, source: str) -> None:
        self.faults: list[Fault] = []
        self.has_given_up = False
        """Whether the last fault was one that ended the reading."""
        self._source = source
        self._part = _Part("")
        self._count = 0
        self._anchors: dict[str, _Anchored | None] = {}
        self._events: Iterator[Any] = iter(())

    def documents(self, part: _Part) -> Iterator[Any]:
        """Every document's value, None for empty ones. Notes what ends the reading as a fault."""
        import yaml  # here, so that managed hosts can import this file

        self._part = part
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            self._events = _events(loader(part.text))
            for event in self._events:
                if _kind(event) == "DocumentStart":
                    self._anchors = {}
                    self._advance(event.start_mark, _VALUES_OF_A_DOCUMENT, 0)
                elif _kind(event) not in ("StreamStart", "DocumentEnd", "StreamEnd"):
                    yield self._value(event, 0)[0]
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._give_up(mark, self._reason(error, mark))
        except yaml.YAMLError:
            self._give_up(None, "holds a character that YAML cannot")
        except _Refused as error:
            self._give_up(error.mark, str(error))

    def _give_up(self, mark: Any, reason: str) -> None:
        self.has_given_up = True
        self.faults.append(self.fault(mark, reason))

    def fault(self, mark: Any, reason: str) -> Fault:
        if not mark:
            return Fault(self._source, reason)
        column = mark.column + 1 + (0 if mark.line else self._part.column)
        return Fault(self._source, f"line {self._line(mark)}, column {column}: {reason}")

    def _line(self, mark: Any) -> int:
        return int(self._part.line + mark.line + 1)

    def _reason(self, error: Any, mark: Any) -> str:
        problem = str(error.problem or error.context or "is not YAML")
        if mark and "cannot start" in problem and self._part.text[mark.index : mark.index + 1] == "\t":
            return "a tab, which cannot indent YAML; use spaces"
        found = (reason for pattern, reason in _REASONS if re.search(pattern, problem))
        reason = next(found, re.sub(r"'[^']*'", "'...'", problem))
        opened = re.search(r"quoted|flow (mapping|sequence)", str(error.context)) and error.context_mark
        return f"{reason} (what is not closed begins on line {self._line(opened)})" if opened else reason

    def _value(self, event: Any, depth: int) -> tuple[Any, int]:
        """The value that starts with ``event``, ``depth`` levels down, and how many levels it has itself."""
        if _kind(event) == "Alias":
            return self._repeat(event, depth)
        self._advance(event.start_mark, 1, depth)
        before = self._count
        if event.anchor:
            self._anchors[event.anchor] = None
        if _kind(event) == "Scalar":
            value, height = self._scalar(event), 0
        elif event.tag not in (None, "!", _TAG + ("seq" if _kind(event) == "SequenceStart" else "map")):
            raise _Refused(event.start_mark, _TAG_REASON)
        else:
            value, height = (self._sequence if _kind(event) == "SequenceStart" else self._mapping)(depth)
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
            if event.style == '"' and _HALF.search(event.value):
                raise _Refused(event.start_mark, "an escape of half a character (a lone surrogate)")
            return event.value
        if event.tag == _TAG + "binary":
            return self._binary(event)
        if event.tag not in _LITERAL_TAGS:
            raise _Refused(event.start_mark, _TAG_REASON)
        value = _resolve(event.value)
        if type(value).__name__ != _LITERAL_TAGS[event.tag]:
            raise _Refused(event.start_mark, "a tag that does not fit its value")
        return value

    def _binary(self, event: Any) -> str:
        """The text that base64 stands for, as kubectl puts it in its place."""
        try:
            return base64.b64decode("".join(event.value.split()), validate=True).decode()
        except ValueError:
            reason = (
                "!!binary is for text in base64; give other content without this tag, in binaryData or a Secret's data"
            )
            raise _Refused(event.start_mark, reason) from None

    def _sequence(self, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        height = 0
        for event in self._events:
            if _kind(event) == "SequenceEnd":
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
            if _kind(event) == "MappingEnd":
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
                self.faults.append(
                    self.fault(mark, f"the key {name} is given twice, first on line {self._line(first)}")
                )
            own[key] = item
        for mapping in merged:
            for key, item in mapping.items():
                own.setdefault(key, item)
        return own, height + 1

    def _key(self, event: Any, depth: int) -> Any:
        if _kind(event) == "Scalar" and event.value == "<<" and event.tag is None and event.implicit[0]:
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


def _events(loader: Any) -> Iterator[Any]:
    """The events of a text. PyYAML's own parser, where libyaml is missing, says of some escapes ValueError only."""
    import yaml

    try:
        while loader.check_event():
            yield loader.get_event()
    except (ValueError, OverflowError):
        raise yaml.MarkedYAMLError(None, None, "unknown escape", loader.get_mark()) from None


def _kind(event: Any) -> str:
    return type(event).__name__[: -len("Event")]


def _resolve(text: str) -> Any:
    if text and text[0] not in _STARTS:
        return text
    return next((build(text) for pattern, build in _PLAIN if pattern.fullmatch(text)), text)
