# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands and variables of containers: values, references, expansion; and that secret ones show nowhere."""

from __future__ import annotations

import base64
import json
import os
import secrets
import socket
from pathlib import Path

import pytest
from pod_runs import SLEEP, PodRuns, container, plan, pod
from podman_host import BUSYBOX, PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils import observe

pytestmark = pytest.mark.integration

REPLACED = (
    "stop container web/main: {0}",
    "remove container web/main: {0}",
    "create container web/main: {0}",
    "start container web/main: {0}",
)


def replaced(cause: str) -> list[str]:
    return [line.format(cause) for line in REPLACED]


def test_command_args_and_working_directory(pods: PodRuns) -> None:
    script = 'echo "$0 $1 $PWD"; ' + SLEEP
    main = {
        "name": "main",
        "image": BUSYBOX,
        "command": ["sh", "-c", script],
        "args": ["$(GREETING)", "$$(GREETING) $(MISSING)"],
        "env": [{"name": "GREETING", "value": "hello"}],
        "working_dir": "/var",
    }
    pods.create(pod(main))
    pods.await_log("web-main", "hello $(GREETING) $(MISSING) /var")
    main["working_dir"] = "/etc"
    pods.change(pod(main), ["record pod web: containers changed", *replaced("working_dir changed")])
    pods.await_log("web-main", "hello $(GREETING) $(MISSING) /etc")
    main["args"] = ["bye", "now"]
    pods.change(pod(main), ["record pod web: containers changed", *replaced("args changed")])
    pods.await_log("web-main", "bye now /etc")


def test_image_command_with_args_of_ours(pods: PodRuns, tmp_path: Path) -> None:
    """The image's own entrypoint takes our args; a command of ours drops the image's arguments."""
    recipe = f'FROM {BUSYBOX}\nENTRYPOINT ["sh", "-c"]\nCMD ["echo image; sleep 600"]\n'
    (tmp_path / "Containerfile").write_text(recipe)
    pods.host.podman("build", "-q", "-t", "localhost/test/entry:1", str(tmp_path))
    image = {"image": "localhost/test/entry:1"}
    one, two = {"name": "one", **image}, {"name": "two", **image, "args": ["echo args; sleep 600"]}
    three = {"name": "three", **image, "command": ["sh", "-c", 'echo "command $#"; sleep 600']}
    pods.create(pod(one, two, three, termination_grace_period_seconds=0))
    pods.await_log("web-one", "image")
    pods.await_log("web-two", "args")
    pods.await_log("web-three", "command 0")


def test_values_and_references(pods: PodRuns) -> None:
    main = container(
        env_from=[
            {"prefix": "SET_", "config_map_ref": {"name": "settings"}},
            {"config_map_ref": {"name": "absent", "optional": True}},
        ],
        env=[
            {"name": "PLAIN", "value": "a b=c 'd' \"e\"\nf"},
            {"name": "LATER_WINS", "value": "first"},
            {"name": "LATER_WINS", "value": "second"},
            {"name": "SET_COLOR", "value": "overridden $(SET_SIZE)"},
            {"name": "SIZE", "value_from": {"config_map_key_ref": {"name": "settings", "key": "SIZE"}}},
            {"name": "NONE", "value_from": {"config_map_key_ref": {"name": "settings", "key": "x", "optional": True}}},
            {"name": "NESTED", "value": "$(SIZE)/$(LATER_WINS)/$$(SIZE)/$(AFTERWARDS)"},
            {"name": "AFTERWARDS", "value": "late"},
        ],
    )
    settings = {"name": "settings", "data": {"COLOR": "red", "SIZE": "12"}}
    options = pod(main, config_maps=[settings])
    pods.create(options)
    found = pods.environment("web-main")
    expected = {
        "PLAIN": "a b=c 'd' \"e\"\nf",
        "LATER_WINS": "second",
        "SET_COLOR": "overridden 12",
        "SET_SIZE": "12",
        "SIZE": "12",
        "NESTED": "12/second/$(SIZE)/$(AFTERWARDS)",
        "AFTERWARDS": "late",
    }
    assert {name: found.get(name) for name in expected} == expected
    assert "NONE" not in found
    assert found["PATH"] == "/bin"
    settings["data"]["SIZE"] = "13"
    changed = pods.change(options, ["record pod web: config_maps changed", *replaced("env changed")])
    assert pods.environment("web-main")["NESTED"] == "13/second/$(SIZE)/$(AFTERWARDS)"
    assert '"SIZE": "12"' in changed["diff"]["before"]
    assert '"SIZE": "13"' in changed["diff"]["after"]
    settings["data"]["UNRELATED"] = "x"
    main["env_from"] = main["env_from"][1:]
    main["env"] = main["env"][:1]
    pods.change(options, ["record pod web: config_maps, containers changed", *replaced("env changed")])
    assert set(pods.environment("web-main")) >= {"PLAIN"}
    assert "SIZE" not in pods.environment("web-main")


def test_facts_of_the_pod_and_of_the_host(pods: PodRuns) -> None:
    paths = {
        "NAME": "metadata.name",
        "NAMESPACE": "metadata.namespace",
        "UID_": "metadata.uid",
        "LABEL": "metadata.labels['app']",
        "NOTE": "metadata.annotations['example.org/note']",
        "NODE": "spec.nodeName",
        "IP": "status.podIP",
        "HOST_IP": "status.hostIP",
    }
    env = [{"name": name, "value_from": {"field_ref": {"field_path": path}}} for name, path in paths.items()]
    resources = {
        "CPU": {"resource": "limits.cpu", "divisor": "1m"},
        "CPU_CORES": {"resource": "limits.cpu"},
        "MEMORY": {"resource": "requests.memory", "divisor": "1Mi"},
        "OTHER": {"resource": "limits.memory", "divisor": "1Mi", "container_name": "other"},
    }
    env += [{"name": name, "value_from": {"resource_field_ref": ref}} for name, ref in resources.items()]
    main = container(env=env, resources={"limits": {"cpu": "250m"}, "requests": {"memory": "10Mi"}})
    other = container("other", resources={"limits": {"memory": "24Mi"}})
    options = pod(main, other, labels={"app": "shop"}, annotations={"example.org/note": "spring"})
    pods.create(options)
    found = pods.environment("web-main")
    assert found["NAME"] == "web"
    assert found["NAMESPACE"] == "default"
    assert len(found["UID_"]) == 36
    assert found["LABEL"] == "shop"
    assert found["NOTE"] == "spring"
    assert found["NODE"] == socket.gethostname()
    assert f"inet {found['IP']}/" in pods.run_in("web-main", "ip", "-4", "address")
    assert found["HOST_IP"] == pods.unchanged(options)["pod"]["status"]["hostIP"]
    assert (found["CPU"], found["CPU_CORES"], found["MEMORY"], found["OTHER"]) == ("250", "1", "10", "24")
    options["labels"] = {"app": "shop", "tier": "front"}
    pods.change(options, ["record pod web: labels changed"])
    options["labels"] = {"app": "store"}
    pods.change(options, ["record pod web: labels changed", *replaced("env changed")])
    assert pods.environment("web-main")["LABEL"] == "store"
    assert pods.environment("web-main")["UID_"] == found["UID_"]


# --- secrets ---------------------------------------------------------------------------------------------------------


def everything_shown(host: PodmanHost) -> str:
    """All that Podman tells of containers, pods, volumes, secrets and images, and every process's command line."""
    told = host.podman("ps", "-a", "--format", "json") + host.podman("pod", "ps", "--format", "json")
    for kind in ("container", "pod", "volume", "secret", "image"):
        listed = host.podman(kind, "ps" if kind == "pod" else "ls", "-q", *(["-a"] if kind == "container" else []))
        for name in sorted({*listed.split()}):
            told += host.podman(kind, "inspect", name)
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            told += process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    return told


def readable_by_others(directory: Path, value: str) -> list[Path]:
    """Files below a directory that hold a value and that another user can reach and read."""
    found = []
    for parent, directories, files in os.walk(directory):
        directories[:] = [name for name in directories if (Path(parent) / name).stat().st_mode & 0o001]
        for path in (Path(parent) / name for name in files):
            if not path.is_symlink() and path.is_file() and path.stat().st_mode & 0o004:
                found += [path] if value.encode() in path.read_bytes() else []
    return found


def secret_pod(value: str, **fields: object) -> dict[str, object]:
    main = container(
        env_from=[{"prefix": "ALL_", "secret_ref": {"name": "login"}}],
        env=[
            {"name": "PASSWORD", "value_from": {"secret_key_ref": {"name": "login", "key": "password"}}},
            {"name": "URL", "value": "db://user:$(PASSWORD)@localhost"},
            {"name": "PLAIN", "value": "open"},
        ],
        volume_mounts=[{"name": "login", "mount_path": "/run/login"}],
        **fields,
    )
    return pod(
        main,
        volumes=[{"name": "login", "secret": {"secret_name": "login"}}],
        secrets=[{"name": "login", "string_data": {"password": value}}],
    )


def assert_hidden(pods: PodRuns, value: str, result: dict[str, object]) -> None:
    shown = everything_shown(pods.host)
    for form in (value, base64.b64encode(value.encode()).decode()):
        assert form not in shown
        assert form not in json.dumps({**result, "secrets": ()})
    assert value in result["secrets"]  # type: ignore[operator]
    assert readable_by_others(pods.host.directory, value) == []


def test_secret_shows_nowhere(pods: PodRuns) -> None:
    value = f"pa$$'\"{secrets.token_hex(12)} \\ `x`"
    result = pods.create(secret_pod(value))
    found = pods.environment("web-main")
    assert found["PASSWORD"] == found["ALL_password"] == value
    assert found["URL"] == f"db://user:{value}@localhost"
    assert pods.read("web-main", "/run/login/password") == value
    assert result["warnings"] == []
    assert_hidden(pods, value, result)
    another = f"other-{secrets.token_hex(12)}"
    changed = pods.change(
        secret_pod(another),
        ["record pod web: secrets changed", "write volume web/login: content changed", *replaced("secret env changed")],
    )
    assert pods.environment("web-main")["PASSWORD"] == another
    for each in (value, another):
        shown = everything_shown(pods.host)
        assert each not in shown
        assert each not in json.dumps({**changed, "secrets": ()})
    assert changed["diff"]["before"] != changed["diff"]["after"]
    # With the last reference gone nothing of it stays in the container.
    pods.apply(pod(container()))
    assert another not in "".join(pods.environment("web-main").values())
    assert not any(another.encode() in path.read_bytes() for path in files_of(pods.host, "containers"))


def files_of(host: PodmanHost, kind: str) -> list[Path]:
    return [path for path in (host.state_directory / "pods" / "web" / kind).rglob("*") if path.is_file()]


def test_secret_in_an_image_without_a_shell(pods: PodRuns, tmp_path: Path) -> None:
    """The command is found in PATH and started without help from the image."""
    value = secrets.token_hex(12)
    (tmp_path / "Containerfile").write_text(
        f"FROM {BUSYBOX} AS tools\nFROM scratch\nCOPY --from=tools /bin/busybox /opt/sleep\nENV PATH=/none:/opt\n"
        'CMD ["sleep", "600"]\n'
    )
    pods.host.podman("build", "-q", "-t", "localhost/test/bare:1", str(tmp_path))
    options = secret_pod(value, image="localhost/test/bare:1", command=[])
    options["termination_grace_period_seconds"] = 0
    result = pods.create(options)
    assert sorted(path.name for path in (pods.root("web-main") / "opt").iterdir()) == ["sleep"]
    assert not (pods.root("web-main") / "bin").exists()
    assert pods.environment("web-main")["PASSWORD"] == value
    assert Path(f"/proc/{pods.pid('web-main')}/cmdline").read_bytes() == b"/opt/sleep\x00600\x00"
    assert_hidden(pods, value, result)


def test_secret_with_another_user(pods: PodRuns) -> None:
    value = secrets.token_hex(12)
    pods.create(secret_pod(value, security_context={"run_as_user": 1000, "run_as_group": 1000}))
    assert pods.status("web-main")["Uid"].split() == ["1000"] * 4
    assert pods.environment("web-main")["PASSWORD"] == value


def test_secret_reaches_hooks_and_probes(pods: PodRuns) -> None:
    value = secrets.token_hex(12)
    ready = {"exec": {"command": ["sh", "-c", 'test "$PASSWORD" = "$(cat /run/login/password)"']}, "period_seconds": 1}
    hook = {"post_start": {"exec": {"command": ["sh", "-c", 'echo "$URL" > /tmp/url']}}}
    result = pods.create(secret_pod(value, readiness_probe=ready, lifecycle=hook), wait=True, wait_timeout=10)
    assert pods.read("web-main", "/tmp/url") == f"db://user:{value}@localhost\n"
    assert_hidden(pods, value, result)


def test_secret_on_a_host_without_a_static_busybox(pods: PodRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then Podman keeps the variables as its own secrets, and the run says what that means."""
    monkeypatch.setattr(observe, "_static_busybox", lambda: None)
    value = secrets.token_hex(12)
    result = pods.create(secret_pod(value))
    assert result["warnings"] == [
        "pod web: secret-env: podman inspect shows secret variables to root, since this host has no static busybox; "
        "install busybox-static, or mount the secrets as files"
    ]
    assert pods.environment("web-main")["URL"] == f"db://user:{value}@localhost"
    assert value not in json.dumps({**result, "secrets": ()})
    assert len(pods.host.podman("secret", "ls", "-q").split()) == 3
    pods.apply({"name": "web", "state": "absent"})
    assert pods.host.podman("secret", "ls", "-q") == ""


def test_generated_secret_is_kept(pods: PodRuns) -> None:
    main = container(env_from=[{"secret_ref": {"name": "made"}}])
    options = pod(main, secrets=[{"name": "made", "generate": {"KEY": 40}}])
    result = pods.create(options)
    value = pods.environment("web-main")["KEY"]
    assert len(value) == 40
    assert_hidden(pods, value, result)
    pods.apply({"name": "web", "state": "absent"})
    pods.create(options)
    assert pods.environment("web-main")["KEY"] == value
    options["secrets"][0]["generate"]["SECOND"] = 12
    changed = pods.apply(options)
    assert plan(changed) == ["record pod web: secrets changed", *replaced("secret env changed")]
    assert pods.environment("web-main")["KEY"] == value
    assert len(pods.environment("web-main")["SECOND"]) == 12
    assert_hidden(pods, pods.environment("web-main")["SECOND"], changed)
