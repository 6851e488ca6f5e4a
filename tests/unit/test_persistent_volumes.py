# Copyright: (c) 2026, podwright.pods contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which claims are bound to which PersistentVolume, and what their Pods mount."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.podwright.pods.plugins.module_utils._declaration import spec as s
from ansible_collections.podwright.pods.plugins.module_utils._declaration.kubernetes import to_documents
from ansible_collections.podwright.pods.plugins.module_utils._declaration.place import Note
from ansible_collections.podwright.pods.plugins.module_utils._declaration.set_claims import claims_of_sets
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.options import to_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.parse import parse_options
from ansible_collections.podwright.pods.plugins.module_utils._declaration.stack.spec import StackSpec
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads import spec as w
from ansible_collections.podwright.pods.plugins.module_utils._declaration.workloads.spec import template_of
from ansible_collections.podwright.pods.plugins.module_utils._errors import InvalidInput
from ansible_collections.podwright.pods.plugins.module_utils._host.stack_store import (
    Revision,
    StackStore,
    claims_before,
)
from ansible_collections.podwright.pods.plugins.module_utils._host.store import Store
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.placement import labels_of, mismatch
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.record import StackRecord
from ansible_collections.podwright.pods.plugins.module_utils._reconcile.stack.request import read_request

Document = dict[str, Any]


def volume(name: str = "disk", size: str = "10Gi", labels: dict[str, str] | None = None, **spec: Any) -> Document:
    given = {"hostPath": {"path": f"/srv/{name}"}} if not {"hostPath", "local", "nfs"} & {*spec} else {}
    fields = {"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": "manual"}
    metadata = {"name": name, **({"labels": labels} if labels else {})}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": {**fields, **given, **spec}}


def claim(name: str = "data", size: str = "1Gi", **spec: Any) -> Document:
    fields = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "manual",
        "resources": {"requests": {"storage": size}},
    }
    spec = {key: value for key, value in {**fields, **spec}.items() if value is not None}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def pod(name: str, *claims: str, read_only: bool = False, **spec: Any) -> Document:
    volumes = [
        {"name": one, "persistentVolumeClaim": {"claimName": one, **({"readOnly": True} if read_only else {})}}
        for one in claims
    ]
    mounts = [{"name": one, "mountPath": f"/{one}"} for one in claims]
    containers = [{"name": "a", "image": "x", "volumeMounts": mounts}]
    body = {"containers": containers, "volumes": volumes, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": body}


def read(*documents: Document) -> tuple[StackSpec, list[Note]]:
    notes: list[Note] = []
    return parse_options({"name": "shop"}, documents, notes=notes), notes


def folders(stack: StackSpec) -> dict[str, str]:
    """What each volume of the first Pod is: a folder, or the name of a named volume."""
    sources = {one.name: (one.host_path, one.persistent_volume_claim) for one in stack.pods[0].volumes}
    return {
        name: path.path if path else claimed.claim_name if claimed else "" for name, (path, claimed) in sources.items()
    }


@pytest.mark.parametrize(
    ("volumes", "claims", "bound"),
    [
        ([volume()], [claim()], "/srv/disk"),
        ([volume(storageClassName="")], [claim(storageClassName="")], "/srv/disk"),
        ([volume(storageClassName="")], [claim(storageClassName=None)], "/srv/disk"),
        ([volume(storageClassName="fast")], [claim()], "data"),
        ([volume(size="1Gi")], [claim(size="2Gi")], "data"),
        ([volume(size="2Gi")], [claim(size="2048Mi")], "/srv/disk"),
        ([volume()], [claim(accessModes=["ReadWriteMany"])], "data"),
        ([volume(accessModes=["ReadWriteOnce", "ReadWriteMany"])], [claim(accessModes=["ReadWriteMany"])], "/srv/disk"),
        # The smallest that is large enough.
        ([volume("big", "20Gi"), volume("small", "2Gi"), volume("tiny", "1Mi")], [claim()], "/srv/small"),
        # By name, whatever else they say.
        ([volume("a"), volume("b", "1Mi")], [claim(volumeName="b", storageClassName="")], "/srv/b"),
        ([volume("a"), volume("b", "20Gi", claimRef={"name": "data", "namespace": "shop"})], [claim()], "/srv/b"),
        ([volume(claimRef={"name": "other"})], [claim()], "data"),
        ([volume(claimRef={"name": "other"})], [claim(volumeName="disk")], "disk"),
        # A volume that is not among the documents is Podman's, as ever.
        ([volume()], [claim(volumeName="elsewhere")], "elsewhere"),
        # By labels.
        (
            [volume("a"), volume("b", labels={"type": "local"})],
            [claim(selector={"matchLabels": {"type": "local"}})],
            "/srv/b",
        ),
        ([volume()], [claim(selector={"matchLabels": {"type": "local"}})], "data"),
        # A claim that comes first has it; another one is a named volume.
        ([volume()], [claim("first"), claim()], "data"),
    ],
)
def test_a_claim_is_bound_as_in_a_cluster(volumes: list[Document], claims: list[Document], bound: str) -> None:
    stack, _notes = read(pod("web", "data"), *volumes, *claims)
    assert folders(stack) == {"data": bound}
    assert ("data" in [one.name for one in stack.volumes]) is (bound == "data")


# --- the claims of a StatefulSet's Pods ------------------------------------------------------------------------------

Folders = dict[str, str]
MANUAL = {"accessModes": ["ReadWriteOnce"], "storageClassName": "manual"}


def asking(name: str = "data", size: str = "1Gi", **spec: Any) -> Document:
    fields = {**MANUAL, "resources": {"requests": {"storage": size}}, **spec}
    spec = {key: value for key, value in fields.items() if value is not None}
    return {"metadata": {"name": name}, "spec": spec}


def stateful_set(replicas: int, *templates: Document, name: str = "web", **spec: Any) -> Document:
    mounts = [{"name": one["metadata"]["name"], "mountPath": f"/{one['metadata']['name']}"} for one in templates]
    body = {"containers": [{"name": "a", "image": "x", "volumeMounts": mounts}]}
    fields = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": body},
        "volumeClaimTemplates": [*templates],
        **spec,
    }
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name}, "spec": fields}


def sets_of(*documents: Document, before: StackSpec | None = None) -> tuple[StackSpec, list[Note]]:
    notes: list[Note] = []
    claims = claims_of_sets(before.workloads) if before else {}
    return parse_options({"name": "shop"}, documents, notes=notes, claims_before=lambda name: claims), notes


def set_folders(stack: StackSpec) -> Folders:
    sets = [workload for workload in stack.workloads if isinstance(workload, w.StatefulSet)]
    return {claim: folder.path for one in sets for claim, folder in one.claim_folders.items()}


@pytest.mark.parametrize(
    ("volumes", "sets", "expected"),
    [
        # Pod by Pod, the volumes by their names.
        (
            [volume("c"), volume("a"), volume("b")],
            [stateful_set(2, asking())],
            {"data-web-0": "/srv/a", "data-web-1": "/srv/b"},
        ),
        (
            [volume("a"), volume("b")],
            [stateful_set(1, asking(), ordinals={"start": 3})],
            {"data-web-3": "/srv/a"},
        ),
        # By the name of the claim, whatever else.
        (
            [volume("a", "1Mi", claimRef={"name": "data-web-1"}), volume("b")],
            [stateful_set(2, asking())],
            {"data-web-0": "/srv/b", "data-web-1": "/srv/a"},
        ),
        # The smallest that is large enough.
        (
            [volume("a", "9Gi"), volume("b", "2Gi"), volume("c", "9Gi")],
            [stateful_set(1, asking(), asking("log", "5Gi"))],
            {"data-web-0": "/srv/b", "log-web-0": "/srv/a"},
        ),
        # Set by set.
        (
            [volume("a"), volume("b")],
            [stateful_set(1, asking(), name="db"), stateful_set(1, asking())],
            {"data-db-0": "/srv/a", "data-web-0": "/srv/b"},
        ),
        # Others have no volumes, so theirs are Podman's.
        ([volume("a")], [stateful_set(2, asking(storageClassName="fast"))], {}),
        ([volume("a")], [stateful_set(2, asking(storageClassName=None))], {}),
        ([], [stateful_set(2, asking())], {}),
        ([volume("a")], [stateful_set(0, asking())], {}),
    ],
)
def test_each_claim_of_a_set_is_bound(volumes: list[Document], sets: list[Document], expected: Folders) -> None:
    stack, _notes = sets_of(*volumes, *sets)
    assert set_folders(stack) == expected
    assert parse_options({"name": "shop"}, to_documents(stack)) == stack
    assert parse_options(to_options(stack)) == stack


def test_a_claim_that_stands_beside_the_set_is_its_own() -> None:
    """As in a cluster, where a claim of that name is there before the Pod."""
    one = claim("data-web-0", selector={"matchLabels": {"disk": "fast"}})
    stack, notes = sets_of(volume("a"), volume("b", labels={"disk": "fast"}), one, stateful_set(1, asking()))
    assert set_folders(stack) == {"data-web-0": "/srv/b"}
    assert [note.path for note in notes] == ["definition[0].kind"]


def test_a_claim_keeps_what_it_stands_for() -> None:
    before, _notes = sets_of(volume("b"), volume("c"), stateful_set(2, asking()))
    assert set_folders(before) == {"data-web-0": "/srv/b", "data-web-1": "/srv/c"}
    three = [volume("a"), volume("b"), volume("c")]
    # Another volume would come first by its name, and another claim would have a volume that is taken.
    wanted, _notes = sets_of(*three, stateful_set(3, asking()), before=before)
    assert set_folders(wanted) == {**set_folders(before), "data-web-2": "/srv/a"}
    wanted, _notes = sets_of(*three, claim("other"), pod("p", "other"), stateful_set(1, asking()), before=before)
    assert (set_folders(wanted), folders(wanted)) == (set_folders(before), {"other": "/srv/a"})
    # Their volumes are gone.
    wanted, _notes = sets_of(stateful_set(3, asking(storageClassName=None)), volume("c"), before=before_of_three())
    assert set_folders(wanted) == set_folders(before_of_three())
    # The numbers that are not wanted by now.
    fewer, _notes = sets_of(*three, stateful_set(0, asking()), before=before)
    more, _notes = sets_of(*three, stateful_set(2, asking()), before=fewer)
    assert set_folders(more) == set_folders(before)


def before_of_three() -> StackSpec:
    stack, _notes = sets_of(*map(volume, "xyz"), stateful_set(3, asking()))
    return stack


def test_what_was_applied_last_tells_what_claims_stand_for(tmp_path: Path) -> None:
    store = Store(tmp_path / "state")
    store.ensure()
    files = StackStore(store, "shop")
    assert claims_before(store, "shop") == {}
    named = stateful_set(1, asking(storageClassName="fast"), name="db")
    stack, _notes = sets_of(volume("a"), stateful_set(1, asking()), named)
    files.write_revision(Revision(1, stack, 0.0))
    assert claims_before(store, "shop") == {}
    files.write(StackRecord(current=1))
    folder = s.HostPathVolume("/srv/a", "DirectoryOrCreate")
    assert claims_before(store, "shop") == {"data-web-0": folder, "data-db-0": None}
    options = {"name": "shop", "definition": [volume("0"), volume("a"), stateful_set(2, asking())]}
    wanted = read_request(options, is_check=False, claims_before=partial(claims_before, store)).stack
    assert wanted is not None
    assert set_folders(wanted) == {"data-web-0": "/srv/a", "data-web-1": "/srv/0"}


def test_named_volumes_stay_so_when_volumes_come() -> None:
    before, _notes = sets_of(stateful_set(2, asking()))
    wanted, notes = sets_of(volume("a"), volume("b"), stateful_set(2, asking()), before=before)
    assert set_folders(wanted) == {}
    assert [(note.path, note.is_warning) for note in notes] == [
        ("definition[0].kind", True),
        ("definition[1].kind", True),
    ]


def test_pods_of_a_set_are_where_the_folders_of_those_are_that_are_wanted() -> None:
    def local(name: str, host: str) -> Document:
        term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [host]}]}
        return volume(name, local={"path": f"/mnt/{name}"}, nodeAffinity={"required": {"nodeSelectorTerms": [term]}})

    here = labels_of("web-1", "", {})
    for volumes, replicas, is_here in (
        ([local("a", "web-1"), local("b", "web-1")], 2, True),
        ([local("a", "web-1"), local("b", "web-2")], 2, False),
        ([local("a", "web-1"), local("b", "web-2")], 1, True),
    ):
        stack, _notes = sets_of(*volumes, stateful_set(replicas, asking()))
        assert (not mismatch(template_of(stack.workloads[0]), here)) is is_here


@pytest.mark.parametrize(
    ("volumes", "replicas", "reason"),
    [
        (
            [volume(size="1Mi")],
            1,
            "no PersistentVolume of the class 'manual' is left that fits; declare one for each Pod",
        ),
        ([volume(claimRef={"name": "other"})], 1, "no PersistentVolume of the class 'manual' is left that fits"),
        (
            [volume()],
            3,
            "data-web-1 has no folder, and others of its claims have; declare a PersistentVolume that fits it",
        ),
    ],
)
def test_a_template_without_folders_is_refused(volumes: list[Document], replicas: int, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        sets_of(*volumes, stateful_set(replicas, asking()))
    (fault,) = caught.value.faults
    assert (fault.path, reason in fault.reason) == (
        f"definition[{len(volumes)}].spec.volumeClaimTemplates[0]",
        True,
    ), fault


@pytest.mark.parametrize(
    ("folders", "path", "reason"),
    [
        ({"data-web-0": {"path": "/a"}, "data-web-7": {"path": "/b"}}, "", ""),
        ({"data-web-0": {"path": "a"}}, "claim_folders.data-web-0.path", "is not an absolute path"),
        (
            {"data-db-0": {"path": "/a"}},
            "claim_folders.data-db-0",
            "is no claim of its pods; they are called data-web-0",
        ),
        ({"data-web-00": {"path": "/a"}}, "claim_folders.data-web-00", "is no claim of its pods"),
        (
            {"data-web-0": {"path": "/a"}, "data-web-1": {"path": "/a"}},
            "claim_folders.data-web-1.path",
            "is the folder of data-web-0 already",
        ),
        ({"data-web-1": {"path": "/a"}}, "volume_claim_templates[0]", "data-web-0 has no folder, and others"),
    ],
)
def test_folders_as_options(folders: Document, path: str, reason: str) -> None:
    template = {"containers": [{"name": "a", "image": "x"}]}
    one = {"name": "web", "template": template, "volume_claim_templates": [{"name": "data"}], "claim_folders": folders}
    try:
        stack = parse_options({"name": "shop", "stateful_sets": [one]})
    except InvalidInput as error:
        (fault,) = error.faults
        assert (fault.path, reason in fault.reason) == (f"stateful_sets[0].{path}", True), fault
    else:
        assert (set_folders(stack), path) == ({"data-web-0": "/a", "data-web-7": "/b"}, "")


def test_the_folder_is_made_where_its_volume_asks_for_nothing_else() -> None:
    for source, path in (
        ({"hostPath": {"path": "/srv/d"}}, s.HostPathVolume("/srv/d", "DirectoryOrCreate")),
        ({"hostPath": {"path": "/srv/d", "type": "Directory"}}, s.HostPathVolume("/srv/d", "Directory")),
        ({"local": {"path": "/mnt/ssd"}}, s.HostPathVolume("/mnt/ssd", "Directory")),
    ):
        stack, notes = read(volume(**source), claim(), pod("web", "data"))
        assert (stack.pods[0].volumes[0].host_path, notes) == (path, [])
        assert parse_options({"name": "shop"}, to_documents(stack)).pods == stack.pods


def test_the_pods_of_workloads_mount_it_as_well_and_a_claim_to_be_read_is_read() -> None:
    body = pod("x", "data", read_only=True)["spec"]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": body}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    job = {"template": {"spec": {**body, "restartPolicy": "Never"}}}
    cron_job = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "backup"},
        "spec": {"schedule": "@daily", "jobTemplate": {"spec": job}},
    }
    stack, _notes = read(volume(), claim(), deployment, cron_job)
    for workload in stack.workloads:
        made = template_of(workload)
        assert made.volumes[0].host_path == s.HostPathVolume("/srv/disk", "DirectoryOrCreate")
        assert [mount.read_only for mount in made.containers[0].volume_mounts] == [True]
    assert stack.volumes == ()


def test_pods_are_where_the_folder_is() -> None:
    def only(key: str, *values: str) -> Document:
        return {"nodeSelectorTerms": [{"matchExpressions": [{"key": key, "operator": "In", "values": [*values]}]}]}

    local = volume(
        local={"path": "/mnt/ssd"}, nodeAffinity={"required": only("kubernetes.io/hostname", "web-1", "web-2")}
    )
    own = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": only("disktype", "ssd")}}
    for affinity, met in (({}, {"web-1", "web-2", "web-2 ssd"}), (own, {"web-2 ssd"})):
        stack, _notes = read(local, claim(), pod("web", "data", affinity=affinity))
        hosts = {"web-1": {}, "web-2": {}, "web-2 ssd": {"disktype": "ssd"}, "web-3 ssd": {"disktype": "ssd"}}
        there = {
            name
            for name, labels in hosts.items()
            if not mismatch(stack.pods[0], labels_of(name.split()[0], "", labels))
        }
        assert there == met
    alone, _notes = read(local, claim(), pod("web"))
    assert alone.pods[0].affinity is None


def test_a_volume_that_no_claim_is_bound_to_is_a_warning() -> None:
    _stack, (note,) = read(volume(), pod("web"))
    assert (note.path, note.is_warning) == ("definition[0].kind", True)
    assert note.reason.startswith("no claim is bound to the PersistentVolume 'disk', and its folder is not used")
    with pytest.raises(InvalidInput, match="no claim is bound to the PersistentVolume 'disk'"):
        parse_options({"name": "shop"}, [volume(), pod("web")])


@pytest.mark.parametrize(
    ("spec", "path", "reason"),
    [
        (
            {"nfs": {"server": "10.0.0.1", "path": "/"}},
            "spec.nfs",
            "is not supported; give a folder of the host as hostPath",
        ),
        ({"hostPath": {"path": "srv"}}, "spec.hostPath.path", "is not an absolute path"),
        (
            {"hostPath": {"path": "/a"}, "local": {"path": "/b"}},
            "spec",
            "has hostPath and local; give only one of them",
        ),
        ({"hostPath": None}, "spec", "has neither hostPath nor local; give a folder of the host"),
        ({"volumeMode": "Block"}, "spec.volumeMode", "'Block' is not one of Filesystem"),
        ({"claimRef": {"namespace": "shop"}}, "spec.claimRef.name", "is required"),
    ],
)
def test_what_no_folder_is_meant_by_is_refused(spec: Document, path: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(pod("web"), volume(**spec))
    (fault,) = caught.value.faults
    assert (fault.path, reason in fault.reason) == (f"definition[1].{path}", True), fault
