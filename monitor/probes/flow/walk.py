"""One way through the steps of a flow: what was captured, which cookies are held, how long each step took."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from yarl import URL

from monitor.expect import Document, judge
from monitor.fetch import Exchange, Request, header_fault
from monitor.fetch.redirects import same_origin
from monitor.model import Failure, Reason
from monitor.probes.flow.jar import Jar
from monitor.probes.flow.template import fill, fill_address, fill_text, only_place, written
from monitor.probes.web import note_certificate
from monitor.secrets import Redactor, Secret
from monitor.units import show_duration

if TYPE_CHECKING:
    from monitor.answer import Answer
    from monitor.probes.base import Run
    from monitor.probes.flow.fields import StepFields
    from monitor.probes.flow.template import Values
    from monitor.probes.web import WebCheck

REDIRECTS = 10
SENT_AS = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "base64": "application/octet-stream",
    "body": "text/plain",
}


class Walk:
    """Takes steps, one after the other. `values` holds what they have captured so far."""

    def __init__(self, check: WebCheck, run: Run, values: Values, within: timedelta) -> None:
        """Begin with `values`; the caller ends it after `within`."""
        self.values: dict[str, str | int | float | bool] = dict(values)
        self._check = check
        self._run = run
        self._ends = perf_counter() + within.total_seconds()
        self._jar = Jar()
        self._secrets: set[Secret] = set()
        self._took: list[str] = []

    def anew(self, values: Values, within: timedelta) -> Walk:
        """Return a walk that begins with `values` and without cookies, and knows what must not be told."""
        walk = Walk(self._check, self._run, values, within)
        walk._secrets, walk._took = self._secrets, self._took
        return walk

    async def take(self, step: StepFields, *, strict: bool = True) -> None:
        """Take one step, again and again where it says so; raises `Failure`, which names it.

        Unless `strict`, what is not found is not captured, and that is all.
        """
        clock, phases = self._run.clock, dict[str, float]()
        self._run.asking = f"the step {step.name}"
        begun = clock.now()
        try:
            while True:
                try:
                    await self._ask(step, phases, strict=strict)
                    break
                except Failure as failure:
                    await self._wait(step, clock.now() - begun, failure)
        except Failure as failure:
            raise Failure(failure.reason, f"{step.name}: {self._hide(failure.detail)}", failure.state) from None
        finally:
            for phase, seconds in phases.items():
                self._run.note("phase", seconds, step=step.name, phase=phase)
        self._note((clock.now() - begun).total_seconds(), step)

    def _note(self, seconds: float, step: StepFields) -> None:
        self._run.note("step", seconds, step=step.name)
        self._took.append(f"{step.name} {show_duration(seconds)}")
        for measure in ("step", "duration"):
            self._run.remark(measure, f"Took: {', '.join(self._took)}.")

    async def _wait(self, step: StepFields, since: timedelta, failure: Failure) -> None:
        """Wait until it is time to ask again; raises `failure` if it is not any more."""
        if step.again is None:
            raise failure
        if since + step.again.every > step.again.within:
            within = show_duration(step.again.within.total_seconds())
            raise Failure(failure.reason, f"still not after {within}: {failure.detail}", failure.state) from None
        await self._run.clock.sleep_until(self._run.clock.now() + step.again.every)

    async def _ask(self, step: StepFields, phases: dict[str, float], *, strict: bool) -> None:
        answer = await self._exchange(step, phases)
        document = Document(answer, self._hide)
        self._learn_secrets(step, document)
        expect = step.expect
        if expect.json_:
            expect = expect.model_copy(update={"json_": fill(expect.json_, self.values)})
        judge(expect, document)
        self._capture(step, document, strict=strict)

    async def _exchange(self, step: StepFields, phases: dict[str, float]) -> Answer:
        resources, request = self._run.resources, self._request(step)
        redirects = REDIRECTS if step.redirects is True else int(step.redirects)
        left = timedelta(seconds=max(self._ends - perf_counter(), 0))
        options = self._check.options(redirects, min(step.timeout, left))
        exchange = Exchange(request, resources.resolver, resources.tls, options, self._jar)
        try:
            async with asyncio.timeout(step.timeout.total_seconds()):
                return await exchange.run()
        except TimeoutError:
            within = show_duration(step.timeout.total_seconds())
            raise Failure(Reason.TIMEOUT, f"no answer within {within}") from None
        finally:
            for phase, seconds in exchange.phases.items():
                phases[phase] = phases.get(phase, 0.0) + seconds
            if not self._took and same_origin(request.url, URL(self._check.url)):
                note_certificate(self._run, exchange)

    def _request(self, step: StepFields) -> Request:
        url = self._address(step)
        own = self._check.configured if same_origin(url, URL(self._check.url)) else ()
        sent, body = self._body(step)
        headers = {"content-type": ("Content-Type", Secret(SENT_AS[sent]))} if sent else {}
        headers |= {name.lower(): (name, value) for name, value in own}
        for name, value in step.headers.items():
            text = fill_text(value.reveal() if isinstance(value, Secret) else value, self.values)
            if header_fault(name, text):
                raise Failure(Reason.BODY, f"what was found cannot be sent in the header {name}")
            headers[name.lower()] = (name, Secret(text))
        return Request(url, step.method, tuple(headers.values()), body)

    def _body(self, step: StepFields) -> tuple[str, bytes]:
        """Return how the body is sent, and the body itself."""
        if step.form:
            return "form", urlencode(fill(step.form, self.values)).encode()
        if step.base64:
            return "base64", b64decode(step.base64)
        if step.json_ is not None:
            return "json", json.dumps(fill(step.json_, self.values)).encode()
        return ("body", fill_text(step.body.reveal(), self.values).encode()) if step.body else ("", b"")

    def _address(self, step: StepFields) -> URL:
        """Return the address of a step; raises `Failure` if what was found would lead elsewhere."""
        base = URL(step.origin or self._check.url)
        name = only_place(step.url)
        text = written(self.values[name]) if name else fill_address(step.url, self.values)
        try:
            url = base.join(URL(text, encoded=not name)) if name or text.startswith("/") else URL(text, encoded=True)
        except ValueError:
            raise Failure(Reason.BODY, "what was found is no address") from None
        if name and (url.user or not same_origin(url, base)):
            raise Failure(Reason.BODY, f"the address that was found leads elsewhere than to {base.origin()}")
        return url.with_fragment(None)

    def _capture(self, step: StepFields, document: Document, *, strict: bool) -> None:
        for name, capture in step.capture.items():
            found = capture.found(document)
            if found is not None:
                self.values[name] = found
            elif strict:
                raise Failure(Reason.BODY, f"expected something {capture.place}, got nothing")

    def _learn_secrets(self, step: StepFields, document: Document) -> None:
        """Learn what must be kept out of texts, before any text is made of the answer."""
        for name, capture in step.capture.items():
            try:
                found = capture.found(document) if step.secret(name) else None
            except Failure:
                continue
            if found is not None:
                self._secrets.add(Secret(written(found)))

    def _hide(self, text: str) -> str:
        """Remove what is secret from `text`: what is configured, and what was captured or set as a cookie."""
        own = Redactor([*self._secrets, *map(Secret, filter(None, self._jar.values()))])
        return own(self._run.resources.redact(text))
