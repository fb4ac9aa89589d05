"""From a file of tests to cases that can be played, or to everything that is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitor.config.section import Context, Section
from monitor.config.validation import validate
from monitor.config.variables import Variables
from monitor.config.yaml_file import read
from monitor.faults import ConfigError, Fault, allowed
from monitor.model import DOWN, CheckId, Severity
from monitor.trial.fields import TrialFile
from monitor.trial.figures import down_case, level_case, parse_level
from monitor.trial.moments import DEFAULT_START
from monitor.trial.nouns import Place
from monitor.trial.stories import Teller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from monitor.config import Config
    from monitor.config.yaml_file import Document, KeyPath
    from monitor.plan import Plan
    from monitor.trial.fields import LevelFields
    from monitor.trial.figures import DownCase, LevelCase
    from monitor.trial.story import StoryCase

SEVERITIES = {str(severity): severity for severity in Severity}


@dataclass(frozen=True, slots=True)
class Case:
    """One test of a file, by its name: a story, or the levels of one rule."""

    name: str
    place: Place
    parts: tuple[LevelCase | DownCase | StoryCase, ...]


@dataclass(slots=True)
class Source:
    """A file of tests as it was read, not yet held against a configuration."""

    path: Path
    document: Document
    fields: TrialFile
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: KeyPath, message: str, hint: str = "") -> None:
        """Note what is wrong at `path`."""
        key = ".".join(map(str, path))
        self.faults.append(self.document.fault(path, message, hint, key=key))

    def place(self, path: KeyPath) -> Place:
        """Return the line of what stands at `path`."""
        return Place(self.document.file, self.document.place(path)[0])

    def check_id(self, name: str) -> CheckId:
        """Return the check that `name` means: one without a system belongs to the file's."""
        system, slash, check = name.partition("/")
        return CheckId(system, check) if slash else CheckId(self.fields.system, name)

    def plan(self, name: str, path: KeyPath, config: Config) -> Plan | None:
        """Return the plan of the check that `name` means; a fault, and None, if there is none."""
        plan = config.plans.get(self.check_id(name))
        if plan is None:
            self.fault(path, f"there is no check {str(self.check_id(name)).lstrip('/')!r}", self._alike(name, config))
        return plan

    def _alike(self, name: str, config: Config) -> str:
        own = [plan for plan in config.plans if not self.fields.system or plan.system == self.fields.system]
        return allowed(name, [str(plan) if "/" in name or not self.fields.system else plan.check for plan in own])


def read_source(path: Path) -> Source:
    """Return what the file at `path` holds; raises `ConfigError` with everything that is wrong with its form."""
    context = Context(Variables({}))
    document = read(path, context.faults)
    fields = None
    if document is not None:
        section = Section(document, (), context)
        section.put_all(document.data)
        fields = validate(TrialFile, section)
    if context.faults or document is None or fields is None:
        raise ConfigError(context.faults)
    return Source(path, document, fields)


def cases(source: Source, config: Config) -> list[Case]:
    """Return the tests of `source` for `config`; raises `ConfigError` with everything that does not fit it."""
    if source.fields.system and source.fields.system not in config.systems:
        source.fault(("system",), f"there is no system {source.fields.system!r}", allowed("", config.systems))
        raise ConfigError(source.faults)
    found = [*_rules(source, config), *_stories(source, config)]
    if not found and not source.faults:
        source.fault((), "holds no test", "give it rules or tests")
    if source.faults:
        raise ConfigError(source.faults)
    return found


def _rules(source: Source, config: Config) -> Iterator[Case]:
    for check, rules in source.fields.rules.items():
        plan = source.plan(check, ("rules", check), config)
        if plan is None:
            continue
        for name, levels in rules.items():
            path = ("rules", check, name)
            parts = _down(source, plan, levels, path) if name == DOWN else _levels(source, plan, name, levels, path)
            if parts:
                yield Case(f"{plan.id} {name}", source.place(path), parts)


def _down(source: Source, plan: Plan, levels: LevelFields, path: KeyPath) -> tuple[DownCase, ...]:
    found = []
    for word, severity, count in _given(levels):
        if not isinstance(count, int) or count < 1:
            source.fault((*path, word), "must be how many failed runs in a row it takes", "such as 3")
        elif severity not in plan.down:
            source.fault((*path, word), f"{plan.id} has no such level of being down", f"it has {_words(plan.down)}")
        else:
            place = source.place((*path, word))
            found.append(down_case(plan, severity, count, levels.up, place, DEFAULT_START))
    return tuple(found)


def _levels(source: Source, plan: Plan, name: str, levels: LevelFields, path: KeyPath) -> tuple[LevelCase, ...]:
    threshold = plan.threshold(name)
    if threshold is None:
        known = [DOWN, *(one.name for one in plan.thresholds if one.figures)]
        source.fault(path, f"{plan.id} has no threshold {name!r}", allowed(name, known))
        return ()
    found = []
    for word, severity, text in _given(levels):
        if severity not in threshold.patience:
            hint = f"it has {_words(threshold.patience)}"
            source.fault((*path, word), f"{plan.id} {name} has no such level", hint)
            continue
        try:
            figure = parse_level(severity, str(text), threshold)
        except ValueError as error:
            source.fault((*path, word), str(error))
            continue
        found.append(level_case(plan, threshold, figure, source.place((*path, word)), DEFAULT_START))
    return tuple(found)


def _given(levels: LevelFields) -> Iterator[tuple[str, Severity, Any]]:
    for word, severity in SEVERITIES.items():
        value = getattr(levels, word)
        if value is not None:
            yield word, severity, value


def _words(levels: Any) -> str:  # noqa: ANN401 - whatever is keyed by severities
    return ", ".join(map(str, sorted(levels))) or "none"


def _stories(source: Source, config: Config) -> Iterator[Case]:
    for index, fields in enumerate(source.fields.tests):
        path = ("tests", index)
        story = Teller(source, config, fields, path).story()
        if story is not None:
            yield Case(fields.name, source.place(path), (story,))
