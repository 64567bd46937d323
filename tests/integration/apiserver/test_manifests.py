"""The rules of our kinds give the same sentences here as on the real server.

The manifests are those of the cluster level, which holds them against a real kube-apiserver.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.apiserver import ApiError, ApiServer
from tests.support.kinds import BASES, manifest

DATA = Path(__file__).parents[2] / "data" / "refused"

UNCHECKED = "correct the existing errors to complete validation"
"""End of the remark that rules were not looked at, which the data leave out."""


def _cases() -> list[Any]:
    return [
        pytest.param(plural, case, id=f"{plural} {case['it']}")
        for plural in BASES
        for case in yaml.safe_load((DATA / f"{plural}.yaml").read_text("utf-8"))
    ]


@pytest.mark.parametrize(("plural", "case"), _cases())
async def test_manifest(server: ApiServer, plural: str, case: dict[str, Any]) -> None:
    body = manifest(plural, case.get("spec"), name=case.get("name"))
    namespace = "" if plural in {"actoraccounts", "actortokens"} else "default"
    sentences: list[str] = []
    try:
        created = server.create(plural, body)
        if "patch" in case:
            server.patch(plural, namespace, created["metadata"]["name"], case["patch"])
    except ApiError as error:
        sentences = [
            f"{cause['field']}: {cause['message']}"
            for cause in (error.details or {}).get("causes", [])
            if not cause["message"].endswith(UNCHECKED)
        ]

    assert sorted(sentences) == sorted(case.get("expect", []))
