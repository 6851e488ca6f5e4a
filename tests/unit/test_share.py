# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the replicas of a group are spread over its hosts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.podwright.pods.plugins.filter.share import FilterModule

share = FilterModule().filters()["share"]
HOSTS = st.sets(st.text("abc.-1", min_size=1, max_size=4), min_size=1, max_size=12)
COUNTS = st.integers(0, 200)


def spread(replicas: int, hosts: set[str], of: str = "web") -> dict[str, int]:
    return {host: share(replicas, host, hosts, of) for host in hosts}


@given(COUNTS, HOSTS)
def test_the_shares_add_up_and_are_even(replicas: int, hosts: set[str]) -> None:
    shares = spread(replicas, hosts)
    assert sum(shares.values()) == replicas
    assert max(shares.values()) - min(shares.values()) <= 1
    assert shares == {host: share(str(replicas), host, [*sorted(hosts), *hosts], "web") for host in hosts}


@given(COUNTS, HOSTS, st.text("xyz", min_size=5, max_size=6))
def test_what_moves_is_the_share_of_the_host_that_comes_or_goes(replicas: int, hosts: set[str], other: str) -> None:
    before, after = spread(replicas, hosts), spread(replicas, {*hosts, other})
    assert all(after[host] <= before[host] for host in hosts)
    assert after[other] <= -(-replicas // (len(hosts) + 1))


@given(COUNTS, HOSTS)
def test_one_replica_more_changes_one_host(replicas: int, hosts: set[str]) -> None:
    before, after = spread(replicas, hosts), spread(replicas + 1, hosts)
    assert sorted(after[host] - before[host] for host in hosts) == [*[0] * (len(hosts) - 1), 1]


def test_odd_pods_of_many_workloads_are_not_all_on_one_host() -> None:
    hosts = {"one", "two", "three"}
    got = Counter(host for number in range(300) for host, n in spread(1, hosts, f"w{number}").items() if n)
    assert got.keys() == hosts
    assert min(got.values()) > 70


def test_shares_stay_as_they_were_from_release_to_release() -> None:
    """Another order would move Pods on every fleet."""
    assert spread(7, {"shop1", "shop2", "shop3", "shop4"}, "web") == {"shop1": 1, "shop2": 2, "shop3": 2, "shop4": 2}


@pytest.mark.parametrize(
    ("given_", "reason"),
    [
        ((-1, "a", ["a"]), "expected the replicas of all hosts together as a number, got '-1'"),
        ((True, "a", ["a"]), "as a number, got 'True'"),
        (("1.5", "a", ["a"]), "as a number, got '1.5'"),
        ((3, "c", ["b", "a"]), "c is not among the hosts that share the replicas; these are: a, b"),
        ((3, "c", []), "these are: none"),
        ((3, "a", "a"), "expected the hosts as a list of names"),
        ((3, "a", None), "expected the hosts as a list of names"),
    ],
)
def test_what_is_refused(given_: tuple[Any, ...], reason: str) -> None:
    with pytest.raises(AnsibleFilterError, match="share: ") as caught:
        share(*given_)
    assert reason in str(caught.value)
