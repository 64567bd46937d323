"""What is known on disk about a running cluster."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.cluster_tool.errors import ClusterToolError

_FILE = "cluster.json"


@dataclass(frozen=True)
class ClusterState:
    """How a cluster was started; written when its start begins."""

    provider: str
    nodes: int
    simulated_nodes: int
    api_port: int
    http_port: int
    ready: bool = False
    """Whether its start came to its end."""

    def save(self, folder: Path) -> None:
        """Write it into the cluster's state folder."""
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f"{_FILE}.partial"
        temporary.write_text(json.dumps(asdict(self)))
        temporary.rename(folder / _FILE)


def load(folder: Path) -> ClusterState | None:
    """The state of a cluster, or None when there is none.

    Raises
    ------
    ClusterToolError
        The file was written by another version of the tool.
    """
    try:
        return ClusterState(**json.loads((folder / _FILE).read_text()))
    except FileNotFoundError:
        return None
    except (TypeError, ValueError) as error:
        raise ClusterToolError(
            f"{folder / _FILE} cannot be read ({error}). Run `down`, then `up`."
        ) from error
