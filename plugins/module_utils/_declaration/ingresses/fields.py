# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of every field of an Ingress, the annotations that stand for some of them, and the rules within one.

Source: Kubernetes 1.37, the validation of networking.k8s.io/v1 Ingress; the annotations of ingress-nginx.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping as MappingT
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, get_args

from ..annotations import ANNOTATED_METADATA
from ..annotations import ANNOTATIONS as OWN
from ..fields.checks import PORT, dns_label, object_name, whole_bytes
from ..fields.schema import Amount, Boolean, Field, Integer, Object, Sequence, Text, Type
from ..place import INVALID, Place, kind_of, shown
from ..quantity import Quantity
from .spec import BackendPort, HttpPath, HttpRules, Ingress, IngressBackend, IngressService, PathType, Rule, Tls

_MAX_SECONDS = 7 * 24 * 3600
_MAX_PATH = 1000
_LITERAL_PATH = re.compile(r"/[-A-Za-z0-9/._~!$&+,;=:@%]*")
_EMPTY_ELEMENTS = re.compile(r"//|/\.\.?(/|$)|%2f|%5c", re.IGNORECASE)
_PATTERN_CHARACTERS = re.compile(r"/[!$%&(-;=?-~]*")
# What Python and the proxy (PCRE) do not take alike: escapes, extensions, and bounds of repetitions.
_APART_IN_DIALECTS = re.compile(r"\\(?![dDwWsSbB]|[^\w\s])|\(\?(?!:)|\{,|\{\d{4,}|\{\d+,\d{4,}|[*+?}][+]|\[\^?\[")
_TARGET = re.compile(r"/([-A-Za-z0-9/._~!&+,;=:@%]|\$[1-9])*")
_BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def ingress_host(text: str) -> str | None:
    """A DNS name, whose first label may be ``*``."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        name = text[2:] if text.startswith("*.") else text
        hint = "a host name such as shop.example.com or *.example.com"
        return f"{shown(text)} is not {hint}" if object_name(name) else None
    return f"{shown(text)} is an address, and a rule is for a name; leave it out for all hosts"


def _subnet(text: str) -> str | None:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"{shown(text)} is not a subnet such as 192.168.10.0/24, nor an address"
    return None


def _target(text: str) -> str | None:
    if _TARGET.fullmatch(text) and len(text) <= _MAX_PATH:
        return None
    return f"{shown(text)} is not a path such as / or /$2, which is what the second group of the path has matched"


_BACKEND_PORT = Object(
    BackendPort,
    (Field("number", PORT, zero_is_unset=True), Field("name", Text(dns_label))),
    one_of=("number", "name"),
    one_required=True,
)
_SERVICE = Object(
    IngressService, (Field("name", Text(dns_label), required=True), Field("port", _BACKEND_PORT, required=True))
)
_BACKEND = Object(
    IngressBackend,
    (Field("service", _SERVICE, required=True),),
    unsupported={"resource": "give a service of the stack"},
)
_PATH = Object(
    HttpPath,
    (
        Field("path", Text(), default="/", zero_is_unset=True),
        Field("path_type", Text(choices=get_args(PathType)), required=True),
        Field("backend", _BACKEND, required=True),
    ),
)
_RULE = Object(
    Rule,
    (
        Field("host", Text(ingress_host)),
        Field("http", Object(HttpRules, (Field("paths", Sequence(_PATH, minimum=1), required=True),))),
    ),
)
_TLS = Object(
    Tls,
    (
        Field("secret_name", Text(object_name), required=True),
        Field("hosts", Sequence(Text(ingress_host)), default=()),
    ),
)
_FIELDS = (
    Field("rules", Sequence(_RULE), default=()),
    Field("default_backend", _BACKEND),
    Field("tls", Sequence(_TLS), default=()),
    Field("ingress_class_name", Text(object_name)),
)
_SECONDS = Integer(1, _MAX_SECONDS)
SETTINGS = (
    Field("ssl_redirect", Boolean(), default=True),
    Field("force_ssl_redirect", Boolean(), default=False),
    Field("proxy_body_size", Amount(whole_bytes)),
    Field("proxy_connect_timeout", _SECONDS),
    Field("proxy_read_timeout", _SECONDS),
    Field("proxy_send_timeout", _SECONDS),
    Field("rewrite_target", Text(_target)),
    Field("use_regex", Boolean(), default=False),
    Field("whitelist_source_range", Sequence(Text(_subnet)), default=()),
)
"""What documents say by annotations."""


# --- annotations -----------------------------------------------------------------------------------------------------


class _Size(Type):
    """A size as nginx has it: ``8m`` are eight times 1024 times 1024 bytes."""

    def parse(self, value: object, at: Place) -> Any:
        match = re.fullmatch(r"([0-9]{1,15})([kmg]?)", str(value).lower())
        if isinstance(value, bool) or not match:
            return at.fault(f"expected a size such as 8m, got {kind_of(value)}")
        return Quantity(Fraction(int(match[1]) * _BYTES[match[2]]))


@dataclass(frozen=True)
class _Separated(Type):
    """Items with commas between them."""

    item: Type

    def parse(self, value: object, at: Place) -> Any:
        if not isinstance(value, str):
            return at.fault(f"expected text, got {kind_of(value)}")
        items = [self.item.parse(text.strip(), at) for text in value.split(",") if text.strip()]
        return INVALID if INVALID in items else tuple(items)


NGINX = "nginx.ingress.kubernetes.io/"
_WRITTEN: MappingT[str, Type] = {
    "proxy_body_size": _Size(),
    "whitelist_source_range": _Separated(Text(_subnet)),
}
"""What annotations write in another way than options."""
ANNOTATIONS: MappingT[str, Field] = {
    NGINX + field.name.replace("_", "-"): replace(field, type=_WRITTEN.get(field.name, field.type))
    for field in SETTINGS
}
_CLOSING = re.compile(r"auth|allowlist|denylist|whitelist|blacklist|limit-|modsecurity|waf", re.IGNORECASE)
"""Names of annotations that keep somebody out."""
_PROTOCOL = f"{NGINX}backend-protocol"
_MEANT_ELSEWHERE = (
    OWN,
    "app.kubernetes.io/",
    "argocd.argoproj.io/",
    "field.cattle.io/",
    "helm.sh/",
    "kubectl.kubernetes.io/",
    "meta.helm.sh/",
)
"""What the annotations begin with that ask nothing of whoever serves an Ingress."""


def read_settings(annotations: Any, at: Place) -> dict[str, Any]:
    """The settings that annotations at a place say; each of those that are not kept is noted."""
    found = {field.name: field.default for field in SETTINGS}
    for key, value in annotations.items():
        field = ANNOTATIONS.get(key) if isinstance(key, str) else None
        if field is not None:
            found[field.name] = field.type.parse(value, at.raw(key))
        elif key == _PROTOCOL:
            if value != "HTTP":
                at.raw(key).tell("is not kept; Pods are asked by HTTP/1.1 without TLS", is_warning=True)
        elif isinstance(key, str) and "/" in key and not key.startswith(_MEANT_ELSEWHERE):
            is_closing = _CLOSING.search(key.partition("/")[2]) is not None
            closing = "; whom it keeps out is let in" if is_closing else ""
            at.raw(key).tell(f"is not kept{closing}", is_closing)
    return found


def written_settings(ingress: Ingress) -> dict[str, str]:
    """The annotations that `read_settings` reads these settings from."""
    written = {}
    for key, field in ANNOTATIONS.items():
        value = getattr(ingress, field.name)
        if value != field.default:
            written[key] = _as_text(value)
    return written


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Quantity):
        return str(value.round_up(0).value)
    return ",".join(value) if isinstance(value, tuple) else str(value)


# --- rules within an Ingress -----------------------------------------------------------------------------------------


def check_ingress(ingress: Ingress, at: Place) -> None:
    """What holds between the fields of one Ingress."""
    if ingress.rules == () and ingress.default_backend is None:
        at.key("default_backend").fault("is required where there are no rules")
    for number, rule in enumerate(ingress.rules):
        here = at.key("rules").index(number)
        if rule is INVALID or rule.http is INVALID:
            continue
        if rule.http is None and ingress.default_backend is None:
            here.key("http").fault("is required where there is no default backend")
        for count, path in enumerate(rule.paths):
            if path is not INVALID and path.path is not INVALID and path.path_type is not INVALID:
                _check_path(ingress, path, here.key("http").key("paths").index(count))


def _check_path(ingress: Ingress, path: HttpPath, at: Place) -> None:
    is_pattern = ingress.is_pattern(path)
    reason = _pattern_fault(path.path) if is_pattern else _path_fault(path)
    if reason:
        at.key("path").fault(reason)
    elif path.path_type == "ImplementationSpecific" and not is_pattern:
        at.key("path_type").note("ImplementationSpecific is taken as Prefix here")


def _path_fault(path: HttpPath) -> str | None:
    text = path.path
    if not text.startswith("/"):
        return f"{shown(text)} does not begin with /"
    if len(text) > _MAX_PATH:
        return f"has {len(text)} characters, at most {_MAX_PATH} are allowed"
    if _LITERAL_PATH.fullmatch(text):
        return f"{shown(text)} holds an element that no request has" if _EMPTY_ELEMENTS.search(text) else None
    if path.path_type != "Exact" and text.endswith("/*"):
        return f"{shown(text)} holds *, and a prefix is for all below it; write {text[:-2] or '/'}"
    hint = "" if path.path_type == "Exact" else "; a regular expression needs use_regex (annotation use-regex)"
    return f"{shown(text)} holds a character that no path has{hint}"


def _pattern_fault(text: str) -> str | None:
    if not text.startswith("/"):
        return f"{shown(text)} does not begin with /"
    if len(text) > _MAX_PATH:
        return f"has {len(text)} characters, at most {_MAX_PATH} are allowed"
    if not _PATTERN_CHARACTERS.fullmatch(text) or _APART_IN_DIALECTS.search(text):
        return f"{shown(text)} holds what is not supported in a regular expression here"
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        return f"{shown(text)} is no regular expression: {error}"
    return None


# --- the whole -------------------------------------------------------------------------------------------------------

INGRESS = Object(
    Ingress,
    (Field("name", Text(object_name), required=True), *_FIELDS, *SETTINGS),
    check=check_ingress,
)
"""An Ingress in native options."""
INGRESS_DOCUMENT = Object(
    dict,
    (
        Field("api_version", Text(choices=("networking.k8s.io/v1",)), required=True),
        Field("kind", Text(choices=("Ingress",)), required=True),
        Field("metadata", replace(ANNOTATED_METADATA, secret=False), required=True),
        Field("spec", Object(dict, _FIELDS), required=True),
    ),
    ignored=frozenset({"status"}),
)
