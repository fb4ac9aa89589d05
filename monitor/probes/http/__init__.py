"""Whether an address answers over HTTP, how fast, and whether the answer is the expected one."""

from __future__ import annotations

import json
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, StrictBool, StrictInt, model_validator
from yarl import URL

from monitor.answer import shown
from monitor.expect import Document, Expect, excerpt, judge
from monitor.expect.status import within
from monitor.fetch import Exchange, Options, Request, header_fault
from monitor.fields import MeasureName
from monitor.model import Failure, Reason
from monitor.network import Family, certificate_of
from monitor.probes.base import Check, MeasureSpec, Run, ThresholdFields
from monitor.probes.http.fields import Auth, Cors, Headers, Method, Number, TlsFields, address
from monitor.secrets import Secret
from monitor.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.answer import Answer

REDIRECTS = 10
PROOFS = {"values", "cors", "location", "content_type", "headers", "body", "json_"}
"""What tells the right answer from any other; a status and a duration do not."""
RENEW = (
    "Renew the certificate, and find out why it was not renewed by itself: has the renewal failed, does the name still "
    "point here, may the authority still issue for it (CAA)?"
)


class HttpCheck(Check):
    """Asks an address over HTTP on a fresh connection, and holds the answer against what is expected of it.

    Without `expect`, any 2xx will do, after redirects. A redirect never leads from a public address to a private one,
    and one to another origin carries none of the headers, the authentication or the body given here.
    """

    kind: str = "http"
    url: Annotated[str, AfterValidator(address)]
    """The address, http or https; a password belongs under `auth`."""
    method: Method = "GET"
    """Default: GET, with a body POST, with `cors` OPTIONS."""
    headers: Headers = Field(default={}, repr=False)
    """Headers to send; they come instead of ours of the same name.

    No message holds the value of one whose name tells of a credential (`Authorization`, `Cookie`, `X-Api-Key` …), or
    that is a `${VARIABLE}`.
    """
    body: Secret | None = None
    """A text to send."""
    json_: Annotated[Any, Field(alias="json")] = None
    """A value to send as JSON."""
    auth: Auth | None = None
    """Who we are."""
    redirects: StrictBool | Annotated[StrictInt, Field(ge=1, le=20)] | None = None
    """Whether redirects are followed, or how many; default: up to 10, none with `cors` or an expected `location`."""
    expect: Expect = Expect()
    """What the answer must be like."""
    values: dict[MeasureName, Number] = Field(default={})
    """Numbers in the JSON that become measures: a name, and the path to it. One that is missing is a failure."""
    cors: Cors | None = None
    """Send a CORS preflight, and expect it to be allowed or refused."""
    family: Family = "any"
    """Connect over IPv4 or IPv6 only."""
    tls: TlsFields = TlsFields()
    """How TLS is spoken."""

    measures: ClassVar = (
        MeasureSpec("duration", Unit.SECONDS, "the whole exchange, if an answer came to its end"),
        MeasureSpec(
            "phase",
            Unit.SECONDS,
            "each part of an exchange, over all redirects: dns, connect, tls, processing, transfer",
            ("phase",),
        ),
        MeasureSpec("status", Unit.NUMBER, "the status code"),
        MeasureSpec("body_size", Unit.BYTES, "what was read of the body, decompressed; at most 1 MiB"),
        MeasureSpec("redirects", Unit.NUMBER, "how many redirects were followed"),
        MeasureSpec(
            "expiry",
            Unit.TIMESTAMP,
            "when the certificate expires, valid or not; over redirects the first to expire",
            metric="monitor_tls_expiry_timestamp_seconds",
        ),
        MeasureSpec("certificate", Unit.NUMBER, "1, with who issued that certificate", ("issuer",)),
    )
    reasons: ClassVar = frozenset(Reason) - {Reason.SATURATED, Reason.STARTING, Reason.MISSING}

    @model_validator(mode="before")
    @classmethod
    def _choose_method(cls, data: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if not isinstance(data, dict) or "method" in data:
            return data
        sends = data.get("body") is not None or data.get("json") is not None
        return {**data, "method": "OPTIONS" if data.get("cors") else "POST"} if sends or data.get("cors") else data

    @model_validator(mode="after")
    def _agree(self) -> HttpCheck:
        if self.body and self.json_ is not None:
            raise ValueError("give one of body and json")
        if self.cors and (self.method != "OPTIONS" or self.body or self.json_ is not None):
            raise ValueError("cors sends an OPTIONS of its own: without another method, and without a body")
        if self.expect.location and self.redirects:
            raise ValueError("a location can only be expected where redirects are not followed")
        names = [name.lower() for name, _ in self._headers]
        for name, value in self._headers:
            if fault := header_fault(name, value.reveal()):
                raise ValueError(fault)
            if names.count(name.lower()) > 1:
                raise ValueError(f"the header {name} is given twice")
        return self

    @property
    def host(self) -> str:
        """Return the host that is asked first."""
        return URL(self.url).raw_host or ""

    def declared(self) -> tuple[MeasureSpec, ...]:
        """Return the measures of the kind and those under `values`."""
        own = (
            MeasureSpec(name, number.base, f"what {number.path} finds in the answer")
            for name, number in self.values.items()
        )
        return (*self.measures, *own)

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the threshold on the certificate's remaining time, for https."""
        if URL(self.url).scheme != "https":
            return ()
        return (ThresholdFields(watch="expiry", name="certificate", warning="< 21d", critical="< 7d", remedy=RENEW),)

    def doubts(self) -> Iterator[str]:
        """Yield that an error page would do."""
        proven = (self.model_fields_set | self.expect.model_fields_set) & PROOFS
        if not proven and (self.expect.status is None or within(HTTPStatus.OK, self.expect.status)):
            yield "any page that answers 200 satisfies it, an error page too: expect something of its body or headers"

    @property
    def subject(self) -> str:
        """Return whose certificate it is."""
        url = URL(self.url)
        return certificate_of(self.host, url.port or 0, self.tls.server_name or self.host, self.family)

    async def probe(self, run: Run) -> None:
        """Make the exchange; what was measured is noted however it ends."""
        exchange = Exchange(self._request, run.resources.resolver, run.resources.tls, self._options)
        try:
            answer = await exchange.run()
        finally:
            _note_exchange(run, exchange)
        _note_answer(run, answer)
        document = Document(answer, run.resources.redact)
        lacking = self._note_values(run, document)
        try:
            judge(self._expected, document)
        except Failure as failure:
            raise Failure(failure.reason, f"{failure.detail}{_after_redirects(answer)}") from None
        if lacking:
            raise lacking

    def _note_values(self, run: Run, document: Document) -> Failure | None:
        """Note the values there are, and return what is wrong with the first of the others."""
        lacking = None
        for name, number in self.values.items():
            try:
                found = document.find(number.path)
                value = number.measure(found)
            except Failure as failure:
                lacking = lacking or failure
                continue
            if value is None:
                text = f"expected a number at {number.path}, got {excerpt(found, document.redact)}"
                lacking = lacking or Failure(Reason.BODY, text)
            else:
                run.note(name, value)
        return lacking

    @cached_property
    def _request(self) -> Request:
        body = self.body.reveal() if self.body else "" if self.json_ is None else json.dumps(self.json_)
        return Request(URL(self.url), self.method, self._headers, body.encode())

    @cached_property
    def _options(self) -> Options:
        following = self.redirects if self.redirects is not None else not (self.expect.location or self.cors)
        return Options(
            redirects=REDIRECTS if following is True else int(following),
            family=self.family,
            within=self.timeout,
            verify=self.tls.verify,
            minimum=self.tls.oldest,
            ca_file=self.tls.ca_file,
            server_name=self.tls.server_name,
        )

    @cached_property
    def _expected(self) -> Expect:
        if not self.cors:
            return self.expect
        status = self.expect.status or ("2xx" if self.cors.allowed else "100-499")
        return self.expect.model_copy(
            update={"status": status, "headers": {**self.cors.expected, **self.expect.headers}}
        )

    @property
    def _headers(self) -> tuple[tuple[str, Secret], ...]:
        found = [(name, value if isinstance(value, Secret) else Secret(value)) for name, value in self.headers.items()]
        if self.json_ is not None and not any(name.lower() == "content-type" for name, _ in found):
            found.append(("Content-Type", Secret("application/json")))
        if self.auth:
            found.append(("Authorization", self.auth.header))
        if self.cors:
            found += [(name, Secret(value)) for name, value in self.cors.headers.items()]
        return tuple(found)


def _note_exchange(run: Run, exchange: Exchange) -> None:
    for phase, seconds in exchange.phases.items():
        run.note("phase", seconds, phase=phase)
    if exchange.certificate:
        run.note("expiry", exchange.certificate.expires.timestamp())
        run.note("certificate", 1, issuer=exchange.certificate.issuer)


def _note_answer(run: Run, answer: Answer) -> None:
    run.note("duration", answer.took.total_seconds())
    run.note("status", answer.status)
    run.note("body_size", len(answer.body))
    run.note("redirects", answer.redirects)


def _after_redirects(answer: Answer) -> str:
    if not answer.redirects:
        return ""
    many = "a redirect" if answer.redirects == 1 else f"{answer.redirects} redirects"
    return f" (after {many}, from {shown(answer.url)})"
