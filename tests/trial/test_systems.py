"""The five systems' own tests: they pass, cover everything, and fail as soon as a figure is another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.config import Config, load
from monitor.model import DOWN, Severity
from monitor.trial.command import Trial, assemble, run_case, run_trials
from monitor.trial.reading import Case, read_source
from monitor.units import Unit
from monitor.watch import Function
from tests.systems.bench import FILES

if TYPE_CHECKING:
    from monitor.plan import Plan
    from monitor.thresholds import Figure, Threshold

SYSTEMS = ("capliquify", "ecomdash", "realstaging", "seedsource", "tatame")
TESTS = FILES / "tests"


@pytest.fixture(scope="module")
def everything() -> Config:
    """All five files, stand-ins for every variable."""
    return load(FILES, {}, placeholders=True)


def trial(config: Config, name: str) -> Trial:
    """Return the tests in that file, for another configuration too."""
    return assemble(config, [read_source(TESTS / f"{name}.yaml")], [])


@pytest.mark.parametrize("name", [*SYSTEMS, "routes"])
async def test_the_tests_that_are_shipped_pass(everything: Config, name: str) -> None:
    found = trial(everything, name)
    failed = [outcome async for outcome in run_trials([found]) if not outcome.passed]
    assert not failed
    assert not [rule for rule in found.coverage.uncovered if name != "routes" or rule.startswith("route ")]


def test_every_file_of_tests_is_one_of_these() -> None:
    """None is shipped that nobody runs."""
    assert sorted(path.stem for path in TESTS.iterdir()) == sorted([*SYSTEMS, "routes"])


def other_figures(figure: Figure, unit: Unit) -> list[Figure]:
    """Return the figure a little further up, and a little further down: 2 %, one of what is counted, a few hours."""
    small = abs(figure.value) * 0.02
    counted = unit is Unit.NUMBER and figure.value == int(figure.value)
    step = max(small, 1 if counted else 7_200 if unit is Unit.TIMESTAMP else 0.001)
    return [replace(figure, value=figure.value + step), replace(figure, value=figure.value - step)]


def with_figure(plan: Plan, threshold: Threshold, old: Figure, new: Figure) -> Plan:
    figures = tuple(new if figure is old else figure for figure in threshold.figures)
    changed = replace(threshold, figures=figures)
    return replace(plan, thresholds=tuple(changed if one is threshold else one for one in plan.thresholds))


def with_patience(plan: Plan, threshold: Threshold, severity: Severity) -> Plan:
    """Return the plan whose level waits for three more runs."""
    patience = threshold.patience[severity]
    longer = replace(patience, for_=patience.for_ + 3 * plan.check.every)
    changed = replace(threshold, patience={**threshold.patience, severity: longer})
    return replace(plan, thresholds=tuple(changed if one is threshold else one for one in plan.thresholds))


def changed_plans(plan: Plan, name: str) -> list[tuple[str, Plan]]:
    """Return `plan` with each figure of one alert changed by what matters."""
    if name == DOWN:
        counts = [(level, patience, by) for level, patience in plan.down.items() for by in (1, -1)]
        return [
            (f"{level} {by:+}", replace(plan, down={**plan.down, level: replace(patience, breaches=count)}))
            for level, patience, by in counts
            if (count := patience.breaches + by) > 0
        ]
    threshold = plan.threshold(name)
    assert threshold is not None
    figures = [(old, new) for old in threshold.figures for new in other_figures(old, threshold.unit)]
    if threshold.watch.function is Function.UNSEEN:  # what is unseen is counted from one: more than -1 is more than 0
        figures = [(old, new) for old, new in figures if new.value >= 0]
    return [
        *((f"{old.text} as {new.value:g}", with_figure(plan, threshold, old, new)) for old, new in figures),
        *((f"{level} later", with_patience(plan, threshold, level)) for level in threshold.patience),
    ]


async def survivors(case: Case, config: Config) -> list[str]:
    """Return the changes after which the test still passes."""
    plan = config.plans[next(iter(case.parts[0].stage.scripts))]
    name = case.name.removeprefix(f"{plan.id} ")
    found = []
    for what, changed in changed_plans(plan, name):
        outcome = await run_case(case, replace(config, plans={**config.plans, plan.id: changed}))
        if outcome.passed:
            found.append(f"{case.name}: {what}")
    return found


@pytest.mark.parametrize("system", SYSTEMS)
async def test_any_other_figure_fails(everything: Config, system: str) -> None:
    """Each figure 2 % off, or one off where things are counted; each patience three runs longer; each count one off."""
    found = trial(everything, system)
    assert [left for case in found.cases for left in await survivors(case, everything)] == []


async def test_a_file_that_is_edited_fails(everything: Config) -> None:
    """The whole way: the tests of one system, held against a file in which one figure reads otherwise."""
    plan = next(plan for plan in everything.plans.values() if str(plan.id) == "ecomdash/database")
    threshold = next(one for one in plan.thresholds if one.name == "connections")
    changed = with_figure(plan, threshold, threshold.figures[0], replace(threshold.figures[0], value=0.85))
    found = trial(replace(everything, plans={**everything.plans, plan.id: changed}), "ecomdash")
    failed = [outcome async for outcome in run_trials([found]) if not outcome.passed]
    assert [outcome.name for outcome in failed] == ["ecomdash/database connections"]
    assert failed[0].failures[0].came == ("it stayed silent",)
    assert failed[0].lasted > timedelta()
