"""Which file system a folder is on, and with which options it is mounted.

Ours, since `psutil.disk_partitions` leaves out most network file systems, and is no dependency of a client.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")

_LOCAL = "keeps locks on this host, so those of other hosts exclude nobody here"
_STALE = "lets this host read an old copy of what another host wrote"
_LOCKED = (_LOCAL, "without nolock and local_lock")
_NFS = {"local_lock=all": _LOCKED, "local_lock=flock": _LOCKED, "nocto": (_STALE, "without nocto")}
_FORGETFUL = (
    "remembers for a minute that a name was not there, so what another host has just published seems missing",
    "with lookupcache=positive",
)
_SMB = {"nobrl": (_LOCAL, "without nobrl"), "cache=loose": (_STALE, "with cache=strict")}
_HARMFUL = {"nfs": _NFS, "nfs4": _NFS, "cifs": _SMB, "smb3": _SMB}


@dataclass(frozen=True)
class Mount:
    """A mounted file system.

    Attributes:
        kind: its type, such as `ext4`, `nfs4` or `fuse.sshfs`.
        options: those of the mount and those of the file system, as the kernel shows them.
    """

    kind: str
    options: frozenset[str]


def mount_of(path: Path) -> Mount | None:
    """The mount that holds a path; None if the kernel does not say, as on macOS.

    Args:
        path: of a file or folder that exists.

    Source:
        proc_pid_mountinfo(5), https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
    """
    real = os.path.realpath(path)
    found = None
    try:
        lines = _TABLE.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    deepest = -1
    for line in lines:
        of_mount, _, of_system = line.partition(" - ")
        place, system = of_mount.split(" "), of_system.split(" ")
        if len(place) < 6 or len(system) < 3:
            continue
        point = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), place[4])
        if len(point) >= deepest and _is_below(real, point):  # the last one hides those beneath it
            deepest = len(point)
            found = Mount(system[0], frozenset(f"{place[5]},{system[2]}".split(",")))
    return found


def _is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def harmful_options(mount: Mount) -> dict[str, tuple[str, str]]:
    """The options of a network mount that take from Quartet what it relies on.

    Returns:
        For each option what it does, and how to mount instead.

    Source:
        nfs(5), https://man7.org/linux/man-pages/man5/nfs.5.html;
        mount.cifs(8), https://man7.org/linux/man-pages/man8/mount.cifs.8.html
    """
    known = _HARMFUL.get(mount.kind, {})
    found = {option: about for option, about in known.items() if option in mount.options}
    if known is _NFS and not mount.options & {"lookupcache=pos", "lookupcache=positive", "lookupcache=none"}:
        found["lookupcache=all"] = _FORGETFUL
    return found
