# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stacks on real Podman: ordered, shared, pruned, kept apart, taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pod_runs import SLEEP, Options, await_true, container, plan, pod, server
from stack_runs import StackRuns, results

from ansible_collections.podwright.pods.plugins.module_utils._declaration import manifest
from ansible_collections.podwright.pods.plugins.module_utils._errors import HostError, InvalidInput, Refused
from ansible_collections.podwright.pods.plugins.module_utils._host.podman import program as podman_program
from ansible_collections.podwright.pods.plugins.module_utils._runs import (
    generated_secrets,
    pod_run,
    run_failure,
)
from ansible_collections.podwright.pods.plugins.module_utils._runs.run_failure import RunFailed
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import (
    info as stack_info,
)
from ansible_collections.podwright.pods.plugins.module_utils._runs.stack import (
    run as stack_run,
)

pytestmark = pytest.mark.integration

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


def shop(level: str = "1", **more: Any) -> Options:
    """Two pods that share configuration, a secret, a volume and a network; the first one's is in its environment."""
    web = server(
        "web",
        8080,
        "/site",
        volume_mounts=[{"name": "site", "mount_path": "/site"}, {"name": "data", "mount_path": "/data"}],
    )
    env = [
        {"name": "LEVEL", "value_from": {"config_map_key_ref": {"name": "settings", "key": "level"}}},
        {"name": "TOKEN", "value_from": {"secret_key_ref": {"name": "tokens", "key": "made"}}},
    ]
    claim = {"name": "data", "persistent_volume_claim": {"claim_name": "shop-data"}}
    return {
        "name": "shop",
        "pods": [
            pod(
                web,
                name="web",
                volumes=[{"name": "site", "config_map": {"name": "pages"}}, claim],
                networks=["shop"],
            ),
            pod(container("worker", env=env), name="worker", networks=["shop"]),
        ],
        "depends_on": {"web": [{"pod": "worker"}]},
        "config_maps": [
            {"name": "settings", "data": {"level": level}},
            {"name": "pages", "data": {"index.html": "hello"}},
        ],
        "secrets": [{"name": "tokens", "generate": {"made": 16}}],
        "volumes": [{"name": "shop-data"}],
        "networks": [{"name": "shop", "dns": False}],
        **more,
    }


# --- apply, and apply again ------------------------------------------------------------------------------------------


def test_created_in_order_and_unchanged(runs: StackRuns) -> None:
    told = runs.create(shop())
    assert plan(told) == [
        "generate secret tokens (made) of stack shop: it was not there",
        "record revision 1 of stack shop: it is not recorded yet",
        "create network shop: it was not there",
        "create named volume shop-data: it was not there",
        "record pod worker: it is not recorded yet",
        "create pod worker: it was not there",
        "start infra container of pod worker: it was not there",
        "create container worker/worker: it was not there",
        "start container worker/worker: it was not there",
        "record pod web: it is not recorded yet",
        "write volume web/site: it was not there",
        "create pod web: it was not there",
        "start infra container of pod web: it was not there",
        "create container web/web: it was not there",
        "start container web/web: it was not there",
    ]
    assert set(results(told).values()) == {"created"}
    assert {item["name"]: item.get("phase") for item in told["objects"] if item["kind"] == "Pod"} == {
        "web": "Running",
        "worker": "Running",
    }
    started = {name: runs.host.inspect(name)["State"]["StartedAt"] for name in ("web-web", "worker-worker")}
    assert started["worker-worker"] < started["web-web"]
    assert runs.host.inspect("web-infra")["NetworkSettings"]["Networks"].keys() == {"shop"}


def test_check_mode_with_images_that_are_yet_to_be_made(runs: StackRuns) -> None:
    image = "localhost/podwright-test/yet:1"
    options = {"name": "shop", "pods": [pod(container(image=image))]}
    assert f"pull image {image}: not on this host" in plan(runs.predict(options))
    predicted = runs.predict(options, expected_images=[image])
    runs.host.podman("tag", runs.host.image, image)
    try:
        assert runs.apply(options)["actions"] == predicted["actions"]
        runs.unchanged(options, expected_images=[image])
    finally:
        runs.apply({"name": "shop", "state": "absent"})
        runs.host.podman("rmi", image)


def test_predicted_for_a_host_without_podman(runs: StackRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only that the image is there already cannot be known."""
    options = shop()
    with monkeypatch.context() as without:
        without.delenv("CONTAINER_HOST")
        without.setattr(podman_program.shutil, "which", lambda *names, **places: None)
        predicted = stack_run.run_stack(options, True)
        of_a_pod = pod_run.run_pod(pod(name="alone"), True)
        with pytest.raises(HostError, match="podman is not installed"):
            stack_run.run_stack(options, False)
    assert (predicted["changed"], of_a_pod["changed"]) == (True, True)
    for told in (predicted, of_a_pod):
        (warning,) = told["warnings"]
        assert warning.startswith("predicted for a host without pods, since podman is not installed on this host")
    assert [step for step in plan(predicted) if not step.startswith("pull image")] == plan(runs.create(options))


def test_one_value_changes_the_container_that_took_it(runs: StackRuns) -> None:
    runs.create(shop())
    before = runs.starts()
    told = runs.apply(shop(level="2"))
    assert runs.changed_since(before) == {"worker-worker"}
    assert results(told)["ConfigMap settings"] == "changed"
    assert results(told)["Pod web"] == "unchanged"
    runs.unchanged(shop(level="2"))


def test_files_change_in_place(runs: StackRuns) -> None:
    runs.create(shop())
    before = runs.starts()
    changed = shop()
    changed["config_maps"][1]["data"] = {"index.html": "good bye"}
    assert plan(runs.apply(changed)) == [
        "record revision 2 of stack shop: config_maps changed",
        "record pod web: config_maps changed",
        "write volume web/site: content changed",
    ]
    assert runs.changed_since(before) == set()
    pid = runs.host.inspect("web-web")["State"]["Pid"]
    assert Path(f"/proc/{pid}/root/site/..data/index.html").read_text() == "good bye"


def test_what_a_changed_value_restarts_is_up_to_the_user(runs: StackRuns) -> None:
    gentle = {"restart_on_change": {"environment": False}}
    runs.create(shop(**gentle))
    before = runs.starts()
    told = runs.apply(shop(level="2", **gentle))
    assert plan(told)[1:] == ["record pod worker: config_maps changed"]
    assert runs.changed_since(before) == set()
    eager = {"restart_on_change": {"files": True}}
    runs.create(shop(level="2", **eager))
    changed = shop(level="2", **eager)
    changed["config_maps"][1]["data"] = {"index.html": "good bye"}
    before = runs.starts()
    told = runs.apply(changed)
    assert "write volume web/site: content changed" in plan(told)
    assert runs.changed_since(before) == {"web-web"}
    runs.unchanged(changed)


def test_a_generated_secret_is_the_same_for_all_and_stays(runs: StackRuns) -> None:
    options = shop()
    options["pods"][0]["containers"][0]["env"] = [options["pods"][1]["containers"][0]["env"][1]]
    runs.create(options)

    def token(name: str) -> str:
        raw = Path(f"/proc/{runs.host.inspect(name)['State']['Pid']}/environ").read_bytes().decode()
        return next(item for item in raw.split("\0") if item.startswith("TOKEN="))

    first = token("web-web")
    assert first == token("worker-worker")
    runs.apply({"name": "shop", "state": "absent"})
    runs.create(options)
    assert token("web-web") == first
    assert first.partition("=")[2] not in runs.host.podman("inspect", "web-web", "worker-worker")


def test_drift_in_one_pod(runs: StackRuns) -> None:
    runs.create(shop())
    before = runs.starts()
    runs.host.podman("rm", "-f", "-t", "0", "worker-worker")
    told = runs.apply(shop())
    assert results(told)["Pod worker"] == "changed"
    assert runs.changed_since(before) == {"worker-worker"}
    assert told["stack"]["revision"] == 1


# --- ownership and prune ---------------------------------------------------------------------------------------------


def test_what_is_no_longer_declared_goes_and_all_else_stays(runs: StackRuns) -> None:
    runs.create(shop())
    pod_run.run_pod({**pod(name="shop-web"), "wait": False}, False)
    runs.host.podman("pod", "create", "--name", "web-2")
    before = runs.starts()
    smaller = shop(depends_on={}, networks=[], volumes=[])
    smaller["pods"] = [{**smaller["pods"][1], "networks": []}]
    smaller["config_maps"] = smaller["config_maps"][:1]
    told = runs.apply(smaller)
    assert plan(told)[:4] == [
        "record revision 2 of stack shop: config_maps, depends_on, networks, pods, volumes changed",
        "stop container web/web: no longer declared",
        "remove pod web: no longer declared",
        "forget pod web: no longer declared",
    ]
    assert plan(told)[-1] == "remove network shop: no longer declared"
    assert results(told)["ConfigMap pages"] == "removed"
    assert results(told)["Volume shop-data"] == "kept"
    assert "shop-data" in runs.volumes()
    assert "shop" not in runs.networks()
    assert runs.changed_since(before) == {"web-web", "web-infra", "worker-worker", "worker-infra"}
    runs.unchanged(smaller)
    told = runs.apply(smaller, prune_volumes=True)
    assert plan(told) == ["remove named volume shop-data: no longer declared, and prune_volumes is set"]
    assert "shop-data" not in runs.volumes()


def test_nothing_is_pruned_where_that_is_not_wanted(runs: StackRuns) -> None:
    runs.create(shop())
    before = runs.starts()
    smaller = {**shop(), "pods": shop()["pods"][1:], "depends_on": {}}
    runs.apply(smaller, prune=False)
    assert runs.changed_since(before) == set()
    told = runs.apply(smaller)
    assert results(told)["Pod web"] == "removed"
    assert runs.changed_since(before) == {"web-web", "web-infra"}


def test_a_pod_of_another_stack_is_refused(runs: StackRuns) -> None:
    runs.create(shop())
    before = runs.host.mutations()
    with pytest.raises(Refused, match=r"pods\[0\]\.name: the pod web belongs to stack shop"):
        stack_run.run_stack({"name": "other", "pods": [pod(name="web")]}, False)
    assert [line for line in runs.host.mutations() if "locks" not in line] == [x for x in before if "locks" not in x]


def test_a_pod_that_was_made_alone_is_taken_over(runs: StackRuns) -> None:
    alone = pod(name="alone")
    pod_run.run_pod({**alone, "wait": False}, False)
    before = runs.starts()
    told = runs.create({"name": "all", "pods": [alone]})
    assert plan(told) == ["record revision 1 of stack all: it is not recorded yet"]
    assert runs.changed_since(before) == set()
    runs.apply({"name": "all", "state": "absent"})
    assert runs.starts() == {}


def test_a_generated_secret_comes_along_with_its_pod(runs: StackRuns) -> None:
    env = [{"name": "TOKEN", "value_from": {"secret_key_ref": {"name": "tokens", "key": "made"}}}]
    secrets = [{"name": "tokens", "generate": {"made": 16}}]
    alone = pod(container(env=env), name="alone")
    pod_run.run_pod({**alone, "secrets": secrets, "wait": False}, False)
    before = runs.starts()
    told = runs.create({"name": "all", "pods": [alone], "secrets": secrets})
    assert plan(told) == [
        "take over secret tokens (made) of stack all: it was generated for pod alone",
        "record revision 1 of stack all: it is not recorded yet",
        "record pod alone: secrets changed",
    ]
    assert runs.changed_since(before) == set()


def token(runs: StackRuns, name: str) -> str:
    raw = Path(f"/proc/{runs.host.inspect(name)['State']['Pid']}/environ").read_bytes().decode()
    return next(item for item in raw.split("\0") if item.startswith("TOKEN=")).partition("=")[2]


def using_token(script: str = SLEEP, **rotate: int) -> Options:
    """A stack of a pod that uses a generated secret, and one that does not."""
    env = [{"name": "TOKEN", "value_from": {"secret_key_ref": {"name": "tokens", "key": "made"}}}]
    secrets = [{"name": "tokens", "generate": {"made": 16}, **({"rotate": rotate} if rotate else {})}]
    return {"name": "all", "pods": [pod(container(script=script, env=env)), pod(name="other")], "secrets": secrets}


def test_a_generated_secret_is_rotated_once_for_each_higher_number(runs: StackRuns) -> None:
    runs.create(using_token())
    first, before = token(runs, "web-main"), runs.starts()
    told = runs.create(using_token(made=1))
    assert plan(told)[:3] == [
        "record revision 2 of stack all: secrets changed",
        "rotate secret tokens (made) of stack all: rotate is 1",
        "record pod web: secrets changed",
    ]
    assert runs.changed_since(before) == {"web-main"}
    second = token(runs, "web-main")
    assert second != first
    for value in (first, second):
        assert value not in json.dumps({**told, "secrets": ()})
    # By hand, and then the very same declaration again.
    before = runs.starts()
    told = generated_secrets.run_secret_rotation({"owner": "all", "secret": "tokens"})
    assert plan(told)[0] == "rotate secret tokens (made) of stack all: asked for"
    assert runs.changed_since(before) == {"web-main"}
    assert token(runs, "web-main") not in (first, second)
    runs.unchanged(using_token(made=1))
    # A revision of before brings no old value back.
    third = token(runs, "web-main")
    runs.apply({"name": "all", "state": "rolled_back"})
    assert token(runs, "web-main") == third


def test_a_rotation_that_is_not_borne_is_taken_back(runs: StackRuns) -> None:
    """As by a database whose data knows the old password only."""
    script = 'f=/data/known; [ -e $f ] || echo "$TOKEN" > $f; [ "$(cat $f)" = "$TOKEN" ] || exit 1; ' + SLEEP
    options = using_token(script)
    options["pods"][0]["volumes"] = [{"name": "data", "empty_dir": {}}]
    options["pods"][0]["containers"][0]["volume_mounts"] = [{"name": "data", "mount_path": "/data"}]
    options["pods"][0]["containers"][0]["readiness_probe"] = {"exec": {"command": ["true"]}, "initial_delay_seconds": 2}
    options["wait_timeout"] = 15
    runs.create(options)
    first = token(runs, "web-main")
    with pytest.raises(RunFailed) as caught:
        generated_secrets.run_secret_rotation({"owner": "all", "secret": "tokens", "key": "made", "wait_timeout": 15})
    assert "Rolled back to revision 1, which is ready again." in str(caught.value)
    assert token(runs, "web-main") == first
    runs.unchanged(options)


def test_generated_secrets_are_listed_and_removed_without_their_values(runs: StackRuns) -> None:
    runs.create(using_token())
    value = token(runs, "web-main")
    alone = pod(name="alone", secrets=[{"name": "own", "generate": {"key": 9}}])
    pod_run.run_pod({**alone, "wait": False}, False)
    told = generated_secrets.run_secret_info({})["generated"]
    rows = [(item["kind"], item["owner"], item["secret"], item["key"], item["is_used"]) for item in told]
    assert rows == [("pod", "alone", "own", "key", True), ("stack", "all", "tokens", "made", True)]
    assert value not in json.dumps(told)
    for owner in ("all", "alone"):
        with pytest.raises(Refused, match="declares"):
            generated_secrets.run_secret_removal({"owner": owner})
    with pytest.raises(InvalidInput, match="stack all has no generated nosuch"):
        generated_secrets.run_secret_rotation({"owner": "all", "secret": "nosuch"})
    with pytest.raises(InvalidInput, match="nothing was generated for nobody"):
        generated_secrets.run_secret_removal({"owner": "nobody"})
    before = runs.starts()
    rotated = generated_secrets.run_secret_rotation({"owner": "alone", "secret": "own"})
    assert plan(rotated) == ["rotate secret own (key) of pod alone: asked for"]
    assert runs.changed_since(before) == set()
    runs.apply({"name": "all", "state": "absent"})
    with pytest.raises(Refused, match="there is no stack all any more"):
        generated_secrets.run_secret_rotation({"owner": "all", "secret": "tokens"})
    assert generated_secrets.run_secret_removal({"owner": "all"})["changed"]
    assert [item["owner"] for item in generated_secrets.run_secret_info({})["generated"]] == ["alone"]


def test_volumes_that_were_kept_can_still_be_removed(runs: StackRuns) -> None:
    gone = {"name": "shop", "state": "absent"}
    runs.create(shop())
    runs.create(gone)
    runs.create(shop())
    runs.create(gone)
    assert runs.volumes() == ["shop-data"]
    assert stack_info.run_stack_info({})["stacks"] == []
    told = runs.create({**gone, "prune_volumes": True})
    assert plan(told) == [
        "remove named volume shop-data: state is absent, and prune_volumes is set",
        "remove generated secrets of stack shop: state is absent, and prune_volumes is set",
        "forget stack shop: state is absent",
    ]
    assert runs.volumes() == []
    assert generated_secrets.run_secret_info({})["generated"] == []
    assert [*(runs.host.state_directory / "secrets").iterdir()] == []


def test_a_port_goes_from_one_pod_to_another(runs: StackRuns) -> None:
    def serving(name: str) -> Options:
        ports = [{"container_port": 8080, "host_port": 28099}]
        return {"name": "ports", "pods": [pod(server(ports=ports), name=name)]}

    runs.create(serving("one"))
    told = runs.create(serving("two"))
    assert results(told) == {"Pod one": "removed", "Pod two": "created"}


def serving(**ports: int) -> Options:
    """A stack of web servers, each with its host port."""
    pods = [pod(server(ports=[{"container_port": 8080, "host_port": port}]), name=name) for name, port in ports.items()]
    return {"name": "ports", "pods": pods}


def test_a_port_goes_from_a_pod_that_stays_to_another(runs: StackRuns) -> None:
    runs.create(serving(one=28091, two=28092))
    told = runs.create(serving(two=28091, one=28093))
    steps = plan(told)
    assert steps.index("remove pod one: host ports changed") < steps.index("remove pod two: host ports changed")


def test_ports_that_go_round_are_refused(runs: StackRuns) -> None:
    runs.create(serving(one=28091, two=28092))
    before = runs.starts()
    with pytest.raises(Refused, match="host ports go round among"):
        stack_run.run_stack(serving(one=28092, two=28091), False)
    assert runs.starts() == before


def test_the_pods_together_have_to_fit(runs: StackRuns) -> None:
    resources = {"requests": {"memory": "600Mi"}}
    pods = [pod(container(resources=resources), name=name) for name in ("a", "b")]
    with pytest.raises(Refused, match="OutOfmemory") as caught:
        stack_run.run_stack({"name": "big", "pods": pods, "allocatable": {"memory": "1Gi"}}, False)
    assert [fault.path for fault in caught.value.faults] == ["a.a", "b.b"] or len(caught.value.faults) == 2
    assert runs.starts() == {}


def test_what_podman_cannot_change_is_refused(runs: StackRuns) -> None:
    options = {
        "name": "nets",
        "pods": [pod(name="only")],
        "networks": [{"name": "own", "subnet": "10.251.7.0/24"}],
        "volumes": [{"name": "own", "driver": "local", "options": {"o": "nodev", "type": "tmpfs", "device": "tmpfs"}}],
    }
    runs.create(options)
    changed = {
        **options,
        "networks": [{"name": "own", "subnet": "10.251.8.0/24", "internal": True}],
        "volumes": [{"name": "own", "options": {"o": "noexec", "type": "tmpfs", "device": "tmpfs"}}],
    }
    before = runs.starts()
    with pytest.raises(Refused) as caught:
        stack_run.run_stack(changed, False)
    assert [fault.path for fault in caught.value.faults] == [
        "networks[0].internal",
        "networks[0].subnet",
        "volumes[0].options",
    ]
    assert runs.starts() == before


def document(**spec: Any) -> Options:
    containers = [{"name": "a", "image": "localhost/podwright-test/any"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "doc"}, "spec": {"containers": containers, **spec}}


NETWORK = {"annotations": {"podwright.io/networks": '["nosuch"]'}}
AT_ADDRESS = container("a", ports=[{"container_port": 1, "host_port": 28090, "host_ip": "::1"}])


@pytest.mark.parametrize(
    ("declared", "path", "reason"),
    [
        ({"pods": [pod(name="q-r")]}, "pods[0].name", "the name q-r is taken by container q-r of pod q"),
        ({"pods": [pod(container("d"), name="b-c")]}, "pods[0].containers[0].name", "b-c-d is taken by pod b-c-d"),
        ({"pods": [pod(name="a"), pod(name="x", networks=["nosuch"])]}, "pods[1].networks[0]", "nosuch on this host"),
        ({"definition": [{**document(), "metadata": {"name": "doc", **NETWORK}}]}, "networks[0]", "which pod doc is"),
        ({"pods": [pod(AT_ADDRESS)]}, "pods[0].containers[0].ports[0].host_ip", "no network of the pod has any"),
        (
            {"definition": [document(volumes=[{"name": "v", "hostPath": {"path": "/nosuch"}}])]},
            "web.yml.spec.volumes[0].hostPath.path",
            "/nosuch does not exist",
        ),
    ],
)
def test_what_a_host_cannot_have_is_refused_before_it_is_recorded(
    runs: StackRuns, declared: Options, path: str, reason: str
) -> None:
    """In the words of the declaration: pods and containers share their names, networks have to be there, ..."""
    taken = [pod(container("r"), name="q"), pod(name="b-c-d")]
    stack_run.run_stack({"name": "here", "pods": taken, "wait": False}, False)
    before = runs.host.mutations()
    with pytest.raises(Refused) as caught:
        stack_run.run_stack({"name": "other", **declared, "definition_names": ["web.yml"]}, False)
    (fault,) = (fault for fault in caught.value.faults if "annot be pulled" not in fault.reason)
    assert (fault.path, reason in fault.reason) == (path, True), fault
    assert [line for line in runs.host.mutations() if "locks" not in line] == [x for x in before if "locks" not in x]
    assert [item["name"] for item in stack_info.run_stack_info({})["stacks"]] == ["here"]


def test_what_is_for_another_host_is_skipped_and_goes_where_it_runs(runs: StackRuns) -> None:
    declared = {
        "name": "shop",
        "pods": [pod(name="a"), pod(name="b", node_selector={"disktype": "ssd"})],
        "depends_on": {"a": [{"pod": "b", "condition": "started"}]},
        "wait": False,
    }
    before = stack_run.run_stack(declared, False)
    assert [(item["name"], item["result"]) for item in before["objects"]] == [("a", "created"), ("b", "skipped")]
    (note,) = before["notes"]
    assert note.startswith("the Pod b is not for this host, and skipped: disktype is ssd, and this host has no such")
    here = stack_run.run_stack({**declared, "host_labels": {"disktype": "ssd"}}, False)
    assert [item["result"] for item in here["objects"] if item["name"] == "b"] == ["created"]
    assert "notes" not in here
    assert "remove pod b: no longer declared" in plan(runs.predict(declared))
    gone = stack_run.run_stack(declared, False)
    assert [item["result"] for item in gone["objects"] if item["name"] == "b"] == ["removed"]
    all_elsewhere = [pod(name="a", node_selector={"disktype": "tape"})]
    assert "remove pod a: no longer declared" in plan(runs.predict({"name": "shop", "pods": all_elsewhere}))


@pytest.mark.parametrize("declared", [{}, {"pods": []}, {"definition": []}, {"config_maps": [{"name": "c"}]}])
def test_an_empty_declaration_empties_nothing_unless_that_is_said(runs: StackRuns, declared: Options) -> None:
    stack_run.run_stack({"name": "shop", "pods": [pod(name="a"), pod(name="b")], "wait": False}, False)
    before = runs.starts()
    for is_check in (True, False):
        with pytest.raises(Refused, match="pods: the declaration has none, and stack shop has a, b") as caught:
            stack_run.run_stack({"name": "shop", **declared}, is_check)
        assert len(caught.value.faults) == 1
    assert runs.starts() == before
    assert runs.predict({"name": "shop", **declared, "prune": False})["actions"] != []
    told = plan(runs.predict({"name": "shop", **declared, "allow_empty": True}))
    assert [line for line in told if line.startswith("remove pod")] == [
        "remove pod b: no longer declared",
        "remove pod a: no longer declared",
    ]


def test_absent_and_stopped(runs: StackRuns) -> None:
    runs.create(shop())
    told = runs.apply({"name": "shop", "state": "stopped"})
    assert [item["name"] for item in told["objects"] if item["kind"] == "Pod"] == ["web", "worker"]
    assert {each["State"] for each in runs.host.containers().values()} == {"exited"}
    runs.unchanged({"name": "shop", "state": "stopped"})
    runs.create(shop())
    runs.create({"name": "shop", "state": "absent", "prune_volumes": True})
    assert runs.starts() == {}
    assert (runs.volumes(), runs.networks()) == ([], ["podman"])
    assert stack_info.run_stack_info({"name": "shop"})["stacks"] == []


# --- order -----------------------------------------------------------------------------------------------------------


def test_a_pod_waits_until_another_has_completed(runs: StackRuns, tmp_path: Path) -> None:
    volume = {"name": "out", "host_path": {"path": str(tmp_path)}}
    mounts = [{"name": "out", "mount_path": "/out"}]
    job = container("job", "sleep 1; echo done > /out/job", volume_mounts=mounts)
    after = container("after", f"cat /out/job > /out/seen; {SLEEP}", volume_mounts=mounts)
    options = {
        "name": "order",
        "pods": [
            pod(after, name="after", volumes=[volume]),
            pod(job, name="job", volumes=[volume], restart_policy="Never"),
        ],
        "depends_on": {"after": [{"pod": "job", "condition": "completed"}]},
        "wait": False,
    }
    runs.apply(options)
    await_true(lambda: (tmp_path / "seen").exists() and (tmp_path / "seen").read_text() == "done\n")
    runs.unchanged(options)


def test_what_waits_for_a_failure_is_not_begun(runs: StackRuns) -> None:
    options = {
        "name": "order",
        "pods": [pod(container("a", "exit 3"), name="a", restart_policy="Never"), pod(name="b")],
        "depends_on": {"b": [{"pod": "a"}]},
    }
    with pytest.raises(
        run_failure.RunFailed, match=r"a/a: .*exited with code 3(.|\n)*Not begun, since they wait for it: b"
    ):
        stack_run.run_stack(options, False)
    assert not any(name.startswith("b-") for name in runs.host.containers())


def test_circles_are_refused_by_name() -> None:
    options = {
        "name": "circle",
        "pods": [pod(name="a"), pod(name="b")],
        "depends_on": {"a": [{"pod": "b"}], "b": [{"pod": "a"}]},
    }
    with pytest.raises(InvalidInput, match="depends_on: the pods wait for one another: a -> b -> a"):
        stack_run.run_stack(options, False)


# --- revisions -------------------------------------------------------------------------------------------------------


def test_revisions_are_numbered_told_and_brought_back(runs: StackRuns) -> None:
    runs.create(shop(), change_cause="first", applied_by="me@here")
    runs.create(shop(level="2"), change_cause="second")
    told = runs.info()
    assert told["revision"] == 2
    assert told["is_good"]
    assert [(each["number"], each["applied_by"], each["change_cause"]) for each in told["revisions"]] == [
        (1, "me@here", "first"),
        (2, "", "second"),
    ]
    before = runs.starts()
    told = runs.apply({"name": "shop", "state": "rolled_back"})
    assert told["stack"]["revision"] == 3
    assert runs.changed_since(before) == {"worker-worker"}
    assert runs.info()["revisions"][-1]["change_cause"] == "rolled back to revision 1"
    runs.unchanged(shop())
    runs.apply({"name": "shop", "state": "rolled_back", "revision": 2})
    runs.unchanged(shop(level="2"))
    with pytest.raises(HostError, match="revision 9 of stack shop is not kept here; kept are: 1, 2, 3, 4"):
        stack_run.run_stack({"name": "shop", "state": "rolled_back", "revision": 9}, False)
    runs.apply(shop(level="5"), revision_history_limit=2)
    assert [each["number"] for each in runs.info()["revisions"]] == [4, 5]


def test_a_stack_that_does_not_become_ready_is_taken_back_as_a_whole(runs: StackRuns) -> None:
    runs.create(shop())
    broken = shop(level="2")
    broken["pods"][0]["containers"][0]["command"] = ["sh", "-c", SLEEP]
    with pytest.raises(run_failure.RunFailed, match="Rolled back to revision 1, which is ready again"):
        stack_run.run_stack({**broken, "wait_timeout": 3}, False)
    assert (runs.info()["revision"], runs.info()["is_good"]) == (1, True)
    runs.unchanged(shop())
    assert {each["number"]: each["is_good"] for each in runs.info()["revisions"]} == {1: True, 2: False}


@pytest.mark.parametrize("on_failure", ["keep", "rollback"])
def test_what_was_never_ready_is_not_brought_back(runs: StackRuns, on_failure: str) -> None:
    def serving(word: str) -> Options:
        ready = {"exec": {"command": ["test", word, "!=", "broken"]}, "period_seconds": 1}
        return {"name": "words", "pods": [pod(container(readiness_probe=ready, env=[{"name": "A", "value": word}]))]}

    runs.create(serving("one"))
    with pytest.raises(run_failure.RunFailed):
        stack_run.run_stack({**serving("broken"), "wait_timeout": 2, "on_failure": on_failure}, False)
    runs.create(serving("fixed"))
    assert [each["number"] for each in runs.info("words")["revisions"]] == [1, 2, 3]
    runs.apply({"name": "words", "state": "rolled_back"})
    runs.unchanged(serving("one"))


def test_a_first_stack_that_fails_is_left_to_look_at(runs: StackRuns) -> None:
    broken = {"name": "new", "pods": [pod(container(script="exit 1"), restart_policy="Never")]}
    with pytest.raises(run_failure.RunFailed, match="no earlier revision was ready"):
        stack_run.run_stack(broken, False)
    assert (runs.info("new")["revision"], runs.info("new")["is_good"]) == (1, False)
    fine = {"name": "new", "pods": [pod(restart_policy="Never")]}
    runs.create(fine)


# --- Kubernetes documents --------------------------------------------------------------------------------------------

MANIFESTS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: pages}
data: {index.html: from a manifest}
---
apiVersion: v1
kind: Secret
metadata: {name: tokens}
stringData: {token: hush}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: shop-data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 2
  containers:
  - name: web
    image: localhost/podwright-test/busybox:1
    command: [sh, -c, "httpd -h /site -p 8080; trap 'exit 0' TERM; sleep 600 & wait"]
    envFrom:
    - secretRef: {name: tokens}
    readinessProbe: {httpGet: {path: /index.html, port: 8080}, periodSeconds: 1}
    volumeMounts:
    - {name: site, mountPath: /site}
    - {name: data, mountPath: /data}
  volumes:
  - name: site
    configMap: {name: pages}
  - name: data
    persistentVolumeClaim: {claimName: shop-data}
"""


def test_kubernetes_documents(runs: StackRuns) -> None:
    options = {"name": "shop", "definition": manifest.read(MANIFESTS)}
    told = runs.create(options)
    assert results(told) == {
        "Pod web": "created",
        "ConfigMap pages": "created",
        "Secret tokens": "created",
        "Volume shop-data": "created",
    }
    assert "shop-data" in runs.volumes()
