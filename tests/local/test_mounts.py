"""Which mount holds a folder, read from tables as the kernel wrote them."""

from pathlib import Path

import pytest

from jobs.local import mounts
from jobs.local.mounts import Mount, harmful_options, mount_of

TABLE = r"""22 1 0:20 / / rw,relatime - overlay over rw,lowerdir=/host,upperdir=/rw/up,workdir=/rw/wk
40 22 7:0 / /srv/export rw,relatime - ext4 /dev/loop0 rw
44 22 0:38 / /mnt/a\040b rw,relatime - nfs4 127.0.0.1:/ rw,vers=4.2,hard,lookupcache=pos,local_lock=none,addr=127.0.0.1
45 22 0:39 / /mnt/n rw,relatime - nfs 127.0.0.1:/srv/export rw,vers=3,hard,nolock,local_lock=all,addr=127.0.0.1
46 45 0:40 / /mnt/n/sub rw,relatime shared:3 - nfs4 127.0.0.1:/ rw,vers=4.2,nocto,local_lock=none
47 22 7:1 / /mnt/fat rw,relatime - vfat /dev/loop1 rw,fmask=0022
48 22 7:2 / /mnt/fat rw,relatime - ext4 /dev/loop2 rw
a line that no kernel wrote
"""


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mountinfo").write_text(TABLE)
    monkeypatch.setattr(mounts, "_TABLE", tmp_path / "mountinfo")


@pytest.mark.parametrize(
    ("path", "kind", "harmful"),
    [
        ("/home/somebody", "overlay", []),
        ("/mnt/a b/results", "nfs4", []),
        ("/mnt/a bc", "overlay", []),
        ("/mnt/n", "nfs", ["local_lock=all", "lookupcache=all"]),
        ("/mnt/n/sub/results", "nfs4", ["nocto", "lookupcache=all"]),
        ("/mnt/fat/results", "ext4", []),
    ],
)
def test_the_deepest_and_last_mount_holds_a_path(path: str, kind: str, harmful: list[str]) -> None:
    mount = mount_of(Path(path))
    assert mount is not None
    assert (mount.kind, list(harmful_options(mount))) == (kind, harmful)


def test_options_count_only_for_the_file_system_that_gives_them_a_meaning() -> None:
    options = frozenset({"rw", "nobrl", "cache=loose", "nocto"})
    assert list(harmful_options(Mount("cifs", options))) == ["nobrl", "cache=loose"]
    assert harmful_options(Mount("ext4", options)) == {}


def test_a_system_without_such_a_table_says_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mounts, "_TABLE", tmp_path / "missing")
    assert mount_of(tmp_path) is None
