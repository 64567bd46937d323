"""Reading runs from JSON."""

import json

import pytest

from actor_operator.api.v1alpha1.conditions import Reason
from actor_operator.api.views.run import FinishedRun, RunView
from actor_operator.constants import MAX_INPUT_BYTES
from actor_operator.desired.environment import compact_input
from actor_operator.errors import TerminalError
from actor_operator.kube.runs import decode_run


def a_message(**run: object) -> bytes:
    metadata = {"name": "r", "namespace": "n", "uid": "u", "generation": 1}
    return json.dumps({"metadata": metadata, "spec": {"actor": "a"}, **run}).encode()


def test_a_finished_run_that_needs_nothing_becomes_a_stub() -> None:
    status = {"phase": "SUCCEEDED", "finished": True, "observedGeneration": 1}

    assert isinstance(decode_run(a_message(status=status)), FinishedRun)
    assert isinstance(decode_run(a_message(status={**status, "cleanup": ["Pod"]})), RunView)
    assert isinstance(decode_run(a_message(status={**status, "observedGeneration": 0})), RunView)


def test_an_input_of_the_largest_size_is_kept_however_it_is_written() -> None:
    text = "é" * ((MAX_INPUT_BYTES - len('{"a":""}')) // 2)
    run = decode_run(a_message(spec={"actor": "a", "input": {"a": text}}))

    assert isinstance(run, RunView)
    assert (
        compact_input(run)
        == json.dumps({"a": text}, ensure_ascii=False, separators=(",", ":")).encode()
    )


def test_of_an_input_that_is_too_large_only_the_size_is_kept() -> None:
    run = decode_run(a_message(spec={"actor": "a", "input": {"a": "x" * MAX_INPUT_BYTES}}))

    assert isinstance(run, RunView)
    assert bytes(run.spec.input) == b""
    with pytest.raises(TerminalError, match=f"has {MAX_INPUT_BYTES + 8} bytes") as refusal:
        compact_input(run)
    assert refusal.value.reason == Reason.INPUT_TOO_LARGE
