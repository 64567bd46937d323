"""Pages of lists, beside the event loop."""

import threading

from actor_operator.services.describing import FEW, describe_all


async def test_a_long_page_is_described_beside_the_event_loop_and_in_order() -> None:
    threads: set[str] = set()

    def describe(row: int) -> int:
        threads.add(threading.current_thread().name)
        return row * 2

    assert await describe_all(describe, range(FEW)) == [row * 2 for row in range(FEW)]
    assert threads == {threading.main_thread().name}
    threads.clear()

    assert await describe_all(describe, range(FEW + 1)) == [row * 2 for row in range(FEW + 1)]
    assert threading.main_thread().name not in threads
