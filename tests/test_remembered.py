"""The commands that read the store, in this process; tests/acceptance/test_remembered.py runs the real program."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from monitor.cli import app
from monitor.model import AttemptResult
from monitor.store import StoreUnusable
from monitor.store.rows import attempt_of, attempt_row
from tests import story
from tests.store.files import leading
from tests.store.values import attempt

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
channels: {ops: https://hooks.example.com/token}
systems: {shop: {checks: {site: {url: "http://localhost/", down: {critical: 2}}}}}
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a store that holds the story, and of a file for its shop."""

    async def write() -> None:
        store = await leading(tmp_path / "story.db")
        await store.write([story.CHANGE])
        await store.close()

    asyncio.run(write())
    (tmp_path / "monitor.yaml").write_text(FILE)
    where = f"sqlite:///{tmp_path / 'story.db'}"
    return {"MONITOR_DATABASE_URL": where, "MONITOR_CONFIG": str(tmp_path / "monitor.yaml")}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("alerts",), 0, "critical  Shop: Database: connections"),
        (("alerts", "--system", "shed"), 2, "there is no system 'shed'"),
        (("history", "shop", "--since", "3000d"), 0, "refused 2026-01-05 02:12:12 (answered 503)"),
        (("history", "shop", "--since", "soon"), 2, "--since: 'soon'"),
        (("replay", "shop/site", "--since", "3000d"), 0, "1 sample of "),
        (("replay", "shop/site", "--since", "1s"), 0, "there is no sample of shop/site since "),
        (("replay", "shop"), 2, "'shop' is a system; name one check of it"),
        (("replay", "shop/sight"), 2, "there is no check 'shop/sight'"),
    ],
)
def test_what_a_command_says(environ: dict[str, str], arguments: tuple[str, ...], status: int, said: str) -> None:
    ended = CliRunner().invoke(app, arguments, env=environ)
    assert (ended.exit_code, said in ended.output) == (status, True), ended.output
    if status == 0:
        assert json.loads(CliRunner().invoke(app, [*arguments, "--output", "json"], env=environ).output)


def test_the_week_is_shown_without_being_sent(environ: dict[str, str]) -> None:
    """Long after the story one of its alerts still fires; a configuration that cannot be used is status 2."""
    ended = CliRunner().invoke(app, ["review"], env=environ)
    assert ended.exit_code == 0, ended.output
    assert ended.output.startswith("The week from ")
    assert "1 still fires." in ended.output
    assert CliRunner().invoke(app, ["review", "-c", "/no/such/file"], env=environ).exit_code == 2


def test_no_alert_is_live_where_nothing_ever_was(tmp_path: Path) -> None:
    """And a store that is not there is status 1."""
    where = {"MONITOR_DATABASE_URL": f"sqlite:///{tmp_path / 'empty.db'}"}
    assert CliRunner().invoke(app, ["alerts"], env=where).exit_code == 1
    assert CliRunner().invoke(app, ["migrate"], env=where).exit_code == 0
    assert CliRunner().invoke(app, ["alerts"], env=where).output == "no alert is live\n"


def test_an_attempt_of_another_release_is_not_taken_for_one_of_ours() -> None:
    number, *row = (1, *attempt_row(attempt("a", AttemptResult.RETRY)))
    assert attempt_of((number, *row)) == attempt("a", AttemptResult.RETRY)
    with pytest.raises(StoreUnusable, match="an unreadable attempt: 'teleported'"):
        attempt_of((number, row[0], row[1], "teleported", *row[3:]))
