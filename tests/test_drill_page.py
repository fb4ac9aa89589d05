"""The examples of docs/drill.md are what the command says, beside what a daemon does at a real store."""

from __future__ import annotations

import asyncio
import re
import shlex
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from monitor.cli import app, drilling
from monitor.config import load
from monitor.drill import PlannedDrill
from monitor.drilling import Drilling
from monitor.model import Act, Attempt, AttemptResult, Change, CheckId, Deed, Scope, Severity, stable_id
from monitor.pipeline import Pipeline
from monitor.routing import Route
from tests.examples import sample
from tests.fakes import START, FakeClock
from tests.plans import plan
from tests.store.files import leading
from tests.test_acting_page import Direct
from tests.test_drilling import Takes
from tests.test_pipeline import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.store import Store

PAGE = (Path(__file__).parents[1] / "docs/drill.md").read_text("utf-8")
SECOND = timedelta(seconds=1)
STEP = 10 * SECOND
SITE = CheckId("shop", "site")
TAKEN = START + 130 * SECOND
ENOUGH = 200


def examples(section: str, form: str) -> list[str]:
    """Return what a section of the page shows in a form."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return re.findall(rf"^```{form}\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)


async def _run(_check: CheckId) -> None:
    """Run nothing."""


class Daemon:
    """A clock that goes on while somebody waits; then a daemon comes, does what is due, and is gone again.

    `revoked`: the channel that takes nothing. `taken`: ana takes what there is after a while.
    """

    def __init__(self, where: Path, *, revoked: str = "", taken: bool = False) -> None:
        self._where, self._clock = where, FakeClock()
        self._revoked, self._taken = revoked, taken
        self._waits = 0

    def now(self) -> datetime:
        return self._clock.now()

    async def sleep_until(self, _moment: datetime) -> None:
        self._waits += 1
        assert self._waits < ENOUGH
        store = await leading(self._where)
        await self._work(store)
        await store.close()
        self._clock.skip(STEP)

    async def _work(self, store: Store) -> None:
        pipeline = Pipeline(self._clock, Direct(store), Screen(), lambda *_: None, _run)
        pipeline.configure({SITE: plan()}, [Route(("ops", "phone"))])
        pipeline.restore(await store.alerts())
        late: Any = store
        asked = await store.acts()
        if self._taken and self.now() >= TAKEN and pipeline.alerts:
            asked.append(Act("taken", TAKEN, Deed.ACKNOWLEDGE, "ana", Scope("shop")))
        for act in asked:
            await pipeline.carry_out(act)
        await pipeline.tick()
        others: Any = {name: Takes() for name in ("ops", "phone", "boss")}
        late.reached = True
        part = Drilling(self._clock, late, pipeline)
        part.configure([], others)
        await self._send(store)
        self._clock.skip(2 * SECOND)
        await part.tick()
        await self._send(store)
        self._clock.skip(-2 * SECOND)

    async def _send(self, store: Store) -> None:
        await store.write([Change(attempts=tuple(self._tried(await store.owed())))])

    def _tried(self, owed: list[Any]) -> Iterator[Attempt]:
        for item in owed:
            note = item.notification
            at, identity = self.now() + SECOND, stable_id(note.id)
            if note.channel == self._revoked:
                yield Attempt(note.id, at, AttemptResult.REJECTED, identity, "token_revoked")
            else:
                yield Attempt(note.id, at, AttemptResult.DELIVERED, identity)


async def filled(where: Path) -> None:
    store = await leading(where)
    await store.write([Change(samples=(sample(-10),))])
    await store.close()


def drilled(where: Path, daemon: Daemon, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    """Return the exit status of a command beside `daemon`, and what it prints."""
    asyncio.run(filled(where))
    monkeypatch.setattr(drilling, "SystemClock", lambda: daemon)
    ended = CliRunner().invoke(app, words, env={"MONITOR_DATABASE_URL": f"sqlite:///{where}"})
    return ended.exit_code, ended.output


@pytest.mark.parametrize(
    ("section", "status", "how"),
    [("On demand", 0, {"taken": True}), ("When nobody takes it, or a channel does not", 1, {"revoked": "ops"})],
)
def test_what_the_command_says(
    section: str, status: int, how: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = tmp_path / "monitor.db"
    _, *words = shlex.split(examples(section, "sh")[0])
    (shown,) = examples(section, "text")
    assert drilled(where, Daemon(where, **how), monkeypatch, *words) == (status, f"{shown}\n")


def test_a_drill_that_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It begins; another one is refused beside it."""
    where = tmp_path / "monitor.db"
    daemon = Daemon(where)
    begun = drilled(where, daemon, monkeypatch, "drill", "shop/site", "--no-wait", "--who", "eve")
    assert begun == (0, "a drill of shop/site begins\n")
    again = drilled(where, daemon, monkeypatch, "drill", "shop/site")
    assert again == (1, "a drill of shop/site goes on since 2026-01-05 12:00:00 UTC, asked for by eve\n")


class Nobody(Daemon):
    """A clock beside which no daemon runs."""

    async def sleep_until(self, moment: datetime) -> None:
        await self._clock.advance(moment - self._clock.now())


class Stranger(Daemon):
    """A daemon that takes what is asked for, and watches something else."""

    async def _work(self, store: Store) -> None:
        await store.write([Change(done=tuple(await store.acts()))])


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        (Nobody, "no daemon took it up; it begins if one leads within 5 min, and not later\n"),
        (Stranger, "the drill was not begun: the daemon that leads does not watch that check\n"),
    ],
)
def test_a_drill_that_does_not_begin(
    clock: type[Daemon], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = tmp_path / "monitor.db"
    assert drilled(where, clock(where), monkeypatch, "drill", "shop/site") == (1, said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["shop"], "'shop' is no check"),
        (["shop/cart"], "there is no check 'shop/cart'"),
        (["shop/site", "--within", "soon"], "--within"),
        (["shop/site", "--within", "500ms"], "is not from 1s to 24h"),
        (["shop/site", "--severity", "loud"], "allowed: info, warning, critical"),
    ],
)
def test_what_is_no_drill(words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = tmp_path / "monitor.db"
    status, told = drilled(where, Daemon(where), monkeypatch, "drill", *words)
    assert status == 2
    assert said in told


def test_ctrl_c_leaves_the_drill_running_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Impatient(Daemon):
        """After a while somebody presses the keys."""

        async def sleep_until(self, moment: datetime) -> None:
            if self._waits > 2:
                raise KeyboardInterrupt
            await super().sleep_until(moment)

    where = tmp_path / "monitor.db"
    status, told = drilled(where, Impatient(where), monkeypatch, "drill", "shop/site")
    assert status == 1
    assert told.endswith("the drill goes on; `monitor alerts` shows it, `monitor ack` ends it\n")


def test_what_the_configuration_plans(tmp_path: Path) -> None:
    (text,) = examples("Each month", "yaml")
    file = tmp_path / "monitor.yaml"
    around = "channels: {ops: {kind: console}}\nsystems: {shop: {checks: {site: https://shop.example.com/}}}\n"
    file.write_text(around + text)
    assert load(file, {}).drills == (PlannedDrill(SITE, "0 10 * * Mon#1", "Europe/Berlin"),)
    file.write_text(around + text.replace("zone:", "within: 5m, severity: warning, zone:"))
    assert load(file, {}).drills[0][3:] == (Severity.WARNING, timedelta(minutes=5))
    assert load(file, {}).drills[0].after(datetime.fromisoformat("2026-11-22T00:00:00Z")) == datetime.fromisoformat(
        "2026-12-07T09:00:00Z"
    )
