"""The elector, with a Lease in memory and networks that fail."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.elector_world import Replica
from tests.support.fake_lease import LeaseServer

from actor_operator.engine.lease_hold import LeaseTiming
from actor_operator.errors import NotLeaderError

pytestmark = pytest.mark.looptime(noop_cycles=0)


@pytest.fixture
def server() -> LeaseServer:
    return LeaseServer()


Start = Callable[..., Replica]


@pytest.fixture
async def start(server: LeaseServer) -> AsyncIterator[Start]:
    """Starts replicas; a fixture cannot, for its time is not the test's."""
    replicas: list[Replica] = []

    def start_one(identity: str, slot: str = "") -> Replica:
        replicas.append(Replica(server, identity, slot))
        return replicas[-1]

    yield start_one
    for replica in replicas:
        await replica.crash()


async def test_the_only_replica_leads_at_once(start: Start, server: LeaseServer) -> None:
    one = start("one")
    assert not one.leads
    assert await one.until_leading() < 0.1
    one.elector.check()
    assert server.holder == "one"
    assert server.spec["leaseDurationSeconds"] == 15
    assert server.spec["renewTime"].endswith("Z")
    assert one.fence == "101"


async def test_who_does_not_lead_must_not_write(start: Start) -> None:
    one = start("one")
    with pytest.raises(NotLeaderError):
        one.elector.check()


async def test_a_renewal_is_one_request_every_two_seconds(start: Start) -> None:
    one = start("one")
    await one.until_leading()
    before = one.store.requests
    await asyncio.sleep(100)
    assert 45 <= one.store.requests - before <= 51
    assert one.leads


async def test_acquire_time_and_transitions_stay_while_the_holder_stays(
    start: Start, server: LeaseServer
) -> None:
    one = start("one")
    await one.until_leading()
    first = server.spec
    await asyncio.sleep(100)
    assert server.spec["acquireTime"] == first["acquireTime"]
    assert server.spec["renewTime"] > first["renewTime"]
    assert server.spec["leaseTransitions"] == 0


async def test_a_graceful_stop_hands_over_within_a_retry(start: Start, server: LeaseServer) -> None:
    one = start("one")
    await one.until_leading()
    two = start("two")
    await asyncio.sleep(10)
    one.stop_takes = 1.0
    await one.shut_down()
    assert one.events[-2:] == ["stopping", "stopped"]
    assert server.holder == ""
    assert server.spec["leaseDurationSeconds"] == 1
    assert await two.until_leading() < 2.5
    assert server.spec["leaseTransitions"] == 1


async def test_during_a_graceful_stop_running_work_may_still_write(start: Start) -> None:
    one = start("one")
    await one.until_leading()
    two = start("two")
    one.stop_takes = 1.5
    one.task.cancel()
    await asyncio.sleep(1.4)
    assert one.leads
    assert not two.leads
    await asyncio.sleep(0.2)
    assert not one.leads


async def test_work_that_was_broken_off_delays_the_hand_over_until_its_writes_have_landed(
    start: Start,
) -> None:
    one = start("one")
    await one.until_leading()
    two = start("two")
    await asyncio.sleep(5)
    one.by_itself = False
    one.task.cancel()
    await one.until_not_leading()
    assert await two.until_leading() > one.timing.landing


async def test_after_a_crash_the_standby_leads_when_the_lease_has_run_out(
    start: Start, server: LeaseServer
) -> None:
    one = start("one")
    await one.until_leading()
    two = start("two")
    await asyncio.sleep(30)
    await one.crash()
    assert server.holder == "one"
    took = await two.until_leading()
    assert 11 < took < 17.5
    assert server.holder == "two"


async def test_a_standby_that_comes_later_waits_a_whole_duration(start: Start) -> None:
    one = start("one")
    await one.until_leading()
    await one.crash()
    await asyncio.sleep(3600)
    two = start("two")
    assert 15 <= await two.until_leading() < 16


async def test_the_next_process_in_the_same_pod_does_not_wait_for_the_end_of_the_lease(
    start: Start,
) -> None:
    first = start("pod1_aaa", slot="pod1")
    await first.until_leading()
    await first.crash()
    second = start("pod1_bbb", slot="pod1")
    took = await second.until_leading()
    assert second.timing.landing <= took < second.timing.landing + 0.2
    assert int(second.fence) > 103, "a version from after the last write that could land"


async def test_a_pod_whose_name_begins_like_ours_is_not_ours(start: Start) -> None:
    first = start("pod11_aaa", slot="pod11")
    await first.until_leading()
    second = start("pod1_bbb", slot="pod1")
    await asyncio.sleep(60)
    assert first.leads
    assert not second.leads
    await first.shut_down()


@pytest.mark.parametrize("how", ["hangs", "hangs and applies", "refused"])
async def test_a_leader_that_cannot_renew_stops_after_the_renew_deadline(
    start: Start, how: str
) -> None:
    one = start("one")
    await one.until_leading()
    two = start("two")
    await asyncio.sleep(20)
    one.network.hangs = how != "refused"
    one.network.applies = how == "hangs and applies"
    one.network.refused = how == "refused"
    lost_after = await one.until_not_leading()
    assert 7.9 <= lost_after <= 10.1
    assert one.loop.time() - one.when("stopping") < 0.1
    assert not two.leads
    await two.until_leading()
    assert not one.leads
    one.network.hangs = one.network.refused = False
    await asyncio.sleep(60)
    assert two.leads
    assert not one.leads, "back to standing by"
    assert not one.task.done()
    await two.shut_down()
    await one.until_leading()
    assert one.events.count("begin") == 2


async def test_an_outage_shorter_than_the_renew_deadline_changes_nothing(start: Start) -> None:
    one = start("one")
    await one.until_leading()
    one.network.hangs = True
    await asyncio.sleep(7)
    one.network.hangs = False
    await asyncio.sleep(60)
    assert one.leads
    assert one.events == ["begin", "started"]


async def test_after_an_outage_for_all_one_leads_again(start: Start) -> None:
    one = start("one")
    await one.until_leading()
    two = start("two")
    await asyncio.sleep(5)
    for replica in (one, two):
        replica.network.refused = True
    await asyncio.sleep(300)
    assert not one.leads
    assert not two.leads
    for replica in (one, two):
        replica.network.refused = False
    await asyncio.sleep(20)
    assert one.leads is not two.leads


async def test_a_renewal_whose_answer_was_lost_is_found_out(
    start: Start, server: LeaseServer
) -> None:
    one = start("one")
    await one.until_leading()
    one.network.hangs = one.network.applies = True
    await asyncio.sleep(6)
    one.network.hangs = False
    await asyncio.sleep(30)
    assert one.events == ["begin", "started"]
    assert one.leads
    assert server.holder == "one"


async def test_an_annotation_by_somebody_else_does_not_cost_the_lease(
    start: Start, server: LeaseServer
) -> None:
    one = start("one")
    await one.until_leading()
    assert server.stored is not None
    server.revision += 1
    server.stored["metadata"] |= {"resourceVersion": str(server.revision), "annotations": {}}
    await asyncio.sleep(20)
    assert one.leads
    assert one.events == ["begin", "started"]


async def test_a_lease_that_was_taken_away_by_hand_stops_the_leader_at_its_next_renewal(
    start: Start, server: LeaseServer
) -> None:
    one = start("one")
    await one.until_leading()
    assert server.stored is not None
    server.revision += 1
    server.stored["metadata"]["resourceVersion"] = str(server.revision)
    server.stored["spec"]["holderIdentity"] = "somebody"
    assert await one.until_not_leading() < 2.2


async def test_a_deleted_lease_is_made_again_without_two_leaders(
    start: Start, server: LeaseServer
) -> None:
    one = start("one")
    await one.until_leading()
    two = start("two")
    await asyncio.sleep(10)
    server.delete()
    for _ in range(2000):
        await asyncio.sleep(0.02)
        assert not (one.leads and two.leads)
    assert one.leads is not two.leads


@pytest.mark.parametrize("jump", [timedelta(hours=-5), timedelta(minutes=5), timedelta(days=400)])
async def test_jumps_of_the_wall_clock_change_nothing(start: Start, jump: timedelta) -> None:
    one = start("one")
    await one.until_leading()
    two = start("two")
    two.clock.offset = timedelta(minutes=-3)
    await asyncio.sleep(10)
    one.clock.offset = jump
    await asyncio.sleep(60)
    two.clock.offset = -jump
    await asyncio.sleep(60)
    assert one.leads
    assert not two.leads
    assert one.events == ["begin", "started"]


async def test_a_wall_clock_that_stands_still_does_not_make_renewals_invisible(
    start: Start,
) -> None:
    one = start("one")
    one.clock.frozen = datetime(2026, 1, 1, tzinfo=UTC)
    await one.until_leading()
    two = start("two")
    await asyncio.sleep(120)
    assert one.leads
    assert not two.leads


async def test_the_guard_closes_by_itself_when_the_event_loop_was_stalled(start: Start) -> None:
    one = start("one")
    await one.until_leading()
    stalled = one.loop.time() + 11
    one.hold.now = lambda: stalled  # nothing has run since: no task could note the loss
    assert not one.leads
    with pytest.raises(NotLeaderError):
        one.elector.check()
    one.hold.now = one.loop.time


async def test_work_that_does_not_stop_in_time_ends_the_process(start: Start) -> None:
    one = start("one")
    await one.until_leading()
    one.stop_takes = 100.0
    one.network.hangs = True
    await one.until_not_leading()
    await asyncio.sleep(2.1)
    assert one.events[-2:] == ["stopping", "stuck"]
    assert one.when("stuck") - one.when("stopping") == pytest.approx(2.0, abs=0.1)
    one.stop_takes = 0.0


async def test_work_that_cannot_be_stopped_ends_the_process(start: Start) -> None:
    one = start("one")
    await one.until_leading()
    one.stop_error = OSError("a defect")
    one.network.hangs = True
    await one.until_not_leading()
    await asyncio.sleep(0.5)
    assert one.events[-2:] == ["stopping", "stuck"]
    one.stop_error = None


async def test_losing_the_lease_while_the_work_begins_breaks_that_off(start: Start) -> None:
    one = start("one")
    one.start_takes = 1000.0  # caches that do not catch up
    await one.until_leading()
    one.network.refused = True
    await one.until_not_leading()
    await asyncio.sleep(1)
    assert one.events == ["begin", "stopping", "stopped"]


async def test_a_replica_whose_work_cannot_begin_gives_the_lease_to_another(start: Start) -> None:
    one = start("one")
    one.start_error = OSError("disk full")
    two = start("two")
    await two.until_leading()
    await asyncio.sleep(30)
    assert two.leads
    assert one.events[:3] == ["begin", "stopping", "stopped"]


async def test_a_restored_replica_waits_for_its_own_writes_of_the_last_term(
    start: Start, server: LeaseServer
) -> None:
    one = start("one")
    await one.until_leading()
    one.network.refused = True
    await one.until_not_leading()
    lost_at = one.loop.time()
    one.network.refused = False
    await one.until_leading()
    assert one.loop.time() - lost_at >= one.timing.landing
    assert server.holder == "one"


@pytest.mark.parametrize(
    "times",
    [
        {"retry": 10.0, "renew_deadline": 10.0},
        {"renew_deadline": 12.0, "landing": 3.0, "duration": 15},
    ],
)
def test_times_that_would_allow_two_leaders_are_refused(times: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must be shorter|could land"):
        LeaseTiming(**times)  # type: ignore[arg-type]
