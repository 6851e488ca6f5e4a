# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated pods: `pod_specs` are all that a declaration can say, `runnable_pods` what a small image really runs.

Both are built as specs, valid by construction, so that the parser is judged by them and not the other way about.
"""

from __future__ import annotations

import base64
import string
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._declaration import affinity as a
from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.quantity import Quantity
from ansible_collections.podwright.pods.plugins.module_utils._declaration.resources import ResourceRequirements

Draw = Any
MAX_INT32 = 2**31 - 1

# --- words -----------------------------------------------------------------------------------------------------------

_LETTERS = string.ascii_lowercase
_LABEL_CHARACTERS = _LETTERS + string.digits + "-"


def _word(characters: str, ends: str, longest: int) -> st.SearchStrategy[str]:
    """Text over ``characters`` that starts and ends with one of ``ends``."""
    end = st.sampled_from(ends)
    return end | st.builds(lambda *parts: "".join(parts), end, st.text(characters, max_size=longest - 2), end)


labels_of_dns = _word(_LABEL_CHARACTERS, _LETTERS + string.digits, 20)
object_names = st.lists(labels_of_dns, min_size=1, max_size=3).map(".".join)
qualified_words = _word(string.ascii_letters + string.digits + "-_.", string.ascii_letters + string.digits, 20)
_prefixes = object_names.filter(lambda name: name != "io.podwright")
label_keys = qualified_words | st.builds("{}/{}".format, _prefixes, qualified_words)
label_values = st.just("") | qualified_words
config_keys = st.text(string.ascii_letters + string.digits + "-_.", min_size=1, max_size=12).filter(
    lambda key: key != "." and not key.startswith("..")
)
env_names = _word(string.ascii_letters + string.digits + "_", string.ascii_letters + "_", 12)
# All that a program can be given: no NUL, which ends a C string, and no lone halves of characters.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
steps = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=8).filter(lambda x: x.strip("."))
relative_paths = st.lists(steps.filter(lambda x: not x.startswith("..")), min_size=1, max_size=3).map("/".join)
absolute_paths = relative_paths.map("/{}".format)
base64_values = st.binary(max_size=20).map(lambda value: base64.b64encode(value).decode())
base64_texts = texts.map(lambda value: base64.b64encode(value.encode()).decode())
images = st.sampled_from(
    [
        "busybox",
        "docker.io/library/httpd:2.4",
        "localhost/podwright/php:bookworm",
        "registry.example.com:5000/team/app@sha256:" + "0123456789abcdef" * 4,
    ]
)
addresses = st.sampled_from(["127.0.0.1", "0.0.0.0", "10.1.2.3", "::1", "fd00::5"])
seconds = st.integers(1, 3600)
port_numbers = st.integers(1, 65535)
port_names = _word(_LETTERS, _LETTERS, 15)
modes = st.integers(0, 0o777)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def tuples_of(
    strategy: st.SearchStrategy[Any], least: int = 0, most: int = 3, unique_by: str = ""
) -> st.SearchStrategy[Any]:
    key = (lambda item: getattr(item, unique_by)) if unique_by else None
    return st.lists(strategy, min_size=least, max_size=most, unique_by=key).map(tuple)


def _some(draw: Draw, items: Sequence[Any]) -> Any:
    return draw(st.sampled_from(items))


# --- quantities ------------------------------------------------------------------------------------------------------

_CPU = [Quantity.parse(text) for text in ("0", "1m", "100m", "0.5", "1", "1500m", "2", "2k")]
_MEMORY = [Quantity.parse(text) for text in ("4Mi", "16Mi", "64M", "100000k", "1Gi", "1.5Gi", "2e9", "1Ti")]


@st.composite
def requirements(draw: Draw) -> ResourceRequirements:
    """Requests that are no larger than their limits; either may be left out."""
    requests: dict[str, Quantity] = {}
    limits: dict[str, Quantity] = {}
    for name, amounts in (("cpu", _CPU), ("memory", _MEMORY)):
        low, high = sorted((_some(draw, amounts), _some(draw, amounts)))
        requests.update({name: low} if draw(st.booleans()) else {})
        limits.update({name: high} if draw(st.booleans()) else {})
    return ResourceRequirements(requests, limits)


# --- handlers --------------------------------------------------------------------------------------------------------

exec_actions = st.builds(s.ExecAction, tuples_of(texts, 1))
headers = st.builds(s.HttpHeader, st.sampled_from(["Host", "X-Probe", "Accept"]), lines)


@st.composite
def _actions(draw: Draw, names: Sequence[str], others: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    """One handler's action by its field; ``names`` are the container's port names."""
    port = port_numbers | st.sampled_from(names) if names else port_numbers
    hosts = maybe(st.sampled_from(["localhost", "10.0.0.1", "example.com", "::1"]))
    http_get = st.builds(
        s.HttpGetAction,
        port,
        st.sampled_from(["/", "/healthz?full=1", "/a b"]),
        hosts,
        st.sampled_from(["HTTP", "HTTPS"]),
        tuples_of(headers),
    )
    tcp_socket = st.builds(s.TcpSocketAction, port, hosts)
    kinds = {"exec": exec_actions, "http_get": http_get, "tcp_socket": tcp_socket, **others}
    kind = _some(draw, sorted(kinds))
    return {kind: draw(kinds[kind])}


@st.composite
def probes(draw: Draw, kind: str, names: Sequence[str]) -> s.Probe:
    grpc = st.builds(s.GrpcAction, port_numbers, lines)
    return s.Probe(
        **draw(_actions(names, {"grpc": grpc})),
        initial_delay_seconds=draw(st.integers(0, 100)),
        period_seconds=draw(seconds),
        timeout_seconds=draw(seconds),
        success_threshold=draw(st.integers(1, 5)) if kind == "readiness" else 1,
        failure_threshold=draw(st.integers(1, 100)),
        termination_grace_period_seconds=None if kind == "readiness" else draw(maybe(seconds)),
    )


@st.composite
def lifecycles(draw: Draw, names: Sequence[str], grace_seconds: int) -> s.Lifecycle:
    sleep = {"sleep": st.builds(s.SleepAction, st.integers(1, grace_seconds))} if grace_seconds else {}
    hooks = _actions(names, sleep).map(lambda action: s.Handler(**action))
    return s.Lifecycle(draw(maybe(hooks)), draw(maybe(hooks)))


# --- security --------------------------------------------------------------------------------------------------------

profiles = st.sampled_from([("RuntimeDefault", None), ("Unconfined", None), ("Localhost", "profiles/own.json")])
seccomp_profiles = profiles.map(lambda given: s.SeccompProfile(*given))
app_armor_profiles = profiles.map(lambda given: s.AppArmorProfile(*given))
se_linux_options = st.builds(s.SELinuxOptions, *(maybe(qualified_words) for _turn in range(4)))
identities = st.integers(0, MAX_INT32)
capabilities = st.builds(
    s.Capabilities, *(tuples_of(st.sampled_from(["ALL", "NET_ADMIN", "chown"])) for _turn in range(2))
)


@st.composite
def security_contexts(draw: Draw) -> s.SecurityContext:
    privileged = draw(maybe(st.booleans()))
    non_root = draw(maybe(st.booleans()))
    return s.SecurityContext(
        run_as_user=draw(maybe(st.integers(1, MAX_INT32) if non_root else identities)),
        run_as_group=draw(maybe(identities)),
        run_as_non_root=non_root,
        privileged=privileged,
        read_only_root_filesystem=draw(maybe(st.booleans())),
        allow_privilege_escalation=draw(maybe(st.just(True) if privileged else st.booleans())),
        capabilities=draw(maybe(capabilities)),
        seccomp_profile=draw(maybe(seccomp_profiles)),
        app_armor_profile=draw(maybe(app_armor_profiles)),
        se_linux_options=draw(maybe(se_linux_options)),
    )


sysctls = st.builds(s.Sysctl, st.sampled_from(["kernel.domainname", "kernel/hostname", "user.max_pid"]), lines)
pod_security_contexts = st.builds(
    s.PodSecurityContext,
    run_as_user=maybe(identities),
    run_as_group=maybe(identities),
    run_as_non_root=maybe(st.booleans()),
    fs_group=maybe(identities),
    fs_group_change_policy=maybe(st.sampled_from(["Always", "OnRootMismatch"])),
    supplemental_groups=tuples_of(identities),
    sysctls=tuples_of(sysctls, unique_by="name"),
    seccomp_profile=maybe(seccomp_profiles),
    app_armor_profile=maybe(app_armor_profiles),
    se_linux_options=maybe(se_linux_options),
)

# --- configuration, and what refers to it ----------------------------------------------------------------------------

config_maps = st.builds(
    s.ConfigMap,
    object_names,
    st.dictionaries(config_keys, texts, max_size=3),
    # A dot in front, which no key above has: the two may not share one.
    st.dictionaries(config_keys.map(".b{}".format), base64_values, max_size=2),
    st.booleans(),
).map(lambda item: replace(item, data={key: text for key, text in item.data.items() if key not in item.binary_data}))


@st.composite
def secrets(draw: Draw) -> s.Secret:
    given = draw(st.dictionaries(config_keys, texts, max_size=3))
    generated = draw(st.dictionaries(config_keys, st.integers(8, 1024), max_size=2))
    made = {key: length for key, length in generated.items() if key not in given}
    return s.Secret(
        draw(object_names),
        # Text, for it may become a variable.
        draw(st.dictionaries(config_keys.filter(lambda key: key not in generated), base64_texts, max_size=2)),
        given,
        generate=made,
        type=draw(st.sampled_from(["Opaque", "kubernetes.io/tls"])),
        immutable=draw(st.booleans()),
    )


@dataclass(frozen=True)
class Surroundings:
    """What the parts of one pod can refer to."""

    config_maps: tuple[s.ConfigMap, ...]
    secrets: tuple[s.Secret, ...]
    containers: tuple[str, ...]

    def keys(self, is_secret: bool) -> dict[str, list[str]]:
        """The keys of each object, by its name."""
        if is_secret:
            return {item.name: [*item.data, *item.string_data, *item.generate] for item in self.secrets}
        return {item.name: [*item.data, *item.binary_data] for item in self.config_maps}


@st.composite
def object_references(draw: Draw, around: Surroundings, is_secret: bool) -> s.ObjectReference:
    given = sorted(around.keys(is_secret))
    if given and draw(st.booleans()):
        return s.ObjectReference(_some(draw, given), draw(st.booleans()))
    return s.ObjectReference(draw(object_names), True)


@st.composite
def key_references(draw: Draw, around: Surroundings, is_secret: bool) -> s.KeyReference:
    # A key among binaryData, which start with a dot, is for files only.
    keys_by_name = sorted(around.keys(is_secret).items())
    given = [(name, key) for name, keys in keys_by_name for key in keys if is_secret or not key.startswith(".b")]
    if given and draw(st.booleans()):
        return s.KeyReference(*_some(draw, given), draw(st.booleans()))
    return s.KeyReference(draw(object_names), draw(config_keys), True)


@st.composite
def items_of(draw: Draw, around: Surroundings, is_secret: bool, name: str, optional: bool) -> tuple[s.KeyToPath, ...]:
    known = around.keys(is_secret).get(name, [])
    keys = config_keys if optional else st.sampled_from(known) if known else st.nothing()
    if keys.is_empty:
        return ()
    return draw(tuples_of(st.builds(s.KeyToPath, keys, relative_paths, maybe(modes)), unique_by="path"))


_ANYWHERE = ["metadata.name", "metadata.uid", "metadata.namespace", "metadata.labels['a/b']", "metadata.labels['c']"]
_IN_VARIABLES = ["status.podIP", "status.podIPs", "status.hostIP", "spec.nodeName", "spec.serviceAccountName"]
_RESOURCES = st.sampled_from(["limits.cpu", "limits.memory", "requests.cpu", "requests.memory"])
_DIVISORS = st.sampled_from([Quantity.parse(text) for text in ("1", "1m", "1Mi", "1k")])


def resource_references(around: Surroundings, named: bool) -> st.SearchStrategy[s.ResourceFieldReference]:
    names = st.sampled_from(around.containers)
    return st.builds(s.ResourceFieldReference, _RESOURCES, names if named else maybe(names), maybe(_DIVISORS))


@st.composite
def env_vars(draw: Draw, around: Surroundings) -> s.EnvVar:
    sources = {
        "field_ref": st.sampled_from(_ANYWHERE + _IN_VARIABLES).map(s.FieldReference),
        "resource_field_ref": resource_references(around, named=False),
        "config_map_key_ref": key_references(around, False),
        "secret_key_ref": key_references(around, True),
    }
    name = draw(env_names)
    if draw(st.booleans()):
        return s.EnvVar(name, draw(maybe(texts)))
    kind = _some(draw, sorted(sources))
    return s.EnvVar(name, None, s.EnvSource(**{kind: draw(sources[kind])}))


@st.composite
def env_from_sources(draw: Draw, around: Surroundings) -> s.EnvFromSource:
    is_secret = draw(st.booleans())
    ref = draw(object_references(around, is_secret))
    prefix = draw(st.just("") | env_names)
    return s.EnvFromSource(prefix, **{"secret_ref" if is_secret else "config_map_ref": ref})


# --- volumes ---------------------------------------------------------------------------------------------------------


def downward_files(around: Surroundings) -> st.SearchStrategy[tuple[s.DownwardApiFile, ...]]:
    paths = st.sampled_from([*_ANYWHERE, "metadata.labels", "metadata.annotations"]).map(s.FieldReference)
    of_fields = st.builds(s.DownwardApiFile, relative_paths, field_ref=paths, mode=maybe(modes))
    of_resources = st.builds(
        s.DownwardApiFile, relative_paths, resource_field_ref=resource_references(around, named=True), mode=maybe(modes)
    )
    return tuples_of(of_fields | of_resources, unique_by="path")


@st.composite
def volumes(draw: Draw, around: Surroundings) -> s.Volume:
    name = draw(labels_of_dns)
    kind = _some(draw, [field.name for field in fields(s.Volume) if field.name != "name"])
    mode = draw(modes)
    if kind == "empty_dir":
        source: Any = s.EmptyDirVolume(draw(st.sampled_from(["", "Memory"])), draw(maybe(st.sampled_from(_MEMORY))))
    elif kind == "host_path":
        types = ["", "DirectoryOrCreate", "Directory", "FileOrCreate", "File", "Socket", "CharDevice", "BlockDevice"]
        source = s.HostPathVolume(draw(absolute_paths), _some(draw, types))
    elif kind == "persistent_volume_claim":
        source = s.PersistentVolumeClaimVolume(draw(qualified_words), draw(st.booleans()))
    elif kind == "downward_api":
        source = s.DownwardApiVolume(draw(downward_files(around)), mode)
    elif kind == "projected":
        source = draw(projected_volumes(around))
    else:
        is_secret = kind == "secret"
        ref = draw(object_references(around, is_secret))
        items = draw(items_of(around, is_secret, ref.name, ref.optional))
        build = s.SecretVolume if is_secret else s.ConfigMapVolume
        source = build(ref.name, items, mode, ref.optional)
    return s.Volume(name, **{kind: source})


@st.composite
def projected_volumes(draw: Draw, around: Surroundings) -> s.ProjectedVolume:
    sources: list[s.VolumeProjection] = []
    taken: set[str] = set()
    for kind in draw(st.lists(st.sampled_from(["config_map", "secret", "downward_api"]), max_size=3)):
        if kind == "downward_api":
            source: Any = s.DownwardApiProjection(draw(downward_files(around)))
        else:
            ref = draw(object_references(around, kind == "secret"))
            items = draw(items_of(around, kind == "secret", ref.name, ref.optional))
            source = s.KeyProjection(ref.name, items, ref.optional)
        source = replace(source, items=tuple(item for item in source.items if item.path not in taken))
        taken |= {item.path for item in source.items}
        sources.append(s.VolumeProjection(**{kind: source}))
    return s.ProjectedVolume(tuple(sources), draw(modes))


@st.composite
def volume_mounts(draw: Draw, names: Sequence[str], privileged: bool) -> s.VolumeMount:
    sub_path = _some(draw, ["sub_path", "sub_path_expr", ""])
    propagations = ["None", "HostToContainer", *(["Bidirectional"] if privileged else [])]
    return s.VolumeMount(
        _some(draw, names),
        draw(absolute_paths),
        read_only=draw(st.booleans()),
        mount_propagation=draw(maybe(st.sampled_from(propagations))),
        **({sub_path: draw(relative_paths)} if sub_path else {}),
    )


# --- containers and pods ---------------------------------------------------------------------------------------------


@st.composite
def container_ports(draw: Draw, host_network: bool, free_ports: list[int]) -> tuple[s.ContainerPort, ...]:
    """Ports whose host ports are taken out of ``free_ports``, so that no two of a pod meet."""
    ports = []
    for name in draw(st.lists(maybe(port_names), max_size=3, unique_by=lambda name: name or object())):
        number = free_ports.pop() if host_network else draw(port_numbers)
        host_port = None
        if draw(st.booleans()):
            host_port = number if host_network else free_ports.pop()
        protocol = draw(st.sampled_from(["TCP", "UDP", "SCTP"]))
        ports.append(s.ContainerPort(number, name, host_port, draw(maybe(addresses)), protocol))
    return tuple(ports)


@st.composite
def containers(
    draw: Draw,
    name: str,
    role: str,
    around: Surroundings,
    volume_names: Sequence[str],
    host_network: bool,
    free_ports: list[int],
    grace_seconds: int,
) -> s.Container:
    ports = draw(container_ports(host_network, free_ports))
    names = [port.name for port in ports if port.name]
    context = draw(maybe(security_contexts()))
    is_privileged = bool(context and context.privileged)
    mounts = st.just(())
    if volume_names:
        mounts = tuples_of(volume_mounts(volume_names, is_privileged), unique_by="mount_path")
    runs_on = role != "init"
    return s.Container(
        name=name,
        image=draw(images),
        image_pull_policy=draw(maybe(st.sampled_from(["Always", "IfNotPresent", "Never"]))),
        command=draw(tuples_of(texts)),
        args=draw(tuples_of(texts)),
        working_dir=draw(maybe(absolute_paths)),
        env=draw(tuples_of(env_vars(around))),
        env_from=draw(tuples_of(env_from_sources(around), most=2)),
        ports=ports,
        resources=draw(requirements()),
        resize_policy=draw(
            tuples_of(
                st.builds(
                    s.ResizePolicy,
                    st.sampled_from(["cpu", "memory"]),
                    st.sampled_from(["NotRequired", "RestartContainer"]),
                ),
                unique_by="resource_name",
            )
        ),
        volume_mounts=draw(mounts),
        startup_probe=draw(maybe(probes("startup", names))) if runs_on else None,
        liveness_probe=draw(maybe(probes("liveness", names))) if runs_on else None,
        readiness_probe=draw(maybe(probes("readiness", names))) if runs_on else None,
        lifecycle=draw(maybe(lifecycles(names, grace_seconds))) if runs_on else None,
        security_context=context,
        termination_message_path=draw(st.just("/dev/termination-log") | absolute_paths),
        termination_message_policy=draw(st.sampled_from(["File", "FallbackToLogsOnError"])),
        stdin=draw(st.booleans()),
        stdin_once=draw(st.booleans()),
        tty=draw(st.booleans()),
        restart_policy="Always" if role == "sidecar" else None,
    )


dns_configs = st.builds(
    s.DnsConfig,
    tuples_of(addresses, 1),
    tuples_of(st.sampled_from([".", "example.com", "svc.cluster.local."])),
    tuples_of(st.builds(s.DnsOption, st.sampled_from(["ndots", "edns0"]), maybe(st.sampled_from(["1", "5"])))),
)


node_requirements = st.builds(
    a.NodeRequirement, label_keys, st.sampled_from(["In", "NotIn"]), tuples_of(label_values, 1)
) | st.builds(a.NodeRequirement, label_keys, st.sampled_from(["Exists", "DoesNotExist"]))
affinities = st.builds(
    a.Affinity,
    st.builds(
        a.NodeAffinity,
        st.builds(a.NodeSelector, tuples_of(st.builds(a.NodeSelectorTerm, tuples_of(node_requirements)), 1)),
    ),
)


@st.composite
def pod_specs(draw: Draw) -> s.PodSpec:
    """A valid pod in which any field of any part may be given."""
    names = draw(st.lists(labels_of_dns.filter(lambda n: n != "infra"), min_size=1, max_size=4, unique=True))
    around = Surroundings(
        draw(tuples_of(config_maps, most=2, unique_by="name")),
        draw(tuples_of(secrets(), most=2, unique_by="name")),
        tuple(names),
    )
    declared = draw(tuples_of(volumes(around), unique_by="name"))
    host_network, host_pid, host_ipc = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    grace_seconds = draw(st.integers(0, 60))
    free_ports = list(range(30000, 30100))
    # The last name is always a main container's.
    roles = [*(draw(st.sampled_from(["app", "init", "sidecar"])) for _turn in names[:-1]), "app"]
    made = [
        draw(
            containers(
                name, role, around, [volume.name for volume in declared], host_network, free_ports, grace_seconds
            )
        )
        for name, role in zip(names, roles, strict=True)
    ]
    dns = draw(maybe(dns_configs))
    aliases = tuples_of(st.builds(s.HostAlias, addresses, tuples_of(object_names)))
    return s.PodSpec(
        name=draw(labels_of_dns),
        containers=tuple(one for one, role in zip(made, roles, strict=True) if role == "app"),
        init_containers=tuple(one for one, role in zip(made, roles, strict=True) if role != "app"),
        labels=draw(st.dictionaries(label_keys, label_values, max_size=3)),
        annotations=draw(st.dictionaries(label_keys, texts, max_size=3)),
        volumes=declared,
        restart_policy=draw(st.sampled_from(["Always", "OnFailure", "Never"])),
        termination_grace_period_seconds=grace_seconds,
        active_deadline_seconds=draw(maybe(seconds)),
        hostname=draw(maybe(labels_of_dns)),
        subdomain=draw(maybe(labels_of_dns)),
        enable_service_links=draw(st.booleans()),
        host_network=host_network,
        host_pid=host_pid,
        host_ipc=host_ipc,
        share_process_namespace=False if host_pid else draw(st.booleans()),
        host_aliases=() if host_network else draw(aliases),
        dns_policy=_some(draw, ["ClusterFirst", "ClusterFirstWithHostNet", "Default", *(["None"] if dns else [])]),
        dns_config=dns,
        security_context=draw(maybe(pod_security_contexts)),
        readiness_gates=draw(tuples_of(st.builds(s.ReadinessGate, label_keys))),
        node_selector=draw(st.dictionaries(label_keys, label_values, max_size=2)),
        affinity=draw(maybe(affinities)),
        networks=() if host_network else tuple(draw(st.lists(qualified_words, max_size=2, unique=True))),
        infra=s.Infra(draw(maybe(images)), draw(tuples_of(texts)), draw(maybe(st.just("own-infra.1")))),
        config_maps=around.config_maps,
        secrets=around.secrets,
    )


# --- pods that really run --------------------------------------------------------------------------------------------

SLEEP = "trap 'exit 0' TERM; sleep 600 & wait"
"""The shell ends as soon as it is told to."""
_PATIENT = {"period_seconds": 1, "timeout_seconds": 10, "failure_threshold": 30}
_RUNNABLE_RESOURCES = [
    ResourceRequirements(),
    ResourceRequirements({"cpu": Quantity.parse("10m"), "memory": Quantity.parse("8Mi")}),
    ResourceRequirements({}, {"memory": Quantity.parse("64Mi")}),
    ResourceRequirements(
        {"cpu": Quantity.parse("5m")}, {"cpu": Quantity.parse("500m"), "memory": Quantity.parse("48M")}
    ),
]
_RUNNABLE_SECURITY = [
    None,
    s.SecurityContext(),
    s.SecurityContext(run_as_user=1000, run_as_group=1000),
    s.SecurityContext(run_as_non_root=True, run_as_user=65534),
    s.SecurityContext(read_only_root_filesystem=True),
    s.SecurityContext(allow_privilege_escalation=False, capabilities=s.Capabilities(drop=("ALL",))),
    s.SecurityContext(capabilities=s.Capabilities(add=("NET_ADMIN",), drop=("CHOWN",))),
    s.SecurityContext(privileged=True),
    s.SecurityContext(seccomp_profile=s.SeccompProfile("Unconfined")),
]
_RUNNABLE_POD_SECURITY = [
    None,
    s.PodSecurityContext(fs_group=2000, supplemental_groups=(3000, 4000)),
    s.PodSecurityContext(run_as_user=1000, fs_group=1000, fs_group_change_policy="OnRootMismatch"),
]
_CONFIG = s.ConfigMap("conf", {"a.conf": "a = 1\n", "LEVEL": "3"}, {"raw": "AAEC"})
_SECRET = s.Secret("keys", {"token": "c2VjcmV0"}, {"password": 'it\'s $(secret) "indeed"'}, {"made": 16})


@dataclass(frozen=True)
class Site:
    """Where pods are to run: what they may take of the host. A directory is made where none is."""

    image: str = "localhost/busybox"
    name: str = "generated"
    host_ports: tuple[int, ...] = tuple(range(28080, 28090))
    host_directory: str = "/var/tmp/podwright-generated"


@st.composite
def _runnable_volumes(draw: Draw, site: Site, names: Sequence[str]) -> tuple[s.Volume, ...]:
    """Some of the kinds of volumes, each with the kind for its name."""
    items = (s.KeyToPath("a.conf", "etc/a.conf", draw(maybe(st.sampled_from([0o400, 0o644])))),)
    about = (
        s.DownwardApiFile("labels", s.FieldReference("metadata.labels")),
        s.DownwardApiFile("name", s.FieldReference("metadata.name"), mode=0o440),
        s.DownwardApiFile("limit", resource_field_ref=s.ResourceFieldReference("limits.memory", names[-1])),
    )
    sources: dict[str, Any] = {
        "scratch": {"empty_dir": s.EmptyDirVolume()},
        "memory": {"empty_dir": s.EmptyDirVolume("Memory", draw(maybe(st.just(Quantity.parse("1Mi")))))},
        "host": {"host_path": s.HostPathVolume(f"{site.host_directory}/own", "DirectoryOrCreate")},
        "data": {"persistent_volume_claim": s.PersistentVolumeClaimVolume(f"{site.name}-data", draw(st.booleans()))},
        "conf": {"config_map": s.ConfigMapVolume("conf", items if draw(st.booleans()) else ())},
        "keys": {"secret": s.SecretVolume("keys", default_mode=draw(st.sampled_from([0o400, 0o644])))},
        "gone": {"secret": s.SecretVolume("gone", optional=True)},
        "about": {"downward_api": s.DownwardApiVolume(about)},
        "mixed": {
            "projected": s.ProjectedVolume(
                (
                    s.VolumeProjection(config_map=s.KeyProjection("conf", items)),
                    s.VolumeProjection(secret=s.KeyProjection("keys")),
                    s.VolumeProjection(downward_api=s.DownwardApiProjection(about)),
                )
            )
        },
    }
    chosen = draw(st.lists(st.sampled_from(sorted(sources)), max_size=4, unique=True))
    return tuple(s.Volume(kind, **sources[kind]) for kind in chosen)


@st.composite
def _runnable_mounts(draw: Draw, declared: Sequence[s.Volume]) -> tuple[s.VolumeMount, ...]:
    mounts = []
    for volume in declared:
        if draw(st.booleans()):
            is_directory = volume.name in ("scratch", "host")
            sub_path = draw(maybe(st.just("below/it"))) if is_directory else None
            mounts.append(s.VolumeMount(volume.name, f"/mnt/{volume.name}", sub_path, read_only=draw(st.booleans())))
    return tuple(mounts)


@st.composite
def _runnable_env(draw: Draw) -> tuple[s.EnvVar, ...]:
    sources = [
        s.EnvSource(s.FieldReference("status.podIP")),
        s.EnvSource(s.FieldReference("metadata.name")),
        s.EnvSource(resource_field_ref=s.ResourceFieldReference("limits.cpu", divisor=Quantity.parse("1m"))),
        s.EnvSource(config_map_key_ref=s.KeyReference("conf", "LEVEL")),
        s.EnvSource(secret_key_ref=s.KeyReference("keys", "password")),
        s.EnvSource(secret_key_ref=s.KeyReference("keys", "made")),
        s.EnvSource(secret_key_ref=s.KeyReference("gone", "none", optional=True)),
    ]
    values = texts | st.sampled_from(["$(V_0) again", "$$(V_0)", "$(NOT_SET)", "a'b\"c\\d\n`e`"])
    variables = st.builds(s.EnvVar, st.just(""), values) | st.builds(
        s.EnvVar, st.just(""), st.none(), st.sampled_from(sources)
    )
    return tuple(replace(one, name=f"V_{number}") for number, one in enumerate(draw(st.lists(variables, max_size=3))))


@st.composite
def _runnable_container(
    draw: Draw, site: Site, name: str, role: str, declared: Sequence[s.Volume], port: int | None, may_end: bool
) -> s.Container:
    """A container that serves on ``port``, sleeps until it is told to end, or ends by itself."""
    script = SLEEP if port is None else f"httpd -p {port} -h /; {SLEEP}"
    if role == "init" or (may_end and port is None and draw(st.booleans())):
        script = "true"
    command, args = ("sh", "-c", script), ("$0", "$(V_0)", "$$x")
    if draw(st.booleans()):
        command, args = command[:2], (script, *args)
    # A server is known to run; of one that sleeps only its processes are.
    checks: list[Any] = [s.ExecAction(("true",))]
    if port is not None:
        checks += [s.HttpGetAction("http", "/etc/group"), s.HttpGetAction(port, "/etc/passwd"), s.TcpSocketAction(port)]
    names = {s.ExecAction: "exec", s.HttpGetAction: "http_get", s.TcpSocketAction: "tcp_socket"}
    actions = st.sampled_from(checks).map(lambda action: {names[type(action)]: action})
    probes_of_it = actions.map(lambda action: s.Probe(**action, **_PATIENT))
    hooks = st.sampled_from([s.ExecAction(("true",)), s.ExecAction(("sh", "-c", "exit 0"))]).map(
        lambda a: s.Handler(exec=a)
    )
    runs_on = script != "true"
    env_from = (
        s.EnvFromSource("C_", s.ObjectReference("conf")),
        s.EnvFromSource("S_", None, s.ObjectReference("keys")),
    )
    return s.Container(
        name=name,
        image=site.image,
        image_pull_policy="Never",
        command=command,
        args=args,
        working_dir=draw(maybe(st.sampled_from(["/", "/tmp"]))),
        env=draw(_runnable_env()),
        env_from=tuple(draw(st.lists(st.sampled_from(env_from), max_size=2, unique=True))),
        resources=_some(draw, _RUNNABLE_RESOURCES),
        volume_mounts=draw(_runnable_mounts(declared)),
        startup_probe=draw(maybe(probes_of_it)) if runs_on else None,
        readiness_probe=draw(maybe(probes_of_it)) if runs_on else None,
        liveness_probe=draw(maybe(probes_of_it)) if runs_on else None,
        lifecycle=s.Lifecycle(draw(maybe(hooks)), draw(maybe(hooks))) if runs_on and draw(st.booleans()) else None,
        security_context=_some(draw, _RUNNABLE_SECURITY),
        termination_message_policy=draw(st.sampled_from(["File", "FallbackToLogsOnError"])),
        stdin=draw(st.booleans()),
        tty=draw(st.booleans()),
        restart_policy="Always" if role == "sidecar" else None,
    )


@st.composite
def runnable_pods(draw: Draw, site: Site) -> s.PodSpec:
    """A pod that becomes ready within seconds on a host with room for it, and ends as soon as it is told to.

    ``site.image`` is busybox with its applets in PATH, and is on the host already. Main containers of a pod that is
    not restarted may end by themselves, with exit code 0.
    """
    restart_policy = draw(st.sampled_from(["Always", "Always", "OnFailure", "Never"]))
    host_network = draw(st.integers(0, 9)) == 9
    roles = [*draw(st.lists(st.sampled_from(["init", "sidecar", "app"]), max_size=2)), "app"]
    names = [f"{role}-{number}" for number, role in enumerate(roles)]
    declared = draw(_runnable_volumes(site, names))
    free_ports = list(site.host_ports)
    made = []
    for name, role in zip(names, roles, strict=True):
        number = free_ports.pop() if role != "init" and draw(st.booleans()) else None
        may_end = role == "app" and restart_policy != "Always"
        one = draw(_runnable_container(site, name, role, declared, number, may_end))
        if number is not None:
            host_port = number if draw(st.booleans()) else None
            one = replace(one, ports=(s.ContainerPort(number, "http", host_port, draw(maybe(st.just("127.0.0.1")))),))
        made.append(one)
    dns = s.DnsConfig(("10.0.0.53",), ("example.com",), (s.DnsOption("ndots", "2"),))
    host_pid = draw(st.integers(0, 9)) == 9
    return s.PodSpec(
        name=site.name,
        containers=tuple(one for one, role in zip(made, roles, strict=True) if role == "app"),
        init_containers=tuple(one for one, role in zip(made, roles, strict=True) if role != "app"),
        labels=draw(st.dictionaries(label_keys, label_values, max_size=2)),
        annotations=draw(st.dictionaries(label_keys, texts, max_size=2)),
        volumes=declared,
        restart_policy=restart_policy,
        termination_grace_period_seconds=draw(st.integers(2, 5)),
        hostname=draw(maybe(st.just("own-name"))),
        host_network=host_network,
        host_pid=host_pid,
        host_ipc=draw(st.integers(0, 9)) == 9,
        share_process_namespace=not host_pid and draw(st.booleans()),
        host_aliases=()
        if host_network
        else draw(st.sampled_from([(), (s.HostAlias("10.0.0.7", ("db", "db.example.com")),)])),
        dns_policy="None" if (own_dns := draw(st.booleans())) else "ClusterFirst",
        dns_config=dns if own_dns else None,
        security_context=_some(draw, _RUNNABLE_POD_SECURITY),
        resources=draw(
            maybe(st.just(ResourceRequirements({}, {"cpu": Quantity.parse("1"), "memory": Quantity.parse("256Mi")})))
        ),
        infra=s.Infra(name=draw(maybe(st.just(f"{site.name}-pause")))),
        config_maps=(_CONFIG,),
        secrets=(_SECRET,),
    )
