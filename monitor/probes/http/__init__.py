"""Whether an address answers over HTTP, how fast, and whether the answer is the expected one."""

from __future__ import annotations

import json
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, StrictBool, StrictInt, model_validator
from yarl import URL

from monitor.answer import shown
from monitor.expect import Document, Expect, Path, excerpt, judge
from monitor.expect.status import within
from monitor.fetch import Exchange, Request
from monitor.fields import MeasureName
from monitor.model import Failure, Reason
from monitor.probes.base import MeasureSpec, Run
from monitor.probes.http.fields import Cors, Number
from monitor.probes.web import Method, WebCheck, look_at_headers, note_certificate, note_phases
from monitor.secrets import Secret
from monitor.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.answer import Answer
    from monitor.fetch import Options

REDIRECTS = 10
PROOFS = {"values", "cors", "location", "content_type", "headers", "body", "json_"}
"""What tells the right answer from any other; a status and a duration do not."""


class HttpCheck(WebCheck):
    """Asks an address over HTTP on a fresh connection, and holds the answer against what is expected of it.

    Without `expect`, any 2xx will do, after redirects. A redirect never leads from a public address to a private one,
    and one to another origin carries none of the headers, the authentication or the body given here.
    """

    kind: str = "http"
    method: Method = "GET"
    """Default: GET, with a body POST, with `cors` OPTIONS."""
    body: Secret | None = None
    """A text to send."""
    json_: Annotated[Any, Field(alias="json")] = None
    """A value to send as JSON."""
    redirects: StrictBool | Annotated[StrictInt, Field(ge=1, le=20)] | None = None
    """Whether redirects are followed, or how many; default: up to 10, none with `cors` or an expected `location`."""
    expect: Expect = Expect()
    """What the answer must be like."""
    values: dict[MeasureName, Number] = Field(default={})
    """Numbers in the JSON that become measures: a name, and the path to it. One that is missing is a failure."""
    version: Path = ""
    """A JMESPath to the version that answers, such as `version`: another one than before is a deploy."""
    cors: Cors | None = None
    """Send a CORS preflight, and expect it to be allowed or refused."""

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
        *WebCheck.measures,
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
        look_at_headers(self._headers)
        return self

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        """Return the one request; where redirects lead is not known."""
        return ((self.method, self.url),)

    def declared(self) -> tuple[MeasureSpec, ...]:
        """Return the measures of the kind and those under `values`."""
        own = (
            MeasureSpec(name, number.base, f"what {number.path} finds in the answer")
            for name, number in self.values.items()
        )
        return (*self.measures, *own)

    def doubts(self) -> Iterator[str]:
        """Yield that an error page would do."""
        proven = (self.model_fields_set | self.expect.model_fields_set) & PROOFS
        if not proven and (self.expect.status is None or within(HTTPStatus.OK, self.expect.status)):
            yield "any page that answers 200 satisfies it, an error page too: expect something of its body or headers"

    async def probe(self, run: Run) -> None:
        """Make the exchange; what was measured is noted however it ends."""
        exchange = Exchange(self._request, run.resources.resolver, run.resources.tls, self._options)
        try:
            answer = await exchange.run()
        finally:
            note_phases(run, exchange)
            note_certificate(run, exchange)
        _note_answer(run, answer)
        document = Document(answer, run.resources.redact)
        lacking = self._note_values(run, document)
        try:
            judge(self._expected, document)
        except Failure as failure:
            raise Failure(failure.reason, f"{failure.detail}{_after_redirects(answer)}") from None
        if lacking:
            raise lacking
        self._note_version(run, document)

    def _note_version(self, run: Run, document: Document) -> None:
        """Note the version that answers; an answer that is well and names none says nothing of it."""
        found = document.find(self.version) if self.version else None
        if isinstance(found, str | int | float) and str(found):
            run.runs(str(found))

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
        return self.options(REDIRECTS if following is True else int(following), self.timeout)

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
        found = [*self.configured]
        if self.json_ is not None and not any(name.lower() == "content-type" for name, _ in found):
            found.append(("Content-Type", Secret("application/json")))
        if self.cors:
            found += [(name, Secret(value)) for name, value in self.cors.headers.items()]
        return tuple(found)


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
