"""What explains what, as Alertmanager's inhibit rules: the worse level, a check that is down, what checks need."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from monitor.metrics.text import label_name
from monitor.model import BLIND, DOWN, NO_DATA, Severity
from monitor.rules.differences import refusal
from monitor.rules.expression import measure_of
from monitor.rules.matching import equal, unequal
from monitor.rules.text import Remarked
from monitor.situation import OURSELVES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from monitor.config import Config
    from monitor.plan import Plan
    from monitor.rules.text import Value


def inhibit_rules(config: Config) -> list[Remarked]:
    """Return what holds back what."""
    plans = config.plans.values()
    return [*_worse(_labels(plans)), _own_outage(), _blind(), *_needs(plans)]


def _labels(plans: Iterable[Plan]) -> list[str]:
    """Return every label that tells apart alerts of one threshold."""
    watched = ((plan, threshold) for plan in plans for threshold in plan.thresholds if not refusal(threshold))
    return sorted({label_name(name) for plan, threshold in watched for name in measure_of(plan, threshold).labels})


def _worse(labels: list[str]) -> Iterator[Remarked]:
    same: list[Value] = ["alertname", "system", "check", *labels]
    for worse in (Severity.CRITICAL, Severity.WARNING):
        less = [str(severity) for severity in Severity if severity < worse]
        yield _rule(
            f"What is {worse} is not told as {' and '.join(less)} besides.",
            [equal("severity", str(worse))],
            [equal("severity", *less)],
            same,
        )


def _own_outage() -> Remarked:
    return _rule(
        "A check that is down explains its thresholds.",
        [equal("alertname", DOWN)],
        [unequal("alertname", DOWN, NO_DATA)],
        ["system", "check"],
    )


def _blind() -> Remarked:
    return _rule(
        "A monitor that is blind explains checks without data.",
        [equal("alertname", BLIND), equal("system", OURSELVES.system)],
        [equal("alertname", NO_DATA)],
        [],
    )


def _needs(plans: Iterable[Plan]) -> Iterator[Remarked]:
    dependents = defaultdict(list)
    for plan in plans:
        for need in plan.needs:
            dependents[need].append(plan.id.check)
    for need, checks in sorted(dependents.items()):
        yield _rule(
            f"needs: while {need} fails, these are held back.",
            [equal("alertname", DOWN), equal("check", need.check)],
            [equal("check", *checks), unequal("alertname", NO_DATA), equal("system", need.system)],
            ["system"],
        )


def _rule(remark: str, source: list[Value], target: list[Value], same: list[Value]) -> Remarked:
    return Remarked({"source_matchers": source, "target_matchers": target, "equal": same}, (remark,))
