# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods and the agent as metrics for Prometheus, named as kube-state-metrics has them where it has one."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .._errors import HostError

if TYPE_CHECKING:
    from .agent import Agent

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")


def exposition(agent: Agent) -> bytes:
    """The metrics as Prometheus reads them. Raises HostError where prometheus_client is not installed."""
    try:
        core = importlib.import_module("prometheus_client.core")
        client = importlib.import_module("prometheus_client")
    except ImportError as error:
        raise HostError(
            "metrics need the Python package prometheus_client on the host: install python3-prometheus-client"
        ) from error
    registry = client.CollectorRegistry()
    registry.register(_Collector(agent, core))
    content: bytes = client.generate_latest(registry)
    return content


class _Collector:
    def __init__(self, agent: Agent, core: Any) -> None:
        self._agent = agent
        self._core = core

    def collect(self) -> Iterator[Any]:
        phase = self._gauge("kube_pod_status_phase", "Whether the pod is in this phase.", "pod", "phase")
        ready = self._gauge("kube_pod_status_ready", "Whether the pod is ready.", "pod")
        labels = ("pod", "container")
        container_ready = self._gauge("kube_pod_container_status_ready", "Whether the container is ready.", *labels)
        restarts = self._core.CounterMetricFamily(
            "kube_pod_container_status_restarts", "How often the container was started again.", labels=labels
        )
        for keeper in self._agent.keepers():
            status = keeper.view.status
            for name in _PHASES:
                phase.add_metric([keeper.name, name], float(status.get("phase") == name))
            conditions = {c["type"]: c["status"] for c in status.get("conditions", ())}
            ready.add_metric([keeper.name], float(conditions.get("Ready") == "True"))
            for group in ("initContainerStatuses", "containerStatuses"):
                for one in status.get(group, ()):
                    container_ready.add_metric([keeper.name, one["name"]], float(one["ready"]))
                    restarts.add_metric([keeper.name, one["name"]], one["restartCount"])
        yield from (phase, ready, container_ready, restarts)
        yield self._single("podwright_agent_threads", "Threads of the agent.", threading.active_count())
        yield self._single("podwright_agent_start_time_seconds", "When the agent started.", self._agent.started_at)
        yield self._single(
            "podwright_podman_up", "Whether Podman answers.", float(not self._agent.podman_watch.podman_error)
        )

    def _gauge(self, name: str, text: str, *labels: str) -> Any:
        return self._core.GaugeMetricFamily(name, text, labels=labels)

    def _single(self, name: str, text: str, value: float) -> Any:
        return self._core.GaugeMetricFamily(name, text, value=value)
