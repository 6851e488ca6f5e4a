# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends what is damaged on disk of one pod or stack: makes out of other files what these tell, and throws nothing away.

What is damaged gets another name beside its place. Generated secrets are taken from the records of the pods that use
them; where these do not have them, nothing is made up unless that was asked for.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable

from .._declaration import arguments
from .._declaration import spec as s
from .._declaration.stack.spec import StackSpec, pod_with_configuration
from .._errors import DamagedState, Fault, HostError, InvalidInput
from .._host import state_files
from .._host.observe_stack import labelled
from .._host.podman import service as podman_service
from .._host.stack_store import Revision, StackStore, owners_of_pods, pods_recorded_for, stack_names
from .._host.state.generated import generated_keys, put_generated
from .._host.state.records import Applied, Record
from .._host.store import Store
from .._reconcile.context import Settings
from .._reconcile.operations import owner_of_secrets
from .._reconcile.stack.record import Owned, StackRecord
from .._reconcile.stack.secrets import with_values
from .agent import Agent
from .pod_run import only_run

_TIMEOUT_SECONDS = 300


def run_repair(
    options: Mapping[str, Any], is_check: bool = False, is_diff: bool = False, agent: Agent | None = None
) -> dict[str, Any]:
    """Mend the pod and the stack of a ``name``; with ``accept_new_secrets`` also by new values.

    ``actions`` of the result are what was done, ``advice`` is what is left to do, and ``found`` whether anything is
    kept of that name. In check mode nothing is done.
    """
    options = arguments.judged(options, arguments.REPAIR)
    name = options["name"]
    if not name:
        raise InvalidInput([Fault("name", "is required")])
    store = Store()
    work = _Repair(store, name, options["accept_new_secrets"], is_check)
    is_stack, is_pod = name in stack_names(store), store.knows(name)
    if is_stack:
        with store.lock(owner_of_secrets(name), _TIMEOUT_SECONDS):
            work.mend_stack()
    if is_pod or not is_stack:
        with only_run(store, agent, name, _TIMEOUT_SECONDS, lambda: None), _acting(agent, name):
            work.mend_pod()
    return {
        "changed": bool(work.actions),
        "actions": work.actions,
        "advice": work.advice,
        "found": is_stack or is_pod or bool(work.actions or work.advice),
    }


def _acting(agent: Agent | None, pod: str) -> contextlib.AbstractContextManager[None]:
    return agent.acting(pod, _TIMEOUT_SECONDS, lambda: None) if agent else contextlib.nullcontext()


@dataclass
class _Repair:
    store: Store
    name: str
    accepts_new_secrets: bool
    is_check: bool
    actions: list[str] = field(default_factory=list)
    advice: list[str] = field(default_factory=list)

    # --- a stack -----------------------------------------------------------------------------------------------------

    def mend_stack(self) -> None:
        files = StackStore(self.store, self.name)
        found = {number: _whole_revision(files, number, self._lost_revision) for number in files.numbers()}
        revisions = {number: revision for number, revision in found.items() if revision}
        record = self._mend_stack_record(files, revisions)
        if record.current in revisions:
            pods = self._recorded(pods_recorded_for(self.store, self.name))
            stack = revisions[record.current].stack
            self._mend_secrets(owner_of_secrets(self.name), stack.secrets, [one.applied.pod for one in pods])

    def _lost_revision(self, error: DamagedState) -> None:
        self._put_aside(error, f"a revision of stack {self.name} is lost")

    def _mend_stack_record(self, files: StackStore, revisions: Mapping[int, Revision]) -> StackRecord:
        newest = max(revisions, default=0)
        try:
            record = files.read()
        except DamagedState as error:
            self._put_aside(error, f"the record of stack {self.name} is made anew from its revisions and pods")
            return self._write_stack_record(files, self._rebuilt(newest, revisions))
        if record.current not in (0, *revisions):
            self.actions.append(f"stack {self.name} is at revision {newest}, the newest that is whole")
            good = tuple(number for number in record.all_good if number in revisions)
            return self._write_stack_record(files, replace(record, current=newest, all_good=good))
        return record

    def _write_stack_record(self, files: StackStore, record: StackRecord) -> StackRecord:
        if not self.is_check:
            files.write(record)
        return record

    def _rebuilt(self, newest: int, revisions: Mapping[int, Revision]) -> StackRecord:
        """What can be told of a stack without its record; of volumes and networks those that say that they are its."""
        declared = (pod.name for revision in revisions.values() for pod in revision.stack.pods)
        own = pods_recorded_for(self.store, self.name)
        damaged = [pod for pod in declared if self.store.knows(pod) and pod not in own and self._is_damaged(pod)]
        records = self._recorded(own)
        is_good = newest and not damaged and records and all(record.is_verified for record in records)
        owned = Owned(tuple(dict.fromkeys((*own, *damaged))))
        with contextlib.suppress(HostError), podman_service.connect() as podman:
            owned = owned.joined(labelled(podman, self.name))
        return StackRecord(newest, (newest,) if is_good else (), owned)

    def _is_damaged(self, pod: str) -> bool:
        try:
            return self.store.read_record(pod) is None
        except DamagedState:
            return True

    def _recorded(self, pods: Sequence[str]) -> list[Record]:
        return [record for record in map(self.store.read_record, pods) if record]

    # --- a pod -------------------------------------------------------------------------------------------------------

    def mend_pod(self) -> None:
        try:
            record = self.store.read_record(self.name)
        except DamagedState as error:
            record = self._mend_record(error)
        declared = record.applied.pod.secrets if record else ()
        self._mend_secrets(self.name, declared, [])

    def _mend_record(self, error: DamagedState) -> Record | None:
        """Out of the stack's present revision, where the pod belongs to one."""
        try:
            stack = owners_of_pods(self.store).get(self.name) or self._declaring_stack()
            pod = self._pod_of(stack) if stack else None
        except DamagedState as damage:
            self.advice.append(f"the record of pod {self.name} can be mended once this is: {damage}")
            return None
        if pod is None:
            self._put_aside(error, f"pod {self.name} is recorded anew by the next run that applies it")
            self.advice.append(f"apply pod {self.name} again; until then nobody keeps it")
            return None
        self._put_aside(error, f"pod {self.name} is recorded anew as stack {stack} declares it")
        record = Record(Applied(pod), settings=Settings(stack=stack), begun_at=int(time.time()))
        if not self.is_check:
            self.store.write_record(self.name, record)
        return record

    def _declaring_stack(self) -> str:
        """The stack whose present revision declares the pod, empty for none. Raises DamagedState, of that stack."""
        for stack in stack_names(self.store):
            if self._is_declared_by(stack):
                self._present(stack)
                return stack
        return ""

    def _is_declared_by(self, stack: str) -> bool:
        """Whether the present revision declares the pod, or any where it is not known which that is."""
        with contextlib.suppress(DamagedState):
            declared = self._present(stack)
            return declared is not None and declared.find(self.name) is not None
        files = StackStore(self.store, stack)
        revisions = (_whole_revision(files, number) for number in files.numbers())
        return any(revision.stack.find(self.name) for revision in revisions if revision)

    def _present(self, stack: str) -> StackSpec | None:
        files = StackStore(self.store, stack)
        record = files.read()
        return files.revision(record.current).stack if record.current else None

    def _pod_of(self, stack: str) -> s.PodSpec | None:
        """The pod as a run on the stack records it, with the values of secrets. Raises DamagedState."""
        declared = self._present(stack)
        pod = declared.find(self.name) if declared else None
        if declared is None or pod is None:
            return None
        owner = owner_of_secrets(stack)
        values = self.store.generate(owner, declared.secrets, keep=False, promised=declared.secrets)
        return pod_with_configuration(replace(declared, secrets=with_values(declared.secrets, values)), pod)

    # --- generated secrets -------------------------------------------------------------------------------------------

    def _mend_secrets(self, owner: str, declared: Sequence[s.Secret], users: Sequence[s.PodSpec]) -> None:
        """``users`` are pods whose records may have the values."""
        path = self.store.secrets_file(owner)
        try:
            self.store.generate(owner, declared, keep=False, promised=declared)
            # What is not declared is read as well.
            self.store.kept_values(owner)
            return
        except DamagedState as error:
            damage = error
        values, found = self._readable(owner), []
        rotations = {(secret.name, key): number for secret in declared for key, number in secret.rotate.items()}
        for secret, key in sorted(generated_keys(declared) - {(n, k) for n, group in values.items() for k in group}):
            known = (given.string_data.get(key) for pod in users for given in pod.secrets if given.name == secret)
            value = next(filter(None, known), None)
            if value:
                # As of the number that is declared, so that it is not rotated for having been lost.
                put_generated(values, secret, key, value, rotations.get((secret, key), 0))
                found.append(f"secret {secret}: {key} is taken from the record of a pod that has it")
        lost = sorted(pair for pair in generated_keys(declared) if pair[1] not in values.get(pair[0], {}))
        is_known = bool(declared) and not lost
        if not is_known and not self.accepts_new_secrets:
            self.advice.append(str(damage))
            return
        if path.exists() or path.is_symlink():
            self._put_aside(damage, "what can be had of it is written anew")
        self.actions += [*found, *(f"secret {secret}: {key} is made anew" for secret, key in lost)]
        if not self.is_check:
            if values:
                self.store.keep_values(owner, values)
            self.store.generate(owner, declared)

    def _readable(self, owner: str) -> dict[str, dict[str, str]]:
        try:
            return self.store.kept_values(owner)
        except DamagedState:
            return {}

    # --- what is damaged ---------------------------------------------------------------------------------------------

    def _put_aside(self, error: DamagedState, so: str) -> None:
        path = Path(error.path)
        if self.is_check:
            self.actions.append(f"move {path} aside ({error.damage}): {so}")
        else:
            self.actions.append(f"moved {path} to {state_files.put_aside(path).name} ({error.damage}): {so}")


def _whole_revision(
    files: StackStore, number: int, on_damage: Callable[[DamagedState], None] = lambda error: None
) -> Revision | None:
    try:
        return files.revision(number)
    except DamagedState as error:
        on_damage(error)
        return None
