"""Whether a user's way through the product works: several requests, each with what its answer must be like."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator
from yarl import URL

from monitor.fetch import header_fault
from monitor.fields import PositiveDuration
from monitor.model import Failure, LeftOut, Reason
from monitor.probes.base import MeasureSpec, Run, ThresholdFields
from monitor.probes.flow.fields import StepFields
from monitor.probes.flow.leftovers import MOST, Leftovers, unfinished
from monitor.probes.flow.walk import Walk
from monitor.probes.web import WebCheck, look_at_headers
from monitor.secrets import Secret
from monitor.units import Unit, show_duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

RUN = "run"
"""The name of each run, which every step can use."""
AGAIN = timedelta(minutes=1)
"""A flow is a user's work: doing it all again every ten seconds would be noticed."""
WHEN_STOPPED = timedelta(seconds=5)
"""What a run that is ended from outside may take to clean up; what it does not manage is done at the next start."""
MARGIN = timedelta(milliseconds=100)
"""So much earlier than the hard deadline the clean-up ends, to say what was not done."""


class FlowCheck(WebCheck):
    """Takes named steps in their order, each an HTTP request whose answer must be as expected.

    Steps share their cookies, and what they capture of answers: `{tenant}` in a later step is what an earlier one
    captured as `tenant`; `{run}` is a name of this run, to mark with it what is made. The first step that fails ends
    the flow. Then the clean-up is done, whatever has happened, and after a crash at the next start: so it begins
    without cookies, and with nothing secret that a step has captured.
    """

    kind: str = "flow"
    every: PositiveDuration = Field(default=timedelta(minutes=10))
    """How often it runs."""
    timeout: PositiveDuration = Field(default=timedelta(minutes=1))
    """The hard deadline of one run: all steps, waits and the clean-up."""
    when: Literal["schedule", "demand", "deploy"] = "schedule"
    """When it runs: on its schedule, only when somebody asks for it, or only after a deploy.

    Whatever began it, it is repeated after a failure until it passes, and where a restart has interrupted it.
    """
    steps: list[StepFields] = Field(min_length=1)
    """The requests, in their order. `url` is where their paths begin, and `headers` and `auth` go there only."""
    cleanup: list[StepFields] = Field(default=[])
    """Requests that remove what the steps have made; one whose captured values are missing has nothing to remove."""
    cleanup_timeout: PositiveDuration = timedelta(seconds=15)
    """What is kept back of `timeout` for the clean-up."""

    measures: ClassVar = (
        MeasureSpec("duration", Unit.SECONDS, "the whole flow with its clean-up, if all of it succeeded"),
        MeasureSpec("step", Unit.SECONDS, "each step that succeeded, with all its repetitions", ("step",)),
        MeasureSpec(
            "phase", Unit.SECONDS, "each part of a step: dns, connect, tls, processing, transfer", ("step", "phase")
        ),
        *WebCheck.measures,
    )
    reasons: ClassVar = frozenset(Reason) - {Reason.SATURATED, Reason.STARTING, Reason.MISSING}

    @model_validator(mode="after")
    def _agree(self) -> FlowCheck:
        look_at_headers(self.configured)
        names = [step.name for step in self._all]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two steps are called {twice}")
        if self.cleanup and self.timeout <= self.cleanup_timeout:
            raise ValueError("timeout leaves the steps no time: it holds cleanup_timeout too")
        known = _look_at_places(self.steps, {RUN}, set())
        _look_at_places(self.cleanup, known, self._secret)
        return self

    def implied(self) -> tuple[ThresholdFields, ...]:
        """Return the threshold on the certificate, if each run sees that of `url`."""
        return super().implied() if self.scheduled and self.steps[0].url.startswith("/") else ()

    @property
    def subject(self) -> str:
        """Return whose certificate it is, if it is watched."""
        return super().subject if self.implied() else ""

    @property
    def scheduled(self) -> bool:
        """Return whether it runs by itself."""
        return self.when == "schedule"

    @property
    def after_deploy(self) -> bool:
        """Return whether it runs after each deploy."""
        return self.when == "deploy"

    @property
    def retry_every(self) -> timedelta:
        """Return the time from the end of a failed run to the next run."""
        return self.retry.every or min(AGAIN, self.every)

    @property
    def changes(self) -> str:
        """Return which steps may change something."""
        return ", ".join(f"{step.method} in {step.name}" for step in self._all if step.writes)

    @property
    def asks(self) -> tuple[tuple[str, str], ...]:
        """Return every request of a run, those that are asked again as often as they may be."""
        base = URL(self.url).origin()
        return tuple(
            (step.method, f"{base}{step.url}" if step.url.startswith("/") else step.origin or step.url)
            for step in self._all
            for _ in range(1 + (step.again.within // step.again.every if step.again else 0))
        )

    def doubts(self) -> Iterator[str]:
        """Yield that nothing removes what is made, and that a step may wait for longer than the flow may take."""
        for step in self.steps:
            if step.again and step.again.within >= self.timeout:
                within, whole = (show_duration(each.total_seconds()) for each in (step.again.within, self.timeout))
                yield f"{step.name} may be asked again for {within}, and the whole flow has {whole}"
        if "cleanup" not in self.model_fields_set and (made := [step.name for step in self.steps if step.writes]):
            yield f"{', '.join(made)} may make something that nothing removes: give it a cleanup, an empty one if so"

    def unfinished(self, memory: Mapping[str, Any]) -> bool:
        """Return whether an earlier run has left something behind."""
        return unfinished(memory)

    async def probe(self, run: Run) -> None:
        """Remove what earlier runs have left, take the steps, and clean up."""
        started, begun = perf_counter(), run.clock.now()
        leftovers = Leftovers(run)
        faults = await self._finish_earlier(run, leftovers)
        if len(leftovers) >= MOST:
            raise faults[0]
        faults = [*await self._go(run, leftovers, started), *faults]
        if faults:
            raise Failure(faults[0].reason, "; and ".join(fault.detail for fault in faults), faults[0].state)
        run.note("duration", (run.clock.now() - begun).total_seconds())

    async def _finish_earlier(self, run: Run, leftovers: Leftovers) -> list[Failure]:
        found, within = [], self.cleanup_timeout / (len(leftovers) + 1)
        for values in leftovers:
            fault = await self._clean_up(Walk(self, run, values, within), leftovers, within)
            if fault:
                found.append(Failure(fault.reason, f"of an earlier run, {fault.detail}", fault.state))
        return found

    async def _go(self, run: Run, leftovers: Leftovers, started: float) -> list[Failure]:
        within = _left(self.timeout - (self.cleanup_timeout if self.cleanup else timedelta()), started)
        walk = Walk(self, run, {RUN: secrets.token_hex(6)}, within)
        try:
            fault = await self._take_steps(walk, leftovers, within)
        except LeftOut:
            await leftovers.forget(walk.values)
            raise
        except asyncio.CancelledError:
            await self._clean_up(walk, leftovers, WHEN_STOPPED)
            raise
        also = await self._clean_up(walk, leftovers, _left(self.timeout - MARGIN, started))
        return [each for each in (fault, also) if each]

    async def _take_steps(self, walk: Walk, leftovers: Leftovers, within: timedelta) -> Failure | None:
        """Take all steps; return why one of them failed. Raises `LeftOut` when nothing must be made.

        Without a clean-up there is no hurry: the hard deadline ends them.
        """
        taken, noted = [""], not self.cleanup
        try:
            async with asyncio.timeout(within.total_seconds() if self.cleanup else None):
                for step in self.steps:
                    taken.append(step.name)
                    if step.writes and not noted:
                        noted = await self._begin_to_make(walk, leftovers)
                    await walk.take(step)
                    if self.cleanup and noted and step.capture.keys() & self._needed(walk).keys():
                        await leftovers.note(self._needed(walk))
        except TimeoutError:
            text = f"{taken[-1]}: the flow did not come to its end within {show_duration(within.total_seconds())}"
            return Failure(Reason.TIMEOUT, text)
        except Failure as failure:
            return failure
        return None

    async def _begin_to_make(self, walk: Walk, leftovers: Leftovers) -> bool:
        """Note that there will be something to remove; raises `LeftOut` when that cannot be made durable."""
        if not await leftovers.note(self._needed(walk)):
            raise LeftOut("what it would have to remove again cannot be noted: the store cannot be written to")
        return True

    def _needed(self, walk: Walk) -> dict[str, Any]:
        """Return what the clean-up uses of what was captured, no secret among it, with the run's name."""
        wanted = {RUN}.union(*(step.needs for step in self.cleanup)) - self._secret
        return {name: value for name, value in walk.values.items() if name in wanted}

    async def _clean_up(self, walk: Walk, leftovers: Leftovers, within: timedelta) -> Failure | None:
        """Clean up after a walk; return why something stays behind."""
        try:
            async with asyncio.timeout(within.total_seconds()):
                fault = await self._take_cleanup(walk.anew(self._needed(walk), within))
        except TimeoutError:
            fault = Failure(Reason.TIMEOUT, f"cleaning up took longer than {show_duration(within.total_seconds())}")
        if fault is None:
            await leftovers.forget(walk.values)
            return None
        text = f"something is left behind ({fault.detail}); the next run tries again to remove it"
        return Failure(fault.reason, text, fault.state)

    async def _take_cleanup(self, walk: Walk) -> Failure | None:
        """Take each step of the clean-up that has something to remove; return how the first of them failed."""
        first = None
        for step in self.cleanup:
            if step.needs <= walk.values.keys():
                try:
                    await walk.take(step, strict=False)
                except Failure as failure:
                    first = first or failure
        return first

    @property
    def _secret(self) -> set[str]:
        return {name for step in self.steps for name in step.capture if step.secret(name)}

    @property
    def _all(self) -> list[StepFields]:
        return [*self.steps, *self.cleanup]


def _left(until: timedelta, started: float) -> timedelta:
    """Return how much is left of a time that began at a reading of `perf_counter`."""
    return max(until - timedelta(seconds=perf_counter() - started), timedelta())


def _look_at_places(steps: Sequence[StepFields], known: set[str], secret: set[str]) -> set[str]:
    """Return what is captured in the end; raises ValueError for a place that nothing fills, or a header that is none.

    `known` is captured before, of which `secret` must not be used.
    """
    for step in steps:
        if hidden := sorted(step.needs & secret):
            raise ValueError(
                f"{step.name} uses the secret {{{hidden[0]}}} of a step, which is not kept over a restart: "
                "let a step of the clean-up capture it anew"
            )
        if unknown := sorted(step.needs - known):
            listed = ", ".join(f"{{{name}}}" for name in sorted(known))
            raise ValueError(f"{step.name} uses {{{unknown[0]}}}, which no step before captures; there is {listed}")
        for name, value in step.headers.items():
            if fault := header_fault(name, value.reveal() if isinstance(value, Secret) else value):
                raise ValueError(fault)
        known, secret = known | step.capture.keys(), secret - step.capture.keys()
    return known
