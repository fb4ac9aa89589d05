"""Certificates of the demo's world, made at its start and signed by an authority that lives no longer than it."""

from __future__ import annotations

import ssl
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

FRESH, EXPIRING = timedelta(days=80), timedelta(days=5)
WHOLE = 0o600


class Authority:
    """Signs certificates for one name."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Demo authority")])
        own = self._draft(self._name, self._key, FRESH)
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        usage = x509.KeyUsage(
            key_cert_sign=True,
            crl_sign=True,
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        self._own = own.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())

    @property
    def pem(self) -> bytes:
        """Return its own certificate."""
        return self._own.public_bytes(serialization.Encoding.PEM)

    def context(self, name: str, valid: timedelta, folder: Path) -> ssl.SSLContext:
        """Return a server's context with a certificate for `name`; its key stands in `folder` for that moment only."""
        key = ec.generate_private_key(ec.SECP256R1())
        draft = self._draft(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, valid)
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        signed = draft.add_extension(names, critical=False).add_extension(issuer, critical=False)
        certificate = signed.sign(self._key, hashes.SHA256())
        file = folder / "key-and-certificate.pem"
        file.touch(WHOLE)
        file.write_bytes(_pem(key) + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        file.unlink()
        return context

    def _draft(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, valid: timedelta) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - timedelta(days=1))
            .not_valid_after(self._now + valid)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )


def changing(usual: ssl.SSLContext, other: ssl.SSLContext, shows_other: Callable[[], bool]) -> ssl.SSLContext:
    """Return `usual`, which shows each new peer the certificate of `other` while `shows_other` says so."""

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
        if shows_other():
            connection.context = other

    usual.sni_callback = choose
    return usual


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    pem, kind, bare = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(pem, kind, bare)
