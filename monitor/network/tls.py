"""TLS contexts, and what matters of a certificate."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509

from monitor.model import Failure, Reason, State

if TYPE_CHECKING:
    from datetime import datetime


KEPT = 1_000
"""How many certificates are remembered."""


class TlsContexts:
    """One SSL context per distinct setting, made on first use and kept: making one takes 34 ms."""

    def __init__(self) -> None:
        self._contexts: dict[tuple[bool, ssl.TLSVersion, str, bool], ssl.SSLContext] = {}
        self._certificates: dict[bytes, Certificate | None] = {}

    def get(
        self,
        *,
        verify: bool = True,
        minimum: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
        ca_file: str = "",
        names: bool = True,
    ) -> ssl.SSLContext:
        """Return the shared client context for these settings; `ca_file` adds to the system's trust store.

        Without `names` a certificate that is trusted may be of any host.
        Raises `Failure` (unknown) when `ca_file` cannot be read.
        """
        key = (verify, minimum, ca_file, names)
        if key not in self._contexts:
            self._contexts[key] = _verifying(minimum, ca_file, names=names) if verify else _trusting(minimum)
        return self._contexts[key]

    def certificate(self, der: bytes | None) -> Certificate | None:
        """Return what `read_certificate` does, which costs as much as half a handshake, once for each certificate."""
        if der is None:
            return None
        if der not in self._certificates:
            if len(self._certificates) >= KEPT:
                del self._certificates[next(iter(self._certificates))]
            self._certificates[der] = read_certificate(der)
        return self._certificates[der]


def certificate_of(host: str, port: int, name: str, family: str) -> str:
    """Return a text that is the same exactly where the same certificate is to be expected."""
    return f"{host.rstrip('.').lower()}:{port} {name.rstrip('.').lower()} {family}"


def _verifying(minimum: ssl.TLSVersion, ca_file: str, *, names: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = names
    context.minimum_version = minimum
    # Python 3.13 makes VERIFY_X509_STRICT a default, which refuses chains that browsers and curl accept (a private CA
    # without key identifiers). What is down must not depend on our Python, so the flags are those of curl.
    context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_default_certs()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:
            detail = f"the ca_file {ca_file} cannot be used: {error.strerror or error}"
            raise Failure(Reason.UNKNOWN, detail, State.UNKNOWN) from None
    return context


def _trusting(minimum: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = minimum
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True)
class Certificate:
    """What matters of a peer's certificate. `issuer` and `subject` are written as `CN=R11,O=Let's Encrypt,C=US`."""

    expires: datetime
    issuer: str
    subject: str
    names: tuple[str, ...]


def read_certificate(der: bytes | None) -> Certificate | None:
    """Return what matters of a certificate in DER form; None if there is none or it cannot be read."""
    if der is None:
        return None
    try:
        parsed = x509.load_der_x509_certificate(der)
        issuer, subject = parsed.issuer.rfc4514_string(), parsed.subject.rfc4514_string()
        return Certificate(parsed.not_valid_after_utc, issuer, subject, _names(parsed))
    except ValueError:
        return None


def _names(parsed: x509.Certificate) -> tuple[str, ...]:
    try:
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return (*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress)))
