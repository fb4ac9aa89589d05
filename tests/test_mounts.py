from pathlib import Path

import pytest

from monitor.mounts import MOUNTINFO, lasts

MOUNTS = r"""1 0 0:1 / / rw,relatime - overlay overlay rw
2 1 8:1 / /var/data rw shared:1 master:2 - ext4 /dev/sda1 rw
3 2 0:2 / /var/data/cache rw - tmpfs tmpfs rw
4 1 8:2 / /my\040disk rw - xfs /dev/sdb1 rw
5 1 8:3 / /twice rw - ext4 /dev/sdc1 rw
6 5 0:3 / /twice rw - tmpfs tmpfs rw
7 1 0:4 / /memory rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("folder", "kept"),
    [
        ("/var/data", True),
        ("/var/data/monitor/not/there/yet", True),
        ("/var/database", False),
        ("/var/data/cache", False),
        ("/my disk/monitor", True),
        ("/twice", False),
        ("/memory/monitor", False),
        ("/opt/monitor", False),
        ("/", False),
    ],
)
def test_only_what_lies_on_a_mounted_disk_lasts(tmp_path: Path, folder: str, *, kept: bool) -> None:
    """Neither the image's own file system nor memory does, and the mount that hides another counts."""
    (tmp_path / "mountinfo").write_text(MOUNTS)
    assert lasts(Path(folder), tmp_path / "mountinfo") is kept


def test_a_disk_at_the_root_is_the_machines_own(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n")
    assert not lasts(Path("/data"), tmp_path / "mountinfo")


def test_without_any_mount_nothing_lasts(tmp_path: Path) -> None:
    (tmp_path / "mountinfo").write_text("")
    assert not lasts(tmp_path, tmp_path / "mountinfo")


@pytest.mark.skipif(not MOUNTINFO.exists(), reason="not Linux")
def test_this_machines_own_mounts_are_read() -> None:
    assert not lasts(Path("/proc/../"))
