# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host refuses before anything is touched, what a run says when it fails, and where it then leaves the pod."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pod_runs import SLEEP, Options, PodRuns, container, plan, pod, server
from podman_host import BUSYBOX

from ansible_collections.podwright.pods.plugins.module_utils._errors import Busy, HostError, InvalidInput, Refused
from ansible_collections.podwright.pods.plugins.module_utils._host.state.records import RECORD_VERSION
from ansible_collections.podwright.pods.plugins.module_utils._runs import pod_run

pytestmark = pytest.mark.integration

ABSENT_IMAGE = "localhost/test/absent:1"


def publishing(port: int, host_ip: str | None = None, **fields: Any) -> Options:
    port_of_ours = {"container_port": 8080, "host_port": port, **({"host_ip": host_ip} if host_ip else {})}
    return container(ports=[port_of_ours], **fields)


# --- refused, with nothing touched -----------------------------------------------------------------------------------


def test_invalid_input_names_every_fault(pods: PodRuns) -> None:
    main = container(resources={"limits": {"memory": "12Q"}}, volume_mounts=[{"name": "none", "mount_path": "/x"}])
    text = pods.refuse(pod(main, restart_policy="Sometimes"), InvalidInput)
    assert "containers[0].resources.limits.memory" in text
    assert "restart_policy" in text
    assert pods.host.mutations() == pods.host.mutations()


def test_names_of_others(pods: PodRuns) -> None:
    run = ("run", "-d", "--stop-timeout", "0")
    pods.host.podman("pod", "create", "--name", "web")
    pods.host.podman(*run, "--pod", "web", "--name", "theirs", BUSYBOX, "sleep", "600")
    foreign = "a pod called web exists and was not made by podwright.pods; remove it or choose another name"
    assert pods.refuse(pod(), Refused).startswith(f"name: {foreign}")
    for state in ("stopped", "absent"):
        text = pods.refuse({"name": "web", "state": state}, Refused)
        assert text == "name: pod web was not made by podwright.pods, so it is left alone"
    assert pods.state("theirs") == "running"
    pods.host.podman(*run, "--name", "shop-main", BUSYBOX, "sleep", "600")
    text = pods.refuse(pod(name="shop"), Refused)
    assert text == (
        "containers[0].name: the name shop-main is taken by container shop-main in Podman, where pods and containers "
        "share their names; remove or rename one of them"
    )
    pods.host.podman(*run, "--name", "shop-infra", BUSYBOX, "sleep", "600")
    assert "name: the name shop-infra is taken by container shop-infra" in pods.refuse(pod(name="shop"), Refused)


def test_stranger_in_the_pod_is_left_alone(pods: PodRuns) -> None:
    options = pod()
    pods.create(options)
    pods.host.podman("run", "-d", "--stop-timeout", "0", "--pod", "web", "--name", "guest", BUSYBOX, "sleep", "600")
    guest = pods.identity("guest")
    told = "pod web: stranger: container guest in the pod was not made by podwright.pods and is left alone"
    assert told in pods.unchanged(options)["warnings"]
    options["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    pods.apply(options)
    assert pods.identity("guest") == guest
    in_the_way = (
        "name: the pod has to be removed, but container guest in it was not made by podwright.pods; "
        "remove that one first"
    )
    assert pods.refuse({**options, "hostname": "other"}, Refused) == in_the_way
    assert pods.refuse({"name": "web", "state": "absent"}, Refused) == in_the_way
    stopped = pods.apply({"name": "web", "state": "stopped"})
    assert plan(stopped)[1:] == ["stop container web/main: state is stopped"]
    assert pods.identity("guest") == guest
    pods.host.podman("rm", "-f", "-t", "0", "guest")
    pods.apply({"name": "web", "state": "absent"})


def test_port_that_a_process_holds(pods: PodRuns) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        name = Path(f"/proc/{os.getpid()}/comm").read_text().strip()
        text = pods.refuse(pod(publishing(port)), Refused)
        assert text == (
            f"containers[0].ports[0].host_port: host port {port}/tcp is taken by process {os.getpid()} ({name}); "
            "stop that, or choose another host_port"
        )
        # On another address it is free.
        pods.create(pod(publishing(port, "127.0.0.2")))
    pods.create(pod(publishing(port)))


def test_port_that_a_pod_holds(pods: PodRuns) -> None:
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    pods.create(pod(publishing(port), name="first"))
    text = pods.refuse(pod(publishing(port), name="second"), Refused)
    assert text.startswith(f"containers[0].ports[0].host_port: host port {port}/tcp is taken by pod first; ")
    # An update of a pod that runs is refused before what runs is touched.
    pods.create(pod(name="second"))
    before = pods.identity("second-main")
    pods.refuse(pod(publishing(port), name="second"), Refused)
    assert pods.identity("second-main") == before
    # Its own port is no obstacle to a new sandbox.
    pods.apply(pod(publishing(port), name="first", hostname="other"))


def test_missing_image_that_may_not_be_pulled(pods: PodRuns) -> None:
    main = container(image=ABSENT_IMAGE, image_pull_policy="Never")
    text = pods.refuse(pod(main), Refused)
    assert text == (
        f"web/main: ErrImageNeverPull: image {ABSENT_IMAGE} is not on this host and its pull policy is Never; "
        "load it with the image module, or change the pull policy"
    )


def test_record_of_a_newer_release(pods: PodRuns) -> None:
    pods.create(pod())
    path = pods.host.state_directory / "pods" / "web" / "record.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "version": record["version"] + 1}))
    for options in (pod(), {"name": "web", "state": "stopped"}):
        text = pods.refuse(options, HostError)
        assert f"{path} was written by a newer podwright.pods" in text
        assert "update the collection on the control node" in text
    path.write_text("{")
    text = pods.refuse(pod(), HostError)
    assert f"{path} is damaged" in text
    assert "move it away: the next run then records the pod again" in text
    path.unlink()
    result = pods.apply(pod())
    assert plan(result) == ["record pod web: it is not recorded yet"]


def test_record_of_an_older_release(pods: PodRuns) -> None:
    """The first version did not say since when the pod is to run."""
    pods.create(pod())
    path = pods.host.state_directory / "pods" / "web" / "record.json"
    record = json.loads(path.read_text())
    del record["begun_at"]
    path.write_text(json.dumps({**record, "version": 1}))
    pods.unchanged(pod())
    pods.apply(pod(active_deadline_seconds=600))
    assert json.loads(path.read_text())["version"] == record["version"] == RECORD_VERSION


# --- deadlines -------------------------------------------------------------------------------------------------------


def test_a_pod_past_its_deadline_is_ended_by_the_next_run(pods: PodRuns) -> None:
    """Where no agent keeps it. It stays failed until something in its declaration changes."""
    options = pod(active_deadline_seconds=5)
    warnings = pods.create(options)["warnings"]
    assert any("active-deadline: nothing ends the pod" in warning for warning in warnings)
    time.sleep(5.5)
    ended = "it was active for longer than its deadline"
    result = pods.change(options, [f"stop container web/main: {ended}", f"stop container web/infra: {ended}"])
    status = result["pod"]["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
    error = pods.fail(options, wait=True)
    assert (error.reason, error.actions) == ("DeadlineExceeded", [])
    assert "web: DeadlineExceeded: Pod was active on the node longer than the specified deadline" in str(error)
    assert "Nothing was changed" in str(error)
    assert pods.state("web-main") == "exited"
    begun = pods.apply(pod(active_deadline_seconds=600), wait=True)
    assert plan(begun)[0] == "record pod web: active_deadline_seconds changed"
    assert (begun["pod"]["status"]["phase"], "reason" in begun["pod"]["status"]) == ("Running", False)
    pods.unchanged(pod(active_deadline_seconds=600))


# --- two runs at once ------------------------------------------------------------------------------------------------


def test_second_run_waits_for_the_first(pods: PodRuns) -> None:
    options = {**pod(container("main", SLEEP, lifecycle={"post_start": {"sleep": {"seconds": 1}}})), "wait": False}
    results: list[Any] = []
    first = threading.Thread(target=lambda: results.append(pod_run.run_pod(options, False)))
    first.start()
    time.sleep(0.3)
    second = pod_run.run_pod(options, False)
    first.join()
    assert results[0]["changed"]
    assert not second["changed"]


def test_run_that_waits_too_long_says_for_whom(pods: PodRuns) -> None:
    options = {**pod(container("main", SLEEP, lifecycle={"post_start": {"sleep": {"seconds": 2}}})), "wait": False}
    first = threading.Thread(target=pod_run.run_pod, args=(options, False))
    first.start()
    time.sleep(0.3)
    with pytest.raises(Busy) as caught:
        pod_run.run_pod({**options, "wait_timeout": 1}, False)
    first.join()
    assert str(caught.value) == (
        f"another run is changing pod web (process {os.getpid()}) and did not finish within 1 s; "
        "wait for it, or raise wait_timeout"
    )
    # Check mode takes no lock, and another pod has its own.
    assert not pod_run.run_pod(options, True)["changed"]


# --- failures --------------------------------------------------------------------------------------------------------


def test_image_that_cannot_be_pulled(pods: PodRuns) -> None:
    missing = "127.0.0.1:1/test/app:1"
    failure = pods.fail(pod(container(image=missing)), wait=True)
    text = str(failure)
    assert text.startswith(f"#1 pull image {missing} failed: ErrImagePull: {missing} could not be pulled: ")
    assert "connection refused" in text
    assert "To mend it, check the registry's name and port, and that this host reaches it" in text
    assert "Load the image with podwright.pods.image, or correct its name." in text
    assert "Done before: nothing." in text
    assert pods.names() == []
    # An update is not begun either.
    pods.create(pod())
    before = pods.identity("web-main")
    pods.fail(pod(container(image=missing)), wait=True)
    assert pods.identity("web-main") == before
    pods.unchanged(pod())


def test_command_that_is_not_there(pods: PodRuns) -> None:
    failure = pods.fail(pod(container(command=["/absent/program"])), wait=True)
    assert (failure.pod, failure.container, failure.reason) == ("web", "main", "RunContainerError")
    text = str(failure)
    assert text.startswith("#5 start container web/main failed: web/main: RunContainerError: ")
    assert "/absent/program" in text
    assert "Check command and args: the program must exist in the image and be executable." in text
    assert "Done before: record pod web: it is not recorded yet; create pod web: it was not there; " in text
    assert "It is left as it is: no earlier state was ready, so there is nothing to go back to." in text
    # The next run makes it anew.
    result = pods.apply(pod(), wait=True)
    assert plan(result)[-1].startswith("start container web/main: ")
    pods.unchanged(pod(), wait=True)


def test_command_that_fails(pods: PodRuns) -> None:
    failure = pods.fail(pod(container(script="echo no such table; exit 8"), restart_policy="Never"), wait=True)
    text = str(failure)
    assert "web/main: Error: exited with code 8" in text
    assert "Last log lines of web/main:\n    no such table" in text
    # Under Always it is started again and again, which takes its time to be sure of.
    failure = pods.fail(pod(container(script="echo no such table; exit 8"), name="loop"), wait=True, wait_timeout=2)
    text = str(failure)
    assert "loop/main: ContainersNotReady: containers with unready status: [main]; " in text
    assert "    no such table" in text


def test_last_log_lines_are_the_last(pods: PodRuns) -> None:
    script = "seq 1 100; echo problem >&2; exit 1"
    failure = pods.fail(pod(container(script=script), restart_policy="Never"), wait=True)
    lines = failure.logs.splitlines()
    assert lines[-1] == "problem"
    assert lines[-2] == "100"
    assert len(lines) == 20


# --- going back ------------------------------------------------------------------------------------------------------


def serving(root: str = "/etc", **fields: Any) -> Options:
    return pod(server(root=root), **fields)


BROKEN = container(script=f"echo broken; {SLEEP}", readiness_probe={"tcp_socket": {"port": 8080}, "period_seconds": 1})


def test_update_that_does_not_become_ready_is_taken_back(pods: PodRuns) -> None:
    pods.create(serving(), wait=True)
    failure = pods.fail(pod(BROKEN), wait=True, wait_timeout=2)
    text = str(failure)
    assert "web/main: ContainersNotReady" in text
    assert "Last log lines of web/main:\n    broken" in text
    assert "Rolled back to the state before, which is ready again (" in text
    assert "create container web/main: command changed" in text
    assert pods.get("web-main", 8080, "/hostname") == "web"
    pods.unchanged(serving(), wait=True)


def test_new_sandbox_that_does_not_become_ready_is_taken_back(pods: PodRuns) -> None:
    claim = {"volumes": [{"name": "data", "persistent_volume_claim": {"claim_name": "data"}}]}
    mount = {"volume_mounts": [{"name": "data", "mount_path": "/data"}]}
    old = pod(server(root="/data", **mount), **claim)
    pods.create(old, wait=True)
    (pods.root("web-main") / "data" / "row").write_text("kept")
    failure = pods.fail(pod({**BROKEN, **mount}, hostname="other", **claim), wait=True, wait_timeout=2)
    assert "Rolled back to the state before, which is ready again (" in str(failure)
    assert pods.get("web-main", 8080, "/row") == "kept"
    assert pods.run_in("web-main", "hostname") == "web\n"
    pods.unchanged(old, wait=True)


def test_update_that_cannot_start_is_taken_back(pods: PodRuns) -> None:
    pods.create(serving(), wait=True)
    failure = pods.fail(pod(container(command=["/absent"])), wait=True)
    assert failure.reason == "RunContainerError"
    assert "Rolled back to the state before, which is ready again (" in str(failure)
    assert pods.get("web-main", 8080, "/hostname") == "web"
    pods.unchanged(serving(), wait=True)


def test_files_are_taken_back_as_well(pods: PodRuns) -> None:
    def options(content: str, main: Options) -> Options:
        main = {**main, "volume_mounts": [{"name": "site", "mount_path": "/site"}]}
        config = [{"name": "site", "data": {"page": content}}]
        return pod(main, volumes=[{"name": "site", "config_map": {"name": "site"}}], config_maps=config)

    pods.create(options("old", server(root="/site")), wait=True)
    pods.fail(options("new", BROKEN), wait=True, wait_timeout=2)
    assert pods.get("web-main", 8080, "/page") == "old"


def test_image_that_broke_under_its_name_is_taken_back(pods: PodRuns, tmp_path: Path) -> None:
    """The old image has no name any more, and serves by its id."""

    def build(script: str) -> None:
        (tmp_path / "Containerfile").write_text(f'FROM {BUSYBOX}\nCMD ["sh", "-c", "{script}"]\n')
        pods.host.podman("build", "-q", "-t", "localhost/test/app:1", str(tmp_path))

    main = server(image="localhost/test/app:1", command=[])
    build(f"httpd -h /etc -p 8080; {SLEEP}")
    pods.create(pod(main), wait=True)
    image = pods.host.inspect("web-main")["Image"]
    build(f"echo broken; {SLEEP}")
    failure = pods.fail(pod(main), wait=True, wait_timeout=2)
    assert "Rolled back to the state before, which is ready again (" in str(failure)
    assert pods.host.inspect("web-main")["Image"] == image
    assert pods.get("web-main", 8080, "/hostname") == "web"
    # The name still stands for the broken one, so the next run tries that again; mended, it comes up.
    build(f"httpd -h /etc -p 8080; echo mended; {SLEEP}")
    result = pods.apply(pod(main), wait=True)
    assert "create container web/main: localhost/test/app:1 is another image now" in plan(result)
    pods.unchanged(pod(main), wait=True)


def test_failure_is_kept_where_that_is_asked_for(pods: PodRuns) -> None:
    # Longer than the failing runs below wait: a rollback has a time of its own.
    slow = pod(server() | {"command": ["sh", "-c", f"sleep 3; httpd -h /etc -p 8080; {SLEEP}"]})
    pods.create(slow, wait=True)
    failure = pods.fail(pod(BROKEN), wait=True, wait_timeout=2, on_failure="keep")
    assert "It is left as it is (on_failure is keep)." in str(failure)
    pods.await_log("web-main", "broken")
    # A later failing run still goes back to what was ready, not to what was left.
    other = {**BROKEN, "env": [{"name": "A", "value": "b"}]}
    failure = pods.fail(pod(other), wait=True, wait_timeout=2)
    assert "Rolled back to the state before, which is ready again (" in str(failure)
    assert pods.get("web-main", 8080, "/hostname") == "web"
    pods.unchanged(slow, wait=True)


def test_first_deployment_that_fails_is_left_to_look_at(pods: PodRuns) -> None:
    failure = pods.fail(pod(BROKEN), wait=True, wait_timeout=1)
    assert "It is left as it is: no earlier state was ready, so there is nothing to go back to." in str(failure)
    assert pods.state("web-main") == "running"
    result = pods.apply(serving(), wait=True)
    assert result["changed"]
    pods.unchanged(serving(), wait=True)


def test_failure_shows_no_secret(pods: PodRuns) -> None:
    value = "s3cret-" + os.urandom(8).hex()
    secret = {"secrets": [{"name": "login", "string_data": {"password": value}}]}
    env = [{"name": "PASSWORD", "value_from": {"secret_key_ref": {"name": "login", "key": "password"}}}]
    main = container(env=env, readiness_probe={"exec": {"command": ["sh", "-c", "exit 1"]}})
    failure = pods.fail(pod(main, **secret), wait=True, wait_timeout=1)
    assert value not in str(failure)
    assert value not in "".join(failure.actions)
    assert value in failure.secrets


def test_command_that_is_not_there_and_secret_variables(pods: PodRuns) -> None:
    """The program is looked for in the container then, so its log tells."""
    env = [{"name": "PASSWORD", "value_from": {"secret_key_ref": {"name": "login", "key": "password"}}}]
    secret = {"secrets": [{"name": "login", "string_data": {"password": "unused-here"}}]}
    for command in ("/absent/program", "absent-program"):
        failure = pods.fail(pod(container(env=env, command=[command]), restart_policy="Never", **secret), wait=True)
        assert "web/main: Error: exited with code 127" in str(failure)
        assert f"{command}: not found" in failure.logs
