# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a plan. Each is one call to Podman, one hook, one wait or one write, and says why it is there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from .._declaration.spec import Handler, Secret
from .._declaration.volume_spec import NamedVolume
from .observed import LiveLimits
from .probe_worker import MINIMUM_STOP_SECONDS

if TYPE_CHECKING:
    # A run on a pod has no use for stacks, and would wait for their code.
    from .._declaration.stack.spec import Network
    from .stack.record import StackRecord

INFRA = "infra"
"""The name of a pod's infra container in stops; the declaration has no such container."""
MISSING = "it was not there"
"""The cause of what is made because it is missing, whether it is new or somebody removed it."""


STACK_OWNER = "stack@"
"""What the owner of a stack's generated secrets begins with: no pod can be called so."""


def owner_of_secrets(stack: str) -> str:
    """Whose the generated secrets of a stack are: no pod can be called so."""
    return f"{STACK_OWNER}{stack}"


@dataclass(frozen=True)
class Operation:
    """One step on the pod; ``cause`` is the reason in a few words, shown to the user."""

    pod: str
    cause: str
    verb: ClassVar[str] = ""

    @property
    def target(self) -> str:
        return f"pod {self.pod}"

    def __str__(self) -> str:
        return f"{self.verb} {self.target}: {self.cause}"


@dataclass(frozen=True)
class _OnContainer(Operation):
    container: str

    @property
    def target(self) -> str:
        return f"container {self.pod}/{self.container}"


@dataclass(frozen=True)
class _OnVolume(Operation):
    volume: str

    @property
    def target(self) -> str:
        return f"volume {self.pod}/{self.volume}"


@dataclass(frozen=True)
class PullImage(Operation):
    image: str
    verb = "pull"

    @property
    def target(self) -> str:
        return f"image {self.image}"


@dataclass(frozen=True)
class CreateVolume(_OnVolume):
    """Make a named Podman volume. Pods never remove one."""

    claim: str
    verb = "create"

    @property
    def target(self) -> str:
        return f"named volume {self.claim}"


class PrepareVolume(_OnVolume):
    """Make the directory (emptyDir, hostPath ...OrCreate) or tmpfs that a volume stands for."""

    verb = "prepare"


@dataclass(frozen=True)
class DropVolume(_OnVolume):
    """Remove the files of an emptyDir, configMap or secret volume that is no longer declared.

    ``kind``: directory, files or tmpfs; of the last ``podman_name`` is the volume's name in Podman.
    """

    kind: str
    podman_name: str = ""
    verb = "drop"


class WriteFiles(_OnVolume):
    """Put a volume's files (configMap, secret, ...) in place, all at once."""

    verb = "write"


class CreatePod(Operation):
    verb = "create"


class StartPod(Operation):
    """Start the infra container, which makes the shared namespaces."""

    verb = "start"

    @property
    def target(self) -> str:
        return f"infra container of pod {self.pod}"


@dataclass(frozen=True)
class RemovePod(Operation):
    id: str
    is_restart: bool = False
    """Whether the same sandbox comes in its place, so that its containers count as restarted."""
    verb = "remove"


class CreateContainer(_OnContainer):
    verb = "create"


class StartContainer(_OnContainer):
    verb = "start"


@dataclass(frozen=True)
class RunPostStart(_OnContainer):
    hook: Handler
    verb = "run"

    @property
    def target(self) -> str:
        return f"postStart hook ({self.hook.kind}) of {self.pod}/{self.container}"


class ResumeContainer(_OnContainer):
    """Take back that we end a container: whoever was to do so was cut off, and it is wanted as it is."""

    verb = "resume"


class AwaitCompletion(_OnContainer):
    """Wait until an init container has exited with 0, trying again as the restart policy says."""

    verb = "await"

    @property
    def target(self) -> str:
        return f"completion of init container {self.pod}/{self.container}"


class AwaitStarted(_OnContainer):
    """Wait until a sidecar runs and its startup probe has passed, before the next container."""

    verb = "await"

    @property
    def target(self) -> str:
        return f"start of sidecar {self.pod}/{self.container}"


@dataclass(frozen=True)
class StopContainer(_OnContainer):
    """preStop, the stop signal, and the kill when the grace period is over; neighbours in a plan stop side by side

    when they share a ``batch``.
    """

    id: str
    grace_seconds: int
    batch: int
    pre_stop: Handler | None = None
    is_left_to_policy: bool = False
    """Whether the restart policy decides what follows, as after a failed probe."""
    minimum_seconds: int = MINIMUM_STOP_SECONDS
    """How long it has at least after its hook."""
    verb = "stop"

    @property
    def target(self) -> str:
        hook = f" (preStop {self.pre_stop.kind})" if self.pre_stop else ""
        return f"container {self.pod}/{self.container}{hook}"


@dataclass(frozen=True)
class RemoveContainer(_OnContainer):
    id: str
    is_restart: bool = False
    """Whether the same container comes in its place, so that it counts as restarted."""
    verb = "remove"


@dataclass(frozen=True)
class UpdateLimits(_OnContainer):
    """Set a running container's CPU and memory in its cgroup."""

    id: str
    limits: LiveLimits
    verb = "resize"


@dataclass(frozen=True)
class UpdatePodLimits(Operation):
    """Set the CPU and memory of the pod's own cgroup."""

    limits: LiveLimits
    verb = "resize"


@dataclass(frozen=True)
class Record(Operation):
    """Write the record: the declaration, and what a rollback needs to return to the one before."""

    is_stopped: bool = False
    """Whether nothing of it is to run: it was stopped on purpose, and is not yet fully started again."""
    is_begun_anew: bool = False
    """Whether it had failed for good, so that its history no longer counts."""
    past: tuple[tuple[str, str], ...] = ()
    """Init containers, by name and id, whose last end no longer counts either."""
    verb = "record"


class Forget(Operation):
    """Remove the state of a pod that is gone: its record, files and emptyDir volumes."""

    verb = "forget"


# --- what the pods of a stack share; ``pod`` is the stack -----


@dataclass(frozen=True)
class RecordRevision(Operation):
    """Write down what is wanted of a stack now, under a new number, and everything that it may come to own."""

    number: int
    record: StackRecord
    change_cause: str = ""
    verb = "record"

    @property
    def target(self) -> str:
        return f"revision {self.number} of stack {self.pod}"


def show_owner(owner: str) -> str:
    """Whose secrets they are, in words."""
    stack = owner[len(STACK_OWNER) :]
    return f"stack {stack}" if owner.startswith(STACK_OWNER) else f"pod {owner}"


@dataclass(frozen=True)
class ReturnToRevision(Operation):
    """Write into a stack's record that an earlier revision is the present one again."""

    number: int
    record: StackRecord
    verb = "return"

    @property
    def target(self) -> str:
        return f"to revision {self.number} of stack {self.pod}"


@dataclass(frozen=True)
class _OnSecret(Operation):
    secret: str
    values: Mapping[str, str] = field(repr=False, hash=False)
    owner: str
    """The pod, or a stack by its `owner_of_secrets`."""

    @property
    def target(self) -> str:
        return f"secret {self.secret} ({', '.join(sorted(self.values))}) of {show_owner(self.owner)}"


class GenerateSecret(_OnSecret):
    """Keep the generated values of a secret, before any container is created with them."""

    verb = "generate"


class AdoptSecret(GenerateSecret):
    """Keep, for the stack, values that were generated for a pod before the pod joined it."""

    verb = "take over"


class RotateSecret(_OnSecret):
    """Put new values in place of generated ones of a secret."""

    verb = "rotate"


def rotation(
    name: str, owner: str, secret: Secret, values: Mapping[str, str], asked: Collection[tuple[str, str]]
) -> RotateSecret:
    """The operation that keeps new values of a secret, for the pod or stack ``name``.

    ``asked`` names the keys, by secret and key, that are rotated whatever number is declared for them.
    """
    shown = ", ".join(f"{secret.rotate.get(key, 0)}" for key in sorted(values))
    is_asked_for = all((secret.name, key) in asked for key in values)
    return RotateSecret(name, "asked for" if is_asked_for else f"rotate is {shown}", secret.name, values, owner)


class RestoreSecret(_OnSecret):
    """Put back the values that a secret had before its rotation."""

    verb = "restore"


@dataclass(frozen=True)
class RemoveSecrets(Operation):
    """Remove the values that were generated for a stack, or for a pod before it joined it."""

    owner: str
    verb = "remove"

    @property
    def target(self) -> str:
        return f"generated secrets of {show_owner(self.owner)}"


@dataclass(frozen=True)
class ForgetStack(Operation):
    """Remove a stack's revisions and its record, save for the volumes that stay its own."""

    remains: StackRecord
    verb = "forget"

    @property
    def target(self) -> str:
        return f"stack {self.pod}"


@dataclass(frozen=True)
class CreateNetwork(Operation):
    network: Network
    verb = "create"

    @property
    def target(self) -> str:
        return f"network {self.network.name}"


@dataclass(frozen=True)
class _OnNamed(Operation):
    name: str


class RemoveNetwork(_OnNamed):
    verb = "remove"

    @property
    def target(self) -> str:
        return f"network {self.name}"


@dataclass(frozen=True)
class CreateSharedVolume(Operation):
    """A named Podman volume that the stack declares."""

    volume: NamedVolume
    verb = "create"

    @property
    def target(self) -> str:
        return f"named volume {self.volume.name}"


class RemoveVolume(_OnNamed):
    """Remove a named volume and its data, which was asked for."""

    verb = "remove"

    @property
    def target(self) -> str:
        return f"named volume {self.name}"


@dataclass(frozen=True)
class Plan:
    """An ordered list of operations, and what the user should know beside them. Empty: nothing to do."""

    operations: tuple[Operation, ...] = ()
    warnings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.operations)

    def lines(self) -> list[str]:
        """The plan as a person reads it: ``#3 create container lamp/php: image changed``."""
        return [f"#{number} {operation}" for number, operation in enumerate(self.operations, 1)]
