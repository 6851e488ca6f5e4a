"""The pure rooms of module_utils reach nothing outside themselves: what they compute depends on their arguments alone.

That is what lets one piece of code run in a module, in the agent and in these tests.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

MODULE_UTILS = Path(__file__).resolve().parents[2] / "plugins" / "module_utils"
OWN_PACKAGE = "ansible_collections.podwright.pods.plugins.module_utils"

# The rooms that reach outside, and what they reach. Every other room is pure: to add one here is a decision.
IMPURE_ROOMS = {
    "agent": "composes the others",
    "agent_install": "files",
    "agent_client": "sockets, the clock",
    "agent_metrics": "the agent's keepers",
    "agent_server": "sockets",
    "build_context": "files",
    "cgroup": "files",
    "container_output": "Podman, files",
    "engine": "composes the others",
    "event_log": "files, the clock",
    "execute": "Podman",
    "generated_secrets": "composes the others",
    "held_paths": "files, mounts",
    "hooks": "Podman, sockets",
    "host_code": "files",
    "hurry": "Podman, the clock",
    "image_archive": "files",
    "image_pull": "Podman, files",
    "images": "Podman, files",
    "kustomization": "processes, files",
    "module": "Ansible",
    "named_volumes": "Podman, mounts",
    "netns": "namespaces, sockets",
    "observe": "Podman",
    "pod_keeper": "Podman, threads, the clock",
    "podman": "sockets, processes, files",
    "podman_namespaces": "processes, namespaces",
    "private_directory": "files",
    "prober": "Podman, the clock",
    "probes": "sockets",
    "processes": "files",
    "repair": "composes the others",
    "report": "composes the others",
    "root_filesystem": "processes, files",
    "stack_store": "files",
    "stacks": "composes the others",
    "state_directory": "files",
    "state_files": "files",
    "store": "files",
    "sub_path_mounts": "files, mounts",
    "thread_pool": "threads, the clock",
    "unchanged_runs": "Podman, files",
    "wait": "Podman, the clock",
}
# What a Plan is made from can never be moved to the list above.
PURE_FOR_EVER = frozenset({"errors", "expansion", "fields", "observed", "parse", "plan", "quantity", "render", "spec"})

FORBIDDEN_MODULES = frozenset(
    {
        "ansible",
        "asyncio",
        "concurrent",
        "ctypes",
        "fcntl",
        "glob",
        "http",
        "importlib",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "podman",
        "pwd",
        "random",
        "requests",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "ssl",
        "subprocess",
        "sys",
        "tarfile",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "urllib3",
    }
)
FORBIDDEN_CALLS = frozenset({"__import__", "eval", "exec", "input", "open", "print"})
# datetime itself is pure; asking it for the present is not.
CLOCK_READS = frozenset({"now", "today", "utcnow"})


def list_imports(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and dotted name of all that is imported, inside functions as well; siblings appear as ``.name``."""
    imports = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imports += [(node.lineno, name) for name in name_sources(node)]
    return imports


def name_sources(node: ast.ImportFrom) -> list[str]:
    """What a ``from`` statement imports from; in ``from . import plan`` the sibling is where an attribute would be."""
    module = "." * node.level + (node.module or "")
    if module == OWN_PACKAGE or module.startswith(OWN_PACKAGE + "."):
        module = "." + module.removeprefix(OWN_PACKAGE).removeprefix(".")
    return [module + alias.name for alias in node.names] if module.endswith(".") else [module]


def judge_import(name: str) -> str | None:
    """Why a pure room may not import this; None where it may."""
    if name.startswith(".."):
        return f"imports {name}, from outside module_utils"
    if name.startswith("."):
        room = name[1:].split(".")[0]
        return None if room not in IMPURE_ROOMS else f"imports the room {room!r}, which is not pure"
    top = name.split(".")[0]
    if top == "ansible_collections":
        return f"imports {name}, from outside module_utils"
    return f"imports {name}" if top in FORBIDDEN_MODULES else None


def judge_call(node: ast.Call) -> str | None:
    """Why a pure room may not make this call; None where it may."""
    if isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
        return f"calls {node.func.id}()"
    if isinstance(node.func, ast.Attribute) and node.func.attr in CLOCK_READS:
        return f"reads the clock with .{node.func.attr}()"
    return None


def find_impurities(source: str) -> list[str]:
    """One line of text for each impure thing in the source of a room."""
    tree = ast.parse(source)
    found = [(line, judge_import(name)) for line, name in list_imports(tree)]
    found += [(node.lineno, judge_call(node)) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [f"line {line}: {reason}" for line, reason in sorted(found, key=lambda item: item[0]) if reason]


def name_room(path: Path) -> str:
    """The room that a file belongs to; a room is one file or a folder of files."""
    return path.relative_to(MODULE_UTILS).parts[0].removesuffix(".py")


def list_pure_files() -> list[Path]:
    return sorted(path for path in MODULE_UTILS.rglob("*.py") if name_room(path) not in IMPURE_ROOMS)


@pytest.mark.parametrize("path", list_pure_files(), ids=lambda path: str(path.relative_to(MODULE_UTILS)))
def test_pure_room_reaches_nothing_outside(path: Path) -> None:
    assert find_impurities(path.read_text(encoding="utf-8")) == []


def test_rooms_of_the_plan_are_pure() -> None:
    assert {name_room(path) for path in list_pure_files()} >= PURE_FOR_EVER


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import socket", "imports socket"),
        ("import os.path", "imports os.path"),
        ("import re, time", "imports time"),
        ("import subprocess as harmless", "imports subprocess"),
        ("from http.client import HTTPConnection", "imports http.client"),
        ("from os import environ", "imports os"),
        ("from threading import Lock", "imports threading"),
        ("from podman import PodmanClient", "imports podman"),
        ("from requests.adapters import HTTPAdapter", "imports requests.adapters"),
        ("from ansible.module_utils.basic import AnsibleModule", "imports ansible.module_utils.basic"),
        ("def late():\n    import time", "imports time"),
        ("try:\n    import requests\nexcept ImportError:\n    pass", "imports requests"),
        ("from .podman import Client", "imports the room 'podman', which is not pure"),
        ("from . import errors, store", "imports the room 'store', which is not pure"),
        (f"from {OWN_PACKAGE}.engine import handle", "imports the room 'engine', which is not pure"),
        (f"from {OWN_PACKAGE} import execute", "imports the room 'execute', which is not pure"),
        ("from ..module_utils.errors import Fault", "imports ..module_utils.errors, from outside module_utils"),
        ("text = open('/etc/hostname').read()", "calls open()"),
        ("module = __import__('socket')", "calls __import__()"),
        ("from datetime import datetime\nstarted = datetime.now()", "reads the clock with .now()"),
    ],
)
def test_impurity_is_found(source: str, reason: str) -> None:
    assert [finding.partition(": ")[2] for finding in find_impurities(source)] == [reason]


@pytest.mark.parametrize(
    "source",
    [
        "from __future__ import annotations",
        "import base64, hashlib, json, re",
        "from dataclasses import dataclass",
        "from datetime import datetime, timezone\nepoch = datetime.fromtimestamp(0, timezone.utc)",
        "from .errors import Fault",
        "from . import quantity",
        f"from {OWN_PACKAGE}.spec import Container",
    ],
)
def test_pure_source_passes(source: str) -> None:
    assert find_impurities(source) == []
