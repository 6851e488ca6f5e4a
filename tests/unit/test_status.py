# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._declaration.quantity import Quantity
from ansible_collections.podwright.pods.plugins.module_utils._declaration.resources import ResourceRequirements
from ansible_collections.podwright.pods.plugins.module_utils._declaration.spec import (
    Container,
    Handler,
    Lifecycle,
    PodSpec,
    Probe,
    ReadinessGate,
    SleepAction,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.container_status import (
    ContainerContext,
    container_status,
    end_of,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import (
    LABEL_CONTAINER,
    LABEL_ROLE,
    Node,
    ObservedContainer,
    ObservedPod,
    read_container,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod_status import (
    Evidence,
    conditions,
    phase,
    pod_status,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.status import (
    FINAL_PHASES,
    PHASES,
    Condition,
    ContainerStatus,
    End,
    PodStatus,
    Running,
    Terminated,
    Waiting,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.status_documents import (
    from_kubernetes,
    to_kubernetes,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.status_words import explain

DATA = Path(__file__).parent / "data"
PHASE_ROWS = json.loads((DATA / "pod_phase.json").read_text())["rows"]
CONDITIONS = json.loads((DATA / "conditions.json").read_text())

# Feature gates that Kubernetes 1.32 does not have, with the rows that need them.
GATES = {"ContainerRestartRules": 9, "RestartAllContainersOnContainerExits": 15}

START = 1_700_000_000.0
NOW = START + 1000
NODE = Node("host", 4000, 8 << 30, 110, (4, 3), 1, False, False, False, ip="192.0.2.10")
HOOKED = Lifecycle(post_start=Handler(sleep=SleepAction(5)))


def container(name, **fields):
    return Container(name, f"image-of-{name}", **fields)


def sidecar(name, **fields):
    return container(name, restart_policy="Always", **fields)


def pod_of(*mains, inits=(), **fields):
    return PodSpec("lamp", mains or (container("web"),), init_containers=tuple(inits), **fields)


def seen(name="web", state="running", started=10, role="app", **fields):
    """An observed container; ``started`` is in seconds after START, None for one that never did."""
    started_at = None if started is None else START + started
    return ObservedContainer(
        **{
            "id": f"{name}-1",
            "podman_name": f"lamp-{name}",
            "name": name,
            "role": role,
            "state": state,
            "image": f"localhost/image-of-{name}:latest",
            "image_id": "feed",
            "started_at": started_at,
            **fields,
        }
    )


def exited(name="web", code=1, started=10, finished=20, **fields):
    return seen(name, "exited", started, exit_code=code, finished_at=START + finished, **fields)


def created(name="web", **fields):
    return seen(name, "created", None, **fields)


def sandbox(*containers, infra_started=1.0, infra_pid=7):
    infra = seen("", "running", infra_started, id="infra", is_infra=True, pid=infra_pid)
    return ObservedPod("pod-1", "lamp", True, {}, "infra", infra_pid, START, (infra, *containers))


def status_of(pod, *containers, observed=None, **evidence):
    return pod_status(
        Evidence(
            pod, NODE, **{"now": NOW, "observed": observed or sandbox(*containers), "pod_ip": "10.0.0.5", **evidence}
        )
    )


def one_status(observed=None, spec=None, **context):
    return container_status(spec or container("web"), observed, ContainerContext("lamp", **context))


# -- The phase: the table


def table_state(row):
    codes = {key: abs(row[key]) for key in ("exit_code", "last_exit_code") if key in row}
    states = {"running": Running(START), "terminated": Terminated(codes.get("exit_code", 0)), "waiting": Waiting("x")}
    last = Terminated(codes["last_exit_code"]) if "last_exit_code" in codes else None
    return {"state": states[row["state"]], "last_state": last, "started": row.get("started", False)}


def table_pod(row):
    inits = [Container(c["name"], "i", restart_policy=c.get("restart_policy")) for c in row.get("init_containers", ())]
    mains = tuple(Container(c["name"], "i") for c in row["containers"])
    return PodSpec("pod", mains, init_containers=tuple(inits), restart_policy=row["restart_policy"])


def table_statuses(pod, row):
    rows = row.get("init_statuses", []) + row.get("statuses", [])
    return [ContainerStatus(r["name"], pod.role_of(pod.find(r["name"])), **table_state(r)) for r in rows]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(
            row,
            id=f"{row['test']}: {row['name']}",
            marks=[pytest.mark.skip(reason=f"needs the gate {row['gate']}")] if "gate" in row else [],
        )
        for row in PHASE_ROWS
    ],
)
def test_phase_is_kubernetes(row):
    pod = table_pod(row)
    flags = {"terminal": row.get("pod_is_terminal", False), "initialized": row.get("pod_has_initialized", False)}
    assert phase(pod, table_statuses(pod, row), **flags) == row["phase"]


def test_only_rows_of_known_gates_are_skipped():
    assert Counter(row["gate"] for row in PHASE_ROWS if "gate" in row) == GATES
    assert len(PHASE_ROWS) - sum(GATES.values()) == 70


def test_started_sidecar_does_not_hold_up_a_pod_that_initializes_anew():
    pod = pod_of(inits=[sidecar("proxy")])
    web = ContainerStatus("web", "app", Terminated(1))
    given = [phase(pod, [web, ContainerStatus("proxy", "sidecar", Running(), started=s)]) for s in (False, True)]
    assert given == ["Pending", "Running"]


# -- Conditions: the tables


def given_conditions(row, current_phase, **fields):
    mains = tuple(Container(name, "i") for name in row.get("containers") or ())
    inits = tuple(Container(name, "i") for name in row.get("init_containers", ()))
    gates = tuple(ReadinessGate(name) for name in row.get("readiness_gates", ()))
    pod = PodSpec("pod", mains, init_containers=inits, readiness_gates=gates)
    statuses = row["statuses"]
    if statuses is not None:
        role = "init" if "init_containers" in row else "app"
        statuses = [ContainerStatus(s["name"], role, Waiting(), ready=s["ready"]) for s in statuses]
    previous = tuple(Condition(c["type"], c["status"]) for c in row.get("conditions", ()))
    given = conditions(pod, statuses, current_phase, sandbox_ready=True, previous=previous, now=NOW)
    return {condition.type: condition for condition in given}


TYPES = {"containers_ready": "ContainersReady", "ready": "Ready", "initialized": "Initialized"}


@pytest.mark.parametrize(
    ("type_name", "row"),
    [
        pytest.param(type_name, row, id=f"{type_name}-{number}")
        for key, type_name in TYPES.items()
        for number, row in enumerate(CONDITIONS[key])
    ],
)
def test_conditions_are_kubernetes(type_name, row):
    condition = given_conditions(row, row["phase"])[type_name]
    assert (condition.status, condition.reason) == (row["status"], row["reason"])
    if "message" in row:
        assert condition.message == row["message"]


def test_all_rows_of_conditions_are_there():
    assert [len(CONDITIONS[key]) for key in ("containers_ready", "ready", "initialized")] == [7, 14, 7]


def test_failed_pod_is_not_ready_because_it_failed():
    row = {"containers": ["a"], "statuses": [{"name": "a", "ready": True}]}
    given = given_conditions(row, "Failed")
    assert [(given[name].status, given[name].reason) for name in ("Ready", "ContainersReady")] == [
        ("False", "PodFailed")
    ] * 2


def test_pod_with_a_container_unknown_has_not_completed():
    given = given_conditions({"containers": ["a"], "statuses": []}, "Succeeded")
    assert given["ContainersReady"].message == "containers with unknown status: [a]"


def test_conditions_come_in_the_order_of_kubernetes():
    status = status_of(pod_of(), seen())
    assert [c.type for c in status.conditions] == [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]


def test_unready_sidecar_keeps_the_pod_from_being_ready():
    pod = pod_of(inits=[sidecar("proxy", readiness_probe=Probe())])
    status = status_of(pod, seen(), seen("proxy", role="sidecar"))
    assert status.condition("Ready").message == "containers with unready status: [proxy]"
    assert status.condition("Initialized").status == "True"
    assert status_of(pod, seen("proxy", role="sidecar")).condition("Initialized").status == "True"


# -- One container: its state

WAITING_CASES = {
    "nothing there": (None, {}, Waiting("ContainerCreating")),
    "nothing there, init not done": (None, {"initialized": False}, Waiting("PodInitializing")),
    "created": (created(), {}, Waiting("ContainerCreating")),
    "created, init not done": (created(), {"initialized": False}, Waiting("PodInitializing")),
    "configured": (seen(state="configured", started=None), {}, Waiting("ContainerCreating")),
    "start failed": (created(error="no such file"), {}, Waiting("RunContainerError", "no such file")),
    "unknown, never seen": (seen(state="unknown", started=None), {}, Waiting("ContainerCreating")),
    "told why": (None, {"waiting": Waiting("ErrImagePull", "no route")}, Waiting("ErrImagePull", "no route")),
    "told why, created": (created(), {"waiting": Waiting("RunContainerError", "x")}, Waiting("RunContainerError", "x")),
}


@pytest.mark.parametrize(("observed", "context", "state"), WAITING_CASES.values(), ids=WAITING_CASES)
def test_what_has_not_started_waits(observed, context, state):
    status = one_status(observed, **context)
    assert (status.state, status.last_state, status.ready, status.started) == (state, None, False, False)


@pytest.mark.parametrize("state", ["running", "paused", "stopping"])
def test_what_has_processes_runs(state):
    assert one_status(seen(state=state)).state == Running(START + 10)


def test_paused_container_is_started_and_not_ready():
    status = one_status(seen(state="paused"), ready=True)
    assert (status.started, status.ready) == (True, False)


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize(("initialized", "reason"), [(True, "ContainerCreating"), (False, "PodInitializing")])
def test_container_waits_until_its_post_start_hook_is_done(done, initialized, reason):
    spec = container("web", lifecycle=HOOKED)
    told = Waiting("PostStartHookError", "of the container before")
    status = one_status(seen(post_start_done=done), spec, initialized=initialized, waiting=told)
    assert status.state == (Running(START + 10) if done else Waiting(reason))
    assert status.started is done


TERMINATED_CASES = {
    "completed": (exited(code=0), "Completed", None),
    "failed": (exited(code=1), "Error", None),
    "a shell's own 127": (exited(code=127), "Error", None),
    "cannot run": (exited(code=127, started=None, error="exec: not found"), "ContainerCannotRun", None),
    "cannot run, 125": (exited(code=125, started=None), "ContainerCannotRun", None),
    "cannot run, 128": (exited(code=128, error="x"), "ContainerCannotRun", None),
    "124 with an error": (exited(code=124, error="x"), "Error", None),
    "out of memory": (exited(code=137, oom_killed=True), "OOMKilled", 9),
    "killed": (exited(code=137, oom_killed=False), "Error", 9),
    "ended by TERM": (exited(code=143), "Error", 15),
    "the last signal": (exited(code=192), "Error", 64),
    "255 is no signal": (exited(code=255), "Error", None),
    "stopped, not cleaned up": (replace(exited(code=0), state="stopped"), "Completed", None),
}


@pytest.mark.parametrize(("observed", "reason", "signal"), TERMINATED_CASES.values(), ids=TERMINATED_CASES)
def test_what_is_over_is_terminated(observed, reason, signal):
    state = one_status(observed, restart_policy="Never", termination_message="bye").state
    assert state == Terminated(
        observed.exit_code, reason, "bye", signal, observed.started_at, observed.finished_at, "web-1"
    )


def test_without_a_termination_message_the_error_of_podman_is_the_message():
    assert one_status(exited(error="no such device"), restart_policy="Never").state.message == "no such device"


def test_run_does_not_end_before_it_starts():
    state = one_status(exited(started=20, finished=19.5), restart_policy="Never").state
    assert state.finished_at == state.started_at


@pytest.mark.parametrize(
    ("policy", "code", "over", "waits"),
    [
        ("Always", 0, False, True),
        ("Always", 1, False, True),
        ("OnFailure", 0, False, False),
        ("OnFailure", 1, False, True),
        ("Never", 0, False, False),
        ("Never", 1, False, False),
        ("Always", 1, True, False),
        ("OnFailure", 1, True, False),
    ],
)
def test_what_will_be_started_again_backs_off(policy, code, over, waits):
    status = one_status(exited(code=code), restart_policy=policy, over=over)
    run = Terminated(code, "Error" if code else "Completed", "", None, START + 10, START + 20, "web-1")
    if waits:
        message = "back-off restarting failed container web in pod lamp"
        assert (status.state, status.last_state) == (Waiting("CrashLoopBackOff", message), run)
    else:
        assert (status.state, status.last_state) == (run, None)


def test_reason_given_takes_the_place_of_the_back_off():
    told = Waiting("CrashLoopBackOff", "back-off 40s restarting failed container")
    status = one_status(exited(), waiting=told)
    assert (status.state, status.last_state.exit_code) == (told, 1)


def test_reason_to_wait_is_of_no_account_once_it_runs():
    assert one_status(seen(), waiting=Waiting("ErrImagePull")).state == Running(START + 10)


PROBED = container("web", startup_probe=Probe(), readiness_probe=Probe())


@pytest.mark.parametrize(
    ("spec", "verdicts", "expected"),
    [
        (container("web"), (None, None), (True, True)),
        (PROBED, (None, None), (False, False)),
        (PROBED, (True, None), (True, False)),
        (PROBED, (True, True), (True, True)),
        (PROBED, (True, False), (True, False)),
        (PROBED, (False, True), (False, False)),
        (replace(PROBED, startup_probe=None), (None, True), (True, True)),
        (container("web"), (True, False), (True, False)),
    ],
)
def test_started_and_ready_are_what_the_probes_say(spec, verdicts, expected):
    started, ready = verdicts
    status = one_status(seen(), spec, started=started, ready=ready)
    assert (status.started, status.ready) == expected


@pytest.mark.parametrize("observed", [None, created(), exited()])
def test_only_what_runs_is_ready(observed):
    status = one_status(observed, started=True, ready=True)
    assert (status.started, status.ready) == (False, False)


def test_init_container_is_ready_when_it_has_completed():
    role = {"role": "init", "restart_policy": "OnFailure"}
    given = [one_status(observed, **role) for observed in (seen(), exited(code=1), exited(code=0))]
    assert [(status.started, status.ready) for status in given] == [(True, False), (False, False), (False, True)]


def test_identity_is_that_of_the_container_in_podman():
    status = one_status(seen())
    assert (status.image, status.image_id, status.container_id) == ("localhost/image-of-web:latest", "feed", "web-1")
    assert (one_status(None).image, one_status(None).container_id) == ("image-of-web", "")
    assert one_status(seen(image="")).image == "image-of-web"


def test_what_podman_4_3_lists_is_understood():
    # As it lists a container that ended, one that was paused, and one whose start the runtime refused.
    def listed(**fields):
        labels = {LABEL_CONTAINER: "web", LABEL_ROLE: "app"}
        return read_container({"Id": "a", "Names": ["lamp-web"], "Labels": labels, "ExitCode": 0, **fields})

    never = -62135596800
    ended = listed(State="stopped", ExitCode=127, StartedAt=1795346617, ExitedAt=1795346617)
    state = one_status(ended, restart_policy="Never").state
    assert (state.reason, state.started_at, state.finished_at) == ("Error", 1795346617, 1795346617)
    paused = listed(State="paused", Pid=29401, StartedAt=1795346653, ExitedAt=never)
    assert one_status(paused).state == Running(1795346653)
    refused = listed(State="created", StartedAt=never, ExitedAt=never)
    assert one_status(refused).state == Waiting("ContainerCreating")


# -- One container: its history


def through(*looks, role="app", policy="Always"):
    """The statuses at each look, each made with the one before as its past."""
    statuses = []
    for look in looks:
        previous = statuses[-1] if statuses else None
        statuses.append(one_status(look, role=role, restart_policy=policy, previous=previous))
    return statuses


def story(*looks, **context):
    return [
        (type(s.state).__name__, s.restart_count, s.last_state.exit_code if s.last_state else None)
        for s in through(*looks, **context)
    ]


SECOND = {"id": "web-2", "started": 30}
STORIES = {
    "restarted as a new container": (
        [None, created(), seen(), exited(), None, created(id="web-2"), seen(**SECOND), seen(**SECOND)],
        [
            ("Waiting", 0, None),
            ("Waiting", 0, None),
            ("Running", 0, None),
            ("Waiting", 0, 1),
            ("Waiting", 0, 1),
            ("Waiting", 0, 1),
            ("Running", 1, 1),
            ("Running", 1, 1),
        ],
    ),
    "the second run ends as well": (
        [exited(), seen(**SECOND), exited(code=2, finished=40, **SECOND), exited(code=2, finished=40, **SECOND)],
        [("Waiting", 0, 1), ("Running", 1, 1), ("Waiting", 1, 2), ("Waiting", 1, 2)],
    ),
    "the end was not seen": (
        [seen(), seen(**SECOND), seen(**SECOND)],
        [("Running", 0, None), ("Running", 1, 137), ("Running", 1, 137)],
    ),
    "vanished while it ran": (
        [seen(), None, None, seen(**SECOND)],
        [("Running", 0, None), ("Waiting", 1, 137), ("Waiting", 1, 137), ("Running", 1, 137)],
    ),
    "Podman no longer knows its state": (
        [seen(), seen(state="unknown"), seen(state="removing")],
        [("Running", 0, None), ("Waiting", 1, 137), ("Waiting", 1, 137)],
    ),
    "started again in place": (
        [exited(), seen(started=30)],
        [("Waiting", 0, 1), ("Running", 1, 1)],
    ),
    "restarted by Podman between the looks": (
        [seen(restart_count=0), seen(started=60, restart_count=3), seen(started=60, restart_count=3)],
        [("Running", 0, None), ("Running", 3, 137), ("Running", 3, 137)],
    ),
    "never started": (
        [created(), created(id="web-2"), seen(**SECOND)],
        [("Waiting", 0, None), ("Waiting", 0, None), ("Running", 0, None)],
    ),
}


@pytest.mark.parametrize(("looks", "expected"), STORIES.values(), ids=STORIES)
def test_history_is_carried_on(looks, expected):
    assert story(*looks) == expected


def ended(code=3, container="web-1", at=25, count=0, started=10, is_restart=True):
    """The end of a container that we removed; ``at`` and ``started`` in seconds after the start."""
    run = Terminated(code, "Error", started_at=START + started, finished_at=START + at, container_id=container)
    return End(container, START + at, run if is_restart else None, count)


ENDS = {
    "restarted by us, and nobody looked meanwhile": (
        [seen(), None, seen(**SECOND)],
        [None, ended(), ended()],
        [("Running", 0, None), ("Waiting", 0, 3), ("Running", 1, 3)],
    ),
    "three times, and nobody looked": (
        [None, seen(id="web-4", started=60)],
        [None, ended(container="web-3", at=55, count=2, started=50)],
        [("Waiting", 0, None), ("Running", 3, 3)],
    ),
    "replaced": (
        [exited(), seen(started=20, id="web-2"), None, created(id="web-3"), seen(id="web-3", started=60)],
        [None, None, *3 * [ended(container="web-2", at=55, is_restart=False)]],
        [("Waiting", 0, 1), ("Running", 1, 1), ("Waiting", 0, None), ("Waiting", 0, None), ("Running", 0, None)],
    ),
    "an end of long ago, and lost since": (
        [seen(id="web-1"), seen(**SECOND), None, seen(id="web-3", started=60)],
        4 * [ended(is_restart=False)],
        [("Running", 0, None), ("Running", 0, None), ("Waiting", 1, 137), ("Running", 1, 137)],
    ),
    "replaced within the second, and lost since": (
        [seen(id="web-1"), seen(id="web-2", started=25), None, seen(id="web-3", started=60)],
        [None, *3 * [ended(at=25.6, is_restart=False)]],
        [("Running", 0, None), ("Running", 0, None), ("Waiting", 1, 137), ("Running", 1, 137)],
    ),
    "about to be removed": (
        [seen(), exited(code=143, stopped_by_run=True)],
        [None, None],
        [("Running", 0, None), ("Terminated", 0, None)],
    ),
}


@pytest.mark.parametrize(("looks", "ends", "expected"), ENDS.values(), ids=ENDS)
def test_history_knows_the_ends_that_we_made(looks, ends, expected):
    statuses = []
    for look, end in zip(looks, ends, strict=True):
        observed = sandbox(*[look] if look else [])
        previous = statuses[-1] if statuses else None
        pod, known = pod_of(container("web")), {"web": end} if end else {}
        statuses.append(status_of(pod, observed=observed, previous=previous, ends=known))
    found = [status.container("web") for status in statuses]
    assert [
        (type(s.state).__name__, s.restart_count, s.last_state.exit_code if s.last_state else None) for s in found
    ] == expected


@pytest.mark.parametrize(
    ("previous", "end", "count"),
    [
        (None, None, 0),
        ("web-2", None, 4),
        ("web-1", None, 5),
        ("web-1", ended(count=7), 8),
        (None, ended(count=7), 8),
        ("web-1", ended(is_restart=False), 0),
        ("web-2", ended(is_restart=False), 4),
    ],
)
def test_an_end_counts_on(previous, end, count):
    """``previous`` is the container that the status shows which was given last; the one that ends is web-2."""
    started = 10 if previous == "web-1" else 30
    known = one_status(seen(id=previous, started=started, restart_count=4)) if previous else None
    made = end_of(exited(code=9, **SECOND), "no room", START + 40, known, end)
    assert (made.container_id, made.at, made.restart_count) == ("web-2", START + 40, count)
    assert (made.run.exit_code, made.run.message, made.run.started_at) == (9, "no room", START + 30)


def test_vanished_container_that_is_not_started_again_is_terminated():
    before, after, later = through(seen(), None, None, policy="Never")
    assert before.state == Running(START + 10)
    assert (after.state.exit_code, after.state.reason, after.state.started_at, after.restart_count) == (
        137,
        "ContainerStatusUnknown",
        START + 10,
        1,
    )
    assert later == after


def test_terminated_container_stays_so_after_its_removal():
    before, after = through(exited(code=0), None, policy="OnFailure")
    assert after == before


def test_removed_container_shows_how_it_ended_once_it_is_not_started_again():
    *_earlier, before = through(seen(), None)
    assert before.state == Waiting("ContainerCreating")
    after = one_status(None, previous=before, over=True)
    assert (after.state, after.last_state, after.restart_count) == (before.last_state, None, 1)


def test_removed_init_container_that_failed_before_has_completed_since():
    pod = pod_of(inits=[container("setup")])
    first = status_of(pod, exited("setup", role="init"))
    setup = status_of(pod, seen(), previous=first).container("setup")
    assert (setup.state.exit_code, setup.last_state.exit_code, setup.restart_count) == (0, 1, 1)


def test_removed_init_container_has_completed_if_a_main_container_started_since():
    pod = pod_of(inits=[container("setup")])
    status = status_of(pod, seen())
    setup = status.init_container_statuses[0]
    assert (setup.state.exit_code, setup.state.reason, setup.ready) == (0, "Completed", True)
    assert (status.phase, status.condition("Ready").status) == ("Running", "True")


def test_removed_init_container_runs_again_in_a_new_sandbox():
    pod = pod_of(inits=[container("setup")])
    status = status_of(pod, observed=sandbox(exited(), infra_started=50))
    assert status.init_container_statuses[0].state == Waiting("PodInitializing")
    assert status.phase == "Pending"


def test_runs_are_told_apart_by_whole_seconds():
    # Podman's list gives whole seconds, its inspect more: the same run.
    first = one_status(seen(started=10.9))
    assert one_status(seen(started=10), previous=first).restart_count == 0


# -- The pod


def test_running_pod_is_ready():
    status = status_of(pod_of(container("web"), container("php")), seen(), seen("php"))
    assert (status.phase, status.pod_ip, status.host_ip, status.start_time) == (
        "Running",
        "10.0.0.5",
        "192.0.2.10",
        START,
    )
    assert [c.status for c in status.conditions] == ["True"] * 5
    assert {c.last_transition_time for c in status.conditions} == {NOW}


def test_pod_that_is_not_there_is_pending():
    status = pod_status(Evidence(pod_of(), NODE, NOW))
    assert (status.phase, status.start_time) == ("Pending", None)
    assert [(c.type, c.status) for c in status.conditions if c.status == "True"] == [
        ("Initialized", "True"),
        ("PodScheduled", "True"),
    ]


@pytest.mark.parametrize(
    ("infra_pid", "pod_ip", "host_network", "expected"),
    [(7, "10.0.0.5", False, "True"), (7, "", False, "False"), (0, "10.0.0.5", False, "False"), (7, "", True, "True")],
)
def test_sandbox_is_ready_with_an_infra_container_and_an_address(infra_pid, pod_ip, host_network, expected):
    pod = pod_of(host_network=host_network)
    status = status_of(pod, observed=sandbox(seen(), infra_pid=infra_pid), pod_ip=pod_ip)
    assert status.condition("PodReadyToStartContainers").status == expected
    assert status.pod_ip == (NODE.ip if host_network else pod_ip)


def test_crash_loop_keeps_the_phase_running():
    status = status_of(pod_of(container("web"), container("php")), seen(), exited("php"))
    assert status.phase == "Running"
    assert status.condition("Ready").message == "containers with unready status: [php]"


@pytest.mark.parametrize(
    ("policy", "codes", "expected"),
    [
        ("Always", (0, 0), "Running"),
        ("OnFailure", (0, 0), "Succeeded"),
        ("OnFailure", (0, 1), "Running"),
        ("Never", (0, 0), "Succeeded"),
        ("Never", (0, 1), "Failed"),
    ],
)
@pytest.mark.parametrize("sidecar_code", [0, 1])
def test_phase_of_a_stopped_pod_is_decided_by_its_main_containers(policy, codes, expected, sidecar_code):
    pod = pod_of(container("web"), container("php"), inits=[sidecar("proxy")], restart_policy=policy)
    containers = [exited("web", codes[0]), exited("php", codes[1]), exited("proxy", sidecar_code, role="sidecar")]
    status = status_of(pod, *containers)
    assert status.phase == expected
    ended = isinstance(status.container("proxy").state, Terminated)
    assert ended is (expected in FINAL_PHASES)


def test_sidecar_ended_after_the_last_main_container_is_not_started_again():
    pod = pod_of(inits=[sidecar("first"), sidecar("second")], restart_policy="Never")
    status = status_of(pod, exited(code=0), seen("first", role="sidecar"), exited("second", 143, role="sidecar"))
    assert status.phase == "Running"
    assert status.container("second").state.exit_code == 143


def test_stopped_pod_backs_off_from_nothing():
    status = status_of(pod_of(), exited(code=143), is_stopping=True)
    assert (status.phase, status.container("web").state.exit_code) == ("Failed", 143)
    assert status_of(pod_of(), exited(code=0), is_stopping=True).phase == "Succeeded"
    status = status_of(pod_of(container("web"), container("php")), seen(), exited("php", 143), is_stopping=True)
    assert (status.phase, status.container("php").state.exit_code) == ("Running", 143)


class TestInitContainers:
    POD = pod_of(inits=[container("setup"), sidecar("proxy", startup_probe=Probe()), container("migrate")])

    def states(self, *containers, **arguments):
        status = status_of(self.POD, *containers, **arguments)
        waiting = [s.state.reason if isinstance(s.state, Waiting) else "" for s in status.all_statuses]
        return status.phase, waiting, status.condition("Initialized")

    def test_the_others_wait_while_the_first_runs(self):
        phase_now, waiting, initialized = self.states(seen("setup", role="init"), created())
        assert (phase_now, waiting) == ("Pending", ["", *["PodInitializing"] * 3])
        assert initialized.reason == "ContainersNotInitialized"
        assert initialized.message == "containers with incomplete status: [setup proxy migrate]"

    def test_failed_one_backs_off(self):
        phase_now, waiting, _conditions = self.states(exited("setup", role="init"))
        assert (phase_now, waiting[0]) == ("Pending", "CrashLoopBackOff")

    def test_failed_one_under_never_is_the_end(self):
        status = status_of(replace(self.POD, restart_policy="Never"), exited("setup", role="init"))
        assert (status.phase, status.container("setup").state.exit_code) == ("Failed", 1)

    def test_sidecar_counts_once_it_has_started(self):
        done, proxy = exited("setup", 0, role="init"), seen("proxy", role="sidecar")
        _phase, _waiting, initialized = self.states(done, proxy, exited("migrate", 0, role="init"))
        assert initialized.message == "containers with incomplete status: [proxy]"
        phase_now, waiting, initialized = self.states(
            done, proxy, exited("migrate", 0, role="init"), created(), started={"proxy": True}
        )
        assert (phase_now, waiting[-1], initialized.status) == ("Pending", "ContainerCreating", "True")

    def test_sidecar_that_starts_again_leaves_the_pod_initialized(self):
        done = [exited("setup", 0, role="init"), exited("migrate", 0, role="init")]
        phase_now, waiting, initialized = self.states(*done, seen(), exited("proxy", role="sidecar"))
        assert (phase_now, waiting[1], initialized.status) == ("Running", "CrashLoopBackOff", "True")

        proxy = seen("proxy", role="sidecar", started=100)
        phase_now, _waiting, initialized = self.states(*done, seen(), proxy, started={"proxy": False})
        assert (phase_now, initialized.status) == ("Running", "True")

    def test_nothing_waits_for_the_initialization_of_an_initialized_pod(self):
        pod = replace(self.POD, containers=(container("web"), container("php")))
        done = [exited("setup", 0, role="init"), exited("migrate", 0, role="init")]
        status = status_of(pod, *done, seen(), created("php"))
        assert [status.container(name).state.reason for name in ("proxy", "php")] == ["ContainerCreating"] * 2

    def test_new_sandbox_initializes_anew(self):
        done = [exited("setup", 0, role="init"), exited("migrate", 0, role="init")]
        observed = sandbox(*done, seen("proxy", started=60, role="sidecar"), exited(), infra_started=50)
        assert status_of(self.POD, observed=observed).phase == "Pending"


class TestDeadline:
    POD = pod_of(active_deadline_seconds=60)

    def test_pod_fails_at_its_deadline(self):
        assert status_of(self.POD, seen(), now=START + 59.9).phase == "Running"
        status = status_of(self.POD, seen(), now=START + 60)
        assert (status.phase, status.reason) == ("Failed", "DeadlineExceeded")
        assert status.message == "Pod was active on the node longer than the specified deadline"
        assert status.condition("Ready").reason == "PodFailed"

    def test_it_stays_failed_while_it_is_ended(self):
        first = status_of(self.POD, seen(), now=START + 60)
        last = status_of(self.POD, exited(code=0), now=START + 70, previous=first)
        assert (last.phase, last.reason, last.container("web").state.exit_code) == ("Failed", "DeadlineExceeded", 0)

    def test_pod_that_came_to_its_own_end_is_not_late(self):
        pod = replace(self.POD, restart_policy="Never")
        assert status_of(pod, exited(code=0), now=START + 600).phase == "Succeeded"

    def test_deadline_counts_from_the_first_start_time(self):
        first = status_of(self.POD, seen(), now=START + 10)
        newer = replace(sandbox(seen()), created_at=START + 50)
        assert status_of(self.POD, observed=newer, previous=first, now=START + 60).phase == "Failed"

    def test_run_begun_anew_has_its_whole_time(self):
        first = status_of(self.POD, seen(), now=START + 60)
        again = status_of(self.POD, seen(id="web-2", started=100), now=START + 110, previous=first)
        assert (again.phase, again.start_time) == ("Running", START + 100)

    def test_a_pod_that_is_to_run_anew_has_its_whole_time(self):
        """From the moment that this was written down, before any container of its is."""
        first = status_of(self.POD, seen(), now=START + 60)
        stopped = exited(finished=START + 62)
        assert status_of(self.POD, stopped, now=START + 70, previous=first, begun_at=START).reason == "DeadlineExceeded"
        begun = status_of(self.POD, stopped, now=START + 70, previous=first, begun_at=START + 70)
        assert (begun.phase, begun.reason, begun.start_time) == ("Running", "", START + 70)
        assert status_of(self.POD, stopped, now=START + 130, previous=begun, begun_at=START + 70).phase == "Failed"


class TestFinalPhase:
    POD = pod_of(restart_policy="Never")

    @pytest.mark.parametrize(("code", "expected"), [(0, "Succeeded"), (1, "Failed")])
    def test_it_stays_when_the_containers_are_removed(self, code, expected):
        first = status_of(self.POD, exited(code=code))
        assert first.phase == expected
        assert status_of(self.POD, observed=sandbox(), previous=first, now=NOW + 9) == first
        gone = pod_status(Evidence(self.POD, NODE, NOW, previous=first))
        assert (gone.phase, gone.container("web").state.exit_code) == (expected, code)

    def test_it_stays_when_a_container_is_only_created(self):
        first = status_of(self.POD, exited())
        assert status_of(self.POD, created(id="web-2"), previous=first).phase == "Failed"

    def test_it_stays_whatever_else_is_in_the_pod(self):
        first = status_of(self.POD, exited())
        others = [seen(state="unknown", started=100), seen("undeclared", started=100)]
        assert status_of(self.POD, *others, previous=first).start_time == START
        assert status_of(self.POD, *others, previous=first).phase == "Failed"

    def test_it_is_left_when_a_container_is_started_anew(self):
        first = status_of(self.POD, exited())
        again = status_of(self.POD, seen(id="web-2", started=100), previous=first)
        assert (again.phase, again.start_time, again.container("web").restart_count) == ("Running", START + 100, 1)

    def test_post_start_hook_cut_off_by_the_end_is_no_new_start(self):
        pod = pod_of(container("web", lifecycle=HOOKED), active_deadline_seconds=60)
        first = status_of(pod, seen(), now=START + 60)
        assert first.container("web").state == Running(START + 10)
        assert status_of(pod, exited(), previous=first).reason == "DeadlineExceeded"

    def test_new_run_in_its_post_start_hook_is_no_end(self):
        pod = pod_of(container("web", lifecycle=HOOKED), restart_policy="Never")
        first = status_of(pod, exited())
        again = status_of(pod, seen(id="web-2", started=100), previous=first)
        assert (again.phase, again.container("web").last_state.exit_code) == ("Running", 1)
        done = status_of(pod, seen(id="web-2", started=100, post_start_done=True), previous=again)
        assert (done.phase, done.start_time, done.container("web").restart_count) == ("Running", START + 100, 1)

    def test_stopped_pod_begins_again_when_it_is_started(self):
        first = status_of(pod_of(), exited(code=143), is_stopping=True)
        assert status_of(pod_of(), seen(started=100), previous=first).phase == "Running"


def test_transition_times_stay_while_the_status_does():
    pod = pod_of(container("web", readiness_probe=Probe()))
    first = status_of(pod, seen(), now=NOW)
    second = status_of(pod, seen(), readiness={"web": True}, previous=first, now=NOW + 5)
    third = status_of(pod, seen(), readiness={"web": True}, previous=second, now=NOW + 9)
    times = {name: third.condition(name).last_transition_time for name in ("Ready", "ContainersReady", "Initialized")}
    assert times == {"Ready": NOW + 5, "ContainersReady": NOW + 5, "Initialized": NOW}
    assert third == second


def test_readiness_gates_look_at_conditions_that_others_set():
    pod = pod_of(readiness_gates=(ReadinessGate("example.com/lb"),))
    first = status_of(pod, seen())
    assert first.condition("Ready").reason == "ReadinessGatesNotReady"
    told = replace(first, conditions=(*first.conditions, Condition("example.com/lb", "True", "", "", START)))
    second = status_of(pod, seen(), previous=told, now=NOW + 1)
    assert second.condition("Ready") == Condition("Ready", "True", last_transition_time=NOW + 1)
    assert second.condition("example.com/lb").last_transition_time == START


def test_qos_class_counts_every_container():
    one_mebibyte = {"cpu": Quantity.parse("1"), "memory": Quantity.parse("1Mi")}
    sized = container("web", resources=ResourceRequirements(one_mebibyte, one_mebibyte))
    assert status_of(pod_of(sized), seen()).qos_class == "Guaranteed"
    assert status_of(pod_of(sized, inits=[container("setup")]), seen()).qos_class == "Burstable"
    assert status_of(pod_of(), seen()).qos_class == "BestEffort"
    pod_level = ResourceRequirements(one_mebibyte, one_mebibyte)
    assert status_of(pod_of(resources=pod_level), seen()).qos_class == "Guaranteed"


def test_termination_messages_go_by_container():
    pod = pod_of(container("web"), container("php"), restart_policy="Never")
    status = status_of(pod, exited(), exited("php"), termination_messages={"php": "no database"})
    assert [s.state.message for s in status.container_statuses] == ["", "no database"]


def test_strangers_in_the_pod_have_no_status():
    status = status_of(pod_of(), seen(), seen("", id="stranger"), seen("undeclared"))
    assert [s.name for s in status.all_statuses] == ["web"]


# -- Kubernetes' shape


def test_status_is_written_as_kubernetes_writes_it():
    pod = pod_of(container("php"), inits=[container("setup")])
    first = status_of(pod, exited("setup", 0, role="init"), exited("php", 137, oom_killed=True))
    status = status_of(
        pod,
        exited("setup", 0, role="init"),
        seen("php", started=30.7, id="php-2"),
        previous=first,
        now=NOW + 60,
    )
    document = to_kubernetes(status)
    assert document == {
        "phase": "Running",
        "conditions": document["conditions"],
        "hostIP": "192.0.2.10",
        "hostIPs": [{"ip": "192.0.2.10"}],
        "podIP": "10.0.0.5",
        "podIPs": [{"ip": "10.0.0.5"}],
        "qosClass": "BestEffort",
        "startTime": "2023-11-14T22:13:20Z",
        "initContainerStatuses": [
            {
                "name": "setup",
                "state": {
                    "terminated": {
                        "exitCode": 0,
                        "reason": "Completed",
                        "startedAt": "2023-11-14T22:13:30Z",
                        "finishedAt": "2023-11-14T22:13:40Z",
                        "containerID": "podman://setup-1",
                    }
                },
                "lastState": {},
                "ready": True,
                "started": False,
                "restartCount": 0,
                "image": "localhost/image-of-setup:latest",
                "imageID": "sha256:feed",
                "containerID": "podman://setup-1",
            }
        ],
        "containerStatuses": [
            {
                "name": "php",
                "state": {"running": {"startedAt": "2023-11-14T22:13:50Z"}},
                "lastState": {
                    "terminated": {
                        "exitCode": 137,
                        "reason": "OOMKilled",
                        "signal": 9,
                        "startedAt": "2023-11-14T22:13:30Z",
                        "finishedAt": "2023-11-14T22:13:40Z",
                        "containerID": "podman://php-1",
                    }
                },
                "ready": True,
                "started": True,
                "restartCount": 1,
                "image": "localhost/image-of-php:latest",
                "imageID": "sha256:feed",
                "containerID": "podman://php-2",
            }
        ],
    }
    assert {"type": "Ready", "status": "True", "lastTransitionTime": "2023-11-14T22:31:00Z"} in document["conditions"]
    json.dumps(document)


def test_waiting_is_written_with_its_reason():
    document = to_kubernetes(status_of(pod_of(), created(), waiting={"web": Waiting("ErrImagePull", "no route")}))
    written = document["containerStatuses"][0]
    assert written["state"] == {"waiting": {"reason": "ErrImagePull", "message": "no route"}}
    assert "initContainerStatuses" not in document


def test_containers_no_longer_declared_are_not_read_back():
    document = to_kubernetes(status_of(pod_of(container("web"), container("php")), seen(), seen("php")))
    assert [s.name for s in from_kubernetes(document, pod_of()).all_statuses] == ["web"]


def test_status_read_back_serves_as_previous():
    pod = pod_of(container("web"), inits=[sidecar("proxy")])
    looks = [
        [seen(started=10.5), seen("proxy", started=5.25, role="sidecar")],
        [exited(started=10.5, finished=20.75), seen("proxy", started=5.25, role="sidecar")],
        [seen(**SECOND), seen("proxy", started=5.25, role="sidecar")],
    ]
    kept = stored = None
    for number, look in enumerate(looks):
        kept = status_of(pod, *look, previous=kept, now=NOW + number)
        past = from_kubernetes(stored, pod) if stored else None
        stored = json.loads(json.dumps(to_kubernetes(status_of(pod, *look, previous=past, now=NOW + number))))
    assert stored == to_kubernetes(kept)
    assert stored["containerStatuses"][0]["restartCount"] == 1


# -- For people


EXPLANATIONS = {
    "ready": (pod_of(), [seen()], {}, ""),
    "crash loop": (
        pod_of(container("web"), container("php")),
        [seen(), exited("php", restart_count=4)],
        {},
        "containers with unready status: [php]; php: CrashLoopBackOff, last exit 1 (Error), 4 restarts",
    ),
    "crash loop with last words": (
        pod_of(),
        [exited(restart_count=1)],
        {"termination_messages": {"web": "no\n  database"}},
        "containers with unready status: [web]; web: CrashLoopBackOff, last exit 1 (Error: no database), 1 restart",
    ),
    "readiness": (
        pod_of(container("web", readiness_probe=Probe())),
        [seen()],
        {},
        "containers with unready status: [web]; web: Running, not ready",
    ),
    "startup": (
        pod_of(container("web", startup_probe=Probe())),
        [seen()],
        {},
        "containers with unready status: [web]; web: Running, startup probe not passed",
    ),
    "image": (
        pod_of(),
        [],
        {"waiting": {"web": Waiting("ErrImagePull", "registry\nunreachable")}},
        "containers with unready status: [web]; web: ErrImagePull: registry unreachable",
    ),
    "init failing": (
        pod_of(inits=[container("setup"), container("migrate")]),
        [exited("setup", 3, role="init", restart_count=2)],
        {},
        "containers with incomplete status: [setup migrate]; setup: CrashLoopBackOff, last exit 3 (Error), 2 restarts",
    ),
    "init running": (
        pod_of(inits=[container("setup")]),
        [seen("setup", role="init")],
        {},
        "containers with incomplete status: [setup]; setup: Running",
    ),
    "init not begun": (
        pod_of(inits=[container("setup")]),
        [],
        {},
        "containers with incomplete status: [setup]; setup: PodInitializing",
    ),
    "failed": (
        pod_of(container("web"), container("php"), restart_policy="Never"),
        [exited(code=0), exited("php", 137, oom_killed=True)],
        {},
        "the pod is Failed; php: Terminated, exit 137 (OOMKilled)",
    ),
    "succeeded": (pod_of(restart_policy="Never"), [exited(code=0)], {}, "the pod is Succeeded"),
    "deadline": (
        pod_of(active_deadline_seconds=60),
        [seen()],
        {},
        "the pod is Failed (DeadlineExceeded: Pod was active on the node longer than the specified deadline)",
    ),
    "no address": (
        pod_of(),
        [created()],
        {"pod_ip": ""},
        "the infra container does not run, or has no IP address; containers with unready status: [web]; "
        "web: ContainerCreating",
    ),
    "gate": (
        pod_of(readiness_gates=(ReadinessGate("lb"),)),
        [seen()],
        {},
        'corresponding condition of pod readiness gate "lb" does not exist.',
    ),
}


@pytest.mark.parametrize(("pod", "containers", "arguments", "text"), EXPLANATIONS.values(), ids=EXPLANATIONS)
def test_reason_is_told_in_one_line(pod, containers, arguments, text):
    assert explain(status_of(pod, *containers, **arguments)) == text


def test_end_of_a_pod_is_explained_by_its_main_containers():
    pod = pod_of(inits=[sidecar("proxy")])
    proxy = exited("proxy", 143, role="sidecar")
    first = status_of(pod, exited(code=2), proxy)
    last = status_of(pod, exited(started=30, finished=40), proxy, previous=first, is_stopping=True)
    assert last.container("web").last_state.exit_code == 2
    assert explain(last) == "the pod is Failed; web: Terminated, exit 1 (Error), 1 restart"


def test_unknown_pod_is_explained_by_its_message():
    assert explain(PodStatus("Unknown", reason="NodeLost", message="no\nanswer")) == (
        "the pod is Unknown (NodeLost: no answer)"
    )


def test_of_a_long_message_the_end_is_kept():
    text = explain(status_of(pod_of(), exited(), termination_messages={"web": "x" * 4000 + "\nat last"}))
    assert text.endswith("x at last)")
    assert len(text) < 400


# -- Properties

names = ("setup", "proxy", "web", "php")
declared = st.builds(
    lambda policy, inits, mains: pod_of(*mains, inits=inits, restart_policy=policy),
    st.sampled_from(["Always", "OnFailure", "Never"]),
    st.lists(st.sampled_from([container("setup"), sidecar("proxy")]), unique_by=lambda c: c.name),
    st.lists(
        st.sampled_from([container("web", readiness_probe=Probe()), container("php", lifecycle=HOOKED)]),
        min_size=1,
        unique_by=lambda c: c.name,
    ),
)
codes = st.sampled_from([0, 1, 127, 137])
runs = st.one_of(
    st.builds(created, st.just("any")),
    st.builds(
        seen,
        st.just("any"),
        st.sampled_from(["running", "paused", "unknown"]),
        st.integers(0, 99),
        id=st.sampled_from(["a", "b"]),
        post_start_done=st.booleans(),
    ),
    st.builds(exited, st.just("any"), codes, st.integers(0, 49), st.integers(50, 99), id=st.sampled_from(["a", "b"])),
)


@st.composite
def looks_at(draw, pod):
    """Podman's view of the pod: any of its containers in any state, or missing; or no pod at all."""
    if draw(st.integers(0, 9)) == 0:
        return None
    found = []
    for spec in pod.all_containers:
        run = draw(st.none() | runs)
        if run is not None:
            found.append(replace(run, name=spec.name, role=pod.role_of(spec), id=f"{spec.name}-{run.id}"))
    return sandbox(*found, infra_started=draw(st.sampled_from([0, 50])), infra_pid=draw(st.sampled_from([0, 7])))


@st.composite
def histories(draw):
    pod = draw(declared)
    return pod, draw(st.lists(looks_at(pod), min_size=1, max_size=5)), draw(st.booleans())


def statuses_through(pod, looks, is_stopping=False):
    status = None
    for number, look in enumerate(looks):
        status = pod_status(
            Evidence(pod, NODE, NOW + number, look, "10.0.0.5", {"web": True}, previous=status, is_stopping=is_stopping)
        )
        yield status


def is_running(status):
    return isinstance(status.state, Running)


@given(histories())
def test_phase_is_one_of_five_and_an_end_means_that_nothing_runs(history):
    pod, looks, stopping = history
    status = next(statuses_through(pod, looks[:1], stopping))
    init_failed = any(s.role == "init" and getattr(s.state, "exit_code", 0) for s in status.all_statuses)
    assert status.phase in PHASES
    if status.is_final:
        assert init_failed or not any(is_running(s) for s in status.all_statuses if s.role != "init")
    if status.phase == "Succeeded":
        assert all(s.state.exit_code == 0 for s in status.container_statuses)
    if status.phase == "Running":
        assert not any(isinstance(s.state, Waiting) and s.last_state is None for s in status.container_statuses)
    if pod.restart_policy == "Always" and not stopping:
        assert not status.is_final


@given(histories())
def test_second_look_at_the_same_changes_nothing(history):
    pod, looks, stopping = history
    *_earlier, last = statuses_through(pod, looks, stopping)
    *_earlier, again = statuses_through(pod, [*looks, looks[-1]], stopping)
    assert again == last


@given(histories())
def test_counts_never_fall_and_ready_means_ready(history):
    pod, looks, stopping = history
    counts = dict.fromkeys(names, 0)
    for status in statuses_through(pod, looks, stopping):
        for one in status.all_statuses:
            assert one.restart_count >= counts[one.name]
            counts[one.name] = one.restart_count
            assert not one.ready or (one.role == "init") or (one.started and is_running(one))
            assert one.last_state is None or one.last_state != one.state
        ready = status.condition("Ready").status == "True"
        assert ready <= (status.condition("ContainersReady").status == "True")
        assert ready == (explain(status) == "")
        assert "\n" not in explain(status)


@given(histories())
def test_what_is_written_reads_back_to_the_same(history):
    pod, looks, stopping = history
    *_earlier, last = statuses_through(pod, looks, stopping)
    document = to_kubernetes(last)
    read = from_kubernetes(json.loads(json.dumps(document)), pod)
    assert read == last
    assert to_kubernetes(read) == document


@given(histories(), codes)
def test_exit_code_of_a_sidecar_never_decides_the_phase(history, code):
    pod, looks, stopping = history
    status = next(statuses_through(pod, looks[:1], stopping))

    def recoded(one):
        ended = isinstance(one.state, Terminated) and one.role == "sidecar"
        return replace(one, state=replace(one.state, exit_code=code)) if ended else one

    other = [recoded(one) for one in reversed(status.all_statuses)]
    assert phase(pod, other, terminal=stopping) == phase(pod, status.all_statuses, terminal=stopping)
