# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers of module_utils: each package imports only itself and those before it, and the first of them are pure.

What is pure computes from its arguments alone. That is what lets one piece of code run in a module, in the agent and
in these tests.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "plugins" / "module_utils"
PACKAGE = ("ansible_collections", "podwright", "pods", "plugins", "module_utils")
PURE_LAYERS = ("_printable", "_errors", "_declaration", "_reconcile")
LAYERS = (*PURE_LAYERS, "_host", "_delivery", "_runs", "_agent", "_images")
# All that the pure ones may import from elsewhere: nothing in here opens, waits, asks or knows the time.
PURE_IMPORTS = frozenset(
    {
        "__future__",
        "base64",
        "collections",
        "contextlib",
        "dataclasses",
        "datetime",
        "difflib",
        "enum",
        "errno",
        "fractions",
        "functools",
        "hashlib",
        "hmac",
        "ipaddress",
        "json",
        "math",
        "posixpath",
        "re",
        "typing",
        "unicodedata",
        "yaml",
        "zlib",
    }
)
# The calls that reach outside without an import. datetime itself is pure; asking it for the present is not.
IMPURE_CALLS = frozenset({"__import__", "eval", "exec", "input", "now", "open", "print", "today", "utcnow"})
FILES = sorted(ROOT.rglob("*.py"))


def imported(source: str, folder: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """What a file of module_utils imports, inside functions as well, as the parts of a dotted name from the root."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = (*PACKAGE, *folder)
            base = package[: len(package) + 1 - node.level] if node.level else ()
            yield from ((*base, *(node.module or "").split("."), alias.name) for alias in node.names)


def violations(source: str, path: Path) -> list[str]:
    """What a file at this path below module_utils imports or calls though its layer may not."""
    layer = path.parts[0].removesuffix(".py")
    found = []
    for parts in imported(source, path.parent.parts):
        names = [part for part in parts if part]
        ours = names[: len(PACKAGE)] == list(PACKAGE)
        if ours and names[len(PACKAGE)] not in LAYERS[: LAYERS.index(layer) + 1]:
            found.append(f"imports {'.'.join(names[len(PACKAGE) :])}")
        elif not ours and layer in PURE_LAYERS and names[0] not in PURE_IMPORTS:
            found.append(f"imports {names[0]}")
    if layer in PURE_LAYERS:
        calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
        called = [getattr(function, "attr", getattr(function, "id", "")) for function in calls]
        found += [f"calls {name}()" for name in called if name in IMPURE_CALLS]
    return found


@pytest.mark.parametrize("path", [path.relative_to(ROOT) for path in FILES], ids=str)
def test_a_module_keeps_to_its_layer(path: Path) -> None:
    assert violations((ROOT / path).read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize(
    ("path", "source", "violation"),
    [
        ("_errors.py", "from ._declaration import spec", "imports _declaration.spec"),
        ("_declaration/spec.py", "from .._reconcile.costs import COSTS", "imports _reconcile.costs.COSTS"),
        ("_declaration/spec.py", "from .. import _reconcile", "imports _reconcile"),
        ("_reconcile/costs.py", "def late():\n    from .._host import podman", "imports _host.podman"),
        ("_reconcile/costs.py", f"from {'.'.join(PACKAGE)}._runs import wait", "imports _runs.wait"),
        ("_host/store.py", "from .._agent.event_log import Event", "imports _agent.event_log.Event"),
        ("_reconcile/costs.py", "import re, os.path", "imports os"),
        ("_reconcile/costs.py", "from time import sleep", "imports time"),
        ("_declaration/spec.py", "from pathlib import Path", "imports pathlib"),
        ("_declaration/spec.py", "text = open('/etc/hostname').read()", "calls open()"),
        ("_reconcile/costs.py", "from datetime import datetime\nstarted = datetime.now()", "calls now()"),
    ],
)
def test_a_violation_is_found(path: str, source: str, violation: str) -> None:
    assert violations(source, Path(path)) == [violation]


def test_what_is_allowed_is_no_violation() -> None:
    assert violations("import re\nfrom . import limits\nfrom .._errors import Fault", Path("_reconcile/costs.py")) == []
    assert violations("import os\nfrom .._reconcile import costs", Path("_host/store.py")) == []


def test_all_shared_code_is_marked_as_private() -> None:
    """As the Ansible community package asks of what other collections must not import."""
    shared = [*ROOT.iterdir(), *ROOT.with_name("plugin_utils").iterdir()]
    assert [path.name for path in shared if not path.name.startswith("_")] == []


def test_every_module_has_a_row_in_the_architecture_page() -> None:
    page = ROOT.parents[1].joinpath("docs", "architecture.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| ")]
    modules = [path.stem for path in FILES if path.name != "__init__.py"]
    assert [name for name in modules if not any(f"`{name}`" in row for row in rows)] == []


def test_a_run_on_a_pod_loads_no_code_that_it_has_no_use_for() -> None:
    """Each task on a pod would wait for it, and an unchanged one does little else."""
    module = ".".join((*PACKAGE, "_runs.pod_run"))
    script = f"import sys, {module}; print(*(name for name in sys.modules if name.startswith('ansible_collections')))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT.parents[1] / "collections")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.removeprefix(".".join(PACKAGE) + ".") for name in done.stdout.split()}
    assert "_reconcile.pod.plan" in loaded
    useless = (
        "_declaration.workloads",
        "_declaration.services",
        "_declaration.ingresses",
        "_declaration.stack",
        "_reconcile.workloads",
        "_reconcile.services",
        "_reconcile.ingresses",
        "_agent",
    )
    assert not sorted(name for name in loaded if name.startswith(useless))


def test_each_test_module_has_a_name_of_its_own() -> None:
    """Pytest imports them by their names, and collects no second one."""
    names = sorted(path.name for path in Path(__file__).parents[1].rglob("test_*.py"))
    assert sorted({*names}) == names
