# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the integration tests: one real Podman per session, emptied after every test that asks for it."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from agent_process import AgentProcess
from pod_runs import PodRuns
from podman_host import PodmanHost
from stack_runs import StackRuns

from ansible_collections.podwright.pods.plugins.module_utils._host.proxy import FOLDER, Proxy
from ansible_collections.podwright.pods.plugins.module_utils._host.service_addresses import FILE, ServiceAddresses
from playbooks import free_port

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As where a shell began these tests in the background: what they start would ignore it as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def host() -> Iterator[PodmanHost]:
    """The session's Podman; what a test makes in it stays until something cleans it."""
    private = PodmanHost()
    try:
        private.start()
        yield private
    finally:
        private.remove()


@pytest.fixture
def clean_host(host: PodmanHost) -> Iterator[PodmanHost]:
    """The session's Podman, emptied after the test (the busybox image stays)."""
    yield host
    host.clean()


@pytest.fixture
def in_host(clean_host: PodmanHost, monkeypatch: pytest.MonkeyPatch) -> PodmanHost:
    """`clean_host`, with this very process using it: for tests that call the engine without a subprocess."""
    for name in [name for name in os.environ if name.startswith("CONTAINER")]:
        monkeypatch.delenv(name)
    for name, value in clean_host.environment.items():
        monkeypatch.setenv(name, value)
    return clean_host


@pytest.fixture
def pods(in_host: PodmanHost) -> PodRuns:
    """Runs of the engine, in this process, on the session's Podman, which is emptied afterwards."""
    return PodRuns(in_host)


@pytest.fixture
def runs(in_host: PodmanHost) -> StackRuns:
    """Runs of the stack engine, in this process, on the session's Podman, which is emptied afterwards."""
    return StackRuns(in_host)


@pytest.fixture
def agent(in_host: PodmanHost) -> Iterator[AgentProcess]:
    """An agent that keeps the pods of the session's Podman, which is emptied afterwards."""
    process = AgentProcess(in_host)
    process.start()
    try:
        yield process
    finally:
        process.stop()


@contextlib.contextmanager
def with_proxy(agent: AgentProcess) -> Iterator[AgentProcess]:
    """The agent, whose proxy ends afterwards, and the addresses of its Services with it."""
    try:
        yield agent
    finally:
        agent.stop()
        Proxy(agent.host.state_directory / FOLDER).end()
        ServiceAddresses(agent.host.state_directory / FILE).settle((), None)


@pytest.fixture
def fronted(agent: AgentProcess) -> Iterator[AgentProcess]:
    """An agent that may serve Services."""
    with with_proxy(agent):
        yield agent


@pytest.fixture
def entrance(in_host: PodmanHost) -> Iterator[tuple[AgentProcess, int, int]]:
    """An agent that may serve Ingresses, and their ports for HTTP and HTTPS."""
    http, https = free_port(), free_port()
    process = AgentProcess(in_host, options=[f"--ingress-http-port={http}", f"--ingress-https-port={https}"])
    process.start()
    with with_proxy(process):
        yield process, http, https


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parents[2]
