from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.model import Failure, Reason, State
from monitor.network import TlsContexts, read_certificate
from monitor.network.tls import KEPT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.peers import Authority


def der(authority: Authority, *names: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(authority.certificate(*names)[0].decode())


def test_a_context_is_made_once_for_each_setting(authority: Authority) -> None:
    contexts = TlsContexts()
    assert contexts.get() is contexts.get()
    different = [
        contexts.get(),
        contexts.get(verify=False),
        contexts.get(minimum=ssl.TLSVersion.TLSv1_3),
        contexts.get(ca_file=str(authority.path)),
    ]
    assert len({id(context) for context in different}) == len(different)


def test_verification_is_the_same_on_every_python() -> None:
    """Python 3.13's defaults are stricter: what is down must not depend on it."""
    context = TlsContexts().get()
    assert context.verify_flags == ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_X509_PARTIAL_CHAIN
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_minimum_holds_without_verification_too() -> None:
    context = TlsContexts().get(verify=False, minimum=ssl.TLSVersion.TLSv1_3)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize("content", [None, "", "no certificate"], ids=["missing", "empty", "garbage"])
def test_a_ca_file_that_cannot_be_used_is_our_own_fault_and_read_again(
    authority: Authority, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    contexts = TlsContexts()
    with pytest.raises(Failure, match=r"ca\.pem") as raised:
        contexts.get(ca_file=str(path))
    assert (raised.value.reason, raised.value.state) == (Reason.UNKNOWN, State.UNKNOWN)
    path.write_bytes(authority.path.read_bytes())
    assert contexts.get(ca_file=str(path)).cert_store_stats()["x509_ca"] > 0


def test_what_matters_of_a_certificate(authority: Authority) -> None:
    certificate = read_certificate(der(authority, "a.test", "b.test", "192.0.2.1"))
    assert certificate
    assert certificate.names == ("a.test", "b.test", "192.0.2.1")
    assert certificate.issuer == "CN=Test Authority"
    assert certificate.subject == "CN=a.test"
    assert abs(certificate.expires - datetime.now(UTC) - timedelta(days=60)) < timedelta(hours=1)


def test_a_certificate_without_alternative_names_has_none(authority: Authority) -> None:
    certificate = read_certificate(ssl.PEM_cert_to_DER_cert(authority.path.read_text()))
    assert certificate
    assert certificate.names == ()


@pytest.mark.parametrize("der", [None, b"", b"\x30\x82", b"\xff" * 500])
def test_what_is_no_certificate_is_none(der: bytes | None) -> None:
    assert read_certificate(der) is None


def test_a_certificate_seen_before_is_not_parsed_again(authority: Authority) -> None:
    contexts, shown = TlsContexts(), der(authority, "a.test")
    assert contexts.certificate(shown) == read_certificate(shown)
    assert contexts.certificate(shown) is contexts.certificate(bytes(shown))
    assert contexts.certificate(None) is None
    assert contexts.certificate(b"garbage") is None


def test_as_many_certificates_are_remembered_as_fit_and_no_more() -> None:
    contexts = TlsContexts()
    for number in range(KEPT + 10):
        contexts.certificate(str(number).encode())
    assert len(contexts._certificates) == KEPT
