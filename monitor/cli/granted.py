"""The command that says what must be allowed to us."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, cast

import typer

from monitor.app import redactor
from monitor.cli.terminal import ConfigOption, exit_status, look_for_unknown, say
from monitor.config import load
from monitor.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from monitor.channels.base import Channel
    from monitor.plan import Plan

NamesArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[SYSTEM[/CHECK]]...", help="For these alone; default: for everything.")
]


def grants(names: NamesArgument = None, config: ConfigOption = None) -> None:
    """Print what the configuration needs to be allowed, and no more: SQL, users of Redis, scopes of keys, a Slack app.

    Nothing is contacted. Variables need not be set: the role of a database is then called `monitor`. Whatever a check
    with `if_set` would need is printed too.

    **Examples:** `monitor grants`, `monitor grants shop`, `monitor grants shop/database`
    """
    with exit_status():
        settings = read_settings(remembers=False)
        loaded = load(config or settings.config, os.environ, settings.systems, placeholders=True)
        wanted = names or []
        look_for_unknown(wanted, loaded)
        plans = [one for one in loaded.plans.values() if not wanted or {one.id.system, str(one.id)} & set(wanted)]
        hide = redactor(loaded, settings)
        for line in map(hide, _sheet()(plans, {} if wanted else loaded.channels)):
            say(line, "bold" if line.startswith("# ") else "")


def _sheet() -> Callable[[Iterable[Plan], Mapping[str, Channel]], list[str]]:
    """Return what makes the lines; it comes with a parser of SQL, of no use to a daemon."""
    return cast("Callable[[Iterable[Plan], Mapping[str, Channel]], list[str]]", import_module("monitor.grants").sheet)
