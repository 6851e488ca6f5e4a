# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the containers of a pod share: the infra container, namespaces, names, network, ports."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from pod_runs import PodRuns, await_true, container, plan, pod, server
from podman_host import BUSYBOX

pytestmark = pytest.mark.integration

TWO = (container("one"), container("two"))


def replaced(cause: str, *names: str) -> list[str]:
    """The plan of a pod that gets a new sandbox."""
    names = names or ("main",)
    return [
        *(f"stop container web/{name}: {cause}" for name in names),
        f"remove pod web: {cause}",
        f"create pod web: {cause}",
        f"start infra container of pod web: {cause}",
        *(line for name in names for line in brought_up(name, cause)),
    ]


def brought_up(name: str, cause: str) -> list[str]:
    return [f"create container web/{name}: {cause}", f"start container web/{name}: {cause}"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])


def fetch(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return str(answer.read().decode())


def test_containers_share_network_ipc_and_host_name(pods: PodRuns) -> None:
    result = pods.create(pod(*TWO))
    assert plan(result) == [
        "record pod web: it is not recorded yet",
        "create pod web: it was not there",
        "start infra container of pod web: it was not there",
        *brought_up("one", "it was not there"),
        *brought_up("two", "it was not there"),
    ]
    assert pods.names() == ["web-infra", "web-one", "web-two"]
    for kind in ("net", "ipc", "uts"):
        assert pods.namespace("web-one", kind) == pods.namespace("web-two", kind) == pods.namespace("web-infra", kind)
        assert pods.namespace("web-one", kind) != str(Path(f"/proc/self/ns/{kind}").readlink())
    for kind in ("pid", "mnt"):
        assert pods.namespace("web-one", kind) != pods.namespace("web-two", kind)
    assert pods.run_in("web-one", "hostname") == "web\n"


def test_shared_localhost(pods: PodRuns) -> None:
    pods.create(pod(server("one", 8080), server("two", 8081)), wait=True)
    assert pods.get("web-one", 8081, "/hostname") == pods.get("web-two", 8080, "/hostname") == "web"


def test_infra_name_and_command(pods: PodRuns) -> None:
    command = ["sh", "-c", "trap 'exit 0' TERM; echo holding; sleep 600 & wait"]
    options = pod(infra={"name": "holder", "image": BUSYBOX, "command": command})
    pods.create(options)
    assert pods.names() == ["holder", "web-main"]
    assert pods.host.inspect("holder")["ImageName"] == BUSYBOX
    assert pods.log("holder") == ["holding"]
    pods.change(pod(), ["record pod web: infra changed", *replaced("infra changed")])
    assert pods.names() == ["web-infra", "web-main"]
    pods.apply({"name": "web", "state": "absent"})
    assert pods.names() == []


def test_shared_process_namespace_reaps_orphans(pods: PodRuns) -> None:
    orphan = "(sh -c 'sleep 0.1' & echo $! > /tmp/orphan); trap 'exit 0' TERM; sleep 600 & wait"
    options = pod(container("main", orphan), container("other"), share_process_namespace=True)
    pods.create(options)
    assert pods.namespace("web-main", "pid") == pods.namespace("web-other", "pid") == pods.namespace("web-infra", "pid")
    assert pods.status("web-infra")["NSpid"].split()[-1] == "1"
    assert pods.status("web-main")["NSpid"].split()[-1] != "1"
    namespace = pods.root("web-main")
    number = pods.read("web-main", "/tmp/orphan").strip()
    await_true(lambda: not (namespace / "proc" / number).exists())
    pods.change(
        pod(container("main", orphan), container("other")),
        [
            "record pod web: share_process_namespace changed",
            *replaced("share_process_namespace changed", "main", "other"),
        ],
    )
    assert pods.status("web-main")["NSpid"].split()[-1] == "1"


def test_host_network(pods: PodRuns) -> None:
    port = free_port()
    pods.create(pod(server("main", port), host_network=True), wait=True)
    assert pods.namespace("web-main", "net") == str(Path("/proc/self/ns/net").readlink())
    assert fetch(port, "/hostname").strip() == socket.gethostname()
    status = pods.unchanged(pod(server("main", port), host_network=True), wait=True)["pod"]["status"]
    assert status["podIP"] == status["hostIP"]
    changed = pods.apply(pod(server("main", port)), wait=True)
    assert plan(changed)[1] == "stop container web/main: host_network changed"
    assert pods.namespace("web-main", "net") != str(Path("/proc/self/ns/net").readlink())


def test_host_pid_and_ipc(pods: PodRuns) -> None:
    pods.create(pod(host_pid=True, host_ipc=True))
    assert pods.namespace("web-main", "pid") == str(Path("/proc/self/ns/pid").readlink())
    assert pods.namespace("web-main", "ipc") == str(Path("/proc/self/ns/ipc").readlink())
    assert pods.namespace("web-main", "net") != str(Path("/proc/self/ns/net").readlink())
    pods.change(pod(), ["record pod web: host_ipc, host_pid changed", *replaced("host_ipc, host_pid changed")])
    assert pods.namespace("web-main", "pid") != str(Path("/proc/self/ns/pid").readlink())


def test_names_and_resolver(pods: PodRuns) -> None:
    options = pod(
        hostname="front",
        host_aliases=[{"ip": "192.0.2.7", "hostnames": ["backend", "backend.example"]}],
        dns_policy="None",
        dns_config={
            "nameservers": ["192.0.2.53"],
            "searches": ["example.org"],
            "options": [{"name": "ndots", "value": "3"}, {"name": "rotate"}],
        },
    )
    pods.create(options)
    assert pods.run_in("web-main", "hostname") == "front\n"
    hosts = [line.split() for line in pods.read("web-main", "/etc/hosts").splitlines()]
    assert ["192.0.2.7", "backend"] in hosts
    assert ["192.0.2.7", "backend.example"] in hosts
    assert any("front" in line for line in hosts)
    resolver = pods.read("web-main", "/etc/resolv.conf").splitlines()
    assert "nameserver 192.0.2.53" in resolver
    assert [line for line in resolver if line.startswith("nameserver")] == ["nameserver 192.0.2.53"]
    assert "search example.org" in resolver
    assert "options ndots:3 rotate" in resolver
    options["host_aliases"][0]["ip"] = "192.0.2.8"
    pods.change(options, ["record pod web: host_aliases changed", *replaced("host_aliases changed")])
    assert ["192.0.2.8", "backend"] in [line.split() for line in pods.read("web-main", "/etc/hosts").splitlines()]


def test_search_domain_keeps_the_hosts_resolvers(pods: PodRuns) -> None:
    pods.create(pod(dns_config={"searches": ["example.org"]}))
    resolver = pods.read("web-main", "/etc/resolv.conf").splitlines()
    assert "search example.org" in resolver
    assert any(line.startswith("nameserver") for line in resolver)


def test_sysctls(pods: PodRuns) -> None:
    name = "net.ipv4.ip_unprivileged_port_start"
    options = pod(security_context={"sysctls": [{"name": name, "value": "80"}]})
    pods.create(options)
    read = ("cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start")
    assert pods.run_in("web-main", *read) == "80\n"
    options["security_context"]["sysctls"][0]["value"] = "443"
    pods.change(options, ["record pod web: security_context changed", *replaced("sysctls changed")])
    assert pods.run_in("web-main", *read) == "443\n"


def test_networks(pods: PodRuns) -> None:
    pods.host.podman("network", "create", "--disable-dns", "backstage")
    pods.create(pod(networks=["podman", "backstage"]))
    assert set(pods.host.inspect("web-infra")["NetworkSettings"]["Networks"]) == {"podman", "backstage"}
    addresses = pods.run_in("web-main", "ip", "-4", "-o", "address")
    assert addresses.count("scope global") == 2
    pods.change(pod(), ["record pod web: networks changed", *replaced("networks changed")])
    assert pods.run_in("web-main", "ip", "-4", "-o", "address").count("scope global") == 1
    pods.create(pod(networks=["backstage"]))
    assert list(pods.host.inspect("web-infra")["NetworkSettings"]["Networks"]) == ["backstage"]


def test_ports(pods: PodRuns) -> None:
    first, second = free_port(), free_port()
    ports = [{"name": "http", "container_port": 8080, "host_port": first, "host_ip": "127.0.0.1"}]
    result = pods.create(pod(server(ports=ports)), wait=True)
    assert fetch(first, "/hostname") == "web"
    assert result["pod"]["spec"]["containers"][0]["ports"] == [
        {"name": "http", "containerPort": 8080, "hostPort": first, "hostIP": "127.0.0.1"}
    ]
    moved = [{**ports[0], "host_port": second}]
    pods.change(
        pod(server(ports=moved)), ["record pod web: containers changed", *replaced("host ports changed")], wait=True
    )
    assert fetch(second, "/hostname") == "web"
    with pytest.raises(OSError, match="refused"):
        fetch(first, "/hostname")
    # A port that is not published is a word of documentation.
    before = pods.identity("web-main")
    named = [*moved, {"name": "metrics", "container_port": 9100}]
    pods.change(pod(server(ports=named)), ["record pod web: containers changed"], wait=True)
    assert pods.identity("web-main") == before


UDP_ECHO = """
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("", 5353))
print("bound", flush=True)
data, sender = server.recvfrom(100)
server.sendto(data, sender)
"""


def test_udp_port(pods: PodRuns) -> None:
    port = free_port()
    pods.create(pod(container(ports=[{"container_port": 5353, "host_port": port, "protocol": "UDP"}])))
    command = ["nsenter", "-t", str(pods.pid("web-main")), "-n", sys.executable, "-c", UDP_ECHO]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as echo, socket.socket(type=socket.SOCK_DGRAM) as client:
        assert echo.stdout is not None
        assert echo.stdout.readline() == b"bound\n"
        client.settimeout(5)
        client.connect(("127.0.0.1", port))
        client.send(b"hello")
        assert client.recv(100) == b"hello"
