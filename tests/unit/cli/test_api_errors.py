"""What the API refuses, in sentences."""

import pytest

from actor_operator.cli.api_errors import MESSAGE_LENGTH, refusal, unreachable

URL = "https://api.test"


def error(status: int, kind: str, message: str) -> tuple[str, str]:
    body = f'{{"error": {{"type": "{kind}", "message": "{message}"}}}}'.encode()
    found = refusal(URL, status, body)
    assert (found.status, found.kind) == (status, kind)
    return found.message, found.hint


@pytest.mark.parametrize(
    ("status", "kind", "hint"),
    [
        (401, "user-or-token-not-found", f"actorctl login --url {URL}"),
        (402, "actor-memory-limit-exceeded", "--memory MB"),
        (404, "record-not-found", "may not see it"),
        (429, "rate-limit-exceeded", "later"),
        (503, "service-unavailable", "Try again"),
    ],
)
def test_an_error_is_told_in_the_servers_words_with_what_to_do(
    status: int, kind: str, hint: str
) -> None:
    message, found = error(status, kind, "So it is.")

    assert message == "So it is."
    assert hint in found


def test_only_a_missing_permission_is_a_matter_of_the_token() -> None:
    needs = error(403, "insufficient-permissions", "No; it would need the permission 'run'.")
    suspended = error(403, "insufficient-permissions", "The account is suspended.")

    assert "actorctl token create" in needs[1]
    assert suspended[1] == ""


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": 1}', b"\xff", b"[" * 5000])
def test_what_does_not_speak_the_api_is_called_so(body: bytes) -> None:
    found = refusal(URL, 502, body)

    assert found.message == f"What answers at {URL} does not speak the Apify API: 502 Bad Gateway."


def test_a_message_neither_moves_the_cursor_nor_fills_the_screen() -> None:
    message, _ = error(400, "x", "a\\u001b[2J" + "b" * 10_000)

    assert "\x1b" not in message
    assert len(message) == MESSAGE_LENGTH


def test_a_write_without_an_answer_is_not_to_be_repeated_blindly() -> None:
    write = unreachable(URL, ConnectionResetError("gone"), write=True)
    read = unreachable(URL, TimeoutError(), write=False)

    assert write.message == f"The API {URL} does not answer: gone"
    assert "may have been carried out" in write.hint
    assert read.message == f"The API {URL} does not answer: TimeoutError"
    assert "carried out" not in read.hint
