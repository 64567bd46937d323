"""A real Prometheus that scrapes operators; it listens on 127.0.0.1 only."""

import json
import math
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml
from tests.cluster_tool.child import Child
from tests.cluster_tool.debian_programs import ensure_prometheus
from tests.cluster_tool.ports import free_ports

LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Asks the server, past any proxy."""

SCRAPE_SECONDS = 1
"""How often targets are scraped and rules are evaluated."""

START_SECONDS = 30.0
"""How long the server may take to start."""


class Prometheus:
    """One server, from entering to leaving the context.

    Parameters
    ----------
    folder
        Where its files go.
    targets
        ``host:port`` of each.
    labels
        Labels of every target.
    groups
        Groups of rules.
    """

    def __init__(
        self,
        folder: Path,
        *,
        targets: Sequence[str],
        labels: Mapping[str, str],
        groups: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.rules_file = folder / "rules.yaml"
        """The rules, as promtool checks them."""
        self.rules_file.write_text(yaml.safe_dump({"groups": list(groups)}))
        config = {
            "global": {
                "scrape_interval": f"{SCRAPE_SECONDS}s",
                "evaluation_interval": f"{SCRAPE_SECONDS}s",
            },
            "rule_files": [str(self.rules_file)],
            "scrape_configs": [
                {
                    "job_name": "operator",
                    "static_configs": [{"targets": list(targets), "labels": dict(labels)}],
                }
            ],
        }
        self._config = folder / "prometheus.yaml"
        self._config.write_text(yaml.safe_dump(config))
        self._folder = folder
        self._url = ""
        self._child: Child | None = None

    def __enter__(self) -> Self:
        (port,) = free_ports(1)
        self._url = f"http://127.0.0.1:{port}"
        self._child = Child(
            "prometheus",
            [
                str(ensure_prometheus() / "prometheus"),
                f"--config.file={self._config}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            self._folder / "prometheus.log",
        )
        self._wait_ready(self._child)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._child is not None:
            self._child.kill()

    def query(self, expr: str) -> list[dict[str, Any]]:
        """What an expression gives now.

        Raises
        ------
        AssertionError
            Prometheus cannot evaluate it.
        """
        found: list[dict[str, Any]] = self._ask("query", query=expr)["result"]
        return found

    def values(self, expr: str, *, since: float) -> list[float]:
        """Every number that an expression gave at any scrape since a moment, all series together.

        Raises
        ------
        AssertionError
            Prometheus cannot evaluate it.
        """
        span = {"start": f"{since:.3f}", "end": f"{time.time():.3f}", "step": f"{SCRAPE_SECONDS}s"}
        series = self._ask("query_range", query=expr, **span)["result"]
        numbers = [float(value) for one in series for _, value in one["values"]]
        return [number for number in numbers if math.isfinite(number)]

    def rules(self) -> list[dict[str, Any]]:
        """Every rule with its health."""
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def _ask(self, path: str, **parameters: str) -> Any:
        url = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with LOCAL.open(url, timeout=30) as answer:
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error

    def _wait_ready(self, child: Child) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            child.check()
            try:
                with LOCAL.open(f"{self._url}/-/ready", timeout=5):
                    return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"Prometheus does not start. {child.log_tail()}") from error
            time.sleep(0.2)
