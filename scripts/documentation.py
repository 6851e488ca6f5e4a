"""Checks (``lint``) and renders (``build``) what the modules, plugins and roles say about themselves.

``build`` writes HTML to build/docs/html and fails on any error or warning, and when a module has no page. Both work on
a staged copy: in the checkout the links in collections/ lead back to the root.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from stage import CHECKOUT, stage

OUTPUT = CHECKOUT / "build" / "docs"
SPHINX_CONFIGURATION = """\
project = "podwright.pods"
copyright = "podwright.pods contributors"
extensions = ["sphinx_antsibull_ext"]
html_theme = "alabaster"
html_theme_options = {"description": "Kubernetes-style Pods on plain Linux hosts, over Podman", "page_width": "72rem"}
html_show_sphinx = False
# Labels of Ansible's own manual, which is not at hand; `lint` has checked the references to our own pages.
suppress_warnings = ["ref.ref"]
"""


def lint(collection: Path) -> int:
    """Checks schema, markup and references of all documentation; returns the exit status."""
    command = ["antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs", "self"]
    return subprocess.run([*command, str(collection)], check=False).returncode


def build(collection: Path) -> int:
    """Renders the documentation of the staged collection to ``OUTPUT``; returns the exit status."""
    shutil.rmtree(OUTPUT, ignore_errors=True)
    source, pages = OUTPUT / "rst", OUTPUT / "html"
    source.mkdir(parents=True)
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collection.parents[2])}
    extract = ["antsibull-docs", "collection", "--use-current", "--fail-on-error", "--squash-hierarchy"]
    render = ["sphinx-build", "-q", "-W", "--keep-going", "-b", "html", str(source), str(pages)]
    (source / "conf.py").write_text(SPHINX_CONFIGURATION, encoding="utf-8")
    for command in ([*extract, "--dest-dir", str(source), "podwright.pods"], render):
        status = subprocess.run(command, env=environment, check=False).returncode
        if status:
            return status
    modules = sorted(path.stem for path in (collection / "plugins/modules").glob("*.py"))
    missing = [module for module in modules if not (pages / f"{module}_module.html").is_file()]
    if missing or not modules:
        print(f"documentation: no page for {', '.join(missing) or 'any module'}", file=sys.stderr)
        return 1
    print(f"documentation: {len(modules)} modules in {pages / 'index.html'}")
    return 0


def main() -> int:
    actions = {"lint": lint, "build": build}
    parser = argparse.ArgumentParser(description="Check or render the documentation of the collection.")
    parser.add_argument("action", choices=actions)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="podwright-docs-") as root:
        return actions[options.action](stage(Path(root)))


if __name__ == "__main__":
    sys.exit(main())
