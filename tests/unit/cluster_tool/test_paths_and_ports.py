"""Folders and ports of clusters."""

import socket
from pathlib import Path

import pytest
from tests.cluster_tool import paths, ports
from tests.cluster_tool.errors import ClusterToolError


def test_the_cache_is_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACTOR_OPERATOR_CACHE", str(tmp_path / "own"))
    assert paths.cache_dir() == tmp_path / "own"
    assert paths.cache_dir().is_dir()
    monkeypatch.delenv("ACTOR_OPERATOR_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert paths.cache_dir() == tmp_path / "actor-operator"


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a/b", "..", "a" * 33])
def test_a_name_that_would_not_do_as_a_folder_and_host_name_is_refused(name: str) -> None:
    with pytest.raises(ClusterToolError, match="use 1 to 32 of a-z"):
        paths.state_dir(name)


def test_each_cluster_has_its_own_state_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ACTOR_OPERATOR_STATE", str(tmp_path))
    assert paths.state_dir("one") == tmp_path / "one"
    assert not (tmp_path / "one").exists()


def test_a_taken_port_is_seen_and_another_one_is_chosen() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.preferred_or_free(port) != port
    assert ports.preferred_or_free(port) == port


def test_free_ports_are_different_and_not_in_the_kernels_range() -> None:
    found = ports.free_ports(20)
    assert len(set(found)) == 20
    assert max(found) < 32768
