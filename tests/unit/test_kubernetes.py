# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks as Kubernetes documents: what they look like, that a cluster's schema takes them, and that nothing is lost."""

from __future__ import annotations

import contextlib
import copy
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from ansible.errors import AnsibleFilterError
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from playbook_runs import Playbook
from pods import maybe, pod_specs, qualified_words, texts, tuples_of
from workload_declarations import workloads

from ansible_collections.podwright.pods.plugins.filter.to_kubernetes import FilterModule
from ansible_collections.podwright.pods.plugins.module_utils._declaration import manifest
from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.document_parts import claim_name
from ansible_collections.podwright.pods.plugins.module_utils._declaration.fields.checks import object_name
from ansible_collections.podwright.pods.plugins.module_utils._declaration.ingresses.spec import (
    BackendPort,
    HttpPath,
    HttpRules,
    Ingress,
    IngressBackend,
    IngressService,
    Rule,
)
from ansible_collections.podwright.pods.plugins.module_utils._declaration.kubernetes import stack_of, to_documents
from ansible_collections.podwright.pods.plugins.module_utils._declaration.quantity import Quantity
from ansible_collections.podwright.pods.plugins.module_utils._declaration.services.spec import Service, ServicePort
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack import spec as stack_spec
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.options import to_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import Dependency, StackSpec
from ansible_collections.podwright.pods.plugins.module_utils._declaration.volume_spec import NamedVolume
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.fields import OPTIONS
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.spec import template_of
from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput

KUBERNETES = "1.32"
to_kubernetes = FilterModule().filters()["to_kubernetes"]
WEB: dict[str, Any] = {"name": "web", "containers": [{"name": "a", "image": "x"}]}
SHOP: dict[str, Any] = {
    "name": "shop",
    "pods": [
        {
            "name": "db",
            "containers": [
                {
                    "name": "mariadb",
                    "image": "docker.io/library/mariadb:11.8",
                    "env_from": [{"secret_ref": {"name": "database"}}],
                    "volume_mounts": [{"name": "data", "mount_path": "/var/lib/mysql"}],
                    "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}},
                }
            ],
            "volumes": [{"name": "data", "persistent_volume_claim": {"claim_name": "shop-data"}}],
            "networks": ["shop"],
            "infra": {"name": "db-pause"},
        },
        {
            "name": "web",
            "annotations": {"note": "ours"},
            "init_containers": [{"name": "proxy", "image": "x", "restart_policy": "Always"}],
            "containers": [
                {
                    "name": "app",
                    "image": "x",
                    "resize_policy": [{"resource_name": "cpu"}],
                    "readiness_probe": {"http_get": {"port": 80, "http_headers": [{"name": "X-Probe"}]}},
                }
            ],
            "volumes": [
                {"name": "conf", "config_map": {"name": "settings", "default_mode": "0440"}},
                {"name": "cache", "persistent_volume_claim": {"claim_name": "Web_Cache"}},
            ],
            "termination_grace_period_seconds": "45",
            "networks": ["shop", "edge"],
        },
    ],
    "depends_on": {"web": [{"pod": "db"}]},
    "config_maps": [{"name": "settings", "data": {"CURRENCY": "EUR"}, "binary_data": {"logo": "AAEC"}}],
    "secrets": [{"name": "database", "string_data": {"USER": "shop"}, "generate": {"PASSWORD": 24}}],
    "volumes": [
        {"name": "shop-data", "size": "5368709120"},
        {"name": "backup", "driver": "local", "options": {"type": "nfs", "o": "addr=10.0.0.5"}},
    ],
    "networks": [{"name": "shop", "internal": True}, {"name": "edge", "subnet": "10.89.7.0/24"}],
}
SHOP_DOCUMENTS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {CURRENCY: EUR}
binaryData: {logo: AAEC}
---
apiVersion: v1
kind: Secret
metadata:
  name: database
  annotations: {podwright.io/generate: '{"PASSWORD": 24}'}
stringData: {USER: shop}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: shop-data}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: "5368709120"}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: backup
  annotations:
    podwright.io/assumed-size: '"1Gi"'
    podwright.io/options: '{"o": "addr=10.0.0.5", "type": "nfs"}'
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: web-cache-ac03930e
  annotations:
    podwright.io/volume-name: '"Web_Cache"'
    podwright.io/declared: 'false'
    podwright.io/assumed-size: '"1Gi"'
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
---
apiVersion: v1
kind: Pod
metadata:
  name: db
  annotations:
    podwright.io/stack-networks: '[{"name": "shop", "internal": true}, {"name": "edge", "subnet": "10.89.7.0/24"}]'
    podwright.io/networks: '["shop"]'
    podwright.io/infra: '{"name": "db-pause"}'
spec:
  containers:
  - name: mariadb
    image: docker.io/library/mariadb:11.8
    envFrom: [{secretRef: {name: database}}]
    resources: {limits: {cpu: 500m, memory: 1Gi}}
    volumeMounts: [{name: data, mountPath: /var/lib/mysql}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: shop-data}}]
---
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations:
    note: ours
    podwright.io/networks: '["shop", "edge"]'
    podwright.io/depends-on: '[{"pod": "db"}]'
spec:
  initContainers: [{name: proxy, image: x, restartPolicy: Always}]
  containers:
  - name: app
    image: x
    resizePolicy: [{resourceName: cpu, restartPolicy: NotRequired}]
    readinessProbe: {httpGet: {port: 80, httpHeaders: [{name: X-Probe, value: ""}]}}
  volumes:
  - {name: conf, configMap: {name: settings, defaultMode: 288}}
  - {name: cache, persistentVolumeClaim: {claimName: web-cache-ac03930e}}
  terminationGracePeriodSeconds: 45
"""

Document = dict[str, Any]


def validate(documents: Sequence[Document]) -> None:
    """Holds the documents against the schemas of the API, which allow no unknown field, and its rules for names."""
    for document in documents:
        checked = document
        if document["kind"] == "StatefulSet":
            # Later releases do not require it, and all take an empty one.
            checked = {**document, "spec": {"serviceName": "", **document["spec"]}}
        kubernetes_validate.validate(checked, KUBERNETES, strict=True)
        assert object_name(document["metadata"]["name"]) is None
        annotations = document["metadata"].get("annotations", {})
        for key, value in annotations.items():
            assert not key.startswith("podwright.io/") or json.dumps(json.loads(value), ensure_ascii=False) == value
        claims = [volume.get("persistentVolumeClaim") for volume in document.get("spec", {}).get("volumes", ())]
        assert all(object_name(claim["claimName"]) is None for claim in claims if claim)


def read(documents: Sequence[Document], name: str = "stack") -> StackSpec:
    return parse_options({"name": name}, documents)


# --- by hand ---------------------------------------------------------------------------------------------------------


def test_a_stack() -> None:
    documents = to_kubernetes(SHOP)
    assert documents == list(yaml.safe_load_all(SHOP_DOCUMENTS))
    validate(documents)
    assert read(documents, "shop") == parse_options(SHOP)


def test_a_pod() -> None:
    pod = {
        **WEB,
        "labels": {"app": "web"},
        "resources": {"limits": {"memory": "64Mi"}},
        "volumes": [{"name": "v", "persistent_volume_claim": {"claim_name": "data", "read_only": True}}],
        "secrets": [{"name": "s", "data": {"k": "aGVsbG8="}, "type": "Own", "immutable": True}],
    }
    storage = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    documents = to_kubernetes(pod)
    assert documents == [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s"},
            "data": {"k": "aGVsbG8="},
            "type": "Own",
            "immutable": True,
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {
                "name": "data",
                "annotations": {"podwright.io/declared": "false", "podwright.io/assumed-size": '"1Gi"'},
            },
            "spec": storage,
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {
                "containers": [{"name": "a", "image": "x"}],
                "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data", "readOnly": True}}],
                "resources": {"limits": {"memory": "64Mi"}},
            },
        },
    ]
    validate(documents)


def test_the_least_of_everything() -> None:
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "a", "image": "x"}]},
    }
    assert to_kubernetes(WEB) == to_kubernetes({"pods": [WEB]}) == to_kubernetes({"definition": document}) == [document]
    assert to_kubernetes({"pods": [], "config_maps": None}) == []
    assert to_kubernetes({"depends_on": {"web": []}, "pods": [WEB]})[0]["metadata"]["annotations"] == {
        "podwright.io/depends-on": "[]"
    }


def test_documents_and_options_go_together() -> None:
    claim = "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: {}}"
    document = "apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec: {containers: [{name: a, image: x}]}"
    documents = to_kubernetes({"pods": [WEB], "definition": f"{claim}\n---\n{document}"})
    named = [(one["kind"], one["metadata"]["name"]) for one in documents]
    assert named == [("PersistentVolumeClaim", "c"), ("Pod", "web"), ("Pod", "api")]
    assert to_kubernetes({"definition": documents}) == documents


def test_what_an_edited_claim_asks_for_is_its_size() -> None:
    documents = to_kubernetes({"volumes": [{"name": "v"}]})
    assert read(documents).volumes == (NamedVolume("v"),)
    documents[0]["spec"]["resources"]["requests"]["storage"] = "2Gi"
    assert read(documents).volumes == (NamedVolume("v", Quantity.parse("2Gi")),)


@pytest.mark.parametrize("name", ["data", "a.b-c", "Data", "my_data", "a-", "A" * 253, "a..b", "x.-y"])
def test_claims_have_names_that_kubernetes_allows(name: str) -> None:
    assert object_name(claim_name(name)) is None
    assert (claim_name(name) == name) == (object_name(name) is None)


def test_claims_whose_names_differ_in_case_alone_stay_apart() -> None:
    stack = StackSpec("stack", volumes=(NamedVolume("data"), NamedVolume("Data"), NamedVolume("DATA")))
    documents = to_documents(stack)
    assert len({document["metadata"]["name"] for document in documents}) == 3
    assert read(documents) == stack


# --- everything that can be declared ---------------------------------------------------------------------------------


def without_host_ports(pod: s.PodSpec) -> s.PodSpec:
    """The pod, so that it can stand beside another one on the same host."""

    def quiet(container: s.Container) -> s.Container:
        return replace(container, ports=tuple(replace(port, host_port=None) for port in container.ports))

    groups = {name: tuple(map(quiet, getattr(pod, name))) for name in ("containers", "init_containers")}
    return replace(pod, host_network=False, **groups)


@st.composite
def named_volumes(draw: st.DrawFn, claimed: Sequence[str]) -> tuple[NamedVolume, ...]:
    names = qualified_words | st.sampled_from(claimed) if claimed else qualified_words
    volume = st.builds(
        NamedVolume,
        names,
        maybe(st.sampled_from([Quantity.parse(text) for text in ("1Gi", "1.5Gi", "1000", "2e9")])),
        st.sampled_from(["local", "own"]),
        st.dictionaries(texts, texts, max_size=2),
    )
    return draw(tuples_of(volume, unique_by="name"))


@st.composite
def stacks(draw: st.DrawFn) -> StackSpec:
    """A valid stack of one to three of the generated pods, in which all that a stack shares may be given.

    Workloads are around one of these pods each.
    """
    drawn = draw(st.lists(pod_specs(), min_size=1, max_size=3))
    config_maps = tuple(item for pod in drawn for item in pod.config_maps)
    secrets = tuple(item for pod in drawn for item in pod.secrets)
    for shared in (config_maps, secrets):
        assume(len({item.name for item in shared}) == len(shared))
    # The names keep their containers apart in Podman.
    pods = [
        replace(
            pod,
            name=f"p{number}",
            infra=replace(pod.infra, name=pod.infra.name and f"{pod.infra.name}-{number}"),
            config_maps=(),
            secrets=(),
        )
        for number, pod in enumerate(drawn)
    ]
    pods[1:] = map(without_host_ports, pods[1:])
    depends_on = {}
    for number, pod in enumerate(pods):
        others = draw(st.lists(st.sampled_from(pods[:number]), unique_by=lambda other: other.name)) if number else []
        ends = ("started", "ready", "completed")
        conditions = [draw(st.sampled_from(ends[: 2 + (other.restart_policy != "Always")])) for other in others]
        if others or draw(st.booleans()):
            pairs = zip(others, conditions, strict=True)
            depends_on[pod.name] = tuple(Dependency(other.name, condition) for other, condition in pairs)
    network = st.builds(
        stack_spec.Network,
        qualified_words,
        st.just("10.89.7.0/24"),
        maybe(st.just("10.89.7.1")),
        st.booleans(),
        st.booleans(),
    )
    claims = [volume.persistent_volume_claim for pod in pods for volume in pod.volumes]
    kept = draw(workloads(pods))
    # Documents of workloads alone tell what they share as well.
    pods = pods if depends_on or not kept or draw(st.booleans()) else []
    return StackSpec(
        name="stack",
        pods=tuple(pods),
        depends_on=depends_on,
        config_maps=config_maps,
        secrets=secrets,
        volumes=draw(named_volumes([claim.claim_name for claim in claims if claim])),
        networks=draw(tuples_of(network, unique_by="name")),
        workloads=kept,
        services=(services := draw(services_before([*pods, *map(template_of, kept)]))),
        ingresses=draw(ingresses_before(services)),
    )


@st.composite
def services_before(draw: st.DrawFn, pods: Sequence[s.PodSpec]) -> tuple[Service, ...]:
    """Services without ports of the host, which the pods may have, each before one of the pods that have labels."""
    labels = [pod.labels for pod in pods if pod.labels]
    if not labels:
        return ()
    port = st.builds(ServicePort, st.integers(1, 65535), target_port=maybe(st.integers(1, 65535)))
    service = st.builds(
        Service,
        st.sampled_from(("web", "db")),
        st.sampled_from(labels),
        st.tuples(port),
        cluster_ip=maybe(st.just("None")),
        session_affinity=st.sampled_from(("None", "ClientIP")),
        publish_not_ready_addresses=st.booleans(),
        drain_seconds=st.integers(0, 60),
    )
    return tuple(draw(st.lists(service, max_size=2, unique_by=lambda one: one.name)))


@st.composite
def ingresses_before(draw: st.DrawFn, services: Sequence[Service]) -> tuple[Ingress, ...]:
    """One Ingress at most, whose paths go to Services that there are."""
    ports = [(one.name, port.port) for one in services for port in one.ports]
    if not ports:
        return ()
    backend = st.sampled_from(ports).map(lambda one: IngressBackend(IngressService(one[0], BackendPort(number=one[1]))))
    path = st.builds(
        HttpPath, st.sampled_from(("/", "/a", "/a/b.c", "/v1")), st.sampled_from(("Exact", "Prefix")), backend
    )
    http = st.builds(HttpRules, st.lists(path, min_size=1, unique_by=lambda one: one.path).map(tuple))
    rule = st.builds(Rule, maybe(st.sampled_from(("a.example.com", "*.example.com"))), http)
    seconds = maybe(st.integers(1, 600))
    ingress = st.builds(
        Ingress,
        st.sampled_from(("web", "shop.front")),
        st.lists(rule, max_size=3, unique_by=lambda one: one.host).map(tuple),
        backend,
        ingress_class_name=maybe(st.just("nginx")),
        ssl_redirect=st.booleans(),
        force_ssl_redirect=st.booleans(),
        proxy_body_size=maybe(st.sampled_from(("0", "8Mi", "1k", "1.5Ki")).map(Quantity.parse)),
        proxy_connect_timeout=seconds,
        proxy_read_timeout=seconds,
        proxy_send_timeout=seconds,
        rewrite_target=maybe(st.sampled_from(("/", "/b/$1"))),
        use_regex=st.booleans(),
        whitelist_source_range=tuples_of(st.sampled_from(("10.0.0.0/8", "192.0.2.1", "2001:db8::/32"))),
    )
    return tuple(draw(st.lists(ingress, max_size=1)))


@given(pod_specs())
def test_a_pod_comes_back_as_it_was(pod: s.PodSpec) -> None:
    stack = stack_of(pod)
    documents = to_documents(stack)
    back = read(documents, pod.name)
    assert back == stack
    assert stack_spec.pod_with_configuration(back, back.pods[0]).volumes == pod.volumes
    assert to_kubernetes(s.to_options(pod)) == documents


@settings(max_examples=settings().max_examples // 2)
@given(stacks())
def test_a_stack_comes_back_as_it_was(stack: StackSpec) -> None:
    documents = to_documents(stack)
    before = copy.deepcopy(documents)
    assert read(documents) == stack
    assert documents == before
    text = yaml.dump_all(documents, Dumper=yaml.CSafeDumper)
    assert read(manifest.read(text)) == stack
    assert to_kubernetes(to_options(stack)) == documents
    assert parse_options(to_options(stack)) == stack
    assert to_kubernetes({"definition": text}) == documents


@settings(max_examples=settings().max_examples // 4)
@given(stacks())
def test_the_schemas_of_kubernetes_take_every_stack(stack: StackSpec) -> None:
    documents = to_documents(stack)
    validate(documents)
    kinds = [document["kind"] for document in documents]
    order = ["ConfigMap", "Secret", "PersistentVolumeClaim", "Pod", *OPTIONS.values(), "Service", "Ingress"]
    assert kinds == sorted(kinds, key=order.index)
    claimed = {
        volume["persistentVolumeClaim"]["claimName"]
        for document in documents
        for volume in document.get("spec", {}).get("volumes", ())
        if "persistentVolumeClaim" in volume
    }
    names = [one["metadata"]["name"] for one in documents if one["kind"] == "PersistentVolumeClaim"]
    assert claimed <= set(names)
    assert len(set(names)) == len(names)


# --- faults ----------------------------------------------------------------------------------------------------------


def annotated(kind: str, given_annotations: Any, **fields: Any) -> Document:
    bodies = {
        "Pod": {"spec": {"containers": [{"name": "a", "image": "x"}], **fields}},
        "Secret": fields,
        "PersistentVolumeClaim": {"spec": fields},
    }
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "o", "annotations": given_annotations}} | bodies[
        kind
    ]


def own(name: str) -> str:
    return f'metadata.annotations["podwright.io/{name}"]'


REFUSED: list[tuple[str, str, Any, dict[str, Any], str]] = [
    ("Pod", "networks", '["a", "a"]', {}, f"{own('networks')}[1]: 'a' is already used by"),
    ("Pod", "networks", '["a"', {}, f"{own('networks')}: is not JSON text from character 5 on"),
    ("Pod", "networks", "[" * 100_000, {}, f"{own('networks')}: is not JSON text"),
    ("Pod", "networks", '"a"', {}, f"{own('networks')}: expected a list, got 'a'"),
    ("Pod", "networks", ["a"], {}, f"{own('networks')}: expected a string, got a list"),
    ("Pod", "networks", '["a"]', {"hostNetwork": True}, f"{own('networks')}: a pod on the host's network joins no"),
    ("Pod", "networks", '["\\ud800"]', {}, f"{own('networks')}[0]: holds half a character"),
    ("Pod", "network", "[]", {}, f"{own('network')}: is not a known annotation; did you mean networks?"),
    ("Pod", "a:b", "[]", {}, "metadata.annotations[\"podwright.io/a:b\"]: 'a:b' is not a label name"),
    ("Pod", "infra", "null", {}, f"{own('infra')}: expected a mapping, got None"),
    (
        "Pod",
        "infra",
        '{"name": "x", "name": "y"}',
        {},
        f"{own('infra')}: is not JSON text with keys that are given once",
    ),
    ("Pod", "infra", '{"command": NaN}', {}, f"{own('infra')}: is not JSON text"),
    ("Pod", "infra", '{"nam": "x"}', {}, f"{own('infra')}.nam: is not a known field"),
    ("Pod", "infra", '{"name": "o-a"}', {}, "spec.containers[0].name: 'a' would clash with the infra container's"),
    ("Pod", "depends-on", '[{"pod": "db"}]', {}, f"{own('depends-on')}[0].pod: no pod is called 'db'"),
    ("Pod", "depends-on", '[{"pod": "o"}]', {}, f"{own('depends-on')}: the pods wait for one another: o -> o"),
    (
        "Pod",
        "depends-on",
        '[{"pod": "o", "condition": "completed"}]',
        {},
        f"{own('depends-on')}[0].condition: pod o never completes: its restartPolicy is Always",
    ),
    (
        "Pod",
        "stack-networks",
        '[{"name": "a"}, {"name": "a"}]',
        {},
        f"{own('stack-networks')}[1].name: the network 'a' is",
    ),
    ("Pod", "stack-networks", '[{"name": "a", "subnet": "b"}]', {}, f"{own('stack-networks')}[0].subnet: 'b' is not"),
    ("Secret", "generate", '{"k": 4}', {}, f"{own('generate')}.k: a number that is less than 8"),
    ("Secret", "generate", '{"k": 9}', {"data": {"k": ""}}, f"{own('generate')}.k: has a value too"),
    ("Secret", "generate", '"XSECRETX"', {}, f"{own('generate')}: expected a mapping, got text"),
    ("Secret", "generate", "XSECRETX", {}, f"{own('generate')}: is not JSON text"),
    ("Secret", "generate", 5.5, {}, f"{own('generate')}: expected a string, got a number"),
    ("Secret", "generate:XSECRETX", "", {}, "metadata.annotations: has an annotation under podwright.io/"),
    ("PersistentVolumeClaim", "volume-name", '"-"', {}, f"{own('volume-name')}: '-' is not a Podman name"),
    ("PersistentVolumeClaim", "driver", "{}", {}, f"{own('driver')}: expected a string, got a mapping"),
    ("PersistentVolumeClaim", "options", '{"o": [null]}', {}, f"{own('options')}.o: expected a string, got a list"),
    ("PersistentVolumeClaim", "assumed-size", '"big"', {}, f'{own("assumed-size")}: "big" is not a quantity'),
    (
        "PersistentVolumeClaim",
        "declared",
        "false",
        {"resources": {"requests": {"storage": "2Gi"}}},
        f"{own('declared')}: is false, but the size, driver or options declare it",
    ),
]


@pytest.mark.parametrize(("kind", "name", "text", "fields", "expected"), REFUSED)
def test_annotations_are_judged_like_everything_else(
    kind: str, name: str, text: Any, fields: dict[str, Any], expected: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read([annotated(kind, {f"podwright.io/{name}": text}, **fields)])
    (fault,) = caught.value.faults
    assert str(fault).startswith(expected)
    assert "XSECRETX" not in str(fault)


def test_what_is_given_twice_is_refused() -> None:
    web = annotated("Pod", {"podwright.io/depends-on": "[]", "podwright.io/stack-networks": '[{"name": "n"}]'})
    options = {"name": "s", "depends_on": {"o": []}, "networks": [{"name": "n"}]}
    with pytest.raises(InvalidInput) as caught:
        parse_options(options, [web])
    assert [fault.path for fault in caught.value.faults] == [own("depends-on"), "networks[0].name"]
    claims = [annotated("PersistentVolumeClaim", {"podwright.io/volume-name": '"v"'}) for _turn in range(2)]
    with pytest.raises(InvalidInput, match="the volume 'v' is already given"):
        read(claims)


@pytest.mark.parametrize("kind", ["Pod", "Secret", "PersistentVolumeClaim"])
@pytest.mark.parametrize("annotations", [{"other/one": "["}, {}, None])
def test_annotations_of_others_are_left_alone(kind: str, annotations: Any) -> None:
    stack = read([annotated(kind, annotations)])
    assert [pod.annotations for pod in stack.pods] == ([annotations or {}] if kind == "Pod" else [])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "pod", "k"]) | texts, inner),
    max_leaves=6,
)
known_names = ["networks", "infra", "depends-on", "stack-networks", "generate", "volume-name", "declared", "driver"]
names = st.sampled_from([*known_names, "assumed-size", "options", "x"]).map("podwright.io/{}".format)


@given(
    st.sampled_from(["Pod", "Secret", "PersistentVolumeClaim"]),
    st.dictionaries(names | texts, texts | json_values.map(json.dumps) | json_values, max_size=4) | json_values,
)
def test_no_annotation_makes_the_parser_fail_otherwise(kind: str, annotations: Any) -> None:
    with contextlib.suppress(InvalidInput):
        stack = read([annotated(kind, annotations)])
        assert read(to_documents(stack)) == stack


@pytest.mark.parametrize(
    ("declaration", "expected"),
    [
        (5, ["expected a mapping with the options of a pod or of a stack, got 5"]),
        ({}, ["describes nothing; give the containers of a pod, or the pods of a stack"]),
        ({"name": "web"}, ["describes nothing"]),
        ({"containrs": []}, ["describes nothing"]),
        ({"src": "web.yml", "pods": []}, ["src: a filter reads no files"]),
        (
            {"name": "A B", "containers": [{}]},
            ["name: 'A B' is not", "containers[0].name: is", "containers[0].image: is"],
        ),
        ({"labels": {}}, ["name: is required", "containers: is required"]),
        ({**WEB, "pods": []}, ["pods: is not a known field"]),
        ({**WEB, "state": "started"}, ["state: is not a known field"]),
        (
            {"name": "W", **WEB, "hostname": "-", "annotations": {"podwright.io/networks": "[]"}},
            ["hostname: '-' is not", 'annotations["podwright.io/networks"]: is reserved'],
        ),
        ({**WEB, "annotations": {"podwright.io/x": ""}}, ['annotations["podwright.io/x"]: is reserved']),
        (
            {"pods": [{**WEB, "annotations": {"podwright.io/x": ""}}, 5], "wait": True},
            ["wait: is not", "pods[1]: expected", 'pods[0].annotations["podwright.io/x"]: is reserved'],
        ),
        ({"definition": "kind: Gateway"}, ["kind: 'Gateway' is not supported"]),
        ({"definition": "{"}, ["definition: line 2"]),
        (
            {"networks": [{"name": "n"}]},
            ["networks: Kubernetes documents tell of networks beside a pod or"],
        ),
    ],
)
def test_the_filter_says_all_that_is_wrong(declaration: Any, expected: list[str]) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        to_kubernetes(declaration)
    head, *faults = str(caught.value).split("\n  ")
    assert re.fullmatch(r"[1-9] faults? in the declaration:", head)
    assert len(faults) == len(expected), faults
    assert all(any(fault.startswith(start) for fault in faults) for start in expected), faults


def test_no_fault_of_the_filter_shows_a_secret() -> None:
    secrets = [{"name": "s", "string_data": {"k": ["XSECRETX"]}, "generate": {"l": "XSECRETX"}}]
    for declaration in ({**WEB, "secrets": secrets}, {"pods": [WEB], "secrets": secrets}):
        with pytest.raises(AnsibleFilterError) as caught:
            to_kubernetes(declaration)
        assert "XSECRETX" not in str(caught.value)


# --- in a playbook ---------------------------------------------------------------------------------------------------


def test_the_filter_in_a_playbook(tmp_path: Path) -> None:
    """As a value, as text of a file, and what it refuses."""
    playbook = Playbook(tmp_path)
    expression = "podwright.pods.to_kubernetes"
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.set_fact": {"documents": f"{{{{ shop | {expression} }}}}"}},
        {
            "ansible.builtin.copy": {
                "dest": str(tmp_path / "shop.yml"),
                "mode": "0600",
                "content": f"{{{{ shop | {expression} | map('to_nice_yaml') | join('---\n') }}}}",
            }
        },
        {"ansible.builtin.debug": {"msg": f"{{{{ {{'pods': [{{}}], 'volumes': 5}} | {expression} }}}}"}},
        {"ansible.builtin.debug": {"msg": f"{{{{ not_given | {expression} }}}}"}},
    ]
    extra = playbook.write(
        "vars.yml", yaml.safe_dump({"shop": SHOP, "currency": "EUR"}).replace("EUR\n", "'{{ currency }}'\n", 1)
    )
    as_fact, as_file, refused, undefined = playbook.run(tasks, "--extra-vars", f"@{extra}")
    expected = list(yaml.safe_load_all(SHOP_DOCUMENTS))
    assert as_fact["ansible_facts"]["documents"] == expected, playbook.output
    assert not as_file["failed"], playbook.output
    assert read(manifest.read((tmp_path / "shop.yml").read_text(encoding="utf-8")), "shop") == parse_options(SHOP)
    assert "3 faults in the declaration:" in refused["msg"]
    for fault in ("pods[0].name: is required", "pods[0].containers: is required", "volumes: expected a list, got 5"):
        assert fault in refused["msg"]
    assert "not_given" in undefined["msg"]


class TextOfItsOwnType(str):
    """As texts of Ansible are: whatever is asked of one, it is of this type again."""

    __slots__ = ()

    def __str__(self) -> str:  # pylint: disable=invalid-str-returned
        return self

    def encode(self, *arguments: str) -> bytes:  # type: ignore[override]
        return BytesOfTheirOwnType(super().encode(*arguments))


class BytesOfTheirOwnType(bytes):
    def decode(self, *arguments: str) -> str:  # type: ignore[override]
        return TextOfItsOwnType(super().decode(*arguments))


def test_a_text_of_another_type_is_read_as_any_text() -> None:
    (document,) = manifest.read([TextOfItsOwnType("kind: Pod")])
    assert document == {"kind": "Pod"}
