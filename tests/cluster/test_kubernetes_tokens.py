"""Tokens of the real Kubernetes at the real API server: whose they are, and what roles allow."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from tests.chart.helm import IDENTITIES
from tests.cluster_tool.control_plane import ControlPlane
from tests.cluster_tool.errors import ClusterToolError
from tests.cluster_tool.kubectl import Kubectl
from tests.support.api_process import ACCOUNT, ApiProcess, installed_keys
from tests.support.operators import Credentials, OperatorProcess, chart_settings, install_rights
from tests.support.policies import wait

from actor_operator.constants import GROUP
from actor_operator.kube.reviews import AUDIENCE

pytestmark = pytest.mark.cluster

VALUES = ("--set=api.enabled=true", IDENTITIES)

TEAM, OTHERS, GROUPED = "team-a", "team-b", "team-c"
"""Accounts; in the last one rights are given to all of its service accounts together."""

NOWHERE = "z0z0z0z0z0z0z0z0z"
"""An id that nothing has."""

ROLES: dict[str, list[dict[str, Any]]] = {
    "writer": [{"resources": ["storages"], "verbs": ["create", "update", "delete"]}],
    "starter": [{"resources": ["actorruns"], "verbs": ["create", "update"]}],
    "half-reader": [{"resources": ["storages"], "verbs": ["get", "list"]}],
}
"""Roles of a team's own, by the name of the service account that has them."""

READ, WRITE, RUN, ADMIN = "read", "write", "run", "admin"

MAY: dict[str, set[str]] = {
    "viewer": {READ},
    "editor": {READ, WRITE, RUN, ADMIN},
    "writer": {WRITE},
    "starter": {RUN},
}
"""What the owner of a token may do here, by the name of the service account."""

UNKNOWN = ("half-reader", "nobody")
"""Service accounts whose rights add up to nothing."""

ACTOR = {
    "apiVersion": "actor-operator.dev/v1alpha1",
    "kind": "Actor",
    "metadata": {"name": "quick", "namespace": TEAM},
    "spec": {
        "builds": [{"number": "1.0.1", "image": "localhost/simulated:simulate-1s"}],
        "taggedBuilds": {"latest": "1.0.1"},
    },
}


def people() -> Iterator[dict[str, Any]]:
    """Accounts, those who work in them, and their roles."""
    for namespace in (TEAM, OTHERS, GROUPED):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    for name in (*MAY, *UNKNOWN, "leaver"):
        yield service_account(TEAM, name)
    yield service_account(OTHERS, "guest")
    yield service_account(GROUPED, "member")
    for name, rules in ROLES.items():
        with_group = [{"apiGroups": [GROUP], **rule} for rule in rules]
        yield {**rbac("Role", TEAM, name), "rules": with_group}
        yield bound(TEAM, "Role", name, subject(TEAM, name))
    for role, name in (("view", "viewer"), ("edit", "editor"), ("view", "leaver")):
        yield bound(TEAM, "ClusterRole", role, subject(TEAM, name))
    yield bound(TEAM, "ClusterRole", "view", subject(OTHERS, "guest"))
    group = {"kind": "Group", "name": f"system:serviceaccounts:{GROUPED}"}
    yield bound(GROUPED, "ClusterRole", "view", group)


def service_account(namespace: str, name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}


def rbac(kind: str, namespace: str, name: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata}


def subject(namespace: str, name: str) -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def bound(namespace: str, kind: str, role: str, who: dict[str, str]) -> dict[str, Any]:
    name = f"{role}-{who['name'].replace(':', '-')}"
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}
    return {**rbac("RoleBinding", namespace, name), "subjects": [who], "roleRef": reference}


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    with ExitStack() as stack:
        try:
            plane = stack.enter_context(ControlPlane(simulated_nodes=1))
        except ClusterToolError as error:
            pytest.skip(f"no control plane: {error}")
        install_rights(plane, *VALUES)
        kubectl = Kubectl(plane.kubeconfig)
        kubectl.apply(yaml.safe_dump_all([*people(), ACTOR]))
        # A controller adds the chart's rules to the cluster's own roles.
        wait(lambda: can(kubectl, "get", "viewer") and can(kubectl, "delete", "editor"))
        yield plane


@pytest.fixture(scope="module")
def api(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiProcess]:
    folder, settings = tmp_path_factory.mktemp("api"), chart_settings(*VALUES)
    operator = OperatorProcess(
        "operator", Credentials(control_plane, "operator", folder), settings, folder
    )
    try:
        operator.wait_leading()  # it has made the keys
        keys = installed_keys(Kubectl(control_plane.kubeconfig))
        credentials = Credentials(control_plane, "api", folder, account=ACCOUNT)
        process = ApiProcess(credentials, settings, keys, folder)
        try:
            process.wait_ready()
            yield process
        finally:
            process.stop()
    finally:
        operator.stop()


@pytest.fixture(scope="module")
def kubectl(control_plane: ControlPlane) -> Kubectl:
    return Kubectl(control_plane.kubeconfig)


def can(kubectl: Kubectl, verb: str, account: str) -> bool:
    """Whether a service account of the team may do something with storages."""
    attributes = {"namespace": TEAM, "group": GROUP, "resource": "storages", "verb": verb}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{TEAM}:{account}",
            "resourceAttributes": attributes,
        },
    }
    allowed = "-o=jsonpath={.status.allowed}"
    return kubectl.run("create", "-f", "-", allowed, stdin=json.dumps(review)) == "true"


def token_of(
    kubectl: Kubectl, account: str, *more: str, namespace: str = TEAM, audience: str = AUDIENCE
) -> str:
    """A token that the TokenRequest API makes."""
    audiences = [f"--audience={audience}"] if audience else []
    return kubectl.run("create", "token", account, f"-n={namespace}", *audiences, *more).strip()


def status(api: ApiProcess, token: str, path: str = "/v2/users/me", method: str = "GET") -> int:
    with api.client(token) as client:
        return client.request(method, path).status_code


def test_the_roles_of_the_cluster_decide_what_one_may_do(api: ApiProcess, kubectl: Kubectl) -> None:
    requests = {
        READ: ("GET", "/v2/actor-runs", 200),
        WRITE: ("POST", "/v2/datasets", 201),
        RUN: ("POST", f"/v2/acts/{TEAM}~quick/runs", 201),
        ADMIN: ("DELETE", f"/v2/actor-runs/{NOWHERE}", 404),
    }
    for account, allowed in MAY.items():
        token = token_of(kubectl, account)
        seen = {
            what: status(api, token, path, method) for what, (method, path, _) in requests.items()
        }
        expected = {
            what: code if what in allowed else 403 for what, (_, _, code) in requests.items()
        }
        assert seen == expected, account


@pytest.mark.parametrize("account", UNKNOWN)
def test_who_has_no_whole_permission_is_nobody(
    api: ApiProcess, kubectl: Kubectl, account: str
) -> None:
    assert status(api, token_of(kubectl, account)) == 401


def test_a_run_is_started_read_and_deleted_with_a_token_of_kubernetes(
    api: ApiProcess, kubectl: Kubectl
) -> None:
    with api.client(token_of(kubectl, "editor")) as client:
        assert client.get("/v2/users/me").json()["data"]["username"] == TEAM
        started = client.post(f"/v2/acts/{TEAM}~quick/runs", params={"waitForFinish": 30})
        run = started.json()["data"]
        assert (started.status_code, run["status"]) == (201, "SUCCEEDED")
        path = f"/v2/actor-runs/{run['id']}"
        assert status(api, token_of(kubectl, "viewer"), path) == 200
        assert client.delete(path).status_code == 204
        assert client.get(path).status_code == 404


def test_the_account_in_the_address_is_the_one_whose_roles_are_asked(
    api: ApiProcess, kubectl: Kubectl
) -> None:
    guest = token_of(kubectl, "guest", namespace=OTHERS)
    editor = token_of(kubectl, "editor")
    path = "accounts/{}/v2/users/me"

    assert status(api, guest, path.format(TEAM)) == 200
    assert status(api, guest, path.format(OTHERS)) == status(api, guest) == 401
    assert status(api, editor, path.format(TEAM)) == 200
    assert status(api, editor, path.format(OTHERS)) == 401
    assert status(api, editor, path.format("no-such-account")) == 401


def test_rights_of_a_group_count(api: ApiProcess, kubectl: Kubectl) -> None:
    assert status(api, token_of(kubectl, "member", namespace=GROUPED)) == 200


@pytest.mark.parametrize("audience", ["", "vault.example", f"{AUDIENCE}.example"])
def test_a_token_for_somebody_else_is_refused(
    api: ApiProcess, kubectl: Kubectl, audience: str
) -> None:
    """The audience of none that is named is Kubernetes itself."""
    assert status(api, token_of(kubectl, "editor", audience=audience)) == 401


def test_the_token_of_an_account_that_is_gone_is_refused(api: ApiProcess, kubectl: Kubectl) -> None:
    before = token_of(kubectl, "leaver")
    assert status(api, token_of(kubectl, "leaver")) == 200

    kubectl.run("delete", "serviceaccount", "leaver", f"-n={TEAM}")
    assert status(api, before) == 401

    # One of the same name is somebody else, with the same rights.
    kubectl.apply(yaml.safe_dump(service_account(TEAM, "leaver")))
    assert status(api, before) == 401
    assert status(api, token_of(kubectl, "leaver")) == 200


def test_a_token_whose_object_is_gone_is_refused(api: ApiProcess, kubectl: Kubectl) -> None:
    kubectl.run("create", "secret", "generic", "lease-of-token", f"-n={TEAM}")
    to_secret = ("--bound-object-kind=Secret", "--bound-object-name=lease-of-token")
    one, other = (token_of(kubectl, "viewer", *to_secret) for _ in range(2))
    assert status(api, one) == 200

    kubectl.run("delete", "secret", "lease-of-token", f"-n={TEAM}")

    assert status(api, other) == 401


def test_a_token_ends_when_its_time_is_over(
    api: ApiProcess, kubectl: Kubectl, control_plane: ControlPlane
) -> None:
    # The TokenRequest API makes none that is so short: this one has the cluster's own signature.
    key = control_plane.folder / "pki/service-account.key"
    token = signed(key, token_of(kubectl, "viewer"), exp=int(time.time()) + 5)

    assert status(api, token) == 200
    wait(lambda: status(api, token) == 401)


def test_a_token_that_the_cluster_did_not_sign_is_refused(
    api: ApiProcess, kubectl: Kubectl, control_plane: ControlPlane
) -> None:
    viewer, editor = token_of(kubectl, "viewer"), token_of(kubectl, "editor")
    foreign = control_plane.authority.signing_key("foreign")
    mixed = [*editor.split(".")[:2], viewer.split(".")[2]]

    for token in (
        signed(foreign, editor),
        ".".join(mixed),
        f"{editor}x",
        f"{editor.rpartition('.')[0]}.",
        "garbage",
        "a.b.c",
        ACCOUNT,
    ):
        assert status(api, token) == 401


def signed(key_file: Path, token: str, **claims: Any) -> str:
    """A token with some claims changed, and a signature by a key (ES256, RFC 7518 3.4)."""
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    head, body, _ = token.split(".")
    body = encoded(json.dumps({**json.loads(decoded(body)), **claims}).encode())
    signature = key.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
    numbers = utils.decode_dss_signature(signature)
    return f"{head}.{body}.{encoded(b''.join(number.to_bytes(32) for number in numbers))}"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
