#!/usr/bin/python
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module image: have an image on a host, from a registry, a Containerfile, an archive or packages."""

from __future__ import annotations

DOCUMENTATION = r"""
module: image
short_description: Have an image on a host by pull, build, load or bootstrap
version_added: 0.1.0
author:
  - podwright.pods contributors (@podwright)
description:
  - >-
    Has an image in Podman's store under a name. It comes from a registry (O(pull), the default), is built from a
    Containerfile (O(build)), loaded from an archive (O(load)), or bootstrapped from the packages of a distribution
    (O(bootstrap)), for hosts that reach no image registry.
  - >-
    What is built or bootstrapped carries the digest of its recipe as a label. It is made again when the recipe changed,
    and the result says which part of it did.
  - >-
    An image gets its name only once it is complete. A build that fails, or is ended, leaves the image that had the name
    before. Two runs that make the same image wait for each other.
extends_documentation_fragment:
  - podwright.pods.attributes
attributes:
  check_mode:
    details:
      - RV(actions) lists what the real run does. Nothing is pulled, built, written or removed.
      - >-
        Whether O(pull.policy=Always) finds a newer image shows only when it is pulled: check mode lists the pull and
        does not count it as a change.
  idempotent:
    support: partial
    details:
      - O(refresh=true) makes the image again every time.
options:
  name:
    description:
      - The image's name, as in C(docker.io/library/httpd:2.4) or C(localhost/podwright/php:bookworm).
      - >-
        A name without a registry that is built, loaded or bootstrapped is one of C(localhost/). One that is pulled is
        completed by Podman as its C(registries.conf) says; write it in full to be sure.
      - With O(pull) and O(state=absent), an image ID (64 hexadecimal digits) may stand instead.
      - It or O(images) is required.
    type: str
  state:
    description:
      - V(present) has the image, V(absent) has the name gone, and the image with its last name.
      - An image that a container uses is not removed. The failure names the containers.
    type: str
    choices: [present, absent]
    default: present
  refresh:
    description:
      - >-
        Make the image again although its recipe is unchanged, for instance to take in the distribution's updates; load
        it again; or pull as with O(pull.policy=Always).
    type: bool
    default: false
  pull: &pull
    description:
      - Fetch the image from a registry. This is what happens when no other source is given.
      - Mutually exclusive with O(build), O(load) and O(bootstrap).
    type: dict
    suboptions:
      policy:
        description:
          - When to fetch, in the words of Kubernetes' C(imagePullPolicy).
          - The default is V(Always) for the tag C(latest) and for a name without a tag, and V(IfNotPresent) otherwise.
        type: str
        choices: [Always, IfNotPresent, Never]
      username:
        description: The user at the registry. The credentials go to Podman in a header and are stored nowhere.
        type: str
      password:
        description: The user's password or token.
        type: str
      auth_file:
        description:
          - >-
            A file with credentials on the managed host, as C(podman login) writes it. Without it Podman uses its own
            default file.
        type: path
      tls_verify:
        description: Whether the registry must have a certificate that the host trusts.
        type: bool
        default: true
  build: &build
    description:
      - >-
        Build the image from a Containerfile. Base images that are missing are pulled first, with Podman's own settings
        and credentials. To have them from elsewhere, have a task for them before this one.
      - >-
        The recipe is the Containerfile, the files of the context (names, permissions, contents), the arguments, target,
        labels, and the ids of the base images.
    type: dict
    suboptions:
      context:
        description:
          - >-
            The directory on the managed host whose files the build may copy. A C(.containerignore) or C(.dockerignore)
            in it applies. Without it there are no files.
        type: path
      containerfile:
        description:
          - >-
            The text of the Containerfile, or its path, absolute or inside O(build.context). It is taken as text when it
            has several lines or starts with C(FROM), C(ARG) or a comment.
          - The default is C(Containerfile), or else C(Dockerfile), in O(build.context).
        type: str
      args:
        description: Values for the C(ARG) instructions. They can be read in the image's history, so give no secrets.
        type: dict
        default: {}
      target:
        description: The stage to stop at. The default is the last one.
        type: str
      labels:
        description: Labels for the image.
        type: dict
        default: {}
  load: &load
    description:
      - Load the image from an archive, as C(podman save) writes it (docker-archive or oci-archive, also compressed).
      - >-
        The archive may call it by another name. Of several images in it, the one that is called O(name) is meant. Other
        names in the archive change nothing on the host.
    type: dict
    suboptions:
      path:
        description: The archive on the managed host.
        type: path
        required: true
  bootstrap: &bootstrap
    description:
      - >-
        Make the image from the packages of a distribution, by C(mmdebstrap) on Debian and Ubuntu and by C(dnf) on
        Fedora and RHEL. It is made small, with no package lists and caches, manual pages, documentation, translations
        and logs.
      - It takes from half a minute to a few minutes. The recipe is all the options below.
      - The recipe does not change with the archive's packages. Use O(refresh) to take in updates.
    type: dict
    suboptions:
      suite:
        description:
          - The release to install, as in V(bookworm) or V(41). The default is the host's own release.
        type: str
      packages:
        description: The packages to install, with what they depend on, without what they only recommend.
        type: list
        elements: str
        default: []
      variant:
        description:
          - The set of packages to start from, in the words of C(mmdebstrap). With C(dnf), V(minbase) is a shell and the
            basic programs, anything else is nothing but the release.
        type: str
        choices: [apt, buildd, custom, essential, extract, important, minbase, required, standard]
        default: minbase
      mirror:
        description:
          - The address of the distribution's archive. The default is what the host itself installs from, as far as that
            is the distribution's own archive and the same release, and otherwise the distribution's usual address.
        type: str
      components:
        description: The components of the archive to use with O(bootstrap.mirror) (C(mmdebstrap) only).
        type: list
        elements: str
        default: [main]
      keyring:
        description:
          - >-
            A file on the managed host with the keys that sign the archive. The default is what the host trusts. With
            C(dnf), O(bootstrap.mirror) needs it.
        type: path
      architecture:
        description:
          - The architecture to install, as the distribution calls it. For another than the host's own the host needs
            an emulator (C(qemu-user-static)).
        type: str
      files:
        description: Files to put into the image after the packages, owned by root.
        type: list
        elements: dict
        default: []
        suboptions:
          path:
            description: The file's absolute path in the image.
            type: str
            required: true
          content:
            description: The file's text.
            type: str
            required: true
          mode:
            description: The file's permissions in octal digits. Quote them.
            type: str
            default: "0644"
      commands:
        description:
          - Shell commands to run inside the root file system at the end, in order, by C(/bin/sh -e) and with
            O(bootstrap.env). No service runs in it, and it is no container. Give no secrets.
        type: list
        elements: str
        default: []
      env:
        description: The image's environment. C(PATH) is set if it is not given.
        type: dict
        default: {}
      entrypoint:
        description: The image's entrypoint.
        type: list
        elements: str
      command:
        description: The image's command, or the arguments of its entrypoint.
        type: list
        elements: str
      user:
        description: The user that containers of the image run as.
        type: str
      workdir:
        description: The directory that containers of the image start in.
        type: str
      exposed_ports:
        description: The ports that the image serves, as in V(80) or V(53/udp).
        type: list
        elements: str
        default: []
      volumes:
        description: Directories of the image that hold data.
        type: list
        elements: str
        default: []
      labels:
        description: Labels for the image.
        type: dict
        default: {}
      stop_signal:
        description: The signal that ends containers of the image, as in V(SIGQUIT).
        type: str
  images:
    description:
      - Several images by one task, in this order. Each has a name, and how it comes as by the options of the same name.
      - All of them are judged before the first one is made.
    type: list
    elements: dict
    suboptions:
      name:
        description: As O(name).
        type: str
        required: true
      refresh:
        description: As O(refresh).
        type: bool
        default: false
      pull: *pull
      build: *build
      load: *load
      bootstrap: *bootstrap
seealso:
  - module: podwright.pods.pod
"""

EXAMPLES = r"""
- name: Have an image from a registry
  podwright.pods.image:
    name: docker.io/library/httpd:2.4

- name: Have an image from a private registry, the newest one on every run
  podwright.pods.image:
    name: registry.example.com/shop/api:stable
    pull:
      policy: Always
      username: deploy
      password: "{{ vault_registry_password }}"

- name: Build from a directory on the host
  podwright.pods.image:
    name: localhost/shop/web:1.4
    build:
      context: /srv/shop/web
      args:
        VERSION: "1.4"

- name: Build from a Containerfile in the task
  podwright.pods.image:
    name: localhost/shop/tools:1
    build:
      containerfile: |
        FROM docker.io/library/debian:bookworm-slim
        RUN apt-get update && apt-get install -y --no-install-recommends rsync && rm -rf /var/lib/apt/lists/*

- name: Load from an archive that was copied to the host
  podwright.pods.image:
    name: registry.example.com/shop/api:1.4
    load:
      path: /var/tmp/api-1.4.tar

- name: Make an image from the distribution's packages, without any registry
  podwright.pods.image:
    name: localhost/shop/php:bookworm
    bootstrap:
      suite: bookworm
      packages: [php-fpm, php-mysql]
      files:
        - path: /etc/php/8.2/fpm/pool.d/zz-listen.conf
          content: |
            [www]
            listen = 127.0.0.1:9000
      commands:
        - install -d -o www-data /run/php
      command: [php-fpm8.2, --nodaemonize]
      exposed_ports: ["9000"]
      stop_signal: SIGQUIT

- name: Have several images by one task
  podwright.pods.image:
    images:
      - name: docker.io/library/httpd:2.4
      - name: localhost/shop/web:1.4
        build:
          context: /srv/shop/web

- name: Have it gone
  podwright.pods.image:
    name: localhost/shop/php:bookworm
    state: absent
"""

RETURN = r"""
image:
  description: The image as it is on the host afterwards. In check mode, as it is now. Null when there is none.
  returned: success, unless O(images) are given
  type: dict
  contains: &image
    id:
      description: The image's ID.
      type: str
      sample: 2dd463eadccc7f6d5f0d3c1f6c7c1b2c7f8f9a0d7e6b5a4938271605f4e3d2c1
    names:
      description: All names of the image.
      type: list
      elements: str
      sample: [localhost/shop/php:bookworm]
    digest:
      description: The digest of the image's manifest.
      type: str
      sample: sha256:114c1b20df79ceb6114e6e21ac6ddee25ca5f21335a1ac4811e55c52208e6521
    size_bytes:
      description: What the image takes on disk, in bytes.
      type: int
      sample: 127219200
    created:
      description: When the image was made.
      type: str
      sample: "2026-02-03T10:15:30.695902646Z"
    labels:
      description: The image's labels.
      type: dict
      sample: {"io.podwright.recipe": '{"packages": "5c41f9fa3f0b2ac1"}'}
images:
  description: The images in the order of the option O(images), each as RV(image).
  returned: success, if O(images) are given
  type: list
  elements: dict
  contains: *image
actions:
  description: What was done, in order, each with its cause. In check mode, what would be done.
  returned: success
  type: list
  elements: str
  sample: ["build image localhost/shop/web:1.4: context changed"]
faults:
  description: What is wrong with the options or stands in the way, all at once.
  returned: failure because of the options or the host's state
  type: list
  elements: dict
  contains:
    path:
      description: The option.
      type: str
      sample: bootstrap.files[0].mode
    reason:
      description: What is wrong with it.
      type: str
      sample: rw-r--r-- is not octal digits such as 0644
"""

from ansible_collections.podwright.pods.plugins.module_utils._delivery.module import run_module
from ansible_collections.podwright.pods.plugins.module_utils._images.image_run import handle

VARIANTS = ["apt", "buildd", "custom", "essential", "extract", "important", "minbase", "required", "standard"]

PULL_OPTIONS = {
    "policy": {"type": "str", "choices": ["Always", "IfNotPresent", "Never"]},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "auth_file": {"type": "path"},
    "tls_verify": {"type": "bool", "default": True},
}
BUILD_OPTIONS = {
    "context": {"type": "path"},
    "containerfile": {"type": "str"},
    "args": {"type": "dict", "default": {}},
    "target": {"type": "str"},
    "labels": {"type": "dict", "default": {}},
}
LOAD_OPTIONS = {"path": {"type": "path", "required": True}}
FILE_OPTIONS = {
    "path": {"type": "str", "required": True},
    "content": {"type": "str", "required": True},
    "mode": {"type": "str", "default": "0644"},
}
BOOTSTRAP_OPTIONS = {
    "suite": {"type": "str"},
    "packages": {"type": "list", "elements": "str", "default": []},
    "variant": {"type": "str", "choices": VARIANTS, "default": "minbase"},
    "mirror": {"type": "str"},
    "components": {"type": "list", "elements": "str", "default": ["main"]},
    "keyring": {"type": "path", "no_log": False},
    "architecture": {"type": "str"},
    "files": {"type": "list", "elements": "dict", "default": [], "options": FILE_OPTIONS},
    "commands": {"type": "list", "elements": "str", "default": []},
    "env": {"type": "dict", "default": {}},
    "entrypoint": {"type": "list", "elements": "str"},
    "command": {"type": "list", "elements": "str"},
    "user": {"type": "str"},
    "workdir": {"type": "str"},
    "exposed_ports": {"type": "list", "elements": "str", "default": []},
    "volumes": {"type": "list", "elements": "str", "default": []},
    "labels": {"type": "dict", "default": {}},
    "stop_signal": {"type": "str"},
}
SOURCES = {
    "refresh": {"type": "bool", "default": False},
    "pull": {"type": "dict", "options": PULL_OPTIONS},
    "build": {"type": "dict", "options": BUILD_OPTIONS},
    "load": {"type": "dict", "options": LOAD_OPTIONS},
    "bootstrap": {"type": "dict", "options": BOOTSTRAP_OPTIONS},
}
ONE_SOURCE = ["pull", "build", "load", "bootstrap"]
ARGUMENT_SPEC = {
    "name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    **SOURCES,
    "images": {
        "type": "list",
        "elements": "dict",
        "options": {"name": {"type": "str", "required": True}, **SOURCES},
        "mutually_exclusive": [ONE_SOURCE],
    },
}


def main() -> None:
    run_module(
        ARGUMENT_SPEC,
        handle,
        mutually_exclusive=[ONE_SOURCE, *(["images", name] for name in ("name", *ONE_SOURCE))],
        required_one_of=[["name", "images"]],
    )


if __name__ == "__main__":
    main()
