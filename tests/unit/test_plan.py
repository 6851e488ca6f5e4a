# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner: its plans line by line, one case per file in data/plans, and what must hold of every plan.

A case says what was applied (``was``), what else is a fact on the host, what is wanted now (``pod``), and the plan or
the refusals. The properties carry plans out on a model of a host (`host_model`): a plan, from whatever it starts,
ends where planning again finds nothing to do; and so it does after being cut off anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from host_model import NODE, Host, image_id, normalise
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import PodPlace, parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.place import Place, Style
from ansible_collections.podwright.pods.plugins.module_utils._declaration.quantity import Quantity
from ansible_collections.podwright.pods.plugins.module_utils._errors import Refused
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.costs import CONTAINER_FIELDS, POD_FIELDS, Cost
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import (
    ObservedContainer,
    ObservedImage,
    ObservedPod,
    PortHolder,
    Usage,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.operations import (
    Plan,
    RemoveContainer,
    RemovePod,
    StopContainer,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod.plan import plan_pod
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod.stops import with_grace_period
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod.view import PodView
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.pod_status import final_failure
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.status import (
    ContainerStatus,
    Failure,
    PodStatus,
    Terminated,
)

Options = dict[str, Any]
CASES = sorted((Path(__file__).parent / "data" / "plans").glob("*.yml"))

# --- cases ---------------------------------------------------------------------------------------------------------


@dataclass
class Case:
    """A case file's content; a key that is not here is an error of the file."""

    case: str
    was: Options | None = None
    pod: Options | None = None
    state: str = "started"
    cut_off: Options = field(default_factory=dict)
    """A run towards ``pod`` that was killed ``after`` so many operations."""
    facts: Options = field(default_factory=dict)
    node: Options = field(default_factory=dict)
    allocatable: dict[str, int] = field(default_factory=dict)
    pinned_images: dict[str, str] = field(default_factory=dict)
    plan: list[str] | None = None
    refused: list[str] | None = None


def read_case(path: Path) -> Case:
    return Case(**yaml.safe_load(path.read_text()))


def host_of(case: Case) -> Host:
    """The host that a case begins with."""
    host = Host(node=replace(NODE, **case.node))
    if case.was:
        host = host.apply(parse_options(case.was))
    if case.cut_off:
        pod = parse_options(case.cut_off["pod"])
        host = host.run(pod, host.plan(pod).operations[: case.cut_off["after"]])
    host = see(host, case.facts)
    return replace(host, pinned_images={name: image_id(name, int(of)) for name, of in case.pinned_images.items()})


def see(host: Host, facts: Mapping[str, Any]) -> Host:
    for name, value in facts.items():
        host = FACTS[name](host, value)
    return host


def see_containers(host: Host, changes: Mapping[str, Any]) -> Host:
    for name, change in changes.items():
        if change == "absent":
            host = host.without_container(name)
            continue
        running = change.get("state", "running") == "running"
        given_limits = change.get("limits")
        if given_limits:
            change = {**change, "limits": replace(host.find(name).limits, **given_limits)}
        host = host.see_container(name, **change, **({} if running else {"pid": 0}))
    return host


def see_infra(host: Host, state: str) -> Host:
    if state == "absent":
        others = tuple(c for c in host.pod.containers if not c.is_infra)
        return host.see_pod(containers=others, infra_id="", infra_pid=0)
    changed = tuple(replace(c, state=state, pid=0) if c.is_infra else c for c in host.pod.containers)
    return host.see_pod(containers=changed, infra_pid=0)


def see_strangers(host: Host, names: list[str]) -> Host:
    strangers = tuple(ObservedContainer(f"id of {n}", n, "", "", "running", "any", "any") for n in names)
    return host.see_pod(containers=host.pod.containers + strangers)


def see_pod_limits(host: Host, changes: Mapping[str, Any]) -> Host:
    return host.see_pod(limits=replace(host.pod.limits, **changes))  # type: ignore[type-var]


def see_images(host: Host, revisions: Mapping[str, int | None]) -> Host:
    """Point image names to the image of that revision in the local store, or to none."""
    images = {
        name: None if of is None else ObservedImage(image_id(name, of), command=("serve",))
        for name, of in revisions.items()
    }
    return host.see(images={**host.observed.images, **images})


LATE = final_failure(s.PodSpec("any", ()), PodStatus("Failed", reason="DeadlineExceeded"))


def failed_init(name: str) -> Failure | None:
    """What a pod has failed of whose init container has, under the restart policy Never."""
    failed = ContainerStatus(name, "init", Terminated(3))
    return final_failure(s.PodSpec("any", (), restart_policy="Never"), PodStatus("Failed", (), (), (failed,)))


def document_place(name: str) -> PodPlace:
    at = Place(name, Style.KUBERNETES)
    return PodPlace(at.key("metadata").key("name"), at.key("spec"))


def holder(text: str) -> PortHolder:
    """Who has a port, as it is shown: ``pod web``, or ``another process``."""
    kind, _blank, name = text.partition(" ")
    return PortHolder("process") if kind == "another" else PortHolder(kind, name)  # type: ignore[arg-type]


FACTS = {
    "containers": see_containers,
    "infra": see_infra,
    "strangers": see_strangers,
    "foreign_pod": lambda host, name: host.see(pod=ObservedPod("id", name, False, {}, "infra", 1, 1.0, ())),
    "pod": lambda host, value: host.see(pod=None),
    "pod_limits": see_pod_limits,
    "images": see_images,
    "foreign_names": lambda host, names: host.see(foreign_names={name: f"container {name}" for name in names}),
    "volumes": lambda host, names: host.see(volumes=frozenset(names)),
    "files": lambda host, digests: host.see(files=digests),
    "directories": lambda host, names: host.see(directories=frozenset(names)),
    "tmpfs_volumes": lambda host, names: host.see(tmpfs_volumes=names),
    "unmounted": lambda host, value: host.see(unmounted=frozenset(host.observed.tmpfs_volumes)),
    "host_paths": lambda host, kinds: host.see(host_paths=kinds),
    "taken_ports": lambda host, holders: host.see(taken_ports={port: holder(text) for port, text in holders.items()}),
    "networks": lambda host, networks: host.see(networks=networks),
    "place": lambda host, name: replace(host, place=document_place(name)),
    "usage": lambda host, amounts: host.see(usage=Usage(**amounts)),
    "recorded": lambda host, value: replace(host, recorded=None),
    "stopped": lambda host, value: replace(host, is_stopped=value),
    "exceeded_deadline": lambda host, value: replace(host, failure=LATE),
    "failed_init": lambda host, name: replace(host, failure=failed_init(name)),
}


def plan_of(case: Case, host: Host) -> Plan:
    declared = case.pod or case.cut_off.get("pod") or case.was
    assert declared
    if case.state == "stopped":
        return host.plan_stopped(declared["name"])
    if case.state == "absent":
        return host.plan_absent(declared["name"])
    return host.plan(parse_options(declared), case.allocatable)


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_plan(path: Path) -> None:
    case = read_case(path)
    host = host_of(case)
    if case.refused is not None:
        with pytest.raises(Refused) as caught:
            plan_of(case, host)
        assert [str(fault) for fault in caught.value.faults] == case.refused
        return
    assert plan_of(case, host).lines() == case.plan


def test_every_case_expects_one_thing() -> None:
    for path in CASES:
        case = read_case(path)
        assert (case.plan is None) != (case.refused is None), path
    assert len(CASES) >= 40


# --- completeness --------------------------------------------------------------------------------------------------


def declared_fields(kind: type) -> set[str]:
    return {row.name for row in fields(kind)}


RESTARTS = {
    "ended by itself": ({"containers": {"db": {"state": "exited", "exit_code": 1}}}, {}, True),
    "paused by hand": ({"containers": {"db": {"state": "paused"}}}, {}, True),
    "its process is gone": ({"containers": {"db": {"state": "lost"}}}, {}, True),
    "ended by itself and declared otherwise": (
        {"containers": {"db": {"state": "exited", "exit_code": 1}}},
        {"containers": [{"name": "db", "image": "db:1", "args": ["serve"]}]},
        False,
    ),
    "stopped by a run": ({"containers": {"db": {"state": "exited", "stopped_by_run": True}}}, {}, False),
    "its sandbox is gone": ({"infra": "exited"}, {}, True),
    "declared with another sandbox": ({}, {"hostname": "front"}, False),
    "started after a stop": ({"infra": "exited", "stopped": True}, {}, False),
    "failed for good": ({"failed_init": "setup"}, {"hostname": "front"}, False),
}
"""What has happened to a pod, what of it is declared otherwise, and whether what comes in its place is a restart."""


@pytest.mark.parametrize(("facts", "changes", "is_restart"), RESTARTS.values(), ids=RESTARTS)
def test_what_is_a_restart(facts: dict[str, Any], changes: dict[str, Any], is_restart: bool) -> None:
    was: dict[str, Any] = {"name": "shop", "containers": [{"name": "db", "image": "db:1"}]}
    after = parse_options({**was, **changes})
    operations = see(Host().apply(parse_options(was)), facts).plan(after).operations
    (removal,) = (item for item in operations if isinstance(item, (RemoveContainer, RemovePod)))
    assert removal.is_restart is is_restart


def test_every_field_of_a_pod_has_its_cost() -> None:
    rows = {name for row in POD_FIELDS for name in (row.fields or (row.name,))}
    assert declared_fields(s.PodSpec) == rows


def test_every_field_of_a_container_has_its_cost() -> None:
    rows = {name for row in CONTAINER_FIELDS for name in (row.fields or (row.name,))}
    assert declared_fields(s.Container) == rows


@pytest.mark.parametrize("rows", [POD_FIELDS, CONTAINER_FIELDS], ids=["pod", "container"])
def test_what_costs_a_replacement_is_compared_and_nothing_else(rows: tuple[Any, ...]) -> None:
    """A row without a value is compared elsewhere: live limits, or the containers' own rows."""
    names = [row.name for row in rows]
    assert len(names) == len(set(names))
    elsewhere = {"containers", "volumes", "restart_policy", "security_context"} if rows is POD_FIELDS else set()
    for row in rows:
        is_compared = row.cost in (Cost.POD, Cost.CONTAINER) and row.name not in elsewhere
        assert (row.value is not None) == is_compared, row.name


# --- properties ----------------------------------------------------------------------------------------------------


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Options]:
    """Options with any of the fields."""
    return st.fixed_dictionaries({}, optional=fields)


def amounts() -> st.SearchStrategy[Options]:
    limits = some(cpu=st.sampled_from(["100m", "300m"]), memory=st.sampled_from(["64Mi", "128Mi"]))
    return st.one_of(
        st.builds(lambda limits: {"limits": limits}, limits),
        st.just({"limits": {"cpu": "300m", "memory": "128Mi"}, "requests": {"cpu": "100m"}}),
        st.just({"requests": {"cpu": "50m"}}),
    )


INIT_NAMES, MAIN_NAMES = ["init-a", "init-b", "side-a", "side-b"], ["a", "b", "c"]
NAMES = INIT_NAMES + MAIN_NAMES
HOOKS = st.sampled_from([{"exec": {"command": ["x"]}}, {"sleep": {"seconds": 1}}])
VARIABLES = st.lists(
    st.sampled_from(
        [
            {"name": "PLAIN", "value": "1"},
            {"name": "CONFIG", "value_from": {"config_map_key_ref": {"name": "config", "key": "a"}}},
            {"name": "SECRET", "value_from": {"secret_key_ref": {"name": "secret", "key": "p"}}},
        ]
    ),
    max_size=2,
    unique_by=lambda variable: variable["name"],
)
SOURCES = [
    {"empty_dir": {}},
    {"empty_dir": {"medium": "Memory"}},
    {"empty_dir": {"medium": "Memory", "size_limit": "1Mi"}},
    {"config_map": {"name": "config"}},
    {"secret": {"secret_name": "secret"}},
    {"persistent_volume_claim": {"claim_name": "kept"}},
    {"host_path": {"path": "/srv/x", "type": "DirectoryOrCreate"}},
    {"projected": {"sources": [{"config_map": {"name": "config"}}, {"secret": {"name": "secret"}}]}},
]


@st.composite
def containers(draw: st.DrawFn, name: str, volumes: list[str]) -> Options:
    more = some(
        command=st.sampled_from([["run"], ["serve"]]),
        env=VARIABLES,
        resources=amounts(),
        resize_policy=st.just([{"resource_name": "memory", "restart_policy": "RestartContainer"}]),
        image_pull_policy=st.sampled_from(["Always", "IfNotPresent"]),
    )
    mounted = draw(st.lists(st.sampled_from(volumes), unique=True, max_size=2)) if volumes else []
    mounts = [{"name": volume, "mount_path": f"/{volume}"} for volume in mounted]
    image = draw(st.sampled_from(["a:1", "a:2", "b"]))
    return {"name": name, "image": image, **draw(more), "volume_mounts": mounts}


@st.composite
def long_running(draw: st.DrawFn, name: str, volumes: list[str]) -> Options:
    """A container that runs on: with hooks, and ports."""
    more = some(
        lifecycle=some(post_start=HOOKS, pre_stop=HOOKS),
        ports=st.just([{"container_port": 80, "host_port": 8000 + NAMES.index(name)}]),
        readiness_probe=st.just({"tcp_socket": {"port": 80}}),
    )
    return {**draw(containers(name, volumes)), **draw(more)}


@st.composite
def pods(draw: st.DrawFn, policies: tuple[str, ...] = ("Always", "OnFailure", "Never")) -> s.PodSpec:
    names = draw(st.lists(st.sampled_from(["v", "w"]), unique=True))
    volumes = [{"name": name, **draw(st.sampled_from(SOURCES))} for name in names]
    init = draw(st.lists(st.sampled_from(INIT_NAMES), unique=True, max_size=3))
    main = draw(st.lists(st.sampled_from(MAIN_NAMES), unique=True, min_size=1))
    more = some(
        labels=st.just({"tier": "front"}),
        hostname=st.just("front"),
        share_process_namespace=st.just(True),
        security_context=st.just({"fs_group": 7}),
        termination_grace_period_seconds=st.just(3),
        resources=st.just({"limits": {"cpu": "2", "memory": "1Gi"}}),
    )
    return parse_options(
        {
            "name": "pod",
            "restart_policy": draw(st.sampled_from(policies)),
            "init_containers": [
                {**draw(long_running(n, names)), "restart_policy": "Always"}
                if n.startswith("side")
                else draw(containers(n, names))
                for n in init
            ],
            "containers": [draw(long_running(n, names)) for n in main],
            "volumes": volumes,
            "config_maps": [{"name": "config", "data": {"a": draw(st.sampled_from("12"))}}],
            "secrets": [{"name": "secret", "string_data": {"p": draw(st.sampled_from("34"))}, "generate": {"q": 8}}],
            **draw(more),
        }
    )


def end_of(pod: s.PodSpec) -> Any:
    """Where every way to ``pod`` ends."""
    return comparable(Host().apply(pod))


def comparable(host: Host) -> Any:
    """All that a plan decides. Named volumes and images stay from whatever was before."""
    return normalise(host.see(volumes=frozenset()))


@given(pods())
def test_a_pod_that_was_just_started_is_unchanged(pod: s.PodSpec) -> None:
    assert Host().apply(pod).plan(pod).lines() == []


@given(pods(), pods())
def test_an_update_ends_where_a_first_start_does(before: s.PodSpec, after: s.PodSpec) -> None:
    host = Host().apply(before).apply(after)
    assert host.plan(after).lines() == []
    assert comparable(host) == end_of(after)


@given(pods(), pods(), st.data())
def test_a_run_that_is_killed_anywhere_is_made_up_for(before: s.PodSpec, after: s.PodSpec, data: st.DataObject) -> None:
    host = Host().apply(before)
    cut_off = data.draw(st.sampled_from(list(host.steps(after, host.plan(after).operations))))
    resumed = cut_off.apply(after)
    assert resumed.plan(after).lines() == []
    assert comparable(resumed) == end_of(after)
    taken_back = cut_off.apply(before)
    assert taken_back.plan(before).lines() == []
    assert comparable(taken_back) == end_of(before)


@given(pods(), st.data())
def test_a_first_start_that_is_killed_again_and_again_is_made_up_for(pod: s.PodSpec, data: st.DataObject) -> None:
    host = Host()
    for _turn in range(3):
        host = data.draw(st.sampled_from(list(host.steps(pod, host.plan(pod).operations))))
    host = host.apply(pod)
    assert host.plan(pod).lines() == []
    assert comparable(host) == end_of(pod)


@given(pods(), pods(), st.data())
def test_a_cut_off_run_can_be_stopped_or_removed(before: s.PodSpec, after: s.PodSpec, data: st.DataObject) -> None:
    host = Host().apply(before)
    host = data.draw(st.sampled_from(list(host.steps(after, host.plan(after).operations))))
    gone = host.run(after, host.plan_absent("pod").operations)
    assert comparable(gone) == comparable(Host())
    assert gone.plan_absent("pod").lines() == []
    if host.observed.pod is None:
        return
    stopping = list(host.steps(after, host.plan_stopped("pod").operations))
    assert stopping[-1].plan_stopped("pod").lines() == []
    assert not any(c.is_running for c in stopping[-1].pod.containers)
    started = data.draw(st.sampled_from(stopping)).apply(after)
    assert started.plan(after).lines() == []
    assert comparable(started) == end_of(after)


@given(pods(), pods(), st.data())
def test_a_pod_that_has_failed_for_good_ends_and_only_another_declaration_begins_it_anew(
    before: s.PodSpec, after: s.PodSpec, data: st.DataObject
) -> None:
    """Whatever of it had come up by then, and wherever runs are killed."""
    host = data.draw(st.sampled_from(list(Host().steps(before, Host().plan(before).operations))))
    host = replace(host, recorded=before, failure=data.draw(st.sampled_from([LATE, failed_init("setup")])))
    host = data.draw(st.sampled_from(list(host.steps(before, host.plan(before).operations))))
    ended = host.run(before, host.plan(before).operations)
    assert ended.plan(before).lines() == []
    assert ended.observed.pod is None or not any(c.is_running for c in ended.pod.containers)
    if before == after:
        return
    host = data.draw(st.sampled_from([host, ended]))
    begun = data.draw(st.sampled_from(list(host.steps(after, host.plan(after).operations)))).apply(after)
    assert begun.plan(after).lines() == []
    assert comparable(begun) == end_of(after)


def drifted(draw: st.DrawFn, host: Host) -> Host:
    """Something that happens to a pod while no run looks."""
    if host.observed.pod is None:
        return host
    names = [c.name for c in host.pod.members if c.role != "init"]
    name = draw(st.sampled_from(names)) if names else ""
    events = [
        lambda: host.see(pod=None),
        lambda: host.see(unmounted=frozenset(host.observed.tmpfs_volumes)),
        lambda: see_infra(host, "exited"),
        lambda: see_infra(host, "absent"),
    ]
    if name:
        limits = {"memory_bytes": 1 << 20, "cpu_quota_us": 2000}
        events += [
            lambda: host.without_container(name),
            lambda: see_containers(host, {name: {"state": "exited", "exit_code": draw(st.sampled_from([0, 1]))}}),
            lambda: see_containers(host, {name: {"state": "paused"}}),
            lambda: see_containers(host, {name: {"post_start_done": False}}),
            lambda: see_containers(host, {name: {"limits": limits}}),
            lambda: see_images(host, {host.find(name).image: 9}),
        ]
    return draw(st.sampled_from(events))()


@given(pods(("Always",)), pods(("Always",)), st.data())
def test_what_happens_between_runs_is_made_up_for(before: s.PodSpec, after: s.PodSpec, data: st.DataObject) -> None:
    host = Host().apply(before)
    host = data.draw(st.sampled_from(list(host.steps(after, host.plan(after).operations))))
    host = data.draw(st.composite(drifted)(host)).apply(after)
    assert host.plan(after).lines() == []
    images = host.observed.images
    assert comparable(host) == comparable(Host().see(images=images).apply(after))


@given(pods(), st.data())
def test_one_containers_change_leaves_the_others_alone(pod: s.PodSpec, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([c.name for c in (*pod.containers, *pod.sidecars)]))
    changed = tuple(replace(c, args=("new",)) if c.name == name else c for c in pod.containers)
    sidecars = tuple(replace(c, args=("new",)) if c.name == name else c for c in pod.init_containers)
    host = Host().apply(pod)
    after = host.apply(replace(pod, containers=changed, init_containers=sidecars))
    assert not any(isinstance(step, RemovePod) for step in host.plan(replace(pod, containers=changed)).operations)
    assert {c.id for c in after.pod.containers} - {c.id for c in host.pod.containers} == {after.find(name).id}


# --- a grace period of the run's own ---------------------------------------------------------------------------------


def test_a_grace_period_of_a_run_takes_the_place_of_the_declared_one() -> None:
    hook = s.Handler(exec=s.ExecAction(("true",)))
    stops = (
        StopContainer("web", "state is absent", "main", id="1", grace_seconds=100, batch=0, pre_stop=hook),
        StopContainer("web", "state is absent", "infra", id="2", grace_seconds=10, batch=1),
    )
    plan = Plan((*stops, RemovePod("web", "state is absent", "3")))
    assert with_grace_period(plan, None) is plan

    def seen(seconds: int) -> list[tuple[int, int, bool]]:
        *changed, last = with_grace_period(plan, seconds).operations
        assert last == plan.operations[-1]
        stopping = [operation for operation in changed if isinstance(operation, StopContainer)]
        return [(stop.grace_seconds, stop.minimum_seconds, stop.pre_stop is not None) for stop in stopping]

    assert seen(0) == [(0, 0, False), (0, 0, False)]
    assert seen(1) == [(1, 1, True), (1, 1, False)]
    assert seen(300) == [(300, 2, True), (10, 2, False)]


@pytest.mark.parametrize("state", ["stopped", "absent"])
def test_a_run_hands_its_grace_period_on_to_the_plan(state: str) -> None:
    pod = parse_options({"name": "web", "containers": [{"name": "main", "image": "image"}]})
    host = Host().apply(pod)
    plan = plan_pod(state, PodView(host.desire(pod), host.observed, True), grace_period_seconds=7)
    stops = [operation for operation in plan.operations if isinstance(operation, StopContainer)]
    assert stops
    assert {stop.grace_seconds for stop in stops if stop.container != "infra"} == {7}


def test_another_size_of_logs_is_kept_in_mind_and_costs_nothing() -> None:
    pod = parse_options({"name": "web", "containers": [{"name": "main", "image": "image"}]})
    host = Host().apply(pod)
    changed = replace(pod, log_size_max=Quantity.parse("1Mi"))
    assert [line.split(" ", 1)[1] for line in host.plan(changed).lines()] == ["record pod web: log_size_max changed"]
