"""The commands. Each reads what it is given, hands it on, and turns the outcome into an exit status.

0 is well; 1 is a failure, or a check that is not up; 2 is a configuration that cannot be used.
"""

from __future__ import annotations

import json
import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
import uvloop
from typer.core import TyperGroup

from monitor import __version__
from monitor.app import redactor, serve
from monitor.cli import acting, drilling, first, granted, remembered, showing, tried, written
from monitor.cli.telling import look_for_channel, send_test
from monitor.cli.terminal import (
    FAILED,
    UNUSABLE,
    ConfigOption,
    configure_logs,
    exit_status,
    look_for_unknown,
    say,
)
from monitor.clock import SystemClock
from monitor.config import Config, load
from monitor.doubts import doubts, doubts_of_targets, notes
from monitor.explain import explain
from monitor.faults import ConfigError, Fault
from monitor.outside import reach_outside
from monitor.place import upgrade
from monitor.report import as_json, as_junit, as_line, state_of
from monitor.schema import schema as file_schema
from monitor.settings import read_settings
from monitor.sweep import sweep

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from monitor.doubts import Doubt
    from monitor.plan import Plan
    from monitor.settings import Settings
    from monitor.sweep import Finding


class Commands(TyperGroup):
    """The commands. `history note` is a name of `note`: a group within `history` would take its names for commands."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - typer's own click, or click's
        """Find the command that `args` name."""
        again = args[:2] == ["history", "note"] and len(args) > MOST_OF_HISTORY and not args[2].startswith("-")
        return super().resolve_command(ctx, args[1:] if again else args)


MOST_OF_HISTORY = 2
"""`history note` alone tells of a system that is called so."""
COLOURS = {"up": "green", "down": "red", "unknown": "yellow", "skipped": "blue"}

app = typer.Typer(
    cls=Commands,
    help="Runs the monitoring half of a deployment runbook: probe, judge, page with the remedy.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Output(StrEnum):
    """The forms in which `check` reports."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"runbook-monitor {__version__}")
        raise typer.Exit


@app.callback()
def common(
    _version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Take what stands before the command."""


@app.command()
def run(config: ConfigOption = None) -> None:
    """Run the daemon until SIGTERM. SIGHUP takes up a changed configuration, if it is without a fault.

    **Example:** `MONITOR_CONFIG=config MONITOR_SYSTEMS=capliquify monitor run`
    """
    with exit_status():
        settings = read_settings()
        source = config or settings.config

        def read() -> Config:
            loaded = load(source, os.environ, settings.systems)
            configure_logs(settings, loaded)
            return loaded

        _run(serve(read(), settings, read))


@app.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[SYSTEM[/CHECK]]...", help="What to look at; default: everything.")
    ] = None,
    output: Annotated[Output, typer.Option(help="How to report.")] = Output.TEXT,
    writes: Annotated[bool, typer.Option("--writes", help="Run what changes something outside, too.")] = False,
    config: ConfigOption = None,
) -> None:
    """Run checks once, now, and report in the order of the file. Exit status 1 if one is down or unknown.

    One that leaves its run out on purpose, as for a database that sleeps, is told as skipped and is neither.

    Figures over a window are not judged: one run says nothing about them. What changes something outside, such as a
    signed canary, is left out without `--writes`.

    **Examples:** `monitor check`, `monitor check seedsource`, `monitor check shop/site --output junit`
    """
    with exit_status():
        wanted = names or []
        settings = read_settings(remembers=False)
        source = config or settings.config
        if wanted:
            systems = sorted({name.partition("/")[0] for name in wanted})
            loaded = load(source, os.environ, systems, named_in="")
        else:
            loaded = load(source, os.environ, settings.systems)
        configure_logs(settings, loaded)
        plans = [plan for plan in loaded.plans.values() if _is_wanted(plan, wanted)]
        look_for_unknown(wanted, loaded)
        if not all(uvloop.run(_check(plans, loaded, settings, output, writes=writes))):
            raise typer.Exit(FAILED)


@app.command()
def validate(
    config: ConfigOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Doubts fail as well (exit status 2).")] = False,
    no_env: Annotated[bool, typer.Option("--no-env", help="Stand-ins for variables that are not set.")] = False,
    connect: Annotated[bool, typer.Option("--connect", help="Ask databases for our rights and their limits.")] = False,
) -> None:
    """Say everything that is wrong with the configuration, and everything that is doubtful.

    Nothing outside is contacted, unless `--connect` is given: it asks each database what our role may do there, what it
    may not see, and whether the pools fit.

    **Examples:** `monitor validate`, `monitor validate --strict --connect`, `monitor validate --no-env -c config`
    """
    with exit_status():
        if connect and no_env:
            raise ConfigError([Fault("there is nothing to connect to without the environment", key="--no-env")])
        settings = read_settings(remembers=False)
        loaded = load(config or settings.config, os.environ, settings.systems, placeholders=no_env)
        found = doubts(loaded, settings, os.environ, SystemClock().now())
        if connect:
            configure_logs(settings, loaded)
            found = list(dict.fromkeys([*found, *uvloop.run(_ask(loaded, settings))]))
        for doubt in found:
            say(f"doubt: {doubt}", "yellow")
        for note in notes(loaded):
            say(f"note: {note}", "blue")
        say(f"{len(loaded.plans)} checks of {len(loaded.systems)} systems, {len(found)} doubts", "green")
        if strict and found:
            raise typer.Exit(UNUSABLE)


@app.command()
def notify(channel: Annotated[str, typer.Argument(help="The channel's name.")], config: ConfigOption = None) -> None:
    """Send a test notification through a channel, and say what became of it.

    **Example:** `monitor notify ops`
    """
    with exit_status():
        settings = read_settings(remembers=False)
        loaded = load(config or settings.config, os.environ, settings.systems)
        configure_logs(settings, loaded)
        look_for_channel(channel, loaded)
        problem = uvloop.run(send_test(channel, loaded, settings))
        if problem:
            say(f"{channel}: {problem}", "red")
            raise typer.Exit(FAILED)
        say(f"{channel}: accepted", "green")


@app.command(name="explain")
def explain_(name: Annotated[str, typer.Argument(metavar="SYSTEM/CHECK")], config: ConfigOption = None) -> None:
    """Say all that the configuration means for one check: its defaults, figures, who is told, what it needs.

    **Example:** `monitor explain capliquify/backend`
    """
    with exit_status():
        settings = read_settings(remembers=False)
        loaded = load(config or settings.config, os.environ, settings.systems, placeholders=True)
        look_for_unknown([name], loaded)
        for plan in loaded.plans.values():
            if str(plan.id) == name:
                say(redactor(loaded, settings)(explain(plan, loaded, SystemClock().now())))


app.command()(first.init)
app.command()(showing.demo)
app.command()(acting.ack)
app.command()(acting.silence)
app.command()(acting.note)
app.command()(drilling.drill)
app.command()(granted.grants)
app.command()(remembered.alerts)
app.command()(remembered.history)
app.command()(remembered.replay)
app.command()(remembered.review)
app.command(name="test")(tried.try_out)
app.command()(written.rules)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a configuration file, for editors.

    **Example:** `monitor schema > schema.json`
    """
    typer.echo(json.dumps(file_schema(), indent=2))


@app.command()
def migrate() -> None:
    """Bring the store's schema up to date. `run` does so by itself; a release before may go on meanwhile.

    **Example:** `MONITOR_DATABASE_URL=postgresql://monitor@db/monitor monitor migrate`
    """
    with exit_status():
        before, now = uvloop.run(upgrade(read_settings().database))
        was = "a new store" if before == 0 else f"schema {before}"
        say(f"{was} is up to date" if before == now else f"{was} was brought to schema {now}", "green")


def _run(work: Coroutine[Any, Any, None]) -> None:
    uvloop.run(work)


async def _check(
    plans: Sequence[Plan], config: Config, settings: Settings, output: Output, *, writes: bool
) -> list[bool]:
    width = max((len(str(plan.id)) for plan in plans), default=0)
    findings: list[Finding] = []
    async with reach_outside() as outside:
        means = outside.for_probes(redactor(config, settings))
        async for finding in sweep(plans, means, SystemClock(), writes=writes):
            findings.append(finding)
            if output is Output.TEXT:
                say(as_line(finding, width), COLOURS[state_of(finding.sample)])
    if output is not Output.TEXT:
        typer.echo(as_json(findings) if output is Output.JSON else as_junit(findings))
    else:
        for skip in config.skipped:
            say(f"skipped {skip.name}: {skip.reason}")
    return [finding.well for finding in findings]


async def _ask(config: Config, settings: Settings) -> list[Doubt]:
    async with reach_outside() as outside:
        return await doubts_of_targets(config, outside.for_probes(redactor(config, settings)), SystemClock())


def _is_wanted(plan: Plan, names: Sequence[str]) -> bool:
    return not names or plan.id.system in names or str(plan.id) in names
