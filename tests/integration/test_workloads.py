# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workloads on real Podman, by a run without the agent and by the agent: what they make, keep and leave."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from pod_runs import SLEEP, Options, await_true, container, server
from podman_host import BUSYBOX
from rollout_watch import watched
from stack_runs import StackRuns
from test_stack_interrupted import apply_elsewhere, was_killed

from ansible_collections.podwright.pods.plugins.module_utils._errors import Refused
from ansible_collections.podwright.pods.plugins.module_utils._host.podman.client import Podman
from ansible_collections.podwright.pods.plugins.module_utils._runs.run_failure import RunFailed
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import run as stack_run

pytestmark = pytest.mark.integration

KILL_STEP = 1 if os.environ.get("PODWRIGHT_TEST_FULL") else 20
LABELS = {"app": "web"}


def deployment(*containers: Options, name: str = "web", **fields: Any) -> Options:
    template = {"labels": LABELS, "containers": list(containers), "termination_grace_period_seconds": 2}
    return {"name": name, "selector": {"match_labels": LABELS}, "template": template, "replicas": 2, **fields}


def stack(**fields: Any) -> Options:
    return {"name": "shop", **fields}


def pods_of(runs: StackRuns) -> list[str]:
    return sorted(name for name in runs.host.podman("pod", "ls", "--format", "{{.Name}}").split())


def test_deployment_from_nothing_to_gone(runs: StackRuns) -> None:
    first = stack(deployments=[deployment(server(root="/etc"))])
    runs.create(first)
    before = pods_of(runs)
    assert len(before) == 2
    # Another template: every pod is another one, never fewer than one of them there.
    second = stack(deployments=[deployment(server(root="/tmp"))])
    runs.create(second)
    after = pods_of(runs)
    assert len(after) == 2
    assert not {*before} & {*after}
    # More, fewer, none.
    runs.create(stack(deployments=[deployment(server(root="/tmp"), replicas=3)]))
    assert {*after} < {*pods_of(runs)}
    runs.create(stack(deployments=[deployment(server(root="/tmp"), replicas=1)]))
    assert len(pods_of(runs)) == 1
    runs.apply({"name": "shop", "state": "absent"})
    assert pods_of(runs) == []


def test_unchanged_pods_are_looked_at_once_and_never_called_ready_unseen(
    runs: StackRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = {"exec": {"command": ["test", "-e", "/tmp/up"]}, "period_seconds": 1}
    declared = stack(deployments=[deployment(container(script=f"touch /tmp/up; {SLEEP}", readiness_probe=probe))])
    runs.create(declared)
    names, asked, get = pods_of(runs), list[str](), Podman.get

    def noted(podman: Podman, path: str, *args: Any, **more: Any) -> Any:
        asked.append(path)
        return get(podman, path, *args, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Podman, "get", noted)
        assert stack_run.run_stack(declared, False)["changed"] is False
    # The lists tell of all at once, and the kernel their addresses.
    assert asked
    assert [path for path in asked if any(name in path for name in names)] == []
    runs.host.podman("exec", f"{names[0]}-main", "rm", "/tmp/up")
    with pytest.raises(RunFailed, match="nothing came about for 3 s"):
        stack_run.run_stack({**declared, "wait_timeout": 3, "on_failure": "keep"}, False)
    runs.host.podman("exec", f"{names[0]}-main", "touch", "/tmp/up")
    runs.unchanged(declared)


def test_broken_update_goes_back(runs: StackRuns) -> None:
    good = stack(deployments=[deployment(server(root="/etc"))])
    runs.create(good)
    before = runs.starts()
    broken = container(script=f"echo broken; {SLEEP}", readiness_probe={"tcp_socket": {"port": 8080}})
    with pytest.raises(RunFailed, match="made no progress for 15 s") as caught:
        runs.apply(stack(deployments=[deployment(broken, progress_deadline_seconds=15)]))
    assert caught.value.logs == "broken"
    assert caught.value.pod.startswith("web-")
    assert "Last log lines of web-" in str(caught.value)
    assert runs.starts() == before
    runs.unchanged(good)


def test_what_the_host_lacks_is_refused_beforehand(runs: StackRuns) -> None:
    lacking = container(image="localhost/test/absent:1", image_pull_policy="Never")
    before = runs.host.mutations()
    with pytest.raises(Refused, match=r"Deployment web: web-\w+-0/main: ErrImageNeverPull"):
        runs.apply(stack(deployments=[deployment(lacking)]))
    assert runs.host.mutations() == before


def test_names_that_check_mode_cannot_tell_yet_are_said(runs: StackRuns) -> None:
    variable = {"name": "WORD", "value_from": {"secret_key_ref": {"name": "words", "key": "word"}}}
    secrets = [{"name": "words", "string_data": {"word": "x"}}]
    declared = stack(deployments=[deployment(server(env=[variable]), replicas=1)], secrets=secrets)
    (warning,) = runs.predict(declared)["warnings"]
    assert "the Pods of Deployment web will be called otherwise" in warning
    assert stack_run.run_stack(declared, False)["warnings"] == []
    runs.unchanged(declared)


def test_killed_anywhere_a_rollout_goes_on_within_its_bounds(runs: StackRuns, tmp_path: Path) -> None:
    """Three pods become three others; three always answer, of four at most. Killed after each operation, or some."""

    def declared(root: str) -> Options:
        return stack(pods=[], deployments=[deployment(server(root=root), replicas=3)])

    roots = itertools.cycle(("/etc", "/"))
    stack_run.run_stack(declared(next(roots)), False)
    number, is_killed = 1, True
    while is_killed:
        wanted = declared(next(roots))
        with watched(runs.host, 8080) as served:
            is_killed = was_killed(apply_elsewhere(runs.host, tmp_path, wanted, number))
            stack_run.run_stack(wanted, False)
        assert (min(served.answering), max(served.there)) == (3, 4), f"after operation {number}"
        runs.unchanged(wanted)
        number += KILL_STEP
    assert number > 15


def test_without_room_for_more_a_rollout_stops_first(runs: StackRuns) -> None:
    def declared(root: str) -> Options:
        main = server(root=root, resources={"requests": {"memory": "64Mi"}})
        return stack(deployments=[deployment(main)], allocatable={"memory": "128Mi"})

    runs.create(declared("/etc"))
    told = runs.create(declared("/tmp"))
    assert "since this host has no room for more pods at a time" in told["actions"][1]
    assert [action.split()[1] for action in told["actions"][1:]] == ["end", "add", "end", "add"]


def test_stateful_set_keeps_its_claims(runs: StackRuns) -> None:
    keeping = container(
        script=f"echo $HOSTNAME >> /data/starts; httpd -h /data -p 8080; {SLEEP}",
        readiness_probe={"tcp_socket": {"port": 8080}, "period_seconds": 1},
        volume_mounts=[{"name": "data", "mount_path": "/data"}],
    )

    def declared(replicas: int, **fields: Any) -> Options:
        claims = {"volume_claim_templates": [{"name": "data"}]}
        return stack(stateful_sets=[deployment(keeping | fields, name="db", replicas=replicas, **claims)])

    runs.create(declared(2))
    assert pods_of(runs) == ["db-0", "db-1"]
    assert runs.volumes() == ["data-db-0", "data-db-1"]
    runs.create(declared(1))
    runs.create(declared(2, env=[{"name": "A", "value": "b"}]))
    assert runs.host.podman("exec", "db-1-main", "cat", "/data/starts") == "db-1\ndb-1\n"
    runs.apply({"name": "shop", "state": "absent"})
    assert runs.volumes() == ["data-db-0", "data-db-1"]
    # A volume that somebody else has made is no claim.
    runs.host.podman("volume", "create", "data-db-7")
    runs.apply({"name": "shop", "state": "absent", "prune_volumes": True})
    assert runs.volumes() == ["data-db-7"]
    retention = {"persistent_volume_claim_retention_policy": {"when_deleted": "Delete", "when_scaled": "Delete"}}
    fleeting = declared(1)
    fleeting["stateful_sets"][0].update(retention)
    runs.create(fleeting)
    assert runs.volumes() == ["data-db-0", "data-db-7"]
    told = runs.apply(stack(), allow_empty=True)
    assert "remove named volume data-db-0: no longer declared, and whenDeleted is Delete" in told["actions"][-1]
    assert runs.volumes() == ["data-db-7"]


def test_job_and_daemon_set(runs: StackRuns) -> None:
    work = container(script="echo $JOB_COMPLETION_INDEX; exit 0")
    template = {"containers": [work], "restart_policy": "Never"}
    job = {"name": "sum", "template": template, "completions": 3, "parallelism": 2, "completion_mode": "Indexed"}
    daemon = deployment(server(), name="node")
    del daemon["replicas"]
    runs.create(stack(jobs=[job], daemon_sets=[daemon]))
    assert len([name for name in pods_of(runs) if name.startswith("sum-")]) == 3
    failing = {**job, "template": {**template, "containers": [container(script="exit 3")]}, "backoff_limit": 0}
    with pytest.raises(RunFailed, match="Job sum: BackoffLimitExceeded"):
        runs.apply(stack(jobs=[failing], daemon_sets=[daemon]), on_failure="keep")


def test_configuration_reaches_the_pods(runs: StackRuns) -> None:
    """As files at once, in the same pods; as variables by other pods."""
    mount = {"name": "site", "mount_path": "/site"}
    main = server(
        root="/site",
        volume_mounts=[mount],
        env=[{"name": "LEVEL", "value_from": {"config_map_key_ref": {"name": "settings", "key": "level"}}}],
    )
    web = deployment(main, replicas=1)
    web["template"]["volumes"] = [{"name": "site", "config_map": {"name": "pages"}}]

    def declared(page: str, level: str) -> Options:
        maps = [{"name": "pages", "data": {"page": page}}, {"name": "settings", "data": {"level": level}}]
        return stack(deployments=[web], config_maps=maps)

    def says(*command: str) -> str:
        (name,) = pods_of(runs)
        return runs.host.podman("exec", f"{name}-main", *command)

    runs.create(declared("one", "low"))
    before = runs.starts()
    runs.create(declared("two", "low"))
    assert (says("cat", "/site/page"), runs.starts() == before) == ("two", True)
    runs.create(declared("two", "high"))
    assert says("sh", "-c", "echo $LEVEL") == "high\n"
    assert not {*before} & {*runs.starts()}


def test_a_pod_waits_for_a_workload_and_that_for_a_job(runs: StackRuns) -> None:
    once = {"name": "once", "template": {"containers": [container(script="exit 0")], "restart_policy": "Never"}}
    waits = {
        "proxy": [{"workload": "Deployment/web"}],
        "Deployment/web": [{"workload": "Job/once", "condition": "completed"}],
    }
    proxy = {"name": "proxy", "containers": [container()], "termination_grace_period_seconds": 1}
    web = deployment(server(), replicas=1)
    actions = runs.create(stack(pods=[proxy], jobs=[once], deployments=[web], depends_on=waits))["actions"]
    told = [next(n for n, action in enumerate(actions) if word in action) for word in ("once", "web", "proxy")]
    assert told == sorted(told)
    began = {name.partition("-")[0]: at for name, (_id, at) in runs.starts().items() if name.endswith("-main")}
    assert sorted(began, key=lambda name: began[name]) == ["once", "web", "proxy"]
    # It goes before what it waits for.
    (web_pod,) = (name for name in pods_of(runs) if name.startswith("web-"))
    gone = [action.split(maxsplit=1)[1] for action in runs.apply({"name": "shop", "state": "absent"})["actions"]]
    assert gone.index("remove pod proxy: state is absent") < gone.index(f"remove pod {web_pod}: state is absent")


def test_stopped_and_started_again(runs: StackRuns) -> None:
    declared = stack(deployments=[deployment(server())])
    runs.create(declared)
    before = pods_of(runs)
    runs.apply({"name": "shop", "state": "stopped"})
    assert pods_of(runs) == []
    assert not runs.apply({"name": "shop", "state": "stopped"})["changed"]
    runs.create(declared)
    assert pods_of(runs) == before


def agents_pods(agent: AgentProcess) -> list[str]:
    return sorted(agent.host.podman("pod", "ls", "--format", "{{.Name}}").split())


def run_stack(agent: AgentProcess, options: Options, **more: Any) -> Options:
    sent = {"run": "run_stack", "options": {**options, **more}, "check": False}
    result: Options = agent.client.post("/run", sent)
    return result


def test_agent_keeps_replicas(agent: AgentProcess) -> None:
    declared = stack(deployments=[deployment(server())])
    run_stack(agent, declared)
    assert run_stack(agent, declared)["actions"] == []
    first, second = agents_pods(agent)
    agent.host.podman("pod", "rm", "-f", first)
    await_true(lambda: agents_pods(agent) == [first, second] and agent.is_ready(first))
    run_stack(agent, stack(deployments=[deployment(server(root="/tmp"))]))
    assert len(agents_pods(agent)) == 2
    assert not {first, second} & {*agents_pods(agent)}
    run_stack(agent, {"name": "shop", "state": "absent"})
    assert agents_pods(agent) == []


def test_pod_that_cannot_start_yet_goes_on_by_itself(agent: AgentProcess) -> None:
    later = server(image="localhost/test/later:1")
    run_stack(agent, stack(deployments=[deployment(later, replicas=1)]), wait=False)
    await_true(lambda: len(agents_on_record(agent)) == 1)
    (name,) = agents_on_record(agent)

    def reason() -> str:
        return str(agent.container(name)["state"].get("waiting", {}).get("reason"))

    await_true(lambda: reason() in ("ErrImagePull", "ImagePullBackOff"))
    agent.host.podman("tag", BUSYBOX, "localhost/test/later:1")
    await_true(lambda: agent.is_ready(name))


def agents_on_record(agent: AgentProcess) -> list[str]:
    return [path.name for path in (agent.host.state_directory / "pods").iterdir()]


def test_a_broken_first_revision_is_corrected_in_one_run(runs: StackRuns) -> None:
    broken = container(script=SLEEP, readiness_probe={"tcp_socket": {"port": 8080}})
    with pytest.raises(RunFailed, match="timed out progressing"):
        runs.apply(stack(deployments=[deployment(broken, progress_deadline_seconds=4)]))
    runs.create(stack(deployments=[deployment(server(root="/etc"))]))
    assert len(pods_of(runs)) == 2
