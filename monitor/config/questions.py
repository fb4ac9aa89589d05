"""Steps of remedies that answer themselves: what they run is looked up once every check of every system is known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.faults import allowed
from monitor.model import CheckId
from monitor.plan import Question
from monitor.probes.base import Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from monitor.config.section import Section
    from monitor.plan import Plan
    from monitor.probes.base import Check, RemedyText

FORMS = "CHECK, CHECK/MEASURE, SYSTEM/CHECK or SYSTEM/CHECK/MEASURE"

Known = dict[str, dict[str, "Check | None"]]
"""The checks of each system by name; None: one that is too wrong to tell anything of."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A step that runs something, of a remedy of the check `asker`, and where in its `section` that stands."""

    asker: CheckId
    step: Step
    section: Section
    path: tuple[str | int, ...]

    def fault(self, message: str, hint: str = "") -> None:
        """Note what is wrong with what it runs."""
        self.section.fault(self.path, message, hint)


def asked(asker: CheckId, check: Check, section: Section) -> Iterator[Asked]:
    """Yield the steps of a check's remedies that run something."""
    remedies: list[tuple[tuple[str | int, ...], RemedyText]] = [(("remedy",), check.remedy)]
    remedies += [(("remedy_for", str(reason)), remedy) for reason, remedy in check.remedy_for.items()]
    remedies += [(("thresholds", index, "remedy"), each.remedy) for index, each in enumerate(check.thresholds)]
    for path, remedy in remedies:
        for index, step in enumerate(() if isinstance(remedy, str) else remedy):
            if isinstance(step, Step) and step.run:
                yield Asked(asker, step, section, (*path, index, "run"))


def with_questions(plans: Mapping[CheckId, Plan], steps: list[Asked], known: Known) -> dict[CheckId, Plan]:
    """Return `plans` with what their steps ask; faults go to the sections. What is skipped is asked nothing."""
    found: dict[CheckId, dict[str, Question]] = {}
    for each in steps:
        question = _question(each, known)
        if question is None:
            continue
        own = found.setdefault(each.asker, {})
        if own.setdefault(each.step.do, question) != question:
            each.fault("the same step runs something else before", "let both run the same, or word them differently")
    answered = {
        asker: {step: question for step, question in own.items() if question.check in plans}
        for asker, own in found.items()
    }
    return {check: replace(plan, questions=answered.get(check, {})) for check, plan in plans.items()}


def _question(asked: Asked, known: Known) -> Question | None:
    """Return what a step asks, or None once it is noted why it cannot."""
    place = _place(asked, known)
    if place is None:
        return None
    target, measure = place
    checks = known[target.system]
    if target.check not in checks:
        asked.fault(f"there is no check {target.check!r} in {target.system}", allowed(target.check, checks))
        return None
    check = checks[target.check]
    if check is None:
        return None
    if check.changes:
        asked.fault(f"{target} changes something outside ({check.changes}), and a step may only read")
        return None
    return _measured(asked, target, check, measure)


def _place(asked: Asked, known: Known) -> tuple[CheckId, str] | None:
    """Return the check that a step names, and the measure; a check of its own system comes before another system."""
    parts = asked.step.run.strip().split("/")
    own = known[asked.asker.system]
    match parts:
        case [check]:
            return CheckId(asked.asker.system, check), ""
        case [check, measure] if check in own or check not in known:
            return CheckId(asked.asker.system, check), measure
        case [system, check]:
            return CheckId(system, check), ""
        case [system, check, measure] if system in known:
            return CheckId(system, check), measure
        case [system, _, _]:
            asked.fault(f"there is no system {system!r}", allowed(system, known))
        case _:
            asked.fault(f"{asked.step.run!r} names no check", f"write {FORMS}")
    return None


def _measured(asked: Asked, target: CheckId, check: Check, measure: str) -> Question | None:
    if not measure:
        return Question(target)
    units = {spec.name: spec.unit for spec in check.declared()}
    if measure not in units:
        asked.fault(f"{target}, of kind {check.kind}, has no measure {measure!r}", allowed(measure, units))
        return None
    return Question(target, measure, units[measure])
