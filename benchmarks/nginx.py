"""The target of both: a local nginx that answers 200 bytes of JSON, plain and over TLS, from one core."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import trustme

from benchmarks.process import await_port, free_port, program, running, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BODY = (
    '{"status":"healthy","database":"connected","uptime":86400,"version":"1.42.0","region":"eu-central","queue":0,'
    '"workers":[{"id":1,"busy":false},{"id":2,"busy":true},{"id":3,"busy":false},{"id":4,"busy":true}]}'
)

CONFIG = """\
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off; default_type application/json; keepalive_timeout 0; ssl_session_cache off; ssl_session_tickets off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl;
        ssl_certificate {folder}/chain.pem; ssl_certificate_key {folder}/key.pem;
        location / {{ return 200 '{body}'; }}
    }}
}}
"""


class Target(NamedTuple):
    """What is probed: its addresses, the file with the authority that signed its certificate, nginx's version."""

    plain: str
    tls: str
    authority: Path
    version: str

    def address(self, scheme: str) -> str:
        """Return the address for `plain` or `tls`."""
        return self.tls if scheme == "tls" else self.plain


@contextmanager
def serving(folder: Path, core: int) -> Iterator[Target]:
    """Serve until the block ends."""
    nginx = program("nginx")
    plain, tls = free_port(), free_port()
    _certificate(folder)
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, plain=plain, tls=tls, body=BODY))
    log = folder / "nginx.log"
    command = [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with running(command, core, log) as process:
        await_port(plain, process, log)
        yield Target(
            f"http://127.0.0.1:{plain}/",
            f"https://127.0.0.1:{tls}/",
            folder / "authority.pem",
            version_of([nginx, "-v"]).removeprefix("nginx version: "),
        )


def _certificate(folder: Path) -> None:
    """Write an ECDSA P-256 certificate for localhost, its key, and the authority that signed it."""
    authority = trustme.CA()
    leaf = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    leaf.private_key_pem.write_to_path(str(folder / "key.pem"))
    for part in leaf.cert_chain_pems:
        part.write_to_path(str(folder / "chain.pem"), append=True)
