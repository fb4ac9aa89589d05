"""What `monitor test` does: reads files, plays their tests one after the other, and counts what they cover."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.config import Config, load
from monitor.faults import ConfigError, Fault
from monitor.trial.coverage import Coverage
from monitor.trial.nouns import Failure, Outcome
from monitor.trial.reading import Case, cases, read_source
from monitor.trial.stage import Player

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from pathlib import Path

    from monitor.plan import Plan
    from monitor.trial.nouns import Script
    from monitor.trial.reading import Source


@dataclass(frozen=True, slots=True)
class Trial:
    """The tests of one or more files for one configuration, and what they cover."""

    config: Config
    cases: Sequence[Case]
    coverage: Coverage


def read_trials(files: Sequence[Path], config: Path | None, usual: Path) -> list[Trial]:
    """Return the tests in `files`, by configuration: `config`, or what a file names, or the `usual` one.

    A configuration is read with stand-ins for all variables, whatever the environment holds, and nothing is skipped.
    Raises `ConfigError` with everything that is wrong with any of them.
    """
    faults: list[Fault] = []
    sources: dict[Path, list[Source]] = {}
    for file in files:
        try:
            source = read_source(file)
        except ConfigError as error:
            faults += error.faults
            continue
        named = file.parent / source.fields.config if source.fields.config else usual
        sources.setdefault(config or named, []).append(source)
    trials = [_trial(path, group, faults) for path, group in sources.items()]
    if faults:
        raise ConfigError(faults)
    return [trial for trial in trials if trial is not None]


def _trial(path: Path, sources: Sequence[Source], faults: list[Fault]) -> Trial | None:
    try:
        config = load(path, {}, placeholders=True)
    except ConfigError as error:
        faults += error.faults
        return None
    return assemble(config, sources, faults)


def assemble(config: Config, sources: Sequence[Source], faults: list[Fault]) -> Trial:
    """Return the tests of `sources` for `config`; what is wrong goes to `faults`.

    If each file is about one system, only the rules of those count for the coverage; else all do, and the routes.
    """
    found: list[Case] = []
    for source in sources:
        try:
            found += cases(source, config)
        except ConfigError as error:
            faults += error.faults
    systems = {source.fields.system for source in sources}
    whole = "" in systems
    coverage = Coverage(config, frozenset(config.systems if whole else systems), routes=whole)
    return Trial(config, found, coverage)


async def run_trials(trials: Iterable[Trial]) -> AsyncIterator[Outcome]:
    """Play every test, one after the other, and yield how each ended; what it saw counts for the coverage."""
    for trial in trials:
        for case in trial.cases:
            yield await run_case(case, trial.config, trial.coverage)


async def run_case(case: Case, config: Config, coverage: Coverage | None = None) -> Outcome:
    """Play the parts of one test, and return what was wrong with any of them."""
    begun = time.perf_counter()
    failures: list[Failure] = []
    lasted = [part.stage.start - part.stage.start for part in case.parts]
    for index, part in enumerate(case.parts):
        plans = {check: _paced(config.plans[check], script) for check, script in part.stage.scripts.items()}
        player = Player(part.stage, plans, config)
        lasted[index] = await player.play()
        failures += part.failures(player.ledger)
        if coverage is not None:
            coverage.add(player.ledger)
    return Outcome(case.name, case.place, tuple(failures), time.perf_counter() - begun, max(lasted))


def _paced(plan: Plan, script: Script) -> Plan:
    """Return `plan` at the pace of `script`, if that has one of its own."""
    if script.every is None:
        return plan
    return replace(plan, check=plan.check.model_copy(update={"every": script.every}))
