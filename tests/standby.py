"""A PostgreSQL server that follows another one, for tests."""

from __future__ import annotations

import shutil
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.acceptance.process import needed
from tests.postgres import PASSWORD, USER, Cluster, owned

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def standby_of(primary: Cluster) -> Iterator[Cluster]:
    """Run a copy of `primary` that follows it."""
    copier = primary.programs / "pg_basebackup"
    needed(str(copier) if copier.exists() else None, "pg_basebackup", "postgresql")
    folder = Path(tempfile.mkdtemp(prefix="standby-"))
    owned(folder)
    made = Cluster(primary.programs, folder, primary.port + 1)
    source = f"host=127.0.0.1 port={primary.port} user={USER} password={PASSWORD} application_name=follower"
    made._run(
        "pg_basebackup", "-D", str(made.data), "-d", source, "-R", "-X", "stream", "--checkpoint=fast", "--no-sync"
    )
    try:
        made.start()
        yield made
    finally:
        made.stop(signal.SIGQUIT)
        shutil.rmtree(folder)
