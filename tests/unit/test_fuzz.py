"""Whatever comes in, a parser answers or raises what it says: never another exception.

``make fuzz CASES=100000`` tries more than the few cases of ``make unit``.
"""

import os
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.builders import KEYRING

from actor_operator.api.views.account import AccountView
from actor_operator.api.views.actor import ActorView
from actor_operator.api.views.metadata import ObjectView
from actor_operator.api.views.pod import PodView
from actor_operator.desired.images import pin
from actor_operator.desired.resolve import read_resolved
from actor_operator.desired.tokens import read_events_path, read_run_token
from actor_operator.engine.lease_record import parse_lease
from actor_operator.kube.errors import error_from_answer
from actor_operator.kube.runs import decode_run
from actor_operator.kube.server_clock import AGREEING, ServerClock
from actor_operator.services.log_lines import safe_cut, split_stamp
from actor_operator.services.log_text import mask
from actor_operator.text import cut

CASES = int(os.environ.get("CASES", "150"))
"""Cases for each parser."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["metadata", "spec", "status", "a"]) | st.text(), inner)
    ),
    max_leaves=12,
)
BYTES = st.binary(max_size=200) | JSON.map(msgspec.json.encode)
TEXT = st.text(max_size=200)
DATES = TEXT | st.builds(
    "{} Jan {} {}:00:00 {}".format,
    *(st.integers(0, 40), st.integers(-1, 10_000), st.integers(0, 30)),
    st.sampled_from(["GMT", "+2359", "-2359", "-0000", "+9999", ""]),
)


def hear(date: str) -> None:
    clock = ServerClock()
    for _ in range(AGREEING):
        clock.hear(date)
    clock.now()


def decode(kind: type[ObjectView]) -> Callable[[bytes], Any]:
    return lambda data: msgspec.json.decode(data, type=kind)


PARSERS: dict[str, tuple[Any, Callable[[Any], Any], tuple[type[Exception], ...]]] = {
    "runs": (BYTES, decode_run, (msgspec.MsgspecError,)),
    "pods": (BYTES, decode(PodView), (msgspec.MsgspecError,)),
    "Actors": (BYTES, decode(ActorView), (msgspec.MsgspecError,)),
    "accounts": (BYTES, decode(AccountView), (msgspec.MsgspecError,)),
    "Leases": (BYTES, parse_lease, (msgspec.MsgspecError,)),
    "what was resolved": (TEXT | BYTES.map(repr), read_resolved, ()),
    "tokens of runs": (TEXT, lambda text: read_run_token(KEYRING, text), ()),
    "paths of events": (TEXT, lambda text: read_events_path(KEYRING, text), ()),
    "names of images": (st.tuples(TEXT, TEXT), lambda pair: pin(*pair), ()),
    "dates of answers": (DATES, hear, ()),
    "refusals": (
        BYTES,
        lambda body: error_from_answer(409, body, {"Retry-After": "x"}, write=True),
        (),
    ),
    "lines of logs": (BYTES, split_stamp, ()),
    "ends of logs": (BYTES, safe_cut, ()),
    "text of logs": (TEXT, mask, ()),
    "long texts": (TEXT, lambda text: cut(text, 20), ()),
}
"""What comes in, who reads it, and what that says it raises."""


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_raises_nothing_else(name: str) -> None:
    values, parse, expected = PARSERS[name]

    @settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(value=values)
    def check(value: Any) -> None:
        try:
            parse(value)
        except expected:
            return

    check()
