from datetime import timedelta
from typing import ClassVar

import pytest

from monitor.config.fields import SystemFields
from monitor.config.planning import make_plan
from monitor.config.section import Context, Section
from monitor.config.variables import Variables
from monitor.config.yaml_file import Document
from monitor.model import CheckId
from monitor.plan import Plan
from monitor.probes.base import Check, MeasureSpec, Run, ThresholdFields
from monitor.units import Unit

DAY = timedelta(days=1)


class Gauge(Check):
    """A kind with a measure of each unit, and thresholds of its own."""

    kind: str = "gauge"
    measures: ClassVar[tuple[MeasureSpec, ...]] = (
        MeasureSpec("duration", Unit.SECONDS, "how long it took"),
        MeasureSpec("share", Unit.RATIO, "how full it is"),
        MeasureSpec("load", Unit.RATIO, "how full it would have to be", exceeds=True),
        MeasureSpec("size", Unit.BYTES, "how large it is"),
        MeasureSpec("count", Unit.NUMBER, "how many there are"),
    )

    @property
    def host(self) -> str:
        return "localhost"

    async def probe(self, run: Run) -> None:
        raise AssertionError(run)

    def implied(self) -> tuple[ThresholdFields, ...]:
        return (
            ThresholdFields(watch="size", name="size", critical="> 1GB"),
            ThresholdFields(watch="none", name="none"),
        )


class Odd(Gauge):
    """A kind that says the same twice, and uses a label of ours."""

    measures: ClassVar[tuple[MeasureSpec, ...]] = (
        MeasureSpec("count", Unit.NUMBER, "how many there are", ("system", "state")),
        MeasureSpec("count", Unit.NUMBER, "how many there are"),
        MeasureSpec("size", Unit.BYTES, "how large it is"),
    )


def planned(check: Check) -> tuple[Plan, list[str]]:
    context = Context(Variables({}))
    section = Section(Document("shop.yaml", {"system": "shop"}), ("checks", "site"), context)
    plan = make_plan(CheckId("shop", "site"), check, SystemFields(checks={}), section, DAY)
    return plan, [fault.message for fault in context.faults]


def faults_of(watch: str, **figures: str) -> list[str]:
    fields = ThresholdFields.model_validate({"watch": watch, "name": "own", **figures})
    faults = planned(Gauge(thresholds=[fields]))[1]
    return [fault for fault in faults if "none" not in fault]


def test_a_threshold_of_the_kind_that_its_measures_do_not_fit_is_told() -> None:
    """A kind's own mistake must not go unseen."""
    plan, faults = planned(Gauge())
    assert [threshold.name for threshold in plan.thresholds] == ["size"]
    assert faults == ["a check of kind gauge has no measure 'none'"]


def test_measures_that_are_there_twice_or_have_a_label_of_ours_are_told() -> None:
    faults = planned(Odd())[1]
    assert "the measure count is there twice" in faults
    assert "the measure count has a label system, which every series has already" in faults


@pytest.mark.parametrize(
    ("watch", "figure"),
    [
        ("share", "> 100%"),
        ("share", ">= 101%"),
        ("share", "< 0%"),
        ("share", "<= -1%"),
        ("share", "== 150%"),
        ("avg(share, 1h)", "> 100%"),
        ("p50(share, 1h)", "> 100%"),
        ("rate(count, 1h)", "< 0/s"),
        ("increase(count, 1h)", "< 0"),
    ],
)
def test_a_figure_outside_of_what_can_be_measured_never_fires(watch: str, figure: str) -> None:
    assert faults_of(watch, critical=figure) == [f"{figure!r} can never be true of {watch}"]


@pytest.mark.parametrize(
    ("watch", "figure"),
    [
        ("share", ">= 0%"),
        ("share", "> -1%"),
        ("share", "<= 100%"),
        ("share", "< 101%"),
        ("share", "!= 150%"),
        ("increase(count, 1h)", ">= 0"),
    ],
)
def test_a_figure_beyond_what_can_be_measured_always_fires(watch: str, figure: str) -> None:
    assert faults_of(watch, critical=figure) == [f"{figure!r} is always true of {watch}"]


@pytest.mark.parametrize(
    ("watch", "figure"),
    [
        ("share", ">= 100%"),
        ("share", "<= 0%"),
        ("share", "== 100%"),
        ("share", "!= 0%"),
        ("share", "> 80%"),
        ("load", "> 100%"),
        ("max(load, 1h)", "> 250%"),
        ("count", "< -5"),
        ("count", ">= 0"),
        ("sum(share, 1h)", "> 500%"),
        ("change(share, 1h)", "< -50%"),
        ("change(share, 1h)", "> 200%"),
        ("sum(duration, 1h)", "> 1m"),
        ("increase(duration, 1h)", "> 1m"),
        ("duration", "> 9s"),
    ],
)
def test_a_figure_that_may_or_may_not_be_crossed_is_fine(watch: str, figure: str) -> None:
    """A sum or a change may leave the range of the values that it is made of."""
    assert faults_of(watch, critical=figure) == []


@pytest.mark.parametrize(
    ("info", "warning", "critical"),
    [
        ("> 70%", "> 80%", "> 90%"),
        ("< 30%", "< 20%", "< 10%"),
        ("> 80%", "", "> 80%"),
        (">= 80%", "> 80%", ""),
        ("", "!= 50%", "> 90%"),
        ("== 1%", "", "== 2%"),
        ("> 70%", "== 50%", "> 90%"),
    ],
)
def test_figures_that_get_worse_in_one_direction_are_fine(info: str, warning: str, critical: str) -> None:
    """Equal ones too: a level may differ in its `for` alone. What is equal or not has no direction."""
    assert faults_of("share", info=info, warning=warning, critical=critical) == []


@pytest.mark.parametrize(
    ("info", "warning", "critical", "count"),
    [
        ("> 80%", "> 70%", "> 90%", 1),
        ("> 80%", "> 70%", "> 60%", 2),
        ("< 10%", "", "< 20%", 1),
        ("< 10%", "> 20%", "", 1),
    ],
)
def test_figures_that_do_not_are_faults(info: str, warning: str, critical: str, count: int) -> None:
    assert len(faults_of("share", info=info, warning=warning, critical=critical)) == count


@pytest.mark.parametrize(
    ("watch", "every", "held"),
    [
        ("p95(count, 210s)", "10s", True),
        ("p95(count, 201s)", "10s", True),
        ("p95(count, 200s)", "10s", False),
        ("p50(count, 21s)", "10s", True),
        ("avg(count, 5s)", "10s", True),
        ("rate(count, 10s)", "10s", False),
        ("rate(count, 11s)", "10s", True),
        ("avg(count, 1d)", "10s", True),
    ],
)
def test_a_window_must_hold_what_its_function_needs(watch: str, every: str, held: bool) -> None:
    """The window is (t-w, t]: a run exactly w ago is out."""
    target = "< 5/s" if watch.startswith("rate") else "< 5"
    check = Gauge.model_validate({"every": every, "thresholds": [{"watch": watch, "target": target}]})
    faults = [fault for fault in planned(check)[1] if "window" in fault]
    assert (not faults) is held


def test_a_remedy_is_lines_or_steps() -> None:
    text = planned(Gauge(remedy="Look.\n\n  Act.\n"))[0].remedy
    steps = planned(Gauge.model_validate({"remedy": ["Look.", {"do": "Act."}]}))[0].remedy
    assert text == steps == ("Look.", "Act.")
