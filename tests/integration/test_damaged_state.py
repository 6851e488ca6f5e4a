# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every file that real pods and a stack leave below the state directory, damaged, with the agent at work on it."""

from __future__ import annotations

import itertools
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from agent_process import AgentProcess
from damages import DAMAGES
from pod_runs import Options, await_true, container, pod
from test_agent import await_new_run, run_of

from ansible_collections.podwright.pods.plugins.module_utils._agent import client as agent_client

pytestmark = pytest.mark.integration

IS_FULL = bool(os.environ.get("PODWRIGHT_TEST_FULL"))
PASSWORD = {"name": "P", "value_from": {"secret_key_ref": {"name": "login", "key": "password"}}}
SECRETS = [{"name": "login", "generate": {"password": 24}}]
LASTING = ("record.json", "1.json", "shop.json", "lone.json", "stack@shop.json")
"""What is not made anew by itself, and is told of."""


def declared(name: str, **fields: Any) -> Options:
    """A pod with a file of every kind."""
    main = container(
        env=[PASSWORD],
        volume_mounts=[{"name": "map", "mount_path": "/map"}],
        lifecycle={"post_start": {"exec": {"command": ["true"]}}},
    )
    volumes = [{"name": "map", "config_map": {"name": "words"}}]
    return pod(main, name=name, volumes=volumes, termination_grace_period_seconds=0, **fields)


SHARED = {"secrets": SECRETS, "config_maps": [{"name": "words", "data": {"page": "words"}}]}
LONE = declared("lone", **SHARED)
SHOP: Options = {"name": "shop", "pods": [declared("db"), declared("web")], **SHARED}
PODS = ("db", "lone", "web")


def files_of(directory: Path) -> list[Path]:
    """All but what the agent holds open, and what are a volume's own files."""
    found = (path for path in sorted(directory.rglob("*")) if path.is_file() and not path.is_symlink())
    return [path for path in found if "files" not in path.parts and path.name not in ("agent.log", "agent.lock")]


def list_pods(agent: AgentProcess) -> dict[str, dict[str, Any]]:
    return {item["metadata"]["name"]: item["status"] for item in agent.client.get("/pods", kept=True)}


def test_each_damaged_file_concerns_its_own_object_alone(agent: AgentProcess) -> None:
    state, pid = agent.host.state_directory, agent.pid
    agent.apply(LONE)
    agent.apply(SHOP)
    before = {name: run_of(agent.host, f"{name}-main") for name in PODS}
    files = files_of(state)
    assert {path.name for path in files} >= {"key", "key.copy", "post-started", "status.json", "map", *LASTING[:2]}
    ways = itertools.cycle(DAMAGES)
    for path in files:
        for way in DAMAGES if IS_FULL else [next(ways)]:
            if path.is_file():
                check(agent, path, way)
            after = {name: run_of(agent.host, f"{name}-main") for name in PODS}
            # What a container is started with, and whether its hook has run, is its own: it is made anew.
            is_own = path.parent.name == "environment" or path.name == "post-started"
            assert after == before or is_own, f"{path} {way}"
            before = after
    assert agent.pid == pid
    for name in PODS:
        agent.await_ready(name)
    assert not agent.apply(LONE)["changed"]
    assert not agent.apply(SHOP)["changed"]


def check(agent: AgentProcess, path: Path, way: str) -> None:
    """Damage a file, look at all, and put back what is not made anew by itself."""
    is_lasting = path.name in LASTING
    whole = path.read_bytes()
    about = f"{path} {way}"
    DAMAGES[way](path)
    try:
        listed = list_pods(agent)
        assert set(listed) == set(PODS), about
        told = {item["metadata"]["name"]: item["status"] for item in agent.client.get("/pods")}
        assert set(told) == set(PODS), about
        of_pod = path.parent.name if is_lasting and "pods" in path.parts else ""
        for name, status in told.items():
            assert status["phase"] == ("Unknown" if name == of_pod else "Running"), about
        if of_pod:
            assert listed[of_pod]["reason"] == told[of_pod]["reason"] == "DamagedState", about
            assert f"{path} is damaged" in listed[of_pod]["message"], about
        run_others(agent, path, about, is_lasting)
    finally:
        # Of the two copies of the key one has to be there until the next run that changes something.
        if is_lasting or path.name in ("key", "key.copy"):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            path.write_bytes(whole)


def run_others(agent: AgentProcess, path: Path, about: str, is_lasting: bool) -> None:
    """What is made anew is so by the next run; what is not lets the runs of others do nothing, and its own fail."""
    if not is_lasting:
        agent.apply(LONE)
        agent.apply(SHOP)
        return
    is_of_stack = any(name in str(path) for name in ("/stacks/", "stack@", "/db/", "/web/"))
    own, other = (SHOP, LONE) if is_of_stack else (LONE, SHOP)
    assert agent.apply(other)["actions"] == [], about
    with pytest.raises(agent_client.RemoteFailure, match="is damaged") as caught:
        agent.apply(own)
    assert str(path) in str(caught.value), about


def test_others_are_started_again_and_the_damaged_one_can_be_removed_or_mended(agent: AgentProcess) -> None:
    state = agent.host.state_directory
    agent.apply(LONE)
    agent.apply(SHOP)
    for record in (state / "pods/lone/record.json", state / "stacks/shop/record.json"):
        DAMAGES["folder"](record)
    before = run_of(agent.host, "web-main")
    os.kill(agent.host.inspect("web-main")["State"]["Pid"], 9)
    await_new_run(agent.host, "web-main", before, 30)
    assert agent.apply({"name": "lone", "state": "absent"})["changed"]
    assert not (state / "pods/lone").exists()
    (stack,) = agent.client.post("/run", {"run": "run_stack_info", "options": {}})["stacks"]
    assert "stacks/shop/record.json is damaged" in stack["damage"]
    assert sorted(item["metadata"]["name"] for item in stack["pods"]) == ["db", "web"]
    mended = agent.client.post("/run", {"run": "run_repair", "options": {"name": "shop"}})
    assert (mended["changed"], mended["advice"]) == (True, [])
    assert not agent.apply(SHOP)["changed"]
    DAMAGES["folder"](state / "stacks/shop/record.json")
    assert agent.apply({"name": "shop", "depends_on": {}, "state": "absent"})["changed"]
    assert not agent.host.containers()
    assert not (state / "stacks/shop").exists()
    await_true(lambda: list_pods(agent) == {})
    assert {path.name for path in (state / "locks").iterdir()} == set()
