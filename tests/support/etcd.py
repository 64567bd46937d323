"""What clients of the API server cannot do to etcd: fill it, and make room again."""

import base64
import json
import urllib.request
from typing import Any

LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))

NO_SPACE = "NOSPACE"
"""The alarm of an etcd that is full."""


class Etcd:
    """The HTTP gateway of an etcd.

    Parameters
    ----------
    url
        Its address.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def is_full(self) -> bool:
        """Whether it takes nothing any more."""
        alarms = self._call("maintenance/alarm", {"action": "GET"}).get("alarms", [])
        return any(alarm.get("alarm") == NO_SPACE for alarm in alarms)

    def compact(self) -> None:
        """Forget all history."""
        revision = self._call("maintenance/status", {})["header"]["revision"]
        self._call("kv/compaction", {"revision": revision, "physical": True})

    def make_room(self, prefix: str) -> None:
        """Delete what begins with a prefix, give its space back, and end the alarm."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        keys = {"key": encoded(prefix), "range_end": encoded(end)}
        self._call("kv/deleterange", keys)
        self.compact()
        self._call("maintenance/defragment", {})
        member = self._call("maintenance/status", {})["header"]["member_id"]
        self._call(
            "maintenance/alarm", {"action": "DEACTIVATE", "memberID": member, "alarm": NO_SPACE}
        )

    def _call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        text, kind = json.dumps(body).encode(), {"Content-Type": "application/json"}
        url = f"{self._url}/v3/{path}"
        request = urllib.request.Request(url, text, kind)  # noqa: S310 -- etcd's own address
        with LOCAL.open(request, timeout=30) as answer:
            return dict(json.load(answer))


def encoded(text: str) -> str:
    """A key as the gateway takes it."""
    return base64.b64encode(text.encode()).decode()
