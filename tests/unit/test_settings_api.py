"""Settings of the API server: what is refused, and where URLs in answers lead."""

from typing import Any

import pytest
from pydantic import ValidationError

from actor_operator.settings import Settings
from actor_operator.settings_api import ApiSettings

URLS: dict[str, Any] = {
    "internal_url": "http://api.ops.svc:8000",
    "events_url": "http://events.ops.svc:8000",
}


def test_without_anything_said_there_is_no_api_server() -> None:
    assert not Settings().api.enabled


@pytest.mark.parametrize("missing", URLS)
def test_an_api_server_needs_the_addresses_of_both_services(missing: str) -> None:
    given = {name: url for name, url in URLS.items() if name != missing}

    with pytest.raises(ValidationError, match="internalUrl and eventsUrl"):
        ApiSettings(enabled=True, **given)


@pytest.mark.parametrize("url", ["http://api/", "ftp://api", "http://user:word@api", "http://"])
def test_an_address_that_cannot_be_built_upon_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="String should match pattern"):
        ApiSettings(public_url=url)


def test_urls_in_answers_are_public_where_there_is_a_public_address() -> None:
    internal = ApiSettings(enabled=True, **URLS)
    public = ApiSettings(enabled=True, public_url="https://api.example.com", **URLS)

    assert internal.base_url == "http://api.ops.svc:8000"
    assert public.base_url == "https://api.example.com"
