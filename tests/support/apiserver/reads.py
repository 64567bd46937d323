"""Lists: which revision, which objects, in which pages."""

import base64
import binascii
import bisect
import itertools
from dataclasses import dataclass
from typing import Any

import msgspec
from tests.support.apiserver.errors import (
    ApiError,
    bad_request,
    expired,
    invalid_options,
    too_large,
)
from tests.support.apiserver.fields import FieldError
from tests.support.apiserver.kinds import Kind
from tests.support.apiserver.render import list_bytes
from tests.support.apiserver.selection import Selector
from tests.support.apiserver.store import Key, Store, Version

CONTINUE_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can "
    "start a new list without the continue parameter, or use the continue token in this response "
    "to retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first chunk was returned and now may show up in the list."
)
"""What a page is told whose first page's revision has been compacted."""

LATEST = -1
"""Revision in a continue token that goes on with whatever is there now."""


@dataclass(frozen=True, slots=True)
class ListOptions:
    """The query of a list."""

    labels: str = ""
    fields: str = ""
    limit: int = 0
    token: str = ""
    revision: str = ""
    """`resourceVersion`: empty for the newest, `0` for any, else at least or exactly that."""
    match: str = ""
    """`resourceVersionMatch`: empty, NotOlderThan or Exact."""


def parse_revision(text: str) -> int:
    """The number in a resourceVersion; empty and `0` are 0.

    Raises
    ------
    ValueError
        It is no number; the message is the server's.
    """
    if text and not text.isdigit():
        raise ValueError(
            f'resourceVersion: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": '
            "invalid syntax"
        )
    return int(text or 0)


def list_objects(store: Store, kind: Kind, namespace: str, options: ListOptions) -> bytes:
    """The answer to a list request.

    Raises
    ------
    ApiError
        400 for a senseless query, 410 for a compacted revision, 504 for one yet to come.
    """
    selector = Selector(kind, namespace, options.labels, options.fields)
    revision, start = _starting_point(store, options)
    keys, objects = _snapshot(store, kind, revision, start, options.token)
    first = bisect.bisect_left(keys, start)
    matching = (key for key in keys[first:] if selector.matches(objects[key].object))
    page = list(itertools.islice(matching, options.limit or None))
    following = next(matching, None)
    shown_revision = store.revision if revision == LATEST else revision
    metadata: dict[str, Any] = {"resourceVersion": str(shown_revision)}
    if following is not None:
        metadata["continue"] = _token(shown_revision, following)
        if not options.labels and not options.fields:
            metadata["remainingItemCount"] = 1 + sum(1 for _ in matching)
    return list_bytes(kind, metadata, (objects[key] for key in page))


def _starting_point(store: Store, options: ListOptions) -> tuple[int, Key]:
    """Revision and first key of the page."""
    try:
        asked = parse_revision(options.revision)
    except ValueError as error:
        raise bad_request(f"invalid resource version: {error}") from error
    if options.token:
        if asked:
            raise bad_request("specifying resource version is not allowed when using continue")
        return _parse_token(options.token)
    if options.match and not options.revision:
        raise _forbidden_match(
            "resourceVersionMatch is forbidden unless resourceVersion is provided"
        )
    exact = options.match == "Exact" or (not options.match and options.limit > 0)
    if options.match == "Exact" and not asked:
        raise _forbidden_match('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    if asked > store.revision:
        raise too_large(asked, store.revision)
    return (asked if exact and asked else store.revision), ("", "")


def _snapshot(
    store: Store, kind: Kind, revision: int, start: Key, token: str
) -> tuple[list[Key], dict[Key, Version]]:
    """Keys in order and objects, as of the list's revision."""
    if revision in {LATEST, store.revision}:
        return store.keys(kind), store.all(kind)
    if token and revision < store.compacted:
        raise expired(CONTINUE_TOO_OLD, _token(LATEST, start))
    objects = store.at(kind, revision)
    return sorted(objects), objects


def _token(revision: int, start: Key) -> str:
    content = msgspec.json.encode({"rv": revision, "start": start})
    return base64.urlsafe_b64encode(content).decode()


def _parse_token(token: str) -> tuple[int, Key]:
    try:
        content = msgspec.json.decode(base64.urlsafe_b64decode(token))
        namespace, name = content["start"]
        return content["rv"], (namespace, name)
    except (binascii.Error, msgspec.DecodeError, KeyError, ValueError, TypeError) as error:
        raise bad_request("continue key is not valid: illegal base64 data") from error


def _forbidden_match(why: str) -> ApiError:
    return invalid_options("ListOptions", FieldError("resourceVersionMatch", "Forbidden", why))
