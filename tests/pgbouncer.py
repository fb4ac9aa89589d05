"""A PgBouncer in transaction mode before a PostgreSQL server, for tests."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.process import program
from tests.peers import free_port
from tests.postgres import as_nobody, owned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.postgres import Cluster

PATIENCE = 10.0


@contextmanager
def pgbouncer(cluster: Cluster, user: str, password: str, size: int) -> Iterator[int]:
    """Run one with `size` connections to each database, and give its port."""
    command = program("pgbouncer", "pgbouncer")
    folder, port = Path(tempfile.mkdtemp(prefix="pgbouncer-")), free_port()
    settings = folder / "pgbouncer.ini"
    users = folder / "users.txt"
    users.write_text(f'"{user}" "{password}"\n')
    settings.write_text(
        f"[databases]\n* = host=127.0.0.1 port={cluster.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {users}\n"
        f"pool_mode = transaction\ndefault_pool_size = {size}\n"
    )
    for path in (folder, settings, users):
        owned(path)
    with (Path(tempfile.gettempdir()) / f"{folder.name}.log").open("wb+") as log:
        Path(log.name).unlink()
        running = subprocess.Popen([command, str(settings)], stdout=log, stderr=log, cwd=folder, **as_nobody())
        try:
            _wait_for(port, running)
            yield port
        finally:
            running.kill()
            running.wait(PATIENCE)
            shutil.rmtree(folder)


def _wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    late = time.monotonic() + PATIENCE
    while running.poll() is None and time.monotonic() < late:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    pytest.fail("pgbouncer did not start")
