# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`podwright` as a person calls it: in a shell, in a pipe, and in terminals wide and narrow."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from agent_process import AgentProcess
from command_line import CommandLine
from pod_runs import PATIENCE_SECONDS, SLEEP, await_true, container, pod, server
from podman_host import BUSYBOX

pytestmark = pytest.mark.integration

SECRET = "correct-horse-battery"
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
MANIFEST = f"""\
apiVersion: v1
kind: Secret
metadata: {{name: database}}
stringData: {{password: {SECRET}}}
---
apiVersion: v1
kind: Pod
metadata: {{name: shop-web, labels: {{app: shop}}}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: {BUSYBOX}
      command: [sh, -c, "{SLEEP}"]
      env:
        - {{name: PASSWORD, valueFrom: {{secretKeyRef: {{name: database, key: password}}}}}}
"""


@pytest.fixture
def command(agent: AgentProcess) -> CommandLine:
    return CommandLine(agent)


def read_until(process: subprocess.Popen[str], text: str, timeout_seconds: float = PATIENCE_SECONDS) -> str:
    """The first line of what a process prints that has the text."""
    assert process.stdout is not None
    deadline = time.monotonic() + timeout_seconds
    for line in process.stdout:
        if text in line:
            return line
        assert time.monotonic() < deadline
    raise AssertionError(f"ended without {text}")


def with_secret(**fields: Any) -> dict[str, Any]:
    """A web server with a sidecar, which has a secret as a variable and as a file."""
    source = {"secret_key_ref": {"name": "database", "key": "password"}}
    main = server(
        env=[{"name": "PASSWORD", "value_from": source}, {"name": "MODE", "value": "fast"}],
        volume_mounts=[{"name": "keys", "mount_path": "/keys"}],
        resources={"limits": {"cpu": "500m", "memory": "64Mi"}},
    )
    return pod(
        main,
        container("log", "while true; do echo tick; sleep 0.2; done"),
        init_containers=[container("prepare", "echo prepared")],
        volumes=[{"name": "keys", "secret": {"secret_name": "database"}}],
        secrets=[{"name": "database", "string_data": {"password": SECRET}}],
        labels={"app": "web"},
        **fields,
    )


def test_generated_secrets(agent: AgentProcess, command: CommandLine) -> None:
    """Told without their values, rotated after a question, removed once nothing declares them; exec has them."""
    env = [{"name": "TOKEN", "value_from": {"secret_key_ref": {"name": "tokens", "key": "made"}}}]
    declared = pod(container(env=env), secrets=[{"name": "tokens", "generate": {"made": 16}}])
    assert command.run("secrets", "list").stderr == "nothing was generated on this host\n"
    agent.apply(declared, wait=True)

    def token() -> str:
        return command.shows("exec", "web", "--", "sh", "-c", 'echo "$TOKEN"').strip()

    first = token()
    assert len(first) == 16
    (row,) = command.table("secrets", "list")
    assert (row["OWNER"], row["NAME"], row["KEY"], row["DECLARED"]) == ("pod/web", "tokens", "made", "yes")
    assert first not in command.shows("get", "secrets", "-o", "json")
    planned = command.shows("secrets", "rotate", "web/tokens", "--dry-run")
    assert planned.startswith("#1 rotate secret tokens (made) of pod web: asked for\n")
    assert token() == first
    assert "give --yes" in command.run("secrets", "rotate", "web/tokens").stderr
    told = command.shows("secrets", "rotate", "web/tokens", "made", "--yes")
    assert told.endswith("secret web/tokens rotated\n")
    assert token() != first
    assert "SecretRotated" in agent.reasons("web", "")
    assert "declares tokens" in command.fails("secrets", "remove", "web", "--yes")
    command.shows("delete", "pod", "web", "--yes")
    assert command.table("secrets", "list")[0]["DECLARED"] == "no"
    assert command.shows("secrets", "remove", "web/tokens", "--yes") == "web/tokens removed\n"
    assert command.run("secrets", "list").stdout == ""
    assert "give OWNER/NAME" in command.run("secrets", "rotate", "web").stderr


# --- what there is ---------------------------------------------------------------------------------------------------


def test_get_pods(agent: AgentProcess, command: CommandLine) -> None:
    assert command.run("get", "pods").stderr == "no pods found\n"
    agent.apply(with_secret(), wait=True)
    agent.apply(pod(container(script="exit 3"), name="breaks"), wait=False)
    agent.apply(pod(container(script="true"), name="job", restart_policy="Never"), wait=True)
    await_true(lambda: "BackOff" in agent.reasons("breaks"))
    found = {row["NAME"]: row for row in command.table("get", "pods")}
    assert {name: (row["READY"], row["STATUS"]) for name, row in found.items()} == {
        "breaks": ("0/1", "CrashLoopBackOff"),
        "job": ("0/1", "Completed"),
        "web": ("2/2", "Running"),
    }
    assert re.fullmatch(r"\d+ \(\d+s ago\)", found["breaks"]["RESTARTS"])
    assert found["web"]["RESTARTS"] == "0"
    assert re.fullmatch(r"\d+s", found["web"]["AGE"])
    (wide,) = command.table("get", "po", "web", "-o", "wide")
    assert (wide["QOS"], wide["NODE"], wide["STACK"], wide["IMAGES"]) == (
        "Burstable",
        os.uname().nodename,
        "-",
        BUSYBOX,
    )
    assert wide["IP"] == agent.status("web")["podIP"]
    assert command.shows("get", "pods", "-l", "app=web", "-o", "name") == "pod/web\n"
    assert command.shows("get", "pod", "job", "web", "-o", "name") == "pod/job\npod/web\n"
    mixed = command.run("get", "pods", "none", "job")
    assert (mixed.returncode, mixed.stderr) == (1, "podwright: there is no pod none\n")
    assert mixed.stdout.splitlines()[1].startswith("job")
    assert json.loads(command.shows("get", "pods", "web", "-o", "json"))["metadata"]["name"] == "web"
    listed = yaml.safe_load(command.shows("get", "pods", "-o", "yaml"))
    assert [item["metadata"]["name"] for item in listed["items"]] == ["breaks", "job", "web"]
    assert listed == {**json.loads(command.shows("get", "pods", "-o", "json")), "items": listed["items"]}


def test_tables_fit_their_terminals(agent: AgentProcess, command: CommandLine) -> None:
    agent.apply(
        {"name": "shop", "pods": [pod(name="a-pod-with-a-long-name"), pod(name="shop-db")]}, change_cause="first"
    )
    agent.apply(pod(container(script="exit 3"), name="breaks"), wait=False)
    await_true(lambda: "BackOff" in agent.reasons("breaks"))
    calls = (
        ("get", "pods"),
        ("get", "pods", "-o", "wide"),
        ("get", "stacks"),
        ("events",),
        ("top",),
        ("describe", "pod", "breaks"),
        ("health",),
    )
    for columns in (80, 40):
        for call in calls:
            text, code = command.on_terminal(columns, *call)
            lines = ESCAPES.sub("", text).splitlines()
            assert code == 0, text
            assert max(map(len, lines)) <= columns, text
            assert len(lines) > 1
    text, _code = command.on_terminal(80, "get", "pods")
    assert "\x1b[31mCrashLoopBackOff" in text
    # All names are whole and on one line, however narrow it is.
    narrow = ESCAPES.sub("", command.on_terminal(40, "get", "pods")[0])
    assert [line.split()[0] for line in narrow.splitlines()[1:]] == ["a-pod-with-a-long-name", "breaks", "shop-db"]
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        for call in calls[:2]:
            assert "\x1b" not in command.on_terminal(80, *call, **environment)[0]


def test_watch_shows_what_changes(agent: AgentProcess, command: CommandLine) -> None:
    agent.apply(pod(server()), wait=True)
    with command.following("get", "pods", "-w") as watching, command.following("events", "-w") as events:
        assert read_until(watching, "web").split()[1:3] == ["1/1", "Running"]
        agent.apply(pod(container(script="exit 3"), name="other"), wait=False)
        assert read_until(watching, "other")
        assert "other/main" in read_until(events, "BackOff")
        agent.apply({"name": "web", "state": "absent"})
        assert read_until(watching, "Deleted").startswith("web")


def test_describe(agent: AgentProcess, command: CommandLine) -> None:
    failing = container(readiness_probe={"tcp_socket": {"port": 99}, "period_seconds": 1})
    agent.apply({"name": "shop", "pods": [pod(failing)]}, wait=False)
    await_true(lambda: "Unhealthy" in agent.reasons("web"))
    text = command.shows("describe", "pod", "web")
    for pattern in (
        r"Name: +web",
        r"Stack: +shop",
        r"Status: +Running",
        r"Reason: +containers with unready status: \[main\]",
        r"  main:\n    Image: +" + BUSYBOX,
        r"    Podman: +web-main \([0-9a-f]{12}\)",
        r"    Readiness: +tcp://:99 \(delay 0s",
        r"    Probe said: +tcp://\S+:99: Connection refused",
        r"Conditions:\n  TYPE +STATUS +SINCE +REASON\n",
        r"  Ready +False +\d+s +ContainersNotReady",
        r"Events:\n  LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n",
        r"Warning +Unhealthy +web/main",
    ):
        assert re.search(pattern, text), pattern
    assert command.fails("describe", "pod", "none") == "podwright: there is no pod none\n"


def test_top(agent: AgentProcess, command: CommandLine) -> None:
    agent.apply(with_secret(), wait=True)
    (row,) = command.table("top")
    assert (row["NAME"], row["CPU LIMIT"], row["MEMORY LIMIT"]) == ("web", "-", "-")
    found = {row["NAME"]: row for row in command.table("top", "pods", "--containers")}
    assert sorted(found) == ["web/log", "web/main"]
    assert re.fullmatch(r"500m \(\d+%\)", found["web/main"]["CPU LIMIT"])
    assert re.fullmatch(r"64Mi \(\d+%\)", found["web/main"]["MEMORY LIMIT"])
    assert re.fullmatch(r"\d+m", found["web/main"]["CPU"])


# --- into containers -------------------------------------------------------------------------------------------------


def test_logs(agent: AgentProcess, command: CommandLine) -> None:
    agent.apply(pod(container(script=f"seq 1 200; {SLEEP}"), name="many"), wait=True)
    # What a container has written its monitor writes down a moment later.
    await_true(lambda: command.shows("logs", "many").split() == [str(number) for number in range(1, 201)])
    assert command.shows("logs", "many", "--tail", "2") == "199\n200\n"
    assert command.shows("logs", "many", "--tail", "0") == ""
    agent.apply(with_secret(), wait=True)
    assert command.shows("logs", "web", "-c", "prepare") == "prepared\n"
    default = command.run("logs", "web")
    assert default.returncode == 0
    assert default.stderr == "container main, out of main, log, prepare (init); -c chooses another one\n"
    with command.following("logs", "web", "-c", "log", "-f", "--tail", "1") as following:
        for _number in range(3):
            assert read_until(following, "tick") == "tick\n"
    text = command.fails("logs", "web", "-c", "none")
    assert text == "podwright: pod web has no container none, but main, log, prepare (init)\n"
    assert "has not been started again" in command.fails("logs", "many", "-p")


def test_logs_of_the_run_before(agent: AgentProcess, command: CommandLine) -> None:
    agent.apply(pod(container(script="echo it breaks; exit 3"), name="breaks"), wait=False)
    await_true(lambda: agent.container("breaks")["restartCount"] > 0)
    assert command.shows("logs", "breaks", "-p") == "it breaks\n"


def test_exec(agent: AgentProcess, command: CommandLine) -> None:
    agent.apply(pod(), wait=True)
    done = command.run("exec", "web", "--", "sh", "-c", "echo out; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "")
    assert command.run("exec", "web", "-c", "main", "--", "no-such-program").returncode in (126, 127)
    assert command.run("exec", "-i", "web", "--", "cat", stdin="by standard input").stdout == "by standard input"
    assert command.run("exec", "-i", "web", "--", "sh", "-c", "exit 5").returncode == 5
    text, code = command.on_terminal(61, "exec", "web", "-it", "--", "sh", "-c", "stty size; exit 4")
    assert (text.split(), code) == (["50", "61"], 4)
    assert command.fails("exec", "none", "--", "true") == "podwright: there is no pod none\n"


# --- changes ---------------------------------------------------------------------------------------------------------


def test_apply_and_delete(agent: AgentProcess, command: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(MANIFEST)
    native = {"name": "shop", "pods": [pod(name="shop-db")], "depends_on": {"shop-web": [{"pod": "shop-db"}]}}
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(native))
    planned = command.shows("apply", "-f", str(tmp_path), "--dry-run").splitlines()
    assert planned[0] == "#1 record revision 1 of stack shop: it is not recorded yet"
    assert planned[-1] == "stack shop: pods 2 created (dry run, nothing was done)"
    assert agent.client.get("/pods") == []
    done = command.shows("apply", "-f", str(tmp_path), "--cause", "the first one").splitlines()
    assert done[:-1] == planned[:-1]
    assert done[-1] == "stack shop, revision 1: pods 2 created"
    assert command.shows("apply", "-f", str(tmp_path)) == "stack shop, revision 1: nothing to do\n"
    (row,) = command.table("get", "stacks")
    assert (row["NAME"], row["STATUS"], row["READY"], row["REVISION"]) == ("shop", "Ready", "2/2", "1")
    assert row["CAUSE"] == "the first one"
    assert command.table("get", "pods", "-o", "wide")[0]["STACK"] == "shop"
    # From standard input, under another name.
    alone = MANIFEST.replace("shop-web", "alone")
    assert "pods 1 created" in command.shows("apply", "-f", "-", "--stack", "other", stdin=alone)
    assert command.shows("get", "stacks", "-o", "name") == "stack/other\nstack/shop\n"
    assert "give --yes" in command.fails("delete", "pod", "alone", code=2)
    text, code = command.on_terminal(80, "delete", "pod", "alone", answer="n\n")
    assert code == 1, text
    assert "nothing was changed" in text
    assert command.shows("get", "pods", "alone", "-o", "name") == "pod/alone\n"
    text, code = command.on_terminal(80, "delete", "pod", "alone", answer="y\n")
    assert code == 0, text
    assert "pod alone belongs to stack other, which makes it again when it is applied" in text
    assert "pod alone removed" in text
    assert command.fails("delete", "pod", "alone", "--yes") == "podwright: there is no pod alone\n"
    assert command.shows("delete", "stack", "shop", "--yes").endswith("stack shop removed\n")
    assert command.shows("get", "pods", "-o", "name") == ""
    assert command.fails("delete", "stack", "shop", "--yes") == "podwright: there is no stack shop\n"


def test_delete_at_once(agent: AgentProcess, command: CommandLine) -> None:
    stubborn = container(script="trap '' TERM; while :; do sleep 0.1; done")
    agent.apply(pod(stubborn, termination_grace_period_seconds=600))
    twice = command.fails("delete", "pod", "web", "--yes", "--now", "--grace-period=5", code=2)
    assert "--now is a grace period of 1 second" in twice
    assert command.shows("delete", "pod", "web", "--yes", "--grace-period=0") == "pod web removed\n"


def test_a_failure_shows_nothing_that_a_terminal_obeys(
    agent: AgentProcess, command: CommandLine, tmp_path: Path
) -> None:
    script = r"printf '\033[2J\033]0;title\007lost\n'; exit 1"
    options = {"name": "shop", "wait_timeout": 60, "pods": [pod(container(script=script), restart_policy="Never")]}
    (tmp_path / "shop.yml").write_text(yaml.safe_dump(options))
    said = command.fails("apply", "-f", str(tmp_path))
    assert r"\x1b[2J\x1b]0;title\x07lost" in said
    assert "\x1b" not in said


def test_volumes_go_only_when_asked(agent: AgentProcess, command: CommandLine, tmp_path: Path) -> None:
    claim = {"name": "data", "persistent_volume_claim": {"claim_name": "shop-data"}}
    main = container(volume_mounts=[{"name": "data", "mount_path": "/data"}])
    (tmp_path / "shop.yml").write_text(yaml.safe_dump({"name": "shop", "pods": [pod(main, volumes=[claim])]}))
    for arguments, is_left in (((), True), (("--volumes",), False)):
        command.shows("apply", "-f", str(tmp_path))
        command.shows("delete", "stack", "shop", "--yes", *arguments)
        assert ("shop-data" in agent.host.podman("volume", "ls", "-q").split()) is is_left


def test_what_apply_refuses(agent: AgentProcess, command: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "shop.yml"
    broken = {"name": "shop", "podz": [], "pods": [pod({"name": "main", "image": BUSYBOX, "porst": 1})]}
    path.write_text(yaml.safe_dump(broken))
    text = command.fails("apply", "-f", str(path))
    assert text.splitlines()[0] == "podwright: 2 faults; nothing was changed:"
    assert "  podz: is not a known field; did you mean pods?" in text
    assert "  pods[0].containers[0].porst: is not a known field; did you mean ports?" in text
    absent = container(image="localhost/test/absent:1", image_pull_policy="Never")
    path.write_text(yaml.safe_dump({"name": "shop", "pods": [pod(absent)]}))
    text = command.fails("apply", "-f", str(path))
    assert "ErrImageNeverPull" in text
    assert "nothing was changed" in text
    assert "give its name with --stack" in command.fails("apply", "-f", "-", stdin=MANIFEST)
    assert agent.client.get("/pods") == []


def test_no_secret_is_ever_shown(agent: AgentProcess, command: CommandLine, tmp_path: Path) -> None:
    agent.apply(with_secret(), wait=True)
    shown = [
        command.shows(*call)
        for call in (
            ("get", "pods", "-o", "wide"),
            ("get", "pods", "-o", "yaml"),
            ("get", "pods", "-o", "json"),
            ("describe", "pod", "web"),
            ("events",),
        )
    ]
    assert all("MODE" in text for text in (shown[1], shown[2], shown[3]))
    (tmp_path / "a.yaml").write_text(MANIFEST)
    shown += [command.shows("apply", "-f", str(tmp_path), "--stack", "shop", *more) for more in (["--dry-run"], [])]
    shown.append(command.shows("get", "stacks", "-o", "yaml"))
    # A program that prints its secret as it ends: the log's last lines are part of the message.
    (tmp_path / "a.yaml").write_text(MANIFEST.replace(SLEEP, "echo the password is $PASSWORD; exit 3"))
    (tmp_path / "b.yaml").write_text("wait_timeout: 5\n")
    shown.append(command.fails("apply", "-f", str(tmp_path), "--stack", "shop"))
    assert "the password is ********" in shown[-1]
    assert not any(SECRET in text for text in shown)


# --- around it -------------------------------------------------------------------------------------------------------


def test_health_and_completion(agent: AgentProcess, command: CommandLine) -> None:
    assert re.fullmatch(
        rf"Agent:  process {agent.pid}, up for \d+s, API version 1\nPods:   0 kept\nPodman: answers\n",
        command.shows("health"),
    )
    for shell in ("bash", "zsh", "fish"):
        assert "_PODWRIGHT_COMPLETE" in command.shows("completion", shell)
    agent.apply(pod(name="alpha"), wait=False)
    words = {"_PODWRIGHT_COMPLETE": "bash_complete", "COMP_WORDS": "podwright logs al", "COMP_CWORD": "2"}
    assert command.run(**words).stdout == "plain,alpha\n"


def test_what_is_asked_in_a_wrong_way(command: CommandLine) -> None:
    for call, message in (
        (("secrets",), "podwright secrets takes one of list, remove, rotate (see podwright secrets --help)"),
        (("rollout", "status", "web"), "web: give a kind and a name, as in deploy/web"),
        (("describe", "deploy/web", "job/a"), "job/a is of another kind than the first one"),
        (("create", "job", "now", "--from", "deploy/web"), "Jobs are made from a CronJob, as in cronjob/backup"),
        (("nope",), "No such command 'nope' (see podwright --help)"),
        (("get", "pods", "-l", "a b"), "-l: a b is none of key=value, key!=value, key and !key"),
        (("get", "pods", "-w", "-o", "json"), "-w shows tables only"),
        (("completion", "tcsh"), "'tcsh' is not one of"),
    ):
        text = command.fails(*call, code=2)
        assert text.startswith("podwright: ")
        assert text.count("\n") == 1
        assert message in text
    assert "Commands:" in command.shows()


def test_no_agent(agent: AgentProcess, command: CommandLine, tmp_path: Path) -> None:
    agent.stop()
    for call in (("get", "pods"), ("events",), ("logs", "web"), ("--socket", str(tmp_path / "none.sock"), "health")):
        text = command.fails(*call)
        assert text.startswith("podwright: no agent answers at ")
        assert "start it with: " in text
        assert text.count("\n") == 1
