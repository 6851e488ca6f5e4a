# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Typed tables of fields: one description serves the parser, the argument spec and both spellings.

A field is named once, in snake_case. Kubernetes documents spell it in camelCase; which spelling is read,
and shown in faults, is the ``Style`` of the place. Every fault of an input is collected, none is raised.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping as MappingT
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, Callable

from ..place import (
    INVALID,
    MAX_DIGITS,
    MAX_SHOWN_CHARACTERS,
    Place,
    Style,
    WrittenNumber,
    kind_of,
    shown,
    spell,
    suggest,
)
from ..quantity import Quantity

Check = Callable[[Any], "str | None"]
"""Gives the reason why a value is refused, or None."""


class Type:
    """Reads one kind of value. ``ansible`` is the type an argument spec gives it."""

    ansible: str = "raw"

    def parse(self, value: object, at: Place) -> Any:
        """The typed value, or INVALID after its faults were noted."""
        raise NotImplementedError

    def argument(self) -> dict[str, Any]:
        """This type as the entry of an Ansible argument spec."""
        return {"type": self.ansible}


@dataclass(frozen=True)
class Text(Type):
    """A string. Whole numbers are taken as their text (templating often loses the quotes).

    Other numbers are not, for YAML does not keep how they were written: 1.10 would be 1.1, and 12:30:45 be 45045. Nor
    are booleans and dates.

    No reason ever shows the value of a ``secret``.
    """

    check: Check | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False

    def parse(self, value: object, at: Place) -> Any:
        if isinstance(value, bool):
            return at.fault(f"expected a string, got {kind_of(value, self.secret)}; put it in quotes")
        if isinstance(value, (float, WrittenNumber)):
            return at.fault(self._number_reason(value))
        if isinstance(value, int) and abs(value) < 10**MAX_DIGITS:
            value = str(value)
        if not isinstance(value, str):
            return at.fault(f"expected a string, got {kind_of(value, self.secret)}")
        if "\0" in value:
            return at.fault("holds a NUL character")
        if re.search("[\ud800-\udfff]", value):
            return at.fault("holds half a character (a lone surrogate), which no program could read")
        if self.choices and value not in self.choices:
            choices = ", ".join(choice or '""' for choice in self.choices)
            return at.fault(f"{shown(value)} is not one of {choices}{suggest(value, self.choices)}")
        reason = self.check(value) if self.check else None
        return at.fault(reason) if reason else value

    def _number_reason(self, value: float | WrittenNumber) -> str:
        number = kind_of(value, self.secret)
        if isinstance(value, WrittenNumber) and not self.secret:
            return f"is written as {shown(value.text)}, which YAML reads as {number}; put it in quotes"
        return (
            f"expected a string, got {number}, and how it was written is not known; put it in quotes, "
            "or after a template give '| string'"
        )

    @property
    def refuses_empty(self) -> bool:
        """Whether empty text is not a value of this type."""
        return bool("" not in self.choices if self.choices else self.check and self.check(""))

    def argument(self) -> dict[str, Any]:
        spec: dict[str, Any] = {"type": "str"}
        if self.choices:
            spec["choices"] = list(self.choices)
        return spec


MAX_INT32 = 2**31 - 1
# No zeros in front: whether 010 means 8 or 10 is anybody's guess.
_INTEGER = re.compile(rf"[+-]?(0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}})", re.ASCII)


@dataclass(frozen=True)
class Integer(Type):
    """A whole number within bounds; the text of one is taken too, since templating yields text.

    No reason ever shows the value of a ``secret``.
    """

    minimum: int
    maximum: int = MAX_INT32
    secret: bool = False

    def parse(self, value: object, at: Place) -> Any:
        if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, WrittenNumber):
            if value.is_ambiguous:
                given = "a number that" if self.secret else shown(value.text)
                number = kind_of(int(value), self.secret)
                return at.fault(f"{given} is read as {number} by YAML; write it without zeros in front, ':' and '_'")
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            return at.fault(f"expected a whole number, got {kind_of(value, self.secret)}")
        given = "a number that" if self.secret else shown(value)
        if value < self.minimum:
            return at.fault(f"{given} is less than {self.minimum}")
        if value > self.maximum:
            return at.fault(f"{given} is more than {self.maximum}")
        return value

    def argument(self) -> dict[str, Any]:
        return {"type": "int"}


_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Boolean(Type):
    def parse(self, value: object, at: Place) -> Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.lower() in _BOOLEANS:
            return _BOOLEANS[value.lower()]
        return at.fault(f"expected true or false, got {kind_of(value)}")

    def argument(self) -> dict[str, Any]:
        return {"type": "bool"}


@dataclass(frozen=True)
class Amount(Type):
    """A Kubernetes quantity, not negative, such as ``500m`` or ``64Mi``."""

    check: Check | None = None

    def parse(self, value: object, at: Place) -> Any:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return at.fault(f"expected a quantity such as 500m or 64Mi, got {kind_of(value)}")
        if isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
            return at.fault(f"{shown(value)} is not a quantity that any host has")
        try:
            quantity = Quantity.parse(value)
        except ValueError as error:
            return at.fault(str(error))
        if quantity < Quantity.parse("0"):
            return at.fault(f"{shown(value)} is negative")
        reason = self.check(quantity) if self.check else None
        return at.fault(reason) if reason else quantity

    def argument(self) -> dict[str, Any]:
        return {"type": "str"}


class FileMode(Type):
    """Permission bits: ``"0644"`` (octal text) or the number that YAML makes of 0644."""

    def parse(self, value: object, at: Place) -> Any:
        if isinstance(value, str):
            if not re.fullmatch(r"0o?[0-7]{1,4}|0", value):
                return at.fault(f'{shown(value)} is not a file mode; write octal text such as "0644"')
            value = int(value.replace("o", ""), 8)
        if isinstance(value, bool) or not isinstance(value, int):
            return at.fault(f'expected a file mode such as "0644", got {kind_of(value)}')
        if not 0 <= value <= 0o777:
            given = f"0{value:o}" if 0 < value < 0o7777 else shown(value)
            return at.fault(f'{given} is not between 0 and 0777; write octal text such as "0644"')
        return value


@dataclass(frozen=True)
class PortReference(Type):
    """A port number, or the name of one of the container's ports."""

    def parse(self, value: object, at: Place) -> Any:
        if isinstance(value, str) and _INTEGER.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            return at.fault(f"expected a port number or name, got {kind_of(value)}")
        if isinstance(value, int) and not 1 <= value <= 65535:
            return at.fault(f"{shown(value)} is not a port (1 to 65535)")
        if value == "":
            return at.fault("is empty; give a port number or name")
        return value

    def argument(self) -> dict[str, Any]:
        return {"type": "str"}


@dataclass(frozen=True)
class Mapping(Type):
    """Free keys, which are never re-spelled: labels, data.

    No fault shows what a ``secret`` mapping holds but keys that it can have; ``no_log`` has Ansible hide its values.
    """

    value: Type
    check_key: Check | None = None
    secret: bool = False
    no_log: bool = False

    def parse(self, value: object, at: Place) -> Any:
        if not isinstance(value, MappingT):
            return at.fault(f"expected a mapping, got {kind_of(value, self.secret)}")
        result: dict[str, Any] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                result[shown(key)] = at.raw(shown(key)).fault(_key_reason(key))
                continue
            place = at.raw(key)
            reason = self.check_key(key) if self.check_key else None
            if reason and self.secret:
                result[key] = at.fault(_HIDDEN_KEY_REASON)
            elif reason:
                result[key] = place.fault(reason)
            elif item is None and not _null_is_empty(self.value, at):
                result[key] = place.fault('has no value; write "" for an empty one')
            else:
                result[key] = self.value.parse("" if item is None else item, place)
        return result

    def argument(self) -> dict[str, Any]:
        return {"type": "dict", "no_log": True} if self.no_log else {"type": "dict"}


# {password:VALUE} is a key without a value, since there is no space after its colon.
_HIDDEN_KEY_REASON = (
    "has a key that it cannot have, which is not shown here since it may hold a secret; is a space missing after a ':'?"
)


def _key_reason(key: object) -> str:
    return f"expected the key to be a string, got {shown(key)}; put it in quotes"


def _spelled(form: str, style: Style) -> str:
    """An example with its fields as ``style`` spells them."""
    return re.sub(r"\b[a-z]+(?:_[a-z]+)+\b", lambda match: spell(match[0], style), form)


def _null_is_empty(kind: Type, at: Place) -> bool:
    """Whether null stands for ``""``, as it does for text among the items of the API server's Go structures."""
    return at.style is Style.KUBERNETES and isinstance(kind, Text)


@dataclass(frozen=True)
class Sequence(Type):
    """A list; ``unique`` ones hold no item twice, ``unique_by`` names the field whose value no two items may share."""

    item: Type
    unique_by: str = ""
    unique: bool = False
    minimum: int = 0
    maximum: int = MAX_INT32
    secret: bool = False
    form: str = ""
    """An example of such a list, for whoever gave something else; of mappings only."""

    def parse(self, value: object, at: Place) -> Any:
        if not isinstance(value, (list, tuple)):
            return at.fault(f"expected a list, got {kind_of(value, self.secret)}{self._form(value, at)}")
        if len(value) < self.minimum:
            return at.fault("is empty; give at least one")
        if len(value) > self.maximum:
            at.fault(f"has {len(value)} items, at most {self.maximum} are allowed")
        result = [self._item(item, at.index(number)) for number, item in enumerate(value)]
        self._refuse_doubles(result, at)
        return tuple(result)

    def _item(self, value: object, at: Place) -> Any:
        if value is None and not _null_is_empty(self.item, at):
            return at.fault("is empty")
        if self.form and not isinstance(value, MappingT):
            form = _spelled(self.form, at.style).strip("[]")
            return at.fault(f"expected a mapping, got {kind_of(value, self.secret)}; write {form}")
        return self.item.parse("" if value is None else value, at)

    def _form(self, value: object, at: Place) -> str:
        """A hint that writes a single given item as a list."""
        if not isinstance(self.item, Text) or self.secret:
            return f"; write {_spelled(self.form, at.style)}" if self.form else ""
        words = value.split() if isinstance(value, str) else []
        are_plain = all(re.fullmatch(r"[-\w./=:%@+]+", word, re.ASCII) for word in words)
        items = ", ".join(json.dumps(word) for word in words) if are_plain else ""
        return f"; write [{items}]" if 0 < len(items) <= MAX_SHOWN_CHARACTERS else '; write ["...", "..."]'

    def _refuse_doubles(self, items: list[Any], at: Place) -> None:
        if not self.unique_by and not self.unique:
            return
        seen: dict[Any, Place] = {}
        for number, item in enumerate(items):
            key = getattr(item, self.unique_by) if self.unique_by else item
            place = at.index(number).key(self.unique_by) if self.unique_by else at.index(number)
            if key is INVALID or key is None:
                continue
            if key in seen:
                place.fault(f"{shown(key)} is already used by {seen[key].path}")
            seen.setdefault(key, place)

    def argument(self) -> dict[str, Any]:
        inner = self.item.argument()
        spec = {"type": "list", "elements": inner.pop("type")}
        spec.update(inner)
        return spec


_SUSPECTED_WORDS = frozenset({"secret", "secrets", "password", "token", "key"})


@dataclass(frozen=True)
class Field:
    """One field of an object. ``default`` holds when the input does not give it.

    ``zero_is_unset``: nor when it gives 0 or ``""``, which the API server cannot tell from nothing.
    """

    name: str
    type: Type
    required: bool = False
    default: Any = None
    zero_is_unset: bool = False

    def is_unset(self, value: object, style: Style) -> bool:
        """Whether a value that was given leaves the field at its default."""
        zeros: tuple[object, ...] = ("",) if isinstance(self.type, Text) else (0, "0")
        if self.zero_is_unset and not isinstance(value, bool) and value in zeros:
            return True
        return value == "" and style is Style.KUBERNETES and not self.required and _empty_is_unset(self.type)

    def argument(self) -> dict[str, Any]:
        spec = self.type.argument()
        if self.required:
            spec["required"] = True
        # Ansible suspects these names; they carry no secret themselves.
        if not _SUSPECTED_WORDS.isdisjoint(self.name.split("_")):
            spec.setdefault("no_log", False)
        return spec


def _empty_is_unset(kind: Type) -> bool:
    """Whether ``""`` leaves a field of this type at its default, as it does in the API server's Go structures."""
    return isinstance(kind, Text) and kind.refuses_empty


@dataclass(frozen=True)
class Object(Type):
    """A mapping with known fields, made into ``build`` (a frozen data class).

    ``one_of`` fields exclude one another (exactly one when ``one_required``). ``unsupported`` fields are
    refused with what to use instead, unless they are empty or hold one of their ``harmless`` values, which ask for
    nothing. Those that are ``noted`` as well are passed over with a note of why they are not kept, where there are
    notes. ``ignored`` ones are what a server writes into exported documents. No fault shows what is given in the
    place of a ``secret`` object, or in that of its field names.
    """

    build: Callable[..., Any]
    fields: tuple[Field, ...]
    check: Callable[[Any, Place], None] | None = None
    one_of: tuple[str, ...] = ()
    one_required: bool = False
    unsupported: MappingT[str, str] = dataclass_field(default_factory=dict)
    harmless: MappingT[str, tuple[object, ...]] = dataclass_field(default_factory=dict)
    noted: MappingT[str, str] = dataclass_field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    secret: bool = False

    def parse(self, value: object, at: Place) -> Any:
        if not isinstance(value, MappingT):
            return at.fault(f"expected a mapping, got {kind_of(value, self.secret)}")
        self._refuse_unknown(value, at)
        values = {field.name: field.default for field in self.fields}
        for key, field in self._spelled[at.style].items():
            # Few of the many fields are given.
            if field.required or key in value:
                values[field.name] = self.read_field(field, value, at)
        self._check_choice(value, at)
        result = self.build(**values)
        if self.check:
            self.check(result, at)
        return result

    @functools.cached_property
    def _spelled(self) -> MappingT[Style, MappingT[str, Field]]:
        """The fields by their spellings in each style."""
        return {style: {spell(field.name, style): field for field in self.fields} for style in Style}

    def read_field(self, field: Field, value: MappingT[Any, Any], at: Place) -> Any:
        """One field of a mapping that is this object; INVALID after its faults were noted, at its own place."""
        given = value.get(spell(field.name, at.style))
        if given is None:
            return at.key(field.name).fault("is required") if field.required else field.default
        if field.is_unset(given, at.style):
            return field.default
        return field.type.parse(given, at.key(field.name))

    def _refuse_unknown(self, value: MappingT[Any, Any], at: Place) -> None:
        known = self._spelled[at.style]
        for key, item in value.items():
            if key in known or key in self.ignored:
                continue
            if not isinstance(key, str):
                at.raw(shown(key)).fault(_key_reason(key))
                continue
            name = self._unsupported_name(key)
            if self.secret and not re.fullmatch(r"\w+", key):
                at.fault(_HIDDEN_KEY_REASON)
            elif name is None:
                at.raw(key).fault("is not a known field" + self._spelling_hint(key, at.style))
            elif item in (None, "", [], {}, *self.harmless.get(name, ())):
                continue
            elif name in self.noted and at.notes is not None:
                at.raw(key).note(f"is not kept: {self.noted[name]}")
            else:
                at.raw(key).fault(f"is not supported; {self.unsupported[name]}")

    def _unsupported_name(self, key: str) -> str | None:
        """The snake_case name of an unsupported field, whichever spelling it came in."""
        return next((name for name in self.unsupported if key in (name, spell(name, Style.KUBERNETES))), None)

    def _spelling_hint(self, key: str, style: Style) -> str:
        for field in self.fields:
            if key in (field.name, spell(field.name, Style.KUBERNETES)):
                return f"; did you mean {spell(field.name, style)}?"
        return suggest(key, tuple(spell(field.name, style) for field in self.fields))

    def _check_choice(self, value: MappingT[Any, Any], at: Place) -> None:
        if not self.one_of:
            return
        names = [spell(name, at.style) for name in self.one_of]
        given = [name for name in names if value.get(name) is not None]
        full = [name for name in given if value[name] != ""]
        if len(full) > 1:
            at.fault(f"has {' and '.join(full)}; give only one of them")
        elif not given and self.one_required:
            at.fault(f"needs one of {', '.join(names)}")

    def argument(self) -> dict[str, Any]:
        return {"type": "dict", "options": self.options()}

    def options(self) -> dict[str, Any]:
        """The fields as the options of an Ansible argument spec."""
        return {field.name: field.argument() for field in self.fields}
