"""Copies the collection, as git would publish it, to where Ansible's tools look for collections.

Contract: tracked files and untracked ones that are not ignored, links kept as links, at
``ROOT/ansible_collections/podwright/pods``. With ``git=True`` the copy is a repository of its own with one commit:
ansible-test and ``ansible-galaxy`` then see what they see in a clone.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
COLLECTION = Path("ansible_collections/podwright/pods")
COMMITTER = ("-c", "user.name=stage", "-c", "user.email=stage@localhost", "-c", "commit.gpgsign=false")


def list_files(checkout: Path) -> list[Path]:
    """The paths below the checkout that git tracks or would track; files deleted from the work tree are left out."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=checkout, check=True, capture_output=True, text=True).stdout
    paths = sorted({Path(name) for name in listing.split("\0") if name})
    return [path for path in paths if (checkout / path).is_symlink() or (checkout / path).is_file()]


def stage(root: Path, *, git: bool = False) -> Path:
    """Copies the checkout below ``root``, replacing an earlier copy; returns the path of the copy."""
    destination = root / COLLECTION
    shutil.rmtree(destination, ignore_errors=True)
    for path in list_files(CHECKOUT):
        target = destination / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / path, target, follow_symlinks=False)
    if git:
        for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), (*COMMITTER, "commit", "-q", "-m", "staged")):
            subprocess.run(["git", *arguments], cwd=destination, check=True, stdout=subprocess.DEVNULL)
    return destination


def main() -> None:
    parser = argparse.ArgumentParser(description="Copy the collection to ROOT/ansible_collections/podwright/pods.")
    parser.add_argument("root", type=Path)
    parser.add_argument("--git", action="store_true", help="make the copy a git repository with one commit")
    options = parser.parse_args()
    print(stage(options.root.resolve(), git=options.git))


if __name__ == "__main__":
    main()
