"""The API server as a large installation has it: PostgreSQL, a bucket, and two replicas."""

import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from apify_client import ApifyClient
from tests.cluster_tool.images import catalog
from tests.cluster_tool.images.build import Build, build
from tests.cluster_tool.kubectl import Kubectl
from tests.node.conftest import API_VALUES, VALUES, Installed, api_server, cluster_tool
from tests.support import storage_servers
from tests.support.clients.access import ApiAccess, finished
from tests.support.installation import (
    NAMESPACE,
    OPERATOR_IMAGE,
    REGISTRY,
    RELEASE,
    ROOT,
    SAMPLES,
    chart_of_version,
    install_operator,
    sample_image,
)
from tests.support.policies import wait
from tests.support.pushing import Pushing, digest
from tests.support.storage_servers import StorageServers

from actor_operator.storage.migrate import SCRIPTS

pytestmark = [pytest.mark.node, pytest.mark.timeout(300)]

ACTOR, CHATTER = "sdk-python", "chatter"

SHARED = (*storage_servers.VALUES, "replicas=1", "api.events.replicas=1")
"""Values of the chart; of the rest there is no more than is needed."""

LARGE = random.Random(7).randbytes(100_000)  # noqa: S311 -- no secret
"""Body of a record: more than what rows keep."""

DEPLOYMENT = f"deployment/{RELEASE}-api"

PODS = ("-n", NAMESPACE, "get", "pods", "-l=app.kubernetes.io/component=api")

READY = ("-n", NAMESPACE, "get", DEPLOYMENT, "-o=jsonpath={.status.readyReplicas}")

CHATTER_ACTOR = {
    "apiVersion": "actor-operator.dev/v1alpha1",
    "kind": "Actor",
    "metadata": {"name": CHATTER},
    "spec": {
        "builds": [{"number": "1.0.1", "image": f"{REGISTRY}/chatter:1"}],
        "taggedBuilds": {"latest": "1.0.1"},
    },
}

NEXT = "0.2.0"
"""Version of the next release."""

STEP = '''
"""A step of the next release, which takes its time."""

from alembic import op

revision = "next"
down_revision = "{head}"


def upgrade() -> None:
    """Make a table."""
    op.execute("SELECT pg_sleep(2)")
    op.execute("CREATE TABLE of_the_next_release (id int)")
'''


@pytest.fixture(scope="module")
def servers(installed: Installed) -> Iterator[StorageServers]:
    archives = [catalog.archive(image) for image in storage_servers.IMAGES]
    cluster_tool("load-image", *map(str, [*archives, build(sample_image(ACTOR))]))
    with storage_servers.storage_servers(installed.kubectl) as servers:
        yield servers


@pytest.fixture(scope="module")
def api(installed: Installed, servers: StorageServers) -> Iterator[ApiAccess]:
    with api_server(installed, *SHARED) as api:
        actor = (SAMPLES / f"actor-{ACTOR}.yaml").read_text()
        for manifest in (
            actor.replace("namespace: default", f"namespace: {api.namespace}"),
            json.dumps(CHATTER_ACTOR),
        ):
            installed.kubectl.run("-n", api.namespace, "apply", "-f", "-", stdin=manifest)
        yield api


@pytest.fixture
def client(api: ApiAccess) -> ApifyClient:
    return api.python()


@pytest.fixture(scope="module")
def kubectl(installed: Installed) -> Kubectl:
    return installed.kubectl


def replicas(kubectl: Kubectl) -> list[str]:
    """Names of the pods that serve the API."""
    return kubectl.run(*PODS, "-o=jsonpath={.items[*].metadata.name}").split()


def storages(client: ApifyClient, name: str) -> tuple[str, str]:
    """Ids of a new dataset and a new key-value store."""
    dataset = client.datasets().get_or_create(name=name)
    return dataset.id, client.key_value_stores().get_or_create(name=name).id


def check_kept(client: ApifyClient, dataset: str, store: str, pushing: Pushing) -> None:
    """Whatever was acknowledged is there, once; what was not is there once at most."""
    found = Counter(item["n"] for item in client.dataset(dataset).iterate_items())
    assert pushing.items <= found.keys()
    assert set(found.values()) == {1}
    records = client.key_value_store(store)
    for key, expected in pushing.records.items():
        record = records.get_record_as_bytes(key)
        assert record is not None
        assert digest(record["value"]) == expected


def test_a_called_actor_gives_items_and_an_output(client: ApifyClient) -> None:
    run = client.actor(ACTOR).call(run_input={"until": 3}, memory_mbytes=1024)

    assert run is not None
    assert (run.status, run.exit_code) == ("SUCCEEDED", 0)
    items = client.run(run.id).dataset().list_items().items
    assert [item["number"] for item in items] == [1, 2, 3]
    record = client.run(run.id).key_value_store().get_record("OUTPUT")
    assert record is not None
    assert record["value"] == {"counted": 3, "starts": 1}


def test_a_large_record_is_in_the_bucket_and_every_replica_has_it(
    api: ApiAccess, client: ApifyClient, kubectl: Kubectl, servers: StorageServers
) -> None:
    _, store = storages(client, "large")
    client.key_value_store(store).set_record("large", LARGE, content_type="image/png")

    assert len(LARGE) in servers.sizes()
    told = servers.ask_database("SELECT size FROM records WHERE key = 'large' AND body IS NULL")
    assert told == [str(len(LARGE))]
    pods = replicas(kubectl)
    assert len(pods) == 2
    for pod in pods:
        path = f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:8000/proxy/v2/key-value-stores/{store}"
        said = kubectl.run("get", f"--raw={path}/keys?token={api.token}")
        assert [(key["key"], key["size"]) for key in json.loads(said)["data"]["items"]] == [
            ("large", len(LARGE))
        ]
    assert client.key_value_store(store).get_record_as_bytes("large") is not None


def test_a_log_is_archived_and_outlives_the_pod(
    api: ApiAccess, client: ApifyClient, kubectl: Kubectl, servers: StorageServers
) -> None:
    run = {
        "apiVersion": "actor-operator.dev/v1alpha1",
        "kind": "ActorRun",
        "metadata": {"name": CHATTER},
        "spec": {"actor": CHATTER, "memoryMbytes": 512, "input": {"megabytes": 2}},
    }
    kubectl.run("-n", api.namespace, "apply", "-f", "-", stdin=json.dumps(run))
    runs = client.actor(CHATTER).runs()
    wait(lambda: runs.list().total == 1)
    (listed,) = runs.list().items
    assert finished(client, listed.id)["status"] == "SUCCEEDED"

    # Pods of finished runs go as soon as their logs are archived.
    pods = ("-n", api.namespace, "get", "pods", f"-l=actor-operator.dev/run={CHATTER}")
    wait(lambda: not kubectl.run(*pods, "-o=name"), 60)

    log = client.log(listed.id).get() or ""
    numbers = [int(line[25:34]) for line in log.splitlines() if line[25:34].isdigit()]
    assert numbers == list(range(20_000))
    # Lines that are so alike are small enough for rows once they are compressed.
    assert listed.id in servers.ask_database("SELECT run_id FROM logs WHERE complete")


def test_no_acknowledged_write_is_lost_with_a_replica_and_the_other_serves_on(
    api: ApiAccess, client: ApifyClient, kubectl: Kubectl
) -> None:
    dataset, store = storages(client, "killed")
    with Pushing(api, dataset, store) as pushing:
        pushing.wait_for(100)
        victim = replicas(kubectl)[0]
        kubectl.run("-n", NAMESPACE, "delete", "pod", victim, "--grace-period=0", "--force")
        pushing.wait_for(100)
        ready = kubectl.run(*READY)
        kubectl.run("-n", NAMESPACE, "rollout", "status", DEPLOYMENT, "--timeout=120s")
        pushing.wait_for(50)

    assert ready == "1"
    check_kept(client, dataset, store, pushing)


def test_an_upgrade_migrates_the_database_while_clients_write(
    installed: Installed,
    api: ApiAccess,
    client: ApifyClient,
    servers: StorageServers,
    tmp_path: Path,
) -> None:
    cluster_tool("load-image", str(build(next_release(tmp_path))))
    dataset, store = storages(client, "upgraded")
    with Pushing(api, dataset, store) as pushing:
        pushing.wait_for(50)
        install_operator(
            installed.kubeconfig,
            *VALUES,
            *API_VALUES,
            *SHARED,
            chart=chart_of_version(NEXT, tmp_path),
        )
        pushing.wait_for(50)

    assert servers.ask_database("SELECT version_num FROM alembic_version") == ["next"]
    assert servers.ask_database("SELECT count(*) FROM of_the_next_release") == ["0"]
    assert pushing.failures == []
    check_kept(client, dataset, store, pushing)


def next_release(folder: Path) -> Build:
    """The image of this release with one more step of the database."""
    context = folder / "context"
    context.mkdir()
    for name in ("LICENSE", "README.md", "pyproject.toml"):
        shutil.copy2(ROOT / name, context / name)
    for name in ("operator", "requirements"):
        skipped = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, context / name, ignore=skipped)
    versions = context / SCRIPTS.relative_to(ROOT) / "versions"
    head = ScriptDirectory(str(SCRIPTS)).get_current_head()
    (versions / "next.py").write_text(STEP.format(head=head).lstrip())
    reference = f"{OPERATOR_IMAGE.rpartition(':')[0]}:{NEXT}"
    return Build(reference, ROOT / "operator/Dockerfile", context)
