"""Requests that Schemathesis makes of our OpenAPI document, and what it checks of the answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as openapi_checks
from tests.integration.api.world import OWNER

CHECKS = (
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
    openapi_checks.response_headers_conformance,
)
"""What holds for every answer."""

TWIN = "/v2/acts"
"""The same routes as those of Actors."""

LONGEST_WAIT = 0.05
"""Seconds: a request may ask the server to wait a minute."""

QUIET = tuple(HealthCheck)
"""Making requests is slow by itself."""


@dataclass(frozen=True)
class Fuzzer:
    """Sends requests.

    Parameters
    ----------
    url
        Of the server, without ``/v2``.
    token
        Of somebody who may do everything.
    document
        The OpenAPI document.
    actor, run
        An Actor that ends by itself, and a run that has ended.
    """

    url: str
    token: str
    document: dict[str, Any]
    actor: str
    run: str

    def fuzz(self, tag: str, cases: int) -> list[str]:
        """Send requests to all routes of a chapter; returns what is wrong.

        Parameters
        ----------
        tag
            The chapter.
        cases
            How many requests there are to be, in all.
        """
        operations = list(self._operations(tag))
        each = max(1, cases // len(operations))
        return [wrong for operation in operations for wrong in self._fuzz_one(operation, each)]

    def _operations(self, tag: str) -> Iterator[Any]:
        schema = schemathesis.openapi.from_dict(self.document)
        schema.config.update(base_url=self.url)
        for result in schema.include(tag=tag).get_all_operations():
            operation: Any = result.ok()  # type: ignore[union-attr]  # an Err fails here, rightly
            if not operation.path.startswith(TWIN):
                yield operation

    def _fuzz_one(self, operation: Any, cases: int) -> list[str]:
        real = self._make_targets()

        @settings(max_examples=cases, deadline=None, suppress_health_check=QUIET, database=None)
        @given(_good_and_bad(operation), st.booleans())
        def check(case: Any, is_real: bool) -> None:  # noqa: FBT001 -- drawn
            if is_real:
                case.path_parameters.update(
                    {name: real[name] for name in case.path_parameters if name in real}
                )
            _tame(case)
            answer = case.call(headers={"Authorization": f"Bearer {self.token}"})
            case.validate_response(answer, checks=list(CHECKS))

        try:
            check()
        except BaseException as error:  # noqa: BLE001 -- it may be a group, and all are told
            return [f"{operation.label}: {_text(error)}"]
        return []

    def _make_targets(self) -> dict[str, str]:
        """What is there; made again, as the requests may have deleted it."""
        headers = {"Authorization": f"Bearer {self.token}"}
        with httpx.Client(base_url=f"{self.url}/v2", headers=headers) as client:
            for kind in ("key-value-stores", "datasets", "request-queues"):
                client.post(f"/{kind}", params={"name": "fuzzed"}).raise_for_status()
        return {
            "actorId": self.actor,
            "runId": self.run,
            "buildOrRunId": self.run,
            "storageId": "~fuzzed",
            "recordKey": "INPUT",
            "userId": OWNER,
            "versionNumber": "1.0",
            "buildId": "default",
        }


def _good_and_bad(operation: Any) -> st.SearchStrategy[Any]:
    """Requests that keep to the document, and such that do not."""
    good: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if not any(operation.iter_parameters()) and not operation.body:
        return good  # there is nothing to be wrong
    bad: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return good | bad


def _tame(case: Any) -> None:
    """Take out of a case what is right, and yet cannot be waited for or checked."""
    query = case.query or {}
    wait = query.get("waitForFinish")
    if isinstance(wait, int | float) and wait > LONGEST_WAIT:
        query["waitForFinish"] = LONGEST_WAIT
    query.pop("bom", None)  # JSON that begins with one is what the client wants, and no JSON


def _text(error: BaseException) -> str:
    inner = getattr(error, "exceptions", ())
    return "; ".join(_text(each) for each in inner) or f"{type(error).__name__}: {error}"
