"""Whether a TLS peer shows a certificate that clients will accept, and for how much longer."""

from __future__ import annotations

import ssl
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from monitor.model import Failure, Reason
from monitor.network import (
    Family,
    certificate_of,
    connect,
    conversation,
    failure_of,
    peer_certificate,
    peer_text,
    shown_certificate,
)
from monitor.probes.base import Check, MeasureSpec, Run, ThresholdFields
from monitor.probes.pattern import Pattern
from monitor.units import Unit

if TYPE_CHECKING:
    import socket

    from monitor.network import Certificate

MINIMUM = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
SECOND_LOOK = timedelta(seconds=2)
RENEW = (
    "Renew the certificate, and find out why it was not renewed by itself: has the renewal failed, does the name still "
    "point here, may the authority still issue for it (CAA)?"
)


class TlsCheck(Check):
    """Shakes hands over TLS, verifies the peer's certificate and notes when it expires: also when it is not valid."""

    kind: str = "tls"
    host_: str = Field(alias="host", min_length=1)
    """The name or address to connect to."""
    port: int = Field(default=443, ge=1, le=65_535)
    """The port to connect to."""
    family: Family = "any"
    """Connect over IPv4 or IPv6 only."""
    server_name: str = ""
    """The name that is asked for and that the certificate must hold; default: `host`."""
    minimum: Literal["1.2", "1.3"] = "1.2"
    """The oldest version of TLS that will do."""
    ca_file: str = ""
    """A file of certificates to trust besides the system's."""
    issuer: Pattern | None = None
    """Who must have issued the certificate, as `CN=R11,O=Let's Encrypt,C=US`: a part of it, or `/an expression/`."""

    measures: ClassVar = (
        MeasureSpec("duration", Unit.SECONDS, "the whole run, if it succeeded"),
        MeasureSpec("phase", Unit.SECONDS, "each part of a run: dns, connect, tls", ("phase",)),
        MeasureSpec(
            "expiry",
            Unit.TIMESTAMP,
            "when the peer's certificate expires, valid or not",
            metric="monitor_tls_expiry_timestamp_seconds",
        ),
        MeasureSpec("version", Unit.NUMBER, "the version of TLS agreed on: 1.2 or 1.3"),
    )
    reasons: ClassVar = frozenset(
        {
            Reason.TIMEOUT,
            Reason.DNS,
            Reason.REFUSED,
            Reason.RESET,
            Reason.UNREACHABLE,
            Reason.TLS_INVALID,
            Reason.TLS_EXPIRED,
            Reason.PROTOCOL,
            Reason.UNKNOWN,
        }
    )

    @property
    def host(self) -> str:
        """Return the host that is connected to."""
        return self.host_

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the threshold on the certificate's remaining time."""
        return (ThresholdFields(watch="expiry", name="certificate", warning="< 21d", critical="< 7d", remedy=RENEW),)

    @property
    def subject(self) -> str:
        """Return whose certificate it is."""
        return certificate_of(self.host, self.port, self._name, self.family)

    async def probe(self, run: Run) -> None:
        """Connect and shake hands; a certificate that is refused is fetched by a second, unverified handshake."""
        started = perf_counter()
        context = run.resources.tls.get(minimum=MINIMUM[self.minimum], ca_file=self.ca_file)
        resolver = run.resources.resolver
        connected, address = await connect(resolver, self.host, self.port, run.timeout, run.note, self.family)
        try:
            await self._shake_hands(run, connected, context)
        except ssl.SSLCertVerificationError as error:
            left = run.timeout - timedelta(seconds=perf_counter() - started)
            within = min(SECOND_LOOK, left / 2)
            _note_expiry(run, await peer_certificate(address, self.port, self._name, run.resources.tls, within))
            raise failure_of(error, self._peer) from None
        except (OSError, EOFError) as error:
            raise failure_of(error, self._peer) from None
        run.note("duration", perf_counter() - started)

    async def _shake_hands(self, run: Run, connected: socket.socket, context: ssl.SSLContext) -> None:
        started = perf_counter()
        async with conversation(connected, context, self._name) as (_, writer):
            run.note("phase", perf_counter() - started, phase="tls")
            run.note("version", float(writer.get_extra_info("ssl_object").version().removeprefix("TLSv")))
            certificate = shown_certificate(writer.transport)
        _note_expiry(run, certificate)
        self._judge_issuer(certificate.issuer if certificate else "")

    def _judge_issuer(self, issuer: str) -> None:
        if self.issuer and not self.issuer.within(issuer):
            raise Failure(Reason.TLS_INVALID, f"expected a certificate issued by {self.issuer}, got one by {issuer}")

    @property
    def _name(self) -> str:
        return (self.server_name or self.host).rstrip(".")

    @property
    def _peer(self) -> str:
        return peer_text(self.host, self.port)


def _note_expiry(run: Run, certificate: Certificate | None) -> None:
    if certificate:
        run.note("expiry", certificate.expires.timestamp())
