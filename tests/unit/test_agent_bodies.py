# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the agent answers to bodies that no module would send: plain words, and before anything is asked of Podman."""

from __future__ import annotations

import contextlib
import errno
import importlib
import inspect
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._agent import answers
from ansible_collections.podwright.pods.plugins.module_utils._agent import client as agent_client
from ansible_collections.podwright.pods.plugins.module_utils._agent import server as agent_server
from ansible_collections.podwright.pods.plugins.module_utils._agent.agent import Agent
from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError
from ansible_collections.podwright.pods.plugins.module_utils._host.podman import service as podman_service
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._runs import kinds

REACHED = "this is where Podman would be asked"


def never(*arguments: Any) -> Any:
    raise HostError(REACHED)


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], tuple[int, str]]]:
    """Sends a body to be run; returns the status and what is said."""
    monkeypatch.setenv("PODWRIGHT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr(podman_service, "connect", never)
    monkeypatch.setattr(podman_service, "connect_to_predict", never)

    def free(pod: str, timeout_seconds: float, while_waiting: Callable[[], None]) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    remembered = SimpleNamespace(answer=lambda key, options, work: work())
    agent = SimpleNamespace(store=Store(), unchanged_runs=remembered, reserved=free, acting=free)
    server = agent_server.AgentServer(tmp_path / "sock", cast(Agent, agent))
    threading.Thread(target=server.serve, daemon=True).start()

    def send(body: Any) -> tuple[int, str]:
        connection = agent_client._Connection(tmp_path / "sock", 20)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("POST", f"/v{agent_client.API_VERSION}/run", content)
        with connection.getresponse() as response:
            return response.status, str(json.loads(response.read()).get("message"))

    yield send
    server.close()


POD = {"name": "web", "containers": [{"name": "main", "image": "image"}]}
HOSTILE: tuple[tuple[str, Any, str], ...] = (
    ("run_pod", {"name": 5, "state": "absent"}, "name: is required, as text"),
    ("run_pod", {"name": ["web"], "state": "absent"}, "name: is required, as text"),
    ("run_pod", {"name": "../web", "state": "absent"}, "name: "),
    ("run_pod", {"name": "web", "state": ["absent"]}, "state: expected a string"),
    ("run_pod", {"name": "web", "state": "gone"}, "state: "),
    ("run_pod", {"name": "web", "state": "absent", "wait_timeout": [1]}, "wait_timeout: expected a whole number"),
    ("run_pod", {"name": "web", "state": "absent", "wait_timeout": float("nan")}, "wait_timeout: expected a whole"),
    ("run_pod", {"name": "web", "state": "absent", "wait_timeout": 10**400}, "wait_timeout: "),
    ("run_pod", {"name": "web", "state": "absent", "grace_period_seconds": "soon"}, "grace_period_seconds: expected"),
    ("run_pod", {**POD, "grace_period_seconds": 0}, "grace_period_seconds: is for the states stopped and absent only"),
    ("run_pod", {**POD, "restart_on_change": 5}, "restart_on_change: expected a mapping"),
    ("run_pod", {**POD, "restart_on_change": {"x": True}}, "restart_on_change.x: is not a known field"),
    ("run_pod", {**POD, "allocatable": [1]}, "allocatable: expected a mapping"),
    ("run_pod", {**POD, "expected_images": 5}, "expected_images: expected a list"),
    ("run_pod", {"definition": 5}, "definition"),
    ("run_stack", {"name": "a", "definition": True}, "definition"),
    ("run_pod", {"definition": {"kind": "Pod", "metadata": [1]}, "state": "absent"}, "name: is required, as text"),
    ("run_pod", {"definition": {"kind": "Pod", "metadata": {"name": {}}}}, "metadata"),
    ("run_pod", {**POD, "labels": [["a", "b"]]}, "labels: expected a mapping"),
    ("run_pod_info", {"name": [5]}, "name: expected a string"),
    ("run_pod_info", {"labels": "a=b"}, "labels: expected a mapping"),
    ("run_stack", {"name": [5], "state": "absent"}, "name: "),
    ("run_stack", {"name": "../../etc", "state": "absent"}, "name: "),
    ("run_stack", {"name": "shop", "state": "absent", "prune_volumes": {}}, "prune_volumes: expected true or false"),
    ("run_stack", {"name": "shop", "state": "rolled_back", "revision": "last"}, "revision: expected a whole number"),
    ("run_stack", {"name": "shop", "pods": {"a": 1}}, "pods: expected a list"),
    ("run_stack", {"name": "shop", "change_cause": [5], "state": "stopped"}, "change_cause: expected a string"),
    ("run_stack_info", {"name": "../../etc"}, "name: "),
    ("run_secret_info", {"owner": "../../etc"}, "owner: "),
    ("run_secret_rotation", {"owner": "shop", "secret": ["x"]}, "secret: expected a string"),
    ("run_secret_rotation", {"owner": "shop", "secret": "x"}, "owner: nothing was generated for shop"),
    ("run_workload_change", {}, "kind: is required"),
    ("run_workload_change", {"kind": "Pod", "name": "web", "change": "scale"}, "kind: "),
    ("run_workload_change", {"kind": "Job", "name": "../../etc", "change": "remove"}, "name: "),
    ("run_workload_change", {"kind": "Job", "name": "web", "change": "forget"}, "change: "),
    ("run_workload_change", {"kind": "Job", "name": "web", "change": "remove"}, "name: there is no Job web"),
    ("run_repair", {"name": ["web"]}, "name: expected a string"),
    ("run_repair", {"name": "../../etc"}, "name: "),
    ("run_repair", {}, "name: is required"),
    ("run_repair", {"name": "web", "accept_new_secrets": "perhaps"}, "accept_new_secrets: expected true or false"),
    ("run_secret_removal", {}, "owner: is required"),
    ("run_secret_removal", {"owner": "shop", "kind": "host"}, "kind: "),
    ("run_stack_info", {"name": {"a": 1}}, "name: expected a string"),
)


@pytest.mark.parametrize(("run", "options", "message"), HOSTILE)
def test_options_of_the_wrong_kind_are_faults(
    ask: Callable[[Any], tuple[int, str]], run: str, options: Any, message: str
) -> None:
    status, said = ask({"run": run, "options": options})
    assert (status, message in said) == (422, True), said


def test_what_is_nested_too_deeply_is_said_so(ask: Callable[[Any], tuple[int, str]]) -> None:
    for depth in (400, 900, 5000, 200_000):
        nested = b"[" * depth + b"]" * depth
        for option in (b"definition", b"containers", b"labels"):
            body = b'{"run": "run_pod", "options": {"name": "web", "%s": %s}}' % (option, nested)
            status, said = ask(body)
            assert status in (400, 422), said


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    *("name", "state", "definition", "labels", "containers", "pods", "wait", "wait_timeout"),
    *("on_failure", "allocatable", "revision", "prune", "secrets", "accept_new_secrets"),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    run=st.sampled_from([*kinds.KINDS]),
    options=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5),
    check=VALUES,
)
def test_whatever_is_asked_is_no_mistake_of_ours(
    ask: Callable[[Any], tuple[int, str]], run: str, options: Any, check: Any
) -> None:
    status, said = ask({"run": run, "options": options, "check": check})
    # What was generated can be told without Podman, and nothing is found to be mended.
    assert status == 422 or (status, run) in ((200, "run_secret_info"), (200, "run_repair")), said


def test_a_full_disk_is_the_hosts(
    ask: Callable[[Any], tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> Any:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path))

    monkeypatch.setattr(Store, "ensure", full)
    status, said = ask({"run": "run_pod", "options": POD})
    assert (status, "No space left on device" in said) == (507, True)


def test_places_for_what_lasts_leave_some_for_what_is_short() -> None:
    assert sum(agent_server.LASTING.values()) + 16 <= agent_server.CONNECTIONS


def test_what_is_asked_by_get_only_reads() -> None:
    assert [route for route in answers.ROUTES if route.only_reads is not (route.method == "GET")] == []


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "pods/web", {"pod": "web"}),
        ("GET", "pods/web/main/logs", {"pod": "web", "container": "main"}),
        ("GET", "pods/logs/logs/logs", {"pod": "logs", "container": "logs"}),
        ("POST", "run", {}),
    ],
)
def test_a_route_has_the_names_of_its_path(method: str, path: str, expected: dict[str, str]) -> None:
    assert answers.find(method, path.split("/"))[1] == expected


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "run"), ("POST", "pods"), ("GET", "pods/web/main"), ("PUT", "run")]
)
def test_a_path_that_no_route_has_is_refused(method: str, path: str) -> None:
    with pytest.raises(answers.BadRequest, match=f"there is nothing at /{path} for {method}"):
        answers.find(method, path.split("/"))


def test_every_kind_of_run_is_there() -> None:
    for name, kind in kinds.KINDS.items():
        module = importlib.import_module(f"{kinds.__package__}.{kind.module}")
        assert list(inspect.signature(getattr(module, name)).parameters) == ["options", "is_check", "is_diff", "agent"]
