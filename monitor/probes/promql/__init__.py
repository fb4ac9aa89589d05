"""What a Prometheus answers to queries, or what speaks its API: Mimir, Thanos, VictoriaMetrics, Grafana Cloud."""

from __future__ import annotations

from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator
from yarl import URL

from monitor.fields import MeasureName
from monitor.model import Failure, Measure, Reason, State
from monitor.plain import plain
from monitor.probes.base import MeasureSpec, Run, ThresholdFields
from monitor.probes.promql.asking import PATH, exchange, read, request, warnings
from monitor.probes.promql.points import Query, largest, read_points
from monitor.probes.web import WebCheck, address, look_at_headers, note_certificate
from monitor.units import Unit

if TYPE_CHECKING:
    from monitor.model import Labels
    from monitor.probes.promql.points import Points
    from monitor.vendors import Found

LONGEST_LABEL = 100
MOST_SERIES = 900
"""A page of metrics shows 1,000 series of one check, and those that every check has come on top of these."""


def _base(text: str) -> str:
    url = URL(address(text))
    if url.query_string or url.fragment or url.path.rstrip("/").endswith(PATH):
        raise ValueError(f"this is to be the address before {PATH}, such as https://prometheus.example.com")
    return text.rstrip("/")


class PromqlCheck(WebCheck):
    """Asks a Prometheus, or what speaks its API, and makes measures of the answers.

    Whatever goes wrong in asking is unknown, and not the product's fault: a Prometheus that is down or slow, a query
    that is wrong, an empty answer. What is not a number is left out, and alerts on it stay as they are.
    """

    kind: str = "promql"
    url: Annotated[str, AfterValidator(_base)]
    """The address before `/api/v1/query`, http or https; a password belongs under `auth`."""
    values: Annotated[dict[MeasureName, Query], Field(min_length=1)]
    """The questions that become measures, asked one after the other: a name, and what is asked."""

    measures: ClassVar = (
        MeasureSpec("duration", Unit.SECONDS, "all questions together, if each was answered"),
        MeasureSpec(
            "phase", Unit.SECONDS, "each part, over all questions: dns, connect, tls, processing, transfer", ("phase",)
        ),
        *WebCheck.measures,
    )
    reasons: ClassVar = frozenset(Reason) - {Reason.HEADER, Reason.SATURATED, Reason.STARTING}
    silence: ClassVar[State] = State.UNKNOWN

    @model_validator(mode="after")
    def _agree(self) -> PromqlCheck:
        if sum(query.most for query in self.values.values() if query.by) > MOST_SERIES:
            raise ValueError(f"its queries may give more than {MOST_SERIES} series: lower `most`")
        look_at_headers(self.configured)
        return self

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        """Return a POST for each question."""
        return (("POST", f"{self.url}{PATH}"),) * len(self.values)

    def declared(self) -> tuple[MeasureSpec, ...]:
        """Return the measures of the kind and those under `values`."""
        own = (
            MeasureSpec(name, query.base, "what the query yields", tuple(query.by), exceeds=True)
            for name, query in self.values.items()
        )
        return (*self.measures, *own)

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return nothing: the certificate may be somebody else's to renew."""
        return ()

    async def probe(self, run: Run) -> None:
        """Ask each question, and note what it yields."""
        started = perf_counter()
        phases: dict[str, float] = {}
        try:
            for name, query in self.values.items():
                run.asking = f"the query of {name}"
                left = self.timeout - timedelta(seconds=perf_counter() - started)
                await self._look(run, name, query, left, phases)
        finally:
            for phase, seconds in phases.items():
                run.note("phase", seconds, phase=phase)
        run.note("duration", perf_counter() - started)

    async def _look(self, run: Run, name: str, query: Query, left: timedelta, phases: dict[str, float]) -> None:
        """Ask one question; raises `Failure` (unknown) that names it."""

        def shown(text: str) -> str:
            return plain(run.resources.redact(text), LONGEST_LABEL)

        try:
            found = await self._ask(run, query, left, phases)
            points = read_points(query, found["data"], run.clock.wall(), shown)
            warned = warnings(found, run.resources)
        except Failure as failure:
            raise Failure(failure.reason, f"{name}: {failure.detail}", State.UNKNOWN) from None
        _note(run, name, query, points, warned)

    async def _ask(self, run: Run, query: Query, left: timedelta, phases: dict[str, float]) -> Found:
        asked = request(self.url, query.query, self.configured, max(left.total_seconds(), 0.001))
        exchanged = exchange(asked, self.options(0, left), run.resources)
        try:
            answer = await exchanged.run()
        finally:
            for phase, seconds in exchanged.phases.items():
                phases[phase] = phases.get(phase, 0.0) + seconds
            if not any(measure.name == "expiry" for measure in run.measures):
                note_certificate(run, exchanged)
        return read(answer, run.resources)


def _note(run: Run, name: str, query: Query, points: Points, warned: str) -> None:
    """Note the series of one measure; what is no number, or was told before and now is too much, is left out."""
    told, hidden = largest(points, query.most)
    run.measures += [Measure(name, value, key) for key, value in told.items()]
    before: set[Labels] = run.memory.get(name, set())
    if points.broken or before.intersection(hidden):
        run.leave_out(name)
    run.memory[name] = before.intersection(hidden).union(told)
    others = f"{len(hidden)} further series are left out, which are smaller" if hidden else ""
    if text := "; ".join(filter(None, (others, warned))):
        run.remark(name, text)
