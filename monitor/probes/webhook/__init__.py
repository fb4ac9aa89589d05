"""Whether a receiver of webhooks is there, answers, checks signatures, and is fast enough."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar

from pydantic import ValidationInfo, field_validator, model_validator
from yarl import URL

from monitor.fetch import Exchange, Request
from monitor.fields import PositiveDuration
from monitor.model import Failure, Reason
from monitor.probes.base import MeasureSpec, Run
from monitor.probes.web import WebCheck, look_at_headers, note_certificate, note_phases
from monitor.probes.webhook.fields import EventFields, Refusals, Secrets, Signature
from monitor.probes.webhook.schemes import SCHEMES, Scheme, SchemeName, generic, refusals
from monitor.probes.webhook.verdict import CALLED, Sent, Terms, judge
from monitor.secrets import Secret
from monitor.units import Unit, show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from uuid import UUID

    from monitor.answer import Answer
    from monitor.probes.webhook.schemes import Event

UNNAMED = generic({"header": "X-Signature", "signs": "{body}"})
"""What events are like where the file names no scheme: nothing is signed by it."""
EXPIRED = 2
"""How many times as old as it may be an old event is: with room for clocks that differ."""


class WebhookCheck(WebCheck):
    """Sends a receiver events as its sender would, and holds the answers against what is documented.

    Each run sends an event without a signature, which must be refused: an answer of 404 is a route that is not
    registered, 405 one that takes no POST, 5xx a service that is down, and 2xx a hole through which anybody can forge
    events. With `canary` and `writes: true` a correctly signed event follows, of a type that no product handles, which
    must be answered 2xx, and where the scheme signs the time an old one, which must be refused. Events are sent one
    after the other, each with an id of its own; the first wrong answer ends the run, nothing is sent again, and no
    redirect is followed, as senders follow none.
    """

    kind: str = "webhook"
    scheme: SchemeName | None = None
    """How the sender signs; `hmac` is described under `signature`. Needed to sign, and for what is documented."""
    signature: Signature | None = None
    """How the sender signs, for `scheme: hmac`."""
    secret: Secrets | None = None
    """What events are signed with, for the canary: one, or several while it is being replaced.

    Stripe and Standard Webhooks sign with each of them, the others with the first.
    """
    unsigned: bool = True
    """Whether an event without a signature is sent, which must be refused."""
    forged: bool = False
    """Whether an event with a wrong signature is sent, which must be refused."""
    refuses: Refusals | None = None
    """The status that refuses an event: `401`, `[400, 403]`; default: 400 for stripe, 401 for shopify, else 400, 401 or
    403."""
    canary: bool = False
    """Whether a correctly signed event is sent, which must be answered 2xx; needs `secret`, and `writes: true`.

    Without `writes` only the others are sent, and `validate` says so.
    """
    stale: bool = True
    """Whether after the canary an old event is sent, twice as old as `tolerance`, which must be refused; in schemes
    that sign the time."""
    tolerance: PositiveDuration = timedelta(minutes=5)
    """How old an event may be that the receiver accepts."""
    event: EventFields = EventFields()

    measures: ClassVar = (
        MeasureSpec(
            "duration",
            Unit.SECONDS,
            "each exchange whose answer came to its end: unsigned, forged, canary, stale",
            ("event",),
        ),
        MeasureSpec(
            "phase",
            Unit.SECONDS,
            "each part of an exchange: dns, connect, tls, processing, transfer",
            ("event", "phase"),
        ),
        MeasureSpec("status", Unit.NUMBER, "the status code of each answer", ("event",)),
        *WebCheck.measures,
    )
    reasons: ClassVar = frozenset(Reason) - {Reason.SATURATED, Reason.STARTING, Reason.BODY}

    @field_validator("secret")
    @classmethod
    def _readable(cls, secrets: Secrets | None, info: ValidationInfo) -> Secrets | None:
        scheme = _scheme_of(info.data.get("scheme"), info.data.get("signature"))
        for secret in secrets or ():
            if scheme:
                scheme.read_key(secret.reveal())
        return secrets

    @model_validator(mode="after")
    def _agree(self) -> WebhookCheck:
        if (self.scheme == "hmac") is (self.signature is None):
            raise ValueError("scheme: hmac and signature go together: one says that, the other how events are signed")
        if not (self.unsigned or self.forged or self.canary):
            raise ValueError("no event is sent: switch one of unsigned, forged and canary on")
        if self.forged and not self.scheme:
            raise ValueError("forged needs a scheme: how the sender signs")
        if self.canary and not (self.scheme and self.secret):
            raise ValueError("canary needs a scheme and the secret to sign with")
        look_at_headers((*self.configured, (self._scheme.header, Secret(""))))
        return self

    @property
    def changes(self) -> str:
        """Return that an event is sent that the receiver may keep; without `writes` it is not, if there are others."""
        return "a signed canary event" if self.canary and (self.writes or not self._refused) else ""

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        """Return a POST for each event."""
        return (("POST", self.url),) * len(self._events)

    def doubts(self) -> Iterator[str]:
        """Yield that the canary is left out."""
        if self.canary and not self.writes:
            yield "its signed canary is not sent: that needs writes: true"

    async def probe(self, run: Run) -> None:
        """Send the events in their order, and end with the first whose answer is wrong."""
        started = perf_counter()
        terms = Terms(self._scheme, refusals(self._scheme, self.refuses), self.tolerance, run.resources.redact)
        took: list[str] = []
        for sent in self._events:
            run.asking = CALLED[sent]
            left = self.timeout - timedelta(seconds=perf_counter() - started)
            answer = await self._exchange(run, sent, left)
            took.append(f"{sent} {show_duration(answer.took.total_seconds())}")
            run.remark("duration", f"Answered: {', '.join(took)}.")
            judge(sent, answer, run.clock.wall(), terms)

    async def _exchange(self, run: Run, sent: Sent, left: timedelta) -> Answer:
        request = self.request(sent, uuid.uuid4(), run.clock.wall())
        exchange = Exchange(request, run.resources.resolver, run.resources.tls, self.options(0, left))
        try:
            answer = await exchange.run()
        except Failure as failure:
            raise Failure(failure.reason, f"{CALLED[sent]}: {failure.detail}", failure.state) from None
        finally:
            note_phases(run, exchange, event=sent)
            if sent is self._events[0]:
                note_certificate(run, exchange)
        run.note("duration", answer.took.total_seconds(), event=sent)
        run.note("status", answer.status, event=sent)
        return answer

    def request(self, sent: Sent, number: UUID, now: datetime) -> Request:
        """Return the request that carries `sent` at `now`, with an id made of `number`."""
        scheme, at = self._scheme, now - EXPIRED * self.tolerance if sent is Sent.STALE else now
        event = scheme.event(number, at, self.url, self.event.type, self.event.body)
        named = {name.lower() for name, _ in self.configured}
        ours = (("Content-Type", "application/json"), *scheme.accompanying(event), *self._signed(sent, event, number))
        headers = ((name, Secret(value)) for name, value in ours if name.lower() not in named)
        return Request(URL(self.url), "POST", (*self.configured, *headers), event.body)

    def _signed(self, sent: Sent, event: Event, number: UUID) -> tuple[tuple[str, str], ...]:
        match sent:
            case Sent.UNSIGNED:
                return ()
            case Sent.FORGED:
                return (self._scheme.sign(event, [number.bytes]),)
            case _:
                return (self._scheme.sign(event, self._keys),)

    @property
    def _refused(self) -> list[Sent]:
        return [sent for sent, wanted in ((Sent.UNSIGNED, self.unsigned), (Sent.FORGED, self.forged)) if wanted]

    @property
    def _events(self) -> list[Sent]:
        if not (self.canary and self.writes):
            return self._refused
        return [*self._refused, Sent.CANARY, *([Sent.STALE] if self.stale and self._scheme.dated else [])]

    @cached_property
    def _scheme(self) -> Scheme:
        return _scheme_of(self.scheme, self.signature) or UNNAMED

    @cached_property
    def _keys(self) -> list[bytes]:
        return [self._scheme.read_key(secret.reveal()) for secret in self.secret or ()]


def _scheme_of(name: str | None, signature: Signature | None) -> Scheme | None:
    if name == "hmac":
        return signature.scheme if signature else None
    return SCHEMES[name] if name else None
