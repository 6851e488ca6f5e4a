# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands and variables of containers: values, references, expansion; and that secret ones show nowhere."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from pod_runs import SLEEP, PodRuns, await_true, container, plan, pod
from podman_host import BUSYBOX, PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils._errors import Refused
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.rendering import start_program

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


def everything_shown(host: PodmanHost, besides: int = 0) -> str:
    """All that Podman tells of containers, pods, volumes, secrets and images, and every process's command line.

    That of one process may be left out.
    """
    told = host.podman("ps", "-a", "--format", "json") + host.podman("pod", "ps", "--format", "json")
    for kind in ("container", "pod", "volume", "secret", "image"):
        listed = host.podman(kind, "ps" if kind == "pod" else "ls", "-q", *(["-a"] if kind == "container" else []))
        for name in sorted({*listed.split()}):
            told += host.podman(kind, "inspect", name)
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            told += (
                ""
                if process.parent.name == str(besides)
                else process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
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
    assert Path(f"/proc/{pods.pid('web-main')}/cmdline").read_bytes() == b"sleep\x00600\x00"
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


def test_a_machine_without_a_start_program_is_refused(pods: PodRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that could not be handed over unseen is not handed over at all."""
    monkeypatch.setattr(start_program, "program", lambda machine: None)
    message = pods.refuse(secret_pod("tiger"), Refused)
    assert "web/main: secret variables (ALL_password, PASSWORD, URL) cannot be handed over unseen: there" in message
    assert "mount the secrets as files" in message
    assert "tiger" not in message
    pods.create(pod(container(env=[{"name": "PLAIN", "value": "open"}])))


ODD_NAMES = ("cluster.name", "my-dash", "IFS", "PWD", "SHLVL", "OPTIND", "PPID", "PS1", "spring.datasource.password")
EVERY_CHARACTER = "".join(map(chr, range(1, 0x180))) + "\u2028\U0001f433"


def odd_pod(value: str, **fields: object) -> dict[str, object]:
    """A container of an image with a dotted variable, with secret variables that no shell would take or keep."""
    data = dict.fromkeys(ODD_NAMES, f"{value}{EVERY_CHARACTER}")
    data |= {f"N{number}": f"{value}{number}" for number in range(100)}
    data["LONG"] = value * (100_000 // len(value))
    main = container(
        image="localhost/test/dotted:1",
        env_from=[{"secret_ref": {"name": "odd"}}],
        env=[{"name": "plain.dotted", "value": "open"}],
        **fields,
    )
    return pod(main, secrets=[{"name": "odd", "string_data": data}])


@pytest.fixture
def dotted_image(pods: PodRuns, tmp_path: Path) -> None:
    (tmp_path / "Containerfile").write_text(f"FROM {BUSYBOX}\nENV img.dotted=of-the-image IFS=image-ifs\n")
    pods.host.podman("build", "-q", "-t", "localhost/test/dotted:1", str(tmp_path))


@pytest.mark.usefixtures("dotted_image")
def test_variables_are_exactly_those_that_are_declared(pods: PodRuns) -> None:
    """Beside what Podman gives to a container of the image anyway: no shell adds, drops or changes one."""
    value = secrets.token_hex(12)
    pods.host.podman("run", "-d", "--name", "bare", "localhost/test/dotted:1", "sleep", "600")
    without = pods.environment("bare")
    pods.host.podman("rm", "-f", "-t0", "bare")
    options = odd_pod(value)
    result = pods.create(options)
    declared = {**options["secrets"][0]["string_data"], "plain.dotted": "open"}  # type: ignore[index]
    found = pods.environment("web-main")
    expected = {**without, **declared, "HOSTNAME": "web"}
    assert {name for name in {*found, *expected} if found.get(name) != expected.get(name)} == set()
    assert value not in everything_shown(pods.host)
    assert result["warnings"] == []
    # Podman starts it again by itself, and by hand: with the very same.
    before = pods.pid("web-main")
    os.kill(before, signal.SIGKILL)
    await_true(lambda: pods.state("web-main") == "running" and pods.pid("web-main") not in (0, before), 60)
    assert pods.environment("web-main") == found
    pods.host.podman("restart", "-t0", "web-main")
    assert pods.environment("web-main") == found


@pytest.mark.usefixtures("dotted_image")
def test_neither_podman_nor_its_log_knows_a_secret(pods: PodRuns) -> None:
    """Not in what Podman keeps or logs at its most talkative, nor in any process but the container's own."""
    value = secrets.token_hex(12)
    ready = {"exec": {"command": ["sh", "-c", "exit 0"]}, "period_seconds": 1}
    pods.create(odd_pod(value, readiness_probe=ready), wait=True, wait_timeout=60)
    told = subprocess.run(
        ["podman", "--log-level=debug", "restart", "-t0", "web-main"],
        env=pods.host.environment_without_service,
        capture_output=True,
        check=True,
        text=True,
    )
    assert "level=debug" in told.stderr
    assert value not in told.stdout + told.stderr
    for store in ("root", "run", "tmp"):
        kept = [path for path in (pods.host.directory / store).rglob("*") if path.is_file() and not path.is_symlink()]
        assert kept
        assert [path for path in kept if "/overlay/" not in str(path) and value.encode() in path.read_bytes()] == []
    session = exec_session(pods.host, ["/.podwright/start", "sleep", "600"])
    assert value not in json.dumps(session)
    assert value not in everything_shown(pods.host)
    pid = int(session["Pid"])
    await_true(lambda: Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x00600\x00")
    raw = Path(f"/proc/{pid}/environ").read_bytes().decode()
    assert f"\0cluster.name={value}" in "\0" + raw


def exec_session(host: PodmanHost, command: list[str]) -> dict[str, object]:
    """Podman's word on a command that it has begun in the container."""
    as_json = {"Content-Type": "application/json"}
    with host.api() as api:
        made = api.post("/containers/web-main/exec", data=json.dumps({"Cmd": command}), headers=as_json)
        session = made.json()["Id"]
        begun = api.post(f"/exec/{session}/start", data=json.dumps({"Detach": True}), headers=as_json)
        begun.raise_for_status()
        return dict(api.get(f"/exec/{session}/json").json())


def test_secret_among_a_commands_words(pods: PodRuns) -> None:
    """It reaches the program, and its process shows it: Podman does not. A probe's words are not expanded."""
    value = f"{secrets.token_hex(12)} 'q' $x"
    ready = {"exec": {"command": ["sh", "-c", 'test "$0" = "\\$(PASSWORD)" && test -n "$PASSWORD"', "$(PASSWORD)"]}}
    main = container(
        command=["sh", "-c", SLEEP, "word", "--password=$(PASSWORD)"],
        args=["$(URL)", "$$(URL)", "$(NAME)"],
        env=[
            {"name": "PASSWORD", "value_from": {"secret_key_ref": {"name": "login", "key": "password"}}},
            {"name": "URL", "value": "db://$(PASSWORD)@localhost"},
            {"name": "NAME", "value": "open"},
        ],
        readiness_probe={**ready, "period_seconds": 1},
    )
    options = pod(main, secrets=[{"name": "login", "string_data": {"password": value}}])
    result = pods.create(options, wait=True, wait_timeout=60)
    assert result["warnings"] == [
        "pod web: secret-args: the commands of main name secret variables, so the values show in the host's list of "
        "processes for as long as these run; let the programs read them from their environment or a file"
    ]
    pid = pods.pid("web-main")
    words = [f"--password={value}", f"db://{value}@localhost", "$(URL)", "open"]
    assert Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[4:-1] == words
    shown = everything_shown(pods.host, besides=pid)
    assert value not in shown
    assert json.dumps(value)[1:-1] not in shown
    assert pods.host.inspect("web-main")["Config"]["Entrypoint"] == "/.podwright/start"
    assert pods.host.podman("top", "web-main", "comm").split() == ["COMMAND", "sh", "sleep"]
    options["containers"][0]["args"] = ["$(NAME)"]  # type: ignore[index]
    options["containers"][0]["command"] = ["sh", "-c", SLEEP]  # type: ignore[index]
    changed = pods.apply(options)
    assert changed["warnings"] == []
    assert pods.host.inspect("web-main")["Config"]["Cmd"] == ["sh", "-c", SLEEP, "open"]


def test_secret_in_a_path_is_refused(pods: PodRuns) -> None:
    main = container(
        env=[{"name": "PASSWORD", "value_from": {"secret_key_ref": {"name": "login", "key": "password"}}}],
        volume_mounts=[{"name": "data", "mount_path": "/data", "sub_path_expr": "of-$(PASSWORD)"}],
    )
    secret = {"name": "login", "string_data": {"password": "tiger"}}
    message = pods.refuse(pod(main, volumes=[{"name": "data", "empty_dir": {}}], secrets=[secret]), Refused)
    assert "web/main: the sub_path_expr of /data names a secret variable" in message
    assert "tiger" not in message


def test_variable_that_is_too_long_is_refused(pods: PodRuns) -> None:
    secret = {"name": "login", "string_data": {"LONG": "x" * 131_067}}
    options = pod(container(env_from=[{"secret_ref": {"name": "login"}}]), secrets=[secret])
    message = pods.refuse(options, Refused)
    assert "variable LONG has 131072 bytes with its name, and Linux hands over at most 131071 in one" in message
    secret["string_data"] = {"LONG": "x" * 131_066}
    pods.create(options)
    assert len(pods.environment("web-main")["LONG"]) == 131_066


@pytest.mark.parametrize("user", [0, 1000])
def test_only_the_starting_user_may_read_the_file_of_secrets(pods: PodRuns, user: int) -> None:
    """A server that has given up its first user's rights cannot read what only that one was given."""
    value = secrets.token_hex(12)
    pods.create(secret_pod(value, security_context={"run_as_user": user}))
    assert pods.environment("web-main")["PASSWORD"] == value
    read = ["exec", "-u", "33", "web-main", "cat", "/.podwright/data"]
    assert pods.host.podman(*read, check=False) == ""
    assert value in pods.host.podman("exec", "-u", str(user), "web-main", "cat", "/.podwright/data")


def test_container_of_the_first_release_goes_on(pods: PodRuns) -> None:
    """One that a start script of busybox began is left alone, probed as it was, and made anew when it changes."""
    value = secrets.token_hex(12)
    ready = {"exec": {"command": ["sh", "-c", 'test "$PASSWORD" = "$(cat /run/login/password)"']}, "period_seconds": 1}
    options = secret_pod(value, readiness_probe=ready)
    pods.create(options)
    begin_as_the_first_release_did(pods.host, value)
    identity = pods.identity("web-main")
    result = pods.apply(options, wait=True, wait_timeout=60)
    assert result["actions"] == []
    assert pods.identity("web-main") == identity
    another = secrets.token_hex(12)
    changed = pods.apply(secret_pod(another, readiness_probe=ready), wait=True, wait_timeout=60)
    assert "remove container web/main: secret env changed" in plan(changed)
    assert pods.environment("web-main")["PASSWORD"] == another
    assert not (pods.host.state_directory / "pods/web/containers/main/start").exists()
    assert pods.host.podman("secret", "ls", "-q") == ""


def begin_as_the_first_release_did(host: PodmanHost, value: str) -> None:
    """In place of the container its like with a start script, and a Podman secret as where there was no busybox."""
    found = host.inspect("web-main")
    directory = host.state_directory / "pods/web/containers/main"
    shutil.rmtree(directory / "environment")
    (directory / "start").mkdir()
    script = f'export PASSWORD={value} ALL_password={value} URL=db://user:{value}@localhost\nexec "$@"\n'
    (directory / "start" / "start").write_text(script)
    host.podman("rm", "-f", "-t0", "web-main")
    host.podman("secret", "create", "podwright_web_main_0", "-", input=value.encode())
    labels = [word for name, text in found["Config"]["Labels"].items() for word in ("--label", f"{name}={text}")]
    mounts = {m["Source"]: m["Destination"] for m in found["Mounts"] if m["Destination"] != "/.podwright"}
    mounts |= {"/bin/busybox": "/.podwright/busybox", str(directory / "start/start"): "/.podwright/start"}
    volumes = [word for source, destination in mounts.items() for word in ("-v", f"{source}:{destination}")]
    start = ["--entrypoint", json.dumps(["/.podwright/busybox", "sh", "/.podwright/start"])]
    given = ["--pod", "web", "--name", "web-main", "--restart", "always", "-e", "PLAIN=open", "--stop-timeout=2", "-c2"]
    host.podman("create", *given, *labels, *volumes, *start, BUSYBOX, "sh", "-c", SLEEP)
    host.podman("start", "web-main")


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
