"""The system's clock is set back and forward by an hour under the running daemon."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance import peers
from tests.acceptance.peers import until
from tests.acceptance.process import DELIVERED, SITE, Monitor, needed

if TYPE_CHECKING:
    from tests.acceptance.peers import Post

RUNS = 'monitor_probe_runs_total{system="shop",check="site"}'
MISSED = 'monitor_probe_missed_runs_total{system="shop",check="site"}'
OFFSET = "monitor_clock_offset_seconds"
HOUR = 3600


@dataclass
class Hours:
    """What was seen with a clock that is wrong: the series with each, the early posts, the page and its end."""

    seen: list[dict[str, float]] = field(default_factory=list)
    early: list[Post] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)


class WrongClock:
    """What a program started with `variables` takes for the system's clock. How much time passes, it sees rightly."""

    def __init__(self, folder: Path) -> None:
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self._file = folder / "clock"
        self.set(0)
        self.variables = {
            "LD_PRELOAD": needed(str(found[0]) if found else None, "libfaketime", "libfaketime"),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, seconds: int) -> None:
        """Let it be wrong by so much from now on."""
        self._file.write_text(f"{seconds:+}")


async def hours(folder: Path) -> Hours:
    """Set the clock back and forward, then break the shop; set it back in a restart in which the shop heals."""
    told, clock = Hours(), WrongClock(folder)
    async with peers.shop() as shop, peers.receiver() as hook:
        async with Monitor(folder, SITE, SHOP_URL=shop.url, HOOK_URL=hook.url, **clock.variables) as daemon:
            for wrong in (-HOUR, HOUR):
                clock.set(wrong)
                ran = await daemon.shows(RUNS) or 0

                async def went_on(wrong: int = wrong, ran: float = ran) -> dict[str, float] | None:
                    seen = daemon.read(await daemon.page())
                    return seen if abs(seen[OFFSET] - wrong) < HOUR / 60 and seen[RUNS] >= ran + 3 else None

                told.seen.append(await until(went_on, f"three runs with a clock that is {wrong} s off"))
            told.early = hook.posts.copy()
            shop.breaks()
            await hook.hears("firing")
            await until(lambda: daemon.stored(DELIVERED), "the delivery in the store")
            await daemon.kill()
            clock.set(-HOUR)
            shop.heals()
            await daemon.start()
            await hook.hears("resolved")
        told.posts = hook.posts
    return told


@pytest.mark.story(tell=hours)
def test_a_clock_that_is_set_changes_nothing(told: Hours) -> None:
    """Probing goes on, nobody is paged, nothing is "no data"; then a real outage pages, and ends over a restart."""
    for seen in told.seen:
        assert not [series for series in seen if series.startswith("monitor_alert{")]
        assert seen[MISSED] < HOUR / 60  # an hour that was believed would leave out 3,600; a busy machine some
    assert not told.early
    page, over = told.posts
    assert [post.alerts[0]["status"] for post in (page, over)] == ["firing", "resolved"]
    assert page.incidents == over.incidents
