"""One sweep now: in the file's order, each told once, and how it is reported."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree as ET

import pytest

from monitor.model import CheckId, Failure, LeftOut, Reason, State
from monitor.network import TlsContexts
from monitor.probes.base import Check, MeasureSpec, Resources
from monitor.report import as_json, as_junit, as_line
from monitor.secrets import Redactor
from monitor.sweep import sweep
from monitor.units import Unit
from tests.fakes import FakeClock
from tests.plans import plan, threshold

if TYPE_CHECKING:
    from monitor.databases import Databases
    from monitor.network import Resolver
    from monitor.plan import Plan
    from monitor.probes.base import Run
    from monitor.sweep import Finding
    from monitor.thresholds import Threshold

RESOURCES = Resources(cast("Resolver", None), TlsContexts(), cast("Databases", None), Redactor())


class Staged(Check):
    """A kind that finds what the test says."""

    kind: str = "staged"
    finds: State = State.UP
    value: float = 0.0
    sleeps: bool = False
    wholly: bool = False

    measures = (MeasureSpec("load", Unit.RATIO, "how full it is"),)

    @property
    def host(self) -> str:
        return "localhost"

    @property
    def changes(self) -> str:
        return "an order" if self.wholly else ""

    async def probe(self, run: Run) -> None:
        run.note("load", 1.0 if self.writes else self.value)
        if self.sleeps:
            raise LeftOut("the \x1b[31mcompute is asleep")
        if self.finds is not State.UP:
            raise Failure(Reason.STATUS, "expected \x1b[31m200\x1b[0m,\r\n got <502>", self.finds)


def staged(name: str, *thresholds: Threshold, **fields: Any) -> Plan:  # noqa: ANN401 - any field
    made = plan(*thresholds, check=CheckId("shop", name))
    check = Staged(every=timedelta(seconds=10), timeout=timedelta(seconds=5), **fields)
    return type(made)(**{name: getattr(made, name) for name in made.__dataclass_fields__} | {"check": check})


async def findings(*plans: Plan) -> list[Finding]:
    return [finding async for finding in sweep(plans, RESOURCES, FakeClock())]


async def test_each_check_is_told_once_in_the_order_of_the_file() -> None:
    """However long each takes."""
    names = [f"c{n}" for n in range(50)]
    assert [finding.sample.check.check for finding in await findings(*map(staged, names))] == names


async def test_figures_without_a_window_are_judged_and_windows_are_not() -> None:
    """One run says nothing about an average over five minutes."""
    now = threshold("load", unit=Unit.RATIO, warning="> 80%", critical="> 90%")
    later = threshold("avg(load, 5m)", unit=Unit.RATIO, critical="> 10%")
    crossed, well = await findings(staged("a", now, later, value=0.95), staged("b", now, later, value=0.5))
    assert crossed.crossed == ("critical: load is 95 % (> 90%)",)
    assert crossed.well
    assert well.crossed == ()


@pytest.mark.parametrize("writes", [False, True])
async def test_what_changes_something_outside_runs_when_it_is_asked_to(*, writes: bool) -> None:
    """A part of a run, as a webhook's canary is, or all of it; and leaving it out is no failure."""
    plans = [staged("partly", writes=True), staged("wholly", writes=True, wholly=True), staged("reads")]
    partly, wholly, reads = [finding async for finding in sweep(plans, RESOURCES, FakeClock(), writes=writes)]
    assert [measure.value for measure in partly.sample.measures] == [1.0 if writes else 0.0]
    assert wholly.sample.left_out is not writes
    assert wholly.well
    assert reads.well
    if not writes:
        assert wholly.sample.detail == "it would change something outside (an order), which takes --writes"


@pytest.fixture
async def mixed() -> list[Finding]:
    return await findings(
        staged("up", threshold("load", unit=Unit.RATIO, warning="> 80%"), value=0.9),
        staged("down", finds=State.DOWN, value=float("nan")),
        staged("dark", finds=State.UNKNOWN),
    )


async def test_a_line_each_without_anything_that_acts_on_a_terminal(mixed: list[Finding]) -> None:
    """State, name, time, and what was wrong."""
    up, down, dark = (as_line(finding, 10) for finding in mixed)
    assert up == "up      shop/up         0 ms  warning: load is 90 % (> 80%)"
    assert down == "down    shop/down       0 ms  status: expected 200, got <502>"
    assert dark.startswith("unknown shop/dark")


async def test_json_holds_everything(mixed: list[Finding]) -> None:
    """And is valid whatever was measured."""
    up, down, dark = json.loads(as_json(mixed))
    assert (up["state"], up["reason"], up["crossed"]) == ("up", None, ["warning: load is 90 % (> 80%)"])
    assert (down["state"], down["reason"], down["measures"][0]["value"]) == ("down", "status", None)
    assert dark["state"] == "unknown"


async def test_a_run_left_out_is_told_as_skipped_and_is_no_failure() -> None:
    """On a line, in JSON, in JUnit's XML; its figures are not judged."""
    figure = threshold("load", unit=Unit.RATIO, warning="> 80%")
    (finding,) = await findings(staged("db", figure, sleeps=True, value=0.9))
    assert finding.well
    assert finding.crossed == ()
    assert as_line(finding, 10) == "skipped shop/db         0 ms  left out: the compute is asleep"
    (record,) = json.loads(as_json([finding]))
    assert (record["state"], record["reason"], record["detail"]) == ("skipped", None, "the compute is asleep")
    suite = ET.fromstring(as_junit([finding]))  # noqa: S314 - our own
    assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["1", "0", "0", "1"]
    (case,) = suite
    assert [(child.tag, child.get("message")) for child in case] == [("skipped", "the compute is asleep")]


async def test_junit_tells_a_failure_from_an_error(mixed: list[Finding]) -> None:
    """Down is a failure, unknown an error."""
    suite = ET.fromstring(as_junit(mixed))  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    failure = suite.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "expected 200, got <502>"
