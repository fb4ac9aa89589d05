"""From a check's fields to its plan: thresholds are compiled, and figures that make no sense are refused."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from monitor.baseline import WANTED
from monitor.faults import allowed
from monitor.kinship import HOST, PLATFORM, REGION, VENDOR
from monitor.model import DOWN, DRILL, NO_DATA, Patience, Severity, stable_id
from monitor.plan import Plan
from monitor.platforms import platform_of, region_of
from monitor.probes.base import LevelDurations
from monitor.thresholds import Threshold
from monitor.units import Unit, show_duration
from monitor.watch import Function, parse_figure, parse_watch, result_unit, settled, values_needed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from monitor.config.fields import RetentionFields, SystemFields
    from monitor.config.section import Section
    from monitor.model import CheckId
    from monitor.probes.base import Check, MeasureSpec, RemedyText, ThresholdFields
    from monitor.watch import Figure, Watch

RESERVED_LABELS = {"system", "check"}
RESERVED_NAMES = {DOWN, NO_DATA, DRILL}
KEEPS_RANGE = {Function.LAST, Function.AVG, Function.MIN, Function.MAX, Function.QUANTILE, Function.DRIFT}
"""Functions whose result lies between the smallest and the largest value that there can be in its unit."""
COUNTING = {Function.RATE, Function.INCREASE, Function.UNSEEN}
MIXED = {Function.DRIFT, Function.UNSEEN}
HOUR = timedelta(hours=1)
RANGES = {
    Unit.SECONDS: (0.0, math.inf),
    Unit.BYTES: (0.0, math.inf),
    Unit.RATIO: (0.0, 1.0),
    Unit.PER_SECOND: (0.0, math.inf),
    Unit.BYTES_PER_SECOND: (0.0, math.inf),
}
TIMED = "duration"
"""The measure that no run can bring beyond its deadline."""


def make_plan(check_id: CheckId, check: Check, system: SystemFields, section: Section, kept: RetentionFields) -> Plan:
    """Return the plan of `check`, without what it needs; faults go to `section`. `kept`: how long things stay."""
    compiler = _Compiler(check, section, kept)
    down = {level: Patience(breaches=count, clears=check.up) for level, count in check.down.counts().items()}
    if not down and check.down.model_fields_set:
        section.fault(("down",), "names no level", "write how many failures make a level, such as {critical: 3}")
    line, _ = section.document.place(section.base)
    around = system.title, system.runbook, system.zone
    return Plan(
        id=check_id,
        check=check,
        thresholds=compiler.thresholds(),
        down=down,
        remedy=remedy_lines(check.remedy),
        remedy_for={reason: remedy_lines(text) for reason, text in check.remedy_for.items()},
        kin=tuple(_kin(check, section)),
        title=check.title or check_id.check,
        system_title=system.title or check_id.system,
        runbook=system.runbook,
        zone=system.zone,
        where=f"{section.document.file}:{line}",
        fingerprint=stable_id(json.dumps(section.data, sort_keys=True, default=str), *around),
    )


def remedy_lines(remedy: RemedyText) -> tuple[str, ...]:
    """Return the steps of a remedy: those of a list, or the lines of a text."""
    if isinstance(remedy, str):
        return tuple(line.strip() for line in remedy.splitlines() if line.strip())
    return tuple(step if isinstance(step, str) else step.do for step in remedy)


def _kin(check: Check, section: Section) -> Iterator[tuple[str, str]]:
    """Yield what the check may have in common with others, without what is secret."""
    if section.salvaged:
        return
    host = check.host
    found = ((HOST, host), (PLATFORM, platform_of(host)), (REGION, region_of(host)), (VENDOR, check.tells_of))
    yield from ((kind, value) for kind, value in found if value and section.shows(value))


class _Compiler:
    """Compiles the thresholds of one check and notes what is wrong with them."""

    def __init__(self, check: Check, section: Section, kept: RetentionFields) -> None:
        self._check = check
        self._section = section
        self._kept = kept
        self._specs: Mapping[str, MeasureSpec] = {spec.name: spec for spec in check.declared()}

    def thresholds(self) -> tuple[Threshold, ...]:
        """Return every threshold that could be compiled: those of the file, then those that the kind implies."""
        self._look_at_measures()
        self._look_at_names()
        own = [
            threshold
            for index, fields in enumerate(self._check.thresholds)
            if (threshold := self._threshold(fields, ("thresholds", index)))
        ]
        return (*own, *self._implied(own))

    def _implied(self, own: Sequence[Threshold]) -> Iterator[Threshold]:
        watched, names = {threshold.watch.measure for threshold in own}, {threshold.name for threshold in own}
        for fields in self._check.implied():
            if parse_watch(fields.watch).measure in watched:
                continue
            if fields.name in names:
                self._section.fault(
                    ("thresholds",), f"{fields.name!r} is the name of a threshold that comes with the kind"
                )
            if threshold := self._threshold(fields, ()):
                yield replace(threshold, implied=True)

    def _look_at_measures(self) -> None:
        for name, times in Counter(spec.name for spec in self._check.declared()).items():
            if times > 1:
                self._section.fault((), f"the measure {name} is there twice", "give the value another name")
        for spec in self._check.declared():
            for label in RESERVED_LABELS.intersection(spec.labels):
                self._section.fault((), f"the measure {spec.name} has a label {label}, which every series has already")

    def _look_at_names(self) -> None:
        names = [fields.name or fields.watch.strip() for fields in self._check.thresholds]
        for index, name in enumerate(names):
            key = "name" if self._check.thresholds[index].name else "watch"
            if name in RESERVED_NAMES:
                self._section.fault(("thresholds", index, key), f"{name!r} is what the check's own alert is called")
            elif name in names[:index]:
                hint = "give each threshold a name"
                self._section.fault(("thresholds", index, key), f"{name!r} is the name of an earlier threshold", hint)

    def _threshold(self, fields: ThresholdFields, path: tuple[str | int, ...]) -> Threshold | None:
        try:
            watch = parse_watch(fields.watch)
        except ValueError as error:
            self._section.fault((*path, "watch"), str(error))
            return None
        unit = self._unit(watch, (*path, "watch"))
        if unit is None:
            return None
        watch = self._settled(watch, (*path, "watch"))
        self._look_at_window(watch, (*path, "watch"))
        if watch.looks_back and not self._section.salvaged:
            self._look_back(watch, (*path, "watch"))
        figures = tuple(self._figures(fields, watch, unit, path))
        return Threshold(
            name=fields.name or watch.text,
            watch=watch,
            unit=unit,
            figures=figures,
            patience=_patience(fields),
            target=fields.target.strip(),
            remedy=remedy_lines(fields.remedy),
            source=fields.source,
        )

    def _unit(self, watch: Watch, path: tuple[str | int, ...]) -> Unit | None:
        spec = self._specs.get(watch.measure)
        if spec is None and self._section.salvaged:
            return None
        if spec is None:
            hint = allowed(watch.measure, self._specs)
            self._section.fault(path, f"a check of kind {self._check.kind} has no measure {watch.measure!r}", hint)
            return None
        named = (label for label, _ in (*watch.selection, *watch.exclusion))
        for label in (*named, *filter(None, [watch.by])):
            if label not in spec.labels:
                self._section.fault(path, f"{watch.measure} has no label {label!r}", allowed(label, spec.labels))
        try:
            return result_unit(watch, spec.unit)
        except ValueError as error:
            self._section.fault(path, str(error))
            return None

    def _look_at_window(self, watch: Watch, path: tuple[str | int, ...]) -> None:
        if not watch.window or self._section.salvaged:
            return
        every, needed = self._check.every, values_needed(watch)
        # The window is open at its beginning: a run exactly that long ago is no longer in it.
        held = -(-watch.window // every)
        if held < needed:
            message = (
                f"a window of {_span(watch.window)} holds {held} runs every {_span(every)}, {watch.text} needs {needed}"
            )
            self._section.fault(path, message, f"make it {_span(needed * every)} or longer, or run more often")
        if watch.window > self._kept.samples:
            self._section.fault(path, f"the window is longer than samples are kept ({_span(self._kept.samples)})")

    def _settled(self, watch: Watch, path: tuple[str | int, ...]) -> Watch:
        """Return `watch` with its least amount in the measure's unit."""
        try:
            return settled(watch, self._specs[watch.measure].unit)
        except ValueError as error:
            self._section.fault(path, str(error))
            return watch

    def _look_back(self, watch: Watch, path: tuple[str | int, ...]) -> None:
        """Note what keeps `watch` from ever having a past to compare with."""
        needed = WANTED + watch.window if watch.function is Function.DRIFT else WANTED
        if self._kept.hours < needed:
            message = f"{watch.text} looks back {_span(needed)}, and hours are kept {_span(self._kept.hours)}"
            self._section.fault(path, message, f"set retention: {{hours: {needed.days}d}} or more")
        if watch.function is Function.USUAL and self._check.every > HOUR:
            message = f"what is usual is known by the hour, and it runs every {_span(self._check.every)}"
            self._section.fault(path, message, "let it run once an hour or more often")
        spec = self._specs[watch.measure]
        if watch.function in MIXED and not spec.labels and spec in self._check.measures:
            self._section.fault(path, f"{watch.measure} has no label whose values {watch.function} could tell apart")

    def _figures(
        self, fields: ThresholdFields, watch: Watch, unit: Unit, path: tuple[str | int, ...]
    ) -> Iterator[Figure]:
        found: list[Figure] = []
        for severity in Severity:
            if figure := self._figure(severity, getattr(fields, str(severity)), unit, (*path, str(severity))):
                self._look_at_range(figure, watch, unit, (*path, str(severity)))
                found.append(figure)
        self._figure(Severity.INFO, fields.target, unit, (*path, "target"))
        if not any((fields.info, fields.warning, fields.critical, fields.target, self._section.salvaged)):
            self._section.fault(path, "has no figure", "give it a warning, a critical, an info or a target")
        self._look_at_order(found, path)
        yield from found

    def _figure(self, severity: Severity, text: str, unit: Unit, path: tuple[str | int, ...]) -> Figure | None:
        if not text:
            return None
        if self._section.folded(path):
            hint = f'quote the figure: "> {text.strip()}"'
            self._section.fault(path, "an unquoted > begins a folded text in YAML", hint)
            return None
        try:
            return parse_figure(severity, text, unit)
        except ValueError as error:
            self._section.fault(path, str(error))
            return None

    def _look_at_range(self, figure: Figure, watch: Watch, unit: Unit, path: tuple[str | int, ...]) -> None:
        low, high = _range(watch, unit)
        if unit is Unit.RATIO and (spec := self._specs.get(watch.measure)) and spec.exceeds:
            high = math.inf
        why = ""
        if watch.measure == TIMED and unit is Unit.SECONDS and watch.function in KEEPS_RANGE:
            high = self._check.timeout.total_seconds()
            why = f" within the timeout of {_span(self._check.timeout)}"
        always, never = _reach(figure, low, high)
        if never and not self._section.salvaged:
            self._section.fault(path, f"{figure.text!r} can never be true of {watch.text}{why}")
        elif always and not self._section.salvaged:
            self._section.fault(path, f"{figure.text!r} is always true of {watch.text}{why}")

    def _look_at_order(self, figures: Sequence[Figure], path: tuple[str | int, ...]) -> None:
        ordered = [figure for figure in figures if figure.comparison[0] in "<>"]
        for lower, upper in pairwise(ordered):
            place = (*path, str(lower.severity))
            if lower.comparison[0] != upper.comparison[0]:
                message = (
                    f"{lower.severity} {lower.text!r} and {upper.severity} {upper.text!r} point in opposite directions"
                )
                self._section.fault(place, message)
            elif (lower.value - upper.value) * (1 if lower.comparison[0] == ">" else -1) > 0:
                message = f"{lower.severity} {lower.text!r} is on the wrong side of {upper.severity} {upper.text!r}"
                self._section.fault(place, message)


def _patience(fields: ThresholdFields) -> dict[Severity, Patience]:
    waits = {
        severity: getattr(fields.for_, str(severity)) if isinstance(fields.for_, LevelDurations) else fields.for_
        for severity in Severity
        if getattr(fields, str(severity))
    }
    return {
        level: Patience(for_=wait, keep=wait if fields.keep is None else fields.keep) for level, wait in waits.items()
    }


def _range(watch: Watch, unit: Unit) -> tuple[float, float]:
    """Return the smallest and the largest result that `watch` can have."""
    if watch.function in KEEPS_RANGE:
        return RANGES.get(unit, (-math.inf, math.inf))
    return (0.0, math.inf) if watch.function in COUNTING else (-math.inf, math.inf)


def _reach(figure: Figure, low: float, high: float) -> tuple[bool, bool]:
    """Return whether the figure is always and whether it is never true of values from `low` to `high`."""
    value = figure.value
    match figure.comparison:
        case ">":
            return value < low, value >= high
        case ">=":
            return value <= low, value > high
        case "<":
            return value > high, value <= low
        case "<=":
            return value >= high, value < low
        case "==":
            return False, not low <= value <= high
        case _:
            return not low <= value <= high, False


def _span(duration: timedelta) -> str:
    return show_duration(duration.total_seconds())
