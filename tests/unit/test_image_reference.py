# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.module_utils._declaration.image_reference import (
    ImageReference,
    default_pull_policy,
    parse,
    pull_action,
    with_default_tag,
)

TABLE = json.loads((Path(__file__).parent / "data" / "image_pull_policy.json").read_text())
HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
DIGEST = f"sha256:{HEX}"


def rows(name, key):
    return [pytest.param(row, id=f"{number}-{row[key]}"[:40]) for number, row in enumerate(TABLE[name])]


@pytest.mark.parametrize("row", rows("rows", "image"))
def test_parse(row):
    if row["error"]:
        with pytest.raises(ValueError, match=row["error"]):
            parse(row["image"], image_ids=False)
    else:
        assert parse(row["image"]) == ImageReference(row["repo"], row["tag"], row["digest"])


@pytest.mark.parametrize("row", rows("rows", "image"))
def test_default_pull_policy(row):
    assert default_pull_policy(row["image"]) == row["default_policy"]


@pytest.mark.parametrize("row", rows("apply_default_tag", "input"))
def test_default_tag(row):
    assert with_default_tag(row["input"]) == row["output"]


# What several syncs make of a failing pull is told by the back-off's own tests.
@pytest.mark.parametrize("row", [row for row in rows("pull_decisions", "policy") if "reasons" not in row.values[0]])
def test_pull_action(row):
    expected = row.get("reason", "pull" if row["pull"] else "use")
    assert pull_action(row["policy"], None if row.get("inspect_error") else row["present"]) == expected


@pytest.mark.parametrize(
    ("policy", "present", "expected"),
    [
        ("Always", False, "pull"),
        ("Always", True, "pull"),
        ("IfNotPresent", False, "pull"),
        ("IfNotPresent", True, "use"),
        ("Never", False, "ErrImageNeverPull"),
        ("Never", True, "use"),
    ],
)
def test_every_pull_action(policy, present, expected):
    assert pull_action(policy, present) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("localhost/web", ImageReference("localhost/web", "latest")),
        ("localhost/web:1.0", ImageReference("localhost/web", "1.0")),
        ("localhost:5000/a/b__c:v1", ImageReference("localhost:5000/a/b__c", "v1")),
        ("docker.io/httpd:2.4", ImageReference("docker.io/library/httpd", "2.4")),
        ("index.docker.io/user/app", ImageReference("docker.io/user/app", "latest")),
        ("Registry/app", ImageReference("Registry/app", "latest")),
        ("[fd00::1]:5000/app:x", ImageReference("[fd00::1]:5000/app", "x")),
        ("httpd:Tag_1.0-A", ImageReference("docker.io/library/httpd", "Tag_1.0-A")),
        (HEX, ImageReference(image_id=HEX)),
        (DIGEST, ImageReference(image_id=HEX)),
        (HEX[:12], ImageReference(f"docker.io/library/{HEX[:12]}", "latest")),
    ],
)
def test_names_and_image_ids(name, expected):
    assert parse(name) == expected


def test_a_digest_by_itself_is_a_name_where_no_image_ids_are_accepted():
    assert parse(DIGEST, image_ids=False) == ImageReference("docker.io/library/sha256", HEX)


def test_image_ids_are_never_tagged_or_pulled_by_default():
    for name in (HEX, DIGEST):
        assert with_default_tag(name) == name
        assert default_pull_policy(name) == "IfNotPresent"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("httpd", "docker.io/library/httpd:latest"),
        (f"httpd:2@{DIGEST}", f"docker.io/library/httpd:2@{DIGEST}"),
        (HEX, DIGEST),
    ],
)
def test_text_of_a_reference(name, written):
    assert str(parse(name)) == written


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "it is empty"),
        (" httpd", "invalid reference format"),
        ("httpd\n", "invalid reference format"),
        ("httpd:", "invalid reference format"),
        ("httpd:-x", "invalid reference format"),
        ("httpd:" + "x" * 129, "invalid reference format"),
        ("user/Repo", "Repo must be lowercase"),
        ("a..b", "invalid reference format"),
        ("a/", "invalid reference format"),
        ("https://host/app", "without a scheme"),
        ("a" * 256, "longer than 255 characters"),
        ("app@sha256:" + "0" * 40, "64 lowercase hexadecimal digits"),
        ("app@sha256:" + "A" * 64, "lowercase"),
        ("app@md5:" + "0" * 32, "unsupported digest algorithm md5"),
    ],
    ids=lambda value: value[:24].strip(),
)
def test_invalid_names(name, reason):
    with pytest.raises(ValueError, match=reason) as caught:
        parse(name)
    assert str(caught.value).startswith(f'"{name}" is not an image name: ')


@given(st.text(alphabet="aA0./:@-_[]", max_size=30))
def test_parse_answers_or_refuses(name):
    try:
        reference = parse(name)
    except ValueError:
        assert default_pull_policy(name) == "IfNotPresent"
    else:
        assert parse(str(reference)) == reference
        assert parse(with_default_tag(name)) == reference
