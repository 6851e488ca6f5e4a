# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's code on a host: asked for, taken from an archive, kept, and never taken from where others write."""

from __future__ import annotations

import json
import marshal
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._delivery import argument_specs, host_code
from ansible_collections.podwright.pods.plugins.plugin_utils import _shipping as shipping

PACKAGE = "ansible_collections.podwright.pods.plugins.module_utils"
CODE = Path(host_code.__file__).parents[1]
PROGRAM = f"""\
import sys
from {PACKAGE}._delivery import host_code
(quantity,) = host_code.modules("_declaration.quantity")
print(quantity.Quantity.parse("64Mi").integer(), quantity.__file__)
if "keep" in sys.argv:
    host_code.keep()
"""


class Host:
    """What Ansible ships with a module, a state directory, and an archive that may come along."""

    def __init__(self, directory: Path) -> None:
        self.shipped = directory / "shipped"
        self.state = directory / "state"
        self.archive = directory / "podwright.zip"
        package = self.shipped / PACKAGE.replace(".", "/")
        package.mkdir(parents=True)
        for path in (package, *package.parents):
            if path != self.shipped and self.shipped in path.parents:
                (path / "__init__.py").touch()
        for name in ("_delivery/host_code.py", "_host/state_directory.py"):
            (package / name).parent.mkdir()
            shutil.copy(CODE / name, package / name)
            (package / name).with_name("__init__.py").touch()
        self.state.mkdir(mode=0o700)
        self.archive.write_bytes(shipping.archive_of(shipping.sources()))

    def run(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run_program(code, PROGRAM, *arguments)

    def run_program(self, code: str, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PYTHONPATH": str(self.shipped),
            "PODWRIGHT_STATE_DIR": str(self.state),
            host_code.VARIABLE: code,
        }
        return subprocess.run(
            [sys.executable, "-c", program, *arguments], env=environment, capture_output=True, text=True, check=False
        )

    def evaluate(self, program: str) -> Any:
        """What a program that has the kept code prints as JSON."""
        done = self.run_program(shipping.digest(), program)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def loaded_from(self, code: str, *arguments: str) -> str:
        """Where the module came from; that it works is seen on the way."""
        done = self.run(code, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        result, place = done.stdout.split()
        assert result == str(64 * 1024**2)
        return place

    def kept(self) -> list[Path]:
        return sorted((self.state / "code").glob("*")) if (self.state / "code").exists() else []


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_what_is_not_there_is_asked_for(host: Host) -> None:
    done = host.run(shipping.digest())
    assert done.returncode == 1
    assert json.loads(done.stdout)[host_code.IS_MISSING] is True
    assert list(host.state.iterdir()) == []


def test_it_is_taken_from_the_archive_and_kept_only_when_told(host: Host) -> None:
    code = f"{shipping.digest()}:{host.archive}"
    assert host.loaded_from(code).startswith(str(host.archive))
    assert host.kept() == []
    assert host.loaded_from(code, "keep").startswith(str(host.archive))
    (kept,) = host.kept()
    assert host.loaded_from(shipping.digest()) == str(kept / "_declaration/quantity.py")
    assert host.loaded_from(code) == str(kept / "_declaration/quantity.py")
    modules, _methods = marshal.loads(kept.read_bytes().partition(b"\n")[2])
    assert set(modules) == {str(path.relative_to(CODE)) for path in CODE.rglob("*.py")}


def test_argument_specs_are_kept_as_they_were_computed(host: Host) -> None:
    host.loaded_from(f"{shipping.digest()}:{host.archive}", "keep")
    (specs,) = host.evaluate(
        f"from {PACKAGE}._delivery import host_code; (specs,) = host_code.modules('_delivery.argument_specs')\n"
        "import json, sys\n"
        f"assert '{PACKAGE}._declaration.parse' not in sys.modules\n"
        "print(json.dumps([{name: getattr(specs, name) for name in vars(specs) if name.isupper()}]))"
    )
    given = {name: getattr(argument_specs, name) for name in argument_specs.__all__}
    assert specs == json.loads(json.dumps(given))


def test_methods_of_data_classes_are_kept_compiled(host: Host) -> None:
    """Python writes them as text. What a run on a pod has kept has those of a stack as well."""
    program = (
        "import json, sys\n"
        "texts = []\n"
        "def note(event, details):\n"
        "    if event == 'compile' and '__create_fn__' in str(details[0]):\n"
        "        texts.append(details[0])\n"
        "sys.addaudithook(note)\n"
        f"from {PACKAGE}._delivery import host_code\n"
        "errors, stack = host_code.modules('_errors', '_runs.stack.run')\n"
        "one, same = errors.Fault('pod', 'no'), errors.Fault('pod', 'no')\n"
        "print(json.dumps([len(texts), repr(one), one == same, len({one, same})]))"
    )
    code = f"{shipping.digest()}:{host.archive}"
    compiled, *told = json.loads(host.run_program(code, program).stdout)
    assert compiled > 500
    host.loaded_from(code, "keep")
    assert host.evaluate(program) == [0, *told] == [0, "Fault(path='pod', reason='no')", True, 1]


def test_other_code_is_not_taken_for_it(host: Host) -> None:
    host.loaded_from(f"{shipping.digest()}:{host.archive}", "keep")
    assert host.run("0" * 32).returncode == 1


@pytest.mark.parametrize(
    "place", ["code", "state", *(pytest.param(more, marks=pytest.mark.long) for more in ("kept", "above"))]
)
def test_code_that_others_may_write_is_not_run(host: Host, place: str) -> None:
    host.loaded_from(f"{shipping.digest()}:{host.archive}", "keep")
    (kept,) = host.kept()
    path = {"kept": kept, "code": kept.parent, "state": host.state, "above": host.state.parent}[place]
    for mode in (0o757, 0o775):
        path.chmod(mode)
        os.chown(path, -1, 12345)
        assert host.run(shipping.digest()).returncode == 1
        assert host.loaded_from(f"{shipping.digest()}:{host.archive}").startswith(str(host.archive))
    path.chmod(0o755)
    assert host.loaded_from(shipping.digest()) == str(kept / "_declaration/quantity.py")


def test_code_that_somebody_else_owns_is_not_run(host: Host) -> None:
    host.loaded_from(f"{shipping.digest()}:{host.archive}", "keep")
    os.chown(host.state, 12345, -1)
    assert host.run(shipping.digest()).returncode == 1


def test_a_link_to_code_is_not_followed(host: Host) -> None:
    host.loaded_from(f"{shipping.digest()}:{host.archive}", "keep")
    (kept,) = host.kept()
    kept.rename(kept.with_name("other"))
    kept.symlink_to("other")
    assert host.run(shipping.digest()).returncode == 1


@pytest.mark.parametrize(
    "damage",
    [
        "a byte",
        "folder",
        *(pytest.param(more, marks=pytest.mark.long) for more in ("empty", "cut", "zeros", "of another name")),
    ],
)
def test_damaged_code_is_not_run_and_is_replaced(host: Host, damage: str) -> None:
    """As after a power cut. It is asked for, comes, and is kept again."""
    code = f"{shipping.digest()}:{host.archive}"
    host.loaded_from(code, "keep")
    (kept,) = host.kept()
    whole = kept.read_bytes()
    content = {
        "empty": b"",
        "cut": whole[:100_000],
        "zeros": bytes(len(whole)),
        "a byte": whole[:-9] + b"?" + whole[-8:],
    }
    other = (b"0" * 64 + whole[64:]) if damage == "of another name" else content.get(damage, b"")
    if damage == "folder":
        kept.unlink()
        kept.mkdir()
    else:
        kept.write_bytes(other)
    done = host.run(shipping.digest())
    assert done.returncode == 1
    assert json.loads(done.stdout)[host_code.IS_MISSING] is True
    assert host.loaded_from(code, "keep").startswith(str(host.archive))
    assert kept.read_bytes() == whole
    assert host.loaded_from(shipping.digest()) == str(kept / "_declaration/quantity.py")


@pytest.mark.parametrize("change", ["another module", "a module less", "a module more", "cut", "empty"])
def test_an_archive_that_is_not_what_the_task_names_is_not_run(host: Host, change: str) -> None:
    files = dict(shipping.sources())
    if change == "another module":
        files["podwright/_declaration/quantity.py"] += b"print('other code')\n"
    elif change == "a module less":
        del files["podwright/_declaration/quantity.py"]
    elif change == "a module more":
        files["podwright/more.py"] = b""
    archive = shipping.archive_of(files)
    host.archive.write_bytes({"cut": archive[:-1000], "empty": b""}.get(change, archive))
    done = host.run(f"{shipping.digest()}:{host.archive}", "keep")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert "the collection's code did not arrive" in told["msg"]
    assert host_code.IS_MISSING not in told
    assert host.kept() == []


def test_what_was_kept_long_ago_goes(host: Host) -> None:
    old, recent = host.state / "code" / "old", host.state / "code" / "recent"
    old.mkdir(parents=True)
    recent.mkdir()
    os.utime(old, (0, 0))
    host.loaded_from(f"{shipping.digest()}:{host.archive}", "keep")
    assert not old.exists()
    assert recent.exists()


def test_a_state_directory_that_cannot_be_written_keeps_nothing(host: Host) -> None:
    shutil.rmtree(host.state)
    host.state.touch()
    host.loaded_from(f"{shipping.digest()}:{host.archive}", "keep")


def test_installed_code_needs_no_name(host: Host) -> None:
    shutil.copytree(CODE, host.shipped / PACKAGE.replace(".", "/"), dirs_exist_ok=True)
    assert host.loaded_from("").startswith(str(host.shipped))
