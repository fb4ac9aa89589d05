"""Whether what is written to a folder will still be there after a new deploy."""

from __future__ import annotations

import re
from pathlib import Path

MOUNTINFO = Path("/proc/self/mountinfo")
PASSING = {"overlay", "aufs", "rootfs", "tmpfs", "ramfs"}
"""File systems of a container's own image, or of memory."""

_ESCAPE = re.compile(r"\\([0-7]{3})")


def lasts(folder: Path, mountinfo: Path = MOUNTINFO) -> bool:
    """Return whether `folder`, which need not exist yet, lies on a disk that was mounted into the container.

    `mountinfo` is written as proc(5) says. Raises OSError when it cannot be read.
    """
    wanted = folder.resolve()
    point, system = Path("/"), "rootfs"
    for line in mountinfo.read_text("utf-8", "surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        mounted = Path(_ESCAPE.sub(lambda found: chr(int(found[1], 8)), before.split()[4]))
        # A later mount at the same point hides an earlier one.
        if wanted.is_relative_to(mounted) and len(mounted.parts) >= len(point.parts):
            point, system = mounted, after.split()[0]
    return point != Path("/") and system not in PASSING
