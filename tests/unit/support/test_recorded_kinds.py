"""Where the API server has what is recorded."""

import pytest
from tests.support.history import ACCOUNT, EVENT, HTTP_ROUTE, INGRESS, NAMESPACE, POD, RUN, SECRET
from tests.support.recorded_kinds import METADATA, METADATA_LIST, SOURCES, Source

BY_KIND = {source.kind: source for source in SOURCES}

OURS = "labelSelector=actor-operator.dev/run-uid"


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (RUN, "/apis/actor-operator.dev/v1alpha1/namespaces/team/actorruns"),
        (POD, f"/api/v1/namespaces/team/pods?{OURS}"),
        (INGRESS, f"/apis/networking.k8s.io/v1/namespaces/team/ingresses?{OURS}"),
        (NAMESPACE, "/api/v1/namespaces?fieldSelector=metadata.name=team"),
        (
            ACCOUNT,
            "/apis/actor-operator.dev/v1alpha1/actoraccounts?fieldSelector=metadata.name=team",
        ),
        (
            EVENT,
            "/apis/events.k8s.io/v1/namespaces/team/events?fieldSelector=regarding.kind=ActorRun",
        ),
    ],
)
def test_what_concerns_one_namespace_is_at(kind: str, path: str) -> None:
    assert BY_KIND[kind].path("team") == path


def test_a_watch_of_all_namespaces_keeps_what_is_chosen() -> None:
    path = BY_KIND[POD].path(watch="1", resourceVersion="7")

    assert path == f"/api/v1/pods?{OURS}&watch=1&resourceVersion=7"


def test_of_secrets_only_the_metadata_is_asked_for() -> None:
    source: Source = BY_KIND[SECRET]

    assert source.accept(listing=True) == METADATA_LIST
    assert source.accept(listing=False) == METADATA
    assert BY_KIND[POD].accept(listing=True) == "application/json"


def test_only_the_kind_of_the_gateway_api_may_be_missing() -> None:
    assert [source.kind for source in SOURCES if source.optional] == [HTTP_ROUTE]
