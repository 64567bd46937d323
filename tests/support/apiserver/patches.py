"""The patch formats: JSON merge patch, JSON patch, and a simple server-side apply."""

from typing import Any

import jsonpatch
import msgspec
import yaml
from tests.support.apiserver.errors import ApiError, bad_request, unsupported_media_type
from tests.support.apiserver.fields import Object
from tests.support.apiserver.kinds import Kind

MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

_CUSTOM = (JSON, MERGE, APPLY)
_BUILT_IN = (JSON, MERGE, STRATEGIC, APPLY)


def patched(kind: Kind, current: Object, media_type: str, body: bytes) -> Object:
    """The object after the patch. `current` may be changed.

    A strategic merge patch is taken as a merge patch, which is the same as long as it holds no
    lists. Server-side apply is a merge too: no field has an owner, none is removed because the
    applied object no longer names it.

    Raises
    ------
    ApiError
        400 for a body that cannot be read, 415 for an unknown format, 422 for a patch that
        cannot be carried out.
    """
    allowed = _CUSTOM if kind.custom else _BUILT_IN
    if media_type not in allowed:
        raise unsupported_media_type(", ".join(allowed))
    if media_type == JSON:
        return _json_patched(current, body)
    patch = read_object(body, as_yaml=media_type == APPLY)
    if media_type == STRATEGIC and _holds_list(patch):
        raise unsupported_media_type(f"{MERGE} (strategic merge of lists is not imitated)")
    result: Object = merged(current, patch)
    return result


def read_object(body: bytes, *, as_yaml: bool = False) -> Object:
    """The object in a request's body.

    Raises
    ------
    ApiError
        400, it is none.
    """
    try:
        value = yaml.safe_load(body) if as_yaml else msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise bad_request(f"error decoding the body: {error}") from error
    if not isinstance(value, dict):
        raise bad_request("the body is not an object")
    return value


def merged(target: Any, patch: Any) -> Any:
    """RFC 7386: null removes, objects merge, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def _json_patched(current: Object, body: bytes) -> Object:
    try:
        operations = msgspec.json.decode(body, type=list[dict[str, Any]])
        result = jsonpatch.apply_patch(current, operations)
    except msgspec.DecodeError as error:
        raise bad_request(f"error decoding patch: {error}") from error
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        message = "the server rejected our request due to an error in our request"
        raise ApiError(422, "Invalid", message) from error
    if not isinstance(result, dict):
        raise bad_request("the patch leaves no object")
    return result


def _holds_list(value: Any) -> bool:
    if isinstance(value, list):
        return True
    return isinstance(value, dict) and any(_holds_list(item) for item in value.values())
