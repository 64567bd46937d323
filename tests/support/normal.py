"""What differs from one run to the next, taken out of what two ends are compared by."""

import json
import re
from typing import Any

from tests.support.history import Object

VARYING = (
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
    (r"-[a-z2-7]{4}-(\d+)", r"-UID-\1"),
    (r"\b[a-z0-9]{17}\b", "ID"),
    (r"\b[a-z2-7]{26}\b", "HOST"),
    (r"\bsimulated-\d+\b", "NODE"),
    (r"\bteam-\d+\b", "NAMESPACE"),
)
"""What differs, and what stands for it."""


def normal(value: Any, name: str = "") -> Any:
    """A value with signs in place of what varies, and of the run's name if that varies, too."""
    text = json.dumps(value, sort_keys=True)
    if name:
        text = text.replace(name, "NAME")
    for pattern, sign in VARYING:
        text = re.sub(pattern, sign, text)
    return json.loads(text)


def without_code(status: Object) -> Object:
    """The status of a run without the exit codes of attempts that were aborted.

    Of a pod that goes with its log only who looks at that moment sees the end.
    """
    lines = [_without(line) for line in status.get("attempts") or ()]
    return {**_without(status), "attempts": lines}


def _without(told: Object) -> Object:
    return {**told, "exitCode": None} if told.get("phase") == "ABORTED" else told
