"""Finished runs and their pods go in time, in the state that was judged, and never early."""

import pytest
from tests.integration.operator.bench import SETTINGS, Bench, Workload
from tests.support.apiserver import on
from tests.support.apiserver.requestlog import Request
from tests.support.history import POD, RUN
from tests.support.invariants_retention import removed_early

from actor_operator.constants import ANNOTATION_ARCHIVED
from actor_operator.settings import Settings
from actor_operator.settings_api import ApiSettings
from actor_operator.settings_groups import RetentionSettings

QUICK = Workload(spec={"ttlSecondsAfterFinished": 1})

FLUX = {"kustomize.toolkit.fluxcd.io/name": "apps"}


def settings(ttl: int, keep_last: int = 0, pods: int = 3600) -> Settings:
    retention = RetentionSettings(
        ttl_seconds_after_finished=ttl, keep_last=keep_last, finished_pod_ttl_seconds=pods
    )
    return SETTINGS.model_copy(update={"retention": retention})


def is_gone(bench: Bench, name: str) -> bool:
    return bench.server.find("actorruns", "default", name) is None


def deletions(bench: Bench, kind: str) -> list[Request]:
    return [r for r in bench.server.requests if r.verb == "delete" and r.kind == kind]


async def test_a_run_goes_when_its_own_time_is_over_and_its_pod_with_it(bench: Bench) -> None:
    await bench.leading(bench.start())
    await bench.drive(QUICK)
    uid = bench.server.get("actorruns", "default", "subject")["metadata"]["uid"]

    await bench.until("it is gone", lambda: is_gone(bench, "subject"))
    await bench.until("its pod is gone", lambda: not bench.server.objects("pods", "default"))

    (deletion,) = deletions(bench, "actorruns")
    assert isinstance(deletion.body, dict)
    assert deletion.body["preconditions"]["uid"] == uid
    assert deletion.body["preconditions"]["resourceVersion"]
    assert removed_early(bench.history(), ttl=604_800) == []


async def test_a_run_without_a_time_of_its_own_has_the_installations(bench: Bench) -> None:
    await bench.leading(bench.start(settings(ttl=1)))
    await bench.drive(Workload(), "short")
    await bench.drive(Workload(spec={"ttlSecondsAfterFinished": 3600}), "long")

    await bench.until("the one is gone", lambda: is_gone(bench, "short"))

    assert not is_gone(bench, "long")
    assert removed_early(bench.history(), ttl=1) == []


async def test_what_an_account_says_holds_for_its_namespace_also_when_it_changes(
    bench: Bench,
) -> None:
    await bench.leading(bench.start())
    spec: dict[str, object] = {"retention": {"keepLast": 0}}
    bench.server.create("actoraccounts", {"metadata": {"name": "default"}, "spec": spec}, "")
    await bench.drive(Workload())
    assert not is_gone(bench, "subject")

    spec = {"retention": {"ttlSecondsAfterFinished": 1}}
    bench.server.patch("actoraccounts", "", "default", {"spec": spec})

    await bench.until("it is gone", lambda: is_gone(bench, "subject"))
    assert removed_early(bench.history(), ttl=1) == []


async def test_the_newest_stay(bench: Bench) -> None:
    await bench.leading(bench.start(settings(ttl=0, keep_last=2)))
    for name in ("a", "b", "c", "d"):
        await bench.drive(Workload(), name)

    await bench.until("two are gone", lambda: len(bench.server.objects("actorruns")) == 2)
    await bench.drive(Workload(spec={"ttlSecondsAfterFinished": 3600}), "e")

    assert len(bench.server.objects("actorruns")) == 3


async def test_pods_go_before_their_run(bench: Bench) -> None:
    await bench.leading(bench.start(settings(ttl=3600, pods=1)))
    await bench.drive(Workload())

    await bench.until("its pod is gone", lambda: not bench.server.objects("pods", "default"))

    (deletion,), history = deletions(bench, "pods"), bench.history()
    (pod,) = history.children(POD, history.life(RUN, "subject")[0].uid)
    assert isinstance(deletion.body, dict)
    assert deletion.body["preconditions"] == {"uid": pod[0].uid}
    assert bench.status()["phase"] == "SUCCEEDED"


async def test_a_time_to_live_may_be_given_after_the_end(bench: Bench) -> None:
    await bench.leading(bench.start())
    await bench.drive(Workload())
    patch = {"spec": {"ttlSecondsAfterFinished": 0}}
    bench.server.patch("actorruns", "default", "subject", patch)

    await bench.until("it is gone", lambda: is_gone(bench, "subject"))

    assert removed_early(bench.history(), ttl=604_800) == []


async def test_a_run_that_changes_just_before_it_is_removed_is_judged_anew(bench: Bench) -> None:
    """Somebody gives it more time; only the precondition can know."""
    await bench.leading(bench.start(settings(ttl=1)))

    def give_more_time(_: Request) -> None:
        patch = {"spec": {"ttlSecondsAfterFinished": 3600}}
        bench.server.patch("actorruns", "default", "subject", patch)

    bench.server.faults.call(give_more_time, on("delete", "actorruns"), applied=False)
    await bench.drive(Workload())
    await bench.until("a deletion was tried", lambda: bool(deletions(bench, "actorruns")))
    await bench.until("it was answered", lambda: deletions(bench, "actorruns")[0].code == 409)

    assert not is_gone(bench, "subject")
    assert removed_early(bench.history(), ttl=1) == []


async def test_a_run_that_a_gitops_tool_owns_stays(bench: Bench) -> None:
    await bench.leading(bench.start(settings(ttl=1, pods=2)))
    spec = {"actor": "quick"}
    meta = {"name": "owned", "labels": FLUX}
    bench.server.create("actorruns", {"metadata": meta, "spec": spec})
    meta = {"name": "asked-to-go", "labels": FLUX}
    spec_with_ttl = {**spec, "ttlSecondsAfterFinished": 0}
    bench.server.create("actorruns", {"metadata": meta, "spec": spec_with_ttl})

    await bench.until("the one is gone", lambda: is_gone(bench, "asked-to-go"))
    await bench.until("no pod is left", lambda: not bench.server.objects("pods", "default"))

    assert not is_gone(bench, "owned")


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_crash_at_the_removal_changes_nothing(bench: Bench, moment: str) -> None:
    first = bench.start(settings(ttl=1))
    await bench.leading(first)
    bench.server.faults.call(first.crash, on("delete", "actorruns"), applied=moment == "after")
    bench.expect_crash(first, settings(ttl=1))
    await bench.drive(Workload())

    await bench.until("it is gone", lambda: is_gone(bench, "subject"))

    assert first.crashed
    assert removed_early(bench.history(), ttl=1) == []


# With an API server, which archives logs

WITH_API = SETTINGS.model_copy(
    update={
        "api": ApiSettings(
            enabled=True, internal_url="http://api.ops.svc", events_url="http://events.ops.svc"
        ),
        "retention": RetentionSettings(ttl_seconds_after_finished=3600, finished_pod_ttl_seconds=0),
    }
)


def archive(bench: Bench, attempt: int = 1, name: str = "subject") -> None:
    """What the API server does once it has the log."""
    annotations = {ANNOTATION_ARCHIVED: str(attempt)}
    bench.server.patch("actorruns", "default", name, {"metadata": {"annotations": annotations}})


async def test_a_pod_stays_until_its_log_is_archived_and_goes_at_once_then(bench: Bench) -> None:
    await bench.leading(bench.start(WITH_API))
    await bench.drive(Workload())
    before = bench.writes()
    assert deletions(bench, "pods") == []

    archive(bench)
    await bench.until("its pod is gone", lambda: not bench.server.objects("pods", "default"))

    assert bench.writes() == [*before, "delete pods"]


async def test_a_run_that_is_not_archived_stays_whatever_its_time_to_live(bench: Bench) -> None:
    await bench.leading(bench.start(WITH_API))
    await bench.drive(Workload(spec={"ttlSecondsAfterFinished": 0}))
    await bench.drive(Workload(spec={"ttlSecondsAfterFinished": 0}), "archived")

    archive(bench, name="archived")
    await bench.until("the one is gone", lambda: is_gone(bench, "archived"))

    await bench.until("so is its pod", lambda: len(bench.server.objects("pods", "default")) == 1)
    assert not is_gone(bench, "subject")


async def test_the_log_of_a_resurrected_run_is_waited_for_anew(bench: Bench) -> None:
    await bench.leading(bench.start(WITH_API))
    await bench.drive(Workload())
    archive(bench)
    await bench.until("its pod is gone", lambda: not bench.server.objects("pods", "default"))

    bench.server.patch("actorruns", "default", "subject", {"spec": {"resurrect": {"attempt": 2}}})
    await bench.until("it has ended again", lambda: bench.status().get("attempt") == 2)
    await bench.phase("SUCCEEDED")
    assert len(bench.server.objects("pods", "default")) == 1

    archive(bench, attempt=2)
    await bench.until("its pod is gone", lambda: not bench.server.objects("pods", "default"))
