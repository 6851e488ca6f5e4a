# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services on real Podman: clients ask without pause while the pods behind come and go, and no request fails."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import threading
import time
from typing import Any

import pytest
from agent_process import AgentProcess
from client_load import Answers, load
from pod_runs import SLEEP, Options, await_true, container, pod, server
from stack_runs import StackRuns

from ansible_collections.podwright.pods.plugins.module_utils._errors import PodwrightError, Refused
from ansible_collections.podwright.pods.plugins.module_utils._host.proxy import FOLDER, Proxy
from playbooks import free_port

pytestmark = pytest.mark.integration

LABELS = {"app": "web"}


def stack(version: str, port: int, replicas: int = 2, main: Options | None = None, **fields: Any) -> Options:
    main = main or server(env=[{"name": "VERSION", "value": version}])
    template = {"labels": LABELS, "containers": [main], "termination_grace_period_seconds": 2}
    service = {"name": "web", "selector": LABELS, "ports": [{"port": 80, "target_port": 8080, "host_port": port}]}
    deployment = {"name": "web", "template": template, "replicas": replicas, **fields}
    return {"name": "shop", "deployments": [deployment], "services": [service]}


def run(agent: AgentProcess, options: Options) -> Options:
    result: Options = agent.client.post("/run", {"run": "run_stack", "options": options, "check": False})
    return result


def serving(agent: AgentProcess) -> list[str]:
    """The pods that take connections."""
    return [one["pod"] for one in endpoints(agent) if one["ready"]]


def test_no_request_fails_while_pods_come_and_go(fronted: AgentProcess) -> None:
    """A rollout, other numbers of pods, an update that goes back, and an agent that is killed in the middle of one."""
    port = free_port()
    run(fronted, stack("1", port))
    first = {*serving(fronted)}
    assert len(first) == 2
    with load("127.0.0.1", port) as answers:
        await_true(lambda: {*answers.texts} == first)
        run(fronted, stack("2", port))
        second = {*serving(fronted)}
        assert not first & second
        run(fronted, stack("2", port, replicas=3))
        assert second < {*serving(fronted)}
        run(fronted, stack("2", port, replicas=1))
        assert len(serving(fronted)) == 1
        broken = container(script=f"echo broken; {SLEEP}", readiness_probe={"tcp_socket": {"port": 8080}})
        with pytest.raises(PodwrightError, match="made no progress"):
            run(fronted, stack("3", port, replicas=1, main=broken, progress_deadline_seconds=4))
        killed_while_it_rolls(fronted, stack("4", port), answers)
    assert answers.failures == []
    assert answers.number > 200
    run(fronted, {"name": "shop", "state": "absent"})
    assert not Proxy(fronted.host.state_directory / FOLDER).is_there


def events_of(agent: AgentProcess, reason: str) -> list[str]:
    return [event["message"] for event in agent.events() if event["reason"] == reason]


def test_what_is_under_way_is_waited_for(fronted: AgentProcess) -> None:
    """A Pod gives its host port to a Service, and answers a request of some seconds before it ends."""
    port, slow = free_port(), "#!/bin/sh\nsleep 3\necho 'Content-Type: text/plain'\necho\necho done\n"
    script = f'mkdir -p /www/cgi-bin; printf "{slow}" > /www/cgi-bin/slow; chmod 755 /www/cgi-bin/slow; '
    main = container(
        script=f"{script}httpd -h /www -p 8080; {SLEEP}",
        ports=[{"container_port": 8080, "name": "http", "host_port": port}],
        readiness_probe={"tcp_socket": {"port": "http"}, "period_seconds": 1},
    )
    pod = {"name": "web", "labels": LABELS, "containers": [main], "termination_grace_period_seconds": 2}
    run(fronted, {"name": "shop", "pods": [pod]})
    del main["ports"][0]["host_port"]
    service = {"name": "web", "selector": LABELS, "ports": [{"port": 80, "target_port": "http", "host_port": port}]}
    result = run(fronted, {"name": "shop", "pods": [pod], "services": [service]})
    (told,) = result["stack"]["services"]
    assert told["ports"][0]["host_ports"] == [port]
    await_true(lambda: serving(fronted) == ["web"])
    # By the address of the Service, also from a pod.
    address = told["address"]
    assert ask(address, 80, "/cgi-bin/slow") == (200, "done")
    fronted.host.podman("exec", "web-main", "wget", "-q", "-O", "-", f"http://{address}/cgi-bin/slow")
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(ask("127.0.0.1", port, "/cgi-bin/slow")), daemon=True)
    asking.start()
    await_true(lambda: any(one["sessions"] for one in endpoints(fronted)))
    run(fronted, {"name": "shop", "state": "absent"})
    asking.join(10)
    assert answers == [(200, "done")]
    assert any("Pod web left: 1 session was waited for" in message for message in events_of(fronted, "Drained"))
    with pytest.raises(OSError):
        ask("127.0.0.1", port, "/")


def endpoints(agent: AgentProcess) -> list[Any]:
    return [one for service in agent.client.get("/services") for port in service["ports"] for one in port["endpoints"]]


def ask(host: str, port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, port, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode().strip()
    finally:
        connection.close()


def test_the_proxy_goes_with_the_last_stack_also_without_the_agent(fronted: AgentProcess, runs: StackRuns) -> None:
    port = free_port()
    run(fronted, stack("1", port, replicas=1))
    fronted.stop()
    with load("127.0.0.1", port) as answers:
        await_true(lambda: answers.number > 5)
    assert answers.failures == []
    runs.apply({"name": "shop", "state": "absent"})
    assert not Proxy(fronted.host.state_directory / FOLDER).is_there
    with pytest.raises(OSError):
        ask("127.0.0.1", port, "/")


def test_a_proxy_that_dies_is_there_again(fronted: AgentProcess) -> None:
    """With the endpoints that it had; what keeps it from starting is what the agent tells."""
    port = free_port()
    run(fronted, stack("1", port))
    file = fronted.host.state_directory / FOLDER / "process"
    for _attempt in range(3):
        pid = int(file.read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        await_true(lambda pid=pid: int(file.read_text().split()[0]) != pid and answers_at(port))
        with load("127.0.0.1", port) as answers:
            await_true(lambda answers=answers: {*answers.texts} == {*serving(fronted)})
        assert answers.failures == []
    assert len(serving(fronted)) == 2
    # The next agent finds it also where the last one could not write down that it had begun it.
    told = file.read_text()
    fronted.kill()
    file.unlink()
    fronted.start()
    await_true(file.exists)
    assert file.read_text() == told


def test_what_a_host_cannot_have_is_refused(fronted: AgentProcess, runs: StackRuns) -> None:
    with socket.socket() as held:
        held.bind(("", 0))
        held.listen()
        port = int(held.getsockname()[1])
        with pytest.raises(PodwrightError, match=f"port {port} of the host is already used by process"):
            run(fronted, stack("1", port))
    with pytest.raises(Refused, match="Service web: its endpoints are kept by the agent"):
        runs.apply(stack("1", port))


def answers_at(port: int) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        return ask("127.0.0.1", port, "/hostname")[0] == 200
    return False


def killed_while_it_rolls(agent: AgentProcess, wanted: Options, answers: Answers) -> None:
    before = {*serving(agent)}

    def ask() -> None:
        with pytest.raises(PodwrightError):
            run(agent, wanted)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    await_true(lambda: {*serving(agent)} != before)
    agent.kill()
    asking.join(30)
    time.sleep(1)
    agent.start()
    await_true(lambda: len(serving(agent)) == 2 and not before & {*serving(agent)})
    seen = answers.texts.copy()
    await_true(lambda: answers.seen_since(seen) == {*serving(agent)})


# --- names -----------------------------------------------------------------------------------------------------------

# The busybox of the test image is linked statically, and resolves no names.
ASKED = """
for name in NAMES; do
    address=$(awk -v name=$name '{ for (i = 2; i <= NF; i++) if ($i == name) { print $1; exit } }' /etc/hosts)
    printf '%s: ' $name
    wget -q -O - http://${address:-0.0.0.0}/hostname || echo nobody
    echo
done
"""


def answers_by_name(agent: AgentProcess, inside: str, *names: str) -> list[str]:
    """What a container gets of each name."""
    script = ASKED.replace("NAMES", " ".join(names))
    return [line for line in agent.host.podman("exec", inside, "sh", "-c", script).splitlines() if line]


def test_names_lead_to_services_and_to_single_pods(fronted: AgentProcess) -> None:
    """From the first moment of a pod, through restarts of it and of the agent, and from pods of other stacks."""
    options = stack("1", free_port(), replicas=1)
    template = {"containers": [server(port=80)], "labels": {"app": "db"}, "termination_grace_period_seconds": 2}
    options["stateful_sets"] = [{"name": "db", "service_name": "peers", "template": template, "replicas": 2}]
    options["services"].append({"name": "peers", "selector": {"app": "db"}, "cluster_ip": "None"})
    # An application that does not know its database's name when it starts does not start.
    told = container("told", "grep -w web.default.svc.cluster.local /etc/hosts")
    given = container("given", 'grep -w "$WEB_SERVICE_HOST" /etc/hosts | grep -w web && test "$WEB_SERVICE_PORT" = 80')
    reader = {"name": "reader", "containers": [container()], "init_containers": [told, given]}
    plain = {**pod(name="plain"), "enable_service_links": False, "termination_grace_period_seconds": 2}
    options["pods"] = [{**reader, "termination_grace_period_seconds": 2, "restart_policy": "Never"}, plain]
    run(fronted, options)
    assert "SERVICE_HOST" not in fronted.host.podman("exec", "plain-main", "env")
    run(fronted, {"name": "else", "pods": [pod(name="other")]})
    names = ["web", "web.default.svc.cluster.local", "web.shop", "peers", "db-0.peers", "db-1.peers.default.svc"]

    def is_known(inside: str, *wanted: str) -> None:
        await_true(lambda: all(": nobody" not in line for line in answers_by_name(fronted, inside, *wanted)))

    is_known("reader-main", *names)
    is_known("other-main", "web.shop", "db-1.peers.shop.svc.cluster.local")
    single = answers_by_name(fronted, "reader-main", "db-0.peers", "db-1.peers")
    assert single == ["db-0.peers: db-0", "db-1.peers: db-1"]
    (alone,) = answers_by_name(fronted, "other-main", "web")
    assert alone == "web: nobody"
    # A pod that is made anew has another address; what a container has broken is mended.
    fronted.host.podman("exec", "reader-main", "sh", "-c", "echo mine > /etc/hosts")
    fronted.host.podman("kill", "db-0-infra", "other-infra")
    await_true(lambda: fronted.is_ready("db-0") and fronted.is_ready("other"))
    is_known("reader-main", "web", "db-0.peers")
    is_known("other-main", "web.shop")
    assert "mine" in fronted.host.podman("exec", "reader-main", "cat", "/etc/hosts")
    fronted.kill()
    is_known("reader-main", "web")
    fronted.start()
    run(fronted, {"name": "shop", "state": "absent"})
    await_true(lambda: "cluster.local" not in fronted.host.podman("exec", "other-main", "cat", "/etc/hosts"))
