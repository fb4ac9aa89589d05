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
    from collections.abc import Iterator, Mapping

    from tests.postgres import Cluster

PATIENCE = 10.0
TRIES = 5


@contextmanager
def pgbouncer(
    cluster: Cluster,
    user: str,
    password: str,
    size: int,
    others: Mapping[str, str] | None = None,
    tls: tuple[bytes, bytes] | None = None,
    **settings: object,
) -> Iterator[int]:
    """Run one with `size` connections to each database, and give its port.

    `others` are more users with their passwords. With `tls`, a certificate and its key, clients must speak TLS.
    `settings` go into the file as they are.
    """
    command = program("pgbouncer", "pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
    users = folder / "users.txt"
    users.write_text("".join(f'"{name}" "{secret}"\n' for name, secret in {user: password, **(others or {})}.items()))
    if tls:
        shown, key = folder / "shown.pem", folder / "key.pem"
        shown.write_bytes(tls[0])
        key.write_bytes(tls[1])
        settings |= {"client_tls_sslmode": "require", "client_tls_cert_file": shown, "client_tls_key_file": key}
    text = (
        f"[databases]\n* = host=127.0.0.1 port={cluster.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {users}\n"
        f"pool_mode = transaction\ndefault_pool_size = {size}\n"
        + "".join(f"{name} = {value}\n" for name, value in settings.items())
    )
    try:
        port, running = _started(command, folder, text)
        try:
            yield port
        finally:
            running.kill()
            running.wait(PATIENCE)
    finally:
        shutil.rmtree(folder)


def _started(command: str, folder: Path, text: str) -> tuple[int, subprocess.Popen[bytes]]:
    """Return the port on which it listens, and its process; a port that somebody else takes meanwhile is given up."""
    for _ in range(TRIES):
        port, file = free_port(), folder / "pgbouncer.ini"
        file.write_text(f"{text}listen_port = {port}\n")
        for path in (folder, *folder.iterdir()):
            owned(path)
        with tempfile.TemporaryFile() as log:
            running = subprocess.Popen([command, str(file)], stdout=log, stderr=log, cwd=folder, **as_nobody())
        if _listens(port, running):
            return port, running
        running.kill()
        running.wait(PATIENCE)
    pytest.fail("pgbouncer did not start")


def _listens(port: int, running: subprocess.Popen[bytes]) -> bool:
    late = time.monotonic() + PATIENCE
    while running.poll() is None and time.monotonic() < late:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return running.poll() is None
        time.sleep(0.02)
    return False
