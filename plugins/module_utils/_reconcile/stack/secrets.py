# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generated secrets of a stack: which values are generated, taken over from a pod, or rotated. Pure.

The caller passes new random values; only the operations made here keep any of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..._declaration import spec as s
from .. import operations as op

Values = Mapping[str, Mapping[str, str]]
"""Generated values, by secret and key."""


@dataclass(frozen=True)
class Former:
    """A value that was generated for a pod before the pod joined the stack."""

    pod: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class KeptSecrets:
    """The generated values in the state directory, by secret and key, and the numbers of ``rotate`` they were made for.

    ``former`` has the values of the stack's pods for keys that the stack itself has no value for.
    """

    values: Values = field(default_factory=dict, repr=False)
    rotations: Mapping[tuple[str, str], int] = field(default_factory=dict)
    former: Mapping[tuple[str, str], Former] = field(default_factory=dict)


@dataclass(frozen=True)
class SettledSecrets:
    """The values that the stack will have, and the operations that keep the new ones."""

    values: Values = field(default_factory=dict, repr=False)
    made: tuple[op.GenerateSecret, ...] = ()
    """These come before all other operations: a value may become the only key to what a database writes."""
    rotated: tuple[op.RotateSecret, ...] = ()


def settle(
    stack: str,
    owner: str,
    declared: Sequence[s.Secret],
    kept: KeptSecrets,
    fresh: Mapping[tuple[str, str], str],
    asked: Sequence[tuple[str, str]] = (),
) -> SettledSecrets:
    """The values of these secrets. A value that is kept stays, unless it is to be rotated.

    ``fresh`` has a new value for each generated key. ``asked`` names the keys to rotate whatever their number.
    """
    values: dict[str, dict[str, str]] = {secret.name: {} for secret in declared}
    made: list[op.GenerateSecret] = []
    rotated: list[op.RotateSecret] = []
    for secret in declared:
        present = kept.values.get(secret.name, {})
        values[secret.name] = {key: present[key] for key in secret.generate if key in present}
        due = {key: fresh[secret.name, key] for key in values[secret.name] if _is_due(secret, key, kept, asked)}
        for operation in _missing(stack, owner, secret, kept, fresh):
            made.append(operation)
            values[secret.name].update(operation.values)
        if due:
            rotated.append(op.rotation(stack, owner, secret, due, asked))
            values[secret.name].update(due)
    return SettledSecrets(values, tuple(made), tuple(rotated))


def _is_due(secret: s.Secret, key: str, kept: KeptSecrets, asked: Sequence[tuple[str, str]]) -> bool:
    is_newer = secret.rotate.get(key, 0) > kept.rotations.get((secret.name, key), 0)
    return is_newer or (secret.name, key) in asked


def _missing(
    stack: str, owner: str, secret: s.Secret, kept: KeptSecrets, fresh: Mapping[tuple[str, str], str]
) -> Iterator[op.GenerateSecret]:
    """The operations for keys without a value: take over a pod's value if one has it, else generate one."""
    missing = [key for key in secret.generate if key not in kept.values.get(secret.name, {})]
    taken = {key: kept.former[secret.name, key] for key in missing if (secret.name, key) in kept.former}
    for pod in dict.fromkeys(former.pod for former in taken.values()):
        values = {key: former.value for key, former in taken.items() if former.pod == pod}
        yield op.AdoptSecret(stack, f"it was generated for pod {pod}", secret.name, values, owner)
    new = {key: fresh[secret.name, key] for key in missing if key not in taken}
    if new:
        yield op.GenerateSecret(stack, op.MISSING, secret.name, new, owner)


def with_values(secrets: tuple[s.Secret, ...], generated: Values) -> tuple[s.Secret, ...]:
    """A stack's secrets with their generated values filled in."""
    return tuple(
        replace(item, string_data={**generated.get(item.name, {}), **item.string_data}, generate={}, rotate={})
        for item in secrets
    )
