# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of Services: which a Pod is told, what they lead to, and how they stand in its file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError
from ansible_collections.podwright.pods.plugins.module_utils._host import hosts_file
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.services.fronts import PodStanding
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.services.names import (
    Named,
    host_lines,
    named,
    with_lines,
)

WEB = {"name": "web", "selector": {"app": "web"}, "ports": [{"port": 80}]}
PEERS = {"name": "peers", "selector": {"app": "web"}, "cluster_ip": "None"}


def names_in(name: str, *services: dict[str, Any], pods: dict[str, Any] | None = None, **addresses: str) -> list[Named]:
    """What has names in a stack of pods a, b, ... that are so ready."""
    pods = pods or {"a": True}
    declared = [
        {"name": pod, "labels": {"app": "web"}, "subdomain": "peers", "containers": [{"name": "main", "image": "x"}]}
        for pod in pods
    ]
    stack = parse_options({"name": name, "pods": declared, "services": [*services]})
    standings = [
        PodStanding(pod, f"10.0.0.{number}", pods[pod.name], pods[pod.name] == "leaving")
        for number, pod in enumerate(stack.pods)
    ]
    return [*named(stack, standings, addresses)]


def lines(stack: str, *present: Named) -> list[str]:
    return [" ".join((address, *names)) for address, names in host_lines(stack, present)]


def test_a_service_of_the_own_stack_and_of_another() -> None:
    present = names_in("shop", WEB, web="10.1.0.1")
    own = "10.1.0.1 web web.default web.default.svc web.default.svc.cluster.local"
    other = "web.shop web.shop.svc web.shop.svc.cluster.local"
    assert lines("shop", *present) == [f"{own} {other}"]
    assert lines("mail", *present) == lines("", *present) == [f"10.1.0.1 {other}"]


def test_a_namespace_is_one_more() -> None:
    present = names_in("shop", {**WEB, "namespace": "prod"}, web="10.1.0.1")
    (line,) = lines("mail", *present)
    assert {"web.shop", "web.prod.svc", "web.prod.svc.cluster.local"} < {*line.split()}
    assert "web" in lines("shop", *present)[0].split()


def test_a_service_without_an_address_has_no_name_yet() -> None:
    assert names_in("shop", WEB) == []


def test_the_ready_pods_of_a_headless_service() -> None:
    pods = {"a": True, "b": False, "c": None, "d": "leaving"}
    found = lines("shop", *names_in("shop", PEERS, pods=pods))
    assert [line.split()[:2] for line in found] == [
        ["10.0.0.0", "peers"],
        ["10.0.0.0", "a.peers"],
        ["10.0.0.2", "peers"],
        ["10.0.0.2", "c.peers"],
    ]
    assert "a.peers.default.svc.cluster.local" in found[1].split()
    everybody = names_in("shop", {**PEERS, "publish_not_ready_addresses": True}, pods=pods)
    assert len(lines("shop", *everybody)) == 8


def test_a_name_that_two_stacks_have_is_the_own_one() -> None:
    both = [*names_in("mail", WEB, web="10.1.0.2"), *names_in("shop", {**WEB, "namespace": "mail"}, web="10.1.0.1")]
    leads_to = {name: line.split()[0] for line in lines("shop", *both) for name in line.split()[1:]}
    assert (leads_to["web"], leads_to["web.mail"], leads_to["web.shop"]) == ("10.1.0.1",) * 3
    leads_to = {name: line.split()[0] for line in lines("else", *both) for name in line.split()[1:]}
    assert (leads_to["web.mail"], leads_to["web.shop"]) == ("10.1.0.2", "10.1.0.1")


OWN = "127.0.0.1\tlocalhost\n10.0.0.7\tweb web-infra\n"


def test_what_others_wrote_stays_and_keeps_its_names() -> None:
    wanted = [("10.1.0.1", ("web", "web.default", "web.default.svc.cluster.local"))]
    text = with_lines(OWN, wanted)
    assert text == f"{OWN}10.1.0.1\tweb.default web.default.svc.cluster.local\n"
    assert with_lines(text, [("10.1.0.9", wanted[0][1])]) == text.replace("10.1.0.1", "10.1.0.9")
    assert with_lines(text, []) == OWN


@given(st.text(st.sampled_from("a.# \t\n10\x00é"), max_size=60))
def test_whatever_a_container_wrote(text: str) -> None:
    wanted = [("10.1.0.1", ("web.default.svc.cluster.local",))]
    once = with_lines(text, wanted)
    assert with_lines(once, wanted) == once
    assert once.endswith("10.1.0.1\tweb.default.svc.cluster.local\n")


def test_a_file_is_written_in_place_and_only_where_it_differs(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_bytes(b"\xff long enough to be cut\n")
    before = path.stat()
    with path.open("rb") as mounted:
        assert hosts_file.update(path, lambda text: text[:6])
        assert mounted.read() == b"\xff long"
    assert not hosts_file.update(path, lambda text: text)
    assert path.stat().st_ino == before.st_ino


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.symlink_to("/dev/null"), "cannot be written"),
        (os.mkfifo, "is no file"),
        (lambda path: path.write_bytes(b"x" * (1024 * 1024 + 1)), "has filled its /etc/hosts"),
    ],
    ids=["link", "fifo", "large"],
)
def test_what_is_no_file_of_podmans_is_left_alone(tmp_path: Path, spoil: Callable[[Path], object], reason: str) -> None:
    spoil(tmp_path / "hosts")
    with pytest.raises(HostError, match=reason):
        hosts_file.update(tmp_path / "hosts", lambda text: "never written")
