"""Apify's own client makes the signatures that ours are compared with."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from apify_client._utils.crypto import create_hmac_signature, create_storage_content_signature
from hypothesis import given
from hypothesis import strategies as st

from actor_operator.services.signatures import (
    is_signed_storage,
    is_signed_text,
    sign_storage,
    sign_text,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY, STORE = "a key", "abcdefghijklmnopq"


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_text_is_signed_as_the_client_does_it(key: str, text: str) -> None:
    assert sign_text(key, text) == create_hmac_signature(key, text)
    assert is_signed_text(key, text, create_hmac_signature(key, text))


def test_the_signature_of_a_record_holds_for_no_other_one() -> None:
    assert not is_signed_text(KEY, "OUTPUT", sign_text(KEY, "INPUT"))
    assert not is_signed_text(KEY, "OUTPUT", sign_text("another key", "OUTPUT"))
    assert not is_signed_text(KEY, "OUTPUT", "")


def test_a_link_that_the_client_made_is_taken() -> None:
    assert is_signed_storage(KEY, STORE, create_storage_content_signature(STORE, KEY), NOW)


def test_a_link_without_an_end_is_the_client_s_but_for_its_padding() -> None:
    theirs = create_storage_content_signature(STORE, KEY)
    assert sign_storage(KEY, STORE, None) == theirs.rstrip("=")


@pytest.mark.parametrize("padding", ["", "="])
def test_padding_makes_no_difference(padding: str) -> None:
    signature = sign_storage(KEY, STORE, NOW + timedelta(days=1))
    assert is_signed_storage(KEY, STORE, signature + padding, NOW)


def test_a_link_ends() -> None:
    signature = sign_storage(KEY, STORE, NOW + timedelta(days=1))
    assert is_signed_storage(KEY, STORE, signature, NOW + timedelta(hours=23))
    assert not is_signed_storage(KEY, STORE, signature, NOW + timedelta(hours=25))


def test_the_end_of_a_link_cannot_be_moved() -> None:
    text = base64.urlsafe_b64decode(sign_storage(KEY, STORE, NOW) + "==").decode()
    version, _, mac = text.split(".")
    forged = base64.urlsafe_b64encode(f"{version}.0.{mac}".encode()).decode()
    assert not is_signed_storage(KEY, STORE, forged, NOW)


def test_the_link_of_a_storage_holds_for_no_other_one() -> None:
    assert not is_signed_storage(KEY, "another", sign_storage(KEY, STORE, None), NOW)


@given(st.text())
def test_what_is_no_signature_is_refused(text: str) -> None:
    assert not is_signed_storage(KEY, STORE, text, NOW)
