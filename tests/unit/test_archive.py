"""What a user installs, from a built archive or from git, is the whole collection and nothing but the collection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent
COLLECTION = Path("ansible_collections/podwright/pods")
SHIPPED = ("meta", "playbooks", "plugins", "roles")
UNSHIPPED = {"collections", "inventory", "requirements", "scripts", "tests"}
# What work in a checkout leaves behind; none of it is for the archive.
LEFTOVERS = (
    ".venv/lib/python3.11/site-packages/left.py",
    ".venv-bench/bin/left",
    ".pytest_cache/left",
    ".mypy_cache/3.9/left.json",
    "build/docs/left.html",
    "plugins/module_utils/__pycache__/left.cpython-311.pyc",
    "tests/unit/__pycache__/left.cpython-311-pytest.pyc",
    "tests/output/left.json",
    "podwright-pods-0.0.1.tar.gz",
)


def run(tool: str, *arguments: str | Path, home: Path) -> str:
    """Runs one of the tools beside this interpreter, away from the user's settings and those of the checkout."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment = {**inherited, "HOME": str(home), "ANSIBLE_COLLECTIONS_PATH": str(home / "collections")}
    command = [str(TOOLS / tool), *map(str, arguments)]
    completed = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, f"{command}\n{completed.stdout}\n{completed.stderr}"
    return completed.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as git would publish it, as a repository with one commit."""
    root = tmp_path_factory.mktemp("clone")
    run("python", CHECKOUT / "scripts/stage.py", root, "--git", home=root)
    return root / COLLECTION


@pytest.fixture(
    scope="module",
    params=[pytest.param(".", id="root"), pytest.param("collections" / COLLECTION, id="link", marks=pytest.mark.long)],
)
def archive(request: pytest.FixtureRequest, clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive that is built in a clone in which someone has worked, from its root and from the link to its root."""
    for name in LEFTOVERS:
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        (clone / name).write_text("left over\n", encoding="utf-8")
    output = tmp_path_factory.mktemp("archive")
    run("ansible-galaxy", "collection", "build", clone / request.param, "--output-path", output, home=output)
    (built,) = output.glob("*.tar.gz")
    return built


def list_files(root: Path, *folders: str) -> set[str]:
    """All files below these folders of root, by their path from root, but for what an interpreter compiles."""
    paths = (path for folder in folders for path in (root / folder).rglob("*"))
    return {str(path.relative_to(root)) for path in paths if path.is_file() and path.suffix != ".pyc"}


def test_archive_holds_the_collection(clone: Path, archive: Path) -> None:
    with tarfile.open(archive) as opened:
        packed = {member.name for member in opened.getmembers() if not member.isdir()}
    for folder in SHIPPED:
        assert {name for name in packed if name.startswith(f"{folder}/")} == list_files(clone, folder)
        assert list_files(clone, folder), f"{folder}/ is empty"
    assert {"COPYING", "README.md", "MANIFEST.json", "FILES.json"} <= packed


def test_archive_holds_nothing_else(archive: Path) -> None:
    with tarfile.open(archive) as opened:
        members = opened.getmembers()
    packed = {member.name for member in members}
    assert not packed & set(LEFTOVERS)
    assert not {name for name in packed if name.split("/")[0] in UNSHIPPED}
    assert not {name for name in packed if name.startswith(".") or "__pycache__" in name}
    assert not [member.name for member in members if member.issym() or member.islnk()]


@pytest.mark.parametrize("source", ["archive", "git"])
def test_installed_collection_is_documented(source: str, clone: Path, archive: Path, tmp_path: Path) -> None:
    wanted = str(archive) if source == "archive" else f"git+file://{clone},main"
    run("ansible-galaxy", "collection", "install", wanted, "--offline", "-p", tmp_path / "collections", home=tmp_path)
    installed = tmp_path / "collections" / COLLECTION

    modules = {f"podwright.pods.{path.stem}" for path in (clone / "plugins/modules").glob("*.py")}
    assert modules
    documented = json.loads(run("ansible-doc", "--json", *sorted(modules), home=tmp_path))
    assert {name for name, entry in documented.items() if entry["doc"]["description"]} == modules
    assert {entry["doc"]["filename"] for entry in documented.values()} == {
        str(installed / "plugins/modules" / f"{name.rpartition('.')[2]}.py") for name in modules
    }

    roles = {
        f"podwright.pods.{path.parent.parent.name}" for path in (clone / "roles").glob("*/meta/argument_specs.yml")
    }
    listed = json.loads(run("ansible-doc", "--json", "--type", "role", "--list", "podwright.pods", home=tmp_path))
    assert roles
    assert set(listed) == roles


def test_installed_playbooks_resolve(archive: Path, tmp_path: Path) -> None:
    run("ansible-galaxy", "collection", "install", archive, "--offline", "-p", tmp_path / "collections", home=tmp_path)
    playbooks = sorted(path.stem for path in (tmp_path / "collections" / COLLECTION / "playbooks").glob("*.yml"))
    assert playbooks
    for playbook in playbooks:
        run("ansible-playbook", "--syntax-check", "-i", "localhost,", f"podwright.pods.{playbook}", home=tmp_path)
