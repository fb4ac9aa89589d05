"""What all commands share: how they speak to whoever typed them, in which words they fail, and their exit status."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from monitor import __version__, logs
from monitor.app import redactor
from monitor.clock import SystemClock
from monitor.faults import ConfigError, unknown
from monitor.store import StoreUnavailable, StoreUnusable
from monitor.web import CannotListen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from monitor.config import Config
    from monitor.settings import Settings

FAILED = 1
UNUSABLE = 2
ELSEWHERE = 500
"""Columns where the output is no terminal: lines are not broken there."""

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="PATH", help="A file or a folder; default: MONITOR_CONFIG, monitor.yaml."),
]


@contextmanager
def exit_status() -> Iterator[None]:
    """Turn what a command ends with into an exit status and words for its user."""
    try:
        yield
    except ConfigError as error:
        for fault in error.faults:
            say(str(fault), "red", error=True)
        raise typer.Exit(UNUSABLE) from None
    except (StoreUnavailable, StoreUnusable, CannotListen, OSError) as error:
        say(str(error), "red", error=True)
        raise typer.Exit(FAILED) from None


def look_for_unknown(names: Sequence[str], config: Config) -> None:
    """Raise `ConfigError` for each name that is no system and no check."""
    skipped = {skip.name: f"it is skipped: {skip.reason}" for skip in config.skipped}
    known = [*config.systems, *(str(check) for check in config.plans)]
    faults = [unknown(name, known, skipped.get(name, "")) for name in names if name not in known]
    if faults:
        raise ConfigError(faults)


def configure_logs(settings: Settings, config: Config) -> None:
    """Log, and report errors, as the environment says, without what is secret in either."""
    redact = redactor(config, settings)
    layout = logs.Layout(settings.log_format) if settings.log_format else None
    report = None
    if settings.sentry_dsn is not None:
        logs.start_sentry(settings.sentry_dsn, redact, __version__)
        report = logs.Reports(SystemClock())
    logs.configure(settings.log_level, layout, redact, report=report)


def say(text: str, colour: str = "", *, error: bool = False) -> None:
    """Print for people: in colour on a terminal, else as it is, each line whole."""
    stream = sys.stderr if error else sys.stdout
    terminal = stream.isatty()
    console = Console(file=stream, width=None if terminal else ELSEWHERE, highlight=False, soft_wrap=True)
    console.print(Text(text, style=colour))
