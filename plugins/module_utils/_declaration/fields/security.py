# Private to the collection podwright.pods: any release may change this, and nothing else may import it.
# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of security contexts, of a container and of its pod."""

from __future__ import annotations

from typing import get_args

from .. import spec as s
from ..place import INVALID, Place, spell
from .checks import IDENTITY, capability, not_empty, sysctl_name
from .schema import Boolean, Field, Object, Sequence, Text

_PROFILE_FIELDS = (
    Field("type", Text(choices=get_args(s.ProfileType)), required=True),
    Field("localhost_profile", Text(not_empty)),
)


def _check_profile(profile: s.SeccompProfile | s.AppArmorProfile, at: Place) -> None:
    if profile.type is INVALID:
        return
    name = spell("localhost_profile", at.style)
    if profile.type == "Localhost" and not profile.localhost_profile:
        at.fault(f"type Localhost needs {name}")
    if profile.type != "Localhost" and profile.localhost_profile:
        at.key("localhost_profile").fault("is only for type Localhost")


SECCOMP = Object(s.SeccompProfile, _PROFILE_FIELDS, check=_check_profile)
APPARMOR = Object(s.AppArmorProfile, _PROFILE_FIELDS, check=_check_profile)
SELINUX = Object(s.SELinuxOptions, tuple(Field(n, Text(not_empty)) for n in ("user", "role", "type", "level")))
_CAPABILITIES = Object(
    s.Capabilities,
    (Field("add", Sequence(Text(capability)), default=()), Field("drop", Sequence(Text(capability)), default=())),
)
WINDOWS = "Podman runs Linux containers only; leave it out"


def _check_privileges(context: s.SecurityContext, at: Place) -> None:
    if context.privileged and context.allow_privilege_escalation is False:
        at.key("allow_privilege_escalation").fault("cannot be false when privileged is true")
    if context.run_as_non_root and context.run_as_user == 0:
        at.key("run_as_user").fault(f"is 0 while {spell('run_as_non_root', at.style)} is true")


SECURITY_CONTEXT = Object(
    s.SecurityContext,
    (
        Field("run_as_user", IDENTITY),
        Field("run_as_group", IDENTITY),
        Field("run_as_non_root", Boolean()),
        Field("privileged", Boolean()),
        Field("read_only_root_filesystem", Boolean()),
        Field("allow_privilege_escalation", Boolean()),
        Field("capabilities", _CAPABILITIES),
        Field("seccomp_profile", SECCOMP),
        Field("app_armor_profile", APPARMOR),
        Field("se_linux_options", SELINUX),
    ),
    check=_check_privileges,
    unsupported={
        "proc_mount": "use privileged, or leave it at its default",
        "windows_options": WINDOWS,
    },
    harmless={"proc_mount": ("Default",)},
)

POD_SECURITY_CONTEXT = Object(
    s.PodSecurityContext,
    (
        Field("run_as_user", IDENTITY),
        Field("run_as_group", IDENTITY),
        Field("run_as_non_root", Boolean()),
        Field("fs_group", IDENTITY),
        Field("fs_group_change_policy", Text(choices=get_args(s.FsGroupChangePolicy))),
        Field("supplemental_groups", Sequence(IDENTITY), default=()),
        Field(
            "sysctls",
            Sequence(
                Object(
                    s.Sysctl,
                    (Field("name", Text(sysctl_name), required=True), Field("value", Text(), required=True)),
                ),
                unique_by="name",
            ),
            default=(),
        ),
        Field("seccomp_profile", SECCOMP),
        Field("app_armor_profile", APPARMOR),
        Field("se_linux_options", SELINUX),
    ),
    unsupported={
        "supplemental_groups_policy": "leave it at its default (Merge)",
        "se_linux_change_policy": "leave it at its default",
        "windows_options": WINDOWS,
    },
    harmless={"supplemental_groups_policy": ("Merge",), "se_linux_change_policy": ("MountOption",)},
)
