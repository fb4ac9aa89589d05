"""Names, addresses, TLS: what probes and channels stand on, with every error turned into a `Failure` at one place."""

from monitor.network.connect import (
    Note,
    connect,
    conversation,
    failure_of,
    hang_up,
    peer_certificate,
    peer_text,
    shown_certificate,
)
from monitor.network.names import Family, RecordType, Resolver
from monitor.network.tls import Certificate, TlsContexts, certificate_of, read_certificate

__all__ = [
    "Certificate",
    "Family",
    "Note",
    "RecordType",
    "Resolver",
    "TlsContexts",
    "certificate_of",
    "connect",
    "conversation",
    "failure_of",
    "hang_up",
    "peer_certificate",
    "peer_text",
    "read_certificate",
    "shown_certificate",
]
