"""What is said when a pod is applied of what it declares and this host does not keep."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from host_model import NODE, Host, context_of

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.observed import Observed
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.unkept import warnings

GRPC = s.Probe(grpc=s.GrpcAction(9000))
NO_H2 = replace(NODE, can_probe_grpc=False, has_agent=True)


def declared(**probes: s.Probe) -> s.PodSpec:
    fields: Any = probes
    return s.PodSpec("shop", (s.Container("web", "web:1", **fields),))


@pytest.mark.parametrize("kind", ["startup", "liveness", "readiness"])
def test_grpc_probes_that_cannot_be_made(kind: str) -> None:
    pod = declared(**{f"{kind}_probe": GRPC})
    (said,) = warnings(context_of(pod, NO_H2), Observed(), Host().plan(pod))
    assert said.startswith(f"pod shop: grpc: the grpc probes of web ({kind}) cannot be made, ")
    assert "install python3-h2" in said


def test_grpc_probes_that_can_be_made() -> None:
    pod = declared(liveness_probe=GRPC)
    assert warnings(context_of(pod, replace(NO_H2, can_probe_grpc=True)), Observed(), Host().plan(pod)) == ()
    tcp = declared(liveness_probe=s.Probe(tcp_socket=s.TcpSocketAction(9000)))
    assert warnings(context_of(tcp, NO_H2), Observed(), Host().plan(tcp)) == ()
