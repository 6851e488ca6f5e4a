# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for probes: what holds a run back, what it says when they never pass."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from pod_runs import SLEEP, Options, PodRuns, await_true, container, plan, pod, server

pytestmark = pytest.mark.integration


def probe(period: int = 1, **action: Any) -> Options:
    return {**action, "period_seconds": period}


def execute(script: str, **fields: Any) -> Options:
    return probe(exec={"command": ["sh", "-c", script]}, **fields)


def conditions(result: Options) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in result["pod"]["status"]["conditions"]}


@pytest.mark.parametrize(
    "action",
    [
        {"exec": {"command": ["test", "-e", "/tmp/ready"]}},
        {"tcp_socket": {"port": "http"}},
        {"tcp_socket": {"port": 8080, "host": "127.0.0.1"}},
        {"http_get": {"path": "/hostname", "port": "http", "http_headers": [{"name": "X-From", "value": "probe"}]}},
    ],
    ids=["exec", "named-port", "host", "http"],
)
def test_readiness_holds_the_run_back(pods: PodRuns, action: Options) -> None:
    """The run ends when the pod is ready, not a period later; nothing of the probe has to be in the image."""
    start = f"sleep 0.7; touch /tmp/ready; httpd -h /etc -p 8080; {SLEEP}"
    ports = [{"name": "http", "container_port": 8080}]
    options = pod(container(script=start, ports=ports, readiness_probe=probe(30, **action)))
    began = time.monotonic()
    result = pods.apply(options, wait=True, wait_timeout=10)
    assert 0.7 < time.monotonic() - began < 15
    assert (pods.root("web-main") / "tmp/ready").exists()
    assert conditions(result) == dict.fromkeys(
        ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"), "True"
    )
    assert result["pod"]["status"]["containerStatuses"][0]["ready"]
    pods.unchanged(options, wait=True)


def test_no_wait_tells_that_it_is_not_ready(pods: PodRuns) -> None:
    result = pods.apply(pod(container(readiness_probe=execute("exit 1"))), wait=False)
    status = result["pod"]["status"]
    assert status["phase"] == "Running"
    assert conditions(result)["Ready"] == "False"
    (ready,) = [each for each in status["conditions"] if each["type"] == "ContainersReady"]
    assert (ready["reason"], ready["message"]) == (
        "ContainersNotReady",
        "containers with unready status: [main]",
    )
    assert status["containerStatuses"][0]["started"]


def test_startup_comes_before_readiness(pods: PodRuns) -> None:
    order = "echo {0} >> /tmp/order; exit 0"
    startup = "[ -e /tmp/up ] || { touch /tmp/up; exit 1; }; " + order.format("startup")
    options = pod(container(startup_probe=execute(startup), readiness_probe=execute(order.format("readiness"))))
    pods.apply(options, wait=True, wait_timeout=10)
    assert pods.read("web-main", "/tmp/order").split()[:2] == ["startup", "readiness"]
    pods.unchanged(options, wait=True)


def test_startup_that_fails_ends_the_wait(pods: PodRuns) -> None:
    main = container(
        script=f"echo warming up; {SLEEP}",
        startup_probe=execute("echo not warm; exit 3", failure_threshold=2),
        readiness_probe=execute("exit 0"),
    )
    began = time.monotonic()
    failure = pods.fail(pod(main), wait=True, wait_timeout=60)
    assert time.monotonic() - began < 40
    assert (failure.pod, failure.container, failure.reason) == ("web", "main", "StartupProbeFailed")
    text = str(failure)
    assert "web/main: StartupProbeFailed: its startup probe failed: exec: exit code 3: not warm" in text
    assert "Last log lines of web/main:\n    warming up" in text
    assert "Raise failure_threshold or period_seconds of its startup_probe if it only needs longer." in text


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"exec": {"command": ["sh", "-c", "echo no; exit 7"]}}, "its readiness probe fails: exec: exit code 7: no"),
        ({"exec": {"command": ["absent"]}}, "its readiness probe fails: exec: exit code 12"),
        ({"exec": {"command": ["sleep", "9"]}}, "its readiness probe fails: exec: timed out after 1 s and was killed"),
        ({"tcp_socket": {"port": 81}}, ":81: Connection refused"),
        ({"http_get": {"path": "/absent", "port": 8080}}, ":8080/absent: HTTP status 404 Not Found"),
    ],
    ids=["exit", "command", "timeout", "refused", "status"],
)
def test_readiness_that_never_passes(pods: PodRuns, action: Options, words: str) -> None:
    main = server(readiness_probe=probe(**action))
    main["command"][2] = "echo serving; " + main["command"][2]
    failure = pods.fail(pod(main), wait=True, wait_timeout=2)
    assert (failure.container, failure.reason) == ("main", "ContainersNotReady")
    text = str(failure)
    assert "web/main: ContainersNotReady: containers with unready status: [main]; its readiness probe fails: " in text
    assert words in text
    assert "Last log lines of web/main:\n    serving" in text
    assert "See the container's log and probe; raise wait_timeout if it only needs longer." in text
    # It is left running, and the next run waits again.
    assert pods.state("web-main") == "running"
    again = pods.fail(pod(main), wait=True, wait_timeout=1)
    assert "Nothing was changed." in str(again)


def test_one_of_several_that_never_passes(pods: PodRuns) -> None:
    bad = container("bad", readiness_probe=execute("exit 1"))
    failure = pods.fail(pod(server(), bad), wait=True, wait_timeout=3)
    assert failure.container == "bad"
    assert "containers with unready status: [bad];" in str(failure)


def test_process_that_ends_at_once_is_not_ready(pods: PodRuns) -> None:
    """Seen running for a moment, it has to last a second where no probe tells more."""
    main = container(script="echo cannot; sleep 0.3; exit 4")
    failure = pods.fail(pod(main), wait=True, wait_timeout=3)
    assert failure.reason == "ContainersNotReady", str(failure)
    assert "web/main: ContainersNotReady" in str(failure)
    assert "    cannot" in str(failure)
    never = pods.fail(pod(main, name="job", restart_policy="Never"), wait=True, wait_timeout=10)
    assert "job/main: Error: exited with code 4" in str(never)


def test_probes_cost_no_container(pods: PodRuns) -> None:
    options = pod(server())
    pods.create(options, wait=True)
    before = pods.identity("web-main")
    main = options["containers"][0]
    main["readiness_probe"] = probe(http_get={"path": "/hostname", "port": 8080})
    main["startup_probe"] = execute("exit 0")
    pods.change(options, ["record pod web: containers changed"], wait=True)
    main["liveness_probe"] = probe(tcp_socket={"port": 8080})
    changed = pods.change(options, ["record pod web: containers changed"], wait=True)
    assert any("liveness: the liveness probes of main (tcpSocket) are not run" in each for each in changed["warnings"])
    assert pods.identity("web-main") == before


def test_exec_liveness_on_this_host(pods: PodRuns) -> None:
    """Podman keeps it where systemd runs its timers; elsewhere the run says that nobody does."""
    result = pods.create(pod(container(liveness_probe=execute("exit 0"))))
    check = pods.host.inspect("web-main")["Config"].get("Healthcheck")
    warned = any(warning.startswith("pod web: liveness: ") for warning in result["warnings"])
    assert warned != bool(check)


# --- hooks -----------------------------------------------------------------------------------------------------------


def hooks(**handlers: Options) -> Options:
    return {"lifecycle": handlers}


def shell(script: str) -> Options:
    return {"exec": {"command": ["sh", "-c", script]}}


def test_post_start_comes_before_the_next_container(pods: PodRuns) -> None:
    mounts = [{"name": "log", "mount_path": "/log"}]
    hook = shell("sleep 0.5; echo hook >> /log/order")
    one = container("one", f"echo one >> /log/order; {SLEEP}", volume_mounts=mounts, **hooks(post_start=hook))
    two = container("two", f"echo two >> /log/order; {SLEEP}", volume_mounts=mounts)
    options = pod(one, two, volumes=[{"name": "log", "empty_dir": {}}])
    result = pods.apply(options)
    assert plan(result)[4:] == [
        "create container web/one: it was not there",
        "start container web/one: it was not there",
        "run postStart hook (exec) of web/one: it was not there",
        "create container web/two: it was not there",
        "start container web/two: it was not there",
    ]
    await_true(lambda: "two" in pods.read("web-one", "/log/order"))
    assert pods.read("web-one", "/log/order").split() == ["one", "hook", "two"]
    pods.unchanged(options)


def test_post_start_over_the_network_and_sleep(pods: PodRuns) -> None:
    """The hook of the second container reaches the first; any answer to httpGet will do."""
    get = {"http_get": {"path": "/absent", "port": 8080}}
    options = pod(
        server("one", **hooks(post_start={"sleep": {"seconds": 1}})), container("two", **hooks(post_start=get))
    )
    began = time.monotonic()
    pods.apply(options)
    assert time.monotonic() - began > 1
    pods.unchanged(options)


def test_post_start_that_fails_ends_its_container(pods: PodRuns) -> None:
    one = container("one", f"echo up; {SLEEP}", **hooks(post_start=shell("echo no luck; exit 5")))
    failure = pods.fail(pod(one, container("two")), wait=True, wait_timeout=10)
    assert (failure.container, failure.reason) == ("one", "FailedPostStartHook")
    text = str(failure)
    assert "#6 run postStart hook (exec) of web/one failed: web/one: FailedPostStartHook: exec: exit code 5: no" in text
    assert "Last log lines of web/one:\n    up" in text
    assert pods.state("web-one") == "exited"
    assert "web-two" not in pods.names()
    one["lifecycle"]["post_start"] = shell("exit 0")
    result = pods.apply(pod(one, container("two")), wait=True)
    assert plan(result)[1:] == [
        "remove container web/one: it is not running (exit code 0)",
        "create container web/one: it is not running (exit code 0)",
        "start container web/one: it is not running (exit code 0)",
        "run postStart hook (exec) of web/one: it is not running (exit code 0)",
        "create container web/two: it was not there",
        "start container web/two: it was not there",
    ]


LOG = {"volume_mounts": [{"name": "log", "mount_path": "/log"}]}
KEPT_LOG = {"volumes": [{"name": "log", "persistent_volume_claim": {"claim_name": "log"}}]}


def kept_log(pods: PodRuns) -> list[str]:
    """What hooks wrote to the named volume, which outlives the pod."""
    (volume,) = json.loads(pods.host.podman("volume", "inspect", "log"))
    with open(f"{volume['Mountpoint']}/log") as file:
        return file.read().splitlines()


def test_pre_stop_comes_before_every_stop_of_ours(pods: PodRuns) -> None:
    def options(number: int, **more: Any) -> Options:
        script = f"trap 'echo term {number} >> /log/log; exit 0' TERM; sleep 600 & wait"
        stop = shell(f"sleep 0.2; echo preStop {number} >> /log/log")
        return pod(
            container("main", script, **LOG, **hooks(pre_stop=stop)), *more.pop("beside", ()), **KEPT_LOG, **more
        )

    pods.create(options(1))
    changed = pods.apply(options(2))
    assert "stop container web/main (preStop exec): command changed" in plan(changed)
    # The hook that runs is that of the container that is stopped.
    assert kept_log(pods) == ["preStop 1", "term 1"]
    # A new sandbox, a container that is no longer declared, a stop and the end.
    pods.apply(options(2, hostname="other"))
    assert kept_log(pods)[2:] == ["preStop 2", "term 2"]
    pods.apply(pod(container("instead"), hostname="other", **KEPT_LOG))
    assert kept_log(pods)[4:] == ["preStop 2", "term 2"]
    pods.apply(options(3))
    stopped = pods.apply({"name": "web", "state": "stopped"})
    assert "stop container web/main (preStop exec): state is stopped" in plan(stopped)
    assert kept_log(pods)[6:] == ["preStop 3", "term 3"]
    pods.apply(options(3))
    pods.apply({"name": "web", "state": "absent"})
    assert kept_log(pods)[8:] == ["preStop 3", "term 3"]


def test_pre_stop_does_not_run_in_what_has_ended(pods: PodRuns) -> None:
    main = container(script="echo done", **LOG, **hooks(pre_stop=shell("echo preStop >> /log/log")))
    pods.apply(pod(main, restart_policy="Never", **KEPT_LOG), wait=True)
    result = pods.apply({"name": "web", "state": "absent"})
    assert plan(result) == ["remove pod web: state is absent", "forget pod web: state is absent"]
    with pytest.raises(FileNotFoundError):
        kept_log(pods)


def test_pre_stop_that_fails_is_a_warning(pods: PodRuns) -> None:
    pods.apply(pod(container(**hooks(pre_stop=shell("echo broken; exit 6")))))
    result = pods.apply({"name": "web", "state": "absent"})
    assert result["warnings"] == ["preStop hook of web/main failed: exec: exit code 6: broken"]
    assert pods.names() == []


def test_pre_stop_counts_against_the_grace_period(pods: PodRuns) -> None:
    """A hook that hangs is cut off, and the process still gets two seconds after it."""
    script = "trap 'sleep 1; echo in time >> /log/log; exit 0' TERM; sleep 600 & wait"
    options = pod(container("main", script, **LOG, **hooks(pre_stop=shell("sleep 30"))), **KEPT_LOG)
    options["termination_grace_period_seconds"] = 1
    pods.apply(options)
    began = time.monotonic()
    result = pods.apply({"name": "web", "state": "absent"})
    assert 2 < time.monotonic() - began < 25
    assert kept_log(pods) == ["in time"]
    assert "timed out after 1 s" in result["warnings"][0]


def test_grace_period_ends_with_a_kill(pods: PodRuns) -> None:
    script = "trap '' TERM; while :; do sleep 1; done"
    options = pod(container(script=script), termination_grace_period_seconds=2)
    pods.apply(options)
    began = time.monotonic()
    pods.apply({"name": "web", "state": "stopped"})
    assert 2 <= time.monotonic() - began < 60
    assert pods.host.inspect("web-main")["State"]["ExitCode"] == 137


def test_hook_that_is_new_runs_in_a_container_that_stays(pods: PodRuns) -> None:
    pods.create(pod())
    before = pods.identity("web-main")
    options = pod(container(**hooks(post_start=shell("touch /tmp/hook"))))
    pods.change(
        options,
        ["record pod web: containers changed", "run postStart hook (exec) of web/main: it has not run yet"],
    )
    assert (pods.root("web-main") / "tmp/hook").exists()
    assert pods.identity("web-main") == before
