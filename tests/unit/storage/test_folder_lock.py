"""The folder of the embedded database."""

from pathlib import Path

import pytest

from actor_operator.errors import ConfigurationError
from actor_operator.storage import folder_lock
from actor_operator.storage.folder_lock import FolderLock, file_system

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /data rw,relatime shared:5 master:1 - nfs4 server:/export rw,vers=4.2
31 30 8:2 / /data/local rw,relatime - xfs /dev/sdb rw
32 22 0:41 / /with\\040space rw - cifs //server/share rw
33 22 0:42 / /twice rw - nfs a:/ rw
34 22 8:3 / /twice rw - ext4 /dev/sdc rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib", "ext4"),
        ("/data", "nfs4"),
        ("/data/folder", "nfs4"),
        ("/database", "ext4"),
        ("/data/local/folder", "xfs"),
        ("/with space/folder", "cifs"),
        ("/twice", "ext4"),
    ],
)
def test_the_nearest_mount_says_which_file_system_it_is(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


def test_a_folder_on_a_network_file_system_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"30 22 0:40 / {tmp_path} rw - nfs server:/export rw\n")
    monkeypatch.setattr(folder_lock, "MOUNTS", mounts)

    with pytest.raises(ConfigurationError, match="is on nfs"):
        FolderLock(tmp_path / "folder")


def test_a_folder_is_for_one_until_it_is_released(tmp_path: Path) -> None:
    with FolderLock(tmp_path), pytest.raises(ConfigurationError, match="Another process"):
        FolderLock(tmp_path)

    FolderLock(tmp_path).release()


def test_a_folder_that_cannot_be_made_is_an_error_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigurationError, match="cannot be used"):
        FolderLock(tmp_path / "file" / "folder")
