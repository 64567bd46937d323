"""What a test says to the JavaScript client's driver, and what it hears from it."""

import json

import pytest
from tests.support.clients import node_client


def test_an_answer_is_read_with_its_bytes() -> None:
    output = json.dumps({"result": {"key": "a", "value": {"$bytes": "AAH/"}, "list": [1, None]}})

    assert node_client.result(output) == {"key": "a", "value": b"\x00\x01\xff", "list": [1, None]}


def test_an_error_of_the_client_says_what_the_server_said() -> None:
    thrown = {"name": "ApifyApiError", "message": "no", "type": "run-failed", "statusCode": 402}

    with pytest.raises(node_client.NodeClientError, match="ApifyApiError: no") as caught:
        node_client.result(json.dumps({"error": thrown}))

    assert (caught.value.name, caught.value.type, caught.value.status) == (
        "ApifyApiError",
        "run-failed",
        402,
    )


def test_an_error_without_an_answer_has_no_status() -> None:
    with pytest.raises(node_client.NodeClientError) as caught:
        node_client.result('{"error": {"name": "Error", "message": "connect ECONNREFUSED"}}')

    assert (caught.value.type, caught.value.status) == (None, None)
