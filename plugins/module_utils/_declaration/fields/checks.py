# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a single value has to be, and the types of value that several tables share.

A check gives the reason why a value is refused, or None.
"""

from __future__ import annotations

import ipaddress
import posixpath
import re

from .. import image_reference
from .. import spec as s
from ..place import shown
from ..quantity import Quantity
from .schema import Check, Integer, Sequence, Text


def _matches(pattern: str, limit: int, what: str, is_lower: bool = False) -> Check:
    """A check for names; where they are in lower case, its reason has one that a free-form name can be changed to."""
    compiled = re.compile(pattern)

    def check(text: str) -> str | None:
        if not text:
            return f"is empty; expected {what}"
        if len(text) > limit:
            return f"has {len(text)} characters, at most {limit} are allowed"
        if compiled.fullmatch(text):
            return None
        plain = re.sub("[^a-z0-9]+", "-", text.lower()).strip("-") if is_lower else ""
        return f"{shown(text)} is not {what}" + (f"; write {plain}" if plain and compiled.fullmatch(plain) else "")

    return check


_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?"

dns_label = _matches(_LABEL, 63, "a DNS label (lower-case letters, digits and '-', such as web-1)", is_lower=True)
pod_name = _matches(
    rf"{_LABEL}(\.{_LABEL})*",
    s.POD_NAME_LIMIT,
    "a name (lower-case letters, digits, '-' and '.', such as web-1)",
    is_lower=True,
)
object_name = _matches(
    rf"{_LABEL}(\.{_LABEL})*", 253, "a name (lower-case letters, digits, '-' and '.')", is_lower=True
)
podman_name = _matches(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*", 253, "a Podman name (letters, digits, '_', '.' and '-')")
env_name = _matches(r"[-._a-zA-Z][-._a-zA-Z0-9]*", 4096, "the name of an environment variable")
config_key = _matches(
    r"(?!\.$|\.\.)[-._a-zA-Z0-9]+", 253, "a key (letters, digits, '-', '_' and '.', neither '.' nor starting with '..')"
)
search_domain = _matches(
    r"\.|[_A-Za-z0-9]([-_A-Za-z0-9.]*[A-Za-z0-9])?\.?", 253, "a search domain (letters, digits, '-' and '.')"
)
dns_option = _matches(r"[!-~]+", 253, "a resolver option such as ndots")
sysctl_name = _matches(r"[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*", 253, "a sysctl name")


def port_name(text: str) -> str | None:
    """IANA service names: at most 15 characters, a letter among them, no double hyphen."""
    fine = re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", text) and len(text) <= 15
    if fine and "--" not in text and re.search("[a-z]", text):
        return None
    return f"{shown(text)} is not a port name (at most 15 lower-case letters, digits and '-', with a letter)"


def label_key(text: str) -> str | None:
    prefix, slash, name = text.rpartition("/")
    if slash and object_name(prefix):
        return f"the prefix {shown(prefix)} is not a DNS name"
    if len(name) > 63 or not re.fullmatch(_QUALIFIED, name):
        return f"{shown(name)} is not a label name (at most 63 letters, digits, '-', '_' and '.')"
    if prefix == "io.podwright" or text.startswith("io.podwright."):
        return "is reserved: io.podwright labels are written by this collection"
    return None


def label_value(text: str) -> str | None:
    if text == "" or (len(text) <= 63 and re.fullmatch(_QUALIFIED, text)):
        return None
    return f"{shown(text)} is not a label value (at most 63 letters, digits, '-', '_' and '.')"


def annotation_key(text: str) -> str | None:
    """As of labels, but of either case: the API server checks it in lower case."""
    return label_key(text.lower())


def ip_address(text: str) -> str | None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return f"{shown(text)} is not an IP address"
    return None


def image(text: str) -> str | None:
    if text != text.strip():
        return "has white space around it"
    try:
        image_reference.parse(text)
    except ValueError as error:
        return str(error)
    return None


MAX_NAME_BYTES = 255
MAX_PATH_BYTES = 3072
"""What Linux takes, 4096, without what stands before a path on the host or in the container."""


def _length(path: str) -> str | None:
    """Why a path is too long for Linux."""
    if any(len(step.encode()) > MAX_NAME_BYTES for step in path.split("/")):
        return f"has a name of more than {MAX_NAME_BYTES} bytes in it, which no file can have"
    size = len(path.encode())
    return f"has {size} bytes, at most {MAX_PATH_BYTES} are allowed" if size > MAX_PATH_BYTES else None


def absolute_path(text: str) -> str | None:
    if not text.startswith("/"):
        return f"{shown(text)} is not an absolute path"
    if ".." in text.split("/"):
        return f"{shown(text)} holds '..'"
    return _length(text)


def host_path(text: str) -> str | None:
    """A path of the host. Some programs take one that starts from where they were called."""
    reason = absolute_path(text)
    rest = posixpath.normpath(text).lstrip("./~")
    if reason is None or text.startswith("/") or not rest:
        return reason
    return f"{reason}, and a host has no folder that it could start from; write it in full, such as /srv/{rest}"


def mount_path(text: str) -> str | None:
    if not text:
        return "is empty; give a path in the container"
    if ":" in text:
        return "holds ':', which a mount path cannot"
    if not text.strip("/."):
        return f"{shown(text)} would hide the whole image; give a path below it"
    return absolute_path(text if text.startswith("/") else f"/{text}")


def relative_path(text: str) -> str | None:
    if text.startswith("/"):
        return f"{shown(text)} is not a relative path"
    if ".." in text.split("/"):
        return f"{shown(text)} holds '..'"
    return _length(text)


def projected_path(text: str) -> str | None:
    if not text:
        return "is empty; give a relative path"
    if text.split("/")[0].startswith(".."):
        return f"{shown(text)} starts with '..'"
    if not text.startswith("/") and {"", "."} & set(text.split("/")):
        return f"{shown(text)} does not name a file; leave out '.' and doubled or trailing '/'"
    return relative_path(text)


def not_empty(text: str) -> str | None:
    return None if text else "is empty"


def http_header(text: str) -> str | None:
    return None if re.fullmatch(r"[-A-Za-z0-9!#$%&'*+.^_`|~]+", text) else f"{shown(text)} is not an HTTP header name"


def header_value(text: str) -> str | None:
    return "holds a line break" if re.search(r"[\r\n]", text) else None


def host_name(text: str) -> str | None:
    """A name or address to connect to and to put into a Host header."""
    if not text:
        return "is empty; leave it out for the pod itself"
    return None if re.fullmatch(r"[-_.:%A-Za-z0-9\[\]]+", text) else f"{shown(text)} is not a host name or IP address"


def base64_text(text: str) -> str | None:
    """Line breaks are skipped, as the API server does; everything else must be exact."""
    joined = text.replace("\r", "").replace("\n", "")
    if re.fullmatch(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", joined):
        return None
    return "is not base64; use string_data (stringData) for plain text"


def capability(text: str) -> str | None:
    return None if re.fullmatch(r"[A-Za-z_]+", text) else f"{shown(text)} is not a capability such as NET_ADMIN"


SECONDS = Integer(minimum=0)
PORT = Integer(1, 65535)
IDENTITY = Integer(0, 2**31 - 1)
TEXTS = Sequence(Text())


def whole_bytes(quantity: Quantity) -> str | None:
    if quantity == quantity.round_up(0):
        return None
    return f"{quantity.canonical()} is not a whole number of bytes (m means thousandths; did you mean Mi?)"
