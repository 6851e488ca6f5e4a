# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles put on a host, by their variables and templates alone."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2.nativetypes import NativeEnvironment

from ansible_collections.podwright.pods.plugins.module_utils._delivery import units

ROLES = Path(__file__).parents[2] / "roles"
LAMP = ROLES / "lamp/vars/main"


def rendered(text: str, **variables: Any) -> Any:
    return NativeEnvironment().from_string(text).render(**variables)


# --- the agent's unit ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def service() -> Mapping[str, str]:
    unit = configparser.ConfigParser(interpolation=None, strict=False)
    unit.read_string(units.texts(Path("/bin/podwrightd"), ["--terminated-pods=1"], 9)[units.SERVICE])
    return unit["Service"]


def test_the_unit_has_room_for_the_files_of_hundreds_of_pods(service: Mapping[str, str]) -> None:
    assert int(service["LimitNOFILE"]) >= 1 << 16


def test_the_unit_writes_no_secret_to_disk(service: Mapping[str, str]) -> None:
    assert service["LimitCORE"].partition(":")[0] == "0"
    assert service["UMask"] == "0077"


def test_containers_and_their_monitors_outlive_the_unit(service: Mapping[str, str]) -> None:
    assert (service["KillMode"], service["OOMPolicy"]) == ("process", "continue")
    assert (service["Restart"], service["TasksMax"]) == ("always", "infinity")
    shut_out = ("Private", "Protect", "ReadOnly", "Inaccessible", "Capability", "SystemCall", "Restrict", "NoNew")
    assert [name for name in service if name.lower().startswith(tuple(word.lower() for word in shut_out))] == []


def test_the_units_own_words_have_a_name_of_their_own(service: Mapping[str, str]) -> None:
    """By the unit's name alone the journal shows those of Podman as well."""
    assert service["SyslogIdentifier"] == "podwrightd"


# --- hosts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("system", ["Debian-12", "Debian", "Fedora"])
def test_grpc_probes_can_be_made_on_what_the_role_prepares(system: str) -> None:
    packages = yaml.safe_load((ROLES / "host/vars/main.yml").read_text())["host_packages_by_system"]
    assert "python3-h2" in packages[system]


# --- the web stack ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["main", "kubernetes"])
def test_liveness_begins_no_process_in_a_container_of_a_host(where: str) -> None:
    """On a busy host an exec probe takes longer than the container has; a cluster cannot look from within the Pod."""
    variables = yaml.safe_load((LAMP / "main.yml").read_text())
    is_inside = rendered(variables["lamp_probes_inside"], lamp_stack_tasks=where)
    looks = {name: variables[name] for name in ("lamp_php_look", "lamp_db_query")}
    kinds = [
        list(rendered(variables[name], lamp_probes_inside=is_inside, **looks))
        for name in ("lamp_php_probe", "lamp_db_probe")
    ]
    assert kinds == [["tcp_socket"] if where == "main" else ["exec"]] * 2
    declared = (LAMP / "pods.yml").read_text()
    probes = [line.partition("liveness_probe:")[2].strip() for line in declared.splitlines() if "liveness_" in line]
    assert [probe.partition(" |")[0] for probe in probes] == ['"{{ lamp_db_probe', '"{{ lamp_php_probe', ""]
