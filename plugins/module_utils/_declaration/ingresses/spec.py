# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted of Ingresses: which requests that come to the host go to which Service of the stack. Frozen data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..quantity import Quantity

PathType = Literal["Exact", "Prefix", "ImplementationSpecific"]
CERTIFICATE, KEY = "tls.crt", "tls.key"
"""The keys of a Secret that a certificate is made of."""
_PATTERN = re.compile(r"[][(){}*+?^$|\\]")


@dataclass(frozen=True)
class BackendPort:
    """A port of a Service, by number or by name."""

    number: int | None = None
    name: str | None = None

    def is_of(self, number: int, name: str | None) -> bool:
        """Whether it is the port of this number and name."""
        return self.number == number if self.number is not None else self.name == name

    def __str__(self) -> str:
        return str(self.number or self.name)


@dataclass(frozen=True)
class IngressService:
    """A Service and one of its ports."""

    name: str
    port: BackendPort

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"


@dataclass(frozen=True)
class IngressBackend:
    """Where requests go."""

    service: IngressService


@dataclass(frozen=True)
class HttpPath:
    """The requests of a path, or of all below it, and where they go."""

    path: str
    path_type: PathType
    backend: IngressBackend


@dataclass(frozen=True)
class HttpRules:
    """The paths of a host."""

    paths: tuple[HttpPath, ...]


@dataclass(frozen=True)
class Rule:
    """What holds for a host, or for all hosts. Without ``http`` all goes to the default backend."""

    host: str | None = None
    http: HttpRules | None = None

    @property
    def paths(self) -> tuple[HttpPath, ...]:
        return self.http.paths if self.http else ()


@dataclass(frozen=True)
class Tls:
    """A Secret with a certificate and its key, and the hosts that it is for; without any those of the rules."""

    secret_name: str
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ingress:
    """One Ingress. What follows ``ingress_class_name`` is said by annotations of documents, times in seconds.

    ``ingress_class_name`` is for clusters: one front serves all Ingresses of a host.
    """

    name: str
    rules: tuple[Rule, ...] = ()
    default_backend: IngressBackend | None = None
    tls: tuple[Tls, ...] = ()
    ingress_class_name: str | None = None
    ssl_redirect: bool = True
    force_ssl_redirect: bool = False
    proxy_body_size: Quantity | None = None
    proxy_connect_timeout: int | None = None
    proxy_read_timeout: int | None = None
    proxy_send_timeout: int | None = None
    rewrite_target: str | None = None
    use_regex: bool = False
    whitelist_source_range: tuple[str, ...] = ()

    @property
    def hosts(self) -> tuple[str | None, ...]:
        """The hosts of its rules, each once; None for all others."""
        return tuple(dict.fromkeys(rule.host for rule in self.rules))

    def tls_hosts(self, tls: Tls) -> tuple[str | None, ...]:
        """The hosts that a certificate is for; None where it is for all."""
        return tls.hosts or self.hosts or (None,)

    def is_pattern(self, path: HttpPath) -> bool:
        """Whether the path is a regular expression, for what a request's path begins with."""
        has_patterns = self.use_regex or "$" in (self.rewrite_target or "")
        return has_patterns and path.path_type != "Exact" and _PATTERN.search(path.path) is not None

    def backends(self) -> Iterator[IngressBackend]:
        """All of its backends."""
        yield from (path.backend for rule in self.rules for path in rule.paths)
        if self.default_backend:
            yield self.default_backend


def match_of(ingress: Ingress, path: HttpPath) -> tuple[str, str]:
    """What two paths of one host may not have in common: how a path is matched, and the text that it is matched by.

    A prefix ends with a slash, since it is one of whole elements.
    """
    if path.path_type == "Exact":
        return "Exact", path.path
    if ingress.is_pattern(path):
        return "pattern", path.path
    return "Prefix", path.path.rstrip("/") + "/"


def rule_in_words(host: str, kind: str, path: str) -> str:
    """Which requests a rule is for: ``kind`` and ``path`` are those of `match_of`, or ``default`` and nothing."""
    if kind == "default":
        return f"what no other rule of {host} is for" if host else "what no rule is for"
    return f"{kind} {path} of {host or 'all hosts'}"
