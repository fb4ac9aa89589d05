"""The groups of a file of rules: one for each system, and one for the daemon itself."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from monitor.model import DOWN, NO_DATA, OURS, Severity
from monitor.rules import outage
from monitor.rules.differences import PREAMBLE, refusal, report
from monitor.rules.expression import Expression
from monitor.rules.own import missing, ours
from monitor.rules.promql import duration
from monitor.rules.rule import Alerting, Recording
from monitor.rules.text import as_yaml
from monitor.rules.words import Words, labels_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from monitor.config import Config
    from monitor.plan import Plan
    from monitor.rules.text import Value
    from monitor.thresholds import Threshold

USUAL = timedelta(seconds=10)
"""How often is scraped and evaluated unless somebody says otherwise: the usual pace after a failure."""
FAILED = "{{ if eq $value $value }}{{ $value }} failed runs in a row{{ else }}not yet seen to be up for good{{ end }}"


def rules_file(config: Config, redact: Callable[[str], str], interval: timedelta = USUAL) -> str:
    """Return the rules of all systems as Prometheus reads them, with what they cannot say as comments at the end.

    `interval` is how often Prometheus scrapes and evaluates; `redact` takes secrets out of texts.
    """
    words = Words(redact)
    groups: list[Value] = []
    for system in config.systems:
        plans = [plan for plan in config.plans.values() if plan.id.system == system]
        alerts = [missing(system), *_of_checks(plans, words, interval)]
        groups.append(_group(system, interval, [*outage.recordings(system), *alerts]))
    groups.append(_group(OURS, interval, ours(config.systems)))
    after = [words.remark(line) for line in report(config, interval)]
    return as_yaml({"groups": groups}, before=[line.format(duration(interval)) for line in PREAMBLE], after=after)


def _group(name: str, interval: timedelta, rules: Iterable[Recording | Alerting]) -> Value:
    return {"name": name, "interval": duration(interval), "rules": [rule.value() for rule in rules]}


def _of_checks(plans: Iterable[Plan], words: Words, interval: timedelta) -> Iterator[Alerting]:
    for plan in plans:
        yield from _outages(plan, words)
        for threshold in plan.thresholds:
            if not refusal(threshold):
                yield from _levels(plan, threshold, words, interval)


def _outages(plan: Plan, words: Words) -> Iterator[Alerting]:
    remarks = (words.remark(plan.where, plan.check.source),)
    for severity, patience in plan.down.items():
        said = words.about_check(plan, DOWN, FAILED)
        labels = labels_for(plan.id, severity)
        yield Alerting(DOWN, outage.down(plan.id, severity, patience), labels, said, remarks=remarks)
    if plan.check.scheduled:
        said = words.about_check(plan, NO_DATA, "No run could tell whether it is up.")
        labels = labels_for(plan.id, Severity.WARNING)
        yield Alerting(NO_DATA, outage.no_data(plan, plan.gap), labels, said)


def _levels(plan: Plan, threshold: Threshold, words: Words, interval: timedelta) -> Iterator[Alerting]:
    expression = Expression(plan, threshold, interval)
    implied = "comes with the kind" if threshold.implied else ""
    remarks = (words.remark(plan.where, threshold.source or plan.check.source, threshold.watch.text, implied),)
    for figure in threshold.figures:
        patience = threshold.patience[figure.severity]
        yield Alerting(
            threshold.name,
            expression.level(figure),
            labels_for(plan.id, figure.severity),
            words.about_threshold(plan, threshold, figure.severity),
            patience.for_,
            patience.keep,
            remarks,
        )
