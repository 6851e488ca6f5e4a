# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The endpoints of Services: a table of steps, and that they converge and never leave nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.services.spec import Service, ServicePort
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import StackSpec
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.operations import Operation
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.services.configuration import (
    Surroundings,
    configuration,
    frame,
    read_servers_state,
    read_statistics,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.services.endpoints import (
    AddServer,
    DeleteServer,
    DrainServer,
    FoundServer,
    ReadyServer,
    plan_endpoints,
    settled,
)
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.services.fronts import (
    Front,
    PodStanding,
    Server,
    fronts_of,
)

PORT = 8080


def server(pod: str, is_ready: bool | None = True) -> Server:
    return Server(pod, "10.88.0.5", PORT, is_ready)


def front(*servers: Server) -> Front:
    return Front("shop", "web", 80, (("*", 80),), True, 0, servers)


def found(pod: str, state: str) -> FoundServer:
    return FoundServer(server(pod).name, state)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wanted", "present", "expected"),
    [
        ([], [], []),
        (["a ready"], [], ["add a", "ready a"]),
        (["a ready"], ["a maintenance"], ["ready a"]),
        (["a ready"], ["a drain"], ["ready a"]),
        (["a ready"], ["a ready"], []),
        # One that never was ready is not known at all.
        (["a waiting"], [], []),
        (["a waiting"], ["a ready"], ["drain a"]),
        (["a waiting"], ["a drain"], []),
        (["a waiting"], ["a maintenance"], []),
        # Nobody knows yet: as it is.
        (["a unknown"], ["a ready"], []),
        (["a unknown"], ["a drain"], []),
        (["a unknown"], [], []),
        ([], ["a ready"], ["del a"]),
        ([], ["a drain"], ["del a"]),
        # What takes connections comes first.
        (["a waiting", "b ready"], ["a ready"], ["add b", "ready b", "drain a"]),
        (["b ready"], ["a ready", "b maintenance"], ["ready b", "del a"]),
    ],
)
def test_steps(wanted: list[str], present: list[str], expected: list[str]) -> None:
    words = {"ready": True, "waiting": False, "unknown": None}
    servers = [server(pod, words[state]) for pod, state in map(str.split, wanted)]
    operations = plan_endpoints(front(*servers), [found(*one.split()) for one in present])
    assert [f"{operation.verb} {operation.pod}" for operation in operations] == expected


def test_operations_say_what_and_why() -> None:
    operations = plan_endpoints(front(server("a")), [found("b", "ready")])
    assert [str(operation) for operation in operations] == [
        "add endpoint a:10.88.0.5:8080 of shop:web:80: the pod is ready",
        "ready endpoint a:10.88.0.5:8080 of shop:web:80: the pod is ready",
        "del endpoint b:10.88.0.5:8080 of shop:web:80: the pod is gone",
    ]


STATES = st.sampled_from(("ready", "drain", "maintenance"))
PODS = st.sampled_from("abcdef")


def carried_out(present: dict[str, FoundServer], operation: Operation, has_sessions: bool) -> dict[str, FoundServer]:
    """The proxy after an operation: what HAProxy does with each of these commands."""
    if isinstance(operation, AddServer):
        assert operation.server not in present
        return {**present, operation.server: FoundServer(operation.server, "maintenance")}
    if isinstance(operation, (ReadyServer, DrainServer)):
        state = "ready" if isinstance(operation, ReadyServer) else "drain"
        return {**present, operation.server: replace(present[operation.server], state=state)}
    assert isinstance(operation, DeleteServer)
    if has_sessions:
        return {**present, operation.server: replace(present[operation.server], state="maintenance")}
    return {name: one for name, one in present.items() if name != operation.server}


@given(
    st.lists(st.dictionaries(PODS, st.sampled_from((True, False, None))), max_size=8),
    st.dictionaries(PODS, STATES),
    st.data(),
)
def test_converges_and_is_never_empty(
    rounds: list[dict[str, bool | None]], first: dict[str, str], data: st.DataObject
) -> None:
    """Steps may be cut off at any operation; one takes connections while any is ready and the proxy knew one."""
    present = {one.name: one for one in (found(pod, state) for pod, state in first.items())}
    for wanted in rounds:
        servers = [server(pod, is_ready) for pod, is_ready in wanted.items()]
        had_one = any(one.state == "ready" for one in present.values())
        operations = plan_endpoints(front(*servers), [*present.values()])
        for operation in operations[: data.draw(st.integers(0, len(operations)))]:
            present = carried_out(present, operation, data.draw(st.booleans()))
            takes = any(one.state == "ready" for one in present.values())
            assert takes or not had_one or not any(one.is_ready for one in servers)
            had_one = takes
    servers = [server(pod, is_ready) for pod, is_ready in (rounds[-1] if rounds else {}).items()]
    for operation in plan_endpoints(front(*servers), [*present.values()]):
        present = carried_out(present, operation, False)
    assert plan_endpoints(front(*servers), [*present.values()]) == ()
    wanted_now = {one.name: one.is_ready for one in servers}
    assert present.keys() <= wanted_now.keys()
    assert all(present[name].state == "ready" for name, is_ready in wanted_now.items() if is_ready)
    assert not any(one.state == "ready" for name, one in present.items() if wanted_now[name] is False)


# --- which pods ------------------------------------------------------------------------------------------------------


def pod(name: str, ports: tuple[s.ContainerPort, ...] = (), **labels: str) -> s.PodSpec:
    return s.PodSpec(name, (s.Container("main", "x", ports=ports),), labels=labels or {"app": "web"})


def endpoints(service: Service, *pods: PodStanding) -> list[tuple[str, bool | None]]:
    (only,) = fronts_of(StackSpec("shop", services=(service,)), pods, {})
    return [(f"{one.pod} {one.address}:{one.port}", one.is_ready) for one in only.servers]


WEB = Service("web", {"app": "web"}, (ServicePort(80, target_port="http"),))


def test_which_pods_stand_behind_a_service() -> None:
    named = (s.ContainerPort(8080, "http"),)
    other = (s.ContainerPort(9090, "http"),)
    assert endpoints(
        WEB,
        PodStanding(pod("c", other), "10.0.0.3", is_ready=False),
        PodStanding(pod("a", named), "10.0.0.1", is_ready=True),
        PodStanding(pod("b", named), "10.0.0.2", is_ready=True, is_leaving=True),
        PodStanding(pod("d", named), "", is_ready=False),
        PodStanding(pod("e", named), "127.0.0.1", is_ready=False),
        PodStanding(pod("f", ()), "10.0.0.6", is_ready=True),
        PodStanding(pod("g", named, app="db"), "10.0.0.7", is_ready=True),
    ) == [("a 10.0.0.1:8080", True), ("b 10.0.0.2:8080", False), ("c 10.0.0.3:9090", False)]


def test_pods_that_are_not_ready_are_published_where_that_is_asked_for() -> None:
    service = replace(WEB, publish_not_ready_addresses=True)
    named = (s.ContainerPort(8080, "http"),)
    assert endpoints(
        service,
        PodStanding(pod("a", named), "10.0.0.1", is_ready=False),
        PodStanding(pod("b", named), "10.0.0.2", is_ready=True, is_leaving=True),
    ) == [("a 10.0.0.1:8080", True), ("b 10.0.0.2:8080", False)]


def test_a_headless_service_has_no_front() -> None:
    stack = StackSpec("shop", services=(replace(WEB, cluster_ip="None"),))
    assert fronts_of(stack, [PodStanding(pod("a"), "10.0.0.1", is_ready=True)], {}) == ()


# --- the proxy's own words -------------------------------------------------------------------------------------------


def test_configuration() -> None:
    around = Surroundings("/run/x.sock", "haproxy", has_ipv6=True)
    first = replace(front(server("a"), server("b", False), server("c", None)), affinity_seconds=60)
    text = configuration([first, replace(front(), port=81, binds=(("10.198.0.7", 81),), is_http=False)], around)
    assert text.partition("\nlisten")[2] == (
        " shop:web:80\n    mode http\n    option forwardfor\n    retry-on conn-failure empty-response\n"
        "    http-request disable-l7-retry unless METH_GET\n    bind *:80\n    bind :::80 v6only\n"
        "    stick-table type ip size 100k expire 60s\n    stick on src\n"
        "    server a:10.88.0.5:8080 10.88.0.5:8080 check inter 2s fall 3 rise 1\n"
        "\nlisten shop:web:81\n    mode tcp\n    option clitcpka\n    option srvtcpka\n    bind 10.198.0.7:81\n"
    )


def test_only_listeners_need_a_reload() -> None:
    around = Surroundings("/run/x.sock")
    assert frame([front(server("a"))], around) == frame([front(server("b"), server("c"))], around)
    assert frame([front()], around) != frame([replace(front(), binds=(("*", 81),))], around)


def test_servers_state_and_statistics() -> None:
    line = "3 shop:web:80 {number} {pod}:10.88.0.5:8080 10.88.0.5 2 {admin} 1 1 8 2 0 6 0 0 0 - 8080 - 0 0 - - 0"
    lines = [
        line.format(number=n, pod=pod, admin=admin) for n, (pod, admin) in enumerate(zip("abc", (0, 8, 1), strict=True))
    ]
    assert read_servers_state("\n".join(["1", "# be_id be_name srv_id", *lines, ""])) == {
        "shop:web:80": [found("a", "ready"), found("b", "drain"), found("c", "maintenance")]
    }
    rows = "# pxname,svname,scur,stot,status,hrsp_5xx,eresp,\nf,s,2,7,DOWN 1/3,3,1,\nf,BACKEND,,,UP,,,\n"
    traffic = read_statistics(rows)["f", "s"]
    assert (traffic.sessions, traffic.sessions_total, traffic.errors, traffic.is_up) == (2, 7, 4, False)


def test_unknown_servers_are_as_the_proxy_has_them() -> None:
    wanted = front(server("a", None), server("b", None), server("c", None), server("d", False))
    known = settled(wanted, [found("a", "ready"), found("b", "drain"), found("d", "ready")])
    assert [one.is_ready for one in known.servers] == [True, False, False, False]
