"""Tatame's project in Supabase, and its backups: the daily ones there, and the weekly dump in separate storage."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from monitor.model import State
from tests.systems.bench import bench
from tests.systems.proof import CRITICAL, WARNING, prove_down, prove_figure
from tests.systems.s3_storage import ACCESS, BUCKET, SECRET, Storage
from tests.systems.site import page
from tests.systems.supabase_api import HOUR, PROJECT, TOKEN, SupabaseApi
from tests.systems.tatame import Tatame

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.peers import Authority

DAY = timedelta(days=1)
MB = 10**6


class BackedUpTatame(Tatame):
    def build(self) -> None:
        super().build()
        self.supabase = SupabaseApi("api.supabase.com", self.authority, self.now)
        self.storage = Storage("s3.us-west-004.backblazeb2.com", self.authority, self.now)
        self.sites += [self.supabase, self.storage]

    def heal(self) -> None:
        super().heal()
        self.storage.holds("tatame/2026-11-15.dump", 20 * MB, ago=6 * DAY)

    @property
    def environ(self) -> dict[str, str]:
        own = {
            "TATAME_SUPABASE_TOKEN": TOKEN,
            "TATAME_SUPABASE_PROJECT_NAME": PROJECT,
            "TATAME_SUPABASE_URL": self.supabase.url,
            "TATAME_BACKUP_URL": self.storage.url,
            "TATAME_BACKUP_BUCKET_NAME": BUCKET,
            "TATAME_BACKUP_ACCESS_KEY": ACCESS,
            "TATAME_BACKUP_SECRET_KEY": SECRET,
            "TATAME_BACKUP_PREFIX_PATH": "tatame/",
        }
        return {**super().environ, **own}


def soon(action: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    """Return what does `action` when it is awaited."""

    async def act() -> None:
        action()

    return act


@pytest.mark.parametrize("ago", [pytest.param(26 * HOUR, id="TA-22 daily")])
async def test_a_daily_backup_that_is_old(ago: timedelta, authority: Authority) -> None:
    """One of 25 hours is not; the next one ends it."""
    async with bench(BackedUpTatame, authority) as running:
        supabase = running.stand_in.supabase

        def cross() -> None:
            supabase.backups.clear()
            supabase.backs_up(ago + HOUR)
            supabase.backs_up(HOUR, "FAILED")

        supabase.backups.clear()
        supabase.backs_up(ago - 4 * HOUR)
        await prove_figure(
            running,
            "backup-daily",
            "backup is old",
            WARNING,
            soon(cross),
            soon(lambda: supabase.backs_up(HOUR)),
            "> 26h",
            "The free plan makes none",
        )


@pytest.mark.parametrize("check", [pytest.param("backup-daily", id="TA-22 none")])
async def test_no_backup_at_all(check: str, authority: Authority) -> None:
    async with bench(BackedUpTatame, authority) as running:
        supabase = running.stand_in.supabase
        await prove_down(
            running,
            check,
            WARNING,
            soon(supabase.backups.clear),
            soon(lambda: supabase.backs_up(HOUR)),
            "no backup that was completed",
            "Make a dump by hand",
        )


@pytest.mark.parametrize("ago", [pytest.param(8 * DAY, id="TA-22 weekly")])
async def test_a_weekly_dump_that_is_old(ago: timedelta, authority: Authority) -> None:
    """Whatever else lies in that storage."""
    async with bench(BackedUpTatame, authority) as running:
        storage = running.stand_in.storage
        storage.holds("other/new.dump", ago=HOUR)

        def cross() -> None:
            storage.kept = [each for each in storage.kept if not each.key.startswith("tatame/")]
            storage.holds("tatame/2026-11-08.dump", 19 * MB, ago=ago + HOUR)

        await prove_figure(
            running,
            "backup-weekly",
            "dump is old",
            WARNING,
            soon(cross),
            soon(lambda: storage.holds("tatame/2026-11-22.dump", 20 * MB)),
            "> 8d",
            "A password that was rotated",
        )


@pytest.mark.parametrize("share", [pytest.param(0.8, id="TA-20 disk")])
async def test_a_disk_that_fills(share: float, authority: Authority) -> None:
    async with bench(BackedUpTatame, authority) as running:
        supabase = running.stand_in.supabase

        def use(part: float) -> Callable[[], None]:
            return lambda: setattr(supabase, "used", int(supabase.size * part))

        use(share)()
        await prove_figure(
            running,
            "supabase",
            "disk",
            WARNING,
            soon(use(share + 0.01)),
            soon(use(share)),
            "> 80%",
            "Old rows of stripe_webhook_events",
        )


@pytest.mark.parametrize("check", [pytest.param("supabase", id="TA-20 paused")])
async def test_a_project_that_is_paused(check: str, authority: Authority) -> None:
    """And what Supabase's API does wrong tells nobody that it is."""
    async with bench(BackedUpTatame, authority) as running:
        supabase = running.stand_in.supabase

        def pause() -> None:
            supabase.status = "INACTIVE"

        await prove_down(
            running,
            check,
            CRITICAL,
            soon(pause),
            soon(supabase.heal),
            "the project is paused",
            "Restore it in Supabase",
        )
        supabase.says = page("<h1>503</h1>", 503)
        assert (await running.run(check, times=3)).state is State.UNKNOWN
        assert running.told() == []
