# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine of the module `image`: have an image under a name by pull, build, load or bootstrap, or have it gone.

What is made here carries its recipe as a label (part of the recipe -> digest): the next run compares, and can say
which part changed. A new image gets its name only once it is complete.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .._declaration.image_reference import default_pull_policy, pull_action, with_default_tag
from .._errors import Busy, Fault, HostError, ImageError, InvalidInput, NotFound, PodmanError, Refused
from .._host.podman.client import Podman
from .._host.podman.image_pull import pull
from .._host.podman.service import connect
from .._host.private_directory import private_directory
from .._host.state_directory import default_directory
from .build_context import SENT_CONTAINERFILE, BuildContext, base_images, read_build_context
from .image_archive import ArchivedImage, archive_blocks, choose_image, read_archive
from .image_request import Request, read_requests
from .image_store import (
    DIGEST_CHARACTERS,
    RECIPE_LABEL,
    Image,
    Recipe,
    find_by_id,
    find_image,
    is_image_id,
    matching_name,
    publish,
    recipe_of,
    staged_name,
    staging,
    tag,
)
from .root_filesystem import (
    DEFAULT_PATH,
    IncludedFile,
    RootFilesystem,
    choose_installer,
    default_suite,
    make_root_filesystem,
)

BUILD_LOG_LINES = 20
BUILD_SILENCE_SECONDS = 3600
LOCK_WAIT_SECONDS = 3600
WORK_PREFIX = "podwright-image-"


@dataclass(frozen=True)
class Operation:
    """One step and its cause; ``certain`` tells whether it surely changes something (a pull may find nothing new)."""

    text: str
    run: Callable[[], None]
    certain: bool = True


def handle(params: Mapping[str, Any], check_mode: bool, diff: bool) -> dict[str, Any]:
    """Carry out one task of the module `image` and return its result; in check mode only say what would be done."""
    requests = read_requests(params)
    with connect() as podman:
        done = [carry_out(podman, request, check_mode) for request in requests]
    result: dict[str, Any] = {
        "changed": any(each.changed for each in done),
        "actions": [action for each in done for action in each.actions],
    }
    if params.get("images") is None:
        result["image"] = done[0].image
    else:
        result["images"] = [each.image for each in done]
    if diff:
        diffs = [each.diff for each in done]
        result["diff"] = diffs[0] if params.get("images") is None else diffs
    return result


@dataclass(frozen=True)
class Done:
    """What was done for one image, or in check mode would be. ``image`` is None where there is none."""

    changed: bool
    actions: list[str]
    image: dict[str, Any] | None
    diff: dict[str, Any]


def carry_out(podman: Podman, request: Request, check_mode: bool) -> Done:
    """Have one image as the request says; in check mode only look."""
    with contextlib.ExitStack() as stack:
        if not check_mode:
            stack.enter_context(locked(request.name))
        before = find_image(podman, request.name)
        operations = plan(podman, request, before)
        if check_mode:
            after, changed = before, any(operation.certain for operation in operations)
        else:
            for operation in operations:
                operation.run()
            after = find_image(podman, request.name)
            changed = facts(before) != facts(after)
    expected = expected_facts(request, before, changed) if check_mode else facts(after)
    diff = {"before": facts(before), "after": expected, "before_header": request.name}
    return Done(changed, [operation.text for operation in operations], after.result() if after else None, diff)


def plan(podman: Podman, request: Request, present: Image | None) -> list[Operation]:
    """Return what has to be done, in order; raises what would make it impossible."""
    if request.absent:
        return plan_removal(podman, request, present)
    planners: dict[str, Callable[[Podman, Request, Image | None], list[Operation]]] = {
        "pull": plan_pull,
        "build": plan_build,
        "load": plan_load,
        "bootstrap": plan_bootstrap,
    }
    return planners[request.source](podman, request, present)


# --- absent -----------------------------------------------------------------------------------------------------------


def plan_removal(podman: Podman, request: Request, present: Image | None) -> list[Operation]:
    if present is None:
        return []
    users = [] if len(present.names) > 1 and not is_image_id(request.name) else users_of(podman, present)
    if users:
        raise Refused([Fault("name", f"{request.name} is used by {', '.join(users)}; remove that first")])
    return [Operation(f"remove image {request.name}", partial(remove, podman, request.name, present))]


def users_of(podman: Podman, image: Image) -> list[str]:
    """Return the containers of an image, Podman's own and those of other tools."""
    listed = podman.get("/containers/json", {"all": True, "external": True, "filters": {"ancestor": [image.id]}}) or []
    return [f"container {container['Names'][0]}" for container in listed if container["ImageID"] == image.id]


def remove(podman: Podman, name: str, image: Image) -> None:
    known = name if is_image_id(name) else matching_name(name, image) or name
    podman.delete(f"/images/{known}")


# --- pull -------------------------------------------------------------------------------------------------------------


def plan_pull(podman: Podman, request: Request, present: Image | None) -> list[Operation]:
    name, options = request.name, request.options
    if is_image_id(name):
        action, policy = ("use" if present else "ErrImageNeverPull"), "Never"
    else:
        policy = "Always" if request.refresh else options.get("policy") or default_pull_policy(name)
        action = pull_action(policy, present is not None)
    if action == "use":
        return []
    if action != "pull":
        raise ImageError(action, f"{name} is not on this host, and its pull policy is Never")
    newer = "policy Always (whether there is a newer one shows only then)"
    cause = "it is not on this host" if present is None else newer
    return [Operation(f"pull image {name}: {cause}", partial(pull, podman, name, options), certain=present is None)]


# --- build ------------------------------------------------------------------------------------------------------------


def plan_build(podman: Podman, request: Request, present: Image | None) -> list[Operation]:
    options = request.options
    context = read_build_context(options["context"], options["containerfile"])
    bases = base_images(context.containerfile, options["args"], options["target"])
    found = {base: find_image(podman, base) for base in bases}
    missing = [base for base, image in found.items() if image is None]
    recipe = build_recipe(context, options, found)
    if missing and present and present.recipe:
        # A base image that someone cleaned away says nothing about the image that was built on it.
        recipe = {**recipe, "base images": present.recipe.get("base images", "")}
    cause = cause_to_make(request, present, recipe)
    if not cause:
        return []
    pulls = [
        Operation(f"pull base image {base}: it is not on this host", partial(pull, podman, base, {}))
        for base in missing
    ]
    make = partial(build, podman, request, context, bases, present)
    return [*pulls, Operation(f"build image {request.name}: {cause}", make)]


def build_recipe(context: BuildContext, options: Mapping[str, Any], bases: Mapping[str, Image | None]) -> Recipe:
    return recipe_of(
        {
            "containerfile": context.containerfile,
            "context": context.digest(),
            "args": options["args"],
            "target": options["target"],
            "labels": options["labels"],
            "base images": {base: image.id if image else None for base, image in bases.items()},
        }
    )


def build(podman: Podman, request: Request, context: BuildContext, bases: Sequence[str], present: Image | None) -> None:
    options = request.options
    recipe = build_recipe(context, options, {base: find_image(podman, base) for base in bases})
    staged = staged_name(request.name)
    params = {
        "t": staged,
        "dockerfile": SENT_CONTAINERFILE,
        "buildargs": options["args"],
        "labels": {**options["labels"], RECIPE_LABEL: json.dumps(recipe)},
        "target": options["target"],
        "pullpolicy": "missing",
        "nocache": request.refresh,
        "layers": True,
        "rm": True,
        "forcerm": True,
    }
    with staging(podman, staged), work_directory() as directory, open(directory / "context.tar", "w+b") as archive:
        context.write(archive)
        archive.seek(0)
        run_build(podman, request.name, params, archive)
        publish(podman, staged, request.name, present)


def run_build(podman: Podman, name: str, params: Mapping[str, Any], archive: Any) -> None:
    """Stream the build; PodmanError with the step that failed and the last lines before it."""
    lines: deque[str] = deque(maxlen=BUILD_LOG_LINES)
    headers = {"Content-Type": "application/x-tar"}
    for message in podman.stream("/build", params, archive, headers, timeout_seconds=BUILD_SILENCE_SECONDS):
        lines.extend(str(message.get("stream") or "").splitlines())
        if message.get("error"):
            cause = str(message["error"]).strip()
            text = f"image {name} could not be built: {cause}. Last lines:\n" + "\n".join(lines)
            raise PodmanError(text, 200, cause)


# --- load -------------------------------------------------------------------------------------------------------------


def plan_load(podman: Podman, request: Request, present: Image | None) -> list[Operation]:
    path = Path(request.options["path"])
    images = read_archive(path)
    wanted = choose_image(images, request.name, path)
    if present and present.id == wanted.id and not request.refresh:
        return []
    cause = "it is not on this host" if present is None else "the archive holds another image"
    if find_by_id(podman, wanted.id) and not request.refresh:
        text = f"name image {wanted.id[:12]} {request.name}: it is on this host under another name"
        return [Operation(text, partial(publish, podman, wanted.id, request.name, present))]
    make = partial(load, podman, request.name, path, images, wanted, present)
    return [Operation(f"load image {request.name} from {path}: {cause}", make)]


def load(
    podman: Podman,
    name: str,
    path: Path,
    images: Sequence[ArchivedImage],
    wanted: ArchivedImage,
    present: Image | None,
) -> None:
    """Load an archive for one name: the names that its images carry inside it go back to what they were."""
    others = [other for image in images for other in image.names if other != name]
    before = {other: find_image(podman, other) for other in others}
    podman.upload("/images/load", None, archive_blocks(path))
    loaded = find_by_id(podman, wanted.id)
    if loaded is None:
        raise PodmanError(f"Podman loaded {path}, but has no image {wanted.id[:12]} afterwards", 200)
    publish(podman, loaded.id, name, present)
    for other, image in before.items():
        if image is None:
            with contextlib.suppress(NotFound):
                podman.delete(f"/images/{other}")
        else:
            tag(podman, image.id, other)


# --- bootstrap --------------------------------------------------------------------------------------------------------


def plan_bootstrap(podman: Podman, request: Request, present: Image | None) -> list[Operation]:
    installer = choose_installer()
    wanted = read_root_filesystem(request.options, installer)
    changes = image_changes(request.options)
    recipe = recipe_of({**vars(wanted), "image": changes})
    cause = cause_to_make(request, present, recipe)
    if not cause:
        return []
    text = f"bootstrap image {request.name} ({wanted.suite}, {len(wanted.packages)} packages, {installer}): {cause}"
    changes = [*changes, *instructions("LABEL", {RECIPE_LABEL: json.dumps(recipe)})]
    return [Operation(text, partial(bootstrap, podman, request.name, wanted, installer, changes, present))]


def read_root_filesystem(options: Mapping[str, Any], installer: str) -> RootFilesystem:
    faults = list(_option_like_words(options))
    if faults:
        raise InvalidInput(faults)
    suite = options["suite"] or default_suite(installer)
    if not suite:
        raise InvalidInput([Fault("bootstrap.suite", "this host names no release of its own; give the one to install")])
    if options["keyring"] and not Path(options["keyring"]).is_file():
        raise InvalidInput([Fault("bootstrap.keyring", f"{options['keyring']} is not a file on this host")])
    return RootFilesystem(
        suite=suite,
        packages=tuple(options["packages"]),
        variant=options["variant"],
        mirror=options["mirror"],
        components=tuple(options["components"]),
        keyring=options["keyring"],
        architecture=options["architecture"],
        files=tuple(IncludedFile(file["path"], file["content"], file["mode"]) for file in options["files"]),
        commands=tuple(options["commands"]),
        env=options["env"],
    )


def _option_like_words(options: Mapping[str, Any]) -> Iterator[Fault]:
    """Words that the programs which bootstrap would take for options, some of which run commands on the host."""
    words = [(f"bootstrap.{name}", options[name] or "") for name in ("suite", "mirror", "architecture")]
    words += [(f"bootstrap.packages[{n}]", word) for n, word in enumerate(options["packages"])]
    words += [(f"bootstrap.env.{name}", name) for name in options["env"]]
    for place, word in words:
        if word.lstrip().startswith("-"):
            yield Fault(place, f"{word} begins with a dash, as an option of a program does; correct it")


def image_changes(options: Mapping[str, Any]) -> list[str]:
    """Return the image's configuration as the Containerfile instructions that ``/images/import`` takes."""
    changes = instructions("ENV", {"PATH": DEFAULT_PATH, **options["env"]}) + instructions("LABEL", options["labels"])
    for name in ("entrypoint", "command"):
        if options[name] is not None:
            instruction = "CMD" if name == "command" else "ENTRYPOINT"
            changes.append(f"{instruction} {json.dumps(options[name])}")
    changes += [f"EXPOSE {port}" for port in options["exposed_ports"]]
    changes += [f"VOLUME {json.dumps(options['volumes'])}"] if options["volumes"] else []
    singles = {"USER": "user", "WORKDIR": "workdir", "STOPSIGNAL": "stop_signal"}
    return changes + [f"{instruction} {options[name]}" for instruction, name in singles.items() if options[name]]


def instructions(instruction: str, values: Mapping[str, str]) -> list[str]:
    # Podman strips one pair of quotes and reads what is between them as it stands, without escapes.
    return [f'{instruction} {name}="{value}"' for name, value in values.items()]


def bootstrap(
    podman: Podman,
    name: str,
    wanted: RootFilesystem,
    installer: str,
    changes: Sequence[str],
    present: Image | None,
) -> None:
    staged = staged_name(name)
    params = {"reference": staged, "changes": list(changes), "message": f"bootstrapped from {wanted.suite}"}
    with staging(podman, staged), work_directory() as directory:
        with open(make_root_filesystem(wanted, installer, directory), "rb") as archive:
            podman.upload("/images/import", params, archive)
        publish(podman, staged, name, present)


# --- recipes ----------------------------------------------------------------------------------------------------------


def cause_to_make(request: Request, present: Image | None, recipe: Recipe) -> str:
    """Return why the image has to be made; empty if it need not be."""
    if present is None:
        return "it is not on this host"
    if present.recipe is None:
        return "the one on this host was made elsewhere"
    changed = sorted(name for name in {*recipe, *present.recipe} if recipe.get(name) != present.recipe.get(name))
    if changed:
        return f"{', '.join(changed)} changed"
    return "refresh was asked for" if request.refresh else ""


# --- what is told -----------------------------------------------------------------------------------------------------


def facts(image: Image | None) -> dict[str, Any]:
    """Return what a change of an image shows in."""
    if image is None:
        return {}
    return {"id": image.id, "names": list(image.names), "recipe": dict(image.recipe or {})}


def expected_facts(request: Request, before: Image | None, changed: bool) -> dict[str, Any]:
    """Return the facts after the change as far as they can be told before it."""
    if not changed:
        return facts(before)
    return {} if request.absent else {"id": "(known once it is made)", "names": [request.name]}


# --- files ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock of an image's name, which ends with this process; waits for another run, Busy after an hour."""
    directory = default_directory() / "image-locks"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = hashlib.sha256(with_default_tag(name).encode()).hexdigest()[:DIGEST_CHARACTERS]
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    with open(directory / key, "ab") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Busy(f"another run has been making the image {name} for an hour; end it, or wait") from None
                time.sleep(0.1)
        yield


@contextlib.contextmanager
def work_directory() -> Iterator[Path]:
    """Make a directory for archives, on a disk rather than in memory, and remove it afterwards."""
    base = os.environ.get("TMPDIR") or "/var/tmp"  # noqa: S108
    with contextlib.ExitStack() as stack:
        try:
            directory = stack.enter_context(private_directory(WORK_PREFIX, base))
        except OSError as error:
            raise HostError(f"no temporary directory can be made in {base}: {error.strerror}; set TMPDIR") from error
        yield directory
