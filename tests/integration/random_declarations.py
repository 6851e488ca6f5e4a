# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Declarations by chance: pods that real Podman can run, changes of them that are well, and changes that are broken.

What a pod is made of is chosen once (`Shape`); an update changes values in it. Each value leaves a mark that can be
read off the running container, so that whoever looks knows which declaration is met.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from pod_runs import SLEEP, Options, container

PORT = 8080
PATIENCE_SECONDS = 30
"""How long a probe may take: on a busy machine too no container is ended that nothing was done to."""
ABSENT_IMAGE = "localhost/not-there:1"

PROBES: Mapping[str, Options] = {
    "tcp": {"tcp_socket": {"port": PORT}},
    "http": {"http_get": {"port": PORT, "path": "/passwd"}},
    "exec": {"exec": {"command": ["test", "-e", "/etc/passwd"]}},
}


def probe(kind: str, **fields: int) -> Options:
    return {**PROBES[kind], "period_seconds": 1, "timeout_seconds": PATIENCE_SECONDS, **fields}


@dataclass(frozen=True)
class Shape:
    """What a pod is made of for as long as it is there. Kinds are empty for none."""

    readiness: str = ""
    liveness: str = ""
    startup: str = ""
    scratch: str = ""
    """Its emptyDir: on disk or in memory."""
    has_sidecar: bool = False
    has_init: bool = False
    has_claim: bool = False
    has_sub_path: bool = False
    has_config: bool = False
    has_secret: bool = False
    has_generated: bool = False
    has_limit: bool = False
    policy: str = "Always"

    @classmethod
    def by_chance(cls, chance: random.Random) -> Shape:
        def often(share: float = 0.4) -> bool:
            return chance.random() < share

        return cls(
            readiness=chance.choice(["", "tcp", "http", "exec"]),
            liveness=chance.choice(["", "", "tcp", "exec"]),
            startup=chance.choice(["", "", "http"]),
            scratch=chance.choice(["", "disk", "memory"]),
            has_sidecar=often(),
            has_init=often(),
            has_claim=often(),
            has_sub_path=often(),
            has_config=often(0.6),
            has_secret=often(0.6),
            has_generated=often(),
            has_limit=often(0.6),
            policy=chance.choice(["Always", "Always", "OnFailure"]),
        )


@dataclass(frozen=True)
class Wanted:
    """A pod as it is wanted now."""

    name: str
    shape: Shape
    generation: int = 1
    word: str = "first"
    token: str = ""
    """The value of its secret: found anywhere but where it belongs, it has got out."""
    memory_mib: int = 64
    has_helper: bool = False
    host_name: str = ""

    # --- what is declared --------------------------------------------------------------------------------------------

    def options(self) -> Options:
        """The options of the module pod."""
        return {**self.pod_options(), **self.configuration()}

    def pod_options(self) -> Options:
        """The pod without the configuration beside it, as it stands in a stack."""
        options: Options = {
            "name": self.name,
            "restart_policy": self.shape.policy,
            "termination_grace_period_seconds": 2,
            "containers": [self._main(), *([self._plain("helper")] if self.has_helper else [])],
            "init_containers": self._init_containers(),
            "volumes": self._volumes(),
        }
        return {**options, **({"hostname": self.host_name} if self.host_name else {})}

    def configuration(self) -> Options:
        shape, config, secrets = self.shape, [], []
        if shape.has_config:
            config.append({"name": f"{self.name}-config", "data": {"word": self.word}})
        if shape.has_secret:
            secrets.append({"name": f"{self.name}-secret", "string_data": {"token": self.token}})
        if shape.has_generated:
            secrets.append({"name": f"{self.name}-made", "generate": {"key": 20}})
        return {"config_maps": config, "secrets": secrets}

    @property
    def _sleep(self) -> str:
        """One that is ended by hand has not succeeded, or its policy would leave it so."""
        return SLEEP if self.shape.policy == "Always" else SLEEP.replace("exit 0", "exit 1")

    def _plain(self, name: str, script: str = "", **fields: object) -> Options:
        env: list[Options] = [{"name": "GENERATION", "value": str(self.generation)}]
        return container(name, script or self._sleep, env=env, **fields)

    def _main(self) -> Options:
        shape = self.shape
        kinds = {"readiness": shape.readiness, "liveness": shape.liveness, "startup": shape.startup}
        probes = {
            f"{kind}_probe": probe(way, failure_threshold=60 if kind == "startup" else 3)
            for kind, way in kinds.items()
            if way
        }
        main = self._plain("main", f"httpd -h /etc -p {PORT}; {self._sleep}", volume_mounts=self._mounts(), **probes)
        for name, secret, key, is_there in (
            ("TOKEN", "secret", "token", shape.has_secret),
            ("MADE", "made", "key", shape.has_generated),
        ):
            if is_there:
                source = {"secret_key_ref": {"name": f"{self.name}-{secret}", "key": key}}
                main["env"].append({"name": name, "value_from": source})
        if shape.has_limit:
            main["resources"] = {"limits": {"memory": f"{self.memory_mib}Mi"}}
        return main

    def _init_containers(self) -> list[Options]:
        found: list[Options] = []
        if self.shape.has_init:
            found.append(self._plain("init", "exit 0"))
        if self.shape.has_sidecar:
            found.append(self._plain("sidecar", restart_policy="Always"))
        return found

    def _volumes(self) -> list[Options]:
        shape, found = self.shape, []
        if shape.scratch:
            found.append({"name": "scratch", "empty_dir": {"medium": "Memory"} if shape.scratch == "memory" else {}})
        if shape.has_claim:
            found.append({"name": "data", "persistent_volume_claim": {"claim_name": f"{self.name}-data"}})
        if shape.has_config:
            found.append({"name": "config", "config_map": {"name": f"{self.name}-config"}})
        if shape.has_secret:
            found.append({"name": "secret", "secret": {"secret_name": f"{self.name}-secret"}})
        return found

    def _mounts(self) -> list[Options]:
        mounts = [{"name": item["name"], "mount_path": f"/{item['name']}"} for item in self._volumes()]
        for item in mounts:
            if item["name"] == "data" and self.shape.has_sub_path:
                item["sub_path"] = "below/it"
        return mounts

    # --- what is to be seen of it ------------------------------------------------------------------------------------

    @property
    def lasting(self) -> list[str]:
        """The containers that are to run."""
        sidecar = ["sidecar"] if self.shape.has_sidecar else []
        return ["main", *sidecar, *(["helper"] if self.has_helper else [])]

    @property
    def members(self) -> list[str]:
        """All of its containers by their names in Podman."""
        init = ["init"] if self.shape.has_init else []
        return [f"{self.name}-{one}" for one in ("infra", *init, *self.lasting)]

    @property
    def files(self) -> dict[str, str]:
        """What is to be read in files within its main container."""
        config = {"config/word": self.word} if self.shape.has_config else {}
        return {**config, **({"secret/token": self.token} if self.shape.has_secret else {})}

    @property
    def places(self) -> list[str]:
        """The directories in its main container that keep what is written there, whatever becomes of containers."""
        scratch = ["scratch"] if self.shape.scratch == "disk" else []
        return [*scratch, *(["data"] if self.shape.has_claim else [])]


Change = Callable[[Wanted, random.Random], Wanted]

CHANGES: Mapping[str, Change] = {
    "containers": lambda wanted, chance: replace(wanted, generation=wanted.generation + 1),
    "config": lambda wanted, chance: replace(wanted, word=f"word-{chance.randrange(10**6)}"),
    "secret": lambda wanted, chance: replace(wanted, token=new_token(chance)),
    "limit": lambda wanted, chance: replace(wanted, memory_mib=chance.choice([48, 64, 80, 96])),
    "helper": lambda wanted, chance: replace(wanted, has_helper=not wanted.has_helper),
    "sandbox": lambda wanted, chance: replace(wanted, host_name=f"host-{chance.randrange(10**6)}"),
}
"""Changes that are well, by what they change."""


def new_token(chance: random.Random) -> str:
    return f"canary-{chance.randrange(16**12):012x}"


def wanted_by_chance(name: str, chance: random.Random) -> Wanted:
    return Wanted(name, Shape.by_chance(chance), token=new_token(chance))


def changed(wanted: Wanted, chance: random.Random) -> tuple[Wanted, str]:
    """The pod after a change that is well, and what was changed."""
    title = chance.choice(list(CHANGES))
    return CHANGES[title](wanted, chance), title


def crash(options: Options) -> None:
    options["containers"][0]["command"] = ["sh", "-c", "echo cannot open config; exit 1"]


def never_ready(options: Options) -> None:
    options["containers"][0]["readiness_probe"] = {"exec": {"command": ["false"]}, "period_seconds": 1}


def page_is_gone(options: Options) -> None:
    options["containers"][0]["readiness_probe"] = {"http_get": {"port": PORT, "path": "/gone"}, "period_seconds": 1}


def no_image(options: Options) -> None:
    options["containers"][0]["image"] = ABSENT_IMAGE


def init_fails(options: Options) -> None:
    options["init_containers"] = [container("broken", "exit 4"), *options["init_containers"]]


BREAKS: Mapping[str, Callable[[Options], None]] = {
    "crash": crash,
    "never ready": never_ready,
    "page is gone": page_is_gone,
    "no image": no_image,
    "init fails": init_fails,
}
"""Changes of a pod's options after which it does not come up."""
