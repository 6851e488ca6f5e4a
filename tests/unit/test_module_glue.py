# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`run_module`: results, failures, and secrets that must not show in either, nor in the system log."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import Any

import pytest

SECRET = "Hush-51c0ffee"

MODULE = """\
    import syslog
    logged = []
    syslog.syslog = lambda *arguments: logged.append(arguments[-1])
    syslog.openlog = lambda *arguments: None
    from ansible.module_utils import basic
    basic.has_journal = False
    from ansible_collections.podwright.pods.plugins.module_utils import _errors as errors
    from ansible_collections.podwright.pods.plugins.module_utils._delivery.module import run_module

    def handle(params, check_mode, diff):
        {body}

    spec = {{
        "name": {{"type": "str"}},
        "definition": {{"type": "dict"}},
        "password": {{"type": "str", "no_log": True}},
    }}
    try:
        run_module(spec, handle, hidden_options=["definition"], mutually_exclusive=[["name", "password"]])
    finally:
        print("LOGGED", logged)
"""


def run(body: str, **options: Any) -> tuple[dict[str, Any], str]:
    """Run a module whose handler is ``body``; return its result and what it wrote to the system log."""
    collections = next(root for root in sys.path if root.endswith("collections"))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MODULE).format(body=body)],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": {"_ansible_no_log": False, **options}}),
        env={"PYTHONPATH": collections},
        capture_output=True,
        text=True,
        check=False,
    )
    output, _separator, logged = done.stdout.partition("LOGGED")
    assert output.strip(), done.stderr
    return json.loads(output), logged


def test_result() -> None:
    result, _logged = run(
        "return {'changed': check_mode, 'diff': diff, 'name': params['name']}", name="a", _ansible_diff=True
    )
    assert (result["changed"], result["diff"], result["name"]) == (False, True, "a")
    assert result["invocation"] == {"module_args": {"name": "a", "definition": None, "password": None}}
    checked, _logged = run("return {'changed': check_mode}", _ansible_check_mode=True)
    assert checked["changed"] is True


def test_warnings_are_ansibles() -> None:
    result, _logged = run("return {'warnings': ['mind the gap']}")
    assert "mind the gap" in json.dumps(result["warnings"])


@pytest.mark.parametrize(
    "body",
    [
        "word = params['definition']['data']; return {'actions': ['set ' + word], 'secrets': [word, '']}",
        "word = params['definition']['data']; e = errors.HostError('no ' + word); e.secrets = [word]; raise e",
    ],
    ids=["result", "failure"],
)
def test_reported_secrets_show_nowhere(body: str) -> None:
    result, logged = run(body, name="a", definition={"data": SECRET})
    assert SECRET not in json.dumps(result)
    assert "secrets" not in result
    assert result["invocation"]["module_args"]["definition"] == "VALUE_NOT_SHOWN"
    assert result["invocation"]["module_args"]["name"] == "a"
    assert SECRET not in logged


def test_one_secret_within_another_leaves_nothing() -> None:
    values = [f"tiger{'-lily' * number}" for number in range(1, 9)]
    told = " ".join(reversed(values))
    result, _logged = run(f"return {{'told': {told!r}, 'warnings': [{told!r}], 'secrets': {['tiger', *values]!r}}}")
    assert "lily" not in json.dumps(result)
    assert result["told"] == " ".join(["********"] * 8)


def test_short_secrets_spoil_nothing() -> None:
    result, _logged = run("return {'told': 'a pod', 'name': 'web', 'secrets': ['a', 'web']}", password="pod")
    assert (result["told"], result["name"]) == ("a pod", "web")


def test_the_log_holds_no_option() -> None:
    _result, logged = run("return {}", name="visible-name", definition={"data": SECRET})
    assert logged.strip() == "['Invoked']"


@pytest.mark.parametrize(
    "options",
    [
        {"nme": "x", "definition": {"data": SECRET}},
        {"name": "a", "password": "b", "definition": {"data": SECRET}},
        {"definition": [SECRET]},
    ],
    ids=["unknown", "exclusive", "type"],
)
def test_refused_options_show_no_hidden_value(options: dict[str, Any]) -> None:
    result, logged = run("return {}", **options)
    assert result["failed"]
    assert SECRET not in json.dumps(result)
    assert SECRET not in logged


def test_faults() -> None:
    faults = "[errors.Fault('a.b', 'is wrong'), errors.Fault('c', 'too')]"
    for kind in ("InvalidInput", "Refused"):
        result, _logged = run(f"raise errors.{kind}({faults})")
        assert result["msg"] == "a.b: is wrong; c: too"
        assert result["faults"] == [{"path": "a.b", "reason": "is wrong"}, {"path": "c", "reason": "too"}]


def test_details_of_a_failure() -> None:
    result, _logged = run("raise errors.ContainerFailed('lamp', 'php', 'CrashLoopBackOff', 'exit code 1', 'last line')")
    assert result["msg"] == "lamp/php: CrashLoopBackOff: exit code 1"
    expected = {"pod": "lamp", "container": "php", "reason": "CrashLoopBackOff", "logs": "last line"}
    assert {name: result[name] for name in expected} == expected


def test_a_failure_that_came_after_changes_tells_of_them() -> None:
    failed = "from ansible_collections.podwright.pods.plugins.module_utils._runs.pod_run import RunFailed"
    raised = "raise RunFailed('it failed', errors.PodwrightError('why'), {actions}, ())"
    for actions in ([], ["create pod web: it was not there"]):
        result, _logged = run(f"{failed}; {raised.format(actions=actions)}")
        assert (result["failed"], result["changed"]) == (True, bool(actions))


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        run("1 / 0")
