# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent's API by its socket: what it answers, what it refuses, and that nothing that is sent to it does harm."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from hypothesis import given, settings
from hypothesis import strategies as st
from pod_runs import SLEEP, await_true, container, pod
from podman_host import BUSYBOX

from ansible_collections.podwright.pods.plugins.module_utils._agent import client as agent_client
from ansible_collections.podwright.pods.plugins.module_utils._agent.client import RemoteFailure
from ansible_collections.podwright.pods.plugins.module_utils._agent.server import (
    CONNECTIONS,
    LASTING,
    READ_SECONDS,
    REQUEST_BYTES,
)
from ansible_collections.podwright.pods.plugins.module_utils._delivery.release import VERSION, Release

pytestmark = pytest.mark.integration

NOBODY = 65534
EXAMPLES = 1000 if os.environ.get("PODWRIGHT_TEST_FULL") else 100


@dataclass(frozen=True)
class Answer:
    """What came back: the HTTP status (0 where there is none) and the body."""

    status: int
    body: bytes

    @property
    def message(self) -> str:
        return str(json.loads(self.body)["message"])


def connect(agent: AgentProcess) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(agent.client.path))
    connection.settimeout(20)
    return connection


def read_answer(connection: socket.socket) -> Answer:
    """Read until the agent closes the connection."""
    pieces = []
    # An agent that has not read all resets the connection once its answer is read.
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            pieces.append(piece)
    head, _separator, body = b"".join(pieces).partition(b"\r\n\r\n")
    words = head.split(None, 2)
    return Answer(int(words[1]), body) if head.startswith(b"HTTP/") else Answer(0, b"".join(pieces))


def talk(agent: AgentProcess, request: bytes, is_over: bool = True) -> Answer:
    """Send bytes as they are, and nothing after them unless told so."""
    with connect(agent) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
            if is_over:
                connection.shutdown(socket.SHUT_WR)
        return read_answer(connection)


def request(target: str, body: bytes | None = None, method: str = "", **headers: str) -> bytes:
    """A request as it should be, save for what is told otherwise."""
    told = {} if body is None else {"Content-Length": str(len(body))}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method or ('GET' if body is None else 'POST')} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in told.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


def post(target: str, body: Any, **headers: str) -> bytes:
    return request(target, json.dumps(body).encode(), **headers)


def held(agent: AgentProcess) -> tuple[int, int]:
    """How many threads and open files the agent has, once it has the time to say so."""
    await_true(lambda: answers(agent), 20)
    status = Path(f"/proc/{agent.pid}/status").read_text()
    threads = int(status.split("Threads:")[1].split()[0])
    return threads, len(list(Path(f"/proc/{agent.pid}/fd").iterdir()))


@contextlib.contextmanager
def unharmed(agent: AgentProcess, timeout_seconds: float = 10) -> Iterator[None]:
    """What is done meanwhile costs the agent neither a thread nor an open file for longer than that."""
    # What has just started takes a moment until it has all that it will keep.
    time.sleep(1)
    threads, files = held(agent)
    # The connection for its looks at all containers, which it begins with its first one and keeps.
    before = threads, files + 1
    yield
    deadline = time.monotonic() + timeout_seconds
    while any(now > then for now, then in zip(held(agent), before, strict=True)):
        assert time.monotonic() < deadline, f"threads and open files were {before} and are {held(agent)}"
        time.sleep(0.1)


def refused(agent: AgentProcess, body: dict[str, Any]) -> RemoteFailure:
    with pytest.raises(RemoteFailure) as caught:
        agent.client.post("/run", body)
    return caught.value


# --- answers ---------------------------------------------------------------------------------------------------------


def test_health(agent: AgentProcess) -> None:
    health = agent.client.get("/health")
    assert (health["api_version"], health["version"]) == (agent_client.API_VERSION, VERSION)
    assert health["pid"] == agent.pid
    assert 0 <= health["uptime_seconds"] < 60
    assert abs(health["started_at"] + health["uptime_seconds"] - time.time()) < 5
    assert (health["pods"], health["podman_error"]) == (0, "")
    agent.apply(pod())
    assert agent.client.get("/health")["pods"] == 1
    assert agent_client.is_there()


def test_pods(agent: AgentProcess) -> None:
    assert agent.client.get("/pods") == []
    for name in ("web", "shop"):
        agent.apply(pod(name=name))
    assert [found["metadata"]["name"] for found in agent.client.get("/pods")] == ["shop", "web"]
    assert agent.client.get("/pods/web")["status"]["phase"] == "Running"
    with pytest.raises(RemoteFailure, match="there is no pod absent"):
        agent.client.get("/pods/absent")


def test_a_module_of_another_release_is_refused(agent: AgentProcess) -> None:
    """Newer or older, in check mode as well; before any of its options is looked at."""
    run = {"run": "run_pod", "options": {"name": "web", "an_option_of_the_future": 1}}
    code = "0123456789abcdef" * 2
    for version, remedy in (("99.0.0", "run the role podwright.pods.agent"), ("0.0.9", "update the collection")):
        for is_check in (False, True):
            body = {**run, "check": is_check, "release": {"version": version, "code": code}}
            answer = talk(agent, post("/v1/run", body))
            assert answer.status == 409
            assert f"the agent of this host is podwright.pods {VERSION}" in answer.message
            assert f"this module is {version} (code 0123456789ab): {remedy}" in answer.message
    major, minor, _patch = VERSION.split(".")
    later = {"run": "run_pod", "options": pod(), "release": {"version": f"{major}.{minor}.99", "code": code}}
    assert agent.client.post("/run", later)["changed"]


def test_a_module_tells_its_release(agent: AgentProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = agent_client.through("run_pod_info")
    assert handle({}, False, False)["pods"] == []
    monkeypatch.setattr(agent_client, "Release", partial(Release, "99.0.0"))
    with pytest.raises(RemoteFailure, match=r"this module is 99\.0\.0: run the role podwright\.pods\.agent"):
        handle({}, False, False)


def test_what_is_wrong_with_the_declaration(agent: AgentProcess) -> None:
    options = pod(container(image=""), restart_policy="Sometimes")
    failure = refused(agent, {"run": "run_pod", "options": options})
    assert {fault.path for fault in failure.faults} == {"containers[0].image", "restart_policy"}
    assert str(failure) == "; ".join(str(fault) for fault in failure.faults)
    failure = refused(agent, {"run": "run_stack", "options": {"name": "shop", "pods": [{"name": "web"}]}})
    assert [fault.path for fault in failure.faults] == ["pods[0].containers"]


def test_what_failed_and_its_secrets(agent: AgentProcess) -> None:
    value = "s3cret-" + os.urandom(8).hex()
    env = [{"name": "PASSWORD", "value_from": {"secret_key_ref": {"name": "login", "key": "password"}}}]
    main = container(script="echo going down; exit 3", env=env)
    options = pod(main, restart_policy="Never", secrets=[{"name": "login", "string_data": {"password": value}}])
    answer = talk(agent, post("/v1/run", {"run": "run_pod", "options": options}))
    assert answer.status == 422
    told = json.loads(answer.body)
    assert told["secrets"] == [value]
    assert value not in json.dumps({**told, "secrets": []})
    failure = refused(agent, {"run": "run_pod", "options": options})
    assert "web/main: Error: exited with code 3" in str(failure)
    found = vars(failure)
    assert (found["pod"], found["container"], found["reason"]) == ("web", "main", "Error")
    assert found["logs"].strip() == "going down"
    assert value in failure.secrets


def test_exec(agent: AgentProcess) -> None:
    agent.apply(pod())
    run = "/pods/web/main/exec"
    done = agent.client.post(run, {"command": ["sh", "-c", "echo out; echo err >&2; exit 3"]})
    assert done["exit_code"] == 3
    assert sorted(done["output"].split()) == ["err", "out"]
    assert not done["timed_out"]
    assert agent.client.post(run, {"command": ["printf", r"\377"]})["output"] == "\ufffd"
    assert agent.client.post(run, {"command": ["absent"]})["exit_code"] in (126, 127)
    began = time.monotonic()
    done = agent.client.post(run, {"command": ["sleep", "60"], "timeout_seconds": 0.5})
    assert done["timed_out"]
    assert time.monotonic() - began < 10


EXECS: list[Any] = [
    {},
    {"command": []},
    {"command": "ls"},
    {"command": ["ls", 1]},
    {"command": {"ls": 1}},
    *({"command": ["true"], "timeout_seconds": seconds} for seconds in ("5", [5], None, 0, -1, float("nan"))),
]


def test_exec_that_says_nothing_sensible(agent: AgentProcess) -> None:
    agent.apply(pod())
    for body in EXECS:
        answer = talk(agent, post("/v1/pods/web/main/exec", body))
        assert (answer.status, answer.message.split()[0] in ("command", "timeout_seconds")) == (400, True), body
    for word in ("\x00", "\ud800"):
        assert talk(agent, post("/v1/pods/web/main/exec", {"command": ["echo", word]})).status in (200, 400, 422)
    done = agent.client.post("/pods/web/main/exec", {"command": ["true"], "timeout_seconds": float("inf")})
    assert done["exit_code"] == 0


def test_logs(agent: AgentProcess) -> None:
    agent.apply(pod(container(script=f"echo one; echo two; echo three; {SLEEP}")))
    assert agent.container("web")["restartCount"] == 0
    path = "/pods/web/main/logs"
    lines = [b"one\n", b"two\n", b"three\n"]
    await_true(lambda: list(agent.client.stream(path)) == lines)
    assert list(agent.client.stream(path, tail=1)) == [b"three\n"]
    assert list(agent.client.stream(path, previous=1)) == []
    agent.host.podman("kill", "web-main")
    await_true(lambda: agent.container("web")["restartCount"] == 1)
    assert list(agent.client.stream(path, previous=1)) == lines
    assert list(agent.client.stream(path, previous=1, tail=1)) == [b"three\n"]
    assert talk(agent, request("/v1/pods/web/main/logs?previous=1&tail=0")).body == b""
    for tail in ("-1", "x", "²", "1.5", "9" * 5000):
        assert talk(agent, request(f"/v1{path}?tail={tail}".encode().decode("latin-1"))).status == 400, tail


def test_followed_logs_end_with_the_container(agent: AgentProcess) -> None:
    script = "sleep 2; for number in 1 2 3; do echo $number; sleep 0.4; done"
    agent.apply(pod(container(script=script), restart_policy="Never"), wait=False)
    with unharmed(agent):
        times = [(line, time.monotonic()) for line in agent.client.stream("/pods/web/main/logs", follow=1)]
    assert [line for line, _time in times] == [b"1\n", b"2\n", b"3\n"]
    # As they come, not all at the end.
    assert times[2][1] - times[0][1] > 0.4


def test_logs_of_what_is_not_there_are_refused(agent: AgentProcess) -> None:
    """Not told in the midst of an answer that has begun well."""
    agent.apply(pod())
    agent.apply({"name": "web", "state": "stopped"})
    agent.host.podman("rm", "-f", "-t", "0", "web-main")
    for follow in ("", "?follow=1"):
        answer = talk(agent, request(f"/v1/pods/web/main/logs{follow}"))
        assert answer.status == 404
        assert "web-main" in answer.message


def test_metrics(agent: AgentProcess) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    options = pod(container(readiness_probe={"exec": {"command": ["true"]}, "period_seconds": 1}))
    agent.apply(options, wait=True)
    agent.host.podman("kill", "web-main")
    await_true(lambda: agent.container("web")["restartCount"] == 1)
    agent.await_ready("web")
    answer = talk(agent, request("/v1/metrics"))
    assert answer.status == 200
    families = {family.name: family for family in parser.text_string_to_metric_families(answer.body.decode())}
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert families["kube_pod_container_status_restarts"].type == "counter"
    assert samples["kube_pod_container_status_restarts_total", "main", "web"] == 1
    assert samples["kube_pod_container_status_ready", "main", "web"] == 1
    assert samples["kube_pod_status_ready", "web"] == 1
    phases = {key[1]: value for key, value in samples.items() if key[0] == "kube_pod_status_phase"}
    assert phases == {"Pending": 0, "Running": 1, "Succeeded": 0, "Failed": 0, "Unknown": 0}
    assert samples[("podwright_podman_up",)] == 1
    assert samples[("podwright_agent_threads",)] > 1
    assert abs(samples[("podwright_agent_start_time_seconds",)] - time.time()) < 60


# --- refusals --------------------------------------------------------------------------------------------------------


def deep(depth: int) -> bytes:
    return b'{"run": "run_pod", "options": {"name": ' + b"[" * depth + b"]" * depth + b"}}"


RUN = "/v1/run"
ANY_RUN = {"run": "run_pod", "options": {}}
REFUSALS: dict[str, tuple[bytes, int, str]] = {
    "nothing at the path": (request("/v1/absent"), 404, "there is nothing at /absent for GET"),
    "no path": (request("/"), 404, "is not part of version 1"),
    "another version": (request("/v2/health"), 404, "/v2/health is not part of version 1"),
    "GET of a run": (request(RUN), 404, "there is nothing at /run for GET"),
    "POST of what is read": (post("/v1/health", {}), 404, "there is nothing at /health for POST"),
    "no run": (post(RUN, {}), 400, "run is one of run_pod, run_pod_info, run_stack, run_stack_info"),
    "unknown run": (post(RUN, {"run": "run_away", "options": {}}), 400, "run is one of"),
    "run that is none": (post(RUN, {"run": ["run_pod"], "options": {}}), 400, "run is one of"),
    "options that are none": (post(RUN, {"run": "run_pod", "options": [1]}), 400, "options is an object"),
    "no release": (post(RUN, {**ANY_RUN, "release": "0.1.0"}), 400, "release is an object with"),
    "half a release": (post(RUN, {**ANY_RUN, "release": {"version": "0.1.0"}}), 400, "and a code"),
    "no version": (post(RUN, {**ANY_RUN, "release": {"version": "new", "code": ""}}), 400, "'new' is not a version"),
    "no JSON": (request(RUN, b"run: run_pod"), 400, "the request is not JSON"),
    "no text": (request(RUN, b"\xff\xfe\x00"), 400, "the request is not JSON"),
    "empty": (request(RUN, b""), 400, "the request is not JSON"),
    "no object": (post(RUN, [{"run": "run_pod"}]), 400, "the request is not a JSON object"),
    "deeply nested": (request(RUN, deep(100_000)), 400, "the request is not JSON: maximum recursion depth"),
    "no length": (request(RUN, method="POST"), 411, "a request needs a Content-Length"),
    "length that is none": (request(RUN, b"{}", Content_Length="two"), 411, "a request needs a Content-Length"),
    "negative length": (request(RUN, b"{}", Content_Length="-1"), 413, "a request holds at most"),
    "one byte too much": (request(RUN, b"", Content_Length=str(REQUEST_BYTES + 1)), 413, f"at most {REQUEST_BYTES}"),
    "huge length": (request(RUN, b"", Content_Length="9" * 4000), 413, "at most"),
    "absurd length": (request(RUN, b"", Content_Length="9" * 5000), 411, "Content-Length"),
    "cut off": (request(RUN, b'{"run": "run_pod_info"}', Content_Length="99"), 400, "ends before its 99 bytes"),
    "in chunks": (request(RUN, method="POST", Transfer_Encoding="chunked") + b"2\r\n{}\r\n0\r\n\r\n", 411, "needs a"),
    "chunks with a length": (request(RUN, b"2\r\n{}\r\n", Transfer_Encoding="chunked"), 400, "the request is not JSON"),
    "since when": (request("/v1/events?since=yesterday"), 400, "since is a whole number"),
    "bracket in the path": (request("http://[/v1/health"), 400, "the path cannot be read"),
}  # fmt: skip


def test_refusals(agent: AgentProcess) -> None:
    with unharmed(agent):
        for title, (sent, status, message) in REFUSALS.items():
            answer = talk(agent, sent)
            assert (title, answer.status) == (title, status)
            assert message in answer.message, title


GARBAGE: dict[str, tuple[bytes, tuple[int, ...]]] = {
    "nothing": (b"", (0,)),
    "an empty line": (b"\r\n", (0,)),
    "zeros": (bytes(1000), (0, 400)),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), (0, 400)),
    "a line without end": (b"x" * 100, (0, 400)),
    "a line that is too long": (b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", (414,)),
    "a header that is too long": (request("/v1/health", Long="x" * 100_000), (431,)),
    "thousands of headers": (request("/v1/health", **{f"X{number}": "y" for number in range(5000)}), (431,)),
    "a header without colon": (b"GET /v1/health HTTP/1.1\r\nno header\r\n\r\n", (200,)),
    "no version": (b"GET /v1/health\r\n\r\n", (0, 200)),
    "the version before": (b"GET /v1/health HTTP/0.9\r\n\r\n", (0, 200)),
    "the version to come": (b"GET /v1/health HTTP/2.0\r\n\r\n", (0, 505)),
    "a version that is none": (b"GET /v1/health HTTP/1.1.1\r\n\r\n", (0, 400)),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n", (0, 400)),
    "another method": (request("/v1/health", method="BREW"), (501,)),
    "a method that would delete": (request("/v1/pods/web", method="DELETE"), (501,)),
    "two requests": (request("/v1/health") * 2, (200,)),
}


def test_garbage(agent: AgentProcess) -> None:
    with unharmed(agent):
        for title, (sent, statuses) in GARBAGE.items():
            assert talk(agent, sent).status in statuses, title


ELSEWHERE = (
    "..",
    "%2e%2e",
    ".",
    "%2e%2e%2f%2e%2e%2fetc",
    "%2fetc",
    "..%2fpods%2fweb",
    "web%2f",
    "web%00",
    "%00",
    "web%3fx=1",
    "web%23",
    "%ff",
    "web%20",
    "x" * 1000,
    "WEB",
)


def test_names_lead_nowhere_else(agent: AgentProcess) -> None:
    agent.apply(pod())
    agent.host.podman("run", "-d", "--stop-timeout", "0", "--name", "theirs", BUSYBOX, "sleep", "600")
    command = {"command": ["true"]}
    for name in (*ELSEWHERE, "..%2fcontainers%2ftheirs", "theirs"):
        sent = {
            "pod": request(f"/v1/pods/{name}"),
            "logs": request(f"/v1/pods/{name}/main/logs"),
            "kept logs": request(f"/v1/pods/{name}/main/logs?previous=1"),
            "logs of a container": request(f"/v1/pods/web/{name}/logs"),
            "kept logs of a container": request(f"/v1/pods/web/{name}/logs?previous=1"),
            "exec": post(f"/v1/pods/{name}/main/exec", command),
            "exec in a container": post(f"/v1/pods/web/{name}/exec", command),
        }
        for title, each in sent.items():
            answer = talk(agent, each)
            assert (name, title, answer.status) == (name, title, 404)
            assert "there is no" in answer.message
    # The engine's own way to a pod of a name.
    for name in ("../containers/theirs", "..", "web?x=1", "\x00", "x" * 1000):
        answer = talk(agent, post(RUN, {"run": "run_pod", "options": {"name": name, "state": "absent"}}))
        assert (name, answer.status) == (name, 422)


def test_what_is_too_large_is_told_before_all_of_it_is_sent(agent: AgentProcess) -> None:
    with unharmed(agent), pytest.raises(RemoteFailure, match=f"a request holds at most {REQUEST_BYTES} bytes"):
        agent.client.post("/run", "x" * (REQUEST_BYTES + 1))


def test_the_largest_request(agent: AgentProcess) -> None:
    body = b"[" + b" " * (REQUEST_BYTES - 2) + b"]"
    answer = talk(agent, request(RUN, body))
    assert (answer.status, answer.message) == (400, "the request is not a JSON object")


# --- clients that are slow, or gone ----------------------------------------------------------------------------------


def stall(agent: AgentProcess, sent: bytes = b"GET /v1/health HTTP/1.1\r\nHost: loc") -> socket.socket:
    connection = connect(agent)
    connection.sendall(sent)
    return connection


HALVES = (b"", b"G", b"GET /v1/health HTTP/1.1\r\nHost: loc", request(RUN, b"{}", Content_Length="1000"))


def test_requests_that_stall_are_in_nobodys_way(agent: AgentProcess) -> None:
    agent.apply(pod())
    with unharmed(agent):
        halves = itertools.islice(itertools.cycle(HALVES), CONNECTIONS + 40)
        with contextlib.ExitStack() as stack:
            for half in halves:
                stack.enter_context(stall(agent, half))
            for _time in range(3):
                began = time.monotonic()
                assert agent.client.get("/health")["threads"] < CONNECTIONS + 40
                assert agent.client.get("/pods/web")["status"]["phase"] == "Running"
                assert time.monotonic() - began < 5


@pytest.mark.long
def test_requests_that_trickle_are_cut_off(agent: AgentProcess) -> None:
    """A byte now and then is no request: the time is that of all of it."""
    with unharmed(agent), stall(agent) as connection:
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - began < 2 * READ_SECONDS:
                connection.sendall(b"x")
                time.sleep(1)
        assert READ_SECONDS - 2 < time.monotonic() - began < READ_SECONDS + 5
        assert read_answer(connection).status == 0


def test_followers_leave_room_for_others(agent: AgentProcess) -> None:
    """Those that are being answered are not cut off; one too many is told so, and all else is answered."""
    agent.apply(pod())
    with unharmed(agent, 30), contextlib.ExitStack() as stack:
        followers = []
        for _one in range(LASTING["follow"]):
            followers.append(stack.enter_context(stall(agent, request("/v1/events?follow=1"))))
            assert followers[-1].recv(1000).startswith(b"HTTP/1.0 200 OK")
        assert talk(agent, request("/v1/events?follow=1")).status == 503
        assert agent.client.get("/health")
        assert not agent.apply(pod())["changed"]
        followers.pop().close()
        # It is noticed when it is told something.
        await_true(lambda: talk_is_begun(agent), 20)


def talk_is_begun(agent: AgentProcess) -> bool:
    with stall(agent, request("/v1/events?follow=1")) as connection:
        return connection.recv(1000).startswith(b"HTTP/1.0 200 OK")


def answers(agent: AgentProcess) -> bool:
    try:
        return bool(agent.client.get("/health"))
    except RemoteFailure:
        return False


def test_followers_that_leave_leave_nothing_behind(agent: AgentProcess) -> None:
    agent.apply(pod())
    with unharmed(agent, 20):
        for _time in range(10):
            with stall(agent, request("/v1/events?follow=1")) as connection:
                assert connection.recv(1000).startswith(b"HTTP/1.0 200 OK")


def test_followers_of_a_silent_log_leave_nothing_behind(agent: AgentProcess) -> None:
    agent.apply(pod())
    with unharmed(agent, 20):
        for _time in range(5):
            with stall(agent, request("/v1/pods/web/main/logs?follow=1")):
                time.sleep(0.2)


def test_events_are_followed(agent: AgentProcess) -> None:
    seen: list[dict[str, Any]] = []

    def follow() -> None:
        for line in agent.client.stream("/events", pod="web", follow=1):
            if line.strip():
                seen.append(json.loads(line))
            if seen and seen[-1]["reason"] == "Killing":
                return

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    agent.apply(pod(name="other"))
    agent.apply(pod())
    agent.host.podman("kill", "web-main")
    await_true(lambda: agent.container("web")["restartCount"] == 1)
    agent.apply({"name": "web", "state": "stopped"})
    await_true(lambda: "Started" in [event["reason"] for event in seen])
    assert {event["pod"] for event in seen} == {"web"}
    numbers = [event["number"] for event in agent.events("web")]
    assert numbers == sorted(set(numbers))
    assert [event["number"] for event in seen] == sorted({event["number"] for event in seen})


# --- who may ask -----------------------------------------------------------------------------------------------------


def test_the_socket_is_its_owners(agent: AgentProcess) -> None:
    found = agent.client.path.stat()
    assert stat.S_ISSOCK(found.st_mode)
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert found.st_uid == os.geteuid()


def ask_as(user: int, path: Path) -> bytes:
    """What a process of another user gets to read from the socket."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(path))
                os.write(writer, b"connected:")
                connection.sendall(request("/v1/health"))
                os.write(writer, connection.recv(1000))
        except OSError as error:
            os.write(writer, type(error).__name__.encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return told


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_is_refused_whatever_the_mode(agent: AgentProcess) -> None:
    path = agent.client.path
    assert ask_as(NOBODY, path) == b"PermissionError"
    for directory in (path.parent, agent.host.directory):
        directory.chmod(0o711)
    path.chmod(0o666)
    try:
        told = ask_as(NOBODY, path)
        assert told in (b"connected:", b"connected:BrokenPipeError", b"connected:ConnectionResetError")
        assert ask_as(0, path).startswith(b"connected:HTTP/1.0 200 OK")
    finally:
        for directory in (path.parent, agent.host.directory):
            directory.chmod(0o700)


# --- whatever is sent ------------------------------------------------------------------------------------------------

words = st.sampled_from(
    ["v1", "v2", "run", "pods", "web", "main", "health", "events", "metrics", "logs", "exec", "..", "%2e%2e", "%00"]
)
targets = st.lists(words | st.text("ab/%?&=#.\x7f", max_size=5), max_size=6).map(lambda parts: "/" + "/".join(parts))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
options = st.dictionaries(
    st.sampled_from(["name", "state", "definition", "containers", "pods", "wait_timeout", "labels", "allocatable"]),
    values,
    max_size=4,
)
runs = st.fixed_dictionaries(
    {"run": st.sampled_from(["run_pod", "run_pod_info", "run_stack", "run_stack_info"]), "options": options | values},
    optional={"check": values, "diff": values},
)
bodies = st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode())
headers = st.dictionaries(
    st.sampled_from(["Content-Length", "Transfer-Encoding", "Expect", "Connection", "Host", "X"]),
    st.sampled_from(["0", "1", "99", "-1", "chunked", "100-continue", "keep-alive", "é", ""]),
    max_size=3,
)
requests = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda target, body, method, told: request(target, body, method, **told),
        targets,
        st.none() | bodies,
        st.sampled_from(["", "GET", "POST", "HEAD", "PUT", "get"]),
        headers,
    ),
    runs.map(lambda run: post(RUN, run)),
    st.builds(lambda body: request("/v1/pods/web/main/exec", body), bodies),
)


def test_whatever_is_sent_the_agent_goes_on(agent: AgentProcess) -> None:
    agent.apply(pod())
    mistakes: list[tuple[bytes, str]] = []

    @settings(max_examples=EXAMPLES, deadline=None)
    @given(requests, st.integers(0, 400))
    def throw(sent: bytes, length: int) -> None:
        answer = talk(agent, sent)
        if answer.status == 500:
            mistakes.append((sent, answer.message))
        # And a part of it, by a client that leaves without a word.
        with connect(agent) as connection, contextlib.suppress(ConnectionError):
            connection.sendall(sent[:length])

    with unharmed(agent):
        throw()
    assert [sent for sent, _message in mistakes if b" /v1/run " not in sent] == []
    assert agent.client.get("/health")["podman_error"] == ""
    restarts = agent.container("web")["restartCount"]
    agent.host.podman("kill", "web-main")
    await_true(lambda: agent.container("web")["restartCount"] == restarts + 1)
    await_true(lambda: agent.container("web")["ready"])
    agent.await_ready("web")
