"""Every threshold of the five systems, judged by the daemon and by Prometheus: both begin and end together."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from monitor.config import Config, load
from monitor.model import Severity, State
from monitor.rules.differences import refusal
from monitor.rules.promql import duration
from monitor.units import parse_duration
from tests.acceptance.process import program
from tests.rules.courses import Step, course_of, gone_in, pace_of, settling, story, values_of
from tests.rules.twins import Case, Course, Found, Twin, is_old, paced, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.plan import Plan
    from monitor.thresholds import Threshold

FILES = Path(__file__).parents[2] / "config"
PACE = timedelta(seconds=10)
LENGTH = 120
GONE = (40, 41, 90, 91)
SYSTEMS = ("capliquify", "ecomdash", "realstaging", "seedsource", "tatame")


def config_of(system: str) -> Config:
    return load(FILES, {}, [system], placeholders=True)


def thresholds_of(config: Config) -> list[tuple[Plan, Threshold]]:
    """Return every threshold that has figures and that PromQL can express."""
    every = ((plan, threshold) for plan in config.plans.values() for threshold in plan.thresholds)
    return [(plan, threshold) for plan, threshold in every if threshold.figures and not refusal(threshold)]


def cases_of(config: Config) -> list[Case]:
    """Return one case for the thresholds of each pace: each of them has a check of its own."""
    together = defaultdict(list)
    for plan, threshold in thresholds_of(config):
        together[pace_of(threshold)].append((plan, threshold))
    return [case_of(config, same, pace) for (pace, _), same in together.items()]


def case_of(config: Config, watched: list[tuple[Plan, Threshold]], interval: timedelta) -> Case:
    settle = max(settling(threshold, interval) for _, threshold in watched)
    plans, courses, gone = {}, {}, []
    for number, (whole, threshold) in enumerate(watched):
        plan = replace(paced(whole, f"{whole.id.check}-{number}", interval), thresholds=(threshold,))
        steps = [*story(threshold, settle, Random(number))]
        plans[plan.id] = plan
        courses[plan.id] = course_of(plan, threshold, interval, steps)
        gone = gone_in(steps)
    twin = Twin(plans, interval)
    twin.run(courses, gone)
    fired = {(key.check, severity) for fires in twin.fires for key, severity in fires if key.name != "down"}
    assert fired >= {(plan.id, figure.severity) for plan in plans.values() for figure in plan.thresholds[0].figures}
    case = Case(replace(config, plans=plans), twin, interval)
    case.leave_out("down", "no data")
    return case


def written(folder: Path, cases: list[Case], *, old: bool) -> list[Path]:
    files = []
    for number, case in enumerate(cases):
        place = folder / str(number)
        place.mkdir()
        files.append(case.write(place, old=old))
    return files


@pytest.mark.parametrize("system", SYSTEMS)
def test_alerts_begin_and_end_together(system: str, tmp_path: Path) -> None:
    promtool = program("promtool", "prometheus")
    files = written(tmp_path, cases_of(config_of(system)), old=is_old(promtool))
    assert {file: said for file, said in verdicts(promtool, files).items() if said} == {}


def troubled(chance: Random) -> Course:
    """Return runs of a check that fails, recovers, cannot tell and is left out, for a while each."""
    course: Course = []
    kinds = (Found(), Found(State.DOWN), Found(State.UNKNOWN), Found(State.UNKNOWN, left_out=True), None)
    while len(course) < LENGTH:
        kind = chance.choices(kinds, (4, 5, 2, 1, 1))[0]
        course += [kind] * chance.choice((1, 1, 1, 2, 3, 4, 25 if kind and kind.state is State.UNKNOWN else 5))
    return course[:LENGTH]


def silence(plan: Plan) -> Course:
    """Return runs that cannot tell until the check has no data, and two that can."""
    return [*[Found(State.UNKNOWN)] * (plan.gap // PACE + 3), Found(), Found()]


def patience(plan: Plan) -> tuple[object, ...]:
    """Return all on which the alerts of the check itself depend."""
    return *sorted(plan.down.items()), plan.gap, plan.check.scheduled


@pytest.mark.parametrize("system", SYSTEMS)
def test_outages_and_silence_begin_and_end_together(system: str, tmp_path: Path) -> None:
    """A check for each patience that the system has: it fails, cannot tell, is left out; twice no daemon runs."""
    promtool = program("promtool", "prometheus")
    config = config_of(system)
    every = [replace(paced(plan, plan.id.check, PACE), thresholds=()) for plan in config.plans.values()]
    plans = {plan.id: plan for plan in {patience(plan): plan for plan in every}.values()}
    courses = {check: [*troubled(Random(str(check))), *silence(plan)] for check, plan in plans.items()}
    twin = Twin(plans, PACE)
    twin.run(courses, GONE)
    case = Case(replace(config, plans=plans), twin, PACE)
    assert verdicts(promtool, written(tmp_path, [case], old=is_old(promtool))) == {tmp_path / "0" / "test.json": ""}
    fired = {(key.name, key.check) for fires in twin.fires for key, _ in fires}
    scheduled = {check for check, plan in plans.items() if plan.check.scheduled}
    assert {check for name, check in fired if name == "down"} == {check for check, plan in plans.items() if plan.down}
    assert {check for name, check in fired if name == "no data"} == scheduled


def moved_figure(rule: dict[str, Any]) -> None:
    """Move the figure of a rule by 2 %, away from where it is crossed."""
    rule["expr"], count = re.subn(
        r"(> |< )([0-9.]+)(?=\n  and)", lambda found: f"{found[1]}{float(found[2]) * 1.02:g}", rule["expr"], count=1
    )
    assert count == 1


def later(rule: dict[str, Any], key: str, interval: timedelta) -> None:
    """Make a rule wait one evaluation longer."""
    seconds = parse_duration(rule[key]) + interval
    rule[key] = duration(seconds)


MUTATIONS: dict[str, Callable[[dict[str, Any], timedelta], None]] = {
    "figure": lambda rule, _: moved_figure(rule),
    "for": lambda rule, interval: later(rule, "for", interval),
    "keep": lambda rule, interval: later(rule, "keep_firing_for", interval),
    "labels": lambda rule, _: rule["labels"].update(severity="info"),
    "held": lambda rule, _: rule.update(expr=rule["expr"].partition("\nor ")[0]),
}


@pytest.mark.parametrize("check", ["database", "backend", "render-usage"])
def test_a_rule_that_is_wrong_is_seen(check: str, tmp_path: Path) -> None:
    """A figure moved by 2 %, `for` or `keep` longer by one evaluation, another label, nothing held: each is noticed."""
    promtool = program("promtool", "prometheus")
    config = config_of("capliquify")
    plan, threshold = next(
        (plan, threshold)
        for plan, threshold in thresholds_of(config)
        if plan.id.check == check and (threshold.patience[Severity.WARNING].for_ or check == "render-usage")
    )
    waits = bool(threshold.patience[Severity.WARNING].for_)
    names = [name for name in MUTATIONS if waits or name not in {"for", "keep"}]
    cases = []
    for name in ("", *names):
        pace, _ = pace_of(threshold)
        case = case_of(config, [(plan, threshold)], pace)
        if name:
            MUTATIONS[name](case.alerts(threshold.name)[0], pace)
        cases.append(case)
    said = verdicts(promtool, written(tmp_path, cases, old=is_old(promtool)))
    assert [bool(told) for told in said.values()] == [False, *(True for _ in names)], said


def test_a_wait_begins_anew_where_nobody_could_tell(tmp_path: Path) -> None:
    """As the report says: after an unknown run within `for` the daemon counts on, and Prometheus begins anew."""
    promtool = program("promtool", "prometheus")
    config = config_of("capliquify")
    whole, threshold = next(
        (plan, threshold) for plan, threshold in thresholds_of(config) if threshold.name == "slow statement"
    )
    plan = replace(paced(whole, "database", PACE), thresholds=(threshold,))
    waits = threshold.patience[Severity.WARNING].for_ // PACE
    over = Step(values_of(threshold).worst)
    steps: list[Step | str] = [*[over] * 10, Step(None, State.UNKNOWN), *[over] * 2 * waits]
    twin = Twin({plan.id: plan}, PACE)
    twin.run({plan.id: course_of(plan, threshold, PACE, steps)}, ())
    begins = next(index for index, fires in enumerate(twin.fires) if fires)
    assert begins == waits + 2  # neither the time to the unknown run counts, nor that from it
    twin.fires[:] = [fires if index >= 11 + waits else set() for index, fires in enumerate(twin.fires)]
    case = Case(replace(config, plans={plan.id: plan}), twin, PACE)
    case.leave_out("down", "no data")
    assert [*verdicts(promtool, written(tmp_path, [case], old=is_old(promtool))).values()] == [""]
