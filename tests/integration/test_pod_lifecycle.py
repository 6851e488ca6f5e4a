# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the first init container to the end of the pod: order, restarts, phases, states."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from pod_runs import SLEEP, Options, PodRuns, await_true, container, plan, pod, server
from test_stack_interrupted import apply_elsewhere, was_killed

from ansible_collections.podwright.pods.plugins.module_utils._errors import Refused

pytestmark = pytest.mark.integration

LOG = {"volume_mounts": [{"name": "log", "mount_path": "/log"}]}
KEPT_LOG = {"volumes": [{"name": "log", "persistent_volume_claim": {"claim_name": "log"}}]}


def logging(name: str, script: str = SLEEP, **fields: Any) -> Options:
    """A container that writes its name to the pod's log at its start, and at its end where it is told to end."""
    end = f"trap 'echo {name} ends >> /log/log; exit 0' TERM"
    return container(name, f"{end}; echo {name} >> /log/log; {script}", **LOG, **fields)


def sleeping(name: str, **fields: Any) -> Options:
    return logging(name, "sleep 600 & wait", **fields)


def sidecar(name: str, **fields: Any) -> Options:
    return sleeping(name, restart_policy="Always", **fields)


def kept_log(pods: PodRuns) -> list[str]:
    """What the containers wrote to the named volume, which outlives the pod."""
    (volume,) = json.loads(pods.host.podman("volume", "inspect", "log"))
    with open(f"{volume['Mountpoint']}/log") as file:
        return file.read().splitlines()


def phase(pods: PodRuns, name: str = "web") -> str:
    return str(pods.status_of(name)["phase"])


# --- init containers -------------------------------------------------------------------------------------------------


def test_init_containers_run_one_after_another(pods: PodRuns) -> None:
    first = logging("first", "sleep 0.5; echo first is done >> /log/log")
    options = pod(sleeping("main"), init_containers=[first, logging("second", ":")], **KEPT_LOG)
    result = pods.create(options, wait=True)
    assert plan(result)[4:] == [
        "create container web/first: it was not there",
        "start container web/first: it was not there",
        "await completion of init container web/first: it was not there",
        "create container web/second: it was not there",
        "start container web/second: it was not there",
        "await completion of init container web/second: it was not there",
        "create container web/main: it was not there",
        "start container web/main: it was not there",
    ]
    assert kept_log(pods) == ["first", "first is done", "second", "main"]
    states = pods.status_of("web")["initContainerStatuses"]
    assert [(each["name"], each["state"]["terminated"]["reason"]) for each in states] == [
        ("first", "Completed"),
        ("second", "Completed"),
    ]
    # They belong to the sandbox: a main container made anew does not run them again, a change of theirs all.
    options["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    pods.apply(options, wait=True)
    assert kept_log(pods)[4:] == ["main ends", "main"]
    options["init_containers"][1]["env"] = [{"name": "A", "value": "b"}]
    changed = pods.apply(options, wait=True)
    assert plan(changed)[1] == "stop container web/main: init_containers changed"
    assert kept_log(pods)[6:] == ["main ends", "first", "first is done", "second", "main"]
    pods.unchanged(options, wait=True)


def test_init_container_that_fails_is_tried_again(pods: PodRuns) -> None:
    init = logging("init", "[ -e /log/tried ] || { touch /log/tried; exit 3; }")
    for policy in ("Always", "OnFailure"):
        pods.apply(pod(sleeping("main"), init_containers=[init], restart_policy=policy, **KEPT_LOG), wait=True)
        assert kept_log(pods) == ["init", "init", "main"]
        pods.apply({"name": "web", "state": "absent"})
        pods.host.podman("volume", "rm", "log")


def test_init_container_that_never_succeeds(pods: PodRuns) -> None:
    """The second attempt is immediate; the third would come after ten seconds, when the time is over."""
    init = container("init", "echo no schema; exit 3")
    began = time.monotonic()
    failure = pods.fail(pod(container(), init_containers=[init]), wait_timeout=5)
    assert time.monotonic() - began < 5
    assert (failure.container, failure.reason) == ("init", "Init:CrashLoopBackOff")
    text = str(failure)
    assert (
        "#6 await completion of init container web/init failed: web/init: Init:CrashLoopBackOff: exited with code 3 "
        "until the time was over" in text
    )
    assert "Last log lines of web/init:\n    no schema" in text
    assert "web-main" not in pods.names()


def test_init_container_that_fails_is_final_under_never(pods: PodRuns) -> None:
    init = logging("init", "exit 3")
    options = pod(sleeping("main"), init_containers=[init], restart_policy="Never", **KEPT_LOG)
    failure = pods.fail(options, wait_timeout=30)
    assert failure.reason == "Init:Error"
    assert "web/init: Init:Error: exited with code 3" in str(failure)
    assert kept_log(pods) == ["init"]
    assert phase(pods) == "Failed"
    # The next run ends what is left, and none runs it again.
    again = pods.fail(options, wait=True)
    assert again.reason == "Init:Error"
    assert "init container init exited with code 3, which is final under restart policy Never" in str(again)
    assert pods.state("web-infra") == "exited"
    assert "Nothing was changed" in str(pods.fail(options, wait=True))
    assert kept_log(pods) == ["init"]


def test_another_declaration_begins_a_pod_whose_init_container_has_failed_anew(pods: PodRuns, tmp_path: Path) -> None:
    """As a whole, also where a run was killed on the way; and so does a start after a stop."""
    init = container("init", "exit 3")
    options = pod(container(), init_containers=[init], restart_policy="Never")
    pods.fail(options)
    changed = {**options, "init_containers": [container("init", "exit 0")]}
    assert was_killed(apply_elsewhere(pods.host, tmp_path, changed, kill_after=1))
    assert "create pod web" in " ".join(pods.apply(changed, wait=True)["actions"])
    assert phase(pods) == "Running"
    pods.apply({"name": "web", "state": "absent"})

    pods.fail(options)
    pods.apply({"name": "web", "state": "stopped"})
    before = pods.identity("web-init")
    assert pods.fail(options).reason == "Init:Error"
    assert pods.identity("web-init") != before


def test_init_container_that_takes_too_long(pods: PodRuns) -> None:
    init = container("init", f"echo still copying; {SLEEP}")
    failure = pods.fail(pod(container(), init_containers=[init]), wait_timeout=3)
    assert "web/init: the init container has not completed in time; its last log lines: still copying" in str(failure)
    # The next run goes on waiting for the same one.
    before = pods.identity("web-init")
    again = pods.fail(pod(container(), init_containers=[init]), wait_timeout=1)
    assert "#1 await completion of init container web/init failed" in str(again)
    assert pods.identity("web-init") == before


# --- sidecars --------------------------------------------------------------------------------------------------------


def test_sidecars_start_before_and_stop_after_the_others(pods: PodRuns) -> None:
    first_time = "[ -e /tmp/up ] || exit 1; mkdir /tmp/told && echo one is up >> /log/log; :"
    gate = {"exec": {"command": ["sh", "-c", first_time]}, "period_seconds": 1}
    one = sidecar("one", startup_probe=gate)
    one["command"][2] = one["command"][2].replace("sleep 600", "(sleep 0.3; touch /tmp/up); sleep 600")
    options = pod(sleeping("main"), init_containers=[one, sidecar("two"), logging("init", ":")], **KEPT_LOG)
    result = pods.create(options, wait=True)
    assert plan(result)[6] == "await start of sidecar web/one: it was not there"
    assert kept_log(pods) == ["one", "one is up", "two", "init", "main"]
    assert phase(pods) == "Running"
    stopped = pods.apply({"name": "web", "state": "stopped"})
    assert [line for line in plan(stopped) if line.startswith("stop")] == [
        "stop container web/main: state is stopped",
        "stop container web/two: state is stopped",
        "stop container web/one: state is stopped",
        "stop container web/infra: state is stopped",
    ]
    assert kept_log(pods)[5:] == ["main ends", "two ends", "one ends"]


def test_sidecar_is_changed_alone(pods: PodRuns) -> None:
    options = pod(container(), init_containers=[container("helper", restart_policy="Always")])
    pods.create(options)
    before = pods.identity("web-main")
    options["init_containers"][0]["env"] = [{"name": "A", "value": "b"}]
    pods.change(
        options,
        [
            "record pod web: init_containers changed",
            "stop container web/helper: env changed",
            "remove container web/helper: env changed",
            "create container web/helper: env changed",
            "start container web/helper: env changed",
            "await start of sidecar web/helper: env changed",
        ],
    )
    assert pods.identity("web-main") == before


def test_sidecar_that_ended_is_started_again(pods: PodRuns) -> None:
    helper = container("helper", "trap 'exit 3' TERM; sleep 600 & wait", restart_policy="Always")
    options = pod(container(), init_containers=[helper], restart_policy="Never")
    pods.create(options)
    pods.host.podman("stop", "web-helper")
    result = pods.apply(options)
    assert plan(result)[0] == "remove container web/helper: it is not running (exit code 3)"
    assert pods.state("web-helper") == "running"
    pods.unchanged(options)


def test_sidecars_end_with_a_job(pods: PodRuns) -> None:
    options = pod(
        logging("main", "sleep 0.5; echo main is done >> /log/log"),
        init_containers=[sidecar("helper")],
        restart_policy="Never",
        **KEPT_LOG,
    )
    result = pods.apply(options, wait=True)
    assert kept_log(pods) == ["helper", "main", "main is done", "helper ends"]
    assert result["pod"]["status"]["phase"] == "Succeeded"
    assert phase(pods) == "Succeeded"
    pods.unchanged(options, wait=True)


# --- restart policies ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["Never", "OnFailure"])
def test_job_that_succeeds_stays_done(pods: PodRuns, policy: str) -> None:
    options = pod(logging("main", "exit 0"), restart_policy=policy, **KEPT_LOG)
    result = pods.apply(options, wait=True)
    assert result["pod"]["status"]["phase"] == "Succeeded"
    before = pods.identity("web-main")
    again = pods.unchanged(options, wait=True)
    assert again["pod"]["status"]["phase"] == "Succeeded"
    assert pods.identity("web-main") == before
    assert kept_log(pods) == ["main"]
    # A changed definition starts even so.
    options["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    changed = pods.apply(options, wait=True)
    assert plan(changed) == [
        "record pod web: containers changed",
        "remove container web/main: env changed",
        "create container web/main: env changed",
        "start container web/main: env changed",
    ]
    assert kept_log(pods) == ["main", "main"]


def test_job_that_fails_stays_failed(pods: PodRuns) -> None:
    options = pod(logging("main", "echo out of paper; exit 9"), logging("other", "exit 0"), restart_policy="Never")
    options.update(KEPT_LOG)
    failure = pods.fail(options, wait=True)
    assert (failure.container, failure.reason) == ("main", "Error")
    assert "web/main: Error: exited with code 9" in str(failure)
    assert "    out of paper" in str(failure)
    await_true(lambda: phase(pods) == "Failed")
    again = pods.fail(options, wait=True)
    assert "Nothing was changed." in str(again)
    assert sorted(kept_log(pods)) == ["main", "other"]


def test_on_failure_starts_again_until_it_succeeds(pods: PodRuns) -> None:
    script = "echo x >> /log/tries; [ $(wc -l < /log/tries) -ge 3 ] || exit 2"
    options = pod(logging("main", script), restart_policy="OnFailure", **KEPT_LOG)
    # An attempt that takes longer than `min_ready_seconds` was available.
    pods.apply(options, wait=True, wait_timeout=60)
    await_true(lambda: phase(pods) == "Succeeded")
    assert kept_log(pods) == ["main"] * 3
    pods.unchanged(options, wait=True)


def test_always_starts_again_by_itself(pods: PodRuns) -> None:
    pods.apply(pod(logging("main", "sleep 0.5"), **KEPT_LOG))
    await_true(lambda: len(kept_log(pods)) >= 3)
    assert phase(pods) == "Running"


def test_restart_policy_costs_the_containers(pods: PodRuns) -> None:
    pods.create(pod())
    changed = pods.change(
        pod(restart_policy="OnFailure"),
        [
            "record pod web: restart_policy changed",
            "stop container web/main: restart_policy changed",
            "remove container web/main: restart_policy changed",
            "create container web/main: restart_policy changed",
            "start container web/main: restart_policy changed",
        ],
    )
    assert changed["pod"]["spec"]["restartPolicy"] == "OnFailure"
    assert pods.host.inspect("web-main")["HostConfig"]["RestartPolicy"]["Name"] == "on-failure"


# --- termination messages --------------------------------------------------------------------------------------------


def test_termination_message(pods: PodRuns) -> None:
    containers = (
        container("told", "echo -n 'all 3 rows' > /dev/termination-log"),
        container("long", "head -c 5000 /dev/zero | tr '\\0' x > /dev/termination-log"),
        container("moved", "echo -n here > /tmp/why", termination_message_path="/tmp/why"),
        container("logged", "echo from the log; exit 1", termination_message_policy="FallbackToLogsOnError"),
        container("silent", "echo from the log; exit 1"),
    )
    pods.apply(pod(*containers, restart_policy="Never"))
    for each in containers:
        pods.await_state(f"web-{each['name']}", "exited")
    statuses = pods.status_of("web")["containerStatuses"]
    messages = {each["name"]: each["state"]["terminated"].get("message", "") for each in statuses}
    assert messages["told"] == "all 3 rows"
    assert len(messages["long"]) == 4096
    assert messages["moved"] == "here"
    assert messages["logged"].strip() == "from the log"
    assert messages["silent"] == ""


# --- states ----------------------------------------------------------------------------------------------------------


def test_stopped_and_started_again(pods: PodRuns) -> None:
    options = pod(server(), container("other"))
    pods.create(options, wait=True)
    stopped = pods.apply({"name": "web", "state": "stopped"})
    assert plan(stopped) == [
        "record pod web: state is stopped",
        "stop container web/main: state is stopped",
        "stop container web/other: state is stopped",
        "stop container web/infra: state is stopped",
    ]
    assert [pods.state(name) for name in pods.names()] == ["exited"] * 3
    pods.unchanged({"name": "web", "state": "stopped"})
    pods.apply(options, wait=True)
    assert pods.get("web-main", 8080, "/hostname") == "web"
    assert [pods.state(name) for name in pods.names()] == ["running"] * 3
    pods.unchanged(options, wait=True)


@pytest.mark.parametrize("policy", ["Never", "OnFailure"])
def test_job_that_was_stopped_is_started_again(pods: PodRuns, policy: str) -> None:
    options = pod(restart_policy=policy)
    pods.create(options)
    pods.apply({"name": "web", "state": "stopped"})
    pods.apply(options)
    assert pods.state("web-main") == "running"
    pods.unchanged(options)


def test_absent(pods: PodRuns) -> None:
    volumes = [
        {"name": "memory", "empty_dir": {"medium": "Memory"}},
        {"name": "disk", "empty_dir": {}},
        {"name": "files", "config_map": {"name": "site"}},
        {"name": "kept", "persistent_volume_claim": {"claim_name": "kept"}},
    ]
    mounts = [{"name": volume["name"], "mount_path": f"/{volume['name']}"} for volume in volumes]
    made = {"name": "made", "generate": {"key": 20}}
    options = pod(
        container(volume_mounts=mounts, env_from=[{"secret_ref": {"name": "made"}}]),
        volumes=volumes,
        config_maps=[{"name": "site", "data": {"a": "b"}}],
        secrets=[made],
    )
    pods.create(options)
    result = pods.apply({"name": "web", "state": "absent"})
    assert plan(result) == [
        "stop container web/main: state is absent",
        "remove pod web: state is absent",
        "forget pod web: state is absent",
    ]
    assert result["pod"] == {}
    pods.unchanged({"name": "web", "state": "absent"})
    left = [line for line in pods.host.mutations() if line.split()[0] in ("container", "pod", "volume", "secret")]
    assert left == ["volume kept"]
    files = {
        str(path.relative_to(pods.host.state_directory))
        for path in pods.host.state_directory.rglob("*")
        if path.is_file()
    }
    assert files == {"key", "key.copy", "reserve", "secrets/web.json"}


def test_states_of_what_is_not_there(pods: PodRuns) -> None:
    pods.unchanged({"name": "web", "state": "absent"})
    text = pods.refuse({"name": "web", "state": "stopped"}, Refused)
    assert text == "state: pod web does not exist, so it cannot be stopped; start it first"
