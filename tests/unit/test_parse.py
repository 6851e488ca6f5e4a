# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is accepted, and what it is read as: generated pods in every form they come in, defaults, usual manifests."""

from __future__ import annotations

import copy
import json
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import given
from pods import pod_specs

from ansible_collections.podwright.pods.plugins.module_utils._declaration import manifest
from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.fields.pod import HOST_FIELDS, POD_FIELDS
from ansible_collections.podwright.pods.plugins.module_utils._declaration.fields.schema import Object, Sequence, Type
from ansible_collections.podwright.pods.plugins.module_utils._declaration.parse import parse_documents, parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.place import Style, WrittenNumber, spell
from ansible_collections.podwright.pods.plugins.module_utils._declaration.quantity import Quantity
from ansible_collections.podwright.pods.plugins.module_utils._delivery.argument_specs import POD_ARGUMENTS
from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput

MANIFESTS = Path(__file__).parent / "data" / "manifests"
HOST_NAMES = frozenset(field.name for field in HOST_FIELDS)
MINIMAL: dict[str, Any] = {"name": "web", "containers": [{"name": "a", "image": "x"}]}


def document(kind: str, item: s.ConfigMap | s.Secret) -> dict[str, Any]:
    """A ConfigMap or Secret as Kubernetes writes it."""
    options = s.to_options(item)
    body = {spell(name, Style.KUBERNETES): value for name, value in options.items() if name != "name"}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": item.name}, **body}


def documents(pod: s.PodSpec) -> list[dict[str, Any]]:
    """The pod and the objects it uses as Kubernetes documents; ``generate`` has no place in them."""
    config_maps = [document("ConfigMap", item) for item in pod.config_maps]
    return [*config_maps, s.to_kubernetes(pod), *(document("Secret", item) for item in pod.secrets)]


def beside(pod: s.PodSpec) -> dict[str, Any]:
    """The options beside those documents."""
    return {name: value for name, value in s.to_options(pod).items() if name in ("infra", "networks")}


def without_generate(pod: s.PodSpec) -> s.PodSpec:
    """The pod with values in place of those that would be made, for something may refer to them."""

    def given(secret: s.Secret) -> s.Secret:
        made = dict.fromkeys(secret.generate, "made")
        return replace(secret, string_data={**secret.string_data, **made}, generate={})

    return replace(pod, secrets=tuple(given(secret) for secret in pod.secrets))


def read_text(text: str, options: Mapping[str, Any] | None = None) -> s.PodSpec:
    return parse_documents(manifest.read(text), options)


# --- the same pod in every form --------------------------------------------------------------------------------------


def handed_on_by_ansible(options: dict[str, Any]) -> dict[str, Any]:
    """The options as a module gets them: Ansible reads them by the argument spec, and sets what is missing to null."""
    result = ArgumentSpecValidator(copy.deepcopy(POD_ARGUMENTS)).validate(options)
    assert not result.error_messages
    return {field.name: result.validated_parameters[field.name] for field in POD_FIELDS}


@given(pod_specs())
def test_a_pod_is_the_same_in_every_form(pod: s.PodSpec) -> None:
    options = s.to_options(pod)
    assert parse_options(options) == pod
    assert parse_options(json.loads(json.dumps(options))) == pod
    assert parse_options(handed_on_by_ansible(options)) == pod
    given_beside = {name: value for name, value in options.items() if name in HOST_NAMES}
    assert parse_documents([s.to_kubernetes(pod)], given_beside) == pod
    marked = replace(pod, secrets=tuple(replace(item, string_data={"k": "XSECRETX"}) for item in pod.secrets))
    assert "XSECRETX" not in repr(marked) + json.dumps(s.to_kubernetes(marked))


@given(pod_specs())
def test_a_pod_is_the_same_as_text(pod: s.PodSpec) -> None:
    pod = without_generate(pod)
    assert parse_documents(documents(pod), beside(pod)) == pod
    assert read_text(yaml.dump_all(documents(pod), Dumper=yaml.CSafeDumper), beside(pod)) == pod
    assert read_text(json.dumps({"kind": "List", "items": documents(pod)}), beside(pod)) == pod


# --- defaults, and values that come in several spellings -------------------------------------------------------------


def test_the_least_pod_has_kubernetes_defaults() -> None:
    pod = parse_options(MINIMAL)
    assert pod == s.PodSpec("web", (s.Container("a", "x"),))
    assert (pod.restart_policy, pod.termination_grace_period_seconds, pod.dns_policy) == ("Always", 30, "ClusterFirst")
    container = pod.containers[0]
    assert container.termination_message_path == "/dev/termination-log"
    assert container.termination_message_policy == "File"
    assert container.image_pull_policy is None
    assert pod.infra_name == "web-infra"


def test_probes_and_volumes_have_kubernetes_defaults() -> None:
    pod = parse_options(
        {
            "name": "web",
            "containers": [
                {
                    "name": "a",
                    "image": "x",
                    "readiness_probe": {"http_get": {"port": 80}},
                    "ports": [{"container_port": 80}],
                    "env": [{"name": "A"}],
                }
            ],
            "volumes": [{"name": "a"}, {"name": "b", "empty_dir": {}}, {"name": "c", "host_path": {"path": "/srv"}}],
        }
    )
    probe = pod.containers[0].readiness_probe
    assert probe == s.Probe(None, s.HttpGetAction(80, "/", None, "HTTP", ()), None, None, None, 0, 10, 1, 1, 3, None)
    assert pod.containers[0].ports == (s.ContainerPort(80, None, None, None, "TCP"),)
    assert pod.containers[0].env == (s.EnvVar("A"),)
    # A volume without a source is an emptyDir.
    assert [volume.empty_dir for volume in pod.volumes] == [s.EmptyDirVolume(), s.EmptyDirVolume(), None]


def test_nulls_are_as_good_as_absence() -> None:
    given_nulls = {field.name: None for field in POD_FIELDS}
    assert parse_options({**given_nulls, **MINIMAL}) == parse_options(MINIMAL)


@pytest.mark.parametrize(
    ("field", "given_value", "expected"),
    [
        ("termination_grace_period_seconds", "45", 45),
        ("termination_grace_period_seconds", " 45 ", 45),
        ("termination_grace_period_seconds", 45.0, 45),
        ("host_network", "yes", True),
        ("host_network", "False", False),
        ("hostname", 5, "5"),
        ("hostname", "5", "5"),
        ("labels", {"version": 5}, {"version": "5"}),
        ("labels", {"empty": ""}, {"empty": ""}),
        ("annotations", {"note": "line\nline"}, {"note": "line\nline"}),
    ],
)
def test_values_that_templates_make_are_taken(field: str, given_value: Any, expected: Any) -> None:
    assert getattr(parse_options({**MINIMAL, field: given_value}), field) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1.1, "got 1.1, and how it was written is not known; put it in quotes"),
        (1.0, "put it in quotes"),
        (float("inf"), "put it in quotes"),
        (WrittenNumber.of(83, "0123"), "is written as '0123', which YAML reads as 83; put it in quotes"),
        (WrittenNumber.of(45045, "12:30:45"), "is written as '12:30:45', which YAML reads as 45045"),
        (WrittenNumber.of(1000, "1_000"), "is written as '1_000'"),
    ],
)
def test_numbers_whose_text_is_lost_are_no_text(value: Any, reason: str) -> None:
    env = [{"name": "A", "value": value}]
    options = {"name": "web", "containers": [{"name": "a", "image": "x", "env": env, "command": [value]}]}
    options["labels"] = {"l": value}
    with pytest.raises(InvalidInput) as caught:
        parse_options(options)
    paths = {fault.path for fault in caught.value.faults if reason in fault.reason}
    assert paths == {"containers[0].env[0].value", "containers[0].command[0]", "labels.l"}


def test_whole_numbers_are_text_and_numbers() -> None:
    env = [{"name": "A", "value": 8080}, {"name": "B", "value": -1}, {"name": "C", "value": "1.10"}]
    ports = [{"container_port": WrittenNumber.of(80, "0x50")}]
    pod = parse_options({"name": "web", "containers": [{"name": "a", "image": "x", "env": env, "ports": ports}]})
    assert [one.value for one in pod.containers[0].env] == ["8080", "-1", "1.10"]
    assert pod.containers[0].ports == (s.ContainerPort(80),)


@pytest.mark.parametrize("text", ["0120", "22:22", "0o17"])
def test_numbers_that_some_read_otherwise_are_refused(text: str) -> None:
    ports = [{"container_port": WrittenNumber.of(80, text)}]
    with pytest.raises(InvalidInput, match=f"'{text}' is read as 80 by YAML; write it without zeros in front"):
        parse_options({"name": "web", "containers": [{"name": "a", "image": "x", "ports": ports}]})


@pytest.mark.parametrize("mode", ["0640", "0o640", 0o640])
def test_file_modes(mode: Any) -> None:
    options = {
        **MINIMAL,
        "config_maps": [{"name": "c"}],
        "volumes": [{"name": "v", "config_map": {"name": "c", "default_mode": mode}}],
    }
    volume = parse_options(options).volumes[0].config_map
    assert volume
    assert volume.default_mode == 0o640


@pytest.mark.parametrize("port", [8080, "8080"])
def test_ports_of_probes_are_numbers(port: Any) -> None:
    options = copy.deepcopy(MINIMAL)
    options["containers"][0]["liveness_probe"] = {"tcp_socket": {"port": port}}
    probe = parse_options(options).containers[0].liveness_probe
    assert probe
    assert probe.tcp_socket == s.TcpSocketAction(8080)


def test_base64_may_be_broken_into_lines() -> None:
    secret = {"name": "s", "data": {"k": "aGVs\nbG8=\n"}}
    assert parse_options({**MINIMAL, "secrets": [secret]}).secrets[0].data == {"k": "aGVs\nbG8=\n"}


def test_sidecars_have_probes_and_hooks() -> None:
    sidecar = {
        "name": "s",
        "image": "x",
        "restart_policy": "Always",
        "startup_probe": {"exec": {"command": ["true"]}},
        "lifecycle": {"pre_stop": {"sleep": {"seconds": 1}}},
    }
    pod = parse_options({**MINIMAL, "init_containers": [sidecar, {"name": "i", "image": "x"}]})
    assert [one.name for one in pod.sidecars] == ["s"]


def test_what_is_not_asked_for_is_not_refused() -> None:
    """Unsupported fields that are empty, and values that say no more than a host does by itself."""
    pod = parse_options({**MINIMAL, "node_selector": {}, "tolerations": [], "affinity": None, "priority": 0})
    assert pod == parse_options(MINIMAL)


# --- YAML as Kubernetes reads it -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.10", "1.10"),
        ("1e3", "1e3"),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01 10:00:00", "2024-01-01 10:00:00"),
        ("22:22", "22:22"),
        ("0644", "0644"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("+5", "+5"),
        (".inf", ".inf"),
        ("=", "="),
        ("y", "y"),
        ("1234567890123456789012345", "1234567890123456789012345"),
        ("-5", -5),
        ("0", 0),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("!!int 5", 5),
        ("yes", True),
        ("OFF", False),
        ("~", None),
        ("", None),
        ("NULL", None),
        ("'~'", "~"),
        ('""', ""),
        ("|\n    a\n    b\n", "a\nb\n"),
        (">-\n    a\n    b\n", "a b"),
        ("[1, a]", [1, "a"]),
        ("{a: {b: c}}", {"a": {"b": "c"}}),
        ("!!binary aGVsbG8=", "hello"),
        ("!!binary |\n    aGVs\n    bG8=\n", "hello"),
        # Without the end of the last line.
        ("|\n    a", "a\n"),
        ("|+\n    a", "a\n"),
        ("|-\n    a", "a"),
        ("|2\n    a", "  a\n"),
        (">\n    a\n    b", "a b\n"),
        (">+\n    a", "a\n"),
        (">-\n    a\n    b", "a b"),
        ("|+\n    a\n\n    ", "a\n\n\n"),
        ("|+\n    a\r", "a\n"),
        ("|\n    a\n    # b", "a\n# b\n"),
        ("|\n    a\n # b", "a\n"),
        ("a # b", "a"),
        ("'a\n  b'", "a b"),
        ("|", ""),
        ("|+", ""),
    ],
)
def test_yaml_values(text: str, value: Any) -> None:
    assert manifest.parse(f"k: {text}") == [{"k": value}]


def test_anchors_and_merges() -> None:
    text = """
      base: &base {a: 1, b: 2}
      one: {<<: *base, b: 3}
      two: {b: 4, <<: [{a: 5}, *base]}
      three: *base
    """
    (value,) = manifest.parse(text)
    assert value["one"] == {"a": 1, "b": 3}
    assert value["two"] == {"a": 5, "b": 4}
    assert value["three"] == {"a": 1, "b": 2}


def test_documents_of_a_text() -> None:
    text = "# a comment\n---\n---\na: 1\n--- # another\nb: 2\n...\n---\n"
    text += "{kind: List, items: [{c: 3}, {kind: PodList, items: [d]}]}"
    assert manifest.read("\ufeff" + text.replace("\n", "\r\n")) == [{"a": 1}, {"b": 2}, {"c": 3}, "d"]


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}{"b": 2}',
        '{"a": 1}\n{"b": 2}\n',
        '\ufeff{"a": 1}\n\ufeff---\n{"b": 2}',
        '---\n{"a": 1}\n---\n{"b": 2}\n---\n',
        '{\n\t"a":\t1\n}\n\n{\n\t"b": 2}',
        "\ufeffa: 1\n---\n\ufeffb: 2\n",
        "\ufeff# one\r\na: 1\r\n--- # two\r\n\r\n  # three\r\n\ufeffb: 2",
        "a: 1\n\ufeff---\nb: 2",
        "a: 1\n...\n---\n\ufeffb: 2",
    ],
)
def test_documents_that_were_joined(text: str) -> None:
    assert manifest.read(text) == [{"a": 1}, {"b": 2}]


def test_json_is_read_as_json_has_it() -> None:
    text = (
        '{"emoji": "\\ud83d\\ude00", "escaped": "\\\\ud83d\\\\ude00", "tab": "\\t", "slash": "\\/", "mark": "\\ufeff"}'
    )
    assert manifest.parse(text) == [json.loads(text)]
    lines = '{"a": 1}\n {"b": 1} {"c": 1, "c": 2}\n'
    with pytest.raises(InvalidInput, match=r"line 2, column 20: the key 'c' is given twice, first on line 2"):
        manifest.parse(lines)


# --- usual manifests -------------------------------------------------------------------------------------------------


def load(name: str) -> s.PodSpec:
    return read_text((MANIFESTS / f"{name}.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.yml")), ids=lambda path: path.stem)
def test_usual_manifests_are_read(path: Path) -> None:
    pod = load(path.stem)
    assert parse_options(s.to_options(pod)) == pod


def test_a_web_server() -> None:
    pod = load("web_server")
    assert (pod.name, pod.labels) == ("web", {"app": "web", "tier": "front"})
    container = pod.containers[0]
    assert container.ports == (s.ContainerPort(80, "http", 8080, "127.0.0.1"),)
    assert container.resources.limits == {"cpu": Quantity.parse("500m"), "memory": Quantity.parse("128Mi")}
    assert container.readiness_probe
    assert container.readiness_probe.http_get == s.HttpGetAction("http", "/")
    assert container.env[0] == s.EnvVar("VERSION", "1.10")


def test_init_containers_and_sidecars() -> None:
    pod = load("init_and_sidecar")
    assert [pod.role_of(container) for container in pod.all_containers] == ["init", "sidecar", "app"]
    lifecycle = pod.containers[0].lifecycle
    assert lifecycle
    assert lifecycle.pre_stop
    assert lifecycle.pre_stop.kind == "exec"


def test_configuration_and_secrets() -> None:
    pod = load("configuration")
    assert [item.name for item in pod.config_maps] == ["settings"]
    assert pod.secrets[0].string_data == {"password": "correct horse"}
    volume = pod.volume("files").projected
    assert volume
    assert volume.default_mode == 0o440
    assert [source.secret.items[0].mode for source in volume.sources if source.secret] == [0o400]


def test_an_exported_pod_is_read_without_what_the_server_wrote() -> None:
    assert load("exported") == s.PodSpec(
        name="web",
        labels={"app": "web"},
        containers=(
            s.Container(
                "web",
                "nginx:1.27",
                "IfNotPresent",
                volume_mounts=(s.VolumeMount("cache", "/var/cache/nginx"),),
            ),
        ),
        volumes=(s.Volume("cache", s.EmptyDirVolume()),),
        security_context=s.PodSecurityContext(),
    )


def test_empty_text_leaves_a_field_of_a_manifest_at_its_default() -> None:
    """As in the API server's Go structures, and as charts write it."""
    text = """
      apiVersion: v1
      kind: Pod
      metadata: {name: web}
      spec:
        restartPolicy: ""
        hostname: ""
        containers:
        - name: a
          image: x
          imagePullPolicy: ""
          workingDir: ""
          env: [{name: A, value: ""}]
          ports: [{containerPort: 80, name: "", hostIP: "", protocol: ""}]
    """
    pod = read_text(text)
    assert pod.restart_policy == "Always"
    assert pod.hostname is None
    container = pod.containers[0]
    assert (container.image_pull_policy, container.working_dir) == (None, None)
    assert container.env == (s.EnvVar("A", ""),)
    assert container.ports == (s.ContainerPort(80),)


_ACCEPTED = """
  apiVersion: v1
  kind: Pod
  metadata:
    name: web
    labels: {empty: }
    annotations: {io.kubernetes.cri-o.TTY/web: "true", Example.ORG/Name: , io.podman/Remove: "FALSE"}
  spec:
    nodeSelector: {kubernetes.io/os: linux, beta.kubernetes.io/os: linux, kubernetes.io/arch: amd64}
    containers:
    - name: a
      image: x
      command: [a, null, b]
      env:
      - {name: A, value: "", valueFrom: {fieldRef: {fieldPath: metadata.name}}}
      - {name: B, valueFrom: {resourceFieldRef: {resource: requests.ephemeral-storage, divisor: "0"}}}
      - {name: C, value: }
      ports: [{containerPort: 80, hostPort: 0}]
      volumeMounts: [{name: data, mountPath: srv/data}]
      livenessProbe:
        {httpGet: {port: 80, path: ""}, timeoutSeconds: 0, periodSeconds: 0, successThreshold: 0, failureThreshold: 0}
      lifecycle: {preStop: {sleep: {seconds: 0}}}
    volumes: [{name: data, emptyDir: }]
  ---
  {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {k: }, binaryData: {b: }}
  ---
  {apiVersion: v1, kind: Secret, metadata: {name: s}, data: {d: null}, stringData: {k: ~}}
"""


def test_what_kubernetes_takes_is_taken() -> None:
    """Zeros, nulls and empty text are what a field is without them; keys of annotations may have capitals."""
    pod = read_text(textwrap.dedent(_ACCEPTED))
    assert pod.labels == {"empty": ""}
    assert pod.annotations["Example.ORG/Name"] == ""
    assert pod.node_selector == {"kubernetes.io/arch": "amd64"}
    (container,) = pod.containers
    assert container.command == ("a", "", "b")
    assert container.env[0] == s.EnvVar("A", None, s.EnvSource(s.FieldReference("metadata.name")))
    reference = s.ResourceFieldReference("requests.ephemeral-storage")
    assert container.env[1:] == (s.EnvVar("B", None, s.EnvSource(None, reference)), s.EnvVar("C"))
    assert container.ports == (s.ContainerPort(80),)
    assert container.volume_mounts == (s.VolumeMount("data", "/srv/data"),)
    assert container.liveness_probe == s.Probe(http_get=s.HttpGetAction(80))
    assert container.lifecycle
    assert container.lifecycle.pre_stop == s.Handler(sleep=s.SleepAction(0))
    assert (pod.config_maps[0].data, pod.config_maps[0].binary_data) == ({"k": ""}, {"b": ""})
    assert (pod.secrets[0].data, pod.secrets[0].string_data) == ({"d": ""}, {"k": ""})
    assert parse_options(s.to_options(pod)) == pod


def test_zeros_of_native_options_are_defaults_too() -> None:
    probe = {"tcp_socket": {"port": 80}, "period_seconds": 0, "timeout_seconds": "0", "failure_threshold": 0}
    ports = [{"container_port": 80, "host_port": 0}, {"container_port": 81, "host_port": "0"}]
    pod = parse_options(
        {"name": "web", "containers": [{"name": "a", "image": "x", "ports": ports, "startup_probe": probe}]}
    )
    assert pod.containers[0].startup_probe == s.Probe(tcp_socket=s.TcpSocketAction(80))
    assert [port.host_port for port in pod.containers[0].ports] == [None, None]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (255 * "a", ""),
        (256 * "a", "more than 255 bytes"),
        (128 * "ä", "more than 255 bytes"),
        ("/".join(12 * [255 * "a"]), ""),
        ("/".join(13 * [255 * "a"]), "has 3327 bytes, at most 3072"),
    ],
)
def test_paths_are_as_long_as_linux_takes_them(path: str, reason: str) -> None:
    items = [{"key": "k", "path": path}]
    volumes: list[dict[str, Any]] = [
        {"name": "a", "config_map": {"name": "c", "items": items}},
        {"name": "b", "host_path": {"path": f"/{path}"}},
        {"name": "c"},
    ]
    mounts = [{"name": "c", "mount_path": f"/{path}", "sub_path": path}]
    options = {**MINIMAL, "volumes": volumes, "config_maps": [{"name": "c", "data": {"k": ""}}]}
    options["containers"] = [{"name": "a", "image": "x", "volume_mounts": mounts}]
    if not reason:
        assert parse_options(options).volumes[0].config_map
        return
    with pytest.raises(InvalidInput) as caught:
        parse_options(options)
    assert [fault.path for fault in caught.value.faults] == [
        "containers[0].volume_mounts[0].mount_path",
        "containers[0].volume_mounts[0].sub_path",
        "volumes[0].config_map.items[0].path",
        "volumes[1].host_path.path",
    ]
    assert all(reason in fault.reason.replace("3328", "3327") for fault in caught.value.faults)


# --- the argument spec -----------------------------------------------------------------------------------------------


def test_every_field_is_an_option_and_every_secret_value_is_hidden() -> None:
    def walk(kind: Type, argument: dict[str, Any]) -> None:
        inner = kind.item if isinstance(kind, Sequence) else kind
        if isinstance(inner, Object):
            assert set(argument["options"]) == {field.name for field in inner.fields}
            for field in inner.fields:
                assert "default" not in argument["options"][field.name]
                walk(field.type, argument["options"][field.name])

    for field in POD_FIELDS:
        assert not POD_ARGUMENTS[field.name].get("required")
        walk(field.type, POD_ARGUMENTS[field.name])
    hidden = {name for name, option in POD_ARGUMENTS["secrets"]["options"].items() if option.get("no_log")}
    assert hidden == {"data", "string_data"}
