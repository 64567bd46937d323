"""What a token says of itself."""

import base64
import json

import pytest

from actor_operator.services.bearer import expiry_of


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def jwt(claims: object, head: object = None) -> str:
    return f"{part(head or {'alg': 'RS256'})}.{part(claims)}.c2ln"


def test_a_token_says_when_it_ends() -> None:
    assert expiry_of(jwt({"exp": 1_700_000_000, "sub": "x"})) == 1_700_000_000
    assert expiry_of(jwt({})) == float("inf")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "apify_api_abc",
        "a.b.c",
        "..",
        f"{jwt({})}.more",
        jwt({})[:-5],
        jwt({}, {"typ": "JWT"}),
        jwt([1]),
        jwt({"exp": "soon"}),
        f"{part({'alg': 'RS256'})}.{part({})}.sig nature",
        jwt({"long": "x" * 20_000}),
    ],
)
def test_what_is_no_json_web_token_is_told_from_one(token: str) -> None:
    assert expiry_of(token) is None
