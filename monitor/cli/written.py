"""The command that writes the configuration for other programs: Prometheus, and its Alertmanager."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Annotated

import typer

from monitor.app import redactor
from monitor.cli.terminal import ConfigOption, exit_status
from monitor.config import load
from monitor.faults import ConfigError, Fault
from monitor.rules import alertmanager_file, report, rules_file
from monitor.settings import read_settings
from monitor.units import parse_duration

LONGEST = timedelta(minutes=2)


def rules(
    alertmanager: Annotated[bool, typer.Option("--alertmanager", help="Routes for an Alertmanager instead.")] = False,
    unsaid: Annotated[bool, typer.Option("--report", help="Only what the rules cannot say, with the reasons.")] = False,
    interval: Annotated[
        str, typer.Option(metavar="DURATION", help="How often Prometheus scrapes and evaluates.")
    ] = "10s",
    config: ConfigOption = None,
) -> None:
    """Write the thresholds as Prometheus rules, or with `--alertmanager` the routes.

    Nothing is contacted and no variable need be set; what a variable says of a figure is taken from the environment.
    What PromQL cannot say stands at the end, with the reason.

    **Examples:** `monitor rules > rules.yml`, `monitor rules --alertmanager > alertmanager.yml`
    """
    with exit_status():
        settings = read_settings(remembers=False)
        loaded = load(config or settings.config, os.environ, settings.systems, placeholders=True)
        redact, pace = redactor(loaded, settings), _pace(interval)
        if unsaid:
            text = "\n".join(map(redact, report(loaded, pace)))
        elif alertmanager:
            text = alertmanager_file(loaded, redact)
        else:
            text = rules_file(loaded, redact, pace)
        typer.echo(text.rstrip("\n"))


def _pace(text: str) -> timedelta:
    try:
        pace = parse_duration(text)
    except ValueError as error:
        raise ConfigError([Fault(str(error), key="--interval")]) from None
    if not timedelta() < pace <= LONGEST:
        raise ConfigError([Fault("must be more than 0 and at most 2m: Prometheus forgets after 5m", key="--interval")])
    return pace
