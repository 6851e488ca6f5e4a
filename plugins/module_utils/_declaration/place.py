# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in an input we are, what is wrong there, and how faults show names and values."""

from __future__ import annotations

import datetime
import difflib
import functools
import re
from collections.abc import Iterator
from collections.abc import Mapping as MappingT
from collections.abc import Sequence as SequenceT
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import Enum
from typing import Any

from .._errors import Fault


class Style(Enum):
    """How the input spells field names."""

    NATIVE = "native"
    KUBERNETES = "kubernetes"

    # Each member is there once; that of Enum is written in Python, and a declaration asks for it at every field.
    __hash__ = object.__hash__


_CAMEL_EXCEPTIONS = {
    "downward_api": "downwardAPI",
    "host_ip": "hostIP",
    "host_ipc": "hostIPC",
    "host_pid": "hostPID",
    "client_ip": "clientIP",
    "cluster_ip": "clusterIP",
    "external_ips": "externalIPs",
    "load_balancer_ip": "loadBalancerIP",
    "scale_io": "scaleIO",
    "set_hostname_as_fqdn": "setHostnameAsFQDN",
}

# No real number of a declaration has more digits; Python itself refuses to write out ones of a few thousand.
MAX_DIGITS = 40
MAX_SHOWN_CHARACTERS = 60
_MAX_KEY_CHARACTERS = 80
_MAX_REASON_CHARACTERS = 600
_PLAIN_KEY = re.compile(r"[-\w]{1,80}", re.ASCII)


@functools.lru_cache(maxsize=4096)
def spell(name: str, style: Style) -> str:
    """The spelling of the snake_case ``name`` in ``style``."""
    if style is Style.NATIVE:
        return name
    if name in _CAMEL_EXCEPTIONS:
        return _CAMEL_EXCEPTIONS[name]
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


class _Invalid:
    """Stands for a value whose fault has been noted, so that the rest can still be judged in the same pass.

    It is silent: any attribute, item or call gives INVALID again, it is false, iterates over nothing, and neither
    equals nor differs from anything. It never leaves the parser, which raises once a fault was noted.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: object) -> Any:
        return self

    def __getitem__(self, key: object) -> Any:
        return self

    def __add__(self, other: Any) -> Any:
        return other

    __radd__ = __add__

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __contains__(self, item: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return False

    def __lt__(self, other: object) -> bool:
        return False

    __gt__ = __le__ = __ge__ = __lt__

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return "INVALID"


INVALID: Any = _Invalid()


@dataclass(frozen=True)
class Note:
    """What a document says and no host keeps: where, and what. ``is_warning``: somebody may count on it."""

    path: str
    reason: str
    is_warning: bool = False

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True)
class Place:
    """Where in the input we are; children share the lists of faults and notes.

    ``notes`` is None where nothing is passed over, so that what no host keeps is a fault.
    """

    path: str
    style: Style
    faults: list[Fault] = dataclass_field(default_factory=list)
    notes: list[Note] | None = None

    def key(self, name: str) -> Place:
        """The place of a field, given by its snake_case name."""
        return self.raw(spell(name, self.style))

    def raw(self, name: str) -> Place:
        """The place of a key that is spelled the same in both styles, such as a label."""
        plain = _PLAIN_KEY.fullmatch(name) is not None
        step = name if plain else f'["{_shortened(_printable(name), _MAX_KEY_CHARACTERS)}"]'
        joined = f"{self.path}.{step}" if self.path and plain else self.path + step
        return Place(joined, self.style, self.faults, self.notes)

    def index(self, number: int) -> Place:
        return Place(f"{self.path}[{number}]", self.style, self.faults, self.notes)

    def fault(self, reason: str) -> Any:
        """Note what is wrong here; returns INVALID so that a parser can return the call."""
        self.faults.append(Fault(self.path, _shortened(_printable(reason), _MAX_REASON_CHARACTERS)))
        return INVALID

    def note(self, what: str, is_warning: bool = False) -> None:
        """Note what is said here and not kept. Only where there are ``notes``."""
        if self.notes is not None:
            self.notes.append(Note(self.path, _shortened(_printable(what), _MAX_REASON_CHARACTERS), is_warning))

    def tell(self, what: str, is_warning: bool = False) -> None:
        """Note what is said here and not kept, or refuse it where nothing is passed over."""
        if self.notes is None:
            self.fault(what)
        else:
            self.note(what, is_warning)


def shown(value: object) -> str:
    """A value as reasons show it: on one line, short, whatever it is."""
    if isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
        return f"a number of more than {MAX_DIGITS} digits"
    if isinstance(value, (MappingT, list, tuple, set)):
        return kind_of(value)
    return _shortened(repr(value[: 2 * MAX_SHOWN_CHARACTERS] if isinstance(value, str) else value))


def _shortened(text: str, limit: int = MAX_SHOWN_CHARACTERS) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _printable(text: str) -> str:
    """``text`` on one line, with escapes for what a terminal would obey or could not show."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


# Ansible's own types derive from these. A boolean is an int too, so it comes first.
_KIND_WORDS: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "a number"),
    (float, "a number"),
    (str, "text"),
    (bytes, "binary data"),
    (datetime.date, "a date"),
)


def kind_of(value: object, secret: bool = False) -> str:
    """What kind of value was given; the value itself as well where that says more and it is no ``secret``."""
    if isinstance(value, MappingT):
        return "a mapping"
    if isinstance(value, (list, tuple, set)):
        return "a list"
    if not secret:
        return shown(value)
    return next((word for kind, word in _KIND_WORDS if isinstance(value, kind)), "something else")


def suggest(given: str, known: tuple[str, ...]) -> str:
    """``; did you mean ...?`` where one of ``known`` is near to what was given."""
    lower = {name.lower(): name for name in known if name}
    wanted = given.lower()[:_MAX_KEY_CHARACTERS]
    near = difflib.get_close_matches(wanted, lower, 1, 0.7)
    # "name" for "claim_name", "secret_name" for "name"
    near = near or [name for name in lower if min(len(name), len(wanted)) > 3 and _end_alike(name, wanted)]
    return f"; did you mean {lower[near[0]]}?" if len(near) == 1 else ""


def _end_alike(one: str, other: str) -> bool:
    return one.endswith(other) or other.endswith(one)


class WrittenNumber(int):
    """A whole number that YAML has read from something else than its digits, such as 0123, 12:30:45 or 1_000."""

    text: str

    @classmethod
    def of(cls, value: int, text: str) -> WrittenNumber:
        number = cls(value)
        number.text = text
        return number

    @property
    def is_ambiguous(self) -> bool:
        """Whether some take the text for another number, as 010 is 8 and 10, or for none, as 22:22 is."""
        return re.fullmatch(r"0x[0-9a-fA-F_]+|[1-9][0-9_]*", self.text.lstrip("+-"), re.ASCII) is None


def has_faults(group: SequenceT[Any]) -> bool:
    """Whether a named item of the group is faulty, so that a name missing from it proves nothing."""
    return group is INVALID or any(item is INVALID or item.name is INVALID for item in group)
