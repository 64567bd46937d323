"""Requests of queues as clients send them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actor_operator.services.errors import ApiError
from actor_operator.services.queue_requests import (
    MAX_BATCH,
    MAX_REQUEST_BYTES,
    check_client_key,
    is_request_id,
    read_batch,
    read_deletions,
    read_request,
    request_id,
)

URL = "https://example.com/a"


def body(**fields: object) -> bytes:
    return msgspec.json.encode({"url": URL, "uniqueKey": URL, **fields})


def test_an_id_is_what_the_sdks_make_of_the_key() -> None:
    # By `printf KEY | openssl dgst -sha256 -binary | base64`, without + and /.
    assert request_id(URL) == "Lc4KTFBEGzPqcr0"
    assert request_id("k4") == "lAkd1kohlCFLxtF"


@given(st.text())
def test_every_key_has_an_id_of_the_right_form(key: str) -> None:
    assert is_request_id(request_id(key))


def test_what_is_not_known_stays_the_text_that_was_sent() -> None:
    sent = (
        b'{"url":"u","uniqueKey":"k","big":123456789012345678901234567890,"one":1.0,"x":{"y":[]}}'
    )

    stored = read_request(sent).request.body

    assert b'"big":123456789012345678901234567890' in stored
    assert b'"one":1.0' in stored
    assert b'"x":{"y":[]}' in stored


def test_half_a_symbol_is_replaced_as_javascript_does_for_the_id() -> None:
    sent = read_request(
        rb'{"url":"u","uniqueKey":"k\ud83d","userData":{"text":"\udE00 \ud83d\ude00"}}'
    )

    assert sent.request.id == request_id("k\ufffd")
    stored = msgspec.json.decode(sent.request.body)
    assert (stored["uniqueKey"], stored["userData"]["text"]) == ("k\ufffd", "\ufffd \U0001f600")


def test_a_request_gets_its_id_and_a_count_of_retries() -> None:
    sent = read_request(body(orderNo=7, retryCount=None, userData={"a": 1}))

    assert msgspec.json.decode(sent.request.body) == {
        "id": request_id(URL),
        "url": URL,
        "uniqueKey": URL,
        "retryCount": 0,
        "userData": {"a": 1},
    }


def test_the_head_has_what_clients_expect_there() -> None:
    sent = read_request(body(method="POST", retryCount=3, payload="x" * 1000))

    assert msgspec.json.decode(sent.request.head) == {
        "id": request_id(URL),
        "url": URL,
        "uniqueKey": URL,
        "retryCount": 3,
        "method": "POST",
    }


def test_a_handled_request_says_when_it_was() -> None:
    assert read_request(body(handledAt="1970-01-01T00:00:01.5Z")).request.handled_at == 1500
    assert read_request(body(handledAt=None)).request.handled_at is None


@pytest.mark.parametrize(
    ("sent", "error_type"),
    [
        (b"", "invalid-value"),
        (b"[]", "invalid-value"),
        (b"{", "invalid-value"),
        (b'{"url":"u","uniqueKey":"k","x":"\xff"}', "invalid-value"),
        (b'{"uniqueKey":"k"}', "invalid-value"),
        (b'{"url":"u"}', "invalid-value"),
        (b'{"url":"","uniqueKey":"k"}', "invalid-value"),
        (b'{"url":7,"uniqueKey":"k"}', "invalid-value"),
        (b'{"url":"u","uniqueKey":"k","handledAt":"yesterday"}', "invalid-value"),
        (b'{"url":"u","uniqueKey":"k","handledAt":"2024-01-31T12:00:00"}', "invalid-value"),
        (b'{"url":"u","uniqueKey":"k","id":"abc"}', "request-id-invalid"),
    ],
)
def test_what_is_no_request_is_refused(sent: bytes, error_type: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_request(sent)
    assert (caught.value.status, caught.value.error_type) == (400, error_type)


def test_the_id_of_the_path_must_be_that_of_the_request() -> None:
    assert read_request(body(), request_id(URL)).request.id == request_id(URL)
    with pytest.raises(ApiError, match=request_id(URL)) as caught:
        read_request(body(), request_id("another"))
    assert caught.value.error_type == "request-id-invalid"


def test_a_request_that_is_too_large_is_refused() -> None:
    with pytest.raises(ApiError) as caught:
        read_request(body(payload="x" * MAX_REQUEST_BYTES))
    assert (caught.value.status, caught.value.error_type) == (413, "request-too-large")


def test_a_batch_names_the_request_that_is_wrong() -> None:
    with pytest.raises(ApiError, match=r"requests\[1\]"):
        read_batch(b"[" + body() + b',{"url":"u"}]')


@pytest.mark.parametrize("count", [0, MAX_BATCH + 1])
def test_a_batch_has_a_limit(count: int) -> None:
    batch = b"[" + b",".join([body()] * count) + b"]"
    for read in (read_batch, read_deletions):
        with pytest.raises(ApiError, match="1 to 25"):
            read(batch)


def test_what_is_to_be_removed_is_named_by_id_or_key() -> None:
    deletions = read_deletions(b'[{"id":"abc"},{"uniqueKey":"k"}]')

    assert [deletion.id for deletion in deletions] == ["abc", request_id("k")]
    assert [deletion.named for deletion in deletions] == [{"id": "abc"}, {"uniqueKey": "k"}]
    for wrong in (b"[{}]", b'[{"id":"abc","uniqueKey":"k"}]'):
        with pytest.raises(ApiError):
            read_deletions(wrong)


@pytest.mark.parametrize("key", ["", "x" * 33, "a\x00b", "a\nb"])
def test_a_key_of_a_client_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_client_key(key)
    assert (caught.value.status, caught.value.error_type) == (400, "invalid-client-key")


@pytest.mark.parametrize("key", [None, "a", "ž" * 32])
def test_a_client_may_say_who_it_is(key: str | None) -> None:
    assert check_client_key(key) == key
