# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module `image` on real Podman: every source, check mode, idempotence, failures, two runs at once."""

from __future__ import annotations

import base64
import gzip
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from image_registry import ImageRegistry
from podman_host import BUSYBOX, PodmanHost

from ansible_collections.podwright.pods.plugins.module_utils._images.image_store import RECIPE_LABEL

pytestmark = pytest.mark.integration

NAME = "localhost/test/app:1"
IMAGE_MODULE = "ansible_collections.podwright.pods.plugins.modules.image"

Run = Callable[..., dict[str, Any]]


class ImageModule:
    """Runs the module the way Ansible does: a process of its own, options in and a result out."""

    def __init__(self, host: PodmanHost) -> None:
        self.environment = {**host.environment, "PYTHONPATH": collections(), "TMPDIR": str(host.directory)}

    def start(self, check_mode: bool = False, **options: Any) -> subprocess.Popen[str]:
        arguments = {**options, "_ansible_check_mode": check_mode, "_ansible_diff": True}
        process = subprocess.Popen(
            [sys.executable, "-m", IMAGE_MODULE],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))
        process.stdin.close()
        process.stdin = None
        return process

    def finish(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        output, errors = process.communicate(timeout=600)
        assert output.strip(), errors
        return dict(json.loads(output))

    def __call__(self, check_mode: bool = False, **options: Any) -> dict[str, Any]:
        return self.finish(self.start(check_mode, **options))

    def checked(self, host: PodmanHost, **options: Any) -> dict[str, Any]:
        """Run in check mode first and hold it to its word, then for real; return the real result."""
        before = host.mutations()
        told = self(check_mode=True, **options)
        assert host.mutations() == before
        done = self(**options)
        assert not done.get("failed"), done
        assert told["actions"] == done["actions"]
        assert told["changed"] == done["changed"]
        return done

    def unchanged(self, host: PodmanHost, **options: Any) -> None:
        """Assert that another run finds nothing to do and does nothing."""
        before = host.mutations()
        for check_mode in (True, False):
            again = self(check_mode=check_mode, **options)
            assert again.get("changed") is False, again
            assert again["actions"] == []
            assert again["diff"]["before"] == again["diff"]["after"]
        assert host.mutations() == before


def collections() -> str:
    """The directory below which the collection can be imported."""
    return next(root for root in sys.path if root.endswith("collections"))


@pytest.fixture
def image(clean_host: PodmanHost) -> ImageModule:
    return ImageModule(clean_host)


@pytest.fixture
def registry() -> Iterator[ImageRegistry]:
    served = ImageRegistry()
    yield served
    served.stop()


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A build context with a Containerfile."""
    directory = tmp_path / "context"
    (directory / "site").mkdir(parents=True)
    (directory / "site" / "index.html").write_text("hello\n")
    (directory / "Containerfile").write_text(
        f"ARG BASE={BUSYBOX}\nFROM ${{BASE}}\nARG VERSION=0\nCOPY site /www\nRUN echo $VERSION > /version\n"
    )
    return directory


def run_in(host: PodmanHost, image: str, *command: str) -> str:
    return host.podman("run", "--rm", "--network=none", image, *command).strip()


class TestPull:
    def test_failing_pull_says_what_and_why(self, image: ImageModule, clean_host: PodmanHost) -> None:
        before = clean_host.mutations()
        result = image(name="127.0.0.1:1/x:1")
        assert result["failed"]
        assert result["reason"] == "ErrImagePull"
        assert result["msg"].startswith("ErrImagePull: 127.0.0.1:1/x:1 could not be pulled: ")
        assert "connection refused. To mend it, check the registry's name and port" in result["msg"]
        # Podman's lock directory and the image lock are all that such a run leaves.
        assert [line for line in clean_host.mutations() if "image-locks" not in line and "state" not in line] == before

    def test_short_name(self, image: ImageModule) -> None:
        assert "write the name in full" in image(name="no-such-short-name")["msg"]

    def test_pull_is_idempotent(
        self, image: ImageModule, clean_host: PodmanHost, registry: ImageRegistry, tmp_path: Path
    ) -> None:
        name = registry.publish(clean_host, BUSYBOX, "team/app", "1", tmp_path)
        options = {"name": name, "pull": {"tls_verify": False}}
        done = image.checked(clean_host, **options)
        assert done["changed"]
        assert done["actions"] == [f"pull image {name}: it is not on this host"]
        assert done["image"]["names"] == sorted([BUSYBOX, name])
        registry.requests.clear()
        image.unchanged(clean_host, **options)
        assert registry.requests == []

    def test_policy_always_takes_the_newer_image(
        self, image: ImageModule, clean_host: PodmanHost, registry: ImageRegistry, tmp_path: Path
    ) -> None:
        name = registry.publish(clean_host, BUSYBOX, "team/app", "latest", tmp_path)
        options = {"name": name.removesuffix(":latest"), "pull": {"tls_verify": False}}
        first = image(**options)
        registry.requests.clear()
        told = image(check_mode=True, **options)
        assert registry.requests == [], "check mode asks nothing of the registry"
        assert told["actions"] == [
            f"pull image {options['name']}: policy Always (whether there is a newer one shows only then)"
        ]
        assert not told["changed"]
        assert not image(**options)["changed"]
        image(name=NAME, build={"containerfile": f"FROM {BUSYBOX}\nLABEL newer=yes\n"})
        registry.publish(clean_host, NAME, "team/app", "latest", tmp_path)
        second = image(**options)
        assert second["changed"]
        assert second["image"]["id"] != first["image"]["id"]

    def test_never(self, image: ImageModule, clean_host: PodmanHost) -> None:
        result = image(check_mode=True, name="localhost/none:1", pull={"policy": "Never"})
        assert result["reason"] == "ErrImageNeverPull"
        assert not image(name=BUSYBOX, pull={"policy": "Never"})["changed"]

    def test_image_id(self, image: ImageModule, clean_host: PodmanHost) -> None:
        found = image(name=BUSYBOX)["image"]
        assert image(name=found["id"])["image"] == found
        assert image(name=f"sha256:{found['id']}")["image"] == found
        assert image(name="sha256:" + "0" * 64)["reason"] == "ErrImageNeverPull"

    def test_beginning_of_an_id_is_no_name(self, image: ImageModule, clean_host: PodmanHost) -> None:
        identifier = image(name=BUSYBOX)["image"]["id"]
        result = image(name=identifier[:12], state="absent")
        assert (result["changed"], result["image"]) == (False, None)

    @pytest.mark.parametrize("by_file", [False, True], ids=["password", "auth_file"])
    def test_credentials(self, image: ImageModule, clean_host: PodmanHost, tmp_path: Path, by_file: bool) -> None:
        word = "Hush-9f2c1a7b"
        registry = ImageRegistry("deploy", word)
        try:
            name = registry.publish(clean_host, BUSYBOX, "team/app", "1", tmp_path)
            refused = image(name=name, pull={"tls_verify": False})
            assert "give pull.username and pull.password, or pull.auth_file" in refused["msg"]
            pull: dict[str, Any] = {"tls_verify": False, "username": "deploy", "password": word}
            if by_file:
                auth_file = tmp_path / "auth.json"
                auth = base64.b64encode(f"deploy:{word}".encode()).decode()
                auth_file.write_text(json.dumps({"auths": {registry.address: {"auth": auth}}}))
                pull = {"tls_verify": False, "auth_file": str(auth_file)}
            result = image(name=name, pull=pull)
            assert result["changed"], result
            assert word not in json.dumps(result)
            wrong = image(name=f"{name}0", pull=pull)
            assert "the registry has no such image" in wrong["msg"]
        finally:
            registry.stop()

    def test_registry_without_tls(
        self, image: ImageModule, clean_host: PodmanHost, registry: ImageRegistry, tmp_path: Path
    ) -> None:
        name = registry.publish(clean_host, BUSYBOX, "team/app", "1", tmp_path)
        assert "set pull.tls_verify to false" in image(name=name)["msg"]


class TestBuild:
    def test_build_is_idempotent(self, image: ImageModule, clean_host: PodmanHost, context: Path) -> None:
        options = {"name": NAME, "build": {"context": str(context), "args": {"VERSION": 1.5}, "labels": {"who": "me"}}}
        done = image.checked(clean_host, **options)
        assert done["actions"] == [f"build image {NAME}: it is not on this host"]
        assert done["image"]["names"] == [NAME]
        assert done["image"]["labels"]["who"] == "me"
        assert set(json.loads(done["image"]["labels"][RECIPE_LABEL])) == {
            "args", "base images", "containerfile", "context", "labels", "target",
        }  # fmt: skip
        assert run_in(clean_host, NAME, "cat", "/version", "/www/index.html").splitlines() == ["1.5", "hello"]
        image.unchanged(clean_host, **options)

    def test_the_cause_names_what_changed(self, image: ImageModule, clean_host: PodmanHost, context: Path) -> None:
        options: dict[str, Any] = {"name": NAME, "build": {"context": str(context)}}
        first = image(**options)["image"]["id"]
        (context / "site" / "index.html").write_text("changed\n")
        done = image.checked(clean_host, **options)
        assert done["actions"] == [f"build image {NAME}: context changed"]
        assert done["diff"]["before"]["id"] == first
        assert done["diff"]["after"]["id"] == done["image"]["id"]
        assert run_in(clean_host, NAME, "cat", "/www/index.html") == "changed"
        assert not clean_host.podman("images", "--all", "--quiet", "--filter", f"id={first}"), "the old image is gone"
        options["build"]["args"] = {"VERSION": "2"}
        options["build"]["labels"] = {"a": "b"}
        assert image.checked(clean_host, **options)["actions"] == [f"build image {NAME}: args, labels changed"]
        (context / "site" / "index.html").chmod(0o600)
        assert image.checked(clean_host, **options)["actions"] == [f"build image {NAME}: context changed"]
        os.utime(context / "site" / "index.html", (1, 1))
        image.unchanged(clean_host, **options)

    def test_a_new_base_image_is_built_on(self, image: ImageModule, clean_host: PodmanHost, context: Path) -> None:
        base = "localhost/test/base:1"
        clean_host.podman("tag", BUSYBOX, base)
        options = {"name": NAME, "build": {"context": str(context), "args": {"BASE": base}}}
        image(**options)
        image(name="localhost/test/other:1", build={"containerfile": f"FROM {BUSYBOX}\nLABEL x=y\n"})
        clean_host.podman("tag", "localhost/test/other:1", base)
        assert image.checked(clean_host, **options)["actions"] == [f"build image {NAME}: base images changed"]
        image.unchanged(clean_host, **options)
        clean_host.podman("untag", base)
        image.unchanged(clean_host, **options)

    def test_a_missing_base_image_is_pulled(
        self, image: ImageModule, clean_host: PodmanHost, registry: ImageRegistry, tmp_path: Path
    ) -> None:
        base = registry.publish(clean_host, BUSYBOX, "team/base", "1", tmp_path)
        options = {"name": NAME, "build": {"containerfile": f"FROM {base}\n"}}
        told = image(check_mode=True, **options)
        assert told["actions"] == [
            f"pull base image {base}: it is not on this host",
            f"build image {NAME}: it is not on this host",
        ]
        # A pull of a base image has no options of its own: this registry has no certificate.
        failed = image(**options)
        assert failed["reason"] == "ErrImagePull"
        assert base in failed["msg"]

    def test_ignored_files(self, image: ImageModule, clean_host: PodmanHost, context: Path) -> None:
        (context / ".dockerignore").write_text("**/*.log\n!site/keep.log\n# comment\nsecret\n")
        (context / "Containerfile").write_text(f"FROM {BUSYBOX}\nCOPY . /all\n")
        for name in ("site/a.log", "site/keep.log", "secret"):
            (context / name).write_text("x")
        (context / "site" / "link").symlink_to("index.html")
        options = {"name": NAME, "build": {"context": str(context)}}
        image.checked(clean_host, **options)
        found = run_in(clean_host, NAME, "find", "/all", "!", "-type", "d").splitlines()
        assert sorted(found) == [
            "/all/.dockerignore",
            "/all/Containerfile",
            "/all/site/index.html",
            "/all/site/keep.log",
            "/all/site/link",
        ]
        (context / "secret").write_text("y")
        image.unchanged(clean_host, **options)

    def test_target(self, image: ImageModule, clean_host: PodmanHost) -> None:
        text = f"FROM {BUSYBOX} AS one\nRUN echo 1 > /stage\nFROM one AS two\nRUN echo 2 > /stage\n"
        image.checked(clean_host, name=NAME, build={"containerfile": text, "target": "one"})
        assert run_in(clean_host, NAME, "cat", "/stage") == "1"

    def test_refresh(self, image: ImageModule, clean_host: PodmanHost) -> None:
        options: dict[str, Any] = {"name": NAME, "build": {"containerfile": f"FROM {BUSYBOX}\nRUN date +%N > /when\n"}}
        first = image(**options)
        done = image.checked(clean_host, refresh=True, **options)
        assert done["actions"] == [f"build image {NAME}: refresh was asked for"]
        assert done["image"]["id"] != first["image"]["id"]
        image.unchanged(clean_host, **options)

    def test_a_failed_build_leaves_the_old_image(self, image: ImageModule, clean_host: PodmanHost) -> None:
        first = image(name=NAME, build={"containerfile": f"FROM {BUSYBOX}\nRUN echo good\n"})
        text = f"FROM {BUSYBOX}\nRUN echo before && echo why >&2 && exit 3\n"
        result = image(name=NAME, build={"containerfile": text})
        assert result["failed"]
        assert result["msg"].startswith(f"image {NAME} could not be built: ")
        assert "exit status 3" in result["msg"]
        assert "why" in result["msg"]
        assert image(name=NAME)["image"] == first["image"]
        assert not [name for name in names_of(clean_host) if "staged" in name]
        assert leftovers(clean_host) == []

    def test_an_image_of_other_making_is_replaced(self, image: ImageModule, clean_host: PodmanHost) -> None:
        clean_host.podman("tag", BUSYBOX, NAME)
        done = image.checked(clean_host, name=NAME, build={"containerfile": f"FROM {BUSYBOX}\n"})
        assert done["actions"] == [f"build image {NAME}: the one on this host was made elsewhere"]
        assert BUSYBOX in names_of(clean_host)

    def test_an_image_in_use_stays(self, image: ImageModule, clean_host: PodmanHost) -> None:
        first = image(name=NAME, build={"containerfile": f"FROM {BUSYBOX}\nRUN echo 1\n"})["image"]["id"]
        clean_host.podman("create", "--name", "user", NAME, "true")
        image(name=NAME, build={"containerfile": f"FROM {BUSYBOX}\nRUN echo 2\n"})
        assert clean_host.inspect("user")["Image"] == first
        assert image(name=first)["image"]["names"] == []

    def test_two_runs_at_once_build_once(self, image: ImageModule, clean_host: PodmanHost, context: Path) -> None:
        (context / "Containerfile").write_text(f"FROM {BUSYBOX}\nCOPY site /www\nRUN sleep 1\n")
        options = {"name": NAME, "build": {"context": str(context)}}
        results = [image.finish(process) for process in [image.start(**options) for _turn in range(3)]]
        assert sorted(result["changed"] for result in results) == [False, False, True]
        assert len({result["image"]["id"] for result in results}) == 1
        assert leftovers(clean_host) == []

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
    def test_a_run_that_is_killed(self, image: ImageModule, clean_host: PodmanHost, number: int) -> None:
        options = {"name": NAME, "build": {"containerfile": f"FROM {BUSYBOX}\nRUN sleep 3\n"}}
        process = image.start(**options)
        time.sleep(1.5)
        process.send_signal(number)
        process.wait(20)
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()
        assert NAME not in names_of(clean_host)
        if number == signal.SIGTERM:
            assert leftovers(clean_host) == []
        done = image(**options)
        assert done["changed"]
        assert not [name for name in names_of(clean_host) if "staged" in name]


class TestLoad:
    @pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
    @pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
    def test_load_is_idempotent(
        self, image: ImageModule, clean_host: PodmanHost, tmp_path: Path, form: str, packed: bool
    ) -> None:
        archive = self.save(clean_host, tmp_path, form)
        if packed:
            with open(archive, "rb") as plain, gzip.open(f"{archive}.gz", "wb") as target:
                shutil.copyfileobj(plain, target)
            archive = Path(f"{archive}.gz")
        options = {"name": NAME, "load": {"path": str(archive)}}
        done = image.checked(clean_host, **options)
        assert done["actions"] == [f"load image {NAME} from {archive}: it is not on this host"]
        assert names_of(clean_host) == [BUSYBOX, NAME], "the name inside the archive is not taken over"
        assert run_in(clean_host, NAME, "cat", "/mark") == "first"
        image.unchanged(clean_host, **options)

    def save(self, host: PodmanHost, directory: Path, form: str, mark: str = "first") -> Path:
        """Save an image that the host does not have any more."""
        archive = directory / f"{form}-{mark}.tar"
        text = f"FROM {BUSYBOX}\nRUN echo {mark} > /mark\n"
        host.podman("build", "--quiet", "--tag", "localhost/other:1", "-", input=text.encode())
        host.podman("save", "--quiet", "--format", form, "--output", str(archive), "localhost/other:1")
        host.podman("rmi", "localhost/other:1")
        return archive

    def test_another_archive_replaces(self, image: ImageModule, clean_host: PodmanHost, tmp_path: Path) -> None:
        image(name=NAME, load={"path": str(self.save(clean_host, tmp_path, "docker-archive"))})
        archive = self.save(clean_host, tmp_path, "docker-archive", "second")
        done = image.checked(clean_host, name=NAME, load={"path": str(archive)})
        assert done["actions"] == [f"load image {NAME} from {archive}: the archive holds another image"]
        assert run_in(clean_host, NAME, "cat", "/mark") == "second"

    def test_an_image_known_by_another_name_is_named(
        self, image: ImageModule, clean_host: PodmanHost, tmp_path: Path
    ) -> None:
        archive = tmp_path / "a.tar"
        clean_host.podman("save", "--quiet", "--output", str(archive), BUSYBOX)
        done = image.checked(clean_host, name=NAME, load={"path": str(archive)})
        assert done["actions"][0].startswith("name image ")
        assert names_of(clean_host) == [BUSYBOX, NAME]

    def test_names_in_the_archive_go_back(self, image: ImageModule, clean_host: PodmanHost, tmp_path: Path) -> None:
        archive = self.save(clean_host, tmp_path, "docker-archive")
        clean_host.podman("tag", BUSYBOX, "localhost/other:1")
        image(name=NAME, load={"path": str(archive)})
        assert image(name="localhost/other:1")["image"]["id"] == image(name=BUSYBOX)["image"]["id"]

    def test_several_images(self, image: ImageModule, clean_host: PodmanHost, tmp_path: Path) -> None:
        archive = tmp_path / "several.tar"
        made = image(name=NAME, build={"containerfile": f"FROM {BUSYBOX}\nLABEL x=y\n"})["image"]["id"]
        clean_host.podman("save", "--quiet", "--multi-image-archive", "--output", str(archive), BUSYBOX, NAME)
        image(name=NAME, state="absent")
        assert image(name=NAME, load={"path": str(archive)})["image"]["id"] == made
        refused = image(name="localhost/neither:1", load={"path": str(archive)})
        assert refused["faults"][0]["path"] == "load.path"
        assert f"{BUSYBOX}, {NAME}" in refused["msg"]

    def test_several_by_one_task(self, image: ImageModule, clean_host: PodmanHost, tmp_path: Path) -> None:
        archive = self.save(clean_host, tmp_path, "docker-archive")
        other = "localhost/test/app:2"
        images = [{"name": name, "load": {"path": str(archive)}} for name in (NAME, other)]
        done = image.checked(clean_host, images=images[:1])
        assert done["actions"] == [f"load image {NAME} from {archive}: it is not on this host"]
        done = image.checked(clean_host, images=images)
        (action,) = done["actions"]
        assert action.endswith(f"{other}: it is on this host under another name")
        assert [name in each["names"] for name, each in zip((NAME, other), done["images"], strict=True)] == [True, True]
        assert [each["before"] == each["after"] for each in done["diff"]] == [True, False]
        again = image(images=images)
        assert (again["changed"], again["actions"]) == (False, [])

    def test_all_are_judged_before_one_is_made(
        self, image: ImageModule, clean_host: PodmanHost, tmp_path: Path
    ) -> None:
        archive = self.save(clean_host, tmp_path, "docker-archive")
        before = clean_host.mutations()
        good, undigested = (
            {"name": NAME, "load": {"path": str(archive)}},
            {"name": f"app@sha256:{'0' * 64}", "build": {}},
        )
        wrong = [good, {"name": "UPPER:1"}, undigested]
        told = image(images=wrong)
        assert [fault["path"] for fault in told["faults"]] == ["images[1].name", "images[2].name"]
        assert clean_host.mutations() == before
        assert "mutually exclusive" in image(name=NAME, images=[])["msg"]
        assert "one of the following is required: name, images" in image()["msg"]

    @pytest.mark.parametrize("content", [b"", b"no archive", None], ids=["empty", "text", "missing"])
    def test_no_archive(self, image: ImageModule, tmp_path: Path, content: bytes | None) -> None:
        path = tmp_path / "x.tar"
        if content is not None:
            path.write_bytes(content)
        result = image(check_mode=True, name=NAME, load={"path": str(path)})
        assert result["msg"].startswith(f"load.path: {path} cannot be read as an image archive")


class TestAbsent:
    def test_absent(self, image: ImageModule, clean_host: PodmanHost) -> None:
        clean_host.podman("tag", BUSYBOX, NAME)
        done = image.checked(clean_host, name=NAME, state="absent")
        assert (done["actions"], done["image"]) == ([f"remove image {NAME}"], None)
        assert names_of(clean_host) == [BUSYBOX]
        image.unchanged(clean_host, name=NAME, state="absent")

    def test_short_name(self, image: ImageModule, clean_host: PodmanHost) -> None:
        clean_host.podman("tag", BUSYBOX, NAME)
        assert image(name="test/app:1", state="absent")["changed"]
        assert names_of(clean_host) == [BUSYBOX]

    def test_in_use(self, image: ImageModule, clean_host: PodmanHost) -> None:
        image(name=NAME, build={"containerfile": f"FROM {BUSYBOX}\nLABEL a=b\n"})
        clean_host.podman("create", "--name", "user", NAME, "true")
        for check_mode in (True, False):
            result = image(check_mode=check_mode, name=NAME, state="absent")
            assert result["msg"] == f"name: {NAME} is used by container user; remove that first"
        assert NAME in names_of(clean_host)


FAULTS = [
    ({"name": "UPPER//x"}, "name"),
    ({"name": NAME + "@sha256:" + "0" * 64, "build": {"containerfile": "FROM scratch\n"}}, "name"),
    ({"name": NAME, "build": {}}, "build"),
    ({"name": NAME, "build": {"context": "/no/such"}}, "build.context"),
    ({"name": NAME, "build": {"context": "/tmp", "containerfile": "none"}}, "build.containerfile"),
    ({"name": NAME, "state": "absent", "build": {"containerfile": "FROM scratch\n"}}, "build"),
    ({"name": NAME, "bootstrap": {"files": [{"path": "etc/x", "content": ""}]}}, "bootstrap.files[0].path"),
    ({"name": NAME, "bootstrap": {"files": [{"path": "/x", "content": "", "mode": "u+x"}]}}, "bootstrap.files[0].mode"),
    ({"name": NAME, "bootstrap": {"exposed_ports": ["80", "http"]}}, "bootstrap.exposed_ports[1]"),
    ({"name": NAME, "bootstrap": {"keyring": "/no/such"}}, "bootstrap.keyring"),
    ({"name": NAME, "pull": {"auth_file": "/no/such"}}, "pull.auth_file"),
]


class TestFaults:
    @pytest.mark.parametrize(("options", "path"), FAULTS, ids=[path for _options, path in FAULTS])
    def test_faults_name_the_option(
        self, image: ImageModule, clean_host: PodmanHost, options: dict[str, Any], path: str
    ) -> None:
        result = image(**options)
        assert result["failed"]
        assert [fault["path"] for fault in result["faults"]] == [path]
        assert result["msg"].startswith(f"{path}: ")
        assert names_of(clean_host) == [BUSYBOX]

    def test_all_faults_at_once(self, image: ImageModule) -> None:
        files = [{"path": "x", "content": "", "mode": "9"}]
        result = image(name="UPPER", bootstrap={"files": files, "exposed_ports": ["0"]})
        assert len(result["faults"]) == 4

    def test_unknown_and_exclusive_options(self, image: ImageModule) -> None:
        assert "Unsupported parameters" in image(name=NAME, build={"contxt": "/"})["msg"]
        assert "mutually exclusive" in image(name=NAME, build={"context": "/"}, load={"path": "/x"})["msg"]


@pytest.mark.long
class TestBootstrap:
    """A real root file system from the host's own sources; each takes about half a minute."""

    options: dict[str, Any] = {
        "packages": ["netcat-openbsd"],
        "files": [
            {"path": "/srv/data/hello.txt", "content": "hello\n"},
            {"path": "/usr/local/bin/greet", "content": "#!/bin/sh\ncat /srv/data/hello.txt\n", "mode": "0755"},
        ],
        "env": {"GREETING": 'it\'s "quoted" $HOME', "EMPTY": ""},
        "labels": {"who": "me and you"},
        "command": ["greet"],
        "user": "65534:65534",
        "workdir": "/srv",
        "exposed_ports": ["80", "53/udp"],
        "volumes": ["/data"],
        "stop_signal": "SIGQUIT",
    }

    def test_bootstrap(self, image: ImageModule, clean_host: PodmanHost) -> None:
        suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
        package_lists = sorted(Path("/var/lib/apt/lists").iterdir())
        wanted = dict(self.options)
        wanted["commands"] = [
            "useradd --system app",
            'echo "$GREETING" > /srv/greeting; test -z "$EMPTY"; rm -rf /tmp/*',
        ]
        options = {"name": NAME, "bootstrap": wanted}
        done = image.checked(clean_host, **options)
        assert done["actions"] == [f"bootstrap image {NAME} ({suite}, 1 packages, mmdebstrap): it is not on this host"]
        assert done["image"]["names"] == [NAME]
        assert done["image"]["labels"]["who"] == "me and you"
        assert done["image"]["size_bytes"] < 130e6
        assert run_in(clean_host, NAME) == "hello"
        assert run_in(clean_host, NAME, "cat", "/srv/greeting") == self.options["env"]["GREETING"]
        assert run_in(clean_host, NAME, "sh", "-c", "id -u; pwd").splitlines() == ["65534", "/srv"]
        assert run_in(clean_host, NAME, "sh", "-c", "command -v nc && getent passwd app").startswith("/")
        self.assert_configured(clean_host)
        self.assert_small(clean_host)
        assert sorted(Path("/var/lib/apt/lists").iterdir()) == package_lists, "the host's own package lists stay"
        image.unchanged(clean_host, **options)
        wanted["command"] = ["true"]
        assert image(check_mode=True, **options)["actions"][0].endswith(": image changed")
        assert leftovers(clean_host) == []

    def assert_configured(self, host: PodmanHost) -> None:
        config = json.loads(host.podman("image", "inspect", NAME))[0]["Config"]
        assert config["Cmd"] == ["greet"]
        assert {f"GREETING={self.options['env']['GREETING']}", "EMPTY="} <= set(config["Env"])
        assert set(config["ExposedPorts"]) == {"80/tcp", "53/udp"}
        assert set(config["Volumes"]) == {"/data"}
        assert config["StopSignal"] in ("3", "SIGQUIT")
        assert run_in(host, NAME, "sh", "-c", "test ! -e /dev/console && echo plain") == "plain"
        host.podman("run", "--rm", "--read-only", "--network=none", NAME)

    def assert_small(self, host: PodmanHost) -> None:
        """No package lists, manual pages, translations or logs."""
        script = (
            "find /var/lib/apt/lists /var/cache/apt /usr/share/man /usr/share/info /var/log /usr/share/locale"
            " -type f ! -name lock ! -name locale.alias; find /usr/share/doc -type f ! -name copyright"
        )
        found = host.podman("run", "--rm", "--network=none", "--user=0", NAME, "sh", "-c", script, check=False)
        assert found.split() == []

    def test_a_failing_command_leaves_nothing(self, image: ImageModule, clean_host: PodmanHost) -> None:
        wanted = {"commands": ["echo reason-of-failure >&2; exit 7"]}
        result = image(name=NAME, bootstrap=wanted)
        assert result["failed"]
        assert result["msg"].startswith("mmdebstrap failed")
        assert "reason-of-failure" in result["msg"]
        assert names_of(clean_host) == [BUSYBOX]
        assert leftovers(clean_host) == []

    def test_a_killed_run_ends_its_installer(self, image: ImageModule, clean_host: PodmanHost) -> None:
        process = image.start(name=NAME, bootstrap={"packages": ["netcat-openbsd"]})
        await_that(lambda: bool(list(clean_host.directory.glob("mmdebstrap.*/var/lib/dpkg/info/*.list"))))
        process.kill()
        process.communicate()
        await_that(lambda: not installers(clean_host))
        await_that(lambda: not list(clean_host.directory.glob("mmdebstrap.*")))
        assert image(name=NAME, build={"containerfile": f"FROM {BUSYBOX}\n"})["changed"]
        assert leftovers(clean_host) == [], "the next run removes what the killed one left"

    def test_an_unknown_package(self, image: ImageModule, clean_host: PodmanHost) -> None:
        result = image(name=NAME, bootstrap={"packages": ["no-such-package-anywhere"]})
        assert "no-such-package-anywhere" in result["msg"]
        assert leftovers(clean_host) == []


def names_of(host: PodmanHost) -> list[str]:
    listed = json.loads(host.podman("images", "--format", "json"))
    return sorted({name for each in listed for name in each.get("Names") or [] if "podman-pause" not in name})


def leftovers(host: PodmanHost) -> list[str]:
    """Temporary directories of image runs."""
    return [path.name for path in host.directory.glob("podwright-image-*")]


def installers(host: PodmanHost) -> list[str]:
    """Processes of mmdebstrap that work below the host's directory."""
    listed = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if "mmdebstrap" in line and str(host.directory) in line]


def await_that(condition: Callable[[], bool], timeout_seconds: float = 120) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
