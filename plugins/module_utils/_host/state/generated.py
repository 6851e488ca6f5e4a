# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated values of secrets. What is lost is never made anew unasked: a database may need it."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..._declaration import spec as s
from ..._errors import DamagedState, HostError
from ..._reconcile.operations import STACK_OWNER
from ..._reconcile.stack.secrets import Former, KeptSecrets
from .. import state_files
from ..pod_files import remove_tree
from .records import PodRecords

_LETTERS = string.ascii_letters + string.digits
_ABOUT = ""
"""The key beside the secrets' names that holds when and for which rotation each value was made."""


@dataclass(frozen=True)
class Generated:
    """A generated value without the value: its owner, when it was made (seconds since the epoch, 0 if unknown), and its
    number of ``rotate``.
    """

    owner: str
    secret: str = ""
    key: str = ""
    made_at: int = 0
    rotation: int = 0
    damage: str = ""
    """What is wrong with the owner's file; then nothing else is known."""


class GeneratedSecrets(PodRecords):
    """The generated values of secrets, a file below ``secrets`` for each owner: a pod, or a stack."""

    def generate(
        self,
        owner: str,
        declared: Sequence[s.Secret],
        keep: bool = True,
        former_owners: Sequence[str] = (),
        promised: Sequence[s.Secret] = (),
    ) -> dict[str, dict[str, str]]:
        """The generated values of these secrets, by secret and key. A missing one is made; once kept it never changes.

        ``owner`` is the pod, or `stack_owner` of the stack, whose secrets they are. What was generated for one of
        ``former_owners`` is taken over: a database keeps its password when its pod joins a stack. ``promised`` are the
        secrets as they were applied before: what was generated for them has to be there. Raises DamagedState if it is
        missing: a new value would no longer open the database.
        """
        if not any(secret.generate for secret in declared):
            return {secret.name: {} for secret in declared}
        values = self._promised(owner, declared, promised)
        is_complete = True
        for secret in declared:
            for key, length in secret.generate.items():
                if key not in values.setdefault(secret.name, {}):
                    former = self._former(former_owners, secret.name, key)
                    value = former.value if former else _generate(length)
                    put_generated(values, secret.name, key, value, secret.rotate.get(key, 0))
                    is_complete = False
        if keep and not is_complete:
            # Written before anything uses it: it may become the only key to a database.
            self.keep_values(owner, values)
        return {item.name: {key: values[item.name][key] for key in item.generate} for item in declared}

    def kept_secrets(
        self,
        owner: str,
        declared: Sequence[s.Secret],
        former_owners: Sequence[str] = (),
        promised: Sequence[s.Secret] = (),
    ) -> KeptSecrets:
        """The generated values of these secrets, and for keys without one those of ``former_owners``.

        Generates nothing. Raises DamagedState if a value is missing that ``promised`` secrets had, as `generate` does.
        """
        if not any(secret.generate for secret in declared):
            return KeptSecrets()
        values = self._promised(owner, declared, promised)
        keys = generated_keys(declared)
        present = keys & _keys_in(values)
        former = {(secret, key): self._former(former_owners, secret, key) for secret, key in sorted(keys - present)}
        return KeptSecrets(
            {name: {key: values[name][key] for secret, key in present if secret == name} for name, _key in present},
            {(secret, key): _about(values, secret, key)[1] for secret, key in present},
            {key: found for key, found in former.items() if found},
        )

    def _promised(
        self, owner: str, declared: Sequence[s.Secret], promised: Sequence[s.Secret]
    ) -> dict[str, dict[str, str]]:
        """All values of an owner. Raises DamagedState if one is missing that ``promised`` secrets had."""
        values = self._generated(owner)
        lost = (generated_keys(declared) & generated_keys(promised)) - _keys_in(values)
        if lost:
            raise self._lost(owner, lost)
        return values

    def generated(self, owner: str, declared: Sequence[s.Secret]) -> dict[str, dict[str, str]]:
        """The generated values of these secrets that exist; makes none, and ignores damage."""
        try:
            values = self._generated(owner)
        except HostError:
            return {}
        return {
            item.name: {key: values[item.name][key] for key in item.generate if key in values.get(item.name, {})}
            for item in declared
        }

    def renewals(
        self, owner: str, declared: Sequence[s.Secret], asked: Collection[tuple[str, str]] = ()
    ) -> dict[str, dict[str, str]]:
        """New values, by secret and key, for what is to be rotated: where a higher number than before is declared,

        and what is ``asked`` for by secret and key. Nothing is kept of them yet.
        """
        found: dict[str, dict[str, str]] = {}
        if not any(secret.generate for secret in declared):
            return found
        kept = self._generated(owner)
        for secret in declared:
            present = {key: length for key, length in secret.generate.items() if key in kept.get(secret.name, {})}
            due = {
                key: _generate(length)
                for key, length in present.items()
                if secret.rotate.get(key, 0) > _about(kept, secret.name, key)[1] or (secret.name, key) in asked
            }
            found.update({secret.name: due} if due else {})
        return found

    def renew(self, owner: str, secret: str, values: Mapping[str, str], rotate: Mapping[str, int]) -> None:
        """Keep new values of a secret; ``rotate`` are the numbers that are declared for its keys."""
        kept = self._generated(owner)
        for key, value in values.items():
            rotation = max(rotate.get(key, 0), _about(kept, secret, key)[1])
            put_generated(kept, secret, key, value, rotation)
        self.keep_values(owner, kept)

    def kept_values(self, owner: str) -> dict[str, dict[str, str]]:
        """All generated secrets of an owner, in the form that `keep_values` takes. Raises DamagedState."""
        return self._generated(owner)

    def restore(self, owner: str, before: Mapping[str, Mapping[str, str]], secret: str, keys: Collection[str]) -> None:
        """Put values of a secret back as they were when `kept_values` returned ``before``; all others stay."""
        kept = self._generated(owner)
        for key in keys:
            kept.setdefault(secret, {})[key] = before[secret][key]
            told = before.get(_ABOUT, {}).get(f"{secret}/{key}")
            about = {at: word for at, word in kept.get(_ABOUT, {}).items() if at != f"{secret}/{key}"}
            kept[_ABOUT] = {**about, **({f"{secret}/{key}": told} if told else {})}
        self.keep_values(owner, kept)

    def readable_values(self, owner: str) -> dict[str, dict[str, str]]:
        """The values of `kept_values` alone; empty if the file is damaged."""
        try:
            return {secret: dict(group) for secret, group in self._generated(owner).items() if secret != _ABOUT}
        except HostError:
            return {}

    def keep_values(self, owner: str, values: Mapping[str, Mapping[str, str]]) -> None:
        state_files.write_object(self.secrets_file(owner), dict(values))

    def list_generated(self) -> tuple[Generated, ...]:
        """What was generated on this host: owner, secret and key, no values. Of a damaged file the owner alone."""
        owners = sorted(path.name[: -len(".json")] for path in (self.directory / "secrets").glob("[!.]*.json"))
        return tuple(item for owner in owners for item in self._list_generated(owner))

    def _list_generated(self, owner: str) -> Iterator[Generated]:
        try:
            values = self._generated(owner)
        except HostError as error:
            yield Generated(owner, damage=str(error))
            return
        for secret in sorted({*values} - {_ABOUT}):
            for key in sorted(values[secret]):
                yield Generated(owner, secret, key, *_about(values, secret, key))

    def forget_generated(self, owner: str, secret: str = "") -> None:
        """Remove what was generated for an owner: all, or one secret. What it opened stays locked afterwards."""
        kept = dict(self._generated(owner)) if secret else {}
        kept.pop(secret, None)
        kept[_ABOUT] = {at: told for at, told in kept.get(_ABOUT, {}).items() if not at.startswith(f"{secret}/")}
        if any(name != _ABOUT for name in kept):
            self.keep_values(owner, kept)
        else:
            remove_tree(self.secrets_file(owner))

    def secrets_file(self, owner: str) -> Path:
        return self.directory / "secrets" / f"{owner}.json"

    def _generated(self, owner: str) -> dict[str, dict[str, str]]:
        path, remedy = self.secrets_file(owner), _remedy_of_secrets(owner)
        values = state_files.read_object(path, remedy)
        for group in (values or {}).values():
            if not isinstance(group, dict) or not all(isinstance(value, str) for value in group.values()):
                raise DamagedState(path, "it holds something else than values by secret and key", remedy)
        return values or {}

    def _former(self, owners: Sequence[str], secret: str, key: str) -> Former | None:
        """The value of the first of these owners that has one; None if none has."""
        for owner in owners:
            value = self._generated(owner).get(secret, {}).get(key)
            if value:
                return Former(owner, value)
            record = self.read_record(owner) if value is None else None
            if record and (secret, key) in generated_keys(record.applied.pod.secrets):
                raise self._lost(owner, {(secret, key)})
        return None

    def _lost(self, owner: str, keys: Collection[tuple[str, str]]) -> DamagedState:
        shown = ", ".join(f"{secret}/{key}" for secret, key in sorted(keys))
        path = self.secrets_file(owner)
        what = "it lacks" if path.exists() else "it is missing, and with it"
        return DamagedState(path, f"{what} the values generated before for {shown}", _remedy_of_secrets(owner))


def fresh_values(declared: Sequence[s.Secret]) -> dict[tuple[str, str], str]:
    """A new random value for each generated key of these secrets, by secret and key; none of them is kept."""
    return {(item.name, key): _generate(length) for item in declared for key, length in item.generate.items()}


def _generate(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _character in range(length))


def generated_keys(declared: Sequence[s.Secret]) -> frozenset[tuple[str, str]]:
    """What is generated of these secrets, by secret and key."""
    return frozenset((secret.name, key) for secret in declared for key in secret.generate)


def _keys_in(values: Mapping[str, Mapping[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((secret, key) for secret, group in values.items() for key in group)


def put_generated(kept: dict[str, dict[str, str]], secret: str, key: str, value: str, rotation: int) -> None:
    """Put a value, made now for that number of ``rotate``, among those that are to be kept."""
    kept.setdefault(secret, {})[key] = value
    kept.setdefault(_ABOUT, {})[f"{secret}/{key}"] = f"{int(time.time())} {rotation}"


def _about(kept: Mapping[str, Mapping[str, str]], secret: str, key: str) -> tuple[int, int]:
    """When a value was made, in seconds since the epoch, and for what number of ``rotate``; 0 for what is not known."""
    made_at, _blank, rotation = kept.get(_ABOUT, {}).get(f"{secret}/{key}", "0 0").partition(" ")
    return int(made_at), int(rotation)


def _remedy_of_secrets(owner: str) -> str:
    name = owner[len(STACK_OWNER) :] if owner.startswith(STACK_OWNER) else owner
    return (
        "no new value is generated, since data may depend on the old one: restore the file, give the values "
        f"(string_data in place of generate), or have new ones made by podwright repair {name} --accept-new-secrets"
    )
