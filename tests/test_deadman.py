from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest
import structlog
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from monitor import deadman
from monitor.deadman import EVERY, LONGEST_OWED, MOST_PER_MINUTE, Deadman, Progress, due, fail_url
from monitor.secrets import Secret
from tests.fakes import START, FakeClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from structlog.typing import EventDict

UUID = "5a4ce2a9-0000-1111-2222-1a2b3c4d5e6f"
SECOND = timedelta(seconds=1)
FRESH = Progress(judged_at=START, committed_at=START)


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (FRESH, True),
        (Progress(START - EVERY, START - EVERY), True),
        (Progress(), False),
        (Progress(judged_at=START), False),
        (Progress(committed_at=START), False),
        (Progress(START - EVERY - SECOND, START), False),
        (Progress(START, START - EVERY - SECOND), False),
        (Progress(START, START, START - LONGEST_OWED), True),
        (Progress(START, START, START - LONGEST_OWED - SECOND), False),
    ],
)
def test_a_ping_needs_the_whole_work_done(progress: Progress, *, expected: bool) -> None:
    """A sample judged and one committed within the minute, and nothing owed for more than five."""
    assert due(START, progress, pinged=None, failed=None) is expected


def test_a_ping_comes_once_a_minute() -> None:
    """Not before a minute has passed since the last."""
    assert not due(START, FRESH, pinged=START - EVERY + SECOND, failed=None)
    assert due(START, FRESH, pinged=START - EVERY, failed=None)


def test_a_slow_schedule_widens_the_window() -> None:
    """Where every check runs each ten minutes, a minute without a sample is no fault."""
    progress = Progress(START - timedelta(minutes=9), START - timedelta(minutes=9))
    assert not due(START, progress, pinged=None, failed=None)
    assert due(START, progress, pinged=None, failed=None, window=timedelta(minutes=10))


def test_a_failure_silences_pings_until_what_was_owed_is_gone() -> None:
    """A ping would call the all-clear while nobody has the page yet."""
    failed = START - SECOND
    owed_then = Progress(START, START, START - timedelta(minutes=3))
    owed_since = Progress(START, START, START)
    assert not due(START, owed_then, pinged=None, failed=failed)
    assert due(START, owed_since, pinged=None, failed=failed)
    assert due(START, FRESH, pinged=None, failed=failed)


MOMENTS = st.none() | st.integers(-600, 0).map(lambda seconds: START + timedelta(seconds=seconds))


@given(MOMENTS, MOMENTS, MOMENTS, MOMENTS, MOMENTS)
def test_no_ping_ever_covers_up(
    judged: datetime | None,
    committed: datetime | None,
    owed: datetime | None,
    pinged: datetime | None,
    failed: datetime | None,
) -> None:
    """Whatever the past, a ping implies fresh work and nothing owed for long."""
    if due(START, Progress(judged, committed, owed), pinged=pinged, failed=failed):
        assert judged is not None
        assert committed is not None
        assert max(START - judged, START - committed) <= EVERY
        assert owed is None or START - owed <= LONGEST_OWED
        assert pinged is None or START - pinged >= EVERY


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"https://hc-ping.com/{UUID}", f"https://hc-ping.com/{UUID}/fail"),
        (f"https://hc-ping.com/{UUID}/", f"https://hc-ping.com/{UUID}/fail"),
        ("https://hc-ping.com/key/slug?create=1", "https://hc-ping.com/key/slug/fail?create=1"),
        (
            "https://push.example.com/a%2Fb?status=up&msg=a%20b#x",
            "https://push.example.com/a%2Fb/fail?status=up&msg=a%20b",
        ),
        ("https://example.com", "https://example.com/fail"),
        ("https://u:p@example.com:8443/x", "https://u:p@example.com:8443/x/fail"),
    ],
)
def test_fail_goes_behind_the_path_and_before_the_query(url: str, expected: str) -> None:
    """Nothing else of the address changes."""
    assert fail_url(url) == expected


class Switch:
    """A dead man's switch of our own: a real server that notes what comes, and answers as it is told."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.seen: list[tuple[datetime, str, str, str]] = []
        self.status = 200
        self.hangs = False
        self.release = asyncio.Event()
        self.progress = FRESH
        self.frozen = False
        self.tallied: list[bool] = []

    def pinged(self, *, accepted: bool) -> None:
        self.tallied.append(accepted)

    async def answer(self, request: web.Request) -> web.Response:
        self.seen.append((self.clock.now(), request.method, request.path_qs, await request.text()))
        if self.hangs:
            await self.release.wait()
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})

    def now(self) -> Progress:
        """Return progress that is always fresh, unless frozen."""
        if self.frozen:
            return self.progress
        moment = self.clock.now()
        return Progress(moment, moment, self.progress.oldest_owed)

    async def pass_time(self, by: timedelta) -> None:
        """Move time in steps, and let real sockets answer in between."""
        for _ in range(by // deadman.STEP):
            await self.clock.advance(deadman.STEP)
            await self.quiet()

    async def quiet(self) -> None:
        """Wait until no exchange is under way."""
        async with asyncio.timeout(5):
            while self.under_test._sending.locked():  # noqa: ASYNC110 - it has no event for it
                await asyncio.sleep(0.001)
        await self.clock.settle()

    under_test: Deadman


@pytest.fixture
async def switch() -> AsyncIterator[Switch]:
    switch = Switch()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", switch.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = Secret(f"http://127.0.0.1:{site.port}/{UUID}?create=1")
    async with aiohttp.ClientSession() as session:
        switch.under_test = Deadman(url, session, switch.clock, switch.now, switch)
        running = asyncio.create_task(switch.under_test.run())
        await switch.clock.settle()
        await switch.quiet()
        yield switch
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        switch.release.set()
    await runner.cleanup()


async def test_pings_come_once_a_minute_while_all_is_well(switch: Switch) -> None:
    """One GET at the start and one each minute, at the address as it is."""
    await switch.pass_time(timedelta(minutes=5))
    assert [seen[1:3] for seen in switch.seen] == [("GET", f"/{UUID}?create=1")] * 6
    gaps = [later[0] - earlier[0] for earlier, later in zip(switch.seen, switch.seen[1:], strict=False)]
    assert set(gaps) == {EVERY}
    assert switch.tallied == [True] * 6


async def test_pings_stop_with_the_work(switch: Switch) -> None:
    """When nothing is judged any more, nothing is pinged."""
    switch.frozen = True
    await switch.pass_time(timedelta(minutes=5))
    assert len(switch.seen) == 2


async def test_a_failed_ping_is_tried_again_soon(switch: Switch) -> None:
    """A lost packet costs 20 seconds and not a whole minute."""
    switch.status = 503
    await switch.pass_time(timedelta(seconds=60))
    switch.status = 200
    await switch.pass_time(timedelta(seconds=20))
    assert [(at - START) // SECOND for at, *_ in switch.seen] == [0, 60, 80]
    assert switch.tallied == [True, False, True]


async def test_a_failure_is_told_at_once_with_title_and_remedy(switch: Switch) -> None:
    """A POST to `/fail` whose body is the text."""
    await switch.under_test.fail("shop/site is down\nRoll back ✓ \ud800")
    assert switch.seen[-1][1:] == ("POST", f"/{UUID}/fail?create=1", "shop/site is down\nRoll back ✓ ?")


async def test_a_failure_that_is_not_accepted_is_told_again(switch: Switch) -> None:
    """Until it is accepted; several that wait go out together, and no ping in between."""
    switch.status = 500
    await switch.under_test.fail("one")
    await switch.under_test.fail("two")
    switch.status = 200
    await switch.pass_time(timedelta(seconds=65))
    bodies = [body for _, method, _, body in switch.seen if method == "POST"]
    assert bodies[-1] == "one\n\ntwo"
    before = len(switch.seen)
    await switch.pass_time(timedelta(seconds=30))
    assert all(method == "GET" for _, method, _, _ in switch.seen[before:])


async def test_a_long_failure_is_cut(switch: Switch) -> None:
    """The other side keeps only so much."""
    await switch.under_test.fail("x" * 1_000_000)
    assert len(switch.seen[-1][3]) == deadman.LONGEST_BODY


async def test_never_more_than_five_in_a_minute(switch: Switch) -> None:
    """More would be dropped over there; what does not fit waits and goes out together."""
    texts = [f"failure {n}" for n in range(15)]
    for text in texts:
        await switch.under_test.fail(text)
    await switch.pass_time(timedelta(minutes=3))
    moments = [at for at, *_ in switch.seen]
    assert all(sum(EVERY > later - at >= timedelta() for later in moments) <= MOST_PER_MINUTE for at in moments)
    told = "\n\n".join(body for _, _, _, body in switch.seen)
    assert all(text in told for text in texts)


async def test_no_ping_follows_a_failure_while_the_page_is_owed(switch: Switch) -> None:
    """The switch stays red until somebody has the page."""
    switch.progress = Progress(oldest_owed=START)
    await switch.under_test.fail("nobody took it")
    await switch.pass_time(timedelta(minutes=4))
    assert [method for _, method, _, _ in switch.seen] == ["GET", "POST"]
    switch.progress = Progress()
    await switch.pass_time(timedelta(minutes=1))
    assert switch.seen[-1][1] == "GET"


async def test_a_redirect_is_no_success(switch: Switch) -> None:
    """Following it could carry the address elsewhere."""
    switch.status = 302
    await switch.pass_time(timedelta(minutes=1))
    assert switch.tallied[-1] is False
    assert not any("elsewhere" in path for _, _, path, _ in switch.seen)


async def test_a_ping_that_hangs_ends_at_its_deadline(switch: Switch, monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as failed, and the next ones come."""
    monkeypatch.setattr(deadman, "DEADLINE", timedelta(milliseconds=50))
    switch.hangs = True
    await switch.pass_time(timedelta(minutes=1))
    assert switch.tallied[-1] is False
    switch.hangs = False
    await switch.pass_time(timedelta(seconds=20))
    assert switch.tallied[-1] is True


async def logged(url: str, rounds: int) -> list[EventDict]:
    """Return what is logged when `url` is pinged so many times."""
    switch = Switch()
    with structlog.testing.capture_logs() as logs:
        async with aiohttp.ClientSession() as session:
            switch.under_test = Deadman(Secret(url), session, switch.clock, switch.now, switch)
            for _ in range(rounds):
                await switch.under_test._turn()
                await switch.clock.advance(EVERY)
    assert switch.tallied == [False] * rounds
    return list(logs)


@pytest.mark.parametrize("url", [f"http://127.0.0.1:1/{UUID}", f"not a url {UUID}", f"http://[{UUID}/"])
async def test_an_unreachable_switch_is_logged_once_and_never_by_its_address(url: str) -> None:
    """The address is a secret: whoever has it can call the all-clear."""
    logs = await logged(url, 3)
    assert [line["event"] for line in logs] == ["deadman_switch_unreachable"]
    assert UUID not in str(logs)


async def test_the_way_back_is_logged_once(switch: Switch) -> None:
    """A change is news, more of the same is not."""
    with structlog.testing.capture_logs() as logs:
        switch.status = 503
        await switch.pass_time(timedelta(minutes=3))
        switch.status = 200
        await switch.pass_time(timedelta(minutes=3))
    assert [line["event"] for line in logs] == ["deadman_switch_unreachable", "deadman_switch_reached"]
    assert logs[0]["reason"] == "status 503"
