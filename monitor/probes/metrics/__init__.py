"""What an application says of itself: figures computed from its page of metrics, as Prometheus would."""

from __future__ import annotations

import math
from dataclasses import replace
from difflib import get_close_matches
from functools import cached_property
from http import HTTPStatus
from itertools import accumulate
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from pydantic import Field, model_validator
from yarl import URL

from monitor.fetch import Exchange, Request
from monitor.fields import MeasureName
from monitor.model import Failure, Measure, Reason
from monitor.plain import plain
from monitor.probes.base import MeasureSpec, Run, ThresholdFields
from monitor.probes.metrics.computing import current, grown
from monitor.probes.metrics.fields import Figure
from monitor.probes.metrics.noting import choose, filled, remark
from monitor.probes.metrics.page import Reader, names_of
from monitor.probes.metrics.scrapes import Answer, Scrapes
from monitor.probes.metrics.selector import Selector
from monitor.probes.web import WebCheck, look_at_headers, note_certificate, note_phases
from monitor.secrets import Secret
from monitor.units import Unit, show_duration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from monitor.answer import Answer as Answered
    from monitor.probes.metrics.page import Page

LONGEST_PAGE = 10 * 2**20
REDIRECTS = 10
LONGEST_LABEL = 100
LOOKS = 4
"""Scrapes that `monitor validate --connect` makes, to see whether several answer."""
STARTED = Selector("process_start_time_seconds")
ACCEPTED = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=1.0.0;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
)
"""As Prometheus 3 asks, but for names beyond ASCII: those come with underscores."""
REFUSALS: Mapping[int, Reason] = {
    HTTPStatus.UNAUTHORIZED: Reason.AUTH,
    HTTPStatus.FORBIDDEN: Reason.AUTH,
    HTTPStatus.TOO_MANY_REQUESTS: Reason.RATE_LIMITED,
}
SEVERAL = (
    "Several processes answer at this address in turns, and each counts for itself. Give each an address of its own.",
    "Or let the page cover them all (Python's multiprocess mode), or ask a Prometheus that scrapes each (kind promql).",
    "If they were merely replaced one by one, as in a deploy, this ends by itself.",
)


class Memory(NamedTuple):
    """What is remembered between two scrapes, as long as the figures are the same."""

    figures: str
    reader: Reader
    scrapes: Scrapes
    shown: dict[str, set[str]]


class MetricsCheck(WebCheck):
    """Scrapes a page of metrics, Prometheus' text or OpenMetrics, and computes figures from it as PromQL would.

    Figures over a window need two scrapes in it, `rate` and `increase` scrapes since its beginning: until then, as
    after a start of the monitor, they are left out, and alerts on them stay as they are. Where several processes answer
    at the address in turns, `value`, `rate` and `increase` are left out: they would be those of one of them.
    """

    kind: str = "metrics"
    values: Annotated[dict[MeasureName, Figure], Field(min_length=1)]
    """The figures that become measures: a name, and what it is computed from."""
    instance: Annotated[str, Field(pattern="^[A-Za-z0-9-]*$")] = ""
    """A header of the answer that names the process or machine which gave it. Default: `process_start_time_seconds` of
    the page tells them apart."""
    from_zero: bool = False
    """Whether a counter that appears between two scrapes counts from zero. PromQL never sees the first error of an
    endpoint, as its series begins with 1; this does."""

    measures: ClassVar = (
        MeasureSpec("duration", Unit.SECONDS, "the whole scrape, if it came to its end"),
        MeasureSpec(
            "phase",
            Unit.SECONDS,
            "each part of the scrape, over all redirects: dns, connect, tls, processing, transfer",
            ("phase",),
        ),
        MeasureSpec("page_size", Unit.BYTES, "the page, decompressed; at most 10 MiB"),
        MeasureSpec("series", Unit.NUMBER, "how many series of the page are looked at"),
        MeasureSpec("instances", Unit.NUMBER, "how many processes answer in turns, as far as that can be seen"),
        MeasureSpec("uptime", Unit.SECONDS, "for how long the process has been running, where it says so"),
        *WebCheck.measures,
    )
    reasons: ClassVar = frozenset(Reason) - {Reason.HEADER, Reason.SATURATED, Reason.STARTING}

    @model_validator(mode="after")
    def _agree(self) -> MetricsCheck:
        for name, figure in self.values.items():
            if figure.windowed and figure.window < 2 * self.every:
                span, every = (show_duration(each.total_seconds()) for each in (figure.window, self.every))
                raise ValueError(f"{name}: a window of {span} holds no two scrapes every {every}: make it longer")
        look_at_headers(self.configured)
        return self

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        """Return the one request."""
        return (("GET", self.url),)

    def declared(self) -> tuple[MeasureSpec, ...]:
        """Return the measures of the kind and those under `values`."""
        return (*self.measures, *(figure.spec(name) for name, figure in self.values.items()))

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return that of the certificate, and that several processes which answer in turns are told, if that lasts."""
        several = ThresholdFields.model_validate(
            {"watch": "instances", "name": "several processes", "info": "> 1", "for": "30m", "remedy": [*SEVERAL]}
        )
        return (*super().implied(), several)

    async def probe(self, run: Run) -> None:
        """Scrape, and note what can be computed; a name that is missing is a failure, and ends nothing else."""
        started, now = perf_counter(), run.clock.now()
        memory = self._memory(run)
        answered = await self._scrape(run)
        page = await memory.reader.read(answered.body, answered.media_type, run.resources.redact)
        run.note("page_size", len(answered.body))
        run.note("series", len(page.values))
        answer = self._answer(answered, page)
        await memory.scrapes.add(now, page.values, answer)
        self._note_process(run, memory.scrapes, answer)
        for name in self.values:
            await self._note_figure(run, memory, name, page, now)
        lacking = await self._lacking(page, answered.body)
        if lacking:
            raise Failure(Reason.MISSING, lacking)
        run.note("duration", perf_counter() - started)

    async def inspect(self, run: Run) -> Sequence[str]:
        """Scrape several times, and say what is missing and whether several processes answer."""
        seen, lacking, reader = set(), "", Reader(self._selectors)
        for _ in range(LOOKS):
            answered = await self._scrape(run)
            page = await reader.read(answered.body, answered.media_type, run.resources.redact)
            seen.add(self._answer(answered, page).name)
            lacking = await self._lacking(page, answered.body)
        several = f"{len(seen)} processes answer in turns, so rate, increase and value are left out"
        return [text for text in (lacking, several if len(seen) > 1 else "") if text]

    async def _scrape(self, run: Run) -> Answered:
        """Return the page; raises `Failure` where there is none."""
        options = replace(self.options(REDIRECTS, self.timeout), longest=LONGEST_PAGE)
        exchange = Exchange(self._request, run.resources.resolver, run.resources.tls, options)
        try:
            answered = await exchange.run()
        finally:
            note_phases(run, exchange)
            note_certificate(run, exchange)
        if answered.status != HTTPStatus.OK:
            reason = REFUSALS.get(answered.status, Reason.STATUS)
            raise Failure(reason, f"expected status 200, got {answered.status}")
        if answered.truncated:
            raise Failure(
                Reason.BODY, f"the page is longer than {LONGEST_PAGE:,} bytes, so that not all of it was read"
            )
        return answered

    def _memory(self, run: Run) -> Memory:
        """Return what is remembered; other figures than before begin anew."""
        figures = repr((self.values, self.instance, self.from_zero))
        memory: Memory | None = run.memory.get("metrics")
        if memory is None or memory.figures != figures:
            windowed = {name: figure for name, figure in self.values.items() if figure.windowed}
            terms = [self._terms[name] + n for name, figure in windowed.items() for n in range(len(figure.terms))]
            windows = [figure.window for figure in windowed.values()]
            scrapes = Scrapes(terms, windows, from_zero=self.from_zero)
            memory = run.memory["metrics"] = Memory(figures, Reader(self._selectors), scrapes, {})
        return memory

    def _answer(self, answered: Answered, page: Page) -> Answer:
        """Return who answered."""
        moments = sorted(value for series, value in page.values.items() if 0 in series.terms)
        started = max((moment for moment in moments if math.isfinite(moment)), default=None)
        header = answered.header(self.instance) if self.instance else None
        return Answer(header or " ".join(map(repr, moments)), started)

    def _note_process(self, run: Run, scrapes: Scrapes, answer: Answer) -> None:
        run.note("instances", scrapes.instances)
        if scrapes.instances > 1:
            run.remark("instances", f"{scrapes.instances} processes or more answer in turns")
        if answer.started is not None:
            run.note("uptime", max(run.clock.wall().timestamp() - answer.started, 0.0))

    async def _note_figure(self, run: Run, memory: Memory, name: str, page: Page, now: datetime) -> None:
        """Note one figure for each value of its label, or that it could not be taken."""
        figure, term = self.values[name], self._terms[name]
        if not self._known(figure, memory.scrapes):
            run.leave_out(name)
            return
        found = await grown(figure, term, memory.scrapes) if figure.windowed else current(figure, term, page, now)
        there = filled(figure, found)
        chosen = choose(figure, there, lambda text: plain(run.resources.redact(text), LONGEST_LABEL))
        before = memory.shown.get(name, set())
        if before.intersection(chosen.hidden) or not (there or figure.by):
            run.leave_out(name)
        memory.shown[name] = before.intersection(chosen.hidden).union(chosen.told)
        for label, result in chosen.told.items():
            run.measures.append(Measure(name, result.value, ((figure.by, label),) if figure.by else ()))
        if text := remark(figure, chosen, figure.base):
            run.remark(name, text)

    def _known(self, figure: Figure, scrapes: Scrapes) -> bool:
        """Return whether there are the scrapes that a figure needs, all of one process or each known for its own."""
        if not figure.windowed:
            return scrapes.instances == 1
        if figure.whole and not (scrapes.instances == 1 and scrapes.filled(figure.window, self.every)):
            return False
        return scrapes.told_apart and scrapes.seen_twice(figure.window)

    async def _lacking(self, page: Page, body: bytes) -> str:
        """Return what the page should have and has not: a name, or a label of all its series."""
        for figure in self.values.values():
            for term in figure.terms if figure.empty is None else ():
                if term.name not in page.names:
                    close = get_close_matches(term.name, await names_of(body), n=1)
                    meant = f"; did you mean {close[0]}?" if close else ""
                    return f"the page has no {term.name}{meant}"
                carried = page.labels.get(term.name, frozenset())
                wanted = term.needed.union({figure.by} if figure.by else ())
                if carried and (without := sorted(wanted.difference(carried))):
                    return f"no {term.name} has a label {without[0]}; they have {', '.join(sorted(carried))}"
        return ""

    @cached_property
    def _selectors(self) -> Sequence[Selector]:
        return (STARTED, *(term for figure in self.values.values() for term in figure.terms))

    @cached_property
    def _terms(self) -> Mapping[str, int]:
        """Return the number of each figure's first selector."""
        ends = accumulate(len(figure.terms) for figure in self.values.values())
        return {name: end + 1 - len(self.values[name].terms) for name, end in zip(self.values, ends, strict=True)}

    @cached_property
    def _request(self) -> Request:
        named = {name.lower() for name, _ in self.configured}
        within = f"{self.timeout.total_seconds():g}"
        ours = (("Accept", ACCEPTED), ("Accept-Encoding", "gzip"), ("X-Prometheus-Scrape-Timeout-Seconds", within))
        headers = ((name, Secret(value)) for name, value in ours if name.lower() not in named)
        return Request(URL(self.url), headers=(*self.configured, *headers))
