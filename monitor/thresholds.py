"""Samples → verdict. Pure: no clock, no I/O; the moment judged is the sample's own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from monitor.history import History
from monitor.model import AlertKey, Labels, Outcome, Patience, Severity, State, Verdict
from monitor.units import Unit
from monitor.watch import Figure, Function, Watch, parse_figure, parse_watch, result_unit, values_needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from monitor.model import CheckId, Sample

__all__ = [
    "Figure",
    "Function",
    "History",
    "Threshold",
    "Watch",
    "judge",
    "parse_figure",
    "parse_watch",
    "result_unit",
    "values_needed",
]


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold, ready to judge. `unit` is that of the watch's result; `implied`: it comes with the kind."""

    name: str
    watch: Watch
    unit: Unit
    figures: tuple[Figure, ...]
    patience: Mapping[Severity, Patience] = field(default_factory=dict)
    target: str = ""
    remedy: tuple[str, ...] = ()
    source: str = ""
    implied: bool = False


def judge(
    check: CheckId, threshold: Threshold, history: History, sample: Sample, live: Iterable[Labels]
) -> list[Verdict]:
    """Return a verdict for each label set; `live` are those with an alert, which must get one even if they vanished.

    `history` was made for the threshold's watch and has taken in `sample`. A verdict is blind when there is no number
    to compare (too few values in the window, not a number, no result), when the sample is unknown or came too late for
    the history, and when a live series is missing while the check is down, while its measure could not be taken, or
    while there is too little of the past to tell. A live series that is missing otherwise is clear: what was there has
    gone. Missing means not in the sample or, with a window, not in there.
    """
    known = sample.state is not State.UNKNOWN and history.ends_with(sample)
    told = known and threshold.watch.measure not in sample.unmeasured and not history.blind(threshold.watch)
    gone = Outcome.CLEAR if sample.state is State.UP and told else Outcome.BLIND
    read = history.read(threshold.watch)
    verdicts = [
        _verdict(AlertKey(check, threshold.name, labels), threshold, sample, value if known else math.nan)
        for labels, value in read.items()
    ]
    for labels in live:
        if labels not in read:
            outcomes = {figure.severity: gone for figure in threshold.figures}
            verdicts.append(Verdict(AlertKey(check, threshold.name, labels), sample.at, outcomes))
    return verdicts


def _verdict(key: AlertKey, threshold: Threshold, sample: Sample, value: float) -> Verdict:
    """Return how `value` compares with each figure; a moment is judged by the time left until it."""
    if math.isnan(value):
        return Verdict(key, sample.at, {figure.severity: Outcome.BLIND for figure in threshold.figures})
    if threshold.unit is Unit.TIMESTAMP:
        value -= sample.at.timestamp()
    outcomes = {
        figure.severity: Outcome.BREACH if figure.crossed(value) else Outcome.CLEAR for figure in threshold.figures
    }
    return Verdict(key, sample.at, outcomes, value)
