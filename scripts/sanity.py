"""Runs ``ansible-test sanity`` on a staged copy of the collection, with no container images and nothing but PyPI.

ansible-test finds nothing to test in a checkout that is not at ``ansible_collections/podwright/pods``, and exits with
0. So the copy is staged there, and a test that matters and applied to nothing is a failure here.

The virtual environments that ansible-test makes are kept between runs in the user's cache directory. ansible-test
would fetch pip's installer for them from a host of its own; the pip that Python bundles does as well (see get_pip.py).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import ansible_test
from interpreters import PYENV, find_interpreter
from stage import stage

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "podwright" / "sanity"
BOOTSTRAP = Path(__file__).resolve().parent / "get_pip.py"
# Modules are compiled and imported with these, where they are found, besides the interpreter that runs this.
TARGET_PYTHONS = ("3.9", "3.13")
SKIPPED_TESTS = ("pslint",)  # there is no PowerShell here
# ansible-test runs one test after another. pylint takes as long as all others together, so it runs beside them.
PARTS = {"pylint": ("--test", "pylint"), "others": ("--skip-test", "pylint")}
# What must have run on at least one file; the rest of ansible-test's tests run as well.
REQUIRED_TESTS = (
    "ansible-doc",
    "compile",
    "import",
    "no-smart-quotes",
    "pep8",
    "pylint",
    "runtime-metadata",
    "symlinks",
    "validate-modules",
    "yamllint",
)


def build_path() -> str:
    """PATH with pyenv's interpreters in place of its shims, which answer only for the versions selected in pyenv."""
    directories = [str(path.parent) for path in map(find_interpreter, TARGET_PYTHONS) if path]
    inherited = (path for path in os.environ["PATH"].split(os.pathsep) if path != str(PYENV / "shims"))
    return os.pathsep.join([str(Path(sys.executable).parent), *directories, *inherited])


def prepare_home(home: Path) -> None:
    """Makes a home directory for ansible-test, with the user's pip settings and with our pip installer in the place
    of the one that ansible-test would download, named after the version of pip that it asks for."""
    for settings in (".config/pip", ".pip"):
        link = home / settings
        if (Path.home() / settings).is_dir() and not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(Path.home() / settings)
    requirements = Path(ansible_test.__file__).parent / "_internal" / "python_requirements.py"
    version = re.search(r"^\s+pip='([\d.]+)',$", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    if version is None:
        sys.exit(f"sanity: {requirements} no longer says which pip it wants: teach scripts/sanity.py where to look")
    target = home / ".ansible/test/cache" / f"get_pip_{version[1].replace('.', '_')}.py"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(BOOTSTRAP, target)


def run_ansible_test(home: Path, arguments: Sequence[str]) -> tuple[int, dict[str, bool]]:
    """Runs ansible-test on a copy of its own, its output shown at its end.

    Returns its exit status, and which of its tests looked at anything. ``home`` keeps its virtual environments.
    """
    prepare_home(home)
    command = ["ansible-test", "sanity", "--color", "no", "--junit", *arguments]
    for test in SKIPPED_TESTS:
        command += ["--skip-test", test]
    environment = {**os.environ, "HOME": str(home), "PATH": build_path()}
    with tempfile.TemporaryDirectory(prefix="podwright-sanity-") as root:
        collection = stage(Path(root), git=True)
        done = subprocess.run(
            command,
            cwd=collection,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        sys.stdout.write(done.stdout)
        sys.stdout.flush()
        return done.returncode, read_tested(collection / "tests/output/junit")


def read_tested(reports: Path) -> dict[str, bool]:
    """The name of each test that reported, and whether it looked at anything (in one Python version at least)."""
    tested: dict[str, bool] = {}
    for report in reports.glob("*.xml"):
        for case in ElementTree.parse(report).iter("testcase"):
            name = case.attrib["name"].split("-python-")[0]
            tested[name] = tested.get(name, False) or case.find("skipped") is None
    return tested


def main() -> int:
    parser = argparse.ArgumentParser(description="Run ansible-test sanity on a copy of the collection.")
    parser.add_argument("arguments", nargs="*", help="handed on to ansible-test, for example: -- --test import")
    arguments = parser.parse_args().arguments
    parts = {"chosen": arguments} if arguments else PARTS
    status, tested = 0, dict[str, bool]()
    with ThreadPoolExecutor(len(parts)) as threads:
        for failed, found in threads.map(run_ansible_test, [CACHE / name for name in parts], parts.values()):
            status = status or failed
            tested.update({name: found[name] or tested.get(name, False) for name in found})
    idle = [test for test in REQUIRED_TESTS if not tested.get(test, bool(arguments))]
    if idle:
        print(f"sanity: ansible-test found nothing to test for {', '.join(idle)}", file=sys.stderr)
    return status or int(bool(idle))


if __name__ == "__main__":
    sys.exit(main())
