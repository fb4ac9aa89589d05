"""The command that plays users' unit tests of thresholds and routes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import uvloop

from monitor import logs
from monitor.cli.terminal import FAILED, ConfigOption, exit_status, say
from monitor.faults import ConfigError, Fault
from monitor.settings import read_settings
from monitor.trial import Covered, as_json, as_junit, as_lines, percent, read_trials, run_trials, sum_line
from monitor.units import Unit, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.trial import Outcome, Trial


FilesArgument = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of tests.")]


class Output(StrEnum):
    """The forms in which `test` reports."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


def try_out(
    files: FilesArgument,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.TEXT,
    coverage: Annotated[bool, typer.Option("--coverage", help="Name every rule that no test has seen.")] = False,
    coverage_min: Annotated[
        str, typer.Option("--coverage-min", metavar="SHARE", help="Fail below, such as 100%.")
    ] = "0%",
    config: ConfigOption = None,
) -> None:
    """Play unit tests of thresholds and routes on a virtual clock: no probe runs, nothing is sent, no secret is needed.

    The configuration is the one that `-c` or else the file names, or else MONITOR_CONFIG. Exit status 1 if a test
    fails or too few rules are covered, 2 if a file cannot be used.

    **Examples:** `monitor test tests/shop.yaml`, `monitor test config/tests/*.yaml --coverage-min 100%`
    """
    with exit_status():
        least = _share(coverage_min)
        logs.configure("critical", None, str)
        trials = read_trials(files, config, read_settings(remembers=False).config)
        outcomes = uvloop.run(_play(trials, output))
        covered = Covered.of(trials)
        _tell(outcomes, covered, output, every=coverage)
        enough = covered.share >= least
        if not enough:
            say(f"coverage is below {percent(least)}", "red", error=True)
        if not (enough and all(outcome.passed for outcome in outcomes)):
            raise typer.Exit(FAILED)


def _share(text: str) -> float:
    try:
        share = parse_quantity(text, Unit.RATIO)
    except ValueError as error:
        raise ConfigError([Fault(str(error), key="--coverage-min")]) from None
    if not 0 <= share <= 1:
        raise ConfigError([Fault(f"{text!r} is not between 0% and 100%", key="--coverage-min")])
    return share


async def _play(trials: Sequence[Trial], output: Output) -> list[Outcome]:
    outcomes = []
    async for outcome in run_trials(trials):
        outcomes.append(outcome)
        if output is Output.TEXT:
            first, *more = as_lines(outcome)
            say(first, "green" if outcome.passed else "red")
            for line in more:
                say(line)
    return outcomes


def _tell(outcomes: Sequence[Outcome], covered: Covered, output: Output, *, every: bool) -> None:
    if output is not Output.TEXT:
        typer.echo(as_json(outcomes, covered) if output is Output.JSON else as_junit(outcomes))
        return
    for rule in covered.uncovered if every else ():
        say(f"not covered: {rule}", "yellow")
    say(sum_line(outcomes), "green" if all(outcome.passed for outcome in outcomes) else "red")
    say(covered.line, "green" if not covered.uncovered else "yellow")
