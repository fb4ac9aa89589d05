"""What is asked over HTTP, served by who leads and by who waits, with the store and without."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.counter import Counter
from monitor.faults import ConfigError
from monitor.model import Act, Alert, Change, Deed, Scope
from monitor.store import StoreUnavailable
from monitor.web import Reply
from tests import story
from tests.fakes import FakeClock
from tests.store.files import leading
from tests.store.values import act, silence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from monitor.store import Store

HOUR = timedelta(hours=1)
LIFT = Act("lift", story.MORNING, Deed.LIFT, "anna", Scope())


class Desk:
    async def take(self, one: Act) -> Reply:
        return Reply(done=True, said=one.id)


class World:
    """A counter, and what it stands on."""

    def __init__(self, store: Store) -> None:
        self.store, self.away = store, False
        self.here: list[Alert] | None = None
        desk: Any = Desk()
        self.counter = Counter(
            clock=FakeClock(),
            desk=desk,
            look=self.look,
            alerts_here=lambda: self.here,
            checks=lambda: list(story.CHECKS),
        )

    async def look(self) -> Store:
        if self.away:
            raise StoreUnavailable("away")
        return self.store


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = await leading(tmp_path / "monitor.db")
    night = silence("night", story.MORNING - HOUR, story.MORNING + HOUR, Scope("shop", "database"))
    over = silence("over", story.MORNING - HOUR, story.MORNING)
    await store.write([story.CHANGE, Change(silences=(night, over))])
    yield World(store)
    await store.close()


def titles(found: list[dict[str, object]]) -> list[object]:
    return [one["title"] for one in found]


async def test_who_waits_shows_what_the_store_knows(world: World) -> None:
    """With what messages said, and until when it is silent."""
    first, second = await world.counter.alerts(Scope())
    assert (first["severity"], first["value"], first["silenced_until"]) == (
        "critical",
        "96 %",
        "2026-01-05T13:00:00+00:00",
    )
    assert (second["state"], second["silenced_until"]) == ("pending", None)
    assert titles(await world.counter.alerts(Scope("shop", "site"))) == ["Shop: Site: down"]
    assert await world.counter.alerts(Scope("shed")) == []


async def test_who_leads_shows_what_it_knows_itself(world: World) -> None:
    """Also while the store is away; who waits can say nothing then."""
    world.here = [story.CHANGE.alerts[0], Alert(story.OUTAGE)]
    (found,) = await world.counter.alerts(Scope())
    assert found["value"] == "96 %"
    world.away = True
    (found,) = await world.counter.alerts(Scope())
    assert (found["title"], found["value"]) == ("Shop: Database: connections", None)
    world.here = None
    with pytest.raises(StoreUnavailable):
        await world.counter.alerts(Scope())


async def test_silences_that_have_not_ended_are_shown_and_can_be_lifted(world: World) -> None:
    (night,) = await world.counter.silences()
    assert night == {
        "id": "night",
        "system": "shop",
        "check": "database",
        "alert": None,
        "labels": {},
        "since": "2026-01-05T11:00:00+00:00",
        "until": "2026-01-05T13:00:00+00:00",
        "who": "anna",
        "why": "a move",
        "maintenance": True,
    }
    lifted = await world.counter.lift("night", LIFT)
    assert lifted is not None
    assert (lifted.incident, lifted.scope) == ("night", Scope("shop", "database"))
    assert await world.counter.lift("over", LIFT) is None


@pytest.mark.parametrize("scope", [Scope(), Scope("shop"), Scope("shop", "site"), Scope("", "site")])
async def test_what_is_configured_is_known(world: World, scope: Scope) -> None:
    world.counter.look_for(scope)
    assert (await world.counter.take(act("1"))).said == "1"


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (Scope("shed"), "there is no system 'shed'"),
        (Scope("shop", "sight"), "there is no check 'shop/sight'; did you mean shop/site?"),
    ],
)
def test_what_is_not_is_named(scope: Scope, said: str) -> None:
    store: Any = None
    counter = World(store).counter
    with pytest.raises(ConfigError, match=said.replace("?", r"\?")):
        counter.look_for(scope)
