# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `podwright` makes of the agent's answers: STATUS and its neighbours, ages, amounts, tables of every width."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from command_modules import module
from hypothesis import given
from hypothesis import strategies as st

NOW = 1_795_641_600.0
"""2026-11-25T21:20:00Z"""

view, rows, screen, description, declarations, asking = map(
    module, ("view", "rows", "screen", "description", "declarations", "asking")
)

Document = dict[str, Any]
RUNNING = {"running": {"startedAt": "2026-11-25T21:19:30Z"}}
DONE = {"terminated": {"exitCode": 0, "reason": "Completed"}}
FAILED = {"terminated": {"exitCode": 3, "reason": "Error"}}
CREATING = {"waiting": {"reason": "ContainerCreating"}}
INITIALIZING = {"waiting": {"reason": "PodInitializing"}}
BACKING_OFF = {"waiting": {"reason": "CrashLoopBackOff"}}


def told(state: Document, ready: bool = False, restarts: int = 0, **more: Any) -> Document:
    """A container's status, without its name."""
    return {"state": state, "ready": ready, "restartCount": restarts, "lastState": {}, **more}


UP, DOWN = told(RUNNING, ready=True, started=True), told(RUNNING, started=True)


def pod(
    *mains: Document,
    inits: tuple[Document, ...] = (),
    sidecars: tuple[int, ...] = (),
    phase: str = "Running",
    conditions: tuple[str, ...] = (),
    **status: Any,
) -> Document:
    """A pod as the agent tells it; ``sidecars`` are those of the init containers, by number."""
    named_inits = [{"name": f"init{number}", **one} for number, one in enumerate(inits)]
    named_mains = [{"name": f"main{number}", **one} for number, one in enumerate(mains)]
    always = {"restartPolicy": "Always"}
    return {
        "metadata": {"name": "web"},
        "spec": {
            "initContainers": [
                {"name": one["name"], "image": "i", **(always if number in sidecars else {})}
                for number, one in enumerate(named_inits)
            ],
            "containers": [{"name": one["name"], "image": "i"} for one in named_mains],
        },
        "status": {
            "phase": phase,
            "conditions": [{"type": kind, "status": "True"} for kind in conditions],
            "initContainerStatuses": named_inits,
            "containerStatuses": named_mains,
            **status,
        },
    }


# --- STATUS, READY, RESTARTS -----------------------------------------------------------------------------------------

STATUS_ROWS = [
    ("Running", "1/1", pod(UP)),
    ("Running", "0/1", pod(DOWN)),
    ("Running", "1/2", pod(UP, DOWN)),
    ("Pending", "0/1", pod(told({}), phase="Pending")),
    ("ContainerCreating", "0/1", pod(told(CREATING), phase="Pending")),
    ("CrashLoopBackOff", "1/2", pod(UP, told(BACKING_OFF))),
    # The first container that is in trouble counts.
    ("ErrImagePull", "0/2", pod(told({"waiting": {"reason": "ErrImagePull"}}), told(BACKING_OFF))),
    ("Completed", "0/1", pod(told(DONE), phase="Succeeded")),
    ("Error", "0/1", pod(told(FAILED), phase="Failed")),
    ("OOMKilled", "0/1", pod(told({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}))),
    ("ExitCode:3", "0/1", pod(told({"terminated": {"exitCode": 3}}))),
    ("Signal:9", "0/1", pod(told({"terminated": {"exitCode": 137, "signal": 9}}))),
    ("Running", "1/2", pod(told(DONE), UP, conditions=("Ready",))),
    ("NotReady", "1/2", pod(told(DONE), UP)),
    ("DeadlineExceeded", "0/1", pod(told({}), phase="Failed", reason="DeadlineExceeded")),
    ("Init:0/2", "0/1", pod(told(INITIALIZING), inits=(DOWN, told(INITIALIZING)), phase="Pending")),
    ("Init:1/2", "0/1", pod(told(INITIALIZING), inits=(told(DONE), told(INITIALIZING)), phase="Pending")),
    ("Init:Error", "0/1", pod(told(INITIALIZING), inits=(told(FAILED),), phase="Failed")),
    ("Init:CrashLoopBackOff", "0/1", pod(told(INITIALIZING), inits=(told(BACKING_OFF),), phase="Pending")),
    ("Init:ExitCode:3", "0/1", pod(told(INITIALIZING), inits=(told({"terminated": {"exitCode": 3}}),))),
    ("Running", "1/1", pod(UP, inits=(told(DONE),))),
    ("Init:0/1", "0/2", pod(told(INITIALIZING), inits=(told(RUNNING),), sidecars=(0,), phase="Pending")),
    ("Init:1/2", "1/2", pod(told(INITIALIZING), inits=(UP, told(RUNNING)), sidecars=(0,), phase="Pending")),
    ("Running", "2/2", pod(UP, inits=(UP,), sidecars=(0,))),
    # A sidecar that starts again after the pod has come up.
    ("Running", "1/2", pod(UP, inits=(told(BACKING_OFF),), sidecars=(0,), conditions=("Initialized",))),
    ("Unknown", "0/0", {"metadata": {"name": "web"}, "spec": {}}),
]


@pytest.mark.parametrize(("status", "ready", "document"), STATUS_ROWS)
def test_status_and_ready(status: str, ready: str, document: Document) -> None:
    row = rows.of_pod(document, NOW)
    assert (row["STATUS"], row["READY"]) == (status, ready)


def test_restarts_are_those_of_what_lasts() -> None:
    ended = {"lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-11-25T21:19:20Z"}}}
    earlier = {"lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-11-25T20:19:20Z"}}}
    both = pod(
        {**UP, "restartCount": 2, **ended}, {**UP, "restartCount": 1, **earlier}, inits=(told(DONE, restarts=5),)
    )
    assert rows.of_pod(both, NOW)["RESTARTS"] == "3 (40s ago)"
    assert rows.of_pod(both, NOW)["restarts"] == "3"
    assert rows.of_pod(pod(told(INITIALIZING), inits=(told(BACKING_OFF, restarts=5),)), NOW)["RESTARTS"] == "5"
    assert rows.of_pod(pod(UP), NOW)["RESTARTS"] == "0"


def test_default_container() -> None:
    document = pod(UP, UP, inits=(told(DONE),))
    assert view.default_container(document) == "main0"
    assert view.listed_containers(document) == "main0, main1, init0 (init)"
    document["metadata"]["annotations"] = {"kubectl.kubernetes.io/default-container": "main1"}
    assert view.default_container(document) == "main1"


def test_colours_tell_good_from_bad() -> None:
    for status in ("Running", "Ready"):
        assert view.style_of_status(status) == "green"
    for status in ("Pending", "ContainerCreating", "Init:0/2", "NotReady"):
        assert view.style_of_status(status) == "yellow"
    for status in ("CrashLoopBackOff", "Error", "Init:Error", "OOMKilled", "Failed"):
        assert view.style_of_status(status) == "red"


# --- labels, ages, amounts, text -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "is_met"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app=web,tier=front", True),
        ("app=db", False),
        ("app=web,tier!=front", False),
        ("app!=db", True),
        ("other!=x", True),
        ("app", True),
        ("!app", False),
        ("!other", True),
        ("other", False),
    ],
)
def test_selectors(selector: str, is_met: bool) -> None:
    assert view.matches({"app": "web", "tier": "front"}, selector) is is_met


@pytest.mark.parametrize("selector", ["=", "!", "a b", "app in (web)"])
def test_selectors_that_say_nothing(selector: str) -> None:
    with pytest.raises(ValueError, match="is none of"):
        view.matches({}, selector)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0s"),
        (0, "0s"),
        (119.9, "119s"),
        (120, "2m"),
        (185, "3m5s"),
        (600, "10m"),
        (10_799, "179m"),
        (3 * 3600, "3h"),
        (5 * 3600 + 720, "5h12m"),
        (31 * 3600, "31h"),
        (148 * 3600, "6d4h"),
        (99 * 86400, "99d"),
        (3 * 365 * 86400 + 86400, "3y1d"),
        (9 * 365 * 86400, "9y"),
    ],
)
def test_ages(seconds: float, shown: str) -> None:
    assert view.show_age(seconds) == shown


@given(st.floats(min_value=0, max_value=1e10))
def test_an_age_is_short(seconds: float) -> None:
    assert len(view.show_age(seconds)) <= 7


def test_use_of_a_pod_has_a_limit_where_all_have_one() -> None:
    limited = {
        "memory_bytes": 58 << 20,
        "memory_limit_bytes": 64 << 20,
        "cpu_millicores": 5,
        "cpu_limit_millicores": 50,
    }
    free = {**limited, "memory_limit_bytes": None, "cpu_limit_millicores": None}
    document = {**pod(UP), "usage": {"a": limited, "b": limited}}
    (row,) = rows.of_uses(document, False)
    assert row["CPU_LIMIT"] == "100m (10%)"
    assert row["MEMORY_LIMIT"] == "128Mi (91%)"
    assert rows.STYLES["MEMORY_LIMIT"](row["MEMORY_LIMIT"], row) == "red"
    (row,) = rows.of_uses({**document, "usage": {"a": limited, "b": free}}, False)
    assert (row["CPU"], row["CPU_LIMIT"], row["MEMORY_LIMIT"]) == ("10m", "-", "-")
    assert [row["NAME"] for row in rows.of_uses(document, True)] == ["web/a", "web/b"]
    assert rows.of_uses(pod(UP), False) == []


def test_nothing_that_a_terminal_obeys_gets_out() -> None:
    assert view.plain("a\x1b[31mb\r\nc\td") == "a\\x1b[31mb c d"


# --- tables ----------------------------------------------------------------------------------------------------------

NAMES = st.text(st.sampled_from("abc-"), min_size=1, max_size=63)


def printed(table: Any, *batches: list[Any]) -> list[str]:
    with pytest.MonkeyPatch.context() as patched:
        out = io.StringIO()
        patched.setattr(sys, "stdout", out)
        for batch in batches:
            table.show(batch)
    return out.getvalue().splitlines()


def of_width(width: int | None, has_colour: bool = False) -> Any:
    return SimpleNamespace(width=width, has_colour=has_colour, is_terminal=width is not None)


def pod_row(name: str, status: str = "Running") -> dict[str, str]:
    row = rows.of_pod(pod(UP, podIP="10.88.0.12", qosClass="Burstable"), NOW, "host", {})
    return {**row, "NAME": name, "STATUS": status}


@given(st.lists(NAMES, min_size=1, max_size=4), st.integers(20, 200), st.sampled_from((rows.PODS, rows.WIDE_PODS)))
def test_a_table_fits_its_terminal(names: list[str], width: int, layouts: tuple[str, ...]) -> None:
    lines = printed(screen.Table(of_width(width), layouts, "IMAGES"), [pod_row(name) for name in names])
    assert max(map(len, lines)) <= width
    assert lines[0].startswith("NAME")
    if max(map(len, names)) <= width - 12:
        assert [line.split()[0] for line in lines[1:] if not line.startswith(" ")] == names


def test_a_table_off_terminals_is_whole() -> None:
    lines = printed(screen.Table(of_width(None), rows.WIDE_PODS, "IMAGES"), [pod_row("n" * 63), pod_row("b")])
    assert len(lines) == 3
    assert " ".join(lines[0].split()) == rows.WIDE_PODS[0]
    assert all(line == line.rstrip() and "\x1b" not in line for line in lines)


def test_narrow_terminals_lose_columns_before_names() -> None:
    row = pod_row("a-web-server-of-25-letters")
    headers = {width: printed(screen.Table(of_width(width), rows.PODS), [row])[0].split() for width in (80, 48, 36)}
    assert headers[80] == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert headers[48] == ["NAME", "READY", "STATUS", "AGE"]
    assert headers[36] == ["NAME", "STATUS"]


def test_rows_that_come_later_stand_below_the_first() -> None:
    table = screen.Table(of_width(80), rows.PODS)
    header, first, second = printed(table, [pod_row("web", "CrashLoopBackOff")], [pod_row("db")])
    assert header.index("STATUS") == first.index("Crash") == second.index("Running")


def test_messages_are_broken_in_lines_beside_their_column() -> None:
    event = {"pod": "web", "container": "main", "type": "Warning", "reason": "Unhealthy", "count": 3, "number": 1}
    event |= {"first_at": NOW - 300, "last_at": NOW - 12, "message": "Readiness probe failed: " + "no answer " * 12}
    wide = printed(screen.Table(of_width(None), rows.EVENTS, "MESSAGE"), [rows.of_event(event, NOW)])
    assert wide[1].startswith("12s (x3 over 5m)   Warning   Unhealthy   web/main   Readiness probe failed")
    for width in (100, 80, 40):
        table = screen.Table(of_width(width), rows.EVENTS, "MESSAGE", ease=rows.EASE)
        lines = printed(table, [rows.of_event(event, NOW)])
        column = lines[0].index("MESSAGE")
        assert max(map(len, lines)) <= width
        assert all(line[:column].strip() == "" for line in lines[2:])
        assert "web/main" in lines[1]


def test_colours_only_where_they_are_wanted() -> None:
    table = screen.Table(of_width(80, has_colour=True), rows.PODS, styles=rows.STYLES)
    lines = printed(table, [pod_row("web", "Error")])
    assert re.search(r"\x1b\[31mError", lines[1])
    assert "\x1b" in lines[0]


# --- describe --------------------------------------------------------------------------------------------------------


def test_description_tells_where_variables_come_from() -> None:
    document = pod({**DOWN, **told(BACKING_OFF, restarts=2), "lastState": FAILED}, explanation="main0 is not ready")
    document["spec"]["containers"][0] |= {
        "command": ["sh", "-c", "run it"],
        "args": ["--fast"],
        "env": [
            {"name": "A", "value": "plain"},
            {"name": "B", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password", "optional": True}}},
            {"name": "C", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "x"}}},
            {"name": "D", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        "envFrom": [{"secretRef": {"name": "db"}, "prefix": "DB_"}, {"configMapRef": {"name": "settings"}}],
        "livenessProbe": {"httpGet": {"port": 80, "path": "/healthz"}, "periodSeconds": 5},
        "readinessProbe": {"exec": {"command": ["cat", "/ready"]}},
        "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": True}],
        "ports": [{"containerPort": 80, "hostPort": 8080, "name": "http"}],
        "resources": {"limits": {"cpu": "500m", "memory": "64Mi"}},
    }
    document["spec"]["volumes"] = [
        {"name": "data", "persistentVolumeClaim": {"claimName": "shop-data"}},
        {"name": "keys", "secret": {"secretName": "keys"}},
        {"name": "all", "projected": {"sources": [{"configMap": {"name": "settings"}}, {"downwardAPI": {}}]}},
    ]
    document["probe_messages"] = {"main0": "http://10.0.0.1:80/healthz: 500"}
    lines = description.describe(document, "shop", "host", NOW)
    text = [f"{line.key}: {line.text}" for line in lines]
    for expected in (
        "Stack: shop",
        "Status: CrashLoopBackOff",
        "Reason: main0 is not ready",
        'Command: ["sh", "-c", "run it"]',
        "Args: --fast",
        "Env: A=plain",
        ": B from key password of Secret db, optional",
        ": C from key x of ConfigMap settings",
        ": D from status.podIP",
        "Env from: Secret db, prefix DB_",
        "Liveness: http://:80/healthz (delay 0s, timeout 1s, period 5s, success 1, failure 3)",
        "Readiness: exec cat /ready (delay 0s, timeout 1s, period 10s, success 1, failure 3)",
        "Probe said: http://10.0.0.1:80/healthz: 500",
        "Mounts: /data from data, read only",
        "Ports: 80/TCP (http), on the host :8080",
        "Limits: cpu 500m, memory 64Mi",
        "Last state: Terminated, Error",
        "Exit code: 3",
        "Restarts: 2",
        "data: Podman volume shop-data",
        "keys: Secret keys",
        "all: projected: ConfigMap settings, fields of the pod",
    ):
        assert expected in text, expected


def test_lines_are_wrapped_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    narrow = screen.Screen()
    narrow.width = 40
    narrow.write_pair("Command: ", "word " * 30, indent=4, hanging=2)
    narrow.write("x" * 100, indent=4)
    assert all(len(line) <= 40 for line in capsys.readouterr().out.splitlines())


# --- apply -----------------------------------------------------------------------------------------------------------

MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: main, image: web:1}]}
"""


def test_documents_and_options_are_one_stack(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MANIFEST)
    (tmp_path / "b.yml").write_text(
        "name: shop\npods: [{name: db, containers: [{name: main, image: db:1}]}]\nwait: false\n"
    )
    (tmp_path / "notes.txt").write_text("not read")
    options = declarations.read((str(tmp_path),), cause="try it")
    assert options["name"] == "shop"
    assert options["change_cause"] == "try it"
    assert options["wait"] is False
    assert options["applied_by"].count("@") == 1
    assert [document["metadata"]["name"] for document in options["definition"]] == ["web"]
    assert declarations.read((str(tmp_path),), stack="other")["name"] == "other"


def test_faults_name_their_file(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(MANIFEST.replace("image:", "imago:") + "---\n" + MANIFEST.replace("web", "db"))
    (tmp_path / "b.yml").write_text("name: shop\npodz: []\nstate: absent\n")
    with pytest.raises(asking.Failure) as caught:
        declarations.read((str(tmp_path),))
    text = str(caught.value)
    assert text.startswith("4 faults; nothing was changed:\n")
    assert f"{tmp_path}/a.yaml[0].spec.containers[0].imago: is not a known field" in text
    assert f"{tmp_path}/b.yml: podz: is not a known field" in text
    assert f"{tmp_path}/b.yml: state: is started" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (MANIFEST, "which stack is it to be? give its name with --stack"),
        ("a: [", "a.yaml: line"),
        ("name: a\n---\nname: b\n", "options of a stack stand in"),
        ("\xff", None),
    ],
)
def test_what_cannot_be_applied(tmp_path: Path, content: str, message: str | None) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(asking.Failure, match=re.escape(message) if message else "is not UTF-8"):
        declarations.read((str(path),))


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(asking.Failure, match="cannot be read: No such file"):
        declarations.read((str(tmp_path / "none.yaml"),))
    with pytest.raises(asking.Failure, match="has no files that end with"):
        declarations.read((str(tmp_path),))
