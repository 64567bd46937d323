"""URLs of runs: not to be guessed, the same for ever, and made of nobody's text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.builders import KEY, RUN_UID

from actor_operator.desired.keyring import Keyring
from actor_operator.desired.url import container_url, host_of, is_url_of
from actor_operator.settings_web import Scheme, WebServerSettings

LABEL = "[a-z2-7]{26}"


def settings(**fields: object) -> WebServerSettings:
    return WebServerSettings.model_validate(
        {"domain": "runs.example", "ingress": {"className": "web"}, **fields}
    )


@pytest.mark.parametrize(
    ("fields", "pattern"),
    [
        ({}, rf"https://{LABEL}\.runs\.example/"),
        ({"scheme": Scheme.HTTP, "port": 8080}, rf"http://{LABEL}\.runs\.example:8080/"),
        ({"port": 8443}, rf"https://{LABEL}\.runs\.example:8443/"),
    ],
)
def test_a_url_is_scheme_label_domain_and_port(fields: dict[str, object], pattern: str) -> None:
    assert re.fullmatch(pattern, container_url(KEY, RUN_UID, settings(**fields)))


@given(st.uuids().map(str), st.uuids().map(str))
def test_two_runs_never_have_the_same_url(one: str, other: str) -> None:
    same = container_url(KEY, one, settings()) == container_url(KEY, other, settings())

    assert same is (one == other)


def test_another_key_makes_another_url() -> None:
    assert container_url(b"x" * 32, RUN_UID, settings()) != container_url(KEY, RUN_UID, settings())


@pytest.mark.parametrize("port", [None, 8080])
def test_the_host_of_a_url_is_label_and_domain(port: int | None) -> None:
    assert re.fullmatch(rf"{LABEL}\.runs\.example", host_of(url_of(port)))


def url_of(port: int | None) -> str:
    return container_url(KEY, RUN_UID, settings(port=port))


def test_a_url_by_any_key_that_we_know_is_ours() -> None:
    old, new = b"o" * 32, b"n" * 32
    url, keyring = container_url(old, RUN_UID, settings()), Keyring("k2", {"k1": old, "k2": new})

    assert is_url_of(url, RUN_UID, keyring, settings())
    assert not is_url_of(url, RUN_UID, Keyring("k2", {"k2": new}), settings())
    assert not is_url_of(url, "other", keyring, settings())
    assert not is_url_of(url.replace("runs.", "www."), RUN_UID, keyring, settings())
