"""Judges after each test what was committed since the last one, by all invariants."""

import pytest
from tests.support.invariants import violations
from tests.support.recorder import Recorder

MARKER = "breaks"
"""Marker of a test that breaks an invariant on purpose: its number, and why."""


class Judge:
    """Knows what was judged before, so that each violation is told of one test only.

    Parameters
    ----------
    recorder
        What it judges from now on.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._judged = len(recorder)
        """How many revisions."""
        self._told: set[str] = set()

    def judge(self, test: pytest.Item) -> None:
        """Check everything that has changed.

        Raises
        ------
        AssertionError
            An invariant is broken that the test does not excuse.
        """
        since, self._judged = self._judged, len(self._recorder)
        found = []
        for namespace in sorted(self._recorder.namespaces(since)):
            self._recorder.settle(namespace)
            found += violations(self._recorder.history(namespace))
        news = [text for text in found if text not in self._told]
        self._told.update(news)
        excused = {marker.args[0] for marker in test.iter_markers(MARKER)}
        broken = [text for text in news if text.partition(" ")[0] not in excused]
        look = f"python -m tests.support.recheck {self._recorder.path}"
        assert not broken, "\n".join(("What was committed breaks invariants:", *broken, look))
