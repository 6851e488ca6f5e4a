# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner of stacks: its plans step by step, one case per file in data/stack_plans, and what must hold of them all.

A case says what was applied (``was``), what else is a fact on the host, what is wanted now (``stack``, ``options``),
and the steps or the refusals. The properties carry plans out on a model of a host (`stack_model`), steps side by side
as chance has it: a run that is killed anywhere is made up for by the next one, and nothing is lost by it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from host_model import Host
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from stack_model import NAME, StackHost, Wanted, comparable
from stack_rollouts import bounds_of

from ansible_collections.podwright.pods.plugins.module_utils._declaration import parse
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options, pod_places
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import StackSpec
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.spec import AnyWorkload
from ansible_collections.podwright.pods.plugins.module_utils._errors import Refused
from ansible_collections.podwright.pods.plugins.module_utils._host.workload_store import KeptWorkload
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.context import Owner
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.observed import (
    ObservedNetwork,
    ObservedVolume,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.record import Owned, StackRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.workloads.job_record import JobRecord

Options = dict[str, Any]
CASES = sorted((Path(__file__).parent / "data" / "stack_plans").glob("*.yml"))
LEAST_CASES = 60

# --- cases ---------------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """A case file's content; a key that is not here is an error of the file."""

    case: str
    given: Options = field(default_factory=dict)
    """Facts from before all else."""
    was: Options | None = None
    was_options: Options = field(default_factory=dict)
    cut_off: Options = field(default_factory=dict)
    """A run towards ``stack``, with ``options``, that was killed ``after`` so many operations."""
    facts: Options = field(default_factory=dict)
    stack: Options | None = None
    options: Options = field(default_factory=dict)
    graph: list[str] | None = None
    actions: list[str] | None = None
    record: Options | None = None
    """What is on record when all was done."""
    refused: list[str] | None = None


def read_case(path: Path) -> Case:
    return Case(**yaml.safe_load(path.read_text()))


def read_stack(options: Options | None) -> StackSpec | None:
    return parse_options({"name": NAME, **options}) if options is not None else None


def read_run(options: Options | None, more: Options) -> tuple[StackSpec | None, Options]:
    """The arguments of a run; tuples where a case file has lists."""
    rotate = tuple(map(tuple, more.get("rotate", ())))
    places = pod_places(options) if options else {}
    return read_stack(options), {**more, "rotate": rotate, "places": places}


def host_of(case: Case) -> StackHost:
    """The host that a case begins with."""
    host = see(StackHost(), case.given)
    if case.was is not None:
        stack, options = read_run(case.was, case.was_options)
        host = host.apply(stack, **options)
    if case.cut_off:
        stack, options = read_run(case.cut_off.get("stack"), case.cut_off.get("options", {}))
        host = cut_off(host, host.want(stack, **options), case.cut_off["after"])
    return see(host, case.facts)


def see(host: StackHost, facts: Options) -> StackHost:
    for name, value in facts.items():
        host = FACTS[name](host, value)
    return host


def cut_off(host: StackHost, wanted: Wanted, after: int) -> StackHost:
    """The host after so many operations of a run."""
    done, before = 0, host
    for step in host.steps(wanted):
        done += step != before
        before = step
        if done == after:
            break
    return before


def see_pods(host: StackHost, changes: Mapping[str, str]) -> StackHost:
    for name, change in changes.items():
        pod = host.pods[name]
        pod = pod.see(pod=None) if change == "gone" else pod.see_container("main", state=change, pid=0)
        host = replace(host, pods={**host.pods, name: pod})
    return host


def see_alone(host: StackHost, options: Options) -> StackHost:
    """A pod that was made on its own, with what was generated for it."""
    generated = options.pop("generated", {})
    pod = parse.parse_options(options)
    kept = {(pod.name, *name.split("/")): value for name, value in generated.items()}
    ports = frozenset(f"{port.host_port}/tcp" for c in pod.containers for port in c.ports)
    return replace(
        host,
        pods={**host.pods, pod.name: Host().apply(pod)},
        labels={**host.labels, pod.name: ""},
        ports={**host.ports, pod.name: ports},
        generated={**host.generated, **kept},  # type: ignore[dict-item]
    )


def see_made_jobs(host: StackHost, jobs: Mapping[str, str]) -> StackHost:
    """Jobs that CronJobs have made, by the names of both; each has a pod, called like it with a number."""
    for job, cron_job in jobs.items():
        pod = parse.parse_options({"name": f"{job}-abc-0", "containers": [{"name": "main", "image": "j:1"}]})
        kept = KeptWorkload("Job", job, JobRecord("abc", 1), made_by=cron_job)
        host = replace(
            host,
            pods={**host.pods, pod.name: Host().apply(pod)},
            labels={**host.labels, pod.name: NAME},
            members={**host.members, pod.name: Owner("Job", job, "abc")},
            kept={**host.kept, ("Job", job): kept},
        )
    return host


FACTS: Mapping[str, Any] = {
    "made_jobs": see_made_jobs,
    "pods": see_pods,
    "alone": see_alone,
    "networks": lambda host, given: replace(
        host,
        networks={
            **host.networks,
            **{n: ObservedNetwork(n, False, o.get("internal", False), tuple(o["subnets"])) for n, o in given.items()},
        },
    ),
    "volumes": lambda host, given: replace(
        host, volumes={**host.volumes, **{name: ObservedVolume(name, **made) for name, made in given.items()}}
    ),
    "owners": lambda host, owners: replace(host, owners=owners),
    "not_ready": lambda host, value: replace(host, record=replace(host.record, all_good=())),
    "damaged": lambda host, value: replace(
        host,
        is_damaged=True,
        record=StackRecord(owned=Owned(tuple(host.pods), tuple(host.volumes), tuple(host.networks))),
    ),
    "removed_networks": lambda host, names: replace(
        host, networks={name: found for name, found in host.networks.items() if name not in names}
    ),
    "removed_volumes": lambda host, names: replace(
        host, volumes={name: found for name, found in host.volumes.items() if name not in names}
    ),
}


def shown(record: StackRecord) -> Options:
    owned = {name: list(getattr(record.owned, name)) for name in ("pods", "volumes", "networks")}
    return {"current": record.current, "good": list(record.all_good), **{n: each for n, each in owned.items() if each}}


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_plan(path: Path) -> None:
    case = read_case(path)
    host = host_of(case)
    stack, options = read_run(case.stack, case.options)
    if case.refused is not None:
        with pytest.raises(Refused) as caught:
            host.want(stack, **options)
        assert [str(fault) for fault in caught.value.faults] == case.refused
        return
    wanted = host.want(stack, **options)
    assert wanted.plan.graph() == case.graph
    if case.actions is not None:
        assert wanted.plan.lines() == case.actions
    *_earlier, last = host.steps(wanted)
    if case.record is not None:
        assert shown(last.record) == case.record
    is_repeated = options.get("state") != "rolled_back" and not options["rotate"] and not options.get("back_to")
    if is_repeated:
        assert last.want(stack, **options).plan.lines() == []


def test_every_case_expects_one_thing() -> None:
    for path in CASES:
        case = read_case(path)
        assert (case.graph is None) != (case.refused is None), path
    assert len(CASES) >= LEAST_CASES


# --- properties ----------------------------------------------------------------------------------------------------

PODS = ("a", "b", "c", "d")
PORTS = (8001, 8002)
FEWER = settings(max_examples=max(20, settings().max_examples // 5))
"""Each example is several runs on several pods."""


@st.composite
def secrets(draw: st.DrawFn) -> list[Options]:
    names = draw(st.lists(st.sampled_from(["login", "token"]), unique=True))
    keys = st.lists(st.sampled_from(["one", "two"]), unique=True, min_size=1)
    numbers = st.dictionaries(st.sampled_from(["one", "two"]), st.integers(1, 3))
    found = []
    for name in names:
        declared = draw(keys)
        rotate = {key: number for key, number in draw(numbers).items() if key in declared}
        found.append({"name": name, "generate": dict.fromkeys(declared, 8), **({"rotate": rotate} if rotate else {})})
    return found


@st.composite
def pods(draw: st.DrawFn, name: str, shared: Options, ports: list[int]) -> Options:
    """A pod that uses some of what the stack has."""
    sources = [{"secret_ref": {"name": secret["name"]}} for secret in shared["secrets"]]
    sources += [{"config_map_ref": {"name": each["name"]}} for each in shared["config_maps"]]
    used = draw(st.lists(st.sampled_from(sources), unique_by=repr)) if sources else []
    claims = draw(st.lists(st.sampled_from(["data", "more"]), unique=True, max_size=1))
    networks = [network["name"] for network in shared["networks"]]
    return {
        "name": name,
        "containers": [
            {
                "name": "main",
                "image": draw(st.sampled_from(["a:1", "a:2"])),
                "env_from": used,
                "ports": [{"container_port": port, "host_port": port} for port in ports],
                "volume_mounts": [{"name": "v", "mount_path": "/v"} for _claim in claims],
            }
        ],
        "volumes": [{"name": "v", "persistent_volume_claim": {"claim_name": claim}} for claim in claims],
        "networks": draw(st.lists(st.sampled_from(networks), unique=True)) if networks else [],
    }


@st.composite
def stacks(draw: st.DrawFn) -> StackSpec:
    """Stacks of up to four pods, which wait for one another, share what they use, and have ports that move."""
    shared = {
        "config_maps": draw(
            st.sampled_from([[], [{"name": "c", "data": {"A": "1"}}], [{"name": "c", "data": {"A": "2"}}]])
        ),
        "secrets": draw(secrets()),
        "volumes": draw(st.sampled_from([[], [{"name": "data"}]])),
        "networks": [{"name": name} for name in draw(st.lists(st.sampled_from(["inner", "outer"]), unique=True))],
    }
    names = draw(st.permutations(draw(st.lists(st.sampled_from(PODS), unique=True, min_size=1))))
    holders = {port: draw(st.sampled_from(names)) for port in PORTS if draw(st.booleans())}
    declared = [draw(pods(name, shared, [port for port in PORTS if holders.get(port) == name])) for name in names]
    conditions = st.sampled_from(["started", "ready"])
    depends_on = {
        name: [{"pod": other, "condition": draw(conditions)} for other in waited_for]
        for number, name in enumerate(names)
        if (waited_for := [other for other in names[:number] if draw(st.booleans())])
    }
    return parse_options({"name": NAME, "pods": declared, "depends_on": depends_on, **shared})


def killed(host: StackHost, data: st.DataObject, stack: StackSpec | None, **options: Any) -> StackHost:
    """The host after a run that was killed anywhere, its pods carried out side by side as chance has it."""
    chance = random.Random(data.draw(st.integers(0, 1 << 16)))
    return data.draw(st.sampled_from(list(host.steps(wanting(host, stack, **options), chance))))


def wanting(host: StackHost, stack: StackSpec | None, **options: Any) -> Wanted:
    """A run's plan; ports that would go round among pods are no matter here."""
    try:
        return host.want(stack, **options)
    except Refused as error:
        assume(not all("go round" in fault.reason for fault in error.faults))
        raise


def applied(host: StackHost, stack: StackSpec | None, **options: Any) -> StackHost:
    """The host after a whole run, once it is made sure that another one would do nothing."""
    *_earlier, last = host.steps(wanting(host, stack, **options))
    assert last.want(stack, **options).plan.lines() == []
    return last


def insist_on_what_was_there(before: StackHost, after: StackHost) -> None:
    """Data stays, and what opens it: a value is another one only where it was rotated."""
    assert before.volumes.keys() <= after.volumes.keys()
    assert before.generated.keys() <= after.generated.keys()
    for at, value in before.generated.items():
        assert after.generated[at] == value or after.rotations[at] > before.rotations[at]


@FEWER
@given(stacks(), st.data())
def test_a_stack_that_was_just_started_is_unchanged(stack: StackSpec, data: st.DataObject) -> None:
    chance = random.Random(data.draw(st.integers(0, 1 << 16)))
    *_earlier, host = StackHost().steps(StackHost().want(stack), chance)
    assert host.want(stack).plan.lines() == []
    assert comparable(host) == comparable(StackHost().apply(stack))
    assert (host.record.current, host.record.good) == (1, 1)


@FEWER
@given(stacks(), stacks())
def test_an_update_ends_where_a_first_start_does(before: StackSpec, after: StackSpec) -> None:
    host = applied(StackHost().apply(before), after)
    fresh = StackHost(generated=host.generated, rotations=host.rotations, volumes=host.volumes)
    assert pods_of(host) == pods_of(fresh.apply(after))


@FEWER
@given(stacks(), stacks(), st.data())
def test_a_run_that_is_killed_anywhere_is_made_up_for(before: StackSpec, after: StackSpec, data: st.DataObject) -> None:
    host = StackHost().apply(before)
    cut_off = killed(host, data, after)
    resumed = applied(cut_off, after)
    assert comparable(resumed) == comparable(applied(host, after))
    insist_on_what_was_there(cut_off, resumed)
    taken_back = applied(cut_off, before)
    insist_on_what_was_there(cut_off, taken_back)
    assert taken_back.record.good == taken_back.record.current
    assert {*taken_back.record.owned.pods} == {pod.name for pod in before.pods}
    assert taken_back.networks.keys() == {network.name for network in before.networks}


@FEWER
@given(stacks(), st.data())
def test_a_first_start_that_is_killed_again_and_again_is_made_up_for(stack: StackSpec, data: st.DataObject) -> None:
    host = StackHost()
    for _turn in range(3):
        later = killed(host, data, stack)
        insist_on_what_was_there(host, later)
        host = later
    assert comparable(applied(host, stack)) == comparable(StackHost().apply(stack))


@FEWER
@given(stacks(), stacks(), st.data())
def test_all_can_be_removed_of_a_run_that_was_killed_anywhere(
    before: StackSpec, after: StackSpec, data: st.DataObject
) -> None:
    """Also by a removal that is killed itself; and what it keeps by one more."""
    host = killed(StackHost().apply(before), data, after)
    gone = applied(killed(host, data, None, state="absent"), None, state="absent")
    insist_on_what_was_there(host, gone)
    assert (pods_of(gone), gone.networks, gone.revisions, gone.record.current) == ({}, {}, {}, 0)
    bare = killed(gone, data, None, state="absent", prune_volumes=True)
    bare = applied(bare, None, state="absent", prune_volumes=True)
    assert (bare.volumes, bare.generated, bare.record) == ({}, {}, StackRecord())


@FEWER
@given(stacks(), stacks(), st.data())
def test_a_stop_that_is_killed_anywhere_is_made_up_for(
    before: StackSpec, after: StackSpec, data: st.DataObject
) -> None:
    host = StackHost().apply(before)
    cut_off = killed(host, data, None, state="stopped")
    stopped = applied(cut_off, None, state="stopped")
    assert not any(stopped.runs(pod.name) for pod in before.pods)
    for halfway in (cut_off, stopped):
        assert comparable(applied(halfway, before)) == comparable(host)
        assert pods_of(applied(halfway, after)) == pods_of(applied(host, after))


@FEWER
@given(stacks(), stacks(), st.data())
def test_a_way_back_that_is_killed_anywhere_is_made_up_for(
    before: StackSpec, after: StackSpec, data: st.DataObject
) -> None:
    """After a run towards ``after`` that failed at one of its operations: what was rotated is as it was."""
    host = StackHost().apply(before)
    wanted = wanting(host, after)
    chance = random.Random(data.draw(st.integers(0, 1 << 16)))
    *meanwhile, _concluded = host.steps(wanted, chance)
    failed = data.draw(st.sampled_from(meanwhile))
    assume(failed.record.current == wanted.plan.number)
    options = way_back(host, failed)
    back = applied_once(failed, before, **options)
    assert (back.record.current, back.record.good) == (1, 1)
    assert back.want(before).plan.lines() == []
    insist_on_what_was_there(host, back)
    assert {at: back.generated[at] for at in host.generated} == host.generated
    halfway = killed(failed, data, before, **options)
    insist_on_what_was_there(host, halfway)
    assert pods_of(applied(halfway, after)) == pods_of(applied(host, after))
    assert applied(halfway, before).networks.keys() == {network.name for network in before.networks}


# --- workloads -----------------------------------------------------------------------------------------------------


def web(image: str, replicas: int = 3, **fields: Any) -> Options:
    template = {"containers": [{"name": "main", "image": image}]}
    return {"name": "web", "replicas": replicas, "template": template, **fields}


def rolling(surge: int, unavailable: int) -> Options:
    return {"strategy": {"rolling_update": {"max_surge": surge, "max_unavailable": unavailable}}}


def workload_of(stack: StackSpec) -> AnyWorkload:
    (workload,) = stack.workloads
    return workload


def insist_on_bounds(host: StackHost, stack: StackSpec, least: int, most: int) -> None:
    present, available = bounds_of(host, workload_of(stack))
    assert least <= available
    assert present <= most


def insist_on_being_made_up_for(rollout: tuple[str, Options, int, int], stride: int) -> None:
    """Of a rollout that is killed, by a run that wants the same and by one that wants what was there before."""
    option, fields, least, most = rollout
    before, after = (read_stack({option: [web(image, **fields)]}) for image in ("w:1", "w:2"))
    assert before is not None
    assert after is not None
    host = StackHost().apply(before)
    for number, cut_off in enumerate(host.steps(host.want(after), random.Random(3))):
        insist_on_bounds(cut_off, after, least, most)
        for wanted, image in ((after, "w:2"), (before, "w:1")) if number % stride == 0 else ():
            last = cut_off
            for halfway in cut_off.steps(cut_off.want(wanted)):
                insist_on_bounds(halfway, wanted, least, most)
                last = halfway
            recorded = [pod.recorded for pod in last.pods.values() if pod.recorded]
            assert [pod.containers[0].image for pod in recorded] == [image] * 3
            assert last.want(wanted).plan.lines() == []


ROLLOUTS: list[tuple[str, Options, int, int]] = [
    ("deployments", rolling(1, 0), 3, 4),
    ("deployments", rolling(0, 1), 2, 3),
    ("deployments", rolling(2, 2), 1, 5),
    ("deployments", {"strategy": {"type": "Recreate"}}, 0, 3),
    ("stateful_sets", {}, 2, 3),
]
"""Of three pods; how many there are at least, and at most."""


@pytest.mark.parametrize("rollout", ROLLOUTS)
def test_a_rollout_of_three_that_is_killed_now_and_then_is_made_up_for(
    rollout: tuple[str, Options, int, int],
) -> None:
    insist_on_being_made_up_for(rollout, 9)


@pytest.mark.long
@pytest.mark.parametrize("rollout", ROLLOUTS)
def test_a_rollout_of_three_that_is_killed_at_any_of_its_operations_is_made_up_for(
    rollout: tuple[str, Options, int, int],
) -> None:
    insist_on_being_made_up_for(rollout, 1)


def way_back(before: StackHost, failed: StackHost) -> Options:
    """The options of a run that goes back, as a run that has failed makes them."""
    rotated = [at for at, value in before.generated.items() if failed.generated[at] != value]
    restore: dict[str, dict[str, str]] = {}
    numbers: dict[str, dict[str, str]] = {}
    for owner, secret, key in rotated:
        restore.setdefault(secret, {})[key] = before.generated[owner, secret, key]
        numbers.setdefault(secret, {})[key] = str(before.rotations[owner, secret, key])
    return {"back_to": 1, "restore": restore, "before_rotation": numbers}


def applied_once(host: StackHost, stack: StackSpec, **options: Any) -> StackHost:
    *_earlier, last = host.steps(wanting(host, stack, **options))
    return last


def pods_of(host: StackHost) -> Any:
    return comparable(host)[0]
